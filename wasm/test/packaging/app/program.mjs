// The same in Node, Deno and Bun, over a directory.
import { open } from 'driftdb';
import { openSync } from 'driftdb/sync';

const dir = process.argv[2];
const db = await open({ dir });
await db.exec('CREATE TABLE IF NOT EXISTS t (pk=id)');
await db.table('t').upsert([{ id: 1 }, { id: 2, n: 2n ** 60n }]);
const file = new Uint8Array(await new Response(db.export()).arrayBuffer());
let second;
try {
  openSync({ dir, busyTimeout: 0 });
} catch (error) {
  second = error.code;
}
await db.close();
const again = openSync({ dir });
const copy = openSync({ storage: 'memory' });
copy.import(file);
console.log(JSON.stringify([db.storage, second, again.query('SELECT id FROM t').rows, copy.verify()]));
again.close();
