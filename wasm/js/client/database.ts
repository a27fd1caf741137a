// An open database.

import type { Commit, DiffRow, ImportSource, Imported, Live, LiveCallback, LiveOptions, Stats, Timeline, TimelineOptions, Verification } from '../api.js';
import { type Document, type Metadata, metadata, scopeAt, tableCall } from '../calls.js';
import { TABLE } from '../migrations.js';
import type { Point } from '../point.js';
import type { Storage } from '../protocol.js';
import { timelineCall } from '../timeline.js';
import { EXPORT_BYTES, streamOf } from '../transfer.js';
import { type Written, written } from '../wire/answer.js';
import type { Params } from '../wire/encode.js';
import { Reader, Transaction, Writer } from '../handles/reader.js';
import type { Abortable } from '../handles/way.js';
import { verification } from '../reports.js';
import { Inside, type Link } from './link.js';
import { startChanges, startLive } from './live.js';
import { enter, leave } from './scope.js';

/** An open database. */
export class Database extends Writer<'async'> {
  readonly #link: Link;
  /** Where it is kept. */
  readonly storage: Storage;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(link: Link, storage: Storage, release: () => Promise<void>) {
    super(link, {});
    this.#link = link;
    this.storage = storage;
    this.#release = release;
  }

  /**
   * Runs a callback whose writes through `tx` are committed together when it returns, and taken back if it throws. Others that write wait
   * meanwhile, up to their busyTimeout; others that read see what is committed.
   */
  async transaction<T>(action: (tx: Transaction) => Promise<T> | T, options?: Metadata & Abortable): Promise<T> {
    this.#link.refuseInside('db.transaction');
    const { channel, settings } = this.#link;
    const signal = options?.signal;
    let number: number;
    try {
      this.#link.check();
      number = await channel.begin({ op: 'begin', ...metadata(options), wait: settings.busyTimeout }, (tx) => ({ op: 'rollback', tx }), signal);
    } catch (error) {
      throw this.#link.named(error);
    }
    const inside = new Inside(this.#link);
    this.#link.open.add(inside);
    try {
      enter(inside);
      const result = await action(new Transaction(inside, { tx: number }));
      signal?.throwIfAborted();
      this.#link.check();
      await channel.call({ op: 'commit', tx: number });
      return result;
    } catch (error) {
      // If this fails too there is nothing to take back any more.
      await channel.call({ op: 'rollback', tx: number }).catch(() => {});
      throw error;
    } finally {
      this.#link.open.delete(inside);
      leave(inside);
    }
  }

  /** @internal A script and the record of it, as one transaction. */
  async migrate(record: Document, script: string, options: Metadata): Promise<void> {
    await this.#link.run(() => tableCall({}, 'migrate', TABLE, [record, script], options), written, undefined);
  }

  /** The database at a moment of the past, for reading. */
  asOf(point: Point): Reader {
    return new Reader(this.#link, scopeAt(point));
  }

  /** The rows that differ between two points, of all tables. */
  async diff(from: Point, to: Point, options?: Abortable): Promise<({ table: string } & DiffRow)[]> {
    const rows: ({ table: string } & DiffRow)[] = [];
    for (const { table } of (await this.query<{ table: string }>('SHOW TABLES', undefined, options)).rows) {
      for (const row of await this.table(table).diff(from, to, options)) rows.push({ table, ...row });
    }
    return rows;
  }

  /**
   * The whole database as it is now as a file that `driftdb restore` and `db.import` take, in chunks. Others read and write meanwhile; what they write is not
   * in it.
   */
  export(options?: Abortable): ReadableStream<Uint8Array> {
    return streamOf(this.#link.buffers({ op: 'export' }, EXPORT_BYTES, options?.signal));
  }

  /** Takes the history of such a file into this database, which has to be empty. If that fails it is empty again. */
  async import(source: ImportSource, options?: Abortable): Promise<Imported> {
    return this.#link.import(source, options?.signal);
  }

  /** How many events each table has in equal stretches of the history, without a scan. */
  async timeline(options?: TimelineOptions & Abortable): Promise<Timeline> {
    return this.#link.timeline(timelineCall(options), options?.signal);
  }

  /**
   * Calls back with the query's answer, and then each time that it has become another one. Commits that follow one another quickly are seen together. After a
   * commit of this page's own the next answer includes it.
   */
  live<Row = Record<string, unknown>>(text: string, callback: LiveCallback<Row>, options?: LiveOptions & Abortable): Live;
  live<Row = Record<string, unknown>>(text: string, params: Params | undefined, callback: LiveCallback<Row>, options?: LiveOptions & Abortable): Live;
  live<Row>(text: string, ...rest: unknown[]): Live {
    if (typeof rest[0] === 'function') rest.unshift(undefined);
    const [params, callback, options] = rest as [Params | undefined, LiveCallback<Row>, (LiveOptions & Abortable) | undefined];
    return startLive<Row>(this.#link, text, params, callback, options);
  }

  /**
   * Commit after commit: those after a seq and then those that come, or only those that come. An error if a compaction has dropped what came after the seq.
   * Nothing gathers for who is slow.
   */
  changes(options?: { since?: number } & Abortable): AsyncGenerator<Commit, void, undefined> {
    return startChanges(this.#link, options?.since, options?.signal);
  }

  /** Checks every event and every file. */
  async verify(options?: Abortable): Promise<Verification> {
    return this.#link.run(() => ({ op: 'verify' }), verification, options);
  }

  /** What is known without reading rows. */
  async stats(options?: Abortable): Promise<Stats> {
    return this.#link.stats(options?.signal);
  }

  /**
   * The whole history as event lines, the form that `driftdb dump` writes; refused with `limit` once they are longer than `maxBytes`, by default
   * 64 MiB.
   */
  async dump(options?: { maxBytes?: number } & Abortable): Promise<string> {
    return this.#link.dump(options?.maxBytes ?? 64 << 20, options?.signal);
  }

  /** Takes event lines, each transaction with its own time, who and why. What was committed before an error stays. */
  async load(lines: string, options?: Abortable): Promise<Written> {
    return this.#link.load(lines, options?.signal);
  }

  /** Puts all commits on stable storage, where durability is 'batch'. */
  async flush(): Promise<void> {
    return this.#link.flush();
  }

  /**
   * Asks the browser to keep the origin's data also when space runs short; whether it will. Where there is a filesystem nothing has to be asked.
   */
  async persist(): Promise<boolean> {
    if (this.storage === 'node') return true;
    if (this.storage === 'memory') return false;
    return (await navigator.storage.persisted()) || (await navigator.storage.persist());
  }

  /** Closes this handle; with the last one of a database, the database. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#link.close();
      await this.#release();
    })();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
