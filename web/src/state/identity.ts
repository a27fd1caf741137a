// Which row of one answer is which row of another, and which row of a table it is.

import type { Key } from 'driftdb';
import type { TableInfo } from '../engine/catalogue';
import type { Statement } from '../language/statement';

export type Row = Record<string, unknown>;

/** How rows of an answer are told apart. */
export interface Identity {
  /** The same for the same row in every answer of the statement; by place where nothing better is known. */
  id(row: Row, index: number): string;
  /** Its key, if it is one row of one table. */
  key(row: Row): Key | undefined;
  /** The member of the document that a column shows, if it is that alone. */
  path(column: string): string | undefined;
}

const byPlace = (_: Row, index: number): string => String(index);

/** How the rows of a statement are told apart. */
export function identityOf(statement: Statement, table: TableInfo | undefined): Identity {
  const none = { key: (): undefined => undefined, path: (): undefined => undefined };
  if (statement.act === 'drift') return { ...none, id: (row, at) => String(row['seq'] ?? at) };
  if (statement.act !== 'select') return { ...none, id: byPlace };
  const star = statement.columns.length === 1 && statement.columns[0]!.name === '*';
  if (statement.grouped || statement.columns.some((column) => column.aggregate)) {
    const names = statement.columns.filter((column) => !column.aggregate).map((column) => column.name);
    return { ...none, id: (row) => JSON.stringify(names.map((name) => text(row[name]))) };
  }
  const column = table === undefined ? undefined : star ? table.key : statement.columns.find((one) => one.path === table.key)?.name;
  if (column === undefined) return { ...none, id: byPlace };
  return {
    id: (row) => text(row[column]),
    key: (row) => keyOf(row[column]),
    path: (name) => (star ? name : statement.columns.find((one) => one.name === name)?.path),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? `"${value}` : String(value);
}

function keyOf(value: unknown): Key | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
}
