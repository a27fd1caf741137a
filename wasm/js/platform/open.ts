// Opening the engine over the storage that a place names.

import { DriftError, fail } from '../errors.js';
import { instantiate } from '../generated/glue.js';
import { Core } from '../host/core.js';
import type { Home } from '../host/host.js';
import type { Place, Storage } from '../protocol.js';
import { listIdb, openIdb } from './idb.js';
import { loadModule } from './module.js';
import { NodeFiles } from './node-files.js';
import { type OpfsFile, openOpfs } from './opfs.js';

/** Opens what needs no waiting: memory and directories. */
export function openSync(module: WebAssembly.Module, place: Place): { core: Core; storage: Storage } {
  const instance = instantiate(module);
  const now = Date.now();
  switch (place.storage) {
    case 'memory':
      return { core: new Core(instance, (engine) => engine.openMemory(place.options, now)), storage: 'memory' };
    case 'node': {
      if (place.dir === undefined) throw fail('invalid_value', "storage 'node' is kept in a directory", "open({dir: './data'})");
      const files = new NodeFiles(place.dir);
      const core = new Core(instance, (engine) => engine.openFiles(files, place.options, now), () => files.abandon());
      return { core, storage: 'node' };
    }
    default:
      throw fail('no_storage', `there is no storage ${place.storage ?? ''} here`, "storage: 'memory' keeps the database in memory");
  }
}

/** Nobody has said where the database is, and it is in IndexedDB: other tabs are asked then. */
export class InIndexedDb extends DriftError {
  constructor() {
    super({ code: 'no_storage', message: 'OPFS does not have the database any more' });
  }
}

/** Opens any storage. */
export async function open(place: Place): Promise<Home> {
  const module = loadModule(place);
  // Whoever needs it gets its error; where opening fails before that, nobody does.
  module.catch(() => undefined);
  if (place.storage === 'memory' || place.storage === 'node') return openSync(await module, place);
  const { name } = place;
  if (name === undefined) throw fail('invalid_value', 'a database in a browser has a name');
  if (place.storage === 'opfs') return openContainer(module, name, place);
  if (place.storage === undefined) {
    try {
      return await openContainer(module, name, { ...place, create: false });
    } catch (error) {
      if (!hasCode(error, 'no_storage', 'not_a_database')) throw error;
      // One that was made where there was no OPFS is not passed over for a new one.
      const isNew = hasCode(error, 'not_a_database') && !(await listIdb()).includes(name);
      if (isNew) return openContainer(module, name, place);
    }
  }
  if (place.storage === undefined && place.grouped === true) throw new InIndexedDb();
  if (place.storage === undefined || place.storage === 'indexeddb') {
    try {
      return await openIdb(instantiate(await module), name, place);
    } catch (error) {
      const asked = place.storage === 'indexeddb' && place.fallen !== true;
      if (asked || !hasCode(error, 'no_storage')) throw error;
    }
  }
  throw fail('no_storage', 'nothing here keeps a database: there is neither OPFS nor IndexedDB', "storage: 'memory' keeps it as long as it is open");
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof DriftError && codes.includes(error.code);
}

async function openContainer(module: Promise<WebAssembly.Module>, name: string, place: Place): Promise<Home> {
  // A file that is there is opened while the module is compiled; none is made for a module that cannot be had.
  const found = await openFound(name, place);
  const instance = await module.then(instantiate).catch((error: unknown) => {
    found?.close();
    throw error;
  });
  const file = found ?? (await openOpfs(name, place.create, place.wait));
  const core = new Core(instance, (engine) => engine.openContainer(file, name, place.options, Date.now()), () => file.close());
  return { core, storage: 'opfs' };
}

/** The file of a database, if there is one. */
async function openFound(name: string, place: Place): Promise<OpfsFile | undefined> {
  try {
    return await openOpfs(name, false, place.wait);
  } catch (error) {
    if (place.create && hasCode(error, 'not_a_database')) return undefined;
    throw error;
  }
}
