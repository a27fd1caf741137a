// The databases of this origin, by name.

import { DriftError, fail } from '../errors.js';
import { checkName } from '../options.js';
import { deleteIdb, listIdb } from '../platform/idb.js';
import { deleteOpfs, listOpfs } from '../platform/opfs.js';
import { groupOf, leaderLock } from '../tabs/messages.js';

/** How long a tab that was just closed may take to be gone, in milliseconds. */
const WAIT_MS = 1_000;

/** What there is no storage for is not there. */
async function orNone<T>(answer: Promise<T>, none: T): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof DriftError && error.code === 'no_storage') return none;
    throw error;
  }
}

/** The names of this origin's databases, sorted. */
export async function databases(): Promise<string[]> {
  const [opfs, idb] = await Promise.all([orNone(listOpfs(), []), listIdb()]);
  return [...new Set([...opfs, ...idb])].sort();
}

/** Deletes a database and all its history; whether there was one. An error if it is open anywhere. */
export async function deleteDatabase(name: string): Promise<boolean> {
  const groups = ([undefined, 'indexeddb'] as const).map((storage) => leaderLock(groupOf(checkName(name), storage)));
  const remove = async (): Promise<boolean> => {
    const [opfs, idb] = [await orNone(deleteOpfs(name), false), await deleteIdb(name)];
    return opfs || idb;
  };
  if (globalThis.navigator?.locks === undefined) return remove();
  // Also while one tab takes over from another, when nobody has the files.
  const refused = fail('busy', `the database ${name} is open`, 'close it first, in every tab');
  let given = false;
  const locked = async ([lock, ...rest]: string[]): Promise<boolean> => {
    if (lock !== undefined) return navigator.locks.request(lock, { signal: AbortSignal.timeout(WAIT_MS) }, () => locked(rest));
    given = true;
    return remove();
  };
  return locked(groups).catch((error: unknown) => {
    throw given ? error : refused;
  });
}
