// The end of one call that comes from outside. An AbortController for each call would cost as much as all else that a short call does in this thread.

import { fail } from '../errors.js';

/** What tells that nobody waits any more: an AbortSignal, or a Stop. */
export type Signal = Pick<AbortSignal, 'aborted' | 'reason' | 'throwIfAborted'> & {
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
};

/** A call that can be ended. */
export class Stop implements Signal {
  aborted = false;
  #listeners: (() => void)[] = [];

  get reason(): Error {
    return fail('closed', 'nobody waits for the answer');
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    for (const listener of this.#listeners.splice(0)) listener();
  }
}
