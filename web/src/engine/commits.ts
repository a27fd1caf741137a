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

/** Who watches is told at most so often while many come in. */
const TELL_MS = 60;

/** All commits of a database, the oldest first: those that are there, and those that come, whoever makes them. */
export class Commits {
  readonly #list: Commit[] = [];
  readonly #end = new AbortController();
  /** How many there are. */
  readonly count = new Signal(0);

  /** Reads what came after a seq, then goes on; resolves when everything up to `head` is there. `came` is told of each one after that. */
  follow(db: Database, since: number, head: number, came: (commit: Commit) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (since >= head) resolve();
      this.#read(db, since, (commit) => {
        if (commit.seq === head) {
          this.#tell(true);
          resolve();
        } else if (commit.seq > head) {
          this.#tell(true);
          came(commit);
        } else this.#tell(false);
      }).catch((error: unknown) => {
        if (!this.#end.signal.aborted) reject(error);
      });
    });
  }

  async #read(db: Database, since: number, take: (commit: Commit) => void): Promise<void> {
    for await (const { seq, time, by, why, events } of db.changes({ since, signal: this.#end.signal })) {
      const commit = { seq, time: Date.parse(time), by, why, events: events.length };
      this.#list.push(commit);
      take(commit);
    }
  }

  #told = 0;

  #tell(must: boolean): void {
    const now = performance.now();
    if (!must && now - this.#told < TELL_MS) return;
    this.#told = now;
    this.count.value = this.#list.length;
  }

  /** Reads no further. */
  close(): void {
    this.#end.abort();
  }

  /** The seq of the last one. */
  get last(): number {
    return this.#list.at(-1)?.seq ?? 0;
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
