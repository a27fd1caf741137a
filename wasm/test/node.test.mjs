// A directory as the database: the command line's layout, its lock, its durability.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openSync } from '../dist/sync.js';
import { driftdb, until } from './support.mjs';

const home = mkdtempSync(join(tmpdir(), 'driftdb-node-'));
after(() => rmSync(home, { recursive: true }));
const fresh = (name) => join(home, name);
const SMALL = { segmentBytes: 2048, memtableEvents: 8, snapshotEvents: 25, mergeFan: 2, replayEventsMax: 4 };

test('a directory keeps what was written', () => {
  const dir = fresh('kept');
  let db = openSync(dir);
  assert.equal(db.storage, 'node');
  db.exec('CREATE TABLE t (pk=id, INDEX(a))');
  db.table('t').insert(Array.from({ length: 50 }, (_, id) => ({ id, a: id % 5 })));
  db.table('t').patch(7, { a: 'x' });
  db.close();
  db = openSync({ dir });
  assert.deepEqual(db.table('t').get(7), { id: 7, a: 'x' });
  assert.equal(db.query('SELECT * FROM t WHERE a = 3').length, 10);
  assert.equal(db.table('t').history(7).length, 2);
  assert.deepEqual(db.verify(), { ok: true, events: 51, findings: [] });
  db.close();
  assert.deepEqual(readdirSync(dir).filter((name) => name.endsWith('.new')), []);
});

test('with tiny files, flushed, merged, compacted, dropped and reopened, answers stay', () => {
  const dir = fresh('small');
  const model = new Map();
  for (let round = 0; round < 6; round++) {
    const db = openSync({ dir, ...SMALL });
    if (round === 0) db.exec('CREATE TABLE t (pk=id, INDEX(a)); CREATE TABLE u (pk=id)');
    for (let i = 0; i < 60; i++) {
      const id = (i * 7 + round) % 40;
      db.transaction((tx) => {
        tx.table('t').upsert({ id, a: round, i });
        tx.table('u').upsert({ id, round });
      });
      model.set(id, { id, a: round, i });
    }
    if (round === 3) db.exec('COMPACT t');
    while (db.maintain());
    const wanted = [...model.values()].sort((x, y) => x.id - y.id);
    assert.deepEqual(db.query('SELECT * FROM t').rows, wanted);
    assert.deepEqual(db.verify().findings, []);
    db.close();
  }
});

test('many tables within the limit of open files', () => {
  const dir = fresh('many');
  let db = openSync({ dir, ...SMALL });
  for (let i = 0; i < 120; i++) {
    db.exec(`CREATE TABLE t${i} (pk=id)`);
    db.table(`t${i}`).insert(Array.from({ length: 10 }, (_, id) => ({ id, i })));
  }
  db.close();
  db = openSync({ dir, ...SMALL });
  for (let i = 0; i < 120; i++) assert.equal(db.query(`SELECT * FROM t${i}`).length, 10);
  db.close();
});

test('a second writer gets the busy error, a reader reads', () => {
  const dir = fresh('busy');
  const db = openSync(dir);
  db.exec('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1}');
  assert.throws(() => openSync(dir), { code: 'busy', retryable: true });
  const reader = openSync({ dir, readOnly: true });
  assert.equal(reader.query('SELECT * FROM t').length, 1);
  db.table('t').insert({ id: 2 });
  assert.equal(reader.query('SELECT * FROM t').length, 2);
  assert.throws(() => reader.exec('INSERT INTO t {"id": 3}'), { code: 'read_only' });
  reader.close();
  db.close();
  openSync(dir).close();
});

test('LOCK says who writes, and is given back', () => {
  const dir = fresh('lock');
  const db = openSync(dir);
  const [epoch, owner] = readFileSync(join(dir, 'LOCK'), 'utf8').trimEnd().split('\n');
  assert.equal(epoch, '1');
  const { home: kind, pid, lease, claim } = JSON.parse(owner);
  assert.deepEqual([kind, pid, lease], ['node', process.pid, 60]);
  assert.match(claim, /^[0-9a-f]{16}$/);
  db.close();
  assert.equal(readFileSync(join(dir, 'LOCK'), 'utf8'), '1\n');
  openSync(dir).close();
  assert.equal(readFileSync(join(dir, 'LOCK'), 'utf8'), '2\n');
});

test('the claim of the dead is taken over, that of the living and the unknown is not', () => {
  const dir = fresh('claims');
  openSync(dir).close();
  const { place } = (() => {
    const db = openSync(dir);
    const owner = JSON.parse(readFileSync(join(dir, 'LOCK'), 'utf8').split('\n')[1]);
    db.close();
    return owner;
  })();
  const claim = (owner) => writeFileSync(join(dir, 'LOCK'), `9\n${typeof owner === 'string' ? owner : JSON.stringify(owner)}\n`);
  const gone = spawnSync('true').pid;
  for (const owner of [{ home: 'wasi', claim: '0' }, 'somebody', { pid: process.ppid, place }, { pid: gone, place: 'another machine' }, { flock: true }]) {
    claim(owner);
    assert.throws(() => openSync(dir), { code: 'busy' }, JSON.stringify(owner));
  }
  claim({ lease: 60 });
  assert.throws(() => openSync(dir), { code: 'busy' });
  utimesSync(join(dir, 'LOCK'), Date.now() / 1000 - 61, Date.now() / 1000 - 61);
  openSync(dir).close();
  if (place !== undefined) {
    claim({ pid: gone, place });
    openSync(dir).close();
  }
  writeFileSync(join(dir, 'LOCK'), '');
  openSync(dir).close();
});

test('a writer whose lock was taken writes nothing more', () => {
  const dir = fresh('taken');
  const db = openSync(dir);
  db.exec('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1}');
  writeFileSync(join(dir, 'LOCK'), '7\n{"claim":"another"}\n');
  assert.throws(() => db.exec('INSERT INTO t {"id": 2}'), { code: 'conflict' });
  assert.throws(() => db.exec('INSERT INTO t {"id": 3}'), { code: 'latched' });
  assert.equal(db.query('SELECT * FROM t').length, 1);
  assert.throws(() => db.close());
});

test('a process killed in mid-write has lost nothing that it acknowledged', { timeout: 240_000 }, async () => {
  const dir = fresh('killed');
  const script = `
    import { openSync } from ${JSON.stringify(new URL('../dist/sync.js', import.meta.url).href)};
    const db = openSync(${JSON.stringify(dir)});
    db.exec('CREATE TABLE IF NOT EXISTS t (pk=id)');
    let id = db.stats().seq;
    for (;;) { db.table('t').insert({ id: ++id }); process.stdout.write(id + '\\n'); }
  `;
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let acknowledged = 0;
    child.stdout.on('data', (chunk) => {
      for (const line of String(chunk).split('\n')) if (line !== '') acknowledged = Number(line);
      if (acknowledged % 100 > 40 + round * 7) child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.on('close', resolve));
    const db = openSync(dir);
    const { seq } = db.stats();
    assert.ok(seq >= acknowledged && acknowledged > 0, `${seq} events, ${acknowledged} acknowledged`);
    assert.equal(db.query('SELECT COUNT(*) AS n FROM t').at(0).n, seq);
    assert.deepEqual(db.verify().findings, []);
    db.close();
  }
});

const program = driftdb();
const cli = { skip: program === undefined && 'there is no driftdb program (cargo build --package driftdb)' };
const run = (...args) => execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

test('a database of the command line opens here, and the other way round', cli, () => {
  const dir = fresh('cli');
  run('init', dir);
  run('sql', '-d', dir, '-e', 'CREATE TABLE t (pk=id, INDEX(a)); INSERT INTO t {"id": 1, "a": "x"}, {"id": 2, "a": "y"}');
  let db = openSync(dir);
  assert.deepEqual(db.query('SELECT id FROM t WHERE a = "y"').rows, [{ id: 2 }]);
  db.table('t').insert({ id: 3, a: 'z' });
  db.close();
  assert.match(run('sql', '-d', dir, '-e', 'SELECT COUNT(*) AS n FROM t'), /3/);
  run('sql', '-d', dir, '-e', 'PATCH t KEY 3 SET {"a": "w"}');
  db = openSync(dir);
  assert.deepEqual(db.table('t').get(3), { id: 3, a: 'w' });
  db.close();
});

test('the command line and this program do not write at once', cli, () => {
  const dir = fresh('both');
  const db = openSync(dir);
  db.exec('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1}');
  const refused = spawnSync(program, ['sql', '-d', dir, '-e', 'INSERT INTO t {"id": 2}'], { encoding: 'utf8' });
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /open for writing elsewhere/);
  assert.match(run('sql', '-d', dir, '-e', 'SELECT * FROM t'), /1/, 'but it reads');
  db.close();
  run('sql', '-d', dir, '-e', 'INSERT INTO t {"id": 2}');
});

test('while the command line writes, the busy error', cli, async () => {
  const dir = fresh('held');
  run('init', dir);
  run('sql', '-d', dir, '-e', 'CREATE TABLE t (pk=id)');
  const child = spawn(program, ['load', '-d', dir, '-'], { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.write('{"driftdb":1}\n{"table":"t","op":"insert","key":1,"doc":{"id":1}}\n');
  const ended = new Promise((resolve) => child.on('close', resolve));
  // Its claim, and who does not find it free does not disturb it.
  await until(() => readFileSync(join(dir, 'LOCK'), 'utf8').includes('{'));
  assert.throws(() => openSync(dir), { code: 'busy' });
  child.stdin.end();
  assert.equal(await ended, 0);
  openSync(dir).close();
  assert.ok(existsSync(join(dir, 'LOCK')));
});
