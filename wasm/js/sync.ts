// The synchronous API: the engine in the caller's own thread. For workers, and for Node, Deno and Bun.

import type { DiffRow, HistoryRow, Imported, OpenOptions, Stats, Timeline, TimelineOptions, Verification } from './api.js';
import { type Document, type Key, type Metadata, type Scope } from './calls.js';
import { diffCall, documents, getCall, metadata, scopeAt, scriptCall, tableCall, templateCall } from './calls.js';
import { fail } from './errors.js';
import { type Core, Progress } from './host/core.js';
import { check, pointOf, settle } from './host/rules.js';
import { COUNT, CREATE, TABLE, checkMigrations, record } from './migrations.js';
import { readOptions } from './options.js';
import { loadModuleSync } from './platform/module.js';
import { open as openAny, openSync as openCore } from './platform/open.js';
import { type Point, pointText } from './point.js';
import { timelineCall, timelineOf } from './timeline.js';
import { EXPORT_BYTES, split } from './transfer.js';
import type { GetCall, Storage, StepsCall } from './protocol.js';
import { QueryResult, type Written, written } from './wire/answer.js';
import { Batch, type Integers } from './wire/decode.js';
import type { Params, Value } from './wire/encode.js';

export type * from './api.js';
export type { Document, Key, Metadata } from './calls.js';
export { DriftError, type ErrorCode, type Position } from './errors.js';
export type { Point } from './point.js';
export { QueryResult, type Written } from './wire/answer.js';
export type { Params, Value } from './wire/encode.js';

const ANSWER_BYTES = 4 << 20;
const STREAM_BYTES = 64 << 10;
const STEPS = 1 << 30;

/** The engine and what is open in it. */
class Local {
  readonly core: Core;
  readonly integers: Integers;
  /** The transaction whose callback runs. */
  open: number | undefined;
  #transactions = 0;

  constructor(core: Core, integers: Integers) {
    this.core = core;
    this.integers = integers;
  }

  #start(call: StepsCall): number {
    check(this.core, call, this.open);
    if (call.tx === undefined && this.open !== undefined && this.core.writes(call)) {
      throw fail('transaction', 'a transaction is open: inside its callback write with tx', 'use tx.exec instead of db.exec');
    }
    return this.core.start(call, pointOf(this.core, call));
  }

  /** Runs a call to its end. */
  run(call: StepsCall): Batch[] {
    const run = this.#start(call);
    const batches: Batch[] = [];
    let failed = true;
    try {
      let progress: Progress;
      do {
        progress = this.core.step(run, STEPS, ANSWER_BYTES);
        batches.push(new Batch(this.core.take(run), this.integers, true));
      } while (progress !== Progress.End);
      failed = false;
      return batches;
    } finally {
      this.core.end(run);
      settle(this.core, call, failed);
    }
  }

  /** Runs a call piece by piece. */
  *stream<Row>(call: StepsCall): Generator<Row, void, undefined> {
    if (this.core.writes(call)) throw fail('unsupported', 'only what reads can be streamed', 'use exec');
    for (const bytes of this.buffers(call, STREAM_BYTES)) yield* new QueryResult<Row>([new Batch(bytes, this.integers, true)]);
  }

  /** The buffers of an answer, each in the engine's memory until the next call. */
  *buffers(call: StepsCall, size: number): Generator<Uint8Array, void, undefined> {
    const run = this.#start(call);
    try {
      let progress: Progress;
      do {
        progress = this.core.step(run, STEPS, size);
        yield this.core.take(run);
      } while (progress !== Progress.End);
    } finally {
      this.core.end(run);
    }
  }

  get<Row>(call: GetCall): Row | undefined {
    check(this.core, call, this.open);
    const batch = new Batch(this.core.get(call, pointOf(this.core, call)), this.integers, false);
    return batch.length === 0 ? undefined : (batch.row(0) as Row);
  }

  transaction<T>(action: (tx: SyncTransaction) => T, options: Metadata | undefined): T {
    if (this.open !== undefined) throw fail('transaction', 'a transaction is open already', 'use its tx');
    const { meta } = metadata(options);
    this.core.begin(meta);
    this.open = ++this.#transactions;
    try {
      const result = action(new SyncTransaction(this, { tx: this.open }));
      if (typeof (result as PromiseLike<unknown> | null)?.then === 'function') {
        throw fail('transaction', 'the callback of a synchronous transaction cannot be async', "use open from 'driftdb'");
      }
      this.core.commit();
      return result;
    } catch (error) {
      this.core.rollback();
      throw error;
    } finally {
      this.open = undefined;
    }
  }
}

/** What reads: the database, a moment of its past, a transaction. */
export class SyncReader {
  /** @internal */
  protected readonly local: Local;
  /** @internal */
  protected readonly scope: Scope;

  /** @internal */
  constructor(local: Local, scope: Scope) {
    this.local = local;
    this.scope = scope;
  }

  /** Runs a script; the answer is its last statement's. */
  query<Row = Record<string, unknown>>(text: string, params?: Params): QueryResult<Row> {
    return new QueryResult<Row>(this.local.run(scriptCall(this.scope, text, params)));
  }

  /** The same from a template, whose values are always bound. */
  sql<Row = Record<string, unknown>>(parts: TemplateStringsArray, ...values: Value[]): QueryResult<Row> {
    return new QueryResult<Row>(this.local.run(templateCall(this.scope, parts, values)));
  }

  /** Rows one after another, in bounded memory. */
  stream<Row = Record<string, unknown>>(text: string, params?: Params): Generator<Row, void, undefined> {
    return this.local.stream<Row>(scriptCall(this.scope, text, params));
  }

  /** A table's everyday. */
  table<Row extends object = Record<string, unknown>>(name: string): SyncTable<Row> {
    return new SyncTable<Row>(this.local, this.scope, name);
  }
}

/** What writes, too. */
export class SyncWriter extends SyncReader {
  /** Runs a script; how many events it wrote. */
  exec(text: string, params?: Params, options?: Metadata): Written {
    return written(this.local.run(scriptCall(this.scope, text, params, options)));
  }

  /** A script that is run time and again. */
  prepare<Row = Record<string, unknown>>(text: string): SyncPrepared<Row> {
    return new SyncPrepared<Row>(this, text);
  }
}

/** A transaction, inside its callback. */
export class SyncTransaction extends SyncWriter {}

/** A script that is run time and again. */
export class SyncPrepared<Row = Record<string, unknown>> {
  /** Its text. */
  readonly text: string;
  readonly #handle: SyncWriter;

  /** @internal */
  constructor(handle: SyncWriter, text: string) {
    this.#handle = handle;
    this.text = text;
  }

  query(params?: Params): QueryResult<Row> {
    return this.#handle.query<Row>(this.text, params);
  }

  exec(params?: Params, options?: Metadata): Written {
    return this.#handle.exec(this.text, params, options);
  }

  stream(params?: Params): Generator<Row, void, undefined> {
    return this.#handle.stream<Row>(this.text, params);
  }
}

/** A table. */
export class SyncTable<Row extends object = Record<string, unknown>> {
  /** Its name. */
  readonly name: string;
  readonly #local: Local;
  readonly #scope: Scope;

  /** @internal */
  constructor(local: Local, scope: Scope, name: string) {
    this.#local = local;
    this.#scope = scope;
    this.name = name;
  }

  /** The row of a key; undefined if there is none. */
  get(key: Key, options?: { asOf?: Point }): Row | undefined {
    const scope = options?.asOf === undefined ? this.#scope : { ...this.#scope, ...scopeAt(options.asOf) };
    return this.#local.get<Row>(getCall(scope, this.name, key));
  }

  #write(call: StepsCall): Written {
    return written(this.#local.run(call));
  }

  /** Adds a row or several, as one transaction. */
  insert(rows: Row | readonly Row[], options?: Metadata): Written {
    return this.#write(tableCall(this.#scope, 'insert', this.name, documents(rows as Document), options));
  }

  /** Adds rows, or replaces those with their keys. */
  upsert(rows: Row | readonly Row[], options?: Metadata): Written {
    return this.#write(tableCall(this.#scope, 'upsert', this.name, documents(rows as Document), options));
  }

  /** Changes a row by JSON Merge Patch. */
  patch(key: Key, patch: Document, options?: Metadata): Written {
    return this.#write(tableCall(this.#scope, 'patch', this.name, [key, patch], options));
  }

  /** Deletes a row; its history stays. */
  delete(key: Key, options?: Metadata): Written {
    return this.#write(tableCall(this.#scope, 'delete', this.name, [key], options));
  }

  /** Makes a row what it was at a point. */
  restore(key: Key, point: Point, options?: Metadata): Written {
    return this.#write(tableCall(this.#scope, 'restore', this.name, [key, pointText(point)], options));
  }

  /** What happened to a row, the oldest first. */
  history(key: Key): HistoryRow<Row>[] {
    return new QueryResult<HistoryRow<Row>>(this.#local.run(tableCall(this.#scope, 'history', this.name, [key]))).rows;
  }

  /** The rows that differ between two points. */
  diff(from: Point, to: Point, key?: Key): DiffRow[] {
    return new QueryResult<DiffRow>(this.#local.run(diffCall(this.#scope, this.name, from, to, key))).rows;
  }

  /** The table at a moment of the past, for reading. */
  asOf(point: Point): SyncTable<Row> {
    return new SyncTable<Row>(this.#local, scopeAt(point), this.name);
  }
}

/** An open database, in this thread. */
export class SyncDatabase extends SyncWriter {
  /** Where it is kept. */
  readonly storage: Storage;
  #closed = false;

  /** @internal */
  constructor(local: Local, storage: Storage) {
    super(local, {});
    this.storage = storage;
  }

  /** Runs a callback whose writes through `tx` are committed together when it returns, and taken back if it throws. */
  transaction<T>(action: (tx: SyncTransaction) => T, options?: Metadata): T {
    return this.local.transaction(action, options);
  }

  /** The database at a moment of the past, for reading. */
  asOf(point: Point): SyncReader {
    return new SyncReader(this.local, scopeAt(point));
  }

  /** The rows that differ between two points, of all tables. */
  diff(from: Point, to: Point): ({ table: string } & DiffRow)[] {
    const names = this.query<{ table: string }>('SHOW TABLES').rows;
    return names.flatMap(({ table }) => this.table(table).diff(from, to).map((row) => ({ table, ...row })));
  }

  /** The whole database as it is now as a file that `driftdb restore` and `db.import` take, in chunks. What is written meanwhile is not in it. */
  *export(): Generator<Uint8Array, void, undefined> {
    for (const bytes of this.local.buffers({ op: 'export' }, EXPORT_BYTES)) if (bytes.length > 0) yield bytes.slice();
  }

  /** Takes the history of such a file into this database, which has to be empty. If that fails it is empty again. */
  import(source: Uint8Array | Iterable<Uint8Array>): Imported {
    const { core } = this.local;
    core.beginImport();
    try {
      for (const chunk of source instanceof Uint8Array ? [source] : source) for (const bytes of split(chunk)) core.pushImport(bytes);
      const { seq, time } = new Batch(core.finishImport(), 'number', false);
      return { seq, time };
    } catch (error) {
      core.cancelImport();
      throw error;
    }
  }

  /** How many events each table has in equal stretches of the history, without a scan. */
  timeline(options?: TimelineOptions): Timeline {
    const { byTime, buckets } = timelineCall(options);
    return timelineOf(this.local.core.timeline(byTime, buckets));
  }

  /** Checks every event and every file. */
  verify(): Verification {
    const batches = this.local.run({ op: 'verify' });
    const findings = new QueryResult<Verification['findings'][number]>(batches).rows;
    return { ok: findings.length === 0, events: batches[batches.length - 1]!.events, findings };
  }

  /** What is known without reading rows. */
  stats(): Stats {
    const row = new Batch(this.local.core.stats(), 'number', false).row(0) as Omit<Stats, 'memoryBytes'>;
    return { ...row, memoryBytes: this.local.core.memoryBytes };
  }

  /** The whole history as event lines; refused once they are longer than `maxBytes`, by default 64 MiB. */
  dump(options?: { maxBytes?: number }): string {
    return this.local.core.dump(options?.maxBytes ?? 64 << 20);
  }

  /** Takes event lines, each transaction with its own time, who and why. What was committed before an error stays. */
  load(lines: string): Written {
    return written([new Batch(this.local.core.load(lines), 'number', false)]);
  }

  /** Puts all commits on stable storage, where durability is 'batch'. */
  flush(): void {
    this.local.core.flush();
  }

  /** Does some upkeep that is due; whether some is left. For idle time. */
  maintain(steps = 16): boolean {
    return this.local.core.maintain(steps);
  }

  /** Closes the database. */
  close(): void {
    if (this.#closed) return;
    if (this.local.open !== undefined) throw fail('transaction', 'a transaction is open', 'close after its callback has ended');
    this.#closed = true;
    this.local.core.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** What `open` takes here. */
export interface SyncOptions extends OpenOptions {
  /** The steps of this application's database: each runs once, those that have not run yet when it is opened. */
  migrations?: readonly SyncMigration[];
}

/** A step of an application's database: a script, or what writes through a transaction. It runs once, and whole or not at all. */
export type SyncMigration = string | ((tx: SyncTransaction) => unknown);

/** Runs the migrations that have not run. */
function migrated(db: SyncDatabase, local: Local, given: string | SyncOptions): SyncDatabase {
  const { migrations, readOnly } = typeof given === 'string' ? {} : given;
  if (migrations === undefined || migrations.length === 0 || readOnly === true) return db;
  try {
    db.exec(CREATE);
    const done = checkMigrations(migrations, db.query<{ last: unknown }>(COUNT).at(0)?.last);
    for (const [i, migration] of migrations.slice(done).entries()) {
      const number = done + i + 1;
      const why = { why: `migration ${number}` };
      if (typeof migration === 'string') local.run(tableCall({}, 'migrate', TABLE, [record(number, migration), migration], why));
      else {
        db.transaction((tx) => {
          tx.table(TABLE).insert(record(number, migration));
          return migration(tx);
        }, why);
      }
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Opens a database in this thread. */
export async function open(given: string | SyncOptions): Promise<SyncDatabase> {
  const { place, settings } = readOptions(given);
  if (place.storage === 'indexeddb') throw fail('unsupported', 'IndexedDB stores nothing synchronously', "use open from 'driftdb'");
  if (place.name !== undefined) place.storage ??= 'opfs';
  const { core, storage } = await openAny(place);
  const local = new Local(core, settings.integers);
  return migrated(new SyncDatabase(local, storage), local, given);
}

/** The same at once, where the module can be loaded so: with a filesystem, or with `wasmModule`. */
export function openSync(given: string | SyncOptions): SyncDatabase {
  const { place, settings } = readOptions(given);
  const { core, storage } = openCore(loadModuleSync(place), place);
  const local = new Local(core, settings.integers);
  return migrated(new SyncDatabase(local, storage), local, given);
}
