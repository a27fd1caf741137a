// The synchronous API on a database in memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DriftError, open, openSync } from '../dist/sync.js';

function orders() {
  const db = openSync({ storage: 'memory' });
  db.exec('CREATE TABLE orders (pk=id, INDEX(status))');
  return db;
}

test('the three lines', async () => {
  const db = await open({ storage: 'memory' });
  db.exec('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1, "a": 2}');
  assert.deepEqual(db.query('SELECT a FROM t').rows, [{ a: 2 }]);
  assert.equal(db.storage, 'memory');
  db.close();
  db.close();
  assert.throws(() => db.query('SELECT a FROM t'), { code: 'closed' });
});

test('queries, parameters, templates, prepared statements', () => {
  const db = orders();
  assert.deepEqual(db.exec('INSERT INTO orders ?, {"id": :id}'.replace(':id', '?'), [{ id: 'a', status: 'new' }, 'b']).events, 2);
  const result = db.query('SELECT id, status FROM orders WHERE status = :s', { s: 'new' });
  assert.deepEqual(result.toJSON(), { columns: ['id', 'status'], seq: 2, rows: [{ id: 'a', status: 'new' }] });
  assert.deepEqual(db.sql`SELECT id FROM orders WHERE id = ${'b'}`.rows, [{ id: 'b' }]);
  assert.equal(db.sql`SELECT COUNT(*) AS n FROM orders AS OF ${'@seq:1'}`.at(0).n, 1);
  assert.equal(db.query('SELECT * FROM orders').columns, null);
  const prepared = db.prepare('SELECT status FROM orders WHERE id = ?');
  assert.deepEqual(prepared.query(['a']).rows, [{ status: 'new' }]);
  assert.deepEqual(prepared.query(['zz']).rows, []);
  assert.throws(() => prepared.query(), { code: 'parameter' });
  assert.throws(() => prepared.query(['a', 'b']), { code: 'parameter' });
  assert.deepEqual([...prepared.stream(['b'])], [{ status: null }]);
  db.close();
});

test('the everyday of a table', () => {
  const db = orders();
  const table = db.table('orders');
  assert.equal(table.insert([{ id: 'a', status: 'new' }, { id: 'b', status: 'new' }], { by: 'ann', why: 'test', meta: { ticket: 1 } }).seq, 2);
  assert.deepEqual(table.get('a'), { id: 'a', status: 'new' });
  assert.equal(table.get('zz'), undefined);
  table.patch('a', { status: 'paid' });
  table.upsert({ id: 'b', status: 'odd' });
  table.delete('b');
  assert.equal(table.get('b'), undefined);
  assert.deepEqual(table.get('b', { asOf: { seq: 4 } }), { id: 'b', status: 'odd' });
  assert.deepEqual(table.asOf('@seq:2').get('b'), { id: 'b', status: 'new' });
  table.restore('b', { seq: 2 });
  assert.deepEqual(table.get('b'), { id: 'b', status: 'new' });
  const history = table.history('b');
  assert.deepEqual(history.map(({ event }) => event), ['INSERT', 'INSERT', 'SOFT_DELETE', 'INSERT']);
  assert.deepEqual([history[0].by, history[0].why, history[0].meta], ['ann', 'test', { ticket: 1 }]);
  assert.equal(table.asOf({ seq: 4 }).history('b').length, 2);
  assert.deepEqual(table.diff({ seq: 2 }, { seq: 3 }), [{ key: 'a', change: 'changed', changed: { status: ['new', 'paid'] } }]);
  assert.equal(table.diff({ seq: 2 }, { seq: 5 }, { key: 'b' }).length, 1);
  assert.deepEqual(db.diff({ seq: 2 }, { seq: 3 })[0].table, 'orders');
  assert.throws(() => table.insert({ id: 'a' }), { code: 'duplicate_key' });
  assert.throws(() => table.patch('zz', {}), { code: 'no_such_row', retryable: false });
  db.close();
});

test('the past only reads', () => {
  const db = orders();
  db.table('orders').insert([{ id: 1 }, { id: 2 }]);
  const past = db.asOf({ seq: 1 });
  assert.deepEqual(past.query('SELECT id FROM orders').rows, [{ id: 1 }]);
  assert.equal(past.query('SELECT id FROM orders').seq, 1);
  assert.deepEqual(past.query('SELECT id FROM orders AS OF "@seq:2"').length, 2, 'a point in the text wins');
  assert.deepEqual(past.table('orders').get(2), undefined);
  assert.equal(db.asOf(new Date(Date.now() + 1000)).query('SELECT * FROM orders').length, 2);
  assert.throws(() => past.table('orders').insert({ id: 3 }), { code: 'read_only' });
  assert.throws(() => past.query('INSERT INTO orders {"id": 3}'), { code: 'read_only' });
  assert.throws(() => db.asOf('yesterday').query('SELECT * FROM orders'), { code: 'invalid_point' });
  assert.throws(() => db.asOf(new Date(NaN)), { code: 'invalid_point' });
  db.close();
});

test('transactions', () => {
  const db = orders();
  const table = db.table('orders');
  const result = db.transaction((tx) => {
    tx.exec('INSERT INTO orders {"id": "a"}');
    tx.table('orders').patch('a', { status: 'x' });
    assert.deepEqual(tx.table('orders').get('a'), { id: 'a', status: 'x' });
    assert.equal(table.get('a'), undefined, 'nobody else sees it');
    assert.deepEqual(db.query('SELECT * FROM orders').rows, []);
    assert.throws(() => table.insert({ id: 'b' }), { code: 'transaction', message: /tx/ });
    assert.throws(() => tx.exec('COMMIT'), { code: 'transaction' });
    assert.throws(() => db.transaction(() => 0), { code: 'transaction' });
    return 7;
  }, { by: 'ann' });
  assert.equal(result, 7);
  assert.equal(table.history('a')[1].by, 'ann');
  let kept;
  assert.throws(() => db.transaction((tx) => {
    kept = tx;
    tx.exec('INSERT INTO orders {"id": "b"}');
    throw new Error('no');
  }), /no/);
  assert.equal(table.get('b'), undefined);
  assert.throws(() => kept.query('SHOW TABLES'), { code: 'closed' });
  assert.throws(() => db.transaction(async () => 0), { code: 'transaction' });
  assert.throws(() => db.exec('BEGIN; INSERT INTO orders {"id": "c"}'), { code: 'transaction' });
  assert.equal(db.exec('BEGIN; INSERT INTO orders {"id": "c"}, {"id": "d"}; COMMIT').events, 2);
  assert.equal(db.query('SELECT * FROM orders').length, 3);
  db.close();
});

test('a script runs up to its mistake', () => {
  const db = orders();
  assert.throws(() => db.exec('INSERT INTO orders {"id": 1};\nINSERT INTO orders {"id": 😀'), (error) => {
    assert.ok(error instanceof DriftError);
    assert.equal(error.code, 'syntax');
    assert.equal(error.position.line, 2);
    return true;
  });
  assert.equal(db.query('SELECT * FROM orders').length, 1);
  assert.throws(() => db.query('SELECT 😀x, x FROM nope'), { code: 'syntax' });
  assert.throws(() => db.query('SELECT "😀" AS e, x FROM nope'), (error) => {
    assert.deepEqual([error.code, error.position.start, error.position.column], ['unknown_table', 25, 25]);
    return true;
  });
  db.close();
});

test('streams hold little', () => {
  const db = orders();
  const table = db.table('orders');
  for (let from = 0; from < 20_000; from += 1_000) {
    table.insert(Array.from({ length: 1_000 }, (_, i) => ({ id: from + i, status: 'x'.repeat(100) })));
  }
  const before = db.stats().memoryBytes;
  let count = 0;
  for (const row of db.stream('SELECT * FROM orders')) {
    assert.equal(row.id, count++);
    if (count === 15_000) break;
  }
  assert.equal(count, 15_000);
  assert.ok(db.stats().memoryBytes - before < 6 << 20, 'the whole answer has 3 MB, the delta a little more');
  assert.throws(() => [...db.stream('INSERT INTO orders {"id": -1}')], { code: 'unsupported' });
  db.close();
});

test('verify, stats, upkeep', () => {
  const db = orders();
  db.table('orders').insert({ id: 1 });
  assert.deepEqual(db.verify(), { ok: true, events: 1, findings: [] });
  const stats = db.stats();
  assert.equal(stats.seq, 1);
  assert.equal(stats.tables[0].table, 'orders');
  assert.ok(stats.memoryBytes > 0);
  assert.equal(db.exec('SNAPSHOT orders; COMPACT orders').events, 0);
  db.flush();
  while (db.maintain());
  db.close();
});

test('event lines: out, and in with their times', () => {
  const db = openSync({ storage: 'memory' });
  const lines = [
    '{"driftdb": 1}',
    '{"create": "orders", "pk": "id", "index": ["status"]}',
    '{"table": "orders", "op": "insert", "key": 7, "doc": {"id":7,"status":"new","total":1.5,"whole":2.0,"far":1e300}, "seq": 1, "ts": "2026-01-01T00:00:00.000Z"}',
    '{"table": "orders", "op": "patch", "key": 7, "patch": {"status":"paid"}, "seq": 5, "ts": "2026-01-02T00:00:00.000Z", "by": "ann"}',
    '',
  ].join('\n');
  assert.deepEqual(db.load(lines), { events: 2, seq: 5, time: Date.parse('2026-01-02') });
  assert.equal(db.dump(), lines);
  assert.equal(db.table('orders').history(7)[1].by, 'ann');
  assert.throws(() => db.dump({ maxBytes: 100 }), { code: 'limit' });
  assert.throws(() => db.load(`${lines}{"table": "orders"`), { code: 'invalid_input' });
  assert.throws(() => db.load('{"table": "orders", "op": "delete", "key": 8}'), { code: 'no_such_row', message: /^line 1: / });
  assert.equal(db.dump(), lines);
  db.close();
});

test('a timeline counts every event once', () => {
  const db = orders();
  db.exec('CREATE TABLE notes (pk=id)');
  assert.deepEqual(db.timeline({ buckets: 1 }), { from: 0, to: 0, buckets: [{ start: 0, end: 0, tables: {} }] });
  db.table('orders').insert(Array.from({ length: 6 }, (_, id) => ({ id })));
  db.table('notes').insert([{ id: 1 }, { id: 2 }]);
  db.table('orders').delete(3);
  assert.deepEqual(db.timeline({ buckets: 3 }), {
    from: 0,
    to: 9,
    buckets: [
      { start: 0, end: 3, tables: { orders: 3 } },
      { start: 3, end: 6, tables: { orders: 3 } },
      { start: 6, end: 9, tables: { notes: 2, orders: 1 } },
    ],
  });
  assert.equal(db.timeline().buckets.length, 100);
  const { from, to, buckets } = db.timeline({ buckets: 5, axis: 'time' });
  const [{ time: last }] = db.table('orders').history(3).slice(-1);
  assert.equal(to, Date.parse(last));
  assert.equal(from, buckets[0].start);
  assert.ok(from < to);
  assert.equal(buckets.reduce((sum, { tables }) => sum + (tables.orders ?? 0) + (tables.notes ?? 0), 0), 9);
  assert.throws(() => db.timeline({ buckets: 0 }), { code: 'out_of_range' });
  assert.throws(() => db.timeline({ buckets: 1.5 }), { code: 'out_of_range' });
  assert.throws(() => db.timeline({ buckets: 2 ** 40 }), { code: 'out_of_range' });
  assert.throws(() => db.timeline({ axis: 'space' }), { code: 'invalid_value' });
  db.close();
});

test('options are checked', () => {
  for (const options of [{}, { storage: 'tape' }, { storage: 'memory', integers: 'roman' }, { storage: 'memory', durability: 'never' },
    { storage: 'memory', colour: 'red' }, { name: '../x' }, { storage: 'memory', busyTimeout: -1 }]) {
    assert.throws(() => openSync(options), { code: 'invalid_value' });
  }
});

test('several databases at once, each in its own memory', () => {
  const [a, b] = [orders(), orders()];
  a.table('orders').insert({ id: 1 });
  assert.equal(b.query('SELECT * FROM orders').length, 0);
  a.close();
  b.table('orders').insert({ id: 2 });
  assert.equal(b.query('SELECT * FROM orders').length, 1);
  b.close();
});
