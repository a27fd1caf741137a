// Files that are dropped or chosen: what they are, and what comes of them.

import type { Database } from 'driftdb';
import { quoteName } from '../language/words';
import { type Row, parseCsv } from './csv';

/** What a file holds. */
export type Content =
  /** A whole database, from the command line or from here; the name may say the moment. */
  | { readonly kind: 'database'; readonly title: string; readonly seq: number | undefined; fill(db: Database): Promise<unknown> }
  /** Rows for a table. */
  | { readonly kind: 'rows'; readonly table: string; readonly rows: readonly Row[] };

/** Rows are written in transactions of so many. */
const BATCH = 2_000;

/** Reads a file by its name and its beginning. */
export async function readFile(file: File): Promise<Content> {
  const title = file.name.replace(/\.[^.]+$/, '').replace(/@seq-\d+$/, '');
  const moment = /@seq-(\d+)\.[^.]+$/.exec(file.name)?.[1];
  const seq = moment === undefined ? undefined : Number(moment);
  if (/\.drift$/i.test(file.name)) return { kind: 'database', title, seq, fill: (db) => db.import(file) };
  const text = await file.text();
  if (/^\s*\{\s*"driftdb"\s*:/.test(text)) return { kind: 'database', title, seq, fill: (db) => db.load(text) };
  return { kind: 'rows', table: tableName(title), rows: rowsOf(file.name, text) };
}

function rowsOf(name: string, text: string): readonly Row[] {
  if (/\.(csv|tsv)$/i.test(name)) return parseCsv(text);
  if (/^\s*\[/.test(text)) return objects(JSON.parse(text));
  if (/\.json$/i.test(name) && !/\}\s*\n\s*\{/.test(text)) return objects([JSON.parse(text)]);
  return objects(text.split('\n').filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as unknown));
}

function objects(values: unknown): readonly Row[] {
  if (!Array.isArray(values) || values.some((value) => typeof value !== 'object' || value === null || Array.isArray(value))) throw new Error('the file has something else than objects in it');
  return values as Row[];
}

/** A table's name made of a file's. */
export function tableName(title: string): string {
  const name = title.toLowerCase().replaceAll(/[^\p{L}\p{N}_]+/gu, '_').replace(/^_+|_+$/g, '').slice(0, 64);
  return /^[\p{L}_]/u.test(name) ? name : `t_${name}`;
}

/** The member that tells rows apart: `id` or the like if it does, else the first that does. */
export function keyOf(rows: readonly Row[]): string | undefined {
  const names = Object.keys(rows[0] ?? {});
  const tells = (name: string): boolean => {
    const seen = new Set(rows.map((row) => row[name]));
    return seen.size === rows.length && rows.every((row) => ['string', 'number', 'bigint'].includes(typeof row[name]) && (typeof row[name] !== 'number' || Number.isSafeInteger(row[name])));
  };
  return [...names.filter((name) => /^(id|key|_id|uuid|sku|code)$/i.test(name)), ...names].find(tells);
}

/** Writes rows into a table, which is made if it is not there; rows without a key of their own are numbered. */
export async function importRows(db: Database, table: string, rows: readonly Row[], file: string): Promise<{ rows: number; key: string }> {
  const there = (await db.stats()).tables.find((one) => one.table === table);
  const key = there?.primary_key ?? keyOf(rows) ?? 'row';
  const keyed = rows.every((row) => key in row) ? rows : rows.map((row, at) => ({ [key]: at + 1, ...row }));
  await db.exec(`CREATE TABLE IF NOT EXISTS ${quoteName(table)} (pk=${quoteName(key)})`.replace(/ IF NOT EXISTS/, there === undefined ? '' : ' IF NOT EXISTS'));
  for (let at = 0; at < keyed.length; at += BATCH) await db.table(table).upsert(keyed.slice(at, at + BATCH), { by: 'import', why: file });
  return { rows: rows.length, key };
}

/** Gives the browser a file to keep. */
export function offer(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The whole database as a `.drift` file; its name says the moment, if one is given. */
export async function offerDatabase(db: Database, title: string, seq?: number): Promise<void> {
  const blob = await new Response(db.export()).blob();
  offer(`${title.replaceAll(/[^\p{L}\p{N}_.-]+/gu, '-')}${seq === undefined ? '' : `@seq-${seq}`}.drift`, blob);
}
