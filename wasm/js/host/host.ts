// One database and everybody who uses it: calls come in, are run in slices, and answered in buffers. It knows no worker and no tab.

import { DriftError, fail } from '../errors.js';
import type { Answer, Asked, Call, GetCall, Piece, Place, StepsCall, Storage } from '../protocol.js';
import { type Core, Progress } from './core.js';
import { Changes, type Feed, Live, Rows } from './feeds.js';
import { check, commits, pointOf, settle } from './rules.js';
import { slice } from './slice.js';
import type { Signal } from './stop.js';
import { LONG, Writers } from './writers.js';

/** An open engine and what else belongs to its storage. */
export interface Home {
  core: Core;
  storage: Storage;
  /** Where writes are durable later than they return: resolves when all that was written before is. */
  durable?(): Promise<void>;
  /** Whether its storage was full when it was opened, and is still as far as is known: what can wait is not written. */
  isFull?(): boolean;
  /** Gives up what the engine does not, after it was closed or has stopped. */
  dispose?(): void;
}

/** Opens the database: at first, and again when the engine has stopped. */
export type Opener = (place: Place) => Promise<Home>;

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

/** A database that is used by any number of clients. */
export class Host {
  readonly #place: Place;
  readonly #opener: Opener;
  #home: Home;
  #reopening: Promise<void> | undefined;
  readonly #writers = new Writers();
  #transaction: Transaction | undefined;
  readonly #feeds = new Map<number, Feed>();
  /** The last number of a transaction or feed. They begin anywhere, so that what another host has opened is not taken for one's own. */
  #numbers = crypto.getRandomValues(new Uint32Array(1))[0]! * 2 ** 20;
  /** What has a number up to this ended with an engine that stopped. */
  #lost = this.#numbers;
  #import: { number: number; client: number } | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  /** Calls under way, but for those that wait for a feed's next piece: who waits asks for nothing. */
  #under = 0;
  /** Whether anything was asked since the timer for upkeep was set. */
  #asked = false;
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

  /** Whether something is open that would end with it: a transaction, an import, a stream. */
  get busy(): boolean {
    return this.#transaction !== undefined || this.#import !== undefined || [...this.#feeds.values()].some((feed) => feed instanceof Rows);
  }

  /** How often its live queries were asked. For tests. */
  get liveRuns(): number {
    return [...this.#feeds.values()].reduce((sum, feed) => sum + (feed instanceof Live ? feed.runs : 0), 0);
  }

  get #core(): Core {
    return this.#home.core;
  }

  /** Answers a client's call. The signal's abort ends it between two slices. */
  async call(client: number, call: Call, signal?: Signal): Promise<Answer> {
    if (this.#closed) throw fail('closed', 'the database is closed');
    if (this.#core.crashed) await this.#reopen();
    const counts = call.op === 'more' ? 0 : 1;
    this.#under += counts;
    try {
      if (this.#import !== undefined) await this.#imported(call, signal);
      let answer: Answer;
      try {
        answer = await this.#answer(client, call, signal);
      } catch (error) {
        // What a script or lines have committed before their error stays.
        if (!this.#core.crashed && !this.#closed) await this.#durable(call);
        throw error;
      }
      await this.#durable(call);
      return answer;
    } catch (error) {
      // What has a number is asked again of the next engine, once: what was done is known there.
      const asked = 'asked' in call ? call.asked : undefined;
      if (asked === undefined || asked.again || (error as DriftError).code !== 'crashed') throw error;
      return await this.call(client, { ...call, asked: { ...asked, again: true } } as Call, signal);
    } finally {
      this.#under -= counts;
      this.#asked = true;
      if (this.#idle === undefined) this.#upkeepLater();
    }
  }

  /** Waits until what was committed is stored. That it cannot be is told to who has written; who has not can ask again. */
  async #durable(call: Call): Promise<void> {
    const { core } = this.#home;
    try {
      await this.#home.durable?.();
    } catch (error) {
      throw commits(core, call) ? error : lost();
    }
  }

  async #answer(client: number, call: Call, signal: Signal | undefined): Promise<Answer> {
    switch (call.op) {
      case 'script':
      case 'table':
      case 'verify':
      case 'export':
        return this.#run(client, call, signal);
      case 'get':
        this.#check(client, call);
        return this.#core.get(call, pointOf(this.#core, call)).slice();
      case 'stats':
        return [this.#core.stats().slice(), numberBytes(this.#core.memoryBytes)];
      case 'dump':
        return this.#core.dump(call.limit);
      case 'load':
        return this.#alone(client, call.wait, signal, () => this.#core.load(call.lines).slice());
      case 'timeline':
        return this.#core.timeline(call.byTime, call.buckets).slice();
      case 'flush':
        this.#core.flush();
        return null;
      case 'begin':
        return this.#begin(client, call, signal);
      case 'commit':
        return this.#end(client, call.tx, true, call.asked);
      case 'rollback':
        return this.#end(client, call.tx, false);
      case 'stream':
        this.#check(client, call.call);
        return this.#feed(new Rows(client, this.#core, call.call, call.bytes));
      case 'live':
        return this.#feed(new Live(client, this.#core, this.#writers, call.call, call.seen));
      case 'changes':
        return this.#feed(new Changes(client, this.#core, call.since));
      case 'more':
        return this.#more(call.feed, signal);
      case 'cancel':
        this.#cancel(call.feed);
        return null;
      case 'import':
        return this.#beginImport(client, call.wait ?? WAIT, signal);
      case 'importBytes':
        return this.#importing(client, call.import, () => this.#core.pushImport(call.bytes));
      case 'importEnd':
        return this.#endImport(client, call.import, call.whole);
    }
  }

  /** Whether a transaction or a feed was of an engine that has stopped, of this host or another. */
  #isLost(number: number): boolean {
    return number <= this.#lost || number > this.#numbers;
  }

  #check(client: number, call: StepsCall | GetCall): void {
    if (call.tx !== undefined && this.#isLost(call.tx)) throw lost();
    const open = this.#transaction?.client === client ? this.#transaction.number : undefined;
    check(this.#core, call, open);
  }

  /** Runs a call to its end, in slices. */
  async #run(client: number, call: StepsCall, signal: Signal | undefined): Promise<Uint8Array[]> {
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
    return this.#alone(client, call.wait, signal, () => this.#steps(call, signal));
  }

  /** Does something while nobody else writes. */
  async #alone<T>(client: number, wait: number | undefined, signal: Signal | undefined, action: () => T | Promise<T>): Promise<T> {
    await this.#writers.acquire(wait ?? WAIT, signal);
    try {
      return await action();
    } finally {
      this.#writers.release();
      this.#committed(client);
    }
  }

  async #steps(call: StepsCall, signal: Signal | undefined): Promise<Uint8Array[]> {
    const core = this.#core;
    const run = core.start(call, pointOf(core, call));
    const buffers: Uint8Array[] = [];
    let failed = true;
    try {
      let progress: Progress;
      do {
        progress = await slice(core, run, BUFFER_BYTES, signal);
        buffers.push(core.take(run).slice());
      } while (progress !== Progress.End);
      failed = false;
      return buffers;
    } finally {
      core.end(run);
      settle(core, call, failed);
    }
  }

  async #begin(client: number, call: { meta?: Uint8Array; wait?: number; asked?: Asked }, signal: Signal | undefined): Promise<number> {
    await this.#writers.acquire(call.wait ?? WAIT, signal);
    try {
      this.#core.begin(call.meta, call.asked);
    } catch (error) {
      this.#writers.release();
      throw error;
    }
    this.#transaction = { number: ++this.#numbers, client, active: new Set() };
    return this.#transaction.number;
  }

  async #end(client: number, number: number, commit: boolean, asked?: Asked): Promise<Answer> {
    const transaction = this.#transaction;
    const isOpen = (): boolean => transaction?.number === number && transaction.client === client && this.#transaction === transaction;
    // While one is waited for another may begin.
    while (isOpen() && transaction!.active.size > 0) await Promise.allSettled(transaction!.active);
    if (!isOpen()) {
      // It may have been committed before its answer was lost.
      const answer = asked?.again === true ? this.#core.answered(asked)?.slice() : undefined;
      if (answer !== undefined) return answer;
      throw this.#isLost(number) ? lost() : fail('closed', 'the transaction is over');
    }
    try {
      if (commit) return this.#core.commit().slice();
      this.#core.rollback();
      return null;
    } finally {
      this.#transaction = undefined;
      this.#writers.release();
      if (commit) this.#committed(client);
    }
  }

  /** Tells the feeds that a client may have committed something. */
  #committed(client: number): void {
    if (this.#feeds.size === 0 || this.#core.crashed) return;
    const watches = new Set(this.#core.touched());
    for (const feed of this.#feeds.values()) feed.touch?.(watches, client);
  }

  #feed(feed: Feed): number {
    this.#feeds.set(++this.#numbers, feed);
    return this.#numbers;
  }

  async #more(number: number, signal: Signal | undefined): Promise<Piece> {
    const feed = this.#feeds.get(number);
    if (feed === undefined) throw this.#isLost(number) ? lost() : fail('closed', 'the stream is over');
    try {
      const piece = await feed.next(signal);
      if (piece.end) this.#cancel(number);
      return piece;
    } catch (error) {
      this.#cancel(number);
      throw error;
    }
  }

  #cancel(number: number): void {
    const feed = this.#feeds.get(number);
    if (this.#feeds.delete(number)) feed!.end();
  }

  async #beginImport(client: number, wait: number, signal: Signal | undefined): Promise<number> {
    await this.#writers.acquire(wait, signal);
    try {
      this.#core.beginImport();
    } catch (error) {
      this.#writers.release();
      throw error;
    }
    this.#breakOff();
    this.#import = { number: ++this.#numbers, client };
    return this.#numbers;
  }

  /** Does something of an import, whose end it is if that fails. */
  #importing(client: number, number: number, action: () => Uint8Array | void): Answer {
    if (this.#import?.number !== number || this.#import.client !== client) throw this.#isLost(number) ? lost() : fail('closed', 'the import is over');
    try {
      const answer = action();
      return answer instanceof Uint8Array ? answer.slice() : null;
    } catch (error) {
      this.#import = undefined;
      this.#writers.release();
      throw error;
    }
  }

  #endImport(client: number, number: number, whole: boolean): Answer {
    const answer = this.#importing(client, number, () => (whole ? this.#core.finishImport() : this.#core.cancelImport()));
    this.#import = undefined;
    this.#writers.release();
    return answer;
  }

  /** While a file comes in there is nothing that could be asked: whoever comes waits for its end. */
  async #imported(call: Call, signal: Signal | undefined): Promise<void> {
    if (call.op.startsWith('import') || call.op === 'more' || call.op === 'cancel') return;
    const wait = call.op === 'live' || call.op === 'changes' ? LONG : 'wait' in call ? call.wait : undefined;
    await this.#writers.acquire(wait ?? WAIT, signal);
    this.#writers.release();
  }

  /** A client has gone: its transaction and its import are taken back, its feeds end. What it had under way was aborted. */
  leave(client: number): void {
    if (this.#import?.client === client) this.#endImport(client, this.#import.number, false);
    for (const [number, feed] of this.#feeds) if (feed.client === client) this.#cancel(number);
    const transaction = this.#transaction;
    if (transaction?.client !== client) return;
    this.#transaction = undefined;
    this.#core.rollback();
    this.#writers.release();
  }

  /** Ends what was open in the engine, which has it no more. */
  #breakOff(): void {
    this.#lost = this.#numbers;
    for (const feed of this.#feeds.values()) feed.fail?.(lost());
    this.#feeds.clear();
  }

  /** The engine has stopped: a new one takes its place, from storage. */
  #reopen(): Promise<void> {
    if (this.#home.storage === 'memory') {
      throw fail('crashed', 'the engine has stopped, and with it the database in memory', 'open it anew: it is empty');
    }
    this.#reopening ??= (async () => {
      try {
        this.#home.dispose?.();
        this.#home = await this.#opener(this.#place);
        this.#breakOff();
        // As it is by now: its client may have left meanwhile, and given the right back.
        if (this.#transaction !== undefined) {
          this.#transaction = undefined;
          this.#writers.release();
        }
        if (this.#import !== undefined) {
          this.#import = undefined;
          this.#writers.release();
        }
      } finally {
        this.#reopening = undefined;
      }
    })();
    return this.#reopening;
  }

  /** Does upkeep when nothing was asked for some time. A timer of its own for each call would cost more than a short call. */
  #upkeepLater(): void {
    if (this.#closed) return;
    this.#asked = false;
    this.#idle = setTimeout(() => {
      this.#idle = undefined;
      if (this.#asked || this.#under > 0) this.#upkeepLater();
      else this.#upkeep();
    }, IDLE_MS);
    (this.#idle as { unref?(): void }).unref?.();
  }

  #upkeep(): void {
    this.#idle = undefined;
    if (this.#closed || this.#core.crashed || this.#writers.busy || this.#under > 0 || this.#home.isFull?.() === true) return;
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
    const closed = fail('closed', 'the database is closed');
    for (const feed of this.#feeds.values()) feed.fail?.(closed);
    this.#writers.fail(closed);
    try {
      this.#core.cancelImport();
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
  return fail('crashed', 'the engine stopped, or its tab did, and another has taken over: what was open was taken back', 'do it again');
}

function numberBytes(number: number): Uint8Array {
  return new Uint8Array(new Float64Array([number]).buffer);
}
