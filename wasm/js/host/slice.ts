// Work in slices: a run goes on for some milliseconds, then everybody else has a turn.

import { type Core, Progress } from './core.js';
import type { Signal } from './stop.js';
import { turn } from './turn.js';

/** A slice of work, in milliseconds; between two the message loop turns. */
const SLICE_MS = 8;
/** Rows' worth of work between two looks at the clock. */
const STEPS = 2_000;

/** Goes on with a run until its buffer is full or all is done. The signal's abort ends that between two steps. */
export async function slice(core: Core, run: number, bytes: number, signal: Signal | undefined): Promise<Progress.Full | Progress.End> {
  for (;;) {
    const until = performance.now() + SLICE_MS;
    do {
      signal?.throwIfAborted();
      const progress = core.step(run, STEPS, bytes);
      if (progress !== Progress.More) return progress;
    } while (performance.now() < until);
    await turn();
  }
}
