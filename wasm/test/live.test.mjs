// Live queries and changes, over a worker thread; how often a live query is asked, at the host.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { open } from '../dist/index.js';
import { hostParts, wasmUrl } from './host.mjs';
import { until } from './support.mjs';

const home = mkdtempSync(join(tmpdir(), 'driftdb-live-'));
// A callback that may come keeps no program running.
const running = setInterval(() => {}, 1_000);
after(() => {
  clearInterval(running);
  rmSync(home, { recursive: true });
});

async function database(script = 'CREATE TABLE t (pk=id); CREATE TABLE u (pk=id)') {
  const db = await open({ storage: 'memory' });
  await db.exec(script);
  return db;
}

/** Answers as they come. */
function collector() {
  const got = [];
  let wake = () => {};
  const callback = (result) => {
    got.push(result);
    wake();
  };
  const awaited = async (condition) => {
    while (!condition(got)) await new Promise((resolve) => (wake = resolve));
    return got;
  };
  return { got, callback, until: awaited };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

test('one callback at the start, then only when the answer has changed', async () => {
  const db = await database();
  const { got, callback, until: awaited } = collector();
  const live = db.live('SELECT * FROM t WHERE n > ?', [0], callback);
  await awaited((all) => all.length === 1);
  assert.deepEqual(got[0].rows, []);
  await db.exec('INSERT INTO t {"id": 1, "n": 0}; INSERT INTO u {"id": 1}');
  await db.transaction(async (tx) => {
    await tx.table('t').insert({ id: 2, n: 2 });
    await pause(20);
    assert.equal(got.length, 1, 'nothing is told before the commit');
    await tx.table('t').insert({ id: 3, n: 3 });
  });
  await awaited((all) => all.length === 2);
  assert.deepEqual(got[1].rows.map(({ id }) => id), [2, 3]);
  assert.equal(got[1].seq, 4);
  await db.table('t').patch(1, { n: 0 });
  await pause(30);
  assert.equal(got.length, 2, 'the answer is the same');
  live.close();
  await db.table('t').patch(1, { n: 7 });
  await pause(30);
  assert.equal(got.length, 2);
  await db.close();
});

test('after a commit of its own the next answer includes it; what comes quickly is told together', async () => {
  const db = await database();
  let own = 0;
  let last = 0;
  let calls = 0;
  // What fails in a callback fails no test.
  const wrong = [];
  const live = db.live('SELECT COUNT(*) AS c FROM t', ({ rows: [{ c }], seq }) => {
    calls += 1;
    if (c < own) wrong.push(`${c} of ${own}`);
    if (c <= last && calls > 1) wrong.push(`${c} after ${last}`);
    if (c !== seq) wrong.push(`${c} rows at ${seq}`);
    last = c;
  });
  for (let id = 1; id <= 200; id++) {
    await db.table('t').insert({ id });
    own = id;
  }
  const burst = Array.from({ length: 300 }, (_, at) => db.table('t').insert({ id: 1000 + at }));
  await Promise.all(burst);
  own = 500;
  while (last < 500) await pause(5);
  assert.deepEqual(wrong, []);
  assert.ok(calls < 400, `${calls} calls`);
  live[Symbol.dispose]();
  await db.close();
});

test('a long query that its own page overtakes is asked again, and comes in the end', { timeout: 120_000 }, async () => {
  const db = await database();
  await db.table('t').insert(Array.from({ length: 60_000 }, (_, id) => ({ id, n: id % 10 })));
  let own = 60_000;
  let answers = 0;
  const wrong = [];
  const live = db.live('SELECT n, COUNT(*) AS c FROM t GROUP BY n', ({ rows }) => {
    answers += 1;
    const count = rows.reduce((sum, { c }) => sum + c, 0);
    if (count < own) wrong.push(`${count} of ${own}`);
  });
  // If writing keeps it from answering, this has no end but the time limit.
  for (const least = Date.now() + 1_500; Date.now() < least || answers === 0; ) {
    const { seq } = await db.table('t').insert({ id: own, n: 0 });
    own = seq;
  }
  assert.deepEqual(wrong, [], 'each answer has what was written before it');
  live.close();
  await db.close();
});

test('a live query at a point ends after its answer; errors are told and are not the end', async () => {
  const db = await database();
  await db.exec('INSERT INTO t {"id": 1}; INSERT INTO t {"id": 2}');
  const past = collector();
  db.live('SELECT * FROM t', past.callback, { asOf: { seq: 1 } });
  await past.until((all) => all.length === 1);
  assert.equal(past.got[0].length, 1);
  const errors = [];
  const late = collector();
  db.live('SELECT * FROM late', late.callback, { onError: (error) => errors.push(error) });
  while (errors.length === 0) await pause(5);
  await db.exec('INSERT INTO t {"id": 3}; CREATE TABLE late (pk=id)');
  await late.until((all) => all.length === 1);
  assert.deepEqual([errors.map(({ code }) => code), past.got.length], [['unknown_table'], 1]);
  const refused = await new Promise((onError) => db.live('INSERT INTO t {"id": 9}', () => {}, { onError }));
  assert.equal(refused.code, 'unsupported');
  const syntax = await new Promise((onError) => db.live('SELEC', () => {}, { onError }));
  assert.equal(syntax.code, 'syntax');
  const controller = new AbortController();
  const aborted = collector();
  db.live('SELECT * FROM t', aborted.callback, { signal: controller.signal });
  await aborted.until((all) => all.length === 1);
  controller.abort();
  await db.exec('INSERT INTO t {"id": 4}');
  await pause(20);
  assert.equal(aborted.got.length, 1);
  await db.close();
});

test('a live query keeps no program running', async () => {
  const { execFileSync } = await import('node:child_process');
  const script = `
    import { open } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
    const db = await open({ storage: 'memory' });
    await db.exec('CREATE TABLE t (pk=id)');
    await new Promise((resolve) => db.live('SELECT * FROM t', resolve));
    console.log('end');
  `;
  assert.equal(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 120_000 }), 'end\n');
});

test('commits, from a seq on and from now on', async () => {
  const db = await database();
  await db.table('t').insert({ id: 1, n: 1 });
  const fromNow = db.changes();
  await db.transaction(async (tx) => {
    await tx.table('t').patch(1, { n: 2 });
    await tx.table('u').insert({ id: 'x' });
  }, { by: 'ann', why: 'test', meta: { ticket: 7 } });
  await db.table('t').delete(1);
  const all = [];
  for await (const commit of db.changes({ since: 0 })) if (all.push(commit) === 3) break;
  const times = all.map(({ time }) => time);
  assert.deepEqual(all, [
    { seq: 1, time: times[0], by: null, why: null, meta: null, events: [{ seq: 1, table: 't', key: 1, event: 'INSERT', row: { id: 1, n: 1 } }] },
    {
      seq: 3, time: times[1], by: 'ann', why: 'test', meta: { ticket: 7 },
      events: [{ seq: 2, table: 't', key: 1, event: 'PATCH', patch: { n: 2 } }, { seq: 3, table: 'u', key: 'x', event: 'INSERT', row: { id: 'x' } }],
    },
    { seq: 4, time: times[2], by: null, why: null, meta: null, events: [{ seq: 4, table: 't', key: 1, event: 'SOFT_DELETE' }] },
  ]);
  assert.equal((await fromNow.next()).value.seq, 3);
  assert.equal((await fromNow.next()).value.seq, 4);
  const waiting = fromNow.next();
  await pause(20);
  await db.table('u').insert({ id: 'y' });
  assert.deepEqual((await waiting).value.events.map(({ key }) => key), ['y']);
  const controller = new AbortController();
  const aborted = db.changes({ signal: controller.signal });
  const next = aborted.next();
  setTimeout(() => controller.abort(new Error('enough')), 10);
  await assert.rejects(next, { message: 'enough' });
  await db.exec('COMPACT t');
  await assert.rejects(db.changes({ since: 0 }).next(), { code: 'before_horizon' });
  await db.close();
});

test('many commits while the reader is slow: none is missed, each is whole', async () => {
  const db = await open(join(home, 'many'));
  await db.exec('CREATE TABLE t (pk=id); CREATE TABLE u (pk=id)');
  const text = 'x'.repeat(2_000);
  const write = (async () => {
    for (let id = 0; id < 150; id++) {
      await db.transaction(async (tx) => {
        await tx.table('t').insert({ id, text });
        await tx.table('u').insert({ id, text });
      });
    }
  })();
  let next = 0;
  for await (const { events } of db.changes({ since: 0 })) {
    assert.deepEqual(events.map(({ table, key }) => [table, key]), [['t', next], ['u', next]]);
    next += 1;
    if (next % 20 === 0) await pause(10);
    if (next === 150) break;
  }
  await write;
  await db.close();
});

test('an abort ends db.sql', async () => {
  const db = await database();
  await db.table('t').insert({ id: 1 });
  const sql = db.sql({ signal: new AbortController().signal });
  assert.deepEqual((await sql`SELECT * FROM t WHERE id = ${1}`).rows, [{ id: 1 }]);
  await assert.rejects(db.sql({ signal: AbortSignal.abort(new Error('no')) })`SELECT * FROM t`, { message: 'no' });
  await db.close();
});

test('what a commit does not touch is not asked again: 100 live queries', async () => {
  const { Host, open: opener, readOptions, scriptCall, tableCall } = await hostParts();
  const host = await Host.open(readOptions({ storage: 'memory', wasmUrl }).place, opener);
  await host.call(1, scriptCall({}, 'CREATE TABLE t (pk=id); CREATE TABLE u (pk=id)'));
  for (let id = 0; id < 50; id++) await host.call(1, tableCall({}, 'insert', 't', [{ id, n: 0 }]));
  const pieces = new Array(100).fill(0);
  for (let at = 0; at < 100; at++) {
    const call = at < 50 ? scriptCall({}, 'SELECT * FROM t WHERE id = ?', [at]) : scriptCall({}, 'SELECT COUNT(*) AS c FROM t');
    const feed = await host.call(1, { op: 'live', call });
    const follow = async () => {
      for (;;) {
        await host.call(1, { op: 'more', feed });
        pieces[at] += 1;
      }
    };
    follow().catch(() => {});
  }
  const told = () => pieces.reduce((sum, count) => sum + count, 0);
  /** They are so in the end, and stay so. */
  const settled = async (runs, answers) => {
    await until(() => host.liveRuns >= runs && told() >= answers);
    await pause(30);
    return [host.liveRuns, told()];
  };
  assert.deepEqual(await settled(100, 100), [100, 100]);
  for (let id = 0; id < 20; id++) await host.call(1, tableCall({}, 'insert', 'u', [{ id }]));
  assert.deepEqual(await settled(100, 100), [100, 100], 'another table');
  await host.call(1, tableCall({}, 'patch', 't', [7, { n: 1 }]));
  assert.deepEqual(await settled(151, 101), [151, 101], 'one by its key, and all that count; only the first has another answer');
  await host.close();
});

test('a live query goes on after the engine has stopped', async () => {
  const { Host, open: opener, readOptions, scriptCall } = await hostParts();
  const host = await Host.open(readOptions({ dir: join(home, 'stopped'), wasmUrl }).place, opener);
  await host.call(1, scriptCall({}, 'CREATE TABLE t (pk=id)'));
  const call = scriptCall({}, 'SELECT * FROM t');
  const feed = await host.call(1, { op: 'live', call });
  const { mark } = await host.call(1, { op: 'more', feed });
  const waiting = host.call(1, { op: 'more', feed });
  host.stop();
  const written = host.call(2, scriptCall({}, 'INSERT INTO t {"id": 1}'));
  await assert.rejects(waiting, { code: 'crashed', retryable: true });
  await written;
  const again = await host.call(1, { op: 'live', call, seen: mark });
  assert.notEqual((await host.call(1, { op: 'more', feed: again })).mark, mark);
  await host.close();
});

/** The client's end, with the other end played: what `answer` returns is the answer, nothing is none. */
async function played(answer) {
  const { Channel, Link, startLive } = await hostParts();
  const calls = [];
  const post = ({ id, call }) => {
    if (call === undefined) return;
    calls.push(call);
    const given = answer(call);
    if (given !== undefined) setTimeout(() => channel.receive({ id, ...given }));
  };
  const channel = new Channel({ post, end: () => {} });
  return { calls, link: new Link(channel, { integers: 'auto', busyTimeout: 5_000 }), startLive };
}

test('a live query that is closed before it is open leaves nothing', async () => {
  const { calls, link, startLive } = await played(({ op }) => ({ answer: op === 'live' ? 7 : null }));
  startLive(link, 'SELECT 1', undefined, () => {}).close();
  await until(() => calls.at(-1)?.op === 'cancel');
  assert.deepEqual(calls.at(-1), { op: 'cancel', feed: 7 });
  assert.deepEqual(calls.map(({ op }) => op), ['live', 'cancel']);
  const rows = link.stream({ op: 'script', text: 'SELECT 1' }, { signal: AbortSignal.timeout(0) });
  await rows.next().catch(() => {});
  await until(() => calls.at(-1)?.op === 'cancel');
  assert.deepEqual(calls.slice(2).map(({ op }) => op).filter((op) => op !== 'more'), ['stream', 'cancel']);
});

test('a live query outlasts any number of leaders that were there for some time, and gives up where none is', async (t) => {
  let now = 0;
  let lasts = 2_000;
  t.mock.method(performance, 'now', () => now);
  const crashed = { error: { code: 'crashed', message: 'gone' } };
  const { calls, link, startLive } = await played(({ op }) => {
    if (op === 'more') now += lasts;
    return op === 'live' ? { answer: 7 } : op === 'more' ? crashed : { answer: null };
  });
  const opened = () => calls.filter(({ op }) => op === 'live').length;
  const errors = [];
  startLive(link, 'SELECT 1', undefined, () => {}, { onError: (error) => errors.push(error.code) });
  while (opened() < 9 && errors.length === 0) await pause(5);
  assert.deepEqual(errors, []);
  lasts = 1;
  while (errors.length === 0) await pause(5);
  assert.deepEqual(errors, ['crashed']);
  assert.ok(opened() <= 9 + 6, `${opened()}`);
});

test('a handle that is closed hears nothing more, while another has the database open', async () => {
  const dir = join(home, 'handles');
  const [a, b] = [await open(dir), await open(dir)];
  await a.exec('CREATE TABLE t (pk=id)');
  const { got, callback, until: awaited } = collector();
  a.live('SELECT * FROM t', callback);
  const commits = a.changes();
  const next = assert.rejects(commits.next(), { code: 'closed' });
  await awaited((all) => all.length === 1);
  const unfinished = a.transaction(async (tx) => {
    await tx.table('t').insert({ id: 1 });
    await a.close();
  });
  await assert.rejects(unfinished, { code: 'closed' });
  await next;
  await assert.rejects(a.transaction(() => {}), { code: 'closed' });
  a.live('SELECT * FROM t', callback);
  await assert.rejects(a.changes({ since: 0 }).next(), { code: 'closed' });
  await b.table('t').insert({ id: 2 });
  await pause(50);
  assert.equal(got.length, 1);
  assert.deepEqual((await b.query('SELECT * FROM t')).rows, [{ id: 2 }]);
  await b.close();
});

test('a stream and an export of a handle that is closed end, while another has the database open', async () => {
  const dir = join(home, 'streams');
  const [a, b] = [await open(dir), await open(dir)];
  await a.exec('CREATE TABLE t (pk=id)');
  await a.table('t').insert(Array.from({ length: 5_000 }, (_, id) => ({ id, text: 'x'.repeat(200) })));
  const rows = a.stream('SELECT * FROM t');
  const file = a.export().getReader();
  assert.equal((await rows.next()).value.id, 0);
  assert.equal((await file.read()).done, false);
  await a.close();
  await assert.rejects(rows.next(), { code: 'closed' });
  await assert.rejects((async () => {
    while (!(await file.read()).done);
  })(), { code: 'closed' });
  assert.equal((await b.query('SELECT COUNT(*) AS c FROM t')).at(0).c, 5_000);
  await b.close();
});
