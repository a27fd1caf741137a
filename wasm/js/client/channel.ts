// Calls to the thread that has the engine, and their answers.

import { DriftError, fail } from '../errors.js';
import { type Answer, type Call, type Opened, PROTOCOL, type Place, type Reply, type Request } from '../protocol.js';

/** The other end: a worker, or whoever speaks for one. */
export interface Peer {
  post(message: Request, transfer: ArrayBuffer[]): void;
  /** Called when something is awaited, and when nothing is any more. */
  awaited?(something: boolean): void;
  end(): void;
}

interface Pending {
  resolve(reply: Reply): void;
  reject(error: unknown): void;
  done(): void;
  /** Whether somebody waits for what will come for sure. */
  awaited: boolean;
}

/** Calls under way. */
export class Channel {
  readonly #peer: Peer;
  readonly #pending = new Map<number, Pending>();
  #last = 0;
  #awaited = 0;
  #broken: DriftError | undefined;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** Takes a message from the peer. */
  receive(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    // What was aborted has no one waiting.
    if (pending === undefined) return;
    this.#settle(reply.id, pending);
    if ('error' in reply) pending.reject(new DriftError(reply.error));
    else pending.resolve(reply);
  }

  /** The peer is gone: everything under way fails, and all that follows. */
  fail(error: DriftError): void {
    this.#broken ??= error;
    for (const [id, pending] of [...this.#pending]) {
      this.#settle(id, pending);
      pending.reject(error);
    }
  }

  #settle(id: number, pending: Pending): void {
    this.#pending.delete(id);
    pending.done();
    if (pending.awaited && --this.#awaited === 0) this.#peer.awaited?.(false);
  }

  #ask(message: (id: number) => Request, transfer: ArrayBuffer[], signal: AbortSignal | undefined, quiet = false): Promise<Reply> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        const pending = this.#pending.get(id);
        if (pending === undefined) return;
        this.#settle(id, pending);
        this.#peer.post({ id, abort: true }, []);
        reject(signal!.reason as Error);
      };
      if (!quiet && this.#awaited++ === 0) this.#peer.awaited?.(true);
      this.#pending.set(id, { resolve, reject, done: () => signal?.removeEventListener('abort', aborted), awaited: !quiet });
      signal?.addEventListener('abort', aborted);
      this.#peer.post(message(id), transfer);
    });
  }

  /** Tells the other end from now on whether the page is seen; whether it is. */
  watchPage(): boolean {
    const isVisible = (): boolean => document.visibilityState === 'visible';
    const changed = (): void => {
      if (this.#broken === undefined) this.#peer.post({ id: 0, visible: isVisible() }, []);
      else document.removeEventListener('visibilitychange', changed);
    };
    document.addEventListener('visibilitychange', changed);
    return isVisible();
  }

  /** Opens the database. */
  async open(place: Place): Promise<Opened> {
    const reply = await this.#ask((id) => ({ id, open: place, protocol: PROTOCOL }), [], undefined);
    if ('opened' in reply && reply.opened.protocol === PROTOCOL) return reply.opened;
    throw fail('protocol', 'the worker is not of this version', 'reload, so that page and worker are of one version');
  }

  /** Asks for something. An abort ends it with the signal's reason. `quiet`: what may never come keeps no program running. */
  async call(call: Call, signal?: AbortSignal, quiet?: boolean): Promise<Answer> {
    const reply = await this.#ask((id) => ({ id, call }), [], signal, quiet);
    return 'answer' in reply ? reply.answer : null;
  }

  /** Opens what has a number and has to be ended: a transaction, a feed. One that was opened in spite of an abort is ended: nobody else would do it. */
  async begin(call: Call, end: (number: number) => Call, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted();
    const begun = this.call(call) as Promise<number>;
    if (signal === undefined) return begun;
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        begun.then((number) => this.call(end(number))).catch(() => {});
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', aborted);
      begun.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
    });
  }

  /** Opens a feed. */
  feed(call: Call, signal?: AbortSignal): Promise<number> {
    return this.begin(call, (feed) => ({ op: 'cancel', feed }), signal);
  }

  /** Closes the database and ends the worker. What is under way fails: of a worker's end a browser tells nothing. */
  async close(): Promise<void> {
    try {
      await this.#ask((id) => ({ id, close: true }), [], undefined);
    } finally {
      this.fail(fail('closed', 'the database is closed'));
      this.#peer.end();
    }
  }
}
