// The calls of one client under way: each is answered, and can be aborted.

import { toData } from '../errors.js';
import type { Answer, Call, Reply } from '../protocol.js';
import { type Signal, Stop } from './stop.js';

/** Calls, by the numbers that the client gives them. */
export class Calls {
  readonly #post: (reply: Exclude<Reply, { opened: unknown }>, answer?: Answer) => void;
  readonly #call: (call: Call, signal: Signal) => Promise<Answer>;
  readonly #running = new Map<number, Stop>();

  constructor(post: (reply: Exclude<Reply, { opened: unknown }>, answer?: Answer) => void, call: (call: Call, signal: Signal) => Promise<Answer>) {
    this.#post = post;
    this.#call = call;
  }

  /** Takes a call, or the end of one. */
  async receive(request: { id: number; call: Call } | { id: number; abort: true }): Promise<void> {
    const { id } = request;
    if ('abort' in request) {
      this.#running.get(id)?.abort();
      return;
    }
    const stop = new Stop();
    this.#running.set(id, stop);
    try {
      const answer = await this.#call(request.call, stop);
      this.#post({ id, answer }, answer);
    } catch (error) {
      this.#post({ id, error: toData(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  /** Aborts all of them. */
  abort(): void {
    for (const stop of this.#running.values()) stop.abort();
  }
}
