// What a database says of itself, read from its answers.

import type { Imported, Stats, Verification } from './api.js';
import { QueryResult } from './wire/answer.js';
import { Batch } from './wire/decode.js';

/** A verification, whose rows are what it has found. */
export function verification(batches: Batch[]): Verification {
  const findings = new QueryResult<Verification['findings'][number]>(batches).rows;
  return { ok: findings.length === 0, events: batches[batches.length - 1]!.events, findings };
}

/** The statistics, one row, and the size of the engine's memory. */
export function statistics(bytes: Uint8Array, memoryBytes: number): Stats {
  const row = new Batch(bytes, 'number', false).row(0) as Omit<Stats, 'memoryBytes'>;
  return { ...row, memoryBytes };
}

/** What an import ended with. */
export function imported(bytes: Uint8Array): Imported {
  const { seq, time } = new Batch(bytes, 'number', false);
  return { seq, time };
}
