// The calls of one client under way: each is answered, and can be aborted.

import { toData } from '../errors.js';
import type { Answer, Call, Reply } from '../protocol.js';

/** Calls, by the numbers that the client gives them. */
export class Calls {
  readonly #post: (reply: Exclude<Reply, { opened: unknown }>, answer?: Answer) => void;
  readonly #call: (call: Call, signal: AbortSignal) => Promise<Answer>;
  readonly #running = new Map<number, AbortController>();

  constructor(post: (reply: Exclude<Reply, { opened: unknown }>, answer?: Answer) => void, call: (call: Call, signal: AbortSignal) => Promise<Answer>) {
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
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      const answer = await this.#call(request.call, controller.signal);
      this.#post({ id, answer }, answer);
    } catch (error) {
      this.#post({ id, error: toData(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  /** Aborts all of them. */
  abort(): void {
    for (const controller of this.#running.values()) controller.abort();
  }
}
