// What is answered piece by piece: the rows of an answer, a query's answers one after another, the events of the history. A feed makes a piece when
// it is asked for one, so that nothing gathers for a client that is slow.

import { fail, toData } from '../errors.js';
import type { Piece, ScriptCall, StepsCall } from '../protocol.js';
import { Bell } from './bell.js';
import { type Core, Progress } from './core.js';
import { pointOf } from './rules.js';
import { slice } from './slice.js';
import type { Signal } from './stop.js';
import { turn } from './turn.js';
import { LONG, type Writers } from './writers.js';

/** A feed of a client. */
export interface Feed {
  readonly client: number;
  /** The next piece, as soon as there is one. */
  next(signal: Signal | undefined): Promise<Piece>;
  /** Something was committed: whether the feed is to look, and who has written. */
  touch?(watches: ReadonlySet<number>, client: number): void;
  /** Who waits for a piece waits in vain. */
  fail?(error: Error): void;
  end(): void;
}

const BUFFER_BYTES = 1 << 20;
const CHANGES_BYTES = 64 << 10;
/** An answer that its own client's writes have made old so many times is made while nobody writes. */
const STALE_MAX = 3;

/** An answer's rows. */
export class Rows implements Feed {
  readonly client: number;
  readonly #core: Core;
  readonly #run: number;
  readonly #bytes: number;

  constructor(client: number, core: Core, call: StepsCall, bytes: number) {
    if (core.writes(call)) throw fail('unsupported', 'only what reads can be streamed', 'use exec');
    this.client = client;
    this.#core = core;
    this.#bytes = bytes;
    this.#run = core.start(call, pointOf(core, call));
  }

  async next(signal: Signal | undefined): Promise<Piece> {
    const progress = await slice(this.#core, this.#run, this.#bytes, signal);
    return { buffers: [this.#core.take(this.#run).slice()], end: progress === Progress.End };
  }

  end(): void {
    this.#core.end(this.#run);
  }
}

/** A query's answers: the first one, and another each time that it is not the same any more. */
export class Live implements Feed {
  readonly client: number;
  /** How often the query was asked. */
  runs = 0;
  readonly #core: Core;
  readonly #writers: Writers;
  readonly #call: ScriptCall;
  readonly #watch: number;
  readonly #bell = new Bell();
  #mark: bigint | undefined;
  /** Set when the client itself writes what the answer that is being made does not have. */
  #stale = false;

  constructor(client: number, core: Core, writers: Writers, call: ScriptCall, seen: bigint | undefined) {
    if (core.writes(call)) throw fail('unsupported', 'only what reads can be live', 'use exec');
    this.client = client;
    this.#core = core;
    this.#writers = writers;
    this.#call = call;
    this.#mark = seen;
    this.#watch = core.watch(call);
  }

  touch(watches: ReadonlySet<number>, client: number): void {
    if (!watches.has(this.#watch)) return;
    this.#stale ||= client === this.client;
    this.#bell.ring();
  }

  async next(signal: Signal | undefined): Promise<Piece> {
    for (;;) {
      await this.#bell.heard(signal);
      // What is written in this turn of the message loop is in the same answer.
      await turn();
      let piece: Piece;
      try {
        piece = await this.#fresh(signal);
      } catch (error) {
        signal?.throwIfAborted();
        const data = toData(error);
        if (data.code === 'crashed' || data.code === 'closed') throw error;
        piece = { buffers: [], end: false, error: data };
      }
      // After an error any answer is news.
      if (piece.mark !== undefined && piece.mark === this.#mark) continue;
      this.#mark = piece.mark;
      return piece;
    }
  }

  /** An answer that has everything that the client has written before. */
  async #fresh(signal: Signal | undefined): Promise<Piece> {
    for (let stale = 0; ; stale++) {
      const alone = stale >= STALE_MAX;
      if (alone) await this.#writers.acquire(LONG, signal);
      try {
        this.#stale = false;
        this.#bell.silence();
        const piece = await this.#answer(signal);
        if (!this.#stale) return piece;
      } finally {
        if (alone) this.#writers.release();
      }
    }
  }

  async #answer(signal: Signal | undefined): Promise<Piece> {
    const core = this.#core;
    this.runs += 1;
    const run = core.start(this.#call, pointOf(core, this.#call));
    try {
      const buffers: Uint8Array[] = [];
      let mark = 0n;
      let progress: Progress;
      do {
        progress = await slice(core, run, BUFFER_BYTES, signal);
        buffers.push(core.take(run).slice());
        mark = core.digest(mark);
      } while (progress !== Progress.End);
      return { buffers, end: false, mark };
    } finally {
      core.end(run);
    }
  }

  fail(error: Error): void {
    this.#bell.fail(error);
  }

  end(): void {
    this.#core.unwatch(this.#watch);
  }
}

/** The events after a seq, and those that come. */
export class Changes implements Feed {
  readonly client: number;
  readonly #core: Core;
  readonly #bell = new Bell();
  #after: number;
  #run: { number: number; upto: number } | undefined;

  constructor(client: number, core: Core, since: number | undefined) {
    this.client = client;
    this.#core = core;
    this.#after = since ?? core.head;
  }

  touch(): void {
    this.#bell.ring();
  }

  async next(signal: Signal | undefined): Promise<Piece> {
    const core = this.#core;
    while (this.#run === undefined && core.head <= this.#after) {
      this.#bell.silence();
      await this.#bell.heard(signal);
    }
    const run = (this.#run ??= { upto: core.head, number: core.startChanges(this.#after) });
    const progress = await slice(core, run.number, CHANGES_BYTES, signal);
    const buffers = [core.take(run.number).slice()];
    if (progress === Progress.End) {
      this.end();
      this.#after = run.upto;
    }
    return { buffers, end: false };
  }

  fail(error: Error): void {
    this.#bell.fail(error);
  }

  end(): void {
    if (this.#run !== undefined) this.#core.end(this.#run.number);
    this.#run = undefined;
  }
}
