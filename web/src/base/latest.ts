// Work of which only the latest request counts: one is under way, at most one waits.

/** Runs one piece of work at a time; of those asked for meanwhile only the last is done. */
export class Latest<T> {
  readonly #work: (request: T) => Promise<void>;
  #waiting: { request: T } | undefined;
  #running: Promise<void> | undefined;

  constructor(work: (request: T) => Promise<void>) {
    this.#work = work;
  }

  /** Asks for it; resolves when nothing is under way any more. */
  ask(request: T): Promise<void> {
    this.#waiting = { request };
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiting !== undefined) {
        const { request } = this.#waiting;
        this.#waiting = undefined;
        await this.#work(request);
      }
    } finally {
      this.#running = undefined;
    }
  }
}
