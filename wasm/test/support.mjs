// What several tests use.

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The path of the command line program, if it was built. */
export function driftdb() {
  const target = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
  return [join(target, 'debug/driftdb'), join(target, 'release/driftdb')].find((path) => existsSync(path));
}
