// Databases: samples, one's own, files in and out, several tabs.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { browse, noBrowser, program, serve } from './browser.mjs';
import { cell, choose, create, drop, keepAs, notes, opened, reload, run, says, shows } from './parts.mjs';

let server;
let browser;
before(async () => {
  if (noBrowser) return;
  server = await serve();
  browser = await browse({ reducedMotion: 'reduce' });
});
after(async () => {
  await browser?.close();
  server?.close();
});

const skip = noBrowser;

test('samples: each opens with its question and its result', { skip }, async () => {
  const page = await browser.page(server.url);
  await choose(page, /The Blue Hour/);
  await page.getByRole('heading', { name: 'Who took The Blue Hour?' }).waitFor();
  await cell(page, 'blue-hour', 'status').filter({ hasText: 'missing' }).waitFor();
  await page.getByLabel('Jump to a date and time (UTC)').fill('2026-05-11T23:58');
  await cell(page, 'quinn', 'room', 1).filter({ hasText: 'Room 4' }).waitFor();
  await choose(page, /How DriftDB was made/);
  await page.locator('.tables .name', { hasText: 'files' }).waitFor();
  await page.locator('.grid-row [data-column=path]').first().waitFor();
  await choose(page, /^A small shop/);
  await page.getByRole('heading', { name: 'Who changed order 7?' }).waitFor();
  await page.getByRole('button', { name: 'Dismiss the question' }).click();
  await reload(page);
  assert.equal(await page.getByRole('heading', { name: 'Who changed order 7?' }).count(), 0);
  await page.close();
});

test('the sidebar has tables, fields, keys, indexes and counts', { skip }, async () => {
  const page = await browser.page(server.url);
  const tables = page.getByRole('navigation', { name: 'Tables' });
  await tables.getByText('orders', { exact: true }).click();
  const fields = tables.locator('details[open] .fields');
  assert.match(await fields.locator('li').first().textContent(), /^idkeynumber$/);
  assert.match(await fields.locator('li', { hasText: 'status' }).textContent(), /index/);
  await fields.locator('li', { hasText: 'ship.carrier' }).waitFor();
  await tables.getByText('products', { exact: true }).hover();
  await tables.getByRole('button', { name: 'Show products' }).click();
  await page.locator('.card-title', { hasText: 'products' }).waitFor();
  await page.close();
});

test('an own database: made, written, there after a reload, seen live in a second tab, deleted', { skip }, async () => {
  const page = await browser.page(server.url);
  await create(page, 'notes of mine');
  await page.getByText('Nothing in here yet').waitFor();
  await page.getByRole('button', { name: 'Begin with a table' }).click();
  await page.keyboard.press('Control+Enter');
  await cell(page, 1, 'text').filter({ hasText: 'ever' }).waitFor();
  await run(page, 'SELECT * FROM notes');
  await reload(page);
  await page.locator('.database-name', { hasText: 'notes of mine' }).waitFor();
  await cell(page, 1, 'text').waitFor();
  await page.getByLabel('Storage', { exact: true }).getByText(/used, in OPFS/).waitFor();

  const other = await browser.page(server.url);
  await other.locator('.database-name', { hasText: 'notes of mine' }).waitFor();
  await run(other, 'INSERT INTO notes {"id": 2, "text": "from the second tab"}');
  await notes(other).filter({ hasText: '1 event written' }).waitFor();
  await cell(page, 2, 'text').filter({ hasText: 'second tab' }).waitFor();
  await other.close();

  await page.getByRole('button', { name: 'Databases' }).click();
  await page.getByRole('menuitem', { name: 'Delete notes of mine' }).click();
  await page.getByRole('dialog').getByText('There is no way back').waitFor();
  await page.getByRole('button', { name: 'Delete it' }).click();
  await page.locator('.toast', { hasText: 'deleted' }).waitFor();
  await page.getByRole('button', { name: 'Databases' }).click();
  await page.getByRole('menuitem', { name: 'New database' }).waitFor();
  assert.equal(await page.getByRole('menuitem', { name: 'notes of mine', exact: true }).count(), 0);
  await page.close();
});

test('CSV, JSON and JSON Lines are dropped; a .drift goes out and comes in with all its history', { skip }, async () => {
  const page = await browser.page(server.url);
  await create(page, 'files');
  await drop(page, 'people.csv', 'id;name;age\r\n1;"Ann; the first";41\r\n2;Bob;\r\n');
  await cell(page, 1, 'name').filter({ hasText: 'Ann; the first' }).waitFor();
  await drop(page, 'pets.json', '[{"name": "Rex", "owner": 1}, {"name": "Tom", "owner": 2}]');
  await cell(page, 'Rex', 'owner').waitFor();
  await drop(page, 'visits.jsonl', '{"place": "a", "n": 1}\n{"place": "a", "n": 1}\n');
  await cell(page, 2, 'place').waitFor();
  await drop(page, 'bad.json', '[{"a": 1},');
  await page.locator('.toast.bad', { hasText: 'bad.json' }).waitFor();
  await run(page, 'PATCH people KEY 1 SET {"age": 42}');
  const [download] = await Promise.all([page.waitForEvent('download'), choose(page, /Export the database/)]);
  assert.equal(download.suggestedFilename(), 'files.drift');
  const bytes = readFileSync(await download.path());
  await page.evaluate(() => (document.title = ''));
  await drop(page, 'copy.drift', bytes);
  await opened(page, 'copy');
  await page.locator('.badge', { hasText: 'in memory' }).waitFor();
  await run(page, 'SELECT * FROM people');
  await cell(page, 1, 'age').click();
  await page.getByRole('complementary', { name: 'History of a row' }).getByText('people.csv').waitFor();
  await page.close();
});

test('a .drift of the command line is dropped: its history is there, at each moment', { skip: skip || (program === undefined && 'there is no driftdb program (cargo build --package driftdb)') }, async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'driftdb-web-cli-'));
  t.after(() => rmSync(home, { recursive: true }));
  const [dir, file] = [join(home, 'shed'), join(home, 'shed.drift')];
  const run = (script, time) => execFileSync(program, ['sql', '-d', dir, '--now', time], { input: script });
  execFileSync(program, ['init', dir, '--now', '2026-01-01T00:00:00Z']);
  run('CREATE TABLE tools (pk=id, INDEX(place)); INSERT INTO tools {"id": 1, "place": "wall"}, {"id": 2, "place": "box"};', '2026-01-02T00:00:00Z');
  run('BEGIN WITH {"by": "ann", "why": "the hedge"}; PATCH tools KEY 1 SET {"place": "garden"}; COMMIT;', '2026-01-03T00:00:00Z');
  execFileSync(program, ['backup', '-d', dir, file]);
  const page = await browser.page(server.url);
  await drop(page, 'shed.drift', readFileSync(file));
  await opened(page, /^shed$/);
  await page.locator('.badge', { hasText: 'in memory' }).waitFor();
  await shows(cell(page, 1, 'place'), 'garden');
  await page.getByLabel('Jump to a date and time (UTC)').fill('2026-01-02T12:00');
  await says(page, '2 Jan 2026');
  await shows(cell(page, 1, 'place'), 'wall');
  await cell(page, 1, 'place').click();
  await page.getByRole('complementary', { name: 'History of a row' }).getByText('the hedge').waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), choose(page, /Export the database/)]);
  assert.deepEqual(readFileSync(await download.path()), readFileSync(file), 'and goes out again as it came');
  await page.close();
});

test('a sample that is kept is a database like any other, at the same moment', { skip }, async () => {
  const page = await browser.page(server.url);
  await choose(page, /^A small shop/);
  await page.getByLabel('Jump to a date and time (UTC)').fill('2026-04-13T12:00');
  await says(page, '13 Apr 2026');
  await keepAs(page, 'my shop');
  await says(page, '13 Apr 2026');
  await page.reload();
  await opened(page, 'my shop');
  await run(page, 'SELECT * FROM orders');
  await shows(cell(page, 7, 'total'), '24.98');
  await page.close();
});

test('under an application\'s origin its database is listed, opened while it is in use, and seen live', { skip }, async () => {
  const app = await browser.context.newPage();
  await app.goto(`${server.url}app.html`);
  await app.evaluate(async () => {
    const { open } = await import('./app/index.js');
    globalThis.db = await open('my app');
    await globalThis.db.exec('CREATE TABLE tasks (pk=id); INSERT INTO tasks {"id": 1, "title": "write"}', undefined, { by: 'app' });
  });
  const page = await browser.page(server.url);
  await choose(page, /^my app/);
  await cell(page, 1, 'title').filter({ hasText: 'write' }).waitFor();
  await app.evaluate(() => globalThis.db.table('tasks').patch(1, { title: 'write more' }, { by: 'app', why: 'it was not enough' }));
  await cell(page, 1, 'title').filter({ hasText: 'write more' }).waitFor();
  await cell(page, 1, 'title').click();
  await page.getByText('it was not enough').first().waitFor();
  await run(page, 'PATCH tasks KEY 1 SET {"title": "done, says the playground"}');
  assert.equal(await app.evaluate(async () => (await globalThis.db.table('tasks').get(1)).title), 'done, says the playground');
  await page.close();
  await app.close();
});

test('no complaints on the console', { skip }, () => assert.deepEqual(browser.complaints, []));
