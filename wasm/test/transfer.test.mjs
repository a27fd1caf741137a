// Databases as files: out of one, into another, the same bytes as the command line writes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { open } from '../dist/index.js';
import { openSync } from '../dist/sync.js';
import { lines, sum } from './golden.mjs';
import { driftdb, until } from './support.mjs';

const home = mkdtempSync(join(tmpdir(), 'driftdb-transfer-'));
after(() => rmSync(home, { recursive: true }));
const program = driftdb();

/** A stream's bytes. */
async function bytesOf(stream) {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function fill(db, from, to) {
  for (let id = from; id < to; id += 500) {
    db.table('orders').insert(Array.from({ length: 500 }, (_, i) => ({ id: id + i, status: 'new', text: 'x'.repeat(i % 90) })), { by: 'ann' });
    db.table('orders').patch(id, { status: 'paid' }, { why: 'ticket' });
    db.transaction((tx) => {
      tx.table('orders').delete(id + 1);
      tx.table('notes').upsert({ id: 'last', seen: id });
    });
  }
}

function filled(options, events = 20_000) {
  const db = openSync(options);
  db.exec('CREATE TABLE orders (pk=id, INDEX(status)); CREATE TABLE notes (pk=id)');
  fill(db, 0, events);
  return db;
}

test('an export is what the command line writes, while it is open and afterwards', { skip: program === undefined }, async () => {
  const dir = join(home, 'same');
  const small = { segmentBytes: 300_000, memtableEvents: 2_000 };
  let db = filled({ dir, ...small });
  const exported = Buffer.concat([...db.export()]);
  execFileSync(program, ['backup', '-d', dir, join(home, 'open.drift')]);
  assert.deepEqual(exported, readFileSync(join(home, 'open.drift')));
  db.exec('COMPACT notes');
  db.close();
  execFileSync(program, ['backup', '-d', dir, join(home, 'closed.drift')]);
  db = openSync({ dir });
  assert.deepEqual(Buffer.concat([...db.export()]), readFileSync(join(home, 'closed.drift')));
  db.close();
  const copy = join(home, 'restored');
  writeFileSync(join(home, 'js.drift'), exported);
  execFileSync(program, ['restore', '-d', copy, join(home, 'js.drift')]);
  assert.match(execFileSync(program, ['verify', '-d', copy], { encoding: 'utf8' }), /no errors|ok/i);
  const other = openSync({ dir: copy });
  assert.equal(other.query('SELECT COUNT(*) AS n FROM orders AS OF "@seq:500"').at(0).n, 500);
  other.close();
});

test('what the command line writes is imported: the history, to the byte', { skip: program === undefined }, async () => {
  const dir = join(home, 'native');
  execFileSync(program, ['init', dir, '--now', '2026-01-01T00:00:00Z']);
  const statements = 'CREATE TABLE t (pk=id, INDEX(a)); INSERT INTO t {"id": 1, "a": 1}; PATCH t KEY 1 SET {"a": 2}';
  execFileSync(program, ['sql', '-d', dir, '--now', '2026-01-02T00:00:00Z'], { input: statements });
  const file = join(home, 'native.drift');
  execFileSync(program, ['backup', '-d', dir, file]);
  const bytes = readFileSync(file);
  const db = await open({ dir: join(home, 'imported') });
  assert.deepEqual(await db.import(bytes), { seq: 2, time: Date.parse('2026-01-02T00:00:00Z') });
  assert.deepEqual(await db.table('t').get(1, { asOf: '2026-01-01' }), undefined);
  assert.deepEqual(await db.table('t').get(1, { asOf: { seq: 1 } }), { id: 1, a: 1 });
  assert.deepEqual(Buffer.from(await bytesOf(db.export())), bytes);
  await db.table('t').insert({ id: 2 });
  await db.close();
});

test('an export holds one moment, and others write meanwhile', async () => {
  filled({ dir: join(home, 'busy') }).close();
  const db = await open({ dir: join(home, 'busy') });
  const moment = (await db.stats()).seq;
  const reader = db.export().getReader();
  const chunks = [(await reader.read()).value];
  await db.exec('COMPACT notes');
  for (let i = 0; i < 20; i++) await db.table('notes').upsert({ id: 'last', late: i });
  await db.exec('SNAPSHOT orders');
  for (let next; (next = await reader.read()), !next.done; ) chunks.push(next.value);
  assert.ok(chunks.length > 3, 'it comes in chunks');
  const copy = openSync({ storage: 'memory' });
  assert.equal(copy.import(chunks).seq, moment);
  assert.equal(copy.table('notes').get('last').late, undefined);
  assert.deepEqual(copy.verify().findings, []);
  copy.close();
  assert.equal((await db.stats()).seq, moment + 20);
  await db.close();
});

test('a stream that nobody reads to its end is cancelled or aborted', async () => {
  filled({ dir: join(home, 'cancelled') }).close();
  const db = await open({ dir: join(home, 'cancelled') });
  const stream = db.export();
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel();
  const controller = new AbortController();
  const aborted = db.export({ signal: controller.signal }).getReader();
  await aborted.read();
  controller.abort(new Error('enough'));
  await assert.rejects(async () => {
    for (let i = 0; i < 100; i++) await aborted.read();
  }, /enough/);
  await db.close();
  await assert.rejects(db.export().getReader().read(), { code: 'closed' });
});

test('imports take whatever a file comes as', async () => {
  const from = filled({ storage: 'memory' }, 3_000);
  const chunks = [...from.export()];
  const whole = new Uint8Array(Buffer.concat(chunks));
  const one = (bytes) => Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
  const sources = {
    bytes: whole,
    buffer: whole.buffer,
    blob: new Blob(chunks),
    stream: new Blob(chunks).stream(),
    iterable: chunks,
    'single bytes': [...one(whole.subarray(0, 3_000)), whole.subarray(3_000)],
    'async iterable': (async function* () {
      yield* chunks;
    })(),
  };
  for (const [name, source] of Object.entries(sources)) {
    const db = await open({ storage: 'memory' });
    assert.equal((await db.import(source)).seq, from.stats().seq, name);
    assert.deepEqual(new Uint8Array(await bytesOf(db.export())), whole, name);
    await db.close();
  }
  assert.equal(whole.byteLength, whole.buffer.byteLength, 'what was given is the caller\'s still');
  const db = await open({ storage: 'memory' });
  for (const source of [undefined, 7, 'text', {}, ['text']]) await assert.rejects(db.import(source), { code: 'invalid_value' });
  assert.equal((await db.import(whole)).seq, from.stats().seq, 'and then it is still empty');
  await db.close();
});

test('an import is whole or nothing, in a directory too', async () => {
  const bytes = Buffer.concat([...filled({ storage: 'memory' }, 3_000).export()]);
  const dir = join(home, 'failed');
  const db = await open({ dir });
  const damaged = Uint8Array.from(bytes);
  damaged[bytes.length >> 1] ^= 1;
  const names = () => readdirSync(dir, { recursive: true }).filter((name) => /\.seg$|\.yaml$|restoring/.test(name));
  await assert.rejects(db.import(damaged), { code: 'corrupt' });
  assert.deepEqual(names(), []);
  await assert.rejects(db.import(bytes.subarray(0, 5_000)), { code: 'corrupt', message: /cut off/ });
  await assert.rejects(db.import(new TextEncoder().encode('x'.repeat(2_000))), { code: 'not_a_database' });
  await assert.rejects(db.import((async function* () {
    yield bytes.subarray(0, 50_000);
    throw new Error('the network is gone');
  })()), /the network is gone/);
  assert.deepEqual((await db.query('SHOW TABLES')).rows, []);
  const controller = new AbortController();
  await assert.rejects(db.import((async function* () {
    yield bytes.subarray(0, 50_000);
    controller.abort(new Error('enough'));
    yield bytes.subarray(50_000);
  })(), { signal: controller.signal }), /enough/);
  await db.exec('CREATE TABLE t (pk=id)');
  await assert.rejects(db.import(bytes), { code: 'database_exists' });
  await db.close();
});

test('while a file comes in, others wait for its end', async () => {
  const from = filled({ storage: 'memory' }, 3_000);
  const chunks = [...from.export()];
  const db = await open({ storage: 'memory' });
  let go;
  const gate = new Promise((resolve) => (go = resolve));
  const answers = [];
  const live = db.live('SELECT COUNT(*) AS n FROM orders', (result) => answers.push(result.at(0).n), { onError: (error) => answers.push(error.code) });
  await until(() => answers.length > 0);
  const done = db.import((async function* () {
    yield chunks[0].subarray(0, 10_000);
    await gate;
    yield chunks[0].subarray(10_000);
    yield* chunks.slice(1);
  })());
  await new Promise((resolve) => setTimeout(resolve, 50));
  const rows = db.query('SELECT COUNT(*) AS n FROM notes');
  const written = db.table('notes').insert({ id: 'after' });
  go();
  const { seq } = await done;
  assert.equal(seq, from.stats().seq);
  assert.equal((await rows).at(0).n, 1);
  assert.equal((await written).seq, seq + 1);
  const expected = from.query('SELECT COUNT(*) AS n FROM orders').at(0).n;
  await until(() => answers.at(-1) === expected);
  assert.deepEqual(answers, ['unknown_table', expected]);
  live.close();
  await db.close();
});

test('an abort when the file is in comes too late', async () => {
  const from = filled({ storage: 'memory' }, 3_000);
  const db = await open({ storage: 'memory' });
  const controller = new AbortController();
  const source = (async function* () {
    yield* from.export();
    setTimeout(() => controller.abort());
  })();
  assert.equal((await db.import(source, { signal: controller.signal })).seq, from.stats().seq);
  await until(() => controller.signal.aborted);
  await db.close();
});

test('a process that ends in the middle of an import leaves an empty database', async () => {
  const bytes = Buffer.concat([...filled({ storage: 'memory' }, 3_000).export()]);
  writeFileSync(join(home, 'half.drift'), bytes);
  const dir = join(home, 'killed');
  const script = `
    import { readFileSync } from 'node:fs';
    import { openSync } from ${JSON.stringify(new URL('../dist/sync.js', import.meta.url).href)};
    const db = openSync({ dir: ${JSON.stringify(dir)} });
    db.import((function* () {
      yield readFileSync(${JSON.stringify(join(home, 'half.drift'))}).subarray(0, 60_000);
      process.kill(process.pid, 'SIGKILL');
    })());
  `;
  assert.throws(() => execFileSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'pipe' }), { signal: 'SIGKILL' });
  assert.ok(readdirSync(dir, { recursive: true }).some((name) => name.endsWith('.seg')), 'it was in the middle');
  const db = openSync({ dir });
  assert.deepEqual(db.query('SHOW TABLES').rows, []);
  db.import(bytes);
  assert.deepEqual(db.verify().findings, []);
  db.close();
});

test('the same event lines are the same file as everywhere', () => {
  const now = Date.now;
  Date.now = () => Date.parse('2026-01-01T00:00:00Z');
  try {
    const db = openSync({ storage: 'memory' });
    db.load(lines);
    assert.equal(createHash('sha256').update(Buffer.concat([...db.export()])).digest('hex'), sum);
    db.close();
  } finally {
    Date.now = now;
  }
});
