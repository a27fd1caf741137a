// A moment of the history, as people and programs say it.

import { fail } from './errors.js';

/** A moment of the history: `"@seq:N"`, an RFC 3339 time or a date; a seq; a Date. */
export type Point = string | { readonly seq: number | bigint } | Date;

/** The point as DriftQL writes it. */
export function pointText(point: Point): string {
  if (typeof point === 'string') return point;
  if (point instanceof Date) {
    if (Number.isNaN(point.getTime())) throw fail('invalid_point', 'the Date is invalid');
    return point.toISOString();
  }
  if (typeof point === 'object' && point !== null && 'seq' in point && /^\d+$/.test(String(point.seq))) return `@seq:${point.seq}`;
  throw fail('invalid_point', 'this is no point in time', 'write "@seq:100", "2026-01-31T12:00:00Z", {seq: 100} or a Date');
}
