// Arguments made into calls: what the synchronous and the asynchronous handles have in common.

import { fail } from './errors.js';
import { type Point, pointText } from './point.js';
import type { GetCall, ScriptCall, TableCall } from './protocol.js';
import { type Params, type Value, encodeAll, encodeOne, encodeParams } from './wire/encode.js';

/** A document, a patch. */
export type Document = { readonly [member: string]: Value | undefined };
/** The key of a row. */
export type Key = string | number | bigint;

/** Who writes and why; kept with every event and shown in its history. */
export interface Metadata {
  by?: string;
  why?: string;
  /** More members, of any kind. */
  meta?: Document;
}

/** What a handle adds to its calls: the transaction it belongs to, the point at which it reads. */
export interface Scope {
  readonly tx?: number;
  readonly at?: string;
}

/** Metadata, encoded. */
export function metadata(options: Metadata | undefined): { meta?: Uint8Array } {
  if (options === undefined) return {};
  const { by, why, meta } = options;
  if (by === undefined && why === undefined && meta === undefined) return {};
  return { meta: encodeOne({ by, why, ...meta }, 'options') };
}

/** A script. */
export function scriptCall(scope: Scope, text: string, params?: Params, options?: Metadata): ScriptCall {
  if (typeof text !== 'string') throw fail('invalid_value', 'the script must be a string', 'db.sql`..` takes a template, db.query a string');
  return { op: 'script', text, ...encodeParams(params), ...scope, ...metadata(options) };
}

/** A template's text, with a parameter for each of its values. */
export function templateCall(scope: Scope, parts: TemplateStringsArray, values: readonly Value[]): ScriptCall {
  return scriptCall(scope, parts.join('?'), values);
}

/** An operation on a table. */
export function tableCall(scope: Scope, what: TableCall['what'], table: string, values: readonly unknown[], options?: Metadata): TableCall {
  return { op: 'table', what, table, values: encodeAll(values, what), ...scope, ...metadata(options) };
}

/** One document or several. */
export function documents(given: Document | readonly Document[]): readonly Document[] {
  return Array.isArray(given) ? given : [given as Document];
}

/** The row of a key. */
export function getCall(scope: Scope, table: string, key: Key): GetCall {
  return { op: 'get', table, key: encodeOne(key, 'key'), ...scope };
}

/** The scope of a handle at a point. */
export function scopeAt(point: Point): Scope {
  return { at: pointText(point) };
}

/** A difference between two points. */
export function diffCall(scope: Scope, table: string, from: Point, to: Point, key?: Key): TableCall {
  const values = [pointText(from), pointText(to), ...(key === undefined ? [] : [key])];
  return tableCall(scope, 'diff', table, values);
}
