// What all handles of one open database share: the channel, how answers are read, the transaction whose callback runs.

import type { ImportSource, Imported, Stats, Timeline } from '../api.js';
import { DriftError, fail } from '../errors.js';
import type { Abortable, Caller } from '../handles/way.js';
import type { GetCall, Piece, StepsCall, TimelineCall } from '../protocol.js';
import type { Settings } from '../options.js';
import { imported, statistics } from '../reports.js';
import { pieces } from '../transfer.js';
import { timelineOf } from '../timeline.js';
import { QueryResult, type Written, written } from '../wire/answer.js';
import { Batch } from '../wire/decode.js';
import type { Channel } from './channel.js';
import { current, enter } from './scope.js';

const STREAM_BYTES = 64 << 10;

/** An open database, as its handles see it. */
export class Link implements Caller<'async'> {
  readonly channel: Channel;
  readonly settings: Settings;
  /** Transactions of this database whose callbacks run. */
  readonly open = new Set<object>();
  readonly #life = new AbortController();

  constructor(channel: Channel, settings: Settings) {
    this.channel = channel;
    this.settings = settings;
  }

  /** What was opened with this handle is not used any more. */
  close(): void {
    this.#life.abort(fail('closed', 'the database is closed'));
  }

  /** Ends with the handle. */
  get life(): AbortSignal {
    return this.#life.signal;
  }

  /** Refuses what comes after the handle's end. */
  check(): void {
    this.life.throwIfAborted();
  }

  /** Refuses what would wait for the transaction whose callback asks for it. */
  refuseInside(what: string): void {
    const transaction = current();
    if (transaction !== undefined && this.open.has(transaction)) {
      throw fail('transaction', `${what} was called inside a transaction's callback: it would wait for the transaction itself`, 'use tx, which the callback is given');
    }
  }

  async run<T>(call: () => StepsCall, read: (batches: Batch[]) => T, options: Abortable | undefined, writes?: string): Promise<T> {
    this.check();
    if (writes !== undefined) this.refuseInside(writes);
    try {
      const buffers = await this.channel.call({ ...call(), wait: this.settings.busyTimeout }, options?.signal);
      return read((buffers as Uint8Array[]).map((bytes) => this.batch(bytes)));
    } catch (error) {
      throw this.named(error);
    }
  }

  /** A buffer of an answer. */
  batch(bytes: Uint8Array): Batch {
    return new Batch(bytes, this.settings.integers, false);
  }

  async get<Row>(call: () => GetCall, options: Abortable | undefined): Promise<Row | undefined> {
    this.check();
    const batch = this.batch((await this.channel.call(call(), options?.signal)) as Uint8Array);
    return batch.length === 0 ? undefined : (batch.row(0) as Row);
  }

  async *stream<Row>(call: StepsCall, options: Abortable | undefined): AsyncGenerator<Row, void, undefined> {
    for await (const bytes of this.buffers(call, STREAM_BYTES, options?.signal)) {
      for (const row of new QueryResult<Row>([this.batch(bytes)])) {
        yield row;
        this.check();
        options?.signal?.throwIfAborted();
      }
    }
  }

  /** An answer in buffers of about so many bytes; one is used while the next is made. */
  async *buffers(call: StepsCall, size: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    this.check();
    const feed = await this.channel.feed({ op: 'stream', call, bytes: size }, signal);
    const ask = (): Promise<Piece> => {
      const next = this.channel.call({ op: 'more', feed }, signal) as Promise<Piece>;
      // If nobody comes for it any more its error is nobody's.
      next.catch(() => {});
      return next;
    };
    let ended = false;
    try {
      let next = ask();
      for (;;) {
        const { buffers, end } = await next;
        ended = end;
        this.check();
        if (!end) next = ask();
        yield* buffers;
        if (end) return;
      }
    } finally {
      if (!ended) this.channel.call({ op: 'cancel', feed }).catch(() => {});
    }
  }

  /** A wait that was in vain says so, if it was for a transaction of this very handle. */
  named(error: unknown): unknown {
    if (!(error instanceof DriftError) || error.code !== 'busy' || this.open.size === 0) return error;
    const message = 'a transaction of this database has been open for too long: what is called inside its callback has to be called on tx';
    return new DriftError({ code: 'busy', message, hint: 'inside the callback use tx; outside of it set a longer busyTimeout' });
  }

  async stats(signal: AbortSignal | undefined): Promise<Stats> {
    this.check();
    const [bytes, memory] = (await this.channel.call({ op: 'stats' }, signal)) as [Uint8Array, Uint8Array];
    return statistics(bytes, new Float64Array(memory.buffer)[0]!);
  }

  async dump(limit: number, signal: AbortSignal | undefined): Promise<string> {
    this.check();
    return (await this.channel.call({ op: 'dump', limit }, signal)) as string;
  }

  async load(lines: string, signal: AbortSignal | undefined): Promise<Written> {
    this.check();
    this.refuseInside('db.load');
    const bytes = await this.channel.call({ op: 'load', lines, wait: this.settings.busyTimeout }, signal);
    return written([this.batch(bytes as Uint8Array)]);
  }

  /** Takes a file's bytes in the place of the database, which is empty. */
  async import(source: ImportSource, signal: AbortSignal | undefined): Promise<Imported> {
    this.check();
    this.refuseInside('db.import');
    // Without the signal: an import that was begun has to be ended.
    const number = (await this.channel.call({ op: 'import', wait: this.settings.busyTimeout })) as number;
    try {
      signal?.throwIfAborted();
      for await (const bytes of pieces(source)) await this.channel.call({ op: 'importBytes', import: number, bytes }, signal);
      signal?.throwIfAborted();
      // Without it again: what is at its end comes to it, and an error would say that the database is empty.
      return imported((await this.channel.call({ op: 'importEnd', import: number, whole: true })) as Uint8Array);
    } catch (error) {
      // If it is over already there is nothing to give up.
      await this.channel.call({ op: 'importEnd', import: number, whole: false }).catch(() => {});
      throw error;
    }
  }

  async timeline(call: TimelineCall, signal: AbortSignal | undefined): Promise<Timeline> {
    this.check();
    return timelineOf((await this.channel.call(call, signal)) as Uint8Array);
  }

  async flush(): Promise<void> {
    this.check();
    await this.channel.call({ op: 'flush' });
  }
}

/** A transaction's link: what follows its answers goes on inside its callback. */
export class Inside implements Caller<'async'> {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  async #after<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } finally {
      enter(this);
    }
  }

  run<T>(call: () => StepsCall, read: (batches: Batch[]) => T, options: Abortable | undefined): Promise<T> {
    return this.#after(this.#link.run(call, read, options));
  }

  get<Row>(call: () => GetCall, options: Abortable | undefined): Promise<Row | undefined> {
    return this.#after(this.#link.get(call, options));
  }

  stream<Row>(call: StepsCall, options: Abortable | undefined): AsyncGenerator<Row, void, undefined> {
    return this.#link.stream(call, options);
  }
}
