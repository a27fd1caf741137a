// Migrations of a database that is opened: those that have not run yet, one after another.

import { CREATE, COUNT, TABLE, checkMigrations, record } from '../migrations.js';
import type { Database } from './database.js';
import type { Transaction } from '../handles/reader.js';

/** A step of an application's database: a script, or what writes through a transaction. It runs once, and whole or not at all. */
export type Migration = string | ((tx: Transaction) => Promise<unknown> | unknown);

/** Runs the migrations that have not run. Others may do the same at the same time: each runs once. */
export async function migrate(db: Database, list: readonly Migration[]): Promise<void> {
  if (list.length === 0) return;
  await db.exec(CREATE);
  const last = async (): Promise<unknown> => (await db.query<{ last: unknown }>(COUNT)).at(0)?.last;
  const done = checkMigrations(list, await last());
  for (let number = done + 1; number <= list.length; number++) {
    const migration = list[number - 1]!;
    const why = { why: `migration ${number}` };
    if (typeof migration === 'string') {
      try {
        await db.migrate(record(number, migration), migration, why);
      } catch (error) {
        // Another tab may have been faster.
        if ((await db.table(TABLE).get(number)) === undefined) throw error;
      }
    } else {
      await db.transaction(async (tx) => {
        if ((await tx.table(TABLE).get(number)) !== undefined) return;
        await tx.table(TABLE).insert(record(number, migration));
        await migration(tx);
      }, why);
    }
  }
}
