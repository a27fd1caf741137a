// The synchronous API: the engine in the caller's own thread. For workers, and for Node, Deno and Bun.

import type { OpenOptions } from './api.js';
import { tableCall } from './calls.js';
import { fail } from './errors.js';
import type { Prepared, Reader, Transaction, Writer } from './handles/reader.js';
import type { Table } from './handles/table.js';
import { COUNT, CREATE, TABLE, checkMigrations, record } from './migrations.js';
import { readOptions } from './options.js';
import { loadModuleSync } from './platform/module.js';
import { open as openAny, openSync as openCore } from './platform/open.js';
import { SyncDatabase } from './sync/database.js';
import { Local } from './sync/local.js';
import { written } from './wire/answer.js';

export type * from './api.js';
export type { Document, Key, Metadata } from './calls.js';
export { DriftError, type ErrorCode, type Position } from './errors.js';
export type { Answer, Options, Series, Unabortable, Way } from './handles/way.js';
export type { Point } from './point.js';
export { SyncDatabase } from './sync/database.js';
export { QueryResult, type Written } from './wire/answer.js';
export type { Params, Value } from './wire/encode.js';

/** What reads: the database, a moment of its past, a transaction. */
export type SyncReader = Reader<'sync'>;
/** What writes, too. */
export type SyncWriter = Writer<'sync'>;
/** A transaction, inside its callback. */
export type SyncTransaction = Transaction<'sync'>;
/** A script that is run time and again. */
export type SyncPrepared<Row = Record<string, unknown>> = Prepared<Row, 'sync'>;
/** A table. */
export type SyncTable<Row extends object = Record<string, unknown>> = Table<Row, 'sync'>;

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
      if (typeof migration === 'string') local.run(() => tableCall({}, 'migrate', TABLE, [record(number, migration), migration], why), written);
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
