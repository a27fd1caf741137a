// Opening the engine over the storage that a place names.

import { fail } from '../errors.js';
import { instantiate } from '../generated/glue.js';
import { Core } from '../host/core.js';
import type { Place, Storage } from '../protocol.js';

/** Opens what needs no waiting: memory and directories. */
export function openSync(module: WebAssembly.Module, place: Place): { core: Core; storage: Storage } {
  const instance = instantiate(module);
  switch (place.storage) {
    case 'memory':
      return { core: new Core(instance, (engine) => engine.openMemory(place.options, Date.now())), storage: 'memory' };
    default:
      throw fail('no_storage', `there is no storage ${place.storage ?? ''} here`, "storage: 'memory' keeps the database in memory");
  }
}
