// Places on the strip and moments of the history, in seqs or in time.

import type { Commits } from '../engine/commits';

/** What a step along the strip is equal in. */
export type Axis = 'seq' | 'time';

/** Places from 0 to 1 along the strip, and the seqs of commits. */
export class Scale {
  readonly axis: Axis;
  readonly from: number;
  readonly to: number;
  readonly #commits: Commits;

  constructor(axis: Axis, from: number, to: number, commits: Commits) {
    this.axis = axis;
    this.from = from;
    this.to = Math.max(from + 1, to);
    this.#commits = commits;
  }

  /** Where a seq is. */
  place(seq: number): number {
    const value = this.axis === 'seq' ? seq : (this.#commits.at(seq)?.time ?? this.from);
    return Math.min(1, Math.max(0, (value - this.from) / (this.to - this.from)));
  }

  /** The seq of the commit at a place; 0 before the first. */
  seq(place: number): number {
    const value = this.from + Math.min(1, Math.max(0, place)) * (this.to - this.from);
    const commit = this.axis === 'seq' ? this.#commits.at(Math.round(value)) : this.#commits.atTime(value);
    return commit?.seq ?? 0;
  }

  /** The time at a place. */
  time(place: number): number | undefined {
    if (this.axis === 'time') return this.from + place * (this.to - this.from);
    return (this.#commits.at(this.seq(place)) ?? this.#commits.next(0))?.time;
  }
}
