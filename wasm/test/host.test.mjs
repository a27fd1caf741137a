// The host behind the worker, taken out of the package: what becomes of it and of its clients when the engine stops, and when a client goes.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hostParts, wasmUrl } from './host.mjs';

const home = mkdtempSync(join(tmpdir(), 'driftdb-host-'));
let parts;

before(async () => {
  parts = await hostParts();
});
after(() => rmSync(home, { recursive: true }));

const start = (options) => parts.Host.open(parts.readOptions({ ...options, wasmUrl }).place, parts.open);
const script = (text, scope = {}) => parts.scriptCall(scope, text);

async function rows(host, client, text, scope) {
  const all = [];
  for (const bytes of await host.call(client, script(text, scope))) new parts.Batch(bytes, 'auto', false).rows(all);
  return all;
}

test('when the engine stops it is opened anew, and nothing acknowledged is lost', async () => {
  const dir = join(home, 'stopped');
  const host = await start({ dir });
  await host.call(1, script('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1}, {"id": 2}'));
  const tx = await host.call(1, { op: 'begin' });
  await host.call(1, script('INSERT INTO t {"id": 3}', { tx }));
  const stream = await host.call(2, { op: 'stream', call: script('SELECT * FROM t'), bytes: 64 });
  const waiting = host.call(2, { ...script('INSERT INTO t {"id": 4}'), wait: 5_000 });
  host.stop();
  assert.deepEqual(await rows(host, 2, 'SELECT * FROM t'), [{ id: 1 }, { id: 2 }]);
  await assert.rejects(host.call(1, script('INSERT INTO t {"id": 5}', { tx })), { code: 'crashed', retryable: true });
  await assert.rejects(host.call(1, { op: 'commit', tx }), { code: 'crashed', retryable: true });
  await assert.rejects(host.call(2, { op: 'more', feed: stream }), { code: 'crashed', retryable: true });
  await waiting;
  assert.deepEqual(await rows(host, 1, 'SELECT * FROM t'), [{ id: 1 }, { id: 2 }, { id: 4 }]);
  assert.equal(readFileSync(join(dir, 'LOCK'), 'utf8').split('\n')[0], '2', 'it has taken the lock again');
  await host.close();
});

test('it stops time and again, in the middle of writing', async () => {
  const host = await start({ dir: join(home, 'often') });
  await host.call(1, script('CREATE TABLE t (pk=id)'));
  let acknowledged = 0;
  for (let id = 1; id <= 60; id++) {
    if (id % 7 === 0) host.stop();
    await host.call(1, script(`INSERT INTO t {"id": ${id}}`));
    acknowledged += 1;
  }
  assert.equal((await rows(host, 1, 'SELECT * FROM t')).length, acknowledged);
  await host.close();
});

test('a database in memory ends with its engine, and says so', async () => {
  const host = await start({ storage: 'memory' });
  host.stop();
  await assert.rejects(host.call(1, script('SHOW TABLES')), { code: 'crashed' });
});

test('who leaves takes its transaction along', async () => {
  const host = await start({ storage: 'memory' });
  await host.call(1, script('CREATE TABLE t (pk=id)'));
  const tx = await host.call(1, { op: 'begin' });
  await host.call(1, script('INSERT INTO t {"id": 1}', { tx }));
  await assert.rejects(host.call(2, { ...script('INSERT INTO t {"id": 2}'), wait: 10 }), { code: 'busy' });
  await assert.rejects(host.call(2, script('INSERT INTO t {"id": 2}', { tx })), { code: 'closed' }, 'it is not of client 2');
  const waiting = host.call(2, script('INSERT INTO t {"id": 2}'));
  host.leave(1);
  await waiting;
  assert.deepEqual(await rows(host, 2, 'SELECT * FROM t'), [{ id: 2 }]);
  await host.close();
  await assert.rejects(host.call(2, script('SHOW TABLES')), { code: 'closed' });
});

test('a commit waits for what its transaction still does', async () => {
  const host = await start({ storage: 'memory' });
  await host.call(1, script('CREATE TABLE t (pk=id)'));
  await host.call(1, parts.tableCall({}, 'insert', 't', Array.from({ length: 20_000 }, (_, id) => ({ id, n: id % 10 }))));
  const tx = await host.call(1, { op: 'begin' });
  const slow = host.call(1, script('SELECT n, COUNT(*) AS c FROM t GROUP BY n; INSERT INTO t {"id": -1}', { tx }));
  const commit = host.call(1, { op: 'commit', tx });
  await Promise.all([slow, commit]);
  assert.equal((await rows(host, 1, 'SELECT * FROM t WHERE id = -1')).length, 1);
  await host.close();
});
