// What crosses the boundary comes back as it was, or is refused with its path.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DriftError, openSync } from '../dist/sync.js';

const memory = (options) => {
  const db = openSync({ storage: 'memory', ...options });
  db.exec('CREATE TABLE t (pk=id)');
  return db;
};

/** What comes back of a value. */
function back(value, options) {
  const db = memory(options);
  const key = options?.integers === 'bigint' ? 1n : 1;
  db.table('t').insert({ id: 1, value });
  const row = db.table('t').get(1);
  const [again] = db.query('SELECT value FROM t WHERE id = ?', [1]).rows;
  assert.deepEqual(again.value, row.value);
  assert.deepEqual(row.id, key);
  db.close();
  return row.value;
}

/** Deterministic randomness. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const TEXTS = ['', 'a', 'é', '😀', 'x'.repeat(31), 'x'.repeat(32), 'é'.repeat(20), '漢'.repeat(100), 'y'.repeat(255), 'z'.repeat(70_000), '\0\u{2028}"\\'];

function anything(next, depth) {
  switch (next(depth > 3 ? 6 : 8)) {
    case 0: return null;
    case 1: return next(2) === 0;
    case 2: return next(2 ** 20) - 2 ** 19;
    case 3: return (next(2 ** 31) - 2 ** 30) * 2 ** next(22);
    case 4: return (next(2 ** 31) - 2 ** 30) / 1000;
    case 5: return TEXTS[next(TEXTS.length)];
    case 6: return Array.from({ length: next(20) }, () => anything(next, depth + 1));
    default: return Object.fromEntries(Array.from({ length: next(20) }, (_, i) => [`${TEXTS[next(4)]}${i}`, anything(next, depth + 1)]));
  }
}

test('any document comes back', () => {
  const next = random(7);
  const db = memory();
  const table = db.table('t');
  const documents = Array.from({ length: 300 }, (_, id) => ({ id, value: anything(next, 0), more: anything(next, 0) }));
  table.insert(documents);
  const result = db.query('SELECT * FROM t');
  assert.deepEqual(result.rows, documents);
  assert.equal(result.length, 300);
  const lazy = db.query('SELECT * FROM t');
  assert.deepEqual(lazy.at(299), documents[299]);
  assert.deepEqual(lazy.at(-300), documents[0]);
  assert.equal(lazy.at(300), undefined);
  assert.deepEqual([...lazy], documents);
  assert.deepEqual([...db.stream('SELECT * FROM t')], documents);
  for (const document of documents) assert.deepEqual(table.get(document.id), document);
  db.close();
});

/** A value as DriftQL's text has it: doubles without a fraction say so. */
function text(value) {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) return value.toExponential();
  if (Array.isArray(value)) return `[${value.map(text).join()}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).map(([name, it]) => `${JSON.stringify(name)}:${text(it)}`).join()}}`;
  return JSON.stringify(value);
}

test('a document that comes encoded is stored as the same one in a script is, byte by byte', (t) => {
  t.mock.method(Date, 'now', () => 1_800_000_000_000);
  const next = random(11);
  const edges = [0, -0, 1, -1, -32, -33, 127, 128, -128, -129, 255, 256, 32_767, 32_768, -32_768, -32_769, 65_535, 65_536, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 32,
    2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 53, -(2 ** 53), 1e300, 5e-324, 0.1, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n, 7n, -7n];
  const wide = Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`m${i}`, i % 2]));
  const documents = [{ id: 0, edges, wide, list: Array.from({ length: 70_000 }, () => null) }, ...Array.from({ length: 200 }, (_, i) => ({ id: i + 1, value: anything(next, 0), [`n${next(9)}`]: anything(next, 0) }))];
  const files = [
    (db, document) => db.table('t').insert(document),
    (db, document) => db.exec('INSERT INTO t ?', [document]),
    (db, document) => db.exec('INSERT INTO t :it', { it: document }),
    (db, document) => db.exec(`INSERT INTO t ${text(document)}`),
  ].map((insert, at) => {
    const isText = at === 3;
    const db = memory();
    for (const document of documents) insert(db, document);
    for (const { id, value } of documents) {
      const patch = { value: value ?? 1, twice: [value ?? 1] };
      if (id % 3 === 0) isText ? db.exec(`PATCH t KEY ${id} SET ${text(patch)}`) : db.table('t').patch(id, patch);
    }
    const file = Buffer.concat([...db.export()]);
    db.close();
    return file;
  });
  for (const file of files) assert.ok(file.equals(files[3]));
});

test('numbers keep their value and their kind', () => {
  for (const value of [0, -1, 127, 128, 255, 256, 65535, 65536, -32, -33, -128, -129, -32768, -32769, 2 ** 27 - 1, 2 ** 27, -(2 ** 27), -(2 ** 27) - 1,
    2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, 2 ** 53 - 1, -(2 ** 53) + 1, 0.5, 1e300, -1e-300, 5e-324, 2 ** 53, 1.7976931348623157e308]) {
    assert.equal(back(value), value);
  }
  assert.equal(Object.is(back(-0), 0), true, 'as in JSON');
  for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n]) assert.equal(back(value), value);
  assert.equal(back(7n), 7, 'small ones are numbers');
});

test('integers as the option says', () => {
  assert.deepEqual(back([1, 2 ** 40, 2n ** 60n, 0.5], { integers: 'bigint' }), [1n, 2n ** 40n, 2n ** 60n, 0.5]);
  assert.deepEqual(back([1, 2 ** 40], { integers: 'number' }), [1, 2 ** 40]);
  assert.throws(() => back(2n ** 60n, { integers: 'number' }), { code: 'out_of_range', name: 'DriftError' });
});

test('what JSON does not have is refused with its path', () => {
  const db = memory();
  const table = db.table('t');
  const circle = {};
  circle.circle = circle;
  for (const [value, path, code] of [
    [NaN, 'insert[0].a', 'invalid_value'],
    [{ b: [0, Infinity] }, 'insert[0].a.b[1]', 'invalid_value'],
    [new Date(0), 'insert[0].a', 'invalid_value'],
    [() => 0, 'insert[0].a', 'invalid_value'],
    [Symbol('s'), 'insert[0].a', 'invalid_value'],
    [[undefined], 'insert[0].a[0]', 'invalid_value'],
    [new Map(), 'insert[0].a', 'invalid_value'],
    [{ 'odd name': 2n ** 64n }, 'insert[0].a["odd name"]', 'out_of_range'],
  ]) {
    assert.throws(() => table.insert({ id: 1, a: value }), (error) => {
      assert.ok(error instanceof DriftError);
      assert.equal(error.code, code);
      assert.equal(error.position.path, path);
      return true;
    });
  }
  assert.throws(() => table.insert({ id: 1, a: circle }), { code: 'limit' });
  assert.throws(() => db.query('SELECT * FROM t WHERE id = :id', { id: NaN }), { code: 'invalid_value', message: /params\.id is NaN/ });
  assert.equal(db.stats().seq, 0, 'nothing was written');
  db.close();
});

test('undefined members are left out, rows are plain objects, odd names are names', () => {
  assert.deepEqual(Object.keys(back({ a: undefined, b: 1 })), ['b']);
  const row = back(JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "": 3}'));
  assert.equal(Object.getPrototypeOf(row), Object.prototype);
  assert.deepEqual(Object.entries(row), [['__proto__', { x: 1 }], ['constructor', 2], ['', 3]]);
  assert.deepEqual(structuredClone({ ...row }), { ...row });
  assert.deepEqual(back(Object.assign(Object.create(null), { a: 1 })), { a: 1 });
});

test('64 levels and no more', () => {
  const nested = (levels) => (levels === 0 ? 1 : [nested(levels - 1)]);
  assert.deepEqual(back(nested(63)), nested(63));
  assert.throws(() => back(nested(64)), { code: 'limit' });
});
