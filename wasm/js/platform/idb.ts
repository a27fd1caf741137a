// IndexedDB: the database lies in memory, and what changes is stored in order, one strictly durable transaction after another. wasm/src/mirror says
// what the records are.

import { DriftError, fail } from '../errors.js';
import type { Changes, Instance, Records } from '../generated/glue.js';
import { Core } from '../host/core.js';
import type { Home } from '../host/host.js';
import type { Place } from '../protocol.js';

/** Databases of IndexedDB are named so. */
const PREFIX = 'driftdb/';
const STORE = 'records';
const HEAD = 'head';
/** The largest database that is held in memory. */
const LIMIT = 512 * 2 ** 20;
/** How long a deletion waits for who has the database, in milliseconds. */
const CLAIM_MS = 100;
/** Records that are read at a time. */
const PAGE = 64;

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the request failed'));
  });
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
  });
}

/** Opens a database of IndexedDB; without `create` only one that is there. */
function connect(name: string, create: boolean): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    let made = false;
    const request = indexedDB.open(PREFIX + name, 1);
    request.onupgradeneeded = () => {
      made = true;
      if (create) request.result.createObjectStore(STORE);
      else request.transaction!.abort();
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(made && !create ? fail('not_a_database', `there is no database ${name}`) : unavailable(request.error));
  });
}

function unavailable(error: unknown): DriftError {
  return new DriftError({ code: 'no_storage', message: `IndexedDB cannot be used here: ${(error as Error | null)?.message ?? 'it was refused'}` }, { cause: error });
}

/** Takes the right to use a database, which IndexedDB itself would give to any number of tabs; what gives it back. */
async function claim(name: string, wait: number): Promise<() => void> {
  if (typeof navigator.locks === 'undefined') return () => {};
  return new Promise((resolve, reject) => {
    const held = navigator.locks.request(PREFIX + name, { signal: AbortSignal.timeout(wait) }, () => new Promise<void>((release) => resolve(release)));
    held.catch(() => reject(fail('busy', `the database ${name} is open elsewhere`, 'another tab has it; close it there, or try again')));
  });
}

/** Gives all records to the engine, a page at a time. */
async function load(db: IDBDatabase, records: Records): Promise<void> {
  const store = db.transaction(STORE, 'readonly').objectStore(STORE);
  let range: IDBKeyRange | undefined;
  for (;;) {
    const [keys, values] = await Promise.all([done(store.getAllKeys(range, PAGE)), done(store.getAll(range, PAGE))]);
    for (let i = 0; i < keys.length; i++) records.add(String(keys[i]), values[i] as Uint8Array);
    if (keys.length < PAGE) return;
    range = IDBKeyRange.lowerBound(keys[keys.length - 1]!, true);
  }
}

/** Opens the database; all of it comes into memory. */
export async function openIdb(instance: Instance, name: string, place: Place): Promise<Home> {
  if (typeof indexedDB === 'undefined') throw unavailable(new Error('there is none'));
  const release = await claim(name, place.wait);
  let db: IDBDatabase;
  try {
    db = await connect(name, place.create);
  } catch (error) {
    release();
    throw error;
  }
  const dispose = (): void => {
    db.close();
    release();
  };
  const records = new instance.Records();
  let core: Core;
  try {
    try {
      await load(db, records);
    } catch (error) {
      // The engine's errors are texts.
      throw typeof error === 'string' ? new DriftError(JSON.parse(error)) : error;
    }
    core = new Core(instance, (engine) => engine.openRecords(records, LIMIT, place.options, Date.now()));
  } catch (error) {
    dispose();
    throw error;
  }
  const journal = new Journal(db, core);
  try {
    await journal.begin();
  } catch (error) {
    core.abandon();
    dispose();
    throw error;
  }
  return { core, storage: 'indexeddb', durable: () => journal.durable(), isFull: () => journal.isFull, dispose };
}

function equal(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a?.length === b?.length && (a === undefined || a.every((byte, i) => byte === b![i]));
}

/** Stores what changes: one transaction in flight, what comes meanwhile goes with the next. */
class Journal {
  readonly #db: IDBDatabase;
  readonly #core: Core;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** What opening has changed, if there was no room for it: nobody's commit, so that everything can be read. It is stored with the first commit. */
  #owed: Changes | undefined;

  constructor(db: IDBDatabase, core: Core) {
    this.#db = db;
    this.#core = core;
  }

  /** Whether there was no room when the database was opened, and none has been found since. */
  get isFull(): boolean {
    return this.#owed !== undefined;
  }

  /** Stores what opening has changed, or keeps it for later where there is no room. */
  async begin(): Promise<void> {
    const changes = this.#core.drain();
    if (changes === undefined) return;
    try {
      await this.#put([changes]);
    } catch (error) {
      if (!(error instanceof DriftError) || error.code !== 'storage_full') throw error;
      this.#owed = changes;
    }
  }

  /** Resolves when all that is in memory now is stored. */
  durable(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#store().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    // What is in flight was taken before: whoever asks now waits for one more.
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.durable();
      });
    return this.#next;
  }

  async #store(): Promise<void> {
    const changes = this.#core.drain();
    if (changes === undefined) return;
    try {
      await this.#put(this.#owed === undefined ? [changes] : [this.#owed, changes]);
      this.#owed = undefined;
    } catch (error) {
      // What is in memory is ahead of what is stored, and nobody has seen it: it goes, and what is stored is opened anew.
      this.#core.abandon();
      throw error;
    }
  }

  /** Stores changes that follow one another, in one transaction. */
  async #put(all: readonly [Changes, ...Changes[]]): Promise<void> {
    try {
      const transaction = this.#db.transaction(STORE, 'readwrite', { durability: 'strict' });
      const store = transaction.objectStore(STORE);
      const end = ended(transaction);
      // Checked inside the transaction: another writer's head means that this one has no right any more.
      const head = store.get(HEAD);
      let fenced = false;
      head.onsuccess = () => {
        if (equal(head.result as Uint8Array | undefined, all[0].expectedHead())) {
          for (const changes of all) this.#write(store, changes);
        } else {
          fenced = true;
          transaction.abort();
        }
      };
      await end.catch((error: unknown) => {
        throw fenced ? fail('conflict', 'another writer has changed the database') : refused(error);
      });
    } catch (error) {
      throw error instanceof DriftError ? error : refused(error);
    }
    // An engine that has stopped meanwhile has nothing to free.
    if (this.#core.crashed) return;
    for (const changes of all) {
      this.#core.settled(changes.position());
      changes.free();
    }
  }

  #write(store: IDBObjectStore, changes: Changes): void {
    for (let i = 0; i < changes.deletes(); i++) {
      store.delete(IDBKeyRange.bound(changes.deleteKey(i, false), changes.deleteKey(i, true), false, true));
    }
    for (let i = 0; i < changes.puts(); i++) store.put(changes.putValue(i), changes.putKey(i));
  }
}

function refused(error: unknown): DriftError {
  const { name, message } = error as Error;
  const full = name === 'QuotaExceededError';
  return new DriftError({ code: full ? 'storage_full' : 'io', message: `IndexedDB could not store a commit: ${message || name}` }, { cause: error });
}

/** The names of the databases. */
export async function listIdb(): Promise<string[]> {
  if (typeof indexedDB === 'undefined' || typeof indexedDB.databases !== 'function') return [];
  const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
  return names.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
}

/** Deletes a database; whether there was one. */
export async function deleteIdb(name: string): Promise<boolean> {
  if (!(await listIdb()).includes(name)) return false;
  // Whoever is refused must not have it deleted later: a deletion that is asked for while the database is open comes when it is closed.
  const release = await claim(name, CLAIM_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(PREFIX + name);
      request.onsuccess = () => resolve();
      request.onerror = () => reject(unavailable(request.error));
      request.onblocked = () => reject(fail('busy', `the database ${name} is open`, 'close it first, in every tab'));
    });
  } finally {
    release();
  }
  return true;
}
