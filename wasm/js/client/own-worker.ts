// Where the worker is if nobody says: a file beside this one, written so that bundlers find it. In the entry `./inline` js/inline/own-worker.ts takes this
// one's place.

/** A browser's worker. */
export function ownWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
}

/** What Node's worker threads load. */
export function ownThread(): URL {
  return new URL('./worker.js', import.meta.url);
}
