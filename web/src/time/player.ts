// Moving the moment by itself: playing the history, and the sweep that a first visit begins with.

import { Signal } from '../base/signal';

/** A whole history plays in so many milliseconds. */
const FULL_MS = 14_000;

/** Moves a place from 0 to 1. */
export class Player {
  readonly playing = new Signal(false);
  #frame = 0;

  /** Plays from a place to the end. */
  play(from: number, to: (place: number) => void): void {
    this.sweep(from >= 0.999 ? 0 : from, 1, FULL_MS * (1 - (from >= 0.999 ? 0 : from)), (t) => t, to);
  }

  /** Moves from one place to another in so many milliseconds; resolves whether it came to its end. */
  sweep(from: number, end: number, ms: number, ease: (t: number) => number, to: (place: number) => void): Promise<boolean> {
    this.stop();
    this.playing.value = true;
    const started = performance.now();
    return new Promise((resolve) => {
      const stopped = this.playing.watch(() => {
        stopped();
        resolve(false);
      });
      const tick = (): void => {
        const t = Math.min(1, (performance.now() - started) / Math.max(1, ms));
        to(from + (end - from) * ease(t));
        if (t < 1) {
          this.#frame = requestAnimationFrame(tick);
          return;
        }
        stopped();
        this.playing.value = false;
        resolve(true);
      };
      this.#frame = requestAnimationFrame(tick);
    });
  }

  /** Stops where it is. */
  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.playing.value = false;
  }
}

/** Slow at both ends. */
export function gently(t: number): number {
  return t < 0.5 ? 4 * t ** 3 : 1 - (-2 * t + 2) ** 3 / 2;
}
