// One database and everybody who uses it: calls come in, are run in slices, and answered in buffers. It knows no worker and no tab.

import { DriftError, fail } from '../errors.js';
import type { Answer, Call, GetCall, LoadCall, Place, StepsCall, Storage } from '../protocol.js';
import { type Core, Progress } from './core.js';
import { check, pointOf, settle } from './rules.js';
import { turn } from './turn.js';
import { Writers } from './writers.js';

/** An open engine and what else belongs to its storage. */
export interface Home {
  core: Core;
  storage: Storage;
  /** Where writes are durable later than they return: resolves when all that was written before is. */
  durable?(): Promise<void>;
  /** Gives up what the engine does not, after it was closed or has stopped. */
  dispose?(): void;
}

/** Opens the database: at first, and again when the engine has stopped. */
export type Opener = (place: Place) => Promise<Home>;

/** A slice of work, in milliseconds; between two the message loop turns. */
const SLICE_MS = 8;
/** Rows' worth of work between two looks at the clock. */
const STEPS = 2_000;
const BUFFER_BYTES = 1 << 20;
const WAIT = 5_000;
/** Upkeep starts when nobody has asked for anything for so long. */
const IDLE_MS = 100;
const IDLE_STEPS = 4;

interface Transaction {
  number: number;
  client: number;
  /** Calls that have not ended; the commit waits for them. */
  active: Set<Promise<unknown>>;
}

interface Stream {
  client: number;
  call: StepsCall;
  run: number;
  bytes: number;
  ended: boolean;
}

/** A database that is used by any number of clients. */
export class Host {
  readonly #place: Place;
  readonly #opener: Opener;
  #home: Home;
  #reopening: Promise<void> | undefined;
  readonly #writers = new Writers();
  #transaction: Transaction | undefined;
  /** Transactions that ended with an engine that stopped. */
  readonly #lost = new Set<number>();
  readonly #streams = new Map<number, Stream>();
  #numbers = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  private constructor(place: Place, opener: Opener, home: Home) {
    this.#place = place;
    this.#opener = opener;
    this.#home = home;
  }

  /** Opens the database. */
  static async open(place: Place, opener: Opener): Promise<Host> {
    return new Host(place, opener, await opener(place));
  }

  get storage(): Storage {
    return this.#home.storage;
  }

  get #core(): Core {
    return this.#home.core;
  }

  /** Answers a client's call. The signal's abort ends it between two slices. */
  async call(client: number, call: Call, signal?: AbortSignal): Promise<Answer> {
    if (this.#closed) throw fail('closed', 'the database is closed');
    if (this.#core.crashed) await this.#reopen();
    clearTimeout(this.#idle);
    try {
      const answer = await this.#answer(client, call, signal);
      await this.#home.durable?.();
      return answer;
    } finally {
      this.#upkeepLater();
    }
  }

  async #answer(client: number, call: Call, signal: AbortSignal | undefined): Promise<Answer> {
    switch (call.op) {
      case 'script':
      case 'table':
      case 'verify':
        return this.#run(client, call, signal);
      case 'get':
        this.#check(client, call);
        return this.#core.get(call, pointOf(this.#core, call)).slice();
      case 'stats':
        return [this.#core.stats().slice(), numberBytes(this.#core.memoryBytes)];
      case 'dump':
        return this.#core.dump(call.limit);
      case 'load':
        return this.#load(call, signal);
      case 'timeline':
        return this.#core.timeline(call.byTime, call.buckets).slice();
      case 'flush':
        this.#core.flush();
        return null;
      case 'begin':
        return this.#begin(client, call.meta, call.wait ?? WAIT, signal);
      case 'commit':
        return this.#end(client, call.tx, true);
      case 'rollback':
        return this.#end(client, call.tx, false);
      case 'stream':
        return this.#stream(client, call.call, call.bytes);
      case 'more':
        return this.#more(call.stream, signal);
      case 'cancel':
        this.#cancel(call.stream);
        return null;
    }
  }

  #check(client: number, call: StepsCall | GetCall): void {
    if (call.tx !== undefined && this.#lost.has(call.tx)) throw lost();
    const open = this.#transaction?.client === client ? this.#transaction.number : undefined;
    check(this.#core, call, open);
  }

  /** Runs a call to its end, in slices. */
  async #run(client: number, call: StepsCall, signal: AbortSignal | undefined): Promise<Uint8Array[]> {
    this.#check(client, call);
    if (call.tx !== undefined) {
      const active = this.#transaction!.active;
      const running = this.#steps(call, signal);
      active.add(running);
      try {
        return await running;
      } finally {
        active.delete(running);
      }
    }
    if (!this.#core.writes(call)) return this.#steps(call, signal);
    await this.#writers.acquire(call.wait ?? WAIT, signal);
    try {
      return await this.#steps(call, signal);
    } finally {
      this.#writers.release();
    }
  }

  async #load(call: LoadCall, signal: AbortSignal | undefined): Promise<Answer> {
    await this.#writers.acquire(call.wait ?? WAIT, signal);
    try {
      return this.#core.load(call.lines).slice();
    } finally {
      this.#writers.release();
    }
  }

  async #steps(call: StepsCall, signal: AbortSignal | undefined): Promise<Uint8Array[]> {
    const core = this.#core;
    const run = core.start(call, pointOf(core, call));
    const buffers: Uint8Array[] = [];
    let failed = true;
    try {
      let progress: Progress;
      do {
        progress = await this.#slice(core, run, BUFFER_BYTES, signal);
        buffers.push(core.take(run).slice());
      } while (progress !== Progress.End);
      failed = false;
      return buffers;
    } finally {
      core.end(run);
      settle(core, call, failed);
    }
  }

  /** Goes on with a run until its buffer is full or all is done; every few milliseconds others have their turn. */
  async #slice(core: Core, run: number, bytes: number, signal: AbortSignal | undefined): Promise<Progress.Full | Progress.End> {
    for (;;) {
      const until = performance.now() + SLICE_MS;
      do {
        signal?.throwIfAborted();
        const progress = core.step(run, STEPS, bytes);
        if (progress !== Progress.More) return progress;
      } while (performance.now() < until);
      await turn();
    }
  }

  async #begin(client: number, meta: Uint8Array | undefined, wait: number, signal: AbortSignal | undefined): Promise<number> {
    await this.#writers.acquire(wait, signal);
    try {
      this.#core.begin(meta);
    } catch (error) {
      this.#writers.release();
      throw error;
    }
    this.#transaction = { number: ++this.#numbers, client, active: new Set() };
    return this.#transaction.number;
  }

  async #end(client: number, number: number, commit: boolean): Promise<Answer> {
    if (this.#lost.delete(number)) throw lost();
    const transaction = this.#transaction;
    if (transaction?.number !== number || transaction.client !== client) throw fail('closed', 'the transaction is over');
    await Promise.allSettled(transaction.active);
    if (this.#transaction !== transaction) throw this.#lost.delete(number) ? lost() : fail('closed', 'the transaction is over');
    try {
      if (commit) return this.#core.commit().slice();
      this.#core.rollback();
      return null;
    } finally {
      this.#transaction = undefined;
      this.#writers.release();
    }
  }

  #stream(client: number, call: StepsCall, bytes: number): number {
    this.#check(client, call);
    if (this.#core.writes(call)) throw fail('unsupported', 'only what reads can be streamed', 'use exec');
    const run = this.#core.start(call, pointOf(this.#core, call));
    this.#streams.set(++this.#numbers, { client, call, run, bytes, ended: false });
    return this.#numbers;
  }

  async #more(number: number, signal: AbortSignal | undefined): Promise<Answer> {
    const stream = this.#streams.get(number);
    if (stream === undefined) throw this.#lost.has(number) ? lost() : fail('closed', 'the stream is over');
    if (stream.ended) {
      this.#streams.delete(number);
      return { bytes: null, end: true };
    }
    const core = this.#core;
    try {
      const progress = await this.#slice(core, stream.run, stream.bytes, signal);
      const bytes = core.take(stream.run).slice();
      if (progress === Progress.End) this.#cancel(number);
      return { bytes, end: progress === Progress.End };
    } catch (error) {
      this.#cancel(number);
      throw error;
    }
  }

  #cancel(number: number): void {
    const stream = this.#streams.get(number);
    if (stream === undefined) return;
    this.#streams.delete(number);
    this.#core.end(stream.run);
  }

  /** A client has gone: its transaction is taken back, its streams end. */
  leave(client: number): void {
    for (const [number, stream] of this.#streams) if (stream.client === client) this.#cancel(number);
    const transaction = this.#transaction;
    if (transaction?.client !== client) return;
    this.#transaction = undefined;
    this.#core.rollback();
    this.#writers.release();
  }

  /** The engine has stopped: a new one takes its place, from storage. */
  #reopen(): Promise<void> {
    if (this.#home.storage === 'memory') {
      throw fail('crashed', 'the engine has stopped, and with it the database in memory', 'open it anew: it is empty');
    }
    this.#reopening ??= (async () => {
      try {
        const transaction = this.#transaction;
        this.#home.dispose?.();
        this.#home = await this.#opener(this.#place);
        for (const number of this.#streams.keys()) this.#lost.add(number);
        this.#streams.clear();
        if (transaction !== undefined) {
          this.#lost.add(transaction.number);
          this.#transaction = undefined;
          this.#writers.release();
        }
      } finally {
        this.#reopening = undefined;
      }
    })();
    return this.#reopening;
  }

  #upkeepLater(): void {
    clearTimeout(this.#idle);
    if (this.#closed) return;
    this.#idle = setTimeout(() => this.#upkeep(), IDLE_MS);
    (this.#idle as { unref?(): void }).unref?.();
  }

  #upkeep(): void {
    if (this.#closed || this.#core.crashed || this.#writers.busy) return;
    try {
      if (!this.#core.maintain(IDLE_STEPS)) return;
    } catch (error) {
      // What is due stays due; a fault of the storage is told to the next who writes.
      if (error instanceof DriftError) return;
      throw error;
    }
    this.#idle = setTimeout(() => this.#upkeep(), 0);
  }

  /** Closes the database; what is under way ends with an error. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#idle);
    try {
      this.#core.close();
      await this.#home.durable?.();
    } finally {
      this.#home.dispose?.();
    }
  }

  /** Stops the engine as a fault in it would. For tests. */
  stop(): void {
    this.#core.stop();
  }
}

function lost(): DriftError {
  return fail('crashed', 'the engine stopped and was opened anew: what was open was taken back', 'do it again');
}

function numberBytes(number: number): Uint8Array {
  return new Uint8Array(new Float64Array([number]).buffer);
}
