// What goes on by itself: a query's answers, and the commits of the history. Where they break off because the engine or its tab has gone, they go on
// from what was seen last.

import type { Commit, Live, LiveCallback, LiveOptions } from '../api.js';
import { scriptCall } from '../calls.js';
import { Commits, type Told } from '../commits.js';
import { DriftError } from '../errors.js';
import { pointText } from '../point.js';
import type { Call, Piece } from '../protocol.js';
import { QueryResult } from '../wire/answer.js';
import type { Params } from '../wire/encode.js';
import type { Abortable } from '../handles/way.js';
import type { Link } from './link.js';

/** Feeds that break off so often, without a piece or some quiet time in between, are given up. */
const TRIES = 5;
const QUIET_MS = 1_000;
const PAUSE_MS = 100;

/**
 * The pieces of a feed that is opened anew where it breaks off, by a call that goes on from what was seen. `quiet`: after the first one the wait for the next
 * keeps no program running.
 */
async function* pieces(link: Link, open: () => Call, signal: AbortSignal, quiet: boolean): AsyncGenerator<Piece, void, undefined> {
  let wait = false;
  for (let tries = 0; ; tries++) {
    let feed: number | undefined;
    let since = Infinity;
    try {
      feed = await link.channel.feed(open(), signal);
      since = performance.now();
      for (;;) {
        const piece = (await link.channel.call({ op: 'more', feed }, signal, wait)) as Piece;
        tries = 0;
        wait = quiet;
        yield piece;
        if (piece.end) return;
      }
    } catch (error) {
      if (performance.now() - since > QUIET_MS) tries = 0;
      if (!(error instanceof DriftError) || !error.retryable || tries === TRIES) throw error;
    } finally {
      if (feed !== undefined) link.channel.call({ op: 'cancel', feed }).catch(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tries));
  }
}

/** Ends with the handle, with a signal, or by itself. */
function ending(link: Link, signal: AbortSignal | undefined): AbortController {
  const controller = new AbortController();
  for (const one of signal === undefined ? [link.life] : [link.life, signal]) {
    const abort = (): void => controller.abort(one.reason);
    if (one.aborted) abort();
    one.addEventListener('abort', abort, { signal: controller.signal });
  }
  return controller;
}

/** Calls back with a query's answers. */
export function startLive<Row>(link: Link, text: string, params: Params | undefined, callback: LiveCallback<Row>, options: LiveOptions & Abortable = {}): Live {
  const call = scriptCall(options.asOf === undefined ? {} : { at: pointText(options.asOf) }, text, params);
  const controller = ending(link, options.signal);
  const { signal } = controller;
  const report = options.onError ?? ((error: DriftError) => console.error(error));
  let seen: bigint | undefined;
  const run = async (): Promise<void> => {
    for await (const { buffers, mark, error } of pieces(link, () => ({ op: 'live', call, ...(seen !== undefined && { seen }) }), signal, true)) {
      if (signal.aborted) return;
      seen = mark;
      try {
        if (error !== undefined) report(new DriftError(error));
        else callback(new QueryResult<Row>(buffers.map((bytes) => link.batch(bytes))));
      } catch (thrown) {
        // A fault of the callback's is not one of the query's.
        queueMicrotask(() => {
          throw thrown;
        });
      }
    }
  };
  const close = (): void => controller.abort();
  // Whatever it ended by, nothing listens any more.
  run().catch((error: unknown) => {
    if (!signal.aborted && (error as DriftError).code !== 'closed') report(error as DriftError);
  }).finally(close);
  return { close, [Symbol.dispose]: close };
}

/** Commit after commit, from after a seq on or from now on. */
export function startChanges(link: Link, since: number | undefined, signal: AbortSignal | undefined): AsyncGenerator<Commit, void, undefined> {
  const from = since === undefined ? link.stats(signal).then(({ seq }) => seq) : Promise.resolve(since);
  // Whoever comes for the first commit is told.
  from.catch(() => {});
  return commits(link, from, signal);
}

async function* commits(link: Link, from: Promise<number>, given: AbortSignal | undefined): AsyncGenerator<Commit, void, undefined> {
  let after = await from;
  const controller = ending(link, given);
  const { signal } = controller;
  let told = new Commits();
  const open = (): Call => {
    told = new Commits();
    return { op: 'changes', since: after };
  };
  try {
    for await (const { buffers } of pieces(link, open, signal, false)) {
      for (const bytes of buffers) {
        for (const commit of told.take(new QueryResult<Told>([link.batch(bytes)]))) {
          after = commit.seq;
          yield commit;
          signal.throwIfAborted();
        }
      }
    }
  } finally {
    controller.abort();
  }
}
