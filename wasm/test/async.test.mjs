// The asynchronous API over a worker thread.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DriftError, open } from '../dist/index.js';

const home = mkdtempSync(join(tmpdir(), 'driftdb-async-'));
after(() => rmSync(home, { recursive: true }));

async function orders(options) {
  const db = await open({ storage: 'memory', ...options });
  await db.exec('CREATE TABLE orders (pk=id, INDEX(status))');
  return db;
}

async function filled(count) {
  const db = await orders();
  for (let from = 0; from < count; from += 5_000) {
    await db.table('orders').insert(Array.from({ length: 5_000 }, (_, i) => ({ id: from + i, status: 'x'.repeat(50), n: i % 7 })));
  }
  return db;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Something that is waited for until it is opened; who waits goes on in a turn of its own, outside of any transaction's callback. */
function gate() {
  let open;
  const opened = new Promise((resolve) => (open = () => setTimeout(resolve)));
  return { opened, open };
}

test('importing touches no Worker, no navigator, no fetch', () => {
  const script = `
    for (const name of ['Worker', 'navigator', 'fetch', 'WebAssembly', 'window', 'document', 'indexedDB']) {
      Object.defineProperty(globalThis, name, { get() { throw new Error(name + ' was touched'); }, configurable: true });
    }
    await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)});
    console.log('fine');
  `;
  assert.equal(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).trim(), 'fine');
});

test('the everyday', async () => {
  const db = await orders();
  assert.equal(db.storage, 'memory');
  const table = db.table('orders');
  assert.equal((await table.insert([{ id: 'a', status: 'new' }, { id: 'b' }], { by: 'ann', why: 'test' })).seq, 2);
  assert.deepEqual(await table.get('a'), { id: 'a', status: 'new' });
  assert.equal(await table.get('zz'), undefined);
  await table.patch('a', { status: 'paid' });
  await table.delete('b');
  assert.deepEqual(await table.get('b', { asOf: { seq: 2 } }), { id: 'b' });
  assert.deepEqual((await table.history('a')).map(({ event, by }) => [event, by]), [['INSERT', 'ann'], ['PATCH', null]]);
  assert.deepEqual((await db.query('SELECT status FROM orders WHERE id = :id', { id: 'a' })).rows, [{ status: 'paid' }]);
  assert.equal((await db.sql`SELECT * FROM orders WHERE status = ${'paid'}`).length, 1);
  assert.deepEqual(await db.diff({ seq: 2 }, { seq: 3 }), [{ table: 'orders', key: 'a', change: 'changed', changed: { status: ['new', 'paid'] } }]);
  assert.deepEqual((await db.asOf({ seq: 1 }).query('SELECT id FROM orders')).rows, [{ id: 'a' }]);
  await assert.rejects(db.asOf({ seq: 1 }).table('orders').insert({ id: 'c' }), { code: 'read_only' });
  assert.deepEqual(await db.verify(), { ok: true, events: 4, findings: [] });
  assert.equal((await db.stats()).tables[0].events, 4);
  const events = [{ start: 0, end: 2, tables: { orders: 2 } }, { start: 2, end: 4, tables: { orders: 2 } }];
  assert.deepEqual(await db.timeline({ buckets: 2 }), { from: 0, to: 4, buckets: events });
  await assert.rejects(db.timeline({ buckets: 0 }), { code: 'out_of_range' });
  const prepared = db.prepare('SELECT id FROM orders WHERE id = ?');
  assert.deepEqual((await prepared.query(['a'])).at(0), { id: 'a' });
  await db.flush();
  await db.close();
  await assert.rejects(db.query('SHOW TABLES'), { code: 'closed' });
});

test('errors cross as they are', async () => {
  const db = await orders();
  await assert.rejects(db.query('SELECT * FROM orders WHERE'), (error) => {
    assert.ok(error instanceof DriftError);
    assert.deepEqual([error.code, error.position.line, error.retryable], ['syntax', 1, false]);
    return true;
  });
  await assert.rejects(db.query('SELECT * FROM ordrs'), { code: 'unknown_table', hint: /orders/ });
  await assert.rejects(db.table('orders').insert({ id: 1, f: () => 0 }), { code: 'invalid_value', position: { path: 'insert[0].f' } });
  await db.close();
});

test('streams come in pieces and can be left', async () => {
  const db = await filled(20_000);
  let count = 0;
  for await (const row of db.stream('SELECT * FROM orders')) assert.equal(row.id, count++);
  assert.equal(count, 20_000);
  for await (const row of db.stream('SELECT * FROM orders')) if (row.id === 3) break;
  const controller = new AbortController();
  await assert.rejects(async () => {
    for await (const row of db.stream('SELECT * FROM orders', [], { signal: controller.signal })) if (row.id === 10) controller.abort(new Error('enough'));
  }, /enough/);
  await assert.rejects(async () => {
    for await (const _ of db.stream('INSERT INTO orders {"id": -1}'));
  }, { code: 'unsupported' });
  await db.close();
});

test('an abort rejects with its reason, and the engine is free at once', async () => {
  const db = await filled(60_000);
  const slow = 'SELECT n, COUNT(*) AS c, MAX(status) AS m FROM orders WHERE status LIKE "%y%x%z%" OR n < 100 GROUP BY n ORDER BY c';
  // What the engine does is told in processor time: other programs may keep this one waiting for as long as they like.
  const spent = async (action) => {
    const before = process.cpuUsage();
    const started = performance.now();
    await action();
    const { user, system } = process.cpuUsage(before);
    return { cpu: user + system, ms: performance.now() - started };
  };
  const usual = await spent(() => db.query(slow));
  const aborted = await spent(async () => {
    const controller = new AbortController();
    const running = db.query(slow, [], { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('changed my mind')), usual.ms / 20);
    await assert.rejects(running, /changed my mind/);
    await db.query('SHOW TABLES');
  });
  assert.ok(aborted.cpu < usual.cpu * 0.8, `${aborted.cpu} of ${usual.cpu} us`);
  await assert.rejects(db.query('SHOW TABLES', [], { signal: AbortSignal.abort('before') }), (reason) => reason === 'before');
  await db.close();
});

test('a long query does not keep a short one waiting', async () => {
  const db = await filled(60_000);
  const order = [];
  await Promise.all([
    db.query('SELECT status, COUNT(*) AS c FROM orders GROUP BY status').then(() => order.push('long')),
    db.table('orders').get(5).then(() => order.push('short')),
  ]);
  assert.deepEqual(order, ['short', 'long']);
  await db.close();
});

test('a transaction reads its own writes, others do not, and commits whole', async () => {
  const db = await orders();
  const table = db.table('orders');
  const result = await db.transaction(async (tx) => {
    await tx.exec('INSERT INTO orders {"id": "a"}');
    await tx.table('orders').patch('a', { status: 'x' });
    assert.deepEqual(await tx.table('orders').get('a'), { id: 'a', status: 'x' });
    assert.deepEqual((await tx.query('SELECT * FROM orders')).length, 1);
    assert.equal(await table.get('a'), undefined);
    assert.equal((await db.query('SELECT * FROM orders')).length, 0);
    await assert.rejects(tx.exec('COMMIT'), { code: 'transaction' });
    return 7;
  }, { by: 'ann', why: 'ticket' });
  assert.equal(result, 7);
  assert.deepEqual((await table.history('a')).map(({ by, why }) => [by, why]), [['ann', 'ticket'], ['ann', 'ticket']]);
  let kept;
  await assert.rejects(db.transaction(async (tx) => {
    kept = tx;
    await tx.exec('INSERT INTO orders {"id": "b"}');
    throw new Error('no');
  }), /no/);
  assert.equal(await table.get('b'), undefined);
  await assert.rejects(kept.query('SHOW TABLES'), { code: 'closed' });
  await db.close();
});

test('db inside the callback is an error that names tx', async () => {
  const db = await orders();
  const wrapped = async () => db.exec('INSERT INTO orders {"id": 1}');
  await db.transaction(async (tx) => {
    await assert.rejects(db.exec('INSERT INTO orders {"id": 1}'), { code: 'transaction', hint: /tx/ });
    await tx.exec('INSERT INTO orders {"id": 2}');
    await assert.rejects(wrapped(), { code: 'transaction' });
    await Promise.resolve().then(() => 0).then(() => 0);
    await assert.rejects(db.table('orders').insert({ id: 3 }), { code: 'transaction' });
    await assert.rejects(db.transaction(async () => 0), { code: 'transaction' });
    await assert.rejects(tx.exec('nonsense'), { code: 'syntax' });
    await assert.rejects(db.exec('INSERT INTO orders {"id": 1}'), { code: 'transaction' }, 'after an error, too');
  });
  await db.exec('INSERT INTO orders {"id": 4}');
  assert.equal((await db.query('SELECT * FROM orders')).length, 2);
  await db.close();
});

test('where that cannot be told, the wait ends and names tx', async () => {
  const db = await orders({ busyTimeout: 100 });
  await db.transaction(async () => {
    await sleep(10);
    await assert.rejects(db.exec('INSERT INTO orders {"id": 1}'), { code: 'busy', retryable: true, message: /tx/ });
  });
  await db.close();
});

test('others wait in order, up to their busyTimeout', async () => {
  const dir = join(home, 'order');
  const [db, other, hasty] = [await open(dir), await open(dir), await open({ dir, busyTimeout: 30 })];
  await db.exec('CREATE TABLE orders (pk=id)');
  const order = [];
  const [begun, release] = [gate(), gate()];
  const started = db.transaction(async (tx) => {
    await tx.exec('INSERT INTO orders {"id": 0}');
    begun.open();
    await release.opened;
    order.push('transaction');
  });
  await begun.opened;
  const waiting = [1, 2, 3].map((id) => other.table('orders').insert({ id }).then(() => order.push(id)));
  await assert.rejects(hasty.table('orders').insert({ id: 9 }), { code: 'busy' });
  const controller = new AbortController();
  const aborted = other.table('orders').insert({ id: 8 }, { signal: controller.signal });
  controller.abort(new Error('no more'));
  await assert.rejects(aborted, /no more/);
  release.open();
  await Promise.all([started, ...waiting]);
  assert.deepEqual(order, ['transaction', 1, 2, 3]);
  assert.equal((await db.query('SELECT * FROM orders')).length, 4);
  await Promise.all([db.close(), other.close(), hasty.close()]);
});

test('a busyTimeout without end waits', async () => {
  const dir = join(home, 'patient');
  const db = await open({ dir, busyTimeout: Infinity });
  await db.exec('CREATE TABLE t (pk=id)');
  const [begun, release] = [gate(), gate()];
  const started = db.transaction(() => (begun.open(), release.opened));
  await begun.opened;
  const waiting = db.table('t').insert({ id: 1 });
  await sleep(50);
  release.open();
  await Promise.all([started, waiting]);
  await db.close();
});

test('what is under way when the database is closed ends', async () => {
  const db = await open({ dir: join(home, 'under way') });
  await db.exec('CREATE TABLE t (pk=id)');
  const [begun, release] = [gate(), gate()];
  const started = db.transaction(() => (begun.open(), release.opened));
  await begun.opened;
  const waiting = db.table('t').insert({ id: 1 });
  setTimeout(release.open, 50);
  await Promise.all([assert.rejects(waiting, { code: 'closed' }), assert.rejects(started, { code: 'closed' }), db.close()]);
});

test('handles of one database share it, counted', async () => {
  const dir = join(home, 'shared');
  const [a, b] = await Promise.all([open(dir), open({ dir, integers: 'bigint' })]);
  await a.exec('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1}');
  assert.deepEqual(await b.table('t').get(1), { id: 1n });
  await assert.rejects(open({ dir, durability: 'batch' }), { code: 'invalid_value' });
  await a.close();
  await assert.rejects(a.query('SHOW TABLES'), { code: 'closed' });
  assert.equal((await b.query('SELECT * FROM t')).length, 1);
  const closing = b.close();
  const again = await open(dir);
  await closing;
  assert.equal((await again.query('SELECT * FROM t')).length, 1);
  await again.close();
});

test('another process has it: busy', async () => {
  const dir = join(home, 'other');
  const db = await open(dir);
  const script = `
    import { open } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
    await open(${JSON.stringify(dir)}).catch((error) => console.log(error.code));
  `;
  assert.equal(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).trim(), 'busy');
  await db.close();
});

test('a program that forgets to close ends all the same', () => {
  const dir = join(home, 'forgotten');
  const script = `
    import { open } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
    const db = await open(${JSON.stringify(dir)});
    await db.exec('CREATE TABLE IF NOT EXISTS t (pk=id); UPSERT INTO t {"id": 1}');
    console.log((await db.query('SELECT * FROM t')).length);
  `;
  for (let i = 0; i < 2; i++) {
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 120_000 });
    assert.equal(printed.trim(), '1');
  }
});

test('await using closes', async () => {
  const dir = join(home, 'using');
  const db = await open(dir);
  await db[Symbol.asyncDispose]();
  const again = await open(dir);
  await again.close();
});
