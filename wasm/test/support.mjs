// What several tests use.

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Waits until something is so; for what never comes, long enough for a slow machine. */
export async function until(condition) {
  for (const end = Date.now() + 60_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The path of the command line program, if it was built. */
export function driftdb() {
  const target = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
  return [join(target, 'debug/driftdb'), join(target, 'release/driftdb')].find((path) => existsSync(path));
}
