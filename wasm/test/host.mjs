// The host behind the worker, taken out of the package for tests of its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where the wasm module is, for hosts that are not beside it. */
export const wasmUrl = pathToFileURL(join(root, 'dist/driftdb.wasm')).href;

/** What the host is made of. */
export async function hostParts() {
  const home = mkdtempSync(join(tmpdir(), 'driftdb-host-'));
  const outfile = join(home, 'host.mjs');
  const contents = `
    export { Host } from './js/host/host.ts';
    export { open } from './js/platform/open.ts';
    export { readOptions } from './js/options.ts';
    export { scriptCall, tableCall } from './js/calls.ts';
    export { Channel } from './js/client/channel.ts';
    export { Link } from './js/client/link.ts';
    export { startLive } from './js/client/live.ts';
    export { Batch } from './js/wire/decode.ts';
    export { Lanes } from './js/tabs/lanes.ts';
    export { Leader } from './js/tabs/leader.ts';
    export { Pending } from './js/tabs/pending.ts';
    export { pairChannel } from './js/tabs/messages.ts';
  `;
  await build({ stdin: { contents, resolveDir: root, loader: 'ts' }, bundle: true, format: 'esm', platform: 'neutral', outfile, logLevel: 'error' });
  const parts = await import(pathToFileURL(outfile).href);
  rmSync(home, { recursive: true });
  return parts;
}
