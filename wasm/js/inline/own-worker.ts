// The worker inside of this module, as the text of another, which has the wasm module inside of it.

import text from 'driftdb:worker';

/** A browser's worker. */
export function ownWorker(): Worker {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  const worker = new Worker(url, { type: 'module' });
  // It has been asked for, and is loaded all the same.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return worker;
}

/** What Node's worker threads load. */
export function ownThread(): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}
