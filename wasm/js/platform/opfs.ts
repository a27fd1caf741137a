// A browser's private filesystem: one file a database, opened exclusively by a synchronous access handle. For dedicated workers.

import { DriftError, fail } from '../errors.js';

/** Databases lie in this directory of the origin's private filesystem, each in a file of its name. */
const DIRECTORY = 'driftdb';
const SUFFIX = '.container';
const RETRY_MS = 25;

// TypeScript's libraries know these for workers only.
interface SyncHandle {
  read(buffer: Uint8Array, options: { at: number }): number;
  write(buffer: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}
type FileHandle = FileSystemFileHandle & { createSyncAccessHandle?(): Promise<SyncHandle> };
type DirectoryHandle = FileSystemDirectoryHandle & { keys(): AsyncIterable<string> };

/** The file, as wasm/src/stores/handle.rs asks for it. Errors are thrown as text; counts are returned as the browser says them. */
export class OpfsFile {
  readonly #handle: SyncHandle;
  readonly #at = { at: 0 };

  constructor(handle: SyncHandle) {
    this.#handle = handle;
  }

  size(): number {
    return this.#guarded(() => this.#handle.getSize());
  }

  read(offset: number, buffer: Uint8Array): number {
    this.#at.at = offset;
    return this.#guarded(() => this.#handle.read(buffer, this.#at));
  }

  write(offset: number, bytes: Uint8Array): number {
    this.#at.at = offset;
    return this.#guarded(() => this.#handle.write(bytes, this.#at));
  }

  truncate(size: number): void {
    this.#guarded(() => this.#handle.truncate(size));
  }

  flush(): void {
    this.#guarded(() => this.#handle.flush());
  }

  close(): void {
    this.#handle.close();
  }

  #guarded<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      const { name, message } = error as Error;
      throw `${name === 'QuotaExceededError' ? 'storage_full' : 'io'}\n${name}: ${message}`;
    }
  }
}

async function directory(create: boolean): Promise<DirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return (await root.getDirectoryHandle(DIRECTORY, { create })) as DirectoryHandle;
}

function is(error: unknown, name: string): boolean {
  return (error as { name?: string } | null)?.name === name;
}

/** Opens a database's file. Who has it open exclusively may be about to close it: tries for `wait` milliseconds. */
export async function openOpfs(name: string, create: boolean, wait: number): Promise<OpfsFile> {
  let file: FileHandle;
  try {
    file = (await (await directory(create)).getFileHandle(name + SUFFIX, { create })) as FileHandle;
  } catch (error) {
    if (is(error, 'NotFoundError')) throw fail('not_a_database', `there is no database ${name}`);
    throw unavailable(error);
  }
  if (typeof file.createSyncAccessHandle !== 'function') throw unavailable(new Error('no synchronous access handles in this worker'));
  const until = Date.now() + wait;
  for (;;) {
    try {
      return new OpfsFile(await file.createSyncAccessHandle());
    } catch (error) {
      if (!is(error, 'NoModificationAllowedError')) throw unavailable(error);
      if (Date.now() >= until) throw fail('busy', `the database ${name} is open elsewhere`, 'another tab has it; close it there, or try again');
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function unavailable(error: unknown): DriftError {
  return new DriftError({ code: 'no_storage', message: `OPFS cannot be used here: ${(error as Error).message}` }, { cause: error });
}

/** The names of the databases. */
export async function listOpfs(): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const name of (await directory(false)).keys()) {
      if (name.endsWith(SUFFIX)) names.push(name.slice(0, -SUFFIX.length));
    }
  } catch (error) {
    if (!is(error, 'NotFoundError')) throw unavailable(error);
  }
  return names;
}

/** Deletes a database; whether there was one. */
export async function deleteOpfs(name: string): Promise<boolean> {
  try {
    await (await directory(false)).removeEntry(name + SUFFIX);
    return true;
  } catch (error) {
    if (is(error, 'NotFoundError')) return false;
    if (is(error, 'NoModificationAllowedError')) throw fail('busy', `the database ${name} is open`, 'close it first, in every tab');
    throw unavailable(error);
  }
}
