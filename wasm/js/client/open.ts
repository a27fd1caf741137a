// Opening: handles of one database in one page share one worker, counted.

import type { OpenOptions } from '../api.js';
import { fail } from '../errors.js';
import { type Settings, fromText, readOptions } from '../options.js';
import type { Place, Storage } from '../protocol.js';
import type { Channel } from './channel.js';
import { Database } from './database.js';
import { Link } from './link.js';
import { type Migration, migrate } from './migrate.js';
import { type WorkerSource, spawn } from './spawn.js';

/** What `open` takes, with what only pages have. */
export interface PageOptions extends OpenOptions {
  /** The worker that runs `driftdb/worker`, or what makes it; for bundlers that do not find it themselves. */
  worker?: WorkerSource;
  /**
   * Whether other tabs may have a browser's database open too, the default. Otherwise this page has it alone, or gets `busy`; as where it is opened for reading
   * only.
   */
  multiTab?: boolean;
  /** The steps of this application's database: each runs once, those that have not run yet when it is opened. */
  migrations?: readonly Migration[];
}

interface Shared {
  /** Set once its last handle is closed: who opens it again waits for that. */
  closing?: Promise<void>;
  options: string;
  handles: number;
  ready: Promise<{ channel: Channel; storage: Storage }>;
}

/** Where tabs share what they have. */
const BROWSER: readonly Storage[] = ['opfs', 'indexeddb'];

/** Open databases by where they are. */
const shared = new Map<string, Shared>();

/** Opens a database, or shares the one that is open. */
export async function open(given: string | PageOptions): Promise<Database> {
  const { worker, multiTab, migrations, ...options }: PageOptions = typeof given === 'string' ? fromText(given) : given;
  const { place, settings } = readOptions(options);
  place.shared = multiTab !== false && options.readOnly !== true && place.name !== undefined && (place.storage === undefined || BROWSER.includes(place.storage));
  const key = keyOf(place);
  const asked = `${place.options.join()} ${place.shared}`;
  let one = key === undefined ? undefined : shared.get(key);
  while (one?.closing !== undefined) {
    await one.closing.catch(() => {});
    one = shared.get(key!);
  }
  if (one !== undefined && one.options !== asked) {
    throw fail('invalid_value', 'the database is open here already, with other options');
  }
  if (one === undefined) {
    one = { options: asked, handles: 0, ready: start(place, worker) };
    if (key !== undefined) shared.set(key, one);
    one.ready.catch(() => forget(key, one!));
  }
  one.handles += 1;
  const { channel, storage } = await one.ready;
  const db = handle(channel, settings, storage, key, one);
  try {
    if (migrations !== undefined && options.readOnly !== true) await migrate(db, migrations);
  } catch (error) {
    await db.close().catch(() => {});
    throw error;
  }
  return db;
}

function keyOf(place: Place): string | undefined {
  if (place.storage === 'memory' && place.name === undefined) return undefined;
  return JSON.stringify([place.storage ?? '', place.name ?? '', place.dir ?? '']);
}

function forget(key: string | undefined, one: Shared): void {
  if (key !== undefined && shared.get(key) === one) shared.delete(key);
}

async function start(place: Place, worker: WorkerSource | undefined): Promise<{ channel: Channel; storage: Storage }> {
  const channel = spawn(worker);
  try {
    if (place.shared === true && typeof document !== 'undefined') place.visible = channel.watchPage();
    const { storage } = await channel.open(place);
    return { channel, storage };
  } catch (error) {
    await channel.close().catch(() => {});
    throw error;
  }
}

function handle(channel: Channel, settings: Settings, storage: Storage, key: string | undefined, one: Shared): Database {
  return new Database(new Link(channel, settings), storage, async () => {
    one.handles -= 1;
    if (one.handles > 0) return;
    one.closing = channel.close().finally(() => forget(key, one));
    await one.closing;
  });
}
