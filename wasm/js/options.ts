// What `open` was given, checked and made into a place.

import type { OpenOptions } from './api.js';
import { fail } from './errors.js';
import type { Place, Storage } from './protocol.js';
import type { Integers } from './wire/decode.js';
import { encodeOne } from './wire/encode.js';

/** How a handle behaves. */
export interface Settings {
  integers: Integers;
  busyTimeout: number;
}

const BUSY_TIMEOUT = 5_000;
/** What a timer takes at most; one of more would ring at once. */
const TIMEOUT_MAX = 2 ** 31 - 1;
const OWN = ['name', 'dir', 'storage', 'busyTimeout', 'integers', 'wasmUrl', 'wasmModule', 'migrations'];

function oneOf<T>(name: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw fail('invalid_value', `${name} cannot be ${JSON.stringify(value)}`, `one of ${allowed.map((it) => JSON.stringify(it)).join(', ')}`);
}

/** Whether there is a filesystem, as in Node, Deno and Bun. */
export function hasFiles(): boolean {
  return typeof globalThis.process?.getBuiltinModule === 'function';
}

/** A bare string is a browser database's name, or a path where there is a filesystem. */
export function fromText(text: string): OpenOptions {
  return hasFiles() ? { dir: text } : { name: text };
}

/** Checks what was given and says where the database is and how its handles behave. */
export function readOptions(given: string | OpenOptions): { place: Place; settings: Settings } {
  const options: OpenOptions = typeof given === 'string' ? fromText(given) : given;
  if (typeof options !== 'object' || options === null) throw fail('invalid_value', 'open takes a name, a path or an object of options');
  const storage = oneOf('storage', options.storage ?? 'auto', ['auto', 'opfs', 'indexeddb', 'memory', 'node'] as const);
  const integers = oneOf('integers', options.integers ?? 'auto', ['auto', 'bigint', 'number'] as const);
  const wait = options.busyTimeout ?? BUSY_TIMEOUT;
  if (typeof wait !== 'number' || !(wait >= 0)) throw fail('invalid_value', `busyTimeout cannot be ${String(wait)}`);
  const busyTimeout = Math.min(wait, TIMEOUT_MAX);
  if (options.name === undefined && options.dir === undefined && storage !== 'memory') {
    throw fail('invalid_value', 'open needs a name or a directory', "or storage: 'memory'");
  }
  if (options.dir !== undefined && !hasFiles()) throw fail('unsupported', 'there is no filesystem here', 'open a browser database by its name');
  const engine = Object.fromEntries(Object.entries(options).filter(([name]) => !OWN.includes(name)));
  const place: Place = { options: encodeOne(engine, 'options'), create: options.create !== false && options.readOnly !== true, wait: busyTimeout, durable: options.durability !== 'batch' };
  if (options.name !== undefined) place.name = checkName(options.name);
  if (options.dir !== undefined) place.dir = String(options.dir);
  const kept: Storage | undefined = storage !== 'auto' ? storage : options.dir !== undefined ? 'node' : undefined;
  if (kept !== undefined) place.storage = kept;
  if (options.wasmUrl !== undefined) place.wasmUrl = String(options.wasmUrl);
  if (options.wasmModule !== undefined) place.wasmModule = options.wasmModule;
  return { place, settings: { integers, busyTimeout } };
}

/** Names become names of files and locks: what could leave its directory or be cut there is refused. */
export function checkName(name: unknown): string {
  if (typeof name === 'string' && /^[\p{L}\p{N}_. -]{1,64}$/u.test(name) && !name.startsWith('.')) return name;
  throw fail('invalid_value', 'a database is named by 1 to 64 letters, digits, spaces and _ . -, not starting with a dot');
}
