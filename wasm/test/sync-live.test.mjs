// Live queries and changes of the synchronous API: told before the call returns that has committed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSync } from '../dist/sync.js';

function database() {
  const db = openSync({ storage: 'memory' });
  db.exec('CREATE TABLE t (pk=id); CREATE TABLE u (pk=id)');
  return db;
}

/** What a live query has told: the ids and the seq of each answer. */
function following(db, text = 'SELECT id FROM t', ...rest) {
  const told = [];
  const live = db.live(text, ...rest.slice(0, rest.length > 1 ? 1 : 0), ({ rows, seq }) => told.push([rows.map(({ id }) => id), seq]), rest.at(-1));
  return { told, live };
}

test('one answer at the start, then one for each call whose commits have changed it', () => {
  const db = database();
  const { told, live } = following(db);
  assert.deepEqual(told, [[[], 0]], 'told before live returns');
  db.table('t').insert({ id: 1 });
  assert.deepEqual(told.slice(1), [[[1], 1]], 'told before the commit returns');
  db.exec('INSERT INTO t {"id": 2}; INSERT INTO t {"id": 3}');
  assert.deepEqual(told.slice(2), [[[1, 2, 3], 3]], 'a script of two commits is told once');
  db.table('u').insert({ id: 9 });
  db.table('t').patch(1, { n: 1 });
  assert.equal(told.length, 3, 'not what leaves the answer as it was');
  assert.throws(() => db.exec('INSERT INTO t {"id": 4}; INSERT INTO t {"id": 1}'), { code: 'duplicate_key' });
  assert.deepEqual(told.slice(3), [[[1, 2, 3, 4], 6]], 'what was committed before an error');
  live.close();
  live.close();
  db.table('t').delete(1);
  assert.equal(told.length, 4);
  db.close();
});

test('a transaction is told once, when it is committed, and never when it is not', () => {
  const db = database();
  const { told } = following(db);
  db.transaction((tx) => {
    tx.table('t').insert({ id: 1 });
    tx.table('t').insert({ id: 2 });
    assert.equal(told.length, 1, 'nothing before the commit');
    assert.deepEqual(following(db).told, [[[], 0]], 'one that starts meanwhile has what is committed');
  });
  assert.deepEqual(told.slice(1), [[[1, 2], 2]]);
  assert.throws(() => db.transaction((tx) => {
    tx.table('t').insert({ id: 3 });
    throw new Error('no');
  }), /no/);
  assert.equal(told.length, 2);
  db.close();
});

test('a callback that writes is told by those that go on, in order', () => {
  const db = database();
  const order = [];
  db.live('SELECT MAX(id) AS max FROM t', ({ rows: [{ max }] }) => {
    order.push(`t ${max}`);
    if (max !== null && max < 3) {
      db.table('t').insert({ id: max + 1 });
      order.push(`written ${max + 1}`);
    }
  });
  db.live('SELECT COUNT(*) AS n FROM t', ({ rows: [{ n }] }) => order.push(`n ${n}`));
  order.length = 0;
  db.table('t').insert({ id: 1 });
  assert.deepEqual(order, ['t 1', 'written 2', 't 2', 'written 3', 't 3', 'n 3']);
  db.close();
});

test('a callback that fails fails no commit, and a query that fails goes on', (t) => {
  const db = database();
  const faults = [];
  t.mock.method(globalThis, 'queueMicrotask', (fault) => faults.push(fault));
  const wrong = db.live('SELECT * FROM t', () => {
    throw new Error('the callback');
  });
  assert.equal(db.table('t').insert({ id: 1 }).seq, 1);
  wrong.close();
  assert.throws(faults[0], /the callback/, 'it is thrown where nobody is in its way');
  const errors = [];
  const { told } = following(db, 'SELECT id FROM late', { onError: ({ code }) => errors.push(code) });
  assert.deepEqual([told, errors], [[], ['unknown_table']]);
  db.exec('CREATE TABLE late (pk=id); INSERT INTO late {"id": 1}');
  assert.deepEqual([told, errors], [[[[1], 2]], ['unknown_table']]);
  assert.throws(() => db.live('INSERT INTO t {"id": 7}', () => {}), { code: 'unsupported' });
  db.live('SELEC', () => {}, { onError: ({ code }) => errors.push(code) }).close();
  assert.equal(errors.at(-1), 'syntax');
  assert.throws(() => db.live('SELECT * FROM t WHERE id = ?', [], () => {}), { code: 'parameter' });
  db.close();
});

test('parameters, a point, lines that are loaded, a file that is imported, and the end', () => {
  const db = database();
  db.table('t').insert({ id: 1 });
  const one = following(db, 'SELECT id FROM t WHERE id > ?', [1], {});
  const past = following(db, 'SELECT id FROM t', { asOf: { seq: 1 } });
  db.load('{"table": "t", "op": "insert", "key": 2, "doc": {"id": 2}}');
  assert.deepEqual([one.told, past.told], [[[[], 1], [[2], 2]], [[[1], 1]]]);
  const file = [...db.export()];
  const copy = openSync({ storage: 'memory' });
  const imported = following(copy, 'SELECT id FROM t', { onError() {} });
  copy.import(file);
  assert.deepEqual(imported.told, [[[1, 2], 2]]);
  assert.throws(() => copy.import(file), { code: 'database_exists' });
  copy.table('t').insert({ id: 3 });
  assert.deepEqual(imported.told.slice(1), [[[1, 2, 3], 3]]);
  copy.live('SELECT * FROM t', ({ length }) => length > 3 && copy.close());
  copy.table('t').insert({ id: 4 });
  assert.throws(() => copy.query('SELECT * FROM t'), { code: 'closed' });
  db.close();
});

test('commits after a seq, up to the last one that was there', () => {
  const db = database();
  db.table('t').insert({ id: 1, n: 1 });
  db.transaction((tx) => {
    tx.table('t').patch(1, { n: 2 });
    tx.table('u').insert({ id: 'x' });
  }, { by: 'ann', why: 'test', meta: { ticket: 7 } });
  const all = [];
  for (const commit of db.changes({ since: 0 })) {
    all.push(commit);
    db.table('t').insert({ id: 100 + commit.seq });
  }
  const times = all.map(({ time }) => time);
  assert.deepEqual(all, [
    { seq: 1, time: times[0], by: null, why: null, meta: null, events: [{ seq: 1, table: 't', key: 1, event: 'INSERT', row: { id: 1, n: 1 } }] },
    {
      seq: 3, time: times[1], by: 'ann', why: 'test', meta: { ticket: 7 },
      events: [{ seq: 2, table: 't', key: 1, event: 'PATCH', patch: { n: 2 } }, { seq: 3, table: 'u', key: 'x', event: 'INSERT', row: { id: 'x' } }],
    },
  ]);
  assert.deepEqual([...db.changes({ since: 3 })].map(({ seq }) => seq), [4, 5]);
  assert.deepEqual([...db.changes({ since: 5 })], []);
  const many = db.changes({ since: 0 });
  many.next();
  many.return();
  db.transaction((tx) => {
    tx.table('t').insert({ id: 7 });
    assert.deepEqual([...db.changes({ since: 5 })], [], 'what is not committed is no change');
  });
  db.exec('COMPACT t');
  assert.throws(() => db.changes({ since: 0 }).next(), { code: 'before_horizon' });
  db.close();
});
