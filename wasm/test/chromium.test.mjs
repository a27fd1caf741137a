// The package in Chromium, over OPFS.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CHROMIUM, browse, discard, noBrowser, serve } from './browser.mjs';
import { lines, sum } from './golden.mjs';

const skip = { skip: noBrowser, timeout: 240_000 };
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

/** Runs a function in a fresh page; it sees `driftdb`. */
async function inPage(action, argument) {
  const page = await browser.page(server.url);
  try {
    return await page.evaluate(action, argument);
  } finally {
    await page.close();
  }
}

test('three lines, kept in OPFS over a reload', skip, async () => {
  const page = await browser.page(server.url);
  const first = await page.evaluate(async () => {
    const db = await driftdb.open('three');
    await db.exec('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1, "a": "x"}');
    const { rows } = await db.query('SELECT * FROM t');
    const { storage } = db;
    return { rows, storage };
  });
  assert.deepEqual(first, { rows: [{ id: 1, a: 'x' }], storage: 'opfs' });
  await page.reload();
  const second = await page.evaluate(async () => {
    const { open } = await import('./dist/index.js');
    const db = await open('three');
    await db.table('t').patch(1, { a: 'y' });
    const history = (await db.table('t').history(1)).map(({ event }) => event);
    const findings = (await db.verify()).findings;
    await db.close();
    return { history, findings };
  });
  assert.deepEqual(second, { history: ['INSERT', 'PATCH'], findings: [] });
  await page.close();
});

test('100 tables, transactions over them, streams, and what is closed opens again', skip, async () => {
  const counts = await inPage(async () => {
    let db = await driftdb.open({ name: 'many', memtableEvents: 8, snapshotEvents: 25, segmentBytes: 2048, mergeFan: 2 });
    for (let i = 0; i < 100; i++) await db.exec(`CREATE TABLE t${i} (pk=id)`);
    for (let round = 0; round < 3; round++) {
      await db.transaction(async (tx) => {
        for (let i = 0; i < 100; i++) await tx.table(`t${i}`).insert({ id: round, i });
      });
    }
    await db.close();
    db = await driftdb.open('many');
    const counts = [];
    for (let i = 0; i < 100; i++) counts.push((await db.query(`SELECT * FROM t${i}`)).length);
    const { findings } = await db.verify();
    let streamed = 0;
    for await (const _ of db.stream('SELECT * FROM t7')) streamed++;
    await db.close();
    return { counts: [...new Set(counts)], findings, streamed };
  });
  assert.deepEqual(counts, { counts: [3], findings: [], streamed: 3 });
});

test('databases are listed and deleted, not while they are open', skip, async () => {
  const answer = await inPage(async () => {
    const db = await driftdb.open('listed');
    const open = await driftdb.deleteDatabase('listed').catch((error) => error.code);
    await db.close();
    const listed = (await driftdb.databases()).includes('listed');
    const deleted = [await driftdb.deleteDatabase('listed'), await driftdb.deleteDatabase('listed')];
    const left = (await driftdb.databases()).includes('listed');
    const missing = await driftdb.open({ name: 'listed', create: false }).catch((error) => error.code);
    return { open, listed, deleted, left, missing };
  });
  assert.deepEqual(answer, { open: 'busy', listed: true, deleted: [true, false], left: false, missing: 'not_a_database' });
});

test('one page shares a database; persist can be asked for', skip, async () => {
  const answer = await inPage(async () => {
    const [a, b] = await Promise.all([driftdb.open('shared'), driftdb.open('shared')]);
    await a.exec('CREATE TABLE IF NOT EXISTS t (pk=id); UPSERT INTO t {"id": 1}');
    const rows = (await b.query('SELECT * FROM t')).length;
    const persisted = typeof (await a.persist());
    await a.close();
    const still = (await b.query('SELECT * FROM t')).length;
    await b.close();
    return { rows, persisted, still };
  });
  assert.deepEqual(answer, { rows: 1, persisted: 'boolean', still: 1 });
});

test('rows on the page are plain objects', skip, async () => {
  const answer = await inPage(async () => {
    const db = await driftdb.open({ storage: 'memory' });
    await db.exec('CREATE TABLE t (pk=id)');
    await db.table('t').insert({ id: 1, big: 2n ** 60n, nested: { a: [1, '😀'] } });
    const { rows } = await db.query('SELECT * FROM t');
    const copy = structuredClone({ ...rows[0] });
    const plain = Object.getPrototypeOf(rows[0]) === Object.prototype;
    const refused = await db.table('t').insert({ id: 2, el: document.body }).catch((error) => [error.code, error.position.path]);
    await db.close();
    return { big: String(copy.big), nested: copy.nested, plain, refused };
  });
  assert.deepEqual(answer, { big: String(2n ** 60n), nested: { a: [1, '😀'] }, plain: true, refused: ['invalid_value', 'insert[0].el'] });
});

test('a browser killed in mid-write has lost nothing that it acknowledged', skip, async () => {
  const profile = mkdtempSync(join(tmpdir(), 'driftdb-killed-'));
  const own = await browse(profile);
  const page = await own.page(server.url);
  let acknowledged = 0;
  await page.exposeFunction('acknowledge', (id) => {
    acknowledged = id;
  });
  const running = page.evaluate(async () => {
    const db = await driftdb.open('killed');
    await db.exec('CREATE TABLE t (pk=id); CREATE TABLE u (pk=id)');
    for (let id = 1; ; id++) {
      await db.transaction(async (tx) => {
        await tx.table('t').insert({ id });
        await tx.table('u').insert({ id });
      });
      acknowledge(id);
    }
  });
  running.catch(() => {});
  while (acknowledged < 60) await new Promise((resolve) => setTimeout(resolve, 5));
  await own.kill();
  const before = acknowledged;
  const again = await browse(profile);
  const after = await again.page(server.url);
  const found = await after.evaluate(async () => {
    const db = await driftdb.open('killed');
    const counts = [(await db.query('SELECT * FROM t')).length, (await db.query('SELECT * FROM u')).length];
    const { findings } = await db.verify();
    await db.close();
    return { counts, findings };
  });
  await again.close();
  discard(profile);
  assert.ok(found.counts[0] >= before, `${found.counts[0]} of ${before}`);
  assert.equal(found.counts[0], found.counts[1], 'transactions are whole');
  assert.deepEqual(found.findings, []);
});

test('the language suite in a worker, over OPFS', skip, async () => {
  const suite = fileURLToPath(new URL('../../tests/suite/', import.meta.url));
  const names = readdirSync(suite).filter((name) => name.endsWith('.slt'));
  const files = names.map((name) => ({ name, text: readFileSync(join(suite, name), 'utf8') }));
  const reports = await inPage(async (files) => {
    const reports = [];
    for (const file of files) {
      const worker = new Worker('./test/suite-worker.mjs', { type: 'module' });
      reports.push(await new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage(file);
      }));
      worker.terminate();
    }
    return reports;
  }, files);
  let records = 0;
  for (const [at, report] of reports.entries()) {
    assert.deepEqual(report.failures, [], names[at]);
    records += report.records;
  }
  assert.ok(records > 900, `${records} records`);
});

test('IndexedDB: kept over a reload, one user, transactions whole', skip, async () => {
  const page = await browser.page(server.url);
  const first = await page.evaluate(async () => {
    const db = await driftdb.open({ name: 'idb', storage: 'indexeddb', memtableEvents: 8, snapshotEvents: 25, segmentBytes: 2048, mergeFan: 2 });
    await db.exec('CREATE TABLE t (pk=id, INDEX(a)); CREATE TABLE u (pk=id)');
    for (let id = 0; id < 40; id++) {
      await db.transaction(async (tx) => {
        await tx.table('t').insert({ id, a: id % 3 });
        await tx.table('u').insert({ id });
      });
    }
    const refused = await new Promise((resolve) => {
      const worker = new Worker('./dist/worker.js', { type: 'module' });
      driftdb.open({ name: 'idb', storage: 'indexeddb', busyTimeout: 100, worker, cacheBytes: 1_000_000 }).catch((error) => resolve(error.code));
    });
    await Promise.all([1, 2, 3].map((id) => db.table('t').patch(id, { a: 'x' })));
    return { storage: db.storage, refused };
  });
  assert.deepEqual(first, { storage: 'indexeddb', refused: 'invalid_value' });
  const other = await browser.page(server.url);
  assert.equal(await other.evaluate(() => driftdb.open({ name: 'idb', storage: 'indexeddb', busyTimeout: 100, multiTab: false }).catch((error) => error.code)), 'busy');
  await page.close();
  const second = await other.evaluate(async () => {
    const db = await driftdb.open({ name: 'idb', storage: 'indexeddb' });
    const counts = [(await db.query('SELECT * FROM t')).length, (await db.query('SELECT * FROM u')).length, (await db.query('SELECT * FROM t WHERE a = "x"')).length];
    const { findings } = await db.verify();
    await db.exec('COMPACT t');
    await db.close();
    const again = await driftdb.open({ name: 'idb', storage: 'indexeddb' });
    counts.push((await again.query('SELECT * FROM t')).length);
    await again.close();
    const listed = (await driftdb.databases()).includes('idb');
    const deleted = await driftdb.deleteDatabase('idb');
    return { counts, findings, listed, deleted };
  });
  assert.deepEqual(second, { counts: [40, 40, 3, 40], findings: [], listed: true, deleted: true });
  await other.close();
});

test('IndexedDB: what a script committed before its error is there after the page has gone', skip, async () => {
  const page = await browser.page(server.url);
  const code = await page.evaluate(async () => {
    const db = await driftdb.open({ name: 'idb half', storage: 'indexeddb' });
    await db.exec('CREATE TABLE t (pk=id)');
    return db.exec('INSERT INTO t {"id": 1}; INSERT INTO t {"id": 1}').catch((error) => error.code);
  });
  assert.equal(code, 'duplicate_key');
  await page.close();
  const rows = await inPage(async () => {
    const db = await driftdb.open({ name: 'idb half', storage: 'indexeddb' });
    const { rows } = await db.query('SELECT * FROM t');
    await db.close();
    return rows;
  });
  assert.deepEqual(rows, [{ id: 1 }]);
});

test('what is under way when the database is closed ends', skip, async () => {
  const code = await inPage(async () => {
    const db = await driftdb.open({ name: 'under way', multiTab: false });
    await db.exec('CREATE TABLE t (pk=id)');
    await db.table('t').insert(Array.from({ length: 20_000 }, (_, id) => ({ id, text: `row ${id}` })));
    const query = db.query('SELECT text, COUNT(*) AS c FROM t WHERE text LIKE "%r%o%w%" GROUP BY text ORDER BY c').then(() => 'answered', (error) => error.code);
    await db.close();
    return Promise.race([query, new Promise((resolve) => setTimeout(() => resolve('nothing'), 2_000))]);
  });
  assert.equal(code, 'closed');
});

test('IndexedDB: what was acknowledged is there after the page was killed', skip, async () => {
  const page = await browser.page(server.url);
  let acknowledged = 0;
  await page.exposeFunction('acknowledge', (id) => {
    acknowledged = id;
  });
  page.evaluate(async () => {
    const db = await driftdb.open({ name: 'idb killed', storage: 'indexeddb' });
    await db.exec('CREATE TABLE t (pk=id)');
    for (let id = 1; ; id++) {
      await db.table('t').insert({ id });
      acknowledge(id);
    }
  }).catch(() => {});
  while (acknowledged < 50) await new Promise((resolve) => setTimeout(resolve, 5));
  await browser.crash(page);
  const before = acknowledged;
  const { ids, findings } = await inPage(async () => {
    const db = await driftdb.open({ name: 'idb killed', storage: 'indexeddb', busyTimeout: 30_000 });
    const ids = (await db.query('SELECT * FROM t')).rows.map(({ id }) => id);
    const { findings } = await db.verify();
    await db.close();
    return { ids, findings };
  });
  assert.ok(ids.length >= before, `${ids.length} of ${before}`);
  assert.deepEqual([ids, findings], [ids.map((_, at) => at + 1), []]);
});

test('IndexedDB: a commit that cannot be stored is an error, and is not seen', skip, async () => {
  const answer = await inPage(async () => {
    const worker = new Worker('./test/full-idb-worker.mjs', { type: 'module' });
    const db = await driftdb.open({ name: 'idb full', storage: 'indexeddb', worker });
    await db.exec('CREATE TABLE t (pk=id); INSERT INTO t {"id": 0}');
    worker.postMessage({ full: true });
    const code = await db.table('t').insert({ id: 1 }).catch((error) => error.code);
    worker.postMessage({ full: false });
    const left = (await db.query('SELECT id FROM t')).rows;
    await db.table('t').insert({ id: 2 });
    const { rows } = await db.query('SELECT id FROM t');
    await db.close();
    return { code, left, rows };
  });
  assert.deepEqual(answer, { code: 'storage_full', left: [{ id: 0 }], rows: [{ id: 0 }, { id: 2 }] });
});

test('files: the same bytes from OPFS and IndexedDB as elsewhere, and in again', skip, async () => {
  const found = await inPage(async (text) => {
    const bytesOf = async (db) => new Uint8Array(await new Response(db.export()).arrayBuffer());
    const hash = async (bytes) => Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const sums = [];
    for (const storage of ['opfs', 'indexeddb']) {
      const worker = () => new Worker('test/fixed-clock-worker.mjs', { type: 'module' });
      const db = await driftdb.open({ name: `files ${storage}`, storage, worker });
      await db.load(text);
      const bytes = await bytesOf(db);
      await db.close();
      const copy = await driftdb.open({ name: `copy ${storage}`, storage });
      await copy.import(new Blob([bytes]));
      sums.push(await hash(bytes), await hash(await bytesOf(copy)), (await copy.verify()).findings.length);
      await copy.close();
    }
    return sums;
  }, lines);
  assert.deepEqual(found, [sum, sum, 0, sum, sum, 0]);
});

test('a tab that is closed in the middle of an import leaves an empty database', skip, async () => {
  for (const storage of ['opfs', 'indexeddb']) {
    const page = await browser.page(server.url);
    await page.evaluate(async (storage) => {
      const from = await driftdb.open({ storage: 'memory' });
      await from.exec('CREATE TABLE t (pk=id)');
      await from.table('t').insert(Array.from({ length: 20_000 }, (_, id) => ({ id, text: `text ${id}` })));
      const bytes = new Uint8Array(await new Response(from.export()).arrayBuffer());
      const db = await driftdb.open({ name: `half ${storage}`, storage });
      await new Promise((resolve) => {
        void db.import((async function* () {
          yield bytes.subarray(0, bytes.length >> 1);
          resolve();
          await new Promise(() => {});
        })());
      });
    }, storage);
    await page.close();
    const tables = await inPage(async (storage) => {
      const db = await driftdb.open({ name: `half ${storage}`, storage });
      const tables = (await db.query('SHOW TABLES')).rows;
      await db.exec('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1}');
      await db.close();
      return tables;
    }, storage);
    assert.deepEqual(tables, [], storage);
  }
});

test('a tab that does not lead exports and imports, and may go in the middle of it', skip, async () => {
  const [leader, other, gone] = [await browser.page(server.url), await browser.page(server.url), await browser.page(server.url)];
  const open = async () => {
    globalThis.db = await driftdb.open({ name: 'passed on', busyTimeout: 30_000 });
    const from = await driftdb.open({ storage: 'memory' });
    await from.exec('CREATE TABLE t (pk=id)');
    await from.table('t').insert(Array.from({ length: 20_000 }, (_, id) => ({ id, text: `text ${id}` })));
    globalThis.bytes = new Uint8Array(await new Response(from.export()).arrayBuffer());
    await from.close();
  };
  for (const page of [leader, gone, other]) await page.evaluate(open);
  await gone.evaluate(() => new Promise((resolve) => {
    void db.import((async function* () {
      yield bytes.subarray(0, bytes.length >> 1);
      resolve();
      await new Promise(() => {});
    })());
  }));
  const waiting = leader.evaluate(async () => (await db.query('SHOW TABLES')).length);
  await gone.close();
  assert.equal(await waiting, 0);
  assert.equal((await other.evaluate(() => db.import(bytes))).seq, 20_000);
  assert.equal(await leader.evaluate(async () => (await db.query('SELECT COUNT(*) AS n FROM t')).at(0).n), 20_000);
  const same = await other.evaluate(async () => {
    const again = new Uint8Array(await new Response(db.export()).arrayBuffer());
    return again.length === bytes.length && again.every((byte, i) => byte === bytes[i]);
  });
  assert.ok(same);
  await leader.close();
  await other.close();
});

test('a database that is in IndexedDB already is found there', skip, async () => {
  const found = await inPage(async () => {
    const old = await driftdb.open({ name: 'old', storage: 'indexeddb' });
    await old.exec('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1}');
    await old.close();
    const storages = [];
    for (const name of ['old', 'new', 'new', 'old']) {
      const db = await driftdb.open(name);
      storages.push(db.storage, (await db.query('SHOW TABLES')).length);
      await db.close();
    }
    const none = await driftdb.open({ name: 'none', create: false }).catch(({ code }) => code);
    return [...storages, none, await driftdb.databases()];
  });
  assert.deepEqual(found.slice(0, 9), ['indexeddb', 1, 'opfs', 0, 'opfs', 0, 'indexeddb', 1, 'not_a_database']);
  assert.ok(found[9].includes('old') && found[9].includes('new') && !found[9].includes('none'));
});

test('a private window: what is written is there as long as it is', skip, async () => {
  const { chromium } = await import('playwright-core');
  const own = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const visits = [];
    for (const window of [await own.newContext(), await own.newContext()]) {
      for (let visit = 0; visit < 2; visit++) {
        const page = await window.newPage();
        await page.goto(`${server.url}/page.html`);
        visits.push(await page.evaluate(async () => {
          const { open } = await import('./dist/index.js');
          const db = await open({ name: 'private', migrations: ['CREATE TABLE t (pk=id)'] });
          await db.table('t').insert({ id: (await db.query('SELECT * FROM t')).length });
          const { length } = await db.query('SELECT * FROM t');
          await db.close();
          return `${db.storage} ${length}`;
        }));
        await page.close();
      }
      await window.close();
    }
    assert.deepEqual(visits, ['opfs 1', 'opfs 2', 'opfs 1', 'opfs 2']);
  } finally {
    await own.close();
  }
});
