// The scripts that were run, the latest first.

import { keep, recall } from '../base/storage';

/** A run. */
export interface Run {
  readonly script: string;
  readonly database: string;
  /** Unix milliseconds. */
  readonly time: number;
  readonly took: number;
  readonly ok: boolean;
}

const KEPT = 100;

/** All runs that are kept, the latest first. */
export function runs(): readonly Run[] {
  return recall<readonly Run[]>('runs', []);
}

/** Keeps a run; the same script run again moves up. */
export function remember(run: Run): void {
  if (run.script.trim() === '') return;
  keep('runs', [run, ...runs().filter((one) => one.script !== run.script || one.database !== run.database)].slice(0, KEPT));
}
