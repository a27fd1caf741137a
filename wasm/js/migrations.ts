// Migrations: what an application has made of its database, step by step, each step once.

import type { Document } from './calls.js';
import { fail } from './errors.js';

/** Where it is recorded which have run. */
export const TABLE = 'driftdb_migrations';
/** Makes that table. */
export const CREATE = `CREATE TABLE IF NOT EXISTS ${TABLE} (pk=number)`;

/** How many have run, given the last record. */
export const COUNT = `SELECT MAX(number) AS last FROM ${TABLE}`;

/** Checks the list against how many have run: how many are left out. */
export function checkMigrations(list: readonly unknown[], last: unknown): number {
  const done = typeof last === 'number' || typeof last === 'bigint' ? Number(last) : 0;
  for (const [i, migration] of list.entries()) {
    if (typeof migration !== 'string' && typeof migration !== 'function') throw fail('invalid_value', `migrations[${i}] is neither a script nor a function`);
  }
  if (done > list.length) {
    throw fail('newer_format', `the database has had ${done} migrations, of which this program knows ${list.length}`, 'a newer version of the program has used it: reload, or update');
  }
  return done;
}

/** What is recorded of one. */
export function record(number: number, migration: string | { name: string }): Document {
  return typeof migration === 'string' ? { number, script: migration } : { number, function: migration.name };
}
