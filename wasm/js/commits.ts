// The history's events put together to commits.

import type { Commit, CommitEvent } from './api.js';
import type { Document } from './calls.js';

/** An event as the engine tells it; `more`: the next one belongs to the same commit. */
export type Told = CommitEvent & { time: string; by: unknown; why: unknown; meta: Document | null; more: boolean };

/** Commits whose events come piece by piece. */
export class Commits {
  #events: CommitEvent[] = [];

  /** Takes the events that come next: the commits that are whole with them. */
  *take(rows: Iterable<Told>): Generator<Commit, void, undefined> {
    for (const { time, by, why, meta, more, ...event } of rows) {
      this.#events.push(event as CommitEvent);
      if (more) continue;
      const events = this.#events;
      this.#events = [];
      yield { seq: event.seq, time, by, why, meta, events };
    }
  }
}
