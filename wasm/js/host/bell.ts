// Waiting for something to happen that may have happened already.

import type { Signal } from './stop.js';

/** Rings when something has happened, until it is silenced. */
export class Bell {
  #rung = true;
  #wake: ((error?: Error) => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  silence(): void {
    this.#rung = false;
  }

  /** Ends the wait of who waits. */
  fail(error: Error): void {
    this.#wake?.(error);
  }

  /** Waits until it rings; an aborted signal ends that with its reason. */
  async heard(signal: Signal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#rung) return;
    await new Promise<void>((resolve, reject) => {
      const aborted = (): void => this.#wake?.(signal!.reason as Error);
      this.#wake = (error) => {
        this.#wake = undefined;
        signal?.removeEventListener('abort', aborted);
        if (error === undefined) resolve();
        else reject(error);
      };
      signal?.addEventListener('abort', aborted);
    });
  }
}
