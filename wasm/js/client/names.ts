// The databases of this origin, by name.

import { DriftError } from '../errors.js';
import { checkName } from '../options.js';
import { deleteIdb, listIdb } from '../platform/idb.js';
import { deleteOpfs, listOpfs } from '../platform/opfs.js';

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
  const [opfs, idb] = [await orNone(deleteOpfs(checkName(name)), false), await deleteIdb(name)];
  return opfs || idb;
}
