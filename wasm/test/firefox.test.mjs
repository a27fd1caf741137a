// The package in Firefox: OPFS, IndexedDB, private windows.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { serve } from './browser.mjs';
import { lines, sum } from './golden.mjs';

const FIREFOX = ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find((path) => existsSync(path));
const packaging = fileURLToPath(new URL('packaging/package.json', import.meta.url));
const driver = existsSync(new URL('packaging/node_modules/puppeteer-core', import.meta.url));
const why = FIREFOX === undefined ? 'there is no Firefox (apt-get install firefox-esr)' : !driver && 'puppeteer-core is not installed (npm install in wasm/test/packaging)';
const skip = { skip: why, timeout: 300_000 };

let puppeteer;
let server;
let browser;

async function launch(extraPrefsFirefox = {}) {
  return puppeteer.launch({ browser: 'firefox', executablePath: FIREFOX, headless: true, extraPrefsFirefox, timeout: 120_000, protocolTimeout: 280_000 });
}

before(async () => {
  if (why) return;
  puppeteer = (await import(pathToFileURL(createRequire(packaging).resolve('puppeteer-core')))).default;
  server = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.close();
});

async function load(page) {
  await page.goto(`${server.url}/page.html`, { timeout: 120_000 });
  await page.evaluate(async () => {
    globalThis.driftdb = await import('./dist/index.js');
  });
}

/** Runs a function in a fresh page; it sees `driftdb`. */
async function inPage(action, argument, where = browser) {
  const page = await where.newPage();
  try {
    await load(page);
    return await page.evaluate(action, argument);
  } finally {
    await page.close();
  }
}

test('Firefox: kept over a reload, in OPFS and in IndexedDB', skip, async () => {
  const page = await browser.newPage();
  for (const storage of ['opfs', 'indexeddb']) {
    await load(page);
    const first = await page.evaluate(async (storage) => {
      const db = await driftdb.open(storage === 'opfs' ? 'kept' : { name: 'kept in idb', storage });
      await db.exec('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1, "a": "x"}');
      await db.transaction((tx) => tx.table('t').patch(1, { a: 'y' }));
      return db.storage;
    }, storage);
    assert.equal(first, storage);
    await load(page);
    const second = await page.evaluate(async (storage) => {
      const db = await driftdb.open(storage === 'opfs' ? 'kept' : { name: 'kept in idb', storage });
      const rows = (await db.query('SELECT * FROM t')).rows;
      const before = await db.table('t').get(1, { asOf: { seq: 1 } });
      const { findings } = await db.verify();
      await db.close();
      return { rows, before, findings };
    }, storage);
    assert.deepEqual(second, { rows: [{ id: 1, a: 'y' }], before: { id: 1, a: 'x' }, findings: [] });
  }
  await page.close();
});

test('Firefox: the same file from OPFS and IndexedDB as everywhere, and in again', skip, async () => {
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
      sums.push(await hash(await bytesOf(copy)));
      await copy.close();
    }
    return sums;
  }, lines);
  assert.deepEqual(found, [sum, sum]);
});

test('Firefox: the language suite in a worker, over OPFS', skip, async () => {
  const suite = fileURLToPath(new URL('../../tests/suite/', import.meta.url));
  const files = readdirSync(suite).filter((name) => name.endsWith('.slt')).map((name) => ({ name, text: readFileSync(join(suite, name), 'utf8') }));
  let records = 0;
  const page = await browser.newPage();
  await load(page);
  for (const file of files) {
    const report = await page.evaluate((file) => {
      const worker = new Worker('./test/suite-worker.mjs', { type: 'module' });
      return new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage(file);
      }).finally(() => worker.terminate());
    }, file);
    assert.deepEqual(report.failures, [], file.name);
    records += report.records;
  }
  await page.close();
  assert.ok(records > 900, `${records} records`);
});

test('Firefox: two pages of one database, of which one goes', skip, async () => {
  const [one, two] = [await browser.newPage(), await browser.newPage()];
  await load(one);
  await load(two);
  const insert = async (id) => {
    globalThis.db ??= await driftdb.open({ name: 'two', migrations: ['CREATE TABLE t (pk=id)'] });
    await globalThis.db.table('t').insert({ id });
    return (await globalThis.db.query('SELECT id FROM t')).rows.map((row) => row.id).join();
  };
  assert.equal(await one.evaluate(insert, 1), '1');
  assert.equal(await two.evaluate(insert, 2), '1,2');
  assert.equal(await one.evaluate(insert, 3), '1,2,3');
  await one.close();
  assert.equal(await two.evaluate(insert, 4), '1,2,3,4');
  await two.close();
});

test('Firefox: a private window keeps what it can, or says that nothing does', skip, async () => {
  const isPrivate = await launch({ 'browser.privatebrowsing.autostart': true });
  try {
    const found = await inPage(async () => {
      const root = await navigator.storage.getDirectory().then(() => 'there', ({ name }) => name);
      const opfs = await driftdb.open({ name: 'a', storage: 'opfs' }).then(() => 'open', ({ code }) => code);
      const auto = await driftdb.open({ name: 'b', migrations: ['CREATE TABLE t (pk=id)'] }).then(async (db) => {
        await db.table('t').upsert({ id: 1 });
        const { length } = await db.query('SELECT * FROM t');
        await db.close();
        return `${db.storage} ${length}`;
      }, ({ code }) => code);
      return { root, opfs, auto };
    }, undefined, isPrivate);
    assert.notEqual(found.root, 'there', 'this is a private window');
    assert.equal(found.opfs, 'no_storage');
    assert.ok(['indexeddb 1', 'no_storage'].includes(found.auto), found.auto);
  } finally {
    await isPrivate.close();
  }
});
