// The engine in the caller's thread, and what is open in it.

import { type Metadata, metadata } from '../calls.js';
import { fail } from '../errors.js';
import type { Caller, Unabortable } from '../handles/way.js';
import { type Core, Progress } from '../host/core.js';
import { check, pointOf, settle } from '../host/rules.js';
import type { GetCall, ScriptCall, StepsCall } from '../protocol.js';
import { QueryResult } from '../wire/answer.js';
import { Batch, type Integers } from '../wire/decode.js';
import { Lives } from './live.js';

const ANSWER_BYTES = 4 << 20;
const STREAM_BYTES = 64 << 10;
const STEPS = 1 << 30;

/** Calls at once. */
export class Local implements Caller<'sync'> {
  readonly core: Core;
  readonly lives: Lives;
  /** The transaction whose callback runs. */
  open: number | undefined;
  readonly #integers: Integers;
  #transactions = 0;

  constructor(core: Core, integers: Integers) {
    this.core = core;
    this.lives = new Lives(this);
    this.#integers = integers;
  }

  #start(call: StepsCall): number {
    check(this.core, call, this.open);
    if (call.tx === undefined && this.open !== undefined && this.core.writes(call)) {
      throw fail('transaction', 'a transaction is open: inside its callback write with tx', 'use tx.exec instead of db.exec');
    }
    return this.core.start(call, pointOf(this.core, call));
  }

  /** The buffers of a run, each in the engine's memory until the next call. */
  *#pieces(run: number, size: number): Generator<Uint8Array, void, undefined> {
    try {
      let progress: Progress;
      do {
        progress = this.core.step(run, STEPS, size);
        yield this.core.take(run);
      } while (progress !== Progress.End);
    } finally {
      this.core.end(run);
    }
  }

  /** A buffer of an answer, which need not stay as it is. */
  batch(bytes: Uint8Array): Batch {
    return new Batch(bytes, this.#integers, true);
  }

  run<T>(make: () => StepsCall, read: (batches: Batch[]) => T): T {
    const call = make();
    const run = this.#start(call);
    const commits = call.tx === undefined && this.core.writes(call);
    const batches: Batch[] = [];
    let failed = true;
    try {
      try {
        for (const bytes of this.#pieces(run, ANSWER_BYTES)) batches.push(this.batch(bytes));
        failed = false;
      } finally {
        settle(this.core, call, failed);
      }
    } finally {
      // Also what was committed before an error.
      if (commits) this.lives.committed();
    }
    return read(batches);
  }

  get<Row>(make: () => GetCall): Row | undefined {
    const call = make();
    check(this.core, call, this.open);
    const batch = new Batch(this.core.get(call, pointOf(this.core, call)), this.#integers, false);
    return batch.length === 0 ? undefined : (batch.row(0) as Row);
  }

  *stream<Row>(call: StepsCall, _options?: Unabortable): Generator<Row, void, undefined> {
    if (this.core.writes(call)) throw fail('unsupported', 'only what reads can be streamed', 'use exec');
    for (const bytes of this.buffers(call, STREAM_BYTES)) yield* new QueryResult<Row>([this.batch(bytes)]);
  }

  /** The buffers of an answer, each in the engine's memory until the next call. */
  *buffers(call: StepsCall, size: number): Generator<Uint8Array, void, undefined> {
    yield* this.#pieces(this.#start(call), size);
  }

  /** The events after a seq, up to the head as it is by then. */
  *events(after: number): Generator<Batch, void, undefined> {
    for (const bytes of this.#pieces(this.core.startChanges(after), STREAM_BYTES)) yield this.batch(bytes);
  }

  /** An answer as it is now, and its mark. */
  answer(call: ScriptCall): { batches: Batch[]; digest: bigint } {
    const batches: Batch[] = [];
    let digest = 0n;
    for (const bytes of this.#pieces(this.#start(call), ANSWER_BYTES)) {
      batches.push(this.batch(bytes));
      digest = this.core.digest(digest);
    }
    return { batches, digest };
  }

  /** Runs an action inside a transaction, which has this number. */
  transaction<T>(action: (number: number) => T, options: Metadata | undefined): T {
    if (this.open !== undefined) throw fail('transaction', 'a transaction is open already', 'use its tx');
    const { meta } = metadata(options);
    this.core.begin(meta);
    this.open = ++this.#transactions;
    let result: T;
    try {
      result = action(this.open);
      if (typeof (result as PromiseLike<unknown> | null)?.then === 'function') {
        throw fail('transaction', 'the callback of a synchronous transaction cannot be async', "use open from 'driftdb'");
      }
      this.core.commit();
    } catch (error) {
      this.core.rollback();
      throw error;
    } finally {
      this.open = undefined;
    }
    this.lives.committed();
    return result;
  }
}
