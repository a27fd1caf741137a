// The hunt: five tabs write while their leader goes again and again. Every acknowledged commit is there, once, under the seq that was answered: counted in the
// browser, and natively, in what the browser exports.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { noBrowser } from './browser.mjs';
import { driftdb } from './support.mjs';
import { tabs } from './tabs.mjs';

const LONG = process.env.DRIFTDB_HUNT === 'long';
const ROUNDS = LONG ? 50 : 8;
const SMALL = { memtableEvents: 64, snapshotEvents: 200, segmentBytes: 16_384, busyTimeout: 10_000 };
const { server, tab, openIn, crash } = tabs();
const program = driftdb();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Keeps what was acknowledged and what failed, as pages that write come to an end: a page that only listens. */
async function witnessOf(name) {
  const page = await tab();
  await page.evaluate((name) => {
    globalThis.acknowledged = [];
    globalThis.failures = [];
    new BroadcastChannel(`witness ${name}`).onmessage = ({ data }) => (typeof data === 'string' ? failures : acknowledged).push(data);
  }, name);
  return page;
}

/** What a tab does: three writes at a time, one in four of them a transaction over two tables, until `writing` is false. `finished` counts those that have ended. */
async function write({ id, name }) {
  globalThis.writing = true;
  globalThis.finished = 0;
  const witness = new BroadcastChannel(`witness ${name}`);
  const attempt = async (key, write) => {
    try {
      witness.postMessage([key, await write()]);
    } catch (error) {
      if (error.code === 'closed') writing = false;
      // What was taken back for sure may be done again; here it is just not counted.
      else if (!error.retryable) witness.postMessage(`${key}: ${error.code} ${error.message}`);
    }
  };
  const lane = async (at) => {
    for (let n = 0; writing; n++) {
      const key = `${id}.${at}.${n}`;
      if (n % 4 === 3) {
        await attempt(key, () => db.transaction(async (tx) => {
          await tx.table('t').insert({ id: key });
          await tx.table('u').insert({ id: key });
          return 'both';
        }));
      } else await attempt(key, async () => (await db.table('t').insert({ id: key })).seq);
    }
    finished += 1;
  };
  await Promise.all([0, 1, 2].map(lane));
}

/** The page whose worker holds the leader's lock. */
async function leaderOf(pages) {
  const leaders = await Promise.all(pages.map((page) => page.evaluate(() => leads).catch(() => false)));
  return pages[leaders.indexOf(true)];
}

/** Ways for a leader to go; each answers whether it went so. */
const ENDS = {
  close: async (page) => (await page.close(), true),
  crash,
  // In the middle of whatever it does.
  kill: async (page) => (await page.evaluate(() => worker.terminate()), void page.close(), true),
  reload: async (page) => (await page.reload(), await page.close(), true),
  handle: async (page) => (await page.evaluate(() => db.close()), await page.close(), true),
};

/** Lets leaders go while tabs write; answers with a page that is still there, what has become of leaders, and how many other tabs went between two leaders. */
async function leadersGo(name, storage, seed) {
  let state = seed * 2654435761 + 1;
  const random = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let tabs = 0;
  const start = async () => {
    const page = await tab();
    await openIn(page, { name, storage, ...SMALL });
    page.evaluate(write, { id: (tabs += 1), name }).catch(() => {});
    return page;
  };
  const first = await tab();
  await openIn(first, { name, storage, ...SMALL });
  await first.evaluate(() => db.exec('CREATE TABLE t (pk=id); CREATE TABLE u (pk=id)'));
  let pages = await Promise.all([1, 2, 3, 4, 5].map(start));
  await first.close();
  const gone = Object.fromEntries(Object.keys(ENDS).map((kind) => [kind, 0]));
  let between = 0;
  for (let lost = 0; lost < ROUNDS; ) {
    await pause(30 + random(LONG ? 300 : 120));
    const leader = await leaderOf(pages);
    const page = leader ?? pages[random(pages.length)];
    const kind = Object.keys(ENDS)[(lost + between + seed) % 5];
    const went = await ENDS[kind](page);
    if (leader === undefined) between += 1;
    else {
      lost += 1;
      gone[went ? kind : 'close'] += 1;
    }
    pages = pages.filter((other) => other !== page);
    pages.push(await start());
    if (lost % 10 === 5) await pages[0].evaluate(() => db.exec('COMPACT u').catch(() => {}));
  }
  for (const page of pages) {
    await page.evaluate(() => (writing = false));
    await page.waitForFunction(() => finished === 3);
  }
  const [last, ...others] = pages;
  for (const page of others) await page.close();
  return { last, gone, between };
}

/** What there is, as a page sees it; it leaves its export with the server. */
async function look(url) {
  const t = (await db.query('SELECT id FROM t')).rows.map(({ id }) => id);
  const u = (await db.query('SELECT id FROM u')).rows.map(({ id }) => id);
  const inserted = { t: {}, u: {} };
  for (const id of t) for (const { event, seq } of await db.table('t').history(id)) if (event === 'INSERT') (inserted.t[id] ??= []).push(seq);
  for (const id of u) (inserted.u[id] ??= []).push(0);
  const { findings } = await db.verify();
  await fetch(url, { method: 'POST', body: await new Response(db.export()).blob() });
  await db.close();
  return { inserted, findings };
}

/** Which keys the command line finds inserted into which table, and at which seqs: `db` is a directory, or a backup that is opened where it lies. */
function natively(db) {
  execFileSync(program, ['verify', '-d', db], { stdio: ['ignore', 'ignore', 'inherit'] });
  const inserted = { t: {}, u: {} };
  for (const line of execFileSync(program, ['dump', '-d', db], { encoding: 'utf8', maxBuffer: 1 << 30 }).trim().split('\n')) {
    const { table, op, key, seq } = JSON.parse(line);
    if (op === 'insert') (inserted[table][key] ??= []).push(seq);
  }
  return inserted;
}

/** Every acknowledged commit is there once, as it was answered, and no half of a transaction. */
function check(acknowledged, { t, u }) {
  for (const [key, seq] of acknowledged) {
    assert.ok(key in t, `${key} is lost`);
    if (seq === 'both') assert.deepEqual([t[key].length, u[key]?.length], [1, 1], `${key} was done once, and whole`);
    else assert.deepEqual(t[key], [seq], `${key} was done once, as it was answered`);
  }
  for (const key in u) assert.ok(key in t, `half of ${key} is there`);
  for (const key in t) if (Number(key.split('.')[2]) % 4 === 3) assert.ok(key in u, `half of ${key} is there`);
}

const seeds = process.env.DRIFTDB_SEED === undefined ? (LONG ? [1, 2, 3, 4, 5] : [1]) : [Number(process.env.DRIFTDB_SEED)];
for (const storage of ['opfs', 'indexeddb']) {
  for (const seed of seeds) {
    test(`${storage}: the leader goes again and again while five tabs write, seed ${seed}`, { skip: noBrowser, timeout: LONG ? 1_800_000 : 300_000 }, async (t) => {
      const name = `hunt ${storage} ${seed}`;
      const witness = await witnessOf(name);
      const { last, gone, between } = await leadersGo(name, storage, seed);
      const { inserted, findings } = await last.evaluate(look, `${server().url}/taken`);
      await last.close();
      const told = await witness.evaluate(() => ({ failures, acknowledged }));
      await witness.close();
      const acknowledged = new Map(told.acknowledged);
      assert.deepEqual([told.failures, findings], [[], []], 'a write that was sent again is no duplicate');
      check(acknowledged, inserted);
      assert.ok(acknowledged.size > ROUNDS * 5);
      const there = Object.keys(inserted.t).length;
      console.log(`hunt: ${storage}, seed ${seed}: ${acknowledged.size} commits acknowledged, ${there} there; leaders gone: ${JSON.stringify(gone)}, other tabs between two leaders: ${between}`);

      await t.test('counted in the export by the command line', { skip: program === undefined && 'there is no driftdb program (cargo build --package driftdb)' }, () => {
        const home = mkdtempSync(join(tmpdir(), 'driftdb-hunt-'));
        try {
          const file = join(home, 'export.drift');
          writeFileSync(file, server().taken());
          const inPlace = natively(file);
          execFileSync(program, ['restore', '-d', join(home, 'restored'), file]);
          const restored = natively(join(home, 'restored'));
          for (const found of [inPlace, restored]) {
            check(acknowledged, found);
            assert.deepEqual(found.t, inserted.t);
          }
          console.log(`hunt: ${storage}, seed ${seed}: ${acknowledged.size} of ${acknowledged.size} acknowledged commits once in the export, in place and restored`);
        } finally {
          rmSync(home, { recursive: true });
        }
      });
    });
  }
}
