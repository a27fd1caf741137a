// A disk that is full, as Chromium says it: a clear error, everything acknowledged is there and can be read, and writing works again when there is room.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noBrowser } from './browser.mjs';
import { tabs } from './tabs.mjs';

const { server, browser, tab } = tabs();

/** Sets how much the origin may keep beyond what it has; without a number as much as ever. */
async function room(page, bytes) {
  const cdp = await browser().context.newCDPSession(page);
  const { usage } = await page.evaluate(() => navigator.storage.estimate());
  await cdp.send('Storage.overrideQuotaForOrigin', { origin: new URL(server().url).origin, ...(bytes !== undefined && { quotaSize: usage + bytes }) });
}

async function opening([name, storage]) {
  globalThis.db = await driftdb.open({ name, storage, busyTimeout: 30_000 });
  /** Text that is as long when it is stored. */
  globalThis.noise = () => Array.from(crypto.getRandomValues(new Uint8Array(50_000)), (byte) => String.fromCharCode(32 + (byte % 90))).join('');
  globalThis.told = (action) => action.then(() => 'done', (error) => ({ code: error.code, typed: error instanceof driftdb.DriftError, says: error.message.length > 10 }));
  /** What is seen of the table, in all ways of looking. */
  globalThis.look = async () => {
    const ids = (await db.query('SELECT id FROM t ORDER BY id')).rows.map(({ id }) => id);
    const { seq } = await db.stats();
    const before = (await db.asOf({ seq: 1 }).query('SELECT id FROM t')).length;
    const one = (await db.table('t').get(ids.at(-1)))?.id;
    const bytes = (await new Response(db.export()).arrayBuffer()).byteLength;
    return { ids, halves: (await db.query('SELECT id FROM u')).length, seq, before, one, exported: bytes > seq * 1_000, findings: (await db.verify()).findings };
  };
}

/** Writes until there is no more room; which ids were acknowledged, how it ended, and what became of a transaction after that. */
async function fill() {
  const acknowledged = [0];
  let end = 'done';
  for (let id = 1; end === 'done' && id < 500; id++) {
    end = await told(db.table('t').insert({ id, text: noise() }));
    if (end === 'done') acknowledged.push(id);
  }
  const transaction = await told(db.transaction(async (tx) => {
    await tx.table('u').insert({ id: 'half', text: noise() });
    await tx.table('t').insert({ id: 'half', text: noise() });
  }));
  return { acknowledged, end, transaction };
}

for (const storage of ['opfs', 'indexeddb']) {
  test(`${storage}: a full disk, for two tabs`, { skip: noBrowser, timeout: 240_000 }, async () => {
    const name = `full ${storage}`;
    const [a, b] = [await tab(), await tab()];
    // Before anything is opened: the browser keeps in mind for a while how much room IndexedDB had.
    await room(a, 2_000_000);
    for (const page of [a, b]) await page.evaluate(opening, [name, storage]);
    await a.evaluate(() => db.exec('CREATE TABLE t (pk=id); CREATE TABLE u (pk=id); INSERT INTO t {"id": 0}'));
    const { acknowledged, end, transaction } = await a.evaluate(fill);
    assert.deepEqual(end, { code: 'storage_full', typed: true, says: true });
    assert.ok(acknowledged.length > 3, `${acknowledged.length} were written before`);
    // In OPFS nothing more is written until the database is opened anew; IndexedDB tries.
    assert.deepEqual(transaction, { code: storage === 'opfs' ? 'latched' : 'storage_full', typed: true, says: true });
    const expected = { ids: acknowledged, halves: 0, seq: acknowledged.length, before: 1, one: acknowledged.at(-1), exported: true, findings: [] };
    assert.deepEqual(await a.evaluate(() => look()), expected, 'it is read');
    assert.deepEqual(await b.evaluate(() => look()), expected, 'by the other tab, too');
    assert.deepEqual(await b.evaluate(() => told(db.table('t').insert({ id: -1, text: noise() }))), transaction);

    await room(a);
    // In OPFS that is what the next leader does.
    if (storage === 'opfs') await a.evaluate(() => db.close().catch(() => {}));
    await b.evaluate(() => db.table('t').insert({ id: 1_000 }));
    expected.ids.push(1_000);
    Object.assign(expected, { seq: expected.seq + 1, one: 1_000 });
    assert.deepEqual(await b.evaluate(() => look()), expected, 'it is written again');
    await a.close();
    await b.close();
    const c = await tab();
    await c.evaluate(opening, [name, storage]);
    assert.deepEqual(await c.evaluate(() => look()), expected, 'and is there afterwards');
    await c.close();
  });
}
