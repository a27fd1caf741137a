// Opening the engine over the storage that a place names.

import { fail } from '../errors.js';
import { instantiate } from '../generated/glue.js';
import { Core } from '../host/core.js';
import type { Home } from '../host/host.js';
import type { Place, Storage } from '../protocol.js';
import { loadModule } from './module.js';
import { NodeFiles } from './node-files.js';

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

/** Opens any storage. */
export async function open(place: Place): Promise<Home> {
  const module = await loadModule(place);
  return openSync(module, place);
}
