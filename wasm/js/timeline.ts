// A timeline: from options to the call, from the engine's one row to buckets.

import type { Timeline, TimelineOptions } from './api.js';
import { fail } from './errors.js';
import type { TimelineCall } from './protocol.js';
import { Batch } from './wire/decode.js';

/** The call for a timeline. */
export function timelineCall({ buckets = 100, axis = 'seq' }: TimelineOptions = {}): TimelineCall {
  if (axis !== 'seq' && axis !== 'time') throw fail('invalid_value', `axis cannot be ${JSON.stringify(axis)}`, "'seq' or 'time'");
  // Beyond its range the engine refuses it; here, what would not arrive there as it is.
  if (!Number.isInteger(buckets) || buckets < 0 || buckets > 2 ** 31) throw fail('out_of_range', `there cannot be ${String(buckets)} buckets`);
  return { op: 'timeline', byTime: axis === 'time', buckets };
}

/** What the engine answers, as buckets. */
export function timelineOf(bytes: Uint8Array): Timeline {
  const row = new Batch(bytes, 'number', false).row(0) as { start: number; ends: number[]; tables: Record<string, number[]> };
  const tables = Object.entries(row.tables);
  let start = row.start;
  const buckets = row.ends.map((end, i) => {
    const bucket = { start, end, tables: Object.fromEntries(tables.filter(([, counts]) => counts[i]! > 0).map(([name, counts]) => [name, counts[i]!])) };
    start = end;
    return bucket;
  });
  return { from: row.start, to: start, buckets };
}
