// Calls of a tab that have not been answered: kept with what is needed to ask again, of another leader.

import { DriftError, fail } from '../errors.js';
import type { Signal } from '../host/stop.js';
import type { Answer, Asked, Call } from '../protocol.js';
import type { Lane, Lanes } from './lanes.js';
import type { Tell } from './messages.js';

interface One {
  readonly id: number;
  readonly call: Call;
  readonly signal: Signal | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  /** Tells the leader that has it that nobody waits for it. */
  readonly abort: (id: number) => void;
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
  signal: Signal | undefined;
}

/** Calls that may write are numbered. */
function isNumbered(call: Call): boolean {
  return call.op === 'begin' || ((call.op === 'script' || call.op === 'table') && call.tx === undefined);
}

/** Calls that wait for what may never come. */
function isFeed(call: Call): boolean {
  return call.op === 'more';
}

/** What ends what a call has opened. */
function endOf(op: Call['op'], number: number): Call | undefined {
  switch (op) {
    case 'begin':
      return { op: 'rollback', tx: number };
    case 'import':
      return { op: 'importEnd', import: number, whole: false };
    case 'stream':
    case 'live':
    case 'changes':
      return { op: 'cancel', feed: number };
    default:
      return undefined;
  }
}

/** The calls of a tab. */
export class Pending {
  readonly #lanes: Lanes;
  readonly #silence: number;
  readonly #calls = new Map<number, One>();
  /** The lanes of transactions, from their begin to their end. */
  readonly #transactions = new Map<number, Lane>();
  /** What was asked by calls that have expired while a leader had them: what their late answers open has no owner. */
  readonly #expired = new Map<number, Call['op']>();
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
  add(call: Call, signal: Signal | undefined, abort: (id: number) => void): Promise<Answer> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { id, call, signal, resolve, reject, abort, since: performance.now(), sent: false, asked: false, lane: undefined });
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
      if (signal?.aborted === true) {
        this.reject(id, signal.reason);
        continue;
      }
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
    this.#expired.clear();
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
    if (one === undefined) {
      this.#late(reply);
      return;
    }
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

  /** The answer to a call that has expired: what it has opened is ended, as nobody else will. */
  #late(reply: Exclude<Tell, { pong: true }>): void {
    const op = this.#expired.get(reply.id);
    this.#expired.delete(reply.id);
    const end = op !== undefined && 'answer' in reply ? endOf(op, reply.answer as number) : undefined;
    if (end !== undefined) this.add(end, undefined, () => {}).catch(() => {});
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
  expire(heard: number, error: () => unknown): void {
    const now = performance.now();
    for (const one of [...this.#calls.values()]) {
      if (isFeed(one.call) || now - Math.max(heard, one.since) <= this.#silence) continue;
      if (one.sent) {
        this.#expired.set(one.id, one.call.op);
        one.abort(one.id);
      }
      this.reject(one.id, error());
    }
  }
}

function numbered(call: Call, lane: Lane | undefined, again: boolean): Call {
  if (lane === undefined) return call;
  const asked: Asked = { client: lane.client, number: lane.number, again };
  return { ...call, asked } as Call;
}
