// What tables there are and what their rows look like, for the sidebar and for completion.

import type { Database, TableStats } from 'driftdb';
import { quoteName } from '../language/words';

/** A member that rows of a table have. */
export interface Field {
  readonly name: string;
  /** The types that were seen, as a word: `text`, `number`, `text or null`. */
  readonly type: string;
}

/** A table. */
export interface TableInfo {
  readonly name: string;
  readonly key: string;
  readonly indexes: readonly string[];
  readonly events: number;
  readonly lastSeq: number;
  readonly horizon: number;
  readonly fields: readonly Field[];
}

/** All tables, by name. */
export type Catalogue = readonly TableInfo[];

/** So many rows are looked at for the fields of a table. */
const SAMPLE = 40;

/** Reads the catalogue. Of tables that have not changed since `known` the fields are taken from there. */
export async function readCatalogue(db: Database, stats: readonly TableStats[], known: Catalogue): Promise<Catalogue> {
  return Promise.all(stats.map(async (one) => {
    const before = known.find((table) => table.name === one.table && table.lastSeq === (one.last_seq ?? 0));
    return {
      name: one.table,
      key: one.primary_key,
      indexes: one.indexes,
      events: one.events,
      lastSeq: one.last_seq ?? 0,
      horizon: one.horizon_seq ?? 0,
      fields: before?.fields ?? (await fieldsOf(db, one.table)),
    };
  }));
}

async function fieldsOf(db: Database, table: string): Promise<Field[]> {
  const { rows } = await db.query(`SELECT * FROM ${quoteName(table)} LIMIT ${SAMPLE}`);
  const types = new Map<string, Set<string>>();
  for (const row of rows) collect(row, '', types);
  return [...types].map(([name, seen]) => ({ name, type: [...seen].sort().join(' or ') }));
}

function collect(row: Record<string, unknown>, prefix: string, types: Map<string, Set<string>>): void {
  for (const [member, value] of Object.entries(row)) {
    const path = prefix + quoteName(member);
    const type = typeName(value);
    types.set(path, (types.get(path) ?? new Set()).add(type));
    if (type === 'object' && prefix === '') collect(value as Record<string, unknown>, `${path}.`, types);
  }
}

/** The type of a value, as people say it. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'bigint') return 'number';
  return typeof value;
}
