// An open database in the caller's thread.

import type { Commit, DiffRow, Imported, Live, LiveCallback, LiveOptions, Stats, Timeline, TimelineOptions, Verification } from '../api.js';
import { type Metadata, scopeAt } from '../calls.js';
import { Commits, type Told } from '../commits.js';
import { fail } from '../errors.js';
import { Reader, Transaction, Writer } from '../handles/reader.js';
import type { Point } from '../point.js';
import type { Storage } from '../protocol.js';
import { imported, statistics, verification } from '../reports.js';
import { timelineCall, timelineOf } from '../timeline.js';
import { EXPORT_BYTES, split } from '../transfer.js';
import { QueryResult, type Written, written } from '../wire/answer.js';
import { Batch } from '../wire/decode.js';
import type { Params } from '../wire/encode.js';
import type { Local } from './local.js';

/** An open database, in this thread. */
export class SyncDatabase extends Writer<'sync'> {
  readonly #local: Local;
  /** Where it is kept. */
  readonly storage: Storage;
  #closed = false;

  /** @internal */
  constructor(local: Local, storage: Storage) {
    super(local, {});
    this.#local = local;
    this.storage = storage;
  }

  /** Runs a callback whose writes through `tx` are committed together when it returns, and taken back if it throws. */
  transaction<T>(action: (tx: Transaction<'sync'>) => T, options?: Metadata): T {
    return this.#local.transaction((tx) => action(new Transaction(this.#local, { tx })), options);
  }

  /** The database at a moment of the past, for reading. */
  asOf(point: Point): Reader<'sync'> {
    return new Reader<'sync'>(this.#local, scopeAt(point));
  }

  /** The rows that differ between two points, of all tables. */
  diff(from: Point, to: Point): ({ table: string } & DiffRow)[] {
    const names = this.query<{ table: string }>('SHOW TABLES').rows;
    return names.flatMap(({ table }) => this.table(table).diff(from, to).map((row) => ({ table, ...row })));
  }

  /** The whole database as it is now as a file that `driftdb restore` and `db.import` take, in chunks. What is written meanwhile is not in it. */
  *export(): Generator<Uint8Array, void, undefined> {
    for (const bytes of this.#local.buffers({ op: 'export' }, EXPORT_BYTES)) if (bytes.length > 0) yield bytes.slice();
  }

  /** Takes the history of such a file into this database, which has to be empty. If that fails it is empty again. */
  import(source: Uint8Array | Iterable<Uint8Array>): Imported {
    const { core } = this.#local;
    core.beginImport();
    try {
      for (const chunk of source instanceof Uint8Array ? [source] : source) for (const bytes of split(chunk)) core.pushImport(bytes);
      return imported(core.finishImport());
    } catch (error) {
      core.cancelImport();
      throw error;
    } finally {
      if (!core.crashed) this.#local.lives.renew();
    }
  }

  /** How many events each table has in equal stretches of the history, without a scan. */
  timeline(options?: TimelineOptions): Timeline {
    const { byTime, buckets } = timelineCall(options);
    return timelineOf(this.#local.core.timeline(byTime, buckets));
  }

  /**
   * Calls back with the query's answer before it returns, and then before a call returns that has committed what makes it another one: once a call, however much that
   * has committed, and after a transaction once.
   */
  live<Row = Record<string, unknown>>(text: string, callback: LiveCallback<Row>, options?: LiveOptions): Live;
  live<Row = Record<string, unknown>>(text: string, params: Params | undefined, callback: LiveCallback<Row>, options?: LiveOptions): Live;
  live<Row>(text: string, ...rest: unknown[]): Live {
    if (typeof rest[0] === 'function') rest.unshift(undefined);
    const [params, callback, options] = rest as [Params | undefined, LiveCallback<Row>, LiveOptions | undefined];
    return this.#local.lives.start<Row>(text, params, callback, options);
  }

  /**
   * Commit after commit: those after a seq that are there when the first one is asked for. It ends with the last of them; what is committed meanwhile comes after its seq. An
   * error if a compaction has dropped what came after the seq.
   */
  *changes(options: { since: number }): Generator<Commit, void, undefined> {
    const told = new Commits();
    for (const batch of this.#local.events(options.since)) yield* told.take(new QueryResult<Told>([batch]));
  }

  /** Checks every event and every file. */
  verify(): Verification {
    return this.#local.run(() => ({ op: 'verify' }), verification);
  }

  /** What is known without reading rows. */
  stats(): Stats {
    return statistics(this.#local.core.stats(), this.#local.core.memoryBytes);
  }

  /** The whole history as event lines; refused once they are longer than `maxBytes`, by default 64 MiB. */
  dump(options?: { maxBytes?: number }): string {
    return this.#local.core.dump(options?.maxBytes ?? 64 << 20);
  }

  /** Takes event lines, each transaction with its own time, who and why. What was committed before an error stays. */
  load(lines: string): Written {
    try {
      return written([new Batch(this.#local.core.load(lines), 'number', false)]);
    } finally {
      this.#local.lives.committed();
    }
  }

  /** Puts all commits on stable storage, where durability is 'batch'. */
  flush(): void {
    this.#local.core.flush();
  }

  /** Does some upkeep that is due; whether some is left. For idle time. */
  maintain(steps = 16): boolean {
    return this.#local.core.maintain(steps);
  }

  /** Closes the database. */
  close(): void {
    if (this.#closed) return;
    if (this.#local.open !== undefined) throw fail('transaction', 'a transaction is open', 'close after its callback has ended');
    this.#closed = true;
    this.#local.lives.close();
    this.#local.core.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
