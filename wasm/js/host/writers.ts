// Who may write: one at a time, the others in the order in which they came, up to a time.

import { fail } from '../errors.js';
import type { Signal } from './stop.js';

/** As long as it takes: what a timer takes at most. */
export const LONG = 2 ** 31 - 1;

interface Waiter {
  admit(): void;
  refuse(error: Error): void;
}

/** The right to write. */
export class Writers {
  #held = false;
  readonly #queue: Waiter[] = [];
  #ended: Error | undefined;

  /** Whether somebody writes. */
  get busy(): boolean {
    return this.#held;
  }

  /** Waits for the right. An aborted signal ends the wait with its reason. */
  async acquire(wait: number, signal: Signal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#ended !== undefined) throw this.#ended;
    if (!this.#held) {
      this.#held = true;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        const at = this.#queue.indexOf(waiter);
        if (at >= 0) this.#queue.splice(at, 1);
      };
      const waiter: Waiter = {
        admit: () => {
          done();
          resolve();
        },
        refuse: (error) => {
          done();
          reject(error);
        },
      };
      const aborted = (): void => waiter.refuse(signal!.reason as Error);
      const timer = setTimeout(() => {
        waiter.refuse(fail('busy', `another transaction has been open for ${wait} ms`, 'try again, or set a longer busyTimeout'));
      }, wait);
      signal?.addEventListener('abort', aborted);
      this.#queue.push(waiter);
    });
  }

  /** Gives the right to the next. */
  release(): void {
    const next = this.#queue[0];
    if (next === undefined) this.#held = false;
    else next.admit();
  }

  /** Nobody may write any more: who waits, waits in vain. */
  fail(error: Error): void {
    this.#ended = error;
    for (const waiter of [...this.#queue]) waiter.refuse(error);
  }
}
