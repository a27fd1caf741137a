// A live query as a thing that components watch: a state that is replaced, and listeners.

import type { Live } from '../api.js';
import type { Database } from '../client/database.js';
import type { DriftError } from '../errors.js';
import { type Point, pointText } from '../point.js';
import type { Params } from '../wire/encode.js';

/** What is known of a query's answer. */
export interface LiveState<Row> {
  /** The rows of the last answer; before the first one what `initial` said, or none. */
  readonly rows: readonly Row[];
  /** The seq of that answer. */
  readonly seq: number | undefined;
  /** Whether the answer to this query is still to come. */
  readonly loading: boolean;
  /** Why there is no answer. */
  readonly error: DriftError | undefined;
}

/** How a query is asked. */
export interface LiveQueryOptions<Row> {
  /** The point as of which it is asked. */
  asOf?: Point | undefined;
  /** The database, if it is not the one that was provided. */
  db?: Database | undefined;
  /** Rows to begin with: what a server has rendered. */
  initial?: readonly Row[] | undefined;
}

const NONE: readonly never[] = [];

/** What there is before the first answer. */
export function beginning<Row>(initial: readonly Row[] | undefined): LiveState<Row> {
  return { rows: initial ?? NONE, seq: undefined, loading: true, error: undefined };
}

/** Queries with the same text are the same query. */
export function keyOf(query: string, params: Params | undefined, asOf: Point | undefined): string {
  const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? { bigint: String(value) } : value);
  return JSON.stringify([query, params, asOf === undefined ? undefined : pointText(asOf)], plain);
}

/** A live query that runs while somebody listens. */
export class LiveStore<Row> {
  readonly #start: ((callback: (state: LiveState<Row>) => void) => Live) | undefined;
  readonly #listeners = new Set<() => void>();
  #state: LiveState<Row>;
  #live: Live | undefined;

  constructor(db: Database | undefined, query: string, params: Params | undefined, asOf: Point | undefined, before: LiveState<Row>) {
    this.#state = before.loading && before.error === undefined ? before : { ...before, loading: true, error: undefined };
    if (db === undefined) return;
    this.#start = (callback) =>
      db.live<Row & object>(query, params ?? [], ({ rows, seq }) => callback({ rows: rows as Row[], seq, loading: false, error: undefined }), {
        ...(asOf !== undefined && { asOf }),
        onError: (error) => callback({ ...this.#state, loading: false, error }),
      });
  }

  /** The state: the same object until something changes. */
  readonly get = (): LiveState<Row> => this.#state;

  /** Calls back after each change; what ends that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.#live ??= this.#start?.((state) => {
      this.#state = state;
      for (const listener of this.#listeners) listener();
    });
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#live?.close();
      this.#live = undefined;
    };
  };
}
