// Values as they are shown in cells.

import { typeName } from '../engine/catalogue';

/** How a value is shown. */
export interface Look {
  readonly text: string;
  readonly type: string;
  readonly nested: boolean;
}

/** A value as it is shown in a cell. */
export function look(value: unknown, missing = false): Look {
  const type = typeName(value);
  if (missing || value === undefined) return { text: '', type: 'missing', nested: false };
  if (type === 'object' || type === 'array') return { text: preview(value), type, nested: true };
  return { text: value === null ? 'null' : String(value), type, nested: false };
}

/** Nested values in one line, cut where it gets long. */
function preview(value: unknown): string {
  const text = json(value);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}

/** JSON, with big integers as they are. */
export function json(value: unknown, indent?: number): string {
  const big: string[] = [];
  const text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `\u0001${big.push(String(inner)) - 1}\u0001` : inner), indent) ?? '';
  return big.length === 0 ? text : text.replaceAll(/"\\u0001(\d+)\\u0001"/g, (_, at: string) => big[Number(at)]!);
}

/** The place of a value in the order of values: null, booleans, numbers, strings, arrays, objects. */
function rank(value: unknown): number {
  return ['null', 'boolean', 'number', 'text', 'array', 'object'].indexOf(typeName(value));
}

/** The order in which a column is sorted. */
export function compare(a: unknown, b: unknown): number {
  const ranks = rank(a) - rank(b);
  if (ranks !== 0) return ranks;
  if (typeof a === 'object' || typeof b === 'object') {
    const [one, other] = [json(a), json(b)];
    return one < other ? -1 : one > other ? 1 : 0;
  }
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}
