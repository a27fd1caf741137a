// The rows of one statement at one moment, and how they differ from those at another.

import type { QueryResult } from 'driftdb';
import type { Identity, Row } from './identity';

/** Up to so many rows are made at once, which is cheaper than one by one; of more only those that are looked at are made. */
const ROWS_AT_ONCE = 20_000;

/** What a statement answered. */
export class Answer {
  readonly result: QueryResult<Row>;
  /** The seq of the moment. */
  readonly seq: number;
  /** How long it took, in milliseconds. */
  readonly took: number;
  readonly #identity: Identity;
  #rows: readonly Row[] | undefined;
  #byId: Map<string, number> | undefined;

  constructor(result: QueryResult<Row>, identity: Identity, seq: number, took: number) {
    this.result = result;
    this.#identity = identity;
    this.seq = seq;
    this.took = took;
  }

  get length(): number {
    return this.result.length;
  }

  row(index: number): Row {
    if (this.#rows === undefined && this.length <= ROWS_AT_ONCE) this.#rows = this.result.rows;
    return (this.#rows === undefined ? this.result.at(index) : this.#rows[index]) ?? {};
  }

  id(index: number): string {
    return this.#identity.id(this.row(index), index);
  }

  /** The row of an id. */
  find(id: string): Row | undefined {
    if (this.#byId === undefined) {
      this.#byId = new Map();
      for (let index = 0; index < this.length; index++) this.#byId.set(this.id(index), index);
    }
    const index = this.#byId.get(id);
    return index === undefined ? undefined : this.row(index);
  }
}

/** Whether two values are the same. The order of members does not count. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return (a ?? null) === (b ?? null);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [one, other] = [a as Row, b as Row];
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && same(one[name], other[name]));
}

/** How many rows of an answer differ from those of another. */
export interface Tally {
  readonly changed: number;
  /** Rows that only the first has, and only the second. */
  readonly only: number;
  readonly missing: number;
}

/** Counts the rows that differ; undefined where there are too many to do it at every step. */
export function tally(answer: Answer, reference: Answer): Tally | undefined {
  if (answer.length > ROWS_AT_ONCE || reference.length > ROWS_AT_ONCE) return undefined;
  let [changed, only] = [0, 0];
  for (let index = 0; index < answer.length; index++) {
    const other = reference.find(answer.id(index));
    if (other === undefined) only += 1;
    else if (!same(answer.row(index), other)) changed += 1;
  }
  return { changed, only, missing: reference.length - (answer.length - only) };
}
