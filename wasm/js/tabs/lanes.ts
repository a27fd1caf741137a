// Numbers for what a tab asks another to write. The database remembers the last number of a client, so that of one client at most one write is under way:
// a tab is as many clients as it has writes at a time.

/** A client of the database's. */
export interface Lane {
  readonly client: string;
  /** The number of its last request. */
  number: number;
}

/** More writes wait. The database remembers 1,000 clients. */
const LANES_MAX = 64;

/** The lanes of a tab. */
export class Lanes {
  readonly #tab: string;
  readonly #free: Lane[] = [];
  #made = 0;
  #used = 0;

  constructor(tab: string) {
    this.#tab = tab;
  }

  /** A lane with a new number, if there is one. */
  take(): Lane | undefined {
    if (this.#used === LANES_MAX) return undefined;
    this.#used += 1;
    const lane = this.#free.pop() ?? { client: `${this.#tab}.${++this.#made}`, number: 0 };
    lane.number += 1;
    return lane;
  }

  /** Gives a lane back. One whose request was never answered is not used again: the request may still be under way. */
  free(lane: Lane, answered: boolean): void {
    this.#used -= 1;
    if (answered) this.#free.push(lane);
  }
}
