// Live queries in the caller's thread: asked again when a commit has touched what they read, before that commit's call returns.

import type { Live, LiveCallback, LiveOptions } from '../api.js';
import { scriptCall } from '../calls.js';
import { DriftError, fail } from '../errors.js';
import { pointText } from '../point.js';
import type { ScriptCall } from '../protocol.js';
import { QueryResult } from '../wire/answer.js';
import type { Params } from '../wire/encode.js';
import type { Local } from './local.js';

interface One {
  readonly call: ScriptCall;
  readonly tell: LiveCallback<never>;
  readonly report: (error: DriftError) => void;
  watch: number;
  /** Equal answers have equal marks. */
  mark: bigint | undefined;
  /** Whether it is to be asked. */
  due: boolean;
}

/** A fault of a callback's is nobody's who commits. */
function guarded(action: () => void): void {
  try {
    action();
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}

/** The live queries of a database. */
export class Lives {
  readonly #local: Local;
  readonly #all = new Set<One>();
  #telling = false;

  constructor(local: Local) {
    this.#local = local;
  }

  /** Starts one, which is told its answer at once. */
  start<Row>(text: string, params: Params | undefined, tell: LiveCallback<Row>, options: LiveOptions = {}): Live {
    const { core } = this.#local;
    const call = scriptCall(options.asOf === undefined ? {} : { at: pointText(options.asOf) }, text, params);
    if (core.writes(call)) throw fail('unsupported', 'only what reads can be live', 'use exec');
    const report = options.onError?.bind(options) ?? ((error: DriftError) => console.error(error));
    const one: One = { call, tell: tell as LiveCallback<never>, report, watch: core.watch(call), mark: undefined, due: true };
    this.#all.add(one);
    this.#tell();
    const close = (): void => {
      if (this.#all.delete(one)) core.unwatch(one.watch);
    };
    return { close, [Symbol.dispose]: close };
  }

  /** Something may have been committed. */
  committed(): void {
    const { core } = this.#local;
    if (this.#all.size === 0 || core.crashed) return;
    const touched = new Set(core.touched());
    for (const one of this.#all) one.due ||= touched.has(one.watch);
    this.#tell();
  }

  /** The engine may have another database, in which nothing is watched. */
  renew(): void {
    const { core } = this.#local;
    // If it is the same one after all, nothing is watched twice.
    for (const one of this.#all) core.unwatch(one.watch);
    for (const one of this.#all) {
      one.watch = core.watch(one.call);
      one.due = true;
    }
    this.#tell();
  }

  /** Nobody is told anything any more. */
  close(): void {
    this.#all.clear();
  }

  /** Asks what is due, until nothing is: a callback may write itself. */
  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let due = this.#due(); due !== undefined; due = this.#due()) this.#ask(due);
    } finally {
      this.#telling = false;
    }
  }

  #due(): One | undefined {
    for (const one of this.#all) if (one.due) return one;
    return undefined;
  }

  #ask(one: One): void {
    one.due = false;
    let result: QueryResult<never>;
    let mark: bigint;
    try {
      const { batches, digest } = this.#local.answer(one.call);
      result = new QueryResult(batches);
      mark = digest;
    } catch (error) {
      if (!(error instanceof DriftError)) throw error;
      // After an error any answer is news.
      one.mark = undefined;
      guarded(() => one.report(error));
      return;
    }
    if (mark === one.mark) return;
    one.mark = mark;
    guarded(() => one.tell(result));
  }
}
