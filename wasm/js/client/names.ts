// The databases of this origin, by name.

import { checkName } from '../options.js';
import { deleteOpfs, listOpfs } from '../platform/opfs.js';

/** The names of this origin's databases, sorted. */
export async function databases(): Promise<string[]> {
  return (await listOpfs()).sort();
}

/** Deletes a database and all its history; whether there was one. An error if it is open anywhere. */
export async function deleteDatabase(name: string): Promise<boolean> {
  return deleteOpfs(checkName(name));
}
