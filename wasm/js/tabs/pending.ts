// Calls of a tab that have not been answered: kept with what is needed to ask again, of another leader.

import { DriftError, fail } from '../errors.js';
import type { Answer, Asked, Call } from '../protocol.js';
import type { Lane, Lanes } from './lanes.js';
import type { Tell } from './messages.js';

interface One {
  readonly id: number;
  readonly call: Call;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  /** When it was asked, or asked again. */
  since: number;
  /** Whether a leader has it now; whether one may have had it. */
  sent: boolean;
  asked: boolean;
  lane: Lane | undefined;
}

/** What a leader is asked. */
export interface Outgoing {
  id: number;
  call: Call;
  signal: AbortSignal | undefined;
}

/** Calls that may write are numbered. */
function isNumbered(call: Call): boolean {
  return call.op === 'begin' || ((call.op === 'script' || call.op === 'table') && call.tx === undefined);
}

/** Calls that wait for what may never come. */
function isFeed(call: Call): boolean {
  return call.op === 'more';
}

/** The calls of a tab. */
export class Pending {
  readonly #lanes: Lanes;
  readonly #silence: number;
  readonly #calls = new Map<number, One>();
  /** The lanes of transactions, from their begin to their end. */
  readonly #transactions = new Map<number, Lane>();
  #last = 0;

  constructor(lanes: Lanes, silence: number) {
    this.#lanes = lanes;
    this.#silence = silence;
  }

  /** Whether there is a call that should be answered in time. */
  get waiting(): boolean {
    return [...this.#calls.values()].some(({ call }) => !isFeed(call));
  }

  /** Adds a call. If it is aborted when a leader has it, `abort` is called. */
  add(call: Call, signal: AbortSignal | undefined, abort: (id: number) => void): Promise<Answer> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { id, call, signal, resolve, reject, since: performance.now(), sent: false, asked: false, lane: undefined });
      signal?.addEventListener('abort', () => {
        const one = this.#calls.get(id);
        if (one?.sent === true) abort(id);
        else if (one !== undefined) this.reject(id, signal.reason);
      });
    });
  }

  /** What no leader has, in order, as far as there are numbers for it. A leader that is this very tab needs none, but for what another one may have done. */
  *take(own: boolean): Generator<Outgoing, void, undefined> {
    for (const one of this.#calls.values()) {
      if (one.sent) continue;
      const { id, call, signal } = one;
      if (!own && isNumbered(call) && (one.lane ??= this.#lanes.take()) === undefined) continue;
      const again = one.asked;
      one.sent = true;
      one.asked ||= !own;
      yield { id, call: numbered(call, this.#laneOf(one), again), signal };
    }
  }

  #laneOf({ call, lane }: One): Lane | undefined {
    return call.op === 'commit' ? this.#transactions.get(call.tx) : lane;
  }

  /** No leader has anything any more. */
  unsent(): void {
    for (const one of this.#calls.values()) {
      if (!one.sent) continue;
      one.since = performance.now();
      // What cannot be numbered cannot be told from what was done.
      if (one.signal?.aborted === true) this.reject(one.id, one.signal.reason);
      else if (one.call.op === 'load') this.reject(one.id, fail('crashed', 'the tab that had the database has gone: lines may have been loaded', 'see what is there before loading again'));
      else one.sent = false;
    }
  }

  /** A call that its leader has given back. */
  again(id: number): void {
    const one = this.#calls.get(id);
    if (one !== undefined) one.sent = false;
  }

  /** An answer. */
  settle(reply: Exclude<Tell, { pong: true }>): void {
    const one = this.#calls.get(reply.id);
    if (one === undefined) return;
    this.#calls.delete(one.id);
    if ('error' in reply) {
      this.#end(one, true);
      one.reject(new DriftError(reply.error));
      return;
    }
    // The transaction goes on under the number of its begin.
    if (one.call.op === 'begin' && one.lane !== undefined) this.#transactions.set(reply.answer as number, one.lane);
    else this.#end(one, true);
    one.resolve(reply.answer);
  }

  /** Ends a call without an answer. */
  reject(id: number, error: unknown): void {
    const one = this.#calls.get(id);
    if (one === undefined) return;
    this.#calls.delete(id);
    this.#end(one, !one.asked);
    one.reject(error);
  }

  #end({ call, lane }: One, answered: boolean): void {
    if (lane !== undefined) this.#lanes.free(lane, answered);
    if (call.op !== 'commit' && call.op !== 'rollback') return;
    const begun = this.#transactions.get(call.tx);
    if (begun !== undefined) this.#lanes.free(begun, answered);
    this.#transactions.delete(call.tx);
  }

  /** Ends all calls. */
  fail(error: unknown): void {
    for (const id of [...this.#calls.keys()]) this.reject(id, error);
  }

  /** Ends calls for which no leader has given a sign of life for too long. */
  expire(heard: number, error: () => DriftError): void {
    const now = performance.now();
    for (const one of [...this.#calls.values()]) {
      if (!isFeed(one.call) && now - Math.max(heard, one.since) > this.#silence) this.reject(one.id, error());
    }
  }
}

function numbered(call: Call, lane: Lane | undefined, again: boolean): Call {
  if (lane === undefined) return call;
  const asked: Asked = { client: lane.client, number: lane.number, again };
  return { ...call, asked } as Call;
}
