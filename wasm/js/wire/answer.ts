// What a query answers: rows that are made when they are looked at.

import type { Batch } from './decode.js';

/** What a query answers. */
export class QueryResult<Row = Record<string, unknown>> implements Iterable<Row> {
  /** The names of the columns; null for `SELECT *`, whose rows are the documents. */
  readonly columns: readonly string[] | null;
  /** Everything with a seq up to this was seen; after a write, the seq of its last event. */
  readonly seq: number;
  /** How many rows there are. */
  readonly length: number;
  /** How many events the script wrote. */
  readonly events: number;
  readonly #batches: readonly Batch[];
  #rows: Row[] | undefined;

  /** @internal */
  constructor(batches: readonly Batch[]) {
    const last = batches[batches.length - 1];
    const isRows = last?.kind === 'rows';
    this.#batches = isRows ? batches : [];
    this.columns = isRows ? last.columns : null;
    this.seq = last?.seq ?? 0;
    this.events = last?.events ?? 0;
    this.length = this.#batches.reduce((sum, batch) => sum + batch.length, 0);
  }

  /** All rows, as plain objects. */
  get rows(): Row[] {
    if (this.#rows === undefined) {
      const rows: unknown[] = [];
      for (const batch of this.#batches) batch.rows(rows);
      this.#rows = rows as Row[];
    }
    return this.#rows;
  }

  /** One row; undefined where there is none. */
  at(index: number): Row | undefined {
    let place = index < 0 ? this.length + index : index;
    if (this.#rows !== undefined) return this.#rows[place];
    for (const batch of this.#batches) {
      if (place >= 0 && place < batch.length) return batch.row(place) as Row;
      place -= batch.length;
    }
    return undefined;
  }

  /** Row by row, each made when its turn comes. */
  *[Symbol.iterator](): IterableIterator<Row> {
    if (this.#rows !== undefined) return yield* this.#rows;
    for (const batch of this.#batches) {
      for (let i = 0; i < batch.length; i++) yield batch.row(i) as Row;
    }
  }

  /** What console.log and JSON show. */
  toJSON(): { columns: readonly string[] | null; seq: number; rows: Row[] } {
    return { columns: this.columns, seq: this.seq, rows: this.rows };
  }
}

/** What a write answers. */
export interface Written {
  /** How many events were written. */
  events: number;
  /** The seq of the last one; the database's head if there were none. */
  seq: number;
  /** Their time, in unix milliseconds. */
  time: number;
}

/** What the last buffer of an answer says was written. */
export function written(batches: readonly Batch[]): Written {
  const last = batches[batches.length - 1]!;
  return { events: last.events, seq: last.seq, time: last.time };
}
