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

/** A request's number. */
const asked = (number, again = false) => ({ asked: { client: 'c', number, again } });
const written = (buffers) => {
  const { events, seq } = new parts.Batch(buffers.at(-1), 'auto', false);
  return { events, seq };
};

test('a request that is sent again is done once: statements, scripts, transactions', async () => {
  const host = await start({ dir: join(home, 'once') });
  const send = async (text, number, again) => written(await host.call(1, { ...script(text), ...asked(number, again) }));
  await send('CREATE TABLE t (pk=id)', 1);
  await send('CREATE TABLE t (pk=id)', 1, true);
  await assert.rejects(send('CREATE TABLE t (pk=id, INDEX(n))', 1, true), { code: 'table_exists' });
  await assert.rejects(send('CREATE TABLE t (pk=id)', 2), { code: 'table_exists' });
  const insert = 'INSERT INTO t {"id": 1}';
  assert.deepEqual(await send(insert, 3), { events: 1, seq: 1 });
  host.stop();
  assert.deepEqual(await send(insert, 3, true), { events: 1, seq: 1 });
  await assert.rejects(send(insert, 4), { code: 'duplicate_key' });
  await assert.rejects(send('INSERT INTO t {"id": 9}', 3), { code: 'conflict' });
  // Of a script the first statement was done.
  const two = 'UPSERT INTO t {"id": 2, "n": 1}; SELECT * FROM t; PATCH t KEY 2 SET {"n": 2}';
  await send('UPSERT INTO t {"id": 2, "n": 1}', 5);
  assert.deepEqual(await send(two, 5, true), { events: 2, seq: 3 });
  assert.deepEqual(await send(two, 5, true), { events: 1, seq: 3 });
  const whole = 'BEGIN; INSERT INTO t {"id": 3}; INSERT INTO t {"id": 4}; COMMIT; INSERT INTO t {"id": 5}';
  await send('BEGIN; INSERT INTO t {"id": 3}; INSERT INTO t {"id": 4}; COMMIT', 6);
  assert.deepEqual(await send(whole, 6, true), { events: 3, seq: 6 });
  await assert.rejects(host.call(1, { ...script('BEGIN; INSERT INTO t {"id": 6}'), ...asked(7) }), { code: 'transaction' });
  assert.deepEqual(await send('BEGIN; INSERT INTO t {"id": 6}; COMMIT', 7, true), { events: 1, seq: 7 }, 'what was taken back was not done');
  const upsert = parts.tableCall({}, 'upsert', 't', [{ id: 7, n: 1 }]);
  for (const again of [false, true]) assert.deepEqual(written(await host.call(1, { ...upsert, ...asked(8, again) })), { events: 1, seq: 8 });
  await host.close();
});

test('a commit in doubt is answered truly by the next host', async () => {
  const dir = join(home, 'doubt');
  let host = await start({ dir });
  await host.call(1, script('CREATE TABLE t (pk=id)'));
  const tx = await host.call(1, { op: 'begin', ...asked(1) });
  await host.call(1, script('INSERT INTO t {"id": 1}; INSERT INTO t {"id": 2}', { tx }));
  const answer = written([await host.call(1, { op: 'commit', tx, ...asked(1) })]);
  assert.deepEqual(answer, { events: 2, seq: 2 });
  const lost = await host.call(1, { op: 'begin', ...asked(2) });
  await host.call(1, script('INSERT INTO t {"id": 3}', { tx: lost }));
  await host.close();
  host = await start({ dir });
  assert.deepEqual(written([await host.call(1, { op: 'commit', tx, ...asked(1, true) })]), answer);
  await assert.rejects(host.call(1, { op: 'commit', tx: lost, ...asked(2, true) }), { code: 'crashed', retryable: true });
  await assert.rejects(host.call(1, { op: 'commit', tx }), { code: 'crashed' });
  await assert.rejects(host.call(1, script('INSERT INTO t {"id": 4}', { tx: lost })), { code: 'crashed' }, 'it is no transaction of this host');
  assert.equal((await rows(host, 1, 'SELECT * FROM t')).length, 2);
  await host.close();
});

test('a numbered write goes on with the next engine when its own stops', async () => {
  const host = await start({ dir: join(home, 'goes on') });
  await host.call(1, script('CREATE TABLE t (pk=id)'));
  const steps = (id) => script(Array.from({ length: 2_000 }, (_, n) => `UPSERT INTO t {"id": ${id}, "n": ${n}}`).join(';'));
  /** Stops the engine when a script has done something and not yet everything. */
  const stopWithin = async (id) => {
    while ((await rows(host, 2, `SELECT * FROM t WHERE id = ${id}`)).length === 0);
    host.stop();
  };
  const numbered = host.call(1, { ...steps(1), ...asked(1) });
  await stopWithin(1);
  await numbered;
  const plain = assert.rejects(host.call(1, steps(2)), { code: 'crashed' });
  await stopWithin(2);
  await plain;
  assert.equal((await rows(host, 1, 'SHOW DRIFT t KEY 1')).length, 2_000, 'each of its statements was done once');
  assert.ok((await rows(host, 1, 'SHOW DRIFT t KEY 2')).length < 2_000);
  await host.close();
});

test('a statement of many documents leaves others their turn, and is written whole or not at all', async () => {
  const host = await start({ dir: join(home, 'bulk') });
  await host.call(1, script('CREATE TABLE t (pk=id); INSERT INTO t {"id": -1}'));
  const count = async () => (await rows(host, 2, 'SELECT COUNT(*) AS c FROM t'))[0].c;
  const bulk = (from, more = []) => parts.tableCall({}, 'insert', 't', [...Array.from({ length: 40_000 }, (_, id) => ({ id: from + id, n: id })), ...more], { by: 'ann' });
  let done = false;
  const running = host.call(1, { ...bulk(0), ...asked(1) }).finally(() => (done = true));
  let turns = 0;
  while (!done) {
    const seen = await count();
    if (!done) assert.equal(seen, 1, 'nothing of it is seen before the end');
    turns += 1;
    await new Promise(setImmediate);
  }
  assert.ok(turns > 5, `${turns} turns`);
  assert.deepEqual(written(await running), { events: 40_000, seq: 40_001 });
  assert.deepEqual(written(await host.call(1, { ...bulk(0), ...asked(1, true) })), { events: 40_000, seq: 40_001 });
  assert.equal((await rows(host, 1, 'SHOW DRIFT t KEY 39999'))[0].by, 'ann');
  await assert.rejects(host.call(1, bulk(100_000, [{ id: 7 }])), { code: 'duplicate_key' });
  assert.equal(await count(), 40_001);
  const controller = new AbortController();
  const aborted = assert.rejects(host.call(1, bulk(100_000), controller.signal), { message: 'enough' });
  // Its first part is written when it gives others their first turn.
  await count();
  controller.abort(new Error('enough'));
  await aborted;
  assert.equal(await count(), 40_001);
  const stopped = assert.rejects(host.call(1, bulk(100_000)), { code: 'crashed' });
  await count();
  host.stop();
  await stopped;
  assert.equal(await count(), 40_001);
  await host.call(2, script('INSERT INTO t {"id": -2}'));
  const tx = await host.call(1, { op: 'begin' });
  await host.call(1, { ...bulk(100_000), tx });
  await host.call(1, { op: 'rollback', tx });
  assert.equal(await count(), 40_002);
  await host.close();
});

test('the right to write is given back once when a client leaves while the engine is opened anew', async () => {
  let opened;
  const place = parts.readOptions({ dir: join(home, 'twice'), wasmUrl }).place;
  const host = await parts.Host.open(place, async (place) => {
    const home = await parts.open(place);
    opened?.();
    return home;
  });
  await host.call(1, script('CREATE TABLE t (pk=id)'));
  await host.call(1, { op: 'begin' });
  const second = host.call(2, { op: 'begin' });
  opened = () => host.leave(1);
  host.stop();
  await host.call(3, script('SHOW TABLES'));
  const tx = await second;
  await assert.rejects(host.call(3, { op: 'begin', wait: 10 }), { code: 'busy' }, 'one at a time');
  await host.call(2, script('INSERT INTO t {"id": 1}', { tx }));
  await host.call(2, { op: 'commit', tx });
  await host.call(3, script('INSERT INTO t {"id": 2}'));
  await host.close();
});

test('a commit waits also for what begins while it waits', async () => {
  const host = await start({ storage: 'memory' });
  await host.call(1, script('CREATE TABLE t (pk=id)'));
  const tx = await host.call(1, { op: 'begin' });
  const many = (from, length) => script(Array.from({ length }, (_, id) => `INSERT INTO t {"id": ${from + id}}`).join(';'), { tx });
  const first = host.call(1, many(0, 2_000));
  const commit = host.call(1, { op: 'commit', tx });
  const late = host.call(1, many(10_000, 8_000));
  await Promise.all([first, late]);
  assert.equal(written([await commit]).events, 10_000);
  await host.close();
});

/** A host whose storage is durable later: `storage.store` is what that takes. */
async function late(dir, storage) {
  const opener = async (place) => {
    const home = await parts.open(place);
    const durable = () => storage.store(home.core);
    return { core: home.core, storage: home.storage, durable };
  };
  return parts.Host.open(parts.readOptions({ dir, wasmUrl }).place, opener);
}

test('what a script has committed before its error is stored before that is told', async () => {
  let stored = 0;
  const host = await late(join(home, 'before an error'), { store: async () => void (stored += 1) });
  await assert.rejects(host.call(1, script('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1}; INSERT INTO t {"id": 1}')), { code: 'duplicate_key' });
  assert.equal(stored, 1);
  await host.close();
});

test('what cannot be stored is told to who has written it; who reads can ask again', async () => {
  let full = false;
  const storage = {
    async store(core) {
      if (!full) return;
      core.abandon();
      throw Object.assign(new Error('full'), { code: 'storage_full' });
    },
  };
  const host = await late(join(home, 'full'), storage);
  await host.call(1, script('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1}'));
  full = true;
  await assert.rejects(host.call(1, script('INSERT INTO t {"id": 2}')), { code: 'storage_full' });
  await assert.rejects(host.call(1, script('INSERT INTO t {"id": 3}; INSERT INTO t {"id": 3}')), { code: 'storage_full' }, 'its first commit is not there');
  await assert.rejects(host.call(1, script('SELECT * FROM t')), { code: 'crashed', retryable: true });
  await assert.rejects(host.call(1, { op: 'live', call: script('SELECT * FROM t') }), { code: 'crashed', retryable: true });
  full = false;
  assert.ok((await rows(host, 1, 'SELECT * FROM t')).length > 0);
  await host.close();
});

test('who waits to write when the database is closed is told', async () => {
  const host = await start({ storage: 'memory' });
  await host.call(1, script('CREATE TABLE t (pk=id)'));
  await host.call(1, { op: 'begin' });
  const waiting = assert.rejects(host.call(2, { ...script('INSERT INTO t {"id": 1}'), wait: 2 ** 31 - 1 }), { code: 'closed' });
  await host.close();
  await waiting;
});

test('upkeep waits until nobody has asked for anything for some time', async (t) => {
  let steps = 0;
  const host = await parts.Host.open(parts.readOptions({ storage: 'memory', wasmUrl }).place, async (place) => {
    const home = await parts.open(place);
    const maintain = home.core.maintain.bind(home.core);
    home.core.maintain = (count) => {
      steps += 1;
      return maintain(count);
    };
    return home;
  });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await host.call(1, script('CREATE TABLE t (pk=id)'));
  for (let at = 0; at < 5; at++) {
    t.mock.timers.tick(99);
    await host.call(1, { op: 'stats' });
  }
  assert.equal(steps, 0);
  const begun = await host.call(1, { op: 'begin' });
  const waiting = host.call(2, script('INSERT INTO t {"id": 1}'));
  for (let at = 0; at < 5; at++) t.mock.timers.tick(100);
  assert.equal(steps, 0, 'nor while a call is under way');
  await host.call(1, { op: 'rollback', tx: begun });
  await waiting;
  t.mock.timers.tick(100);
  t.mock.timers.tick(100);
  assert.ok(steps > 0);
  await host.close();
});
