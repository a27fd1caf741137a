// Migrations: each once, whole or not at all, however many open the database.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { open } from '../dist/index.js';
import { openSync } from '../dist/sync.js';

const home = mkdtempSync(join(tmpdir(), 'driftdb-migrations-'));
after(() => rmSync(home, { recursive: true }));

const first = 'CREATE TABLE orders (pk=id); INSERT INTO orders {"id": 1, "total": 5}';
const second = async (tx) => {
  for (const row of (await tx.query('SELECT * FROM orders')).rows) await tx.table('orders').patch(row.id, { cents: row.total * 100 });
};

test('what has not run runs, in order, and is recorded', async () => {
  const dir = join(home, 'steps');
  let db = await open({ dir, migrations: [first] });
  await db.close();
  db = await open({ dir, migrations: [first, second, 'UPSERT INTO orders {"id": 2}; CREATE TABLE notes (pk=id)'] });
  assert.deepEqual((await db.query('SELECT * FROM orders')).rows, [{ id: 1, total: 5, cents: 500 }, { id: 2 }]);
  assert.deepEqual((await db.query('SELECT number, function FROM driftdb_migrations')).rows, [
    { number: 1, function: null }, { number: 2, function: 'second' }, { number: 3, function: null },
  ]);
  assert.equal((await db.table('orders').history(1))[1].why, 'migration 2');
  const { seq } = await db.stats();
  await db.close();
  db = await open({ dir, migrations: [first, second, 'this is no script, and is not looked at'] });
  assert.equal((await db.stats()).seq, seq);
  await db.close();
  await assert.rejects(open({ dir, migrations: [first] }), { code: 'newer_format' });
  db = await open({ dir });
  await db.close();
});

test('one that fails has done nothing, and is tried again', async () => {
  const dir = join(home, 'failing');
  const broken = 'CREATE TABLE a (pk=id); INSERT INTO a {"id": 1}; INSERT INTO a {"id": 1}';
  await assert.rejects(open({ dir, migrations: [first, broken] }), { code: 'duplicate_key' });
  await assert.rejects(open({ dir, migrations: [first, () => { throw new Error('mine'); }] }), /mine/);
  await assert.rejects(open({ dir, migrations: [first, 'INSERT INTO'] }), { code: 'syntax' });
  await assert.rejects(open({ dir, migrations: [first, 'INSERT INTO orders {"id": 9}; COMMIT'] }), { code: 'transaction' });
  await assert.rejects(open({ dir, migrations: [first, 7] }), { code: 'invalid_value' });
  const db = await open({ dir, migrations: [first, broken.replace('{"id": 1}; I', '{"id": 2}; I')] });
  assert.deepEqual((await db.query('SELECT id FROM a')).rows, [{ id: 1 }, { id: 2 }]);
  assert.equal((await db.query('SELECT * FROM driftdb_migrations')).length, 2);
  await db.close();
});

test('two handles that open at once run each once', async () => {
  for (let round = 0; round < 5; round++) {
    let runs = 0;
    const migrations = [first, async (tx) => {
      runs += 1;
      await second(tx);
    }, 'INSERT INTO orders {"id": 7}'];
    const handles = await Promise.all([0, 1, 2].map(() => open({ dir: join(home, `two${round}`), migrations })));
    assert.equal(runs, 1);
    assert.equal((await handles[2].stats()).seq, 6);
    await Promise.all(handles.map((db) => db.close()));
  }
});

test('the synchronous API has them too', () => {
  const dir = join(home, 'sync');
  const migrations = [first, (tx) => tx.table('orders').insert({ id: 2 })];
  openSync({ dir, migrations: [first] }).close();
  let db = openSync({ dir, migrations });
  assert.equal(db.query('SELECT * FROM orders').length, 2);
  db.close();
  db = openSync({ dir, migrations, readOnly: true });
  db.close();
  assert.throws(() => openSync({ dir, migrations: [...migrations, 'INSERT INTO orders {"id": 3}; INSERT INTO orders {"id": 3}'] }), { code: 'duplicate_key' });
  db = openSync({ dir });
  assert.equal(db.query('SELECT * FROM orders').length, 2);
  db.close();
});
