// The two ways of asking: with promises, over a worker, and at once, in the caller's thread. Handles are described once and asked either way.

import type { GetCall, StepsCall } from '../protocol.js';
import type { Batch } from '../wire/decode.js';

/** With promises or without. */
export type Way = 'async' | 'sync';

/** What takes a signal. */
export interface Abortable {
  /** Its abort rejects the promise with its reason. A write may have happened all the same. */
  signal?: AbortSignal;
}

/** What takes none: the call is over when it returns. */
export interface Unabortable {
  signal?: never;
}

/** What a call gives back. */
export type Answer<W extends Way, T> = { async: Promise<T>; sync: T }[W];

/** What gives one thing after another. */
export type Series<W extends Way, T> = { async: AsyncGenerator<T, void, undefined>; sync: Generator<T, void, undefined> }[W];

/** What every call may say. */
export type Options<W extends Way> = { async: Abortable; sync: Unabortable }[W];

/** Who asks. Calls are made by the functions given, so that what is wrong with them comes as any other error. */
export interface Caller<W extends Way> {
  /** Runs a call to its end; what is read from its answer. `writes`: what to call it, if it would wait for an open transaction. */
  run<T>(call: () => StepsCall, read: (batches: Batch[]) => T, options: Options<W> | undefined, writes?: string): Answer<W, T>;
  /** The row of a key. */
  get<Row>(call: () => GetCall, options: Options<W> | undefined): Answer<W, Row | undefined>;
  /** Rows one after another. */
  stream<Row>(call: StepsCall, options: Options<W> | undefined): Series<W, Row>;
}
