// Many tabs of one database, in Chromium: who leads, who takes over, and that nothing acknowledged is lost or done twice.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { browse, noBrowser, serve } from './browser.mjs';

const LONG = process.env.DRIFTDB_HUNT === 'long';
const skip = { skip: noBrowser, timeout: LONG ? 600_000 : 60_000 };
let server;
let browser;

before(async () => {
  if (noBrowser) return;
  server = await serve();
  browser = await browse();
});
after(async () => {
  await browser?.close();
  server?.close();
});

const tab = () => browser.page(server.url);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Opens a database in a page as `db`; `worker` is its worker and `leads` whether it leads. */
const openIn = (page, options) =>
  page.evaluate(async (options) => {
    globalThis.worker = new Worker('./test/tab-worker.mjs', { type: 'module' });
    await new Promise((resolve) => {
      worker.addEventListener('message', ({ data }) => {
        if (data.leads === undefined) return;
        globalThis.leads = data.leads;
        resolve();
      });
    });
    globalThis.db = await driftdb.open({ ...(typeof options === 'string' ? { name: options } : options), worker });
    return db.storage;
  }, options);

/** Kills a page's process; whether it died in time, as now and then the browser does not hear of it. */
async function crash(page) {
  const crashed = new Promise((resolve) => page.once('crash', () => resolve(true)));
  void browser.context.newCDPSession(page).then((cdp) => cdp.send('Page.crash')).catch(() => {});
  const died = await Promise.race([crashed, pause(1_500)]);
  // The end of a page that has crashed is not always told either.
  void page.close().catch(() => {});
  return died === true;
}

for (const storage of ['opfs', 'indexeddb']) {
  test(`${storage}: two tabs share a database; the second takes over when the first closes`, skip, async () => {
    const name = `two ${storage}`;
    const [a, b] = await Promise.all([tab(), tab()]);
    assert.deepEqual([await openIn(a, { name, storage }), await openIn(b, { name, storage })], [storage, storage]);
    await a.evaluate(() => db.exec('CREATE TABLE t (pk=id, INDEX(n))'));
    const written = await b.evaluate(() => db.table('t').insert([{ id: 1, n: 1 }, { id: 2, n: 2 }]));
    assert.deepEqual([written.events, written.seq], [2, 2]);
    const rows = (page) => page.evaluate(async () => (await db.query('SELECT id FROM t ORDER BY id')).rows.map(({ id }) => id));
    assert.deepEqual(await rows(a), [1, 2]);
    await b.evaluate(async () => {
      await db.transaction(async (tx) => {
        await tx.table('t').insert({ id: 3, n: 3 });
        if ((await tx.query('SELECT * FROM t')).length !== 3) throw new Error('it does not read its own writes');
      });
      let streamed = 0;
      for await (const _ of db.stream('SELECT * FROM t')) streamed += 1;
      if (streamed !== 3) throw new Error(`${streamed} streamed`);
      const error = await db.exec('INSERT INTO t {"id": 1}').catch((error) => error);
      if (error.code !== 'duplicate_key' || error.position?.line !== 1 || !(error instanceof driftdb.DriftError)) throw error;
    });
    assert.deepEqual(await rows(a), [1, 2, 3]);
    await a.evaluate(() => db.close());
    await b.evaluate(() => db.table('t').insert({ id: 4, n: 4 }));
    await openIn(a, { name, storage });
    assert.deepEqual(await rows(a), [1, 2, 3, 4]);
    assert.equal(await a.evaluate((name) => driftdb.deleteDatabase(name).catch(({ code }) => code), name), 'busy');
    await b.close();
    await a.evaluate(() => db.table('t').insert({ id: 5, n: 5 }));
    assert.deepEqual(await rows(a), [1, 2, 3, 4, 5]);
    await a.evaluate(() => db.close());
    await a.close();
  });
}

test('tabs that start together agree on one leader', skip, async () => {
  const pages = await Promise.all([tab(), tab(), tab(), tab()]);
  for (let round = 0; round < (LONG ? 30 : 3); round++) {
    const name = `together ${round}`;
    const at = Date.now() + 300;
    await Promise.all(
      pages.map((page, id) =>
        page.evaluate(
          async ({ name, at, id }) => {
            while (Date.now() < at);
            globalThis.db = await driftdb.open(name);
            await db.exec('CREATE TABLE IF NOT EXISTS t (pk=id)');
            await db.table('t').insert({ id });
          },
          { name, at, id },
        ),
      ),
    );
    const counts = await Promise.all(pages.map((page) => page.evaluate(async () => (await db.query('SELECT * FROM t')).length)));
    assert.deepEqual(counts, [4, 4, 4, 4]);
    await Promise.all(pages.map((page) => page.evaluate(() => db.close())));
  }
  await Promise.all(pages.map((page) => page.close()));
});

test('multiTab: false has a database alone', skip, async () => {
  const [a, b] = await Promise.all([tab(), tab()]);
  await openIn(a, { name: 'alone', multiTab: false });
  const refused = (options) => b.evaluate((options) => driftdb.open(options).then(() => 'open', ({ code }) => code), options);
  assert.equal(await refused({ name: 'alone', busyTimeout: 100 }), 'busy');
  assert.equal(await refused({ name: 'alone', busyTimeout: 100, multiTab: false }), 'busy');
  await a.evaluate(() => db.close());
  await openIn(b, { name: 'alone' });
  assert.equal(await a.evaluate(() => driftdb.open({ name: 'alone', busyTimeout: 100, multiTab: false }).catch(({ code }) => code)), 'busy');
  await a.close();
  await b.close();
});

test('a transaction on a leader that goes is taken back, with an error that can be tried again', skip, async () => {
  const [a, b] = await Promise.all([tab(), tab()]);
  await openIn(a, 'taken back');
  await openIn(b, 'taken back');
  await a.evaluate(() => db.exec('CREATE TABLE t (pk=id)'));
  await b.evaluate(() => {
    globalThis.begun = new Promise((resolve) => {
      globalThis.ended = db
        .transaction(async (tx) => {
          await tx.table('t').insert({ id: 1 });
          resolve();
          await new Promise((go) => (globalThis.go = go));
          await tx.table('t').insert({ id: 2 });
        })
        .catch(({ code, retryable }) => ({ code, retryable }));
    });
    return begun;
  });
  await a.close();
  const answer = await b.evaluate(async () => {
    const before = (await db.query('SELECT * FROM t')).length;
    go();
    const error = await ended;
    await db.transaction((tx) => tx.table('t').insert([{ id: 1 }, { id: 2 }]));
    return { before, error, after: (await db.query('SELECT * FROM t')).length };
  });
  assert.deepEqual(answer, { before: 0, error: { code: 'crashed', retryable: true }, after: 2 });
  await b.close();
});

test('a tab that goes takes its transaction along', skip, async () => {
  const [a, b] = await Promise.all([tab(), tab()]);
  await openIn(a, 'along');
  await openIn(b, 'along');
  await a.evaluate(() => db.exec('CREATE TABLE t (pk=id)'));
  await b.evaluate(
    () =>
      new Promise((resolve) => {
        void db.transaction(async (tx) => {
          await tx.table('t').insert({ id: 1 });
          resolve();
          await new Promise(() => {});
        });
      }),
  );
  const waiting = a.evaluate(() => db.table('t').insert({ id: 1, mine: true }));
  await crash(b);
  await waiting;
  assert.deepEqual(await a.evaluate(async () => (await db.query('SELECT * FROM t')).rows), [{ id: 1, mine: true }]);
  await a.close();
});

test('live queries and changes in another tab, also when the leader goes', skip, async () => {
  const [a, b, c] = await Promise.all([tab(), tab(), tab()]);
  for (const page of [a, b, c]) await openIn(page, 'live');
  await a.evaluate(() => db.exec('CREATE TABLE t (pk=id)'));
  await b.evaluate(() => {
    globalThis.seen = [];
    globalThis.commits = [];
    db.live('SELECT COUNT(*) AS c FROM t', ({ rows, seq }) => seen.push([rows[0].c, seq]));
    void (async () => {
      for await (const { seq, events } of db.changes({ since: 0 })) commits.push([seq, events.map(({ key }) => key)]);
    })();
  });
  const until = (count) => b.waitForFunction((count) => seen.at(-1)?.[0] === count && commits.length === count, count);
  await until(0);
  await a.evaluate(() => db.table('t').insert({ id: 1 }));
  await until(1);
  await c.evaluate(() => db.table('t').insert({ id: 2 }));
  await until(2);
  await a.close();
  await c.evaluate(() => db.table('t').insert({ id: 3 }));
  await until(3);
  await b.evaluate(() => db.table('t').insert({ id: 4 }));
  const { seen, commits } = await b.evaluate(() => ({ seen, commits }));
  await until(4);
  assert.deepEqual(seen.slice(0, 4), [[0, 0], [1, 1], [2, 2], [3, 3]], 'the new leader tells nothing twice');
  assert.deepEqual(commits.slice(0, 3), [[1, [1]], [2, [2]], [3, [3]]]);
  await b.close();
  await c.close();
});

test('a leader that is hidden hands over to a tab that is seen', skip, async () => {
  const [a, b] = await Promise.all([tab(), tab()]);
  for (const page of [a, b]) await openIn(page, 'hidden');
  await a.evaluate(() => db.exec('CREATE TABLE t (pk=id)'));
  assert.deepEqual([await a.evaluate(() => leads), await b.evaluate(() => leads)], [true, false]);
  await a.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
    globalThis.writing = (async () => {
      let count = 0;
      for (const until = Date.now() + 4_000; Date.now() < until; count++) await db.table('t').insert({ id: count });
      return count;
    })();
  });
  const count = await a.evaluate(() => writing);
  assert.deepEqual([await a.evaluate(() => leads), await b.evaluate(() => leads)], [false, true], 'the other one leads');
  assert.equal(await b.evaluate(async () => (await db.query('SELECT * FROM t')).length), count);
  await a.close();
  await b.close();
});

test('a frozen leader is a clear error, and no end', skip, async () => {
  const [a, b] = await Promise.all([tab(), tab()]);
  await openIn(a, 'frozen');
  await openIn(b, { name: 'frozen', busyTimeout: 300 });
  await b.evaluate(() => db.exec('CREATE TABLE t (pk=id)'));
  await a.evaluate(() => worker.postMessage({ freeze: 4_000 }));
  const { codes, ms } = await b.evaluate(async () => {
    const start = performance.now();
    const calls = [db.query('SELECT * FROM t'), db.table('t').insert({ id: 1 })];
    const codes = await Promise.all(calls.map((call) => call.then(() => 'done', ({ code, retryable }) => [code, retryable])));
    return { codes, ms: performance.now() - start };
  });
  assert.deepEqual(codes, [['busy', true], ['busy', true]]);
  assert.ok(ms < 3_500, `${ms} ms`);
  const c = await tab();
  assert.equal(await c.evaluate(() => driftdb.open({ name: 'frozen', busyTimeout: 100 }).catch(({ code }) => code)), 'busy');
  await pause(3_000);
  const rows = await b.evaluate(async () => {
    await db.table('t').insert({ id: 2 });
    return (await db.query('SELECT * FROM t')).rows;
  });
  assert.deepEqual(rows, [{ id: 2 }], 'a call that came too late was not done');
  for (const page of [a, b, c]) await page.close();
});

test('a transaction that a frozen leader was left with is taken back', skip, async () => {
  const [a, b] = await Promise.all([tab(), tab()]);
  await openIn(a, 'left');
  await openIn(b, { name: 'left', busyTimeout: 300 });
  await a.evaluate(() => db.exec('CREATE TABLE t (pk=id)'));
  const begun = b.evaluate(() => {
    globalThis.ended = db.transaction(async (tx) => {
      await tx.table('t').insert({ id: 1 });
      await new Promise((go) => (globalThis.go = go));
      await tx.table('t').insert({ id: 2 });
    }).then(() => 'done', ({ code }) => code);
  });
  await begun;
  await b.waitForFunction(() => globalThis.go !== undefined);
  await a.evaluate(() => worker.postMessage({ freeze: 4_500 }));
  assert.equal(await b.evaluate(() => (go(), ended)), 'busy');
  const rows = await a.evaluate(async () => {
    await db.table('t').insert({ id: 3 });
    return (await db.query('SELECT * FROM t')).rows;
  });
  assert.deepEqual(rows, [{ id: 3 }]);
  await a.close();
  await b.close();
});

test('a script of the leader that fails while it hands over is not done again', skip, async () => {
  const [a, b] = await Promise.all([tab(), tab()]);
  for (const page of [a, b]) await openIn(page, 'failing');
  await a.evaluate(() => db.exec('CREATE TABLE t (pk=id); INSERT INTO t {"id": 0}'));
  const tries = await a.evaluate(async () => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
    const script = `${'PATCH t KEY 0 SET {"n": 1};'.repeat(30)} INSERT INTO t {"id": 0}`;
    let tries = 0;
    for (let until = Infinity; Date.now() < until; tries++) {
      const error = await db.exec(script).catch((error) => error);
      if (error.code !== 'duplicate_key') throw error;
      if (!leads && until === Infinity) until = Date.now() + 300;
    }
    return tries;
  });
  assert.deepEqual([await a.evaluate(() => leads), await b.evaluate(() => leads)], [false, true], 'the other one leads');
  assert.equal(await b.evaluate(async () => (await db.table('t').history(0)).length), 1 + 30 * tries);
  await a.close();
  await b.close();
});

test('a tab takes over without network', skip, async () => {
  const [a, b] = await Promise.all([tab(), tab()]);
  for (const page of [a, b]) await openIn(page, 'offline');
  await a.evaluate(() => db.exec('CREATE TABLE t (pk=id)'));
  await pause(500);
  await browser.context.setOffline(true);
  try {
    await a.close();
    assert.equal(await b.evaluate(async () => (await db.table('t').insert({ id: 1 })).seq), 1);
  } finally {
    await browser.context.setOffline(false);
  }
  await b.close();
});

test('tabs of different versions do not talk to each other', skip, async () => {
  const [a, b] = await Promise.all([tab(), tab()]);
  await openIn(a, 'versions');
  const changed = async (page, skew) => page.evaluate((skew) => worker.postMessage({ skew }), skew);
  await changed(a, 1);
  await assert.rejects(openIn(b, 'versions'), /another version/);
  await changed(a, 0);
  await openIn(b, 'versions');
  assert.equal(await b.evaluate(async () => (await db.exec('CREATE TABLE t (pk=id)')).events), 0);
  await a.close();
  await b.close();
});

/** Tabs write while their leader goes again and again; every acknowledged commit is there, and none twice. */
async function hunt(storage, seed, rounds) {
  const name = `hunt ${storage} ${seed}`;
  let state = seed * 2654435761 + 1;
  const random = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  // A page that only listens keeps what was acknowledged and what failed, as those that write come to an end.
  const witness = await tab();
  await witness.evaluate((name) => {
    globalThis.acknowledged = [];
    globalThis.failures = [];
    new BroadcastChannel(`witness ${name}`).onmessage = ({ data }) => (typeof data === 'string' ? failures : acknowledged).push(data);
  }, name);
  let worker = 0;
  const start = async () => {
    const page = await tab();
    const id = (worker += 1);
    await openIn(page, { name, storage, memtableEvents: 64, snapshotEvents: 200, segmentBytes: 16_384, busyTimeout: 10_000 });
    page.evaluate(async ({ id, name }) => {
      globalThis.writing = true;
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
      };
      await Promise.all([0, 1, 2].map(lane));
    }, { id, name }).catch(() => {});
    return page;
  };
  const first = await tab();
  await openIn(first, { name, storage, memtableEvents: 64, snapshotEvents: 200, segmentBytes: 16_384, busyTimeout: 10_000 });
  await first.evaluate(() => db.exec('CREATE TABLE t (pk=id); CREATE TABLE u (pk=id)'));
  let pages = await Promise.all([1, 2, 3, 4, 5].map(start));
  await first.close();
  const kinds = { close: 0, crash: 0, kill: 0, reload: 0, handle: 0 };
  for (let round = 0; round < rounds; round++) {
    await pause(30 + random(LONG ? 300 : 120));
    const leader = await leaderOf(pages);
    const page = leader ?? pages[random(pages.length)];
    let kind = Object.keys(kinds)[(round + seed) % 5];
    if (kind === 'crash') kind = (await crash(page)) ? 'crash' : 'close';
    else if (kind === 'close') await page.close();
    else if (kind === 'kill') {
      // In the middle of whatever it does.
      await page.evaluate(() => worker.terminate());
      void page.close();
    }
    else if (kind === 'reload') {
      await page.reload();
      await page.close();
    } else {
      await page.evaluate(() => db.close());
      await page.close();
    }
    kinds[kind] += 1;
    pages = pages.filter((other) => other !== page);
    pages.push(await start());
    if (round % 10 === 5) await pages[0].evaluate(() => db.exec('COMPACT u').catch(() => {}));
  }
  for (const page of pages) await page.evaluate(() => (writing = false));
  await pause(300);
  const [last, ...others] = pages;
  for (const page of others) await page.close();
  const found = await last.evaluate(async () => {
    await db.query('SELECT id FROM u LIMIT 1');
    const t = (await db.query('SELECT id FROM t')).rows.map(({ id }) => id);
    const u = (await db.query('SELECT id FROM u')).rows.map(({ id }) => id);
    const commits = [];
    const end = (await db.stats()).seq;
    const inserted = {};
    for (const id of t) for (const { event, seq } of await db.table('t').history(id)) if (event === 'INSERT') (inserted[id] ??= []).push(seq);
    const { findings } = await db.verify();
    return { t, u, inserted, findings, end, commits };
  });
  await last.evaluate(() => db.close());
  await last.close();
  const { failures, ...told } = await witness.evaluate(() => ({ failures, acknowledged }));
  const acknowledged = new Map(told.acknowledged);
  await witness.close();
  assert.deepEqual(failures, [], 'a write that was sent again is no duplicate');
  assert.deepEqual(found.findings, []);
  const there = new Set(found.t);
  const both = new Set(found.u);
  assert.equal(there.size, found.t.length);
  for (const [key, seq] of acknowledged) {
    assert.ok(there.has(key), `${key} is lost`);
    if (seq === 'both') assert.ok(both.has(key), `half of ${key} is lost`);
    else assert.deepEqual(found.inserted[key], [seq], `${key} was done once, as it was answered`);
  }
  for (const key of found.u) assert.ok(there.has(key), `half of ${key} is there`);
  console.log(`tabs: ${storage}, seed ${seed}: ${acknowledged.size} commits acknowledged, ${found.t.length} there, leaders gone: ${JSON.stringify(kinds)}`);
  assert.ok(acknowledged.size > rounds * 5);
}

/** The page whose worker holds the leader's lock. */
async function leaderOf(pages) {
  const leaders = await Promise.all(pages.map((page) => page.evaluate(() => leads).catch(() => false)));
  const at = leaders.indexOf(true);
  return at < 0 ? undefined : pages[at];
}

const seeds = process.env.DRIFTDB_SEED === undefined ? (LONG ? [1, 2, 3, 4, 5] : [1]) : [Number(process.env.DRIFTDB_SEED)];
for (const storage of ['opfs', 'indexeddb']) {
  for (const seed of seeds) {
    test(`${storage}: the leader goes again and again while five tabs write, seed ${seed}`, skip, () => hunt(storage, seed, LONG ? 50 : 8));
  }
}
