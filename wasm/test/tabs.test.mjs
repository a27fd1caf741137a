// Many tabs of one database, in Chromium: who leads, who takes over, and that nothing acknowledged is lost or done twice.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noBrowser } from './browser.mjs';
import { tabs } from './tabs.mjs';

const LONG = process.env.DRIFTDB_HUNT === 'long';
const skip = { skip: noBrowser, timeout: 240_000 };
const { tab, browser, leading, openIn, freeze, thaw, crash } = tabs();

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

test('a tab that finds its database in IndexedDB shares it with one that has asked for IndexedDB', skip, async () => {
  const [a, b] = await Promise.all([tab(), tab()]);
  const name = 'found';
  await openIn(a, { name, storage: 'indexeddb' });
  await a.evaluate(() => db.exec('CREATE TABLE t (pk=id)'));
  assert.equal(await openIn(b, { name }), 'indexeddb');
  await b.evaluate(() => db.table('t').insert({ id: 1 }));
  assert.deepEqual(await a.evaluate(async () => (await db.query('SELECT * FROM t')).rows), [{ id: 1 }]);
  await a.evaluate(() => db.close());
  await b.evaluate(() => db.table('t').insert({ id: 2 }));
  assert.equal(await a.evaluate((name) => driftdb.deleteDatabase(name).catch(({ code }) => code), name), 'busy');
  await b.evaluate(() => db.close());
  assert.equal(await a.evaluate((name) => driftdb.deleteDatabase(name), name), true);
  await a.close();
  await b.close();
});

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
            globalThis.db = await driftdb.open({ name, busyTimeout: 30_000 });
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
      for (let left = 20; left > 0; count++) {
        await db.table('t').insert({ id: count });
        if (!leads) left -= 1;
      }
      return count;
    })();
  });
  const count = await a.evaluate(() => writing);
  await leading(b);
  assert.equal(await a.evaluate(() => leads), false, 'the other one leads');
  assert.equal(await b.evaluate(async () => (await db.query('SELECT * FROM t')).length), count);
  await a.close();
  await b.close();
});

test('a frozen leader is a clear error, and no end', skip, async () => {
  const [a, b] = await Promise.all([tab(), tab()]);
  await openIn(a, 'frozen');
  await openIn(b, { name: 'frozen', busyTimeout: 2_000 });
  await b.evaluate(() => db.exec('CREATE TABLE t (pk=id)'));
  await freeze(a);
  const codes = await b.evaluate(() => {
    const calls = [db.query('SELECT * FROM t'), db.table('t').insert({ id: 1 })];
    return Promise.all(calls.map((call) => call.then(() => 'done', ({ code, retryable }) => [code, retryable])));
  });
  assert.deepEqual(codes, [['busy', true], ['busy', true]], 'while it is frozen');
  const c = await tab();
  assert.equal(await c.evaluate(() => driftdb.open({ name: 'frozen', busyTimeout: 100 }).catch(({ code }) => code)), 'busy');
  thaw();
  // Its own page hears of it when it goes on: from then on it is in time.
  await a.evaluate(() => db.query('SHOW TABLES'));
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
  await openIn(b, { name: 'left', busyTimeout: 2_000 });
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
  await freeze(a);
  assert.equal(await b.evaluate(() => (go(), ended)), 'busy');
  thaw();
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
  await leading(b);
  assert.equal(await a.evaluate(() => leads), false, 'the other one leads');
  assert.equal(await b.evaluate(async () => (await db.table('t').history(0)).length), 1 + 30 * tries);
  await a.close();
  await b.close();
});

test('a tab takes over without network', skip, async () => {
  const [a, b] = await Promise.all([tab(), tab()]);
  for (const page of [a, b]) await openIn(page, 'offline');
  await a.evaluate(() => db.exec('CREATE TABLE t (pk=id)'));
  await b.waitForFunction(() => globalThis.compiled === true);
  await browser().context.setOffline(true);
  try {
    await a.close();
    assert.equal(await b.evaluate(async () => (await db.table('t').insert({ id: 1 })).seq), 1);
  } finally {
    await browser().context.setOffline(false);
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
