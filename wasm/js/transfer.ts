// Files of whole databases, on their way out and in.

import type { ImportSource } from './api.js';
import { fail } from './errors.js';

/** Chunks of an export have about so many bytes. */
export const EXPORT_BYTES = 256 << 10;
/** What is imported at once. */
const PIECE_BYTES = 1 << 20;

/** Large chunks in parts, each copied: what is given stays the caller's. */
export function* split(chunk: Uint8Array): Generator<Uint8Array> {
  if (!(chunk instanceof Uint8Array)) throw fail('invalid_value', 'what is imported has to come as Uint8Arrays');
  for (let at = 0; at < chunk.length; at += PIECE_BYTES) yield chunk.slice(at, at + PIECE_BYTES);
}

/** The bytes of a file, whatever it comes as. */
export async function* pieces(source: ImportSource): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) return yield* split(source);
  if (source instanceof ArrayBuffer) return yield* split(new Uint8Array(source));
  const chunks: unknown = typeof Blob === 'function' && source instanceof Blob ? source.stream() : source;
  if (typeof chunks === 'object' && chunks !== null) {
    if (Symbol.asyncIterator in chunks || Symbol.iterator in chunks) {
      for await (const chunk of chunks as AsyncIterable<Uint8Array>) yield* split(chunk);
      return;
    }
    if (typeof (chunks as ReadableStream).getReader === 'function') return yield* read(chunks as ReadableStream<Uint8Array>);
  }
  throw fail('invalid_value', 'import takes a Blob, a Uint8Array, a stream or an iterable of Uint8Arrays');
}

/** A stream, where streams are not iterable, as in Safari. */
async function* read(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      ended = done;
      if (done) return;
      yield* split(value);
    }
  } finally {
    if (!ended) await reader.cancel().catch(() => {});
  }
}

/** Chunks as a stream, the first of which is asked for at once. */
export function streamOf(chunks: AsyncGenerator<Uint8Array, void, undefined>): ReadableStream<Uint8Array> {
  const ask = (): Promise<IteratorResult<Uint8Array, void>> => {
    const next = chunks.next();
    // If nobody comes for it any more its error is nobody's.
    next.catch(() => {});
    return next;
  };
  let next = ask();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await next;
      if (done === true) return controller.close();
      controller.enqueue(value);
      next = ask();
    },
    async cancel() {
      await chunks.return();
    },
  });
}
