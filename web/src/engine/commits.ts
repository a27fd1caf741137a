// The commits of a database: where each ends, when it was, who made it and why. The steps that the slider takes.

import type { Database } from 'driftdb';
import { Signal } from '../base/signal';

/** A commit. */
export interface Commit {
  /** The seq of its last event. */
  readonly seq: number;
  /** Unix milliseconds. */
  readonly time: number;
  readonly by: unknown;
  readonly why: unknown;
  readonly events: number;
}

interface EventLine {
  readonly seq?: number;
  readonly ts?: string;
  readonly by?: unknown;
  readonly why?: unknown;
  readonly more?: boolean;
}

/** All commits of a database, the oldest first. */
export class Commits {
  readonly #db: Database;
  #list: Commit[] = [];
  #upto = 0;
  /** Changes whenever there are more. */
  readonly count = new Signal(0);

  constructor(db: Database) {
    this.#db = db;
  }

  /** Takes note of what came up to a seq. */
  async extend(seq: number): Promise<void> {
    if (seq === this.#upto) return;
    this.#list = commitsOf(await this.#db.dump());
    this.#upto = seq;
    this.count.value = this.#list.length;
  }

  get all(): readonly Commit[] {
    return this.#list;
  }

  /** The last commit at or before a seq; undefined before the first. */
  at(seq: number): Commit | undefined {
    return this.#list[this.#after((commit) => commit.seq <= seq) - 1];
  }

  /** The last commit at or before a time. */
  atTime(time: number): Commit | undefined {
    return this.#list[this.#after((commit) => commit.time <= time) - 1];
  }

  /** The commit after a seq. */
  next(seq: number): Commit | undefined {
    return this.#list[this.#after((commit) => commit.seq <= seq)];
  }

  /** The commit before the one that a seq is in or after. */
  previous(seq: number): Commit | undefined {
    return this.#list[this.#after((commit) => commit.seq < seq) - 1];
  }

  /** How many commits from the first one are before the first of which something is not so. */
  #after(so: (commit: Commit) => boolean): number {
    let [low, high] = [0, this.#list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (so(this.#list[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function commitsOf(lines: string): Commit[] {
  const commits: Commit[] = [];
  let events = 0;
  for (const line of lines.split('\n')) {
    if (!line.includes('"op"')) continue;
    const { seq, ts, by = null, why = null, more } = JSON.parse(line) as EventLine;
    events += 1;
    if (more === true || seq === undefined || ts === undefined) continue;
    commits.push({ seq, time: Date.parse(ts), by, why, events });
    events = 0;
  }
  return commits;
}
