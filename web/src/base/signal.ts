// A value that is watched.

/** A value that tells who watches it when it changes. */
export class Signal<T> {
  #value: T;
  readonly #watchers = new Set<(value: T, before: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    const before = this.#value;
    if (Object.is(before, value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher(value, before);
  }

  /** Calls back at each change; what it returns ends that. */
  watch(watcher: (value: T, before: T) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** The same, and once now. */
  now(watcher: (value: T, before: T) => void): () => void {
    watcher(this.#value, this.#value);
    return this.watch(watcher);
  }
}
