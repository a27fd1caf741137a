// The editor, as somebody who writes DriftQL in it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { browse, noBrowser, serve } from './browser.mjs';
import { cell, notes, reload, run, shows, write } from './parts.mjs';

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

test('colours, and completion of keywords, tables, fields and functions from the catalogue', { skip }, async () => {
  const page = await browser.page(server.url);
  await write(page, '');
  await page.keyboard.type('SEL');
  await page.locator('.cm-tooltip-autocomplete', { hasText: 'SELECT' }).waitFor();
  await page.keyboard.press('Escape');
  await write(page, 'SELECT id FROM ');
  await page.keyboard.type('pro');
  await page.locator('.cm-tooltip-autocomplete li', { hasText: 'products' }).waitFor();
  await page.keyboard.press('Escape');
  await write(page, 'SELECT * FROM orders WHERE ');
  await page.keyboard.type('sta');
  await page.locator('.cm-tooltip-autocomplete li', { hasText: 'status' }).waitFor();
  // CodeMirror takes no choice in the first moments, so that nobody chooses by mistake.
  await page.waitForTimeout(120);
  await page.keyboard.press('Enter');
  await page.keyboard.insertText(" = 'paid' ORDER BY ");
  await page.keyboard.type('ship.c');
  await page.locator('.cm-tooltip-autocomplete li', { hasText: 'ship.city' }).waitFor();
  await page.keyboard.press('Escape');
  assert.match(await page.locator('.cm-content').textContent(), /WHERE status = 'paid'/);
  await page.locator('.tok-keyword').nth(4).waitFor();
  assert.deepEqual([...new Set(await page.locator('.tok-keyword').allTextContents())].slice(0, 3), ['SELECT', 'FROM', 'WHERE']);
  await write(page, 'SELECT ');
  await page.keyboard.type('COU');
  await page.locator('.cm-tooltip-autocomplete li', { hasText: 'COUNT' }).waitFor();
  await page.close();
});

test('an error is underlined at its place with its hint, while typing and after a run', { skip }, async () => {
  const page = await browser.page(server.url);
  await write(page, 'SELECT * FROM orders;\nSELECT * FROM ordres');
  const bad = page.locator('.cm-lintRange-error');
  await bad.waitFor();
  assert.equal(await bad.textContent(), 'ordres');
  await bad.hover();
  await page.locator('.cm-diagnostic', { hasText: 'did you mean orders?' }).waitFor();
  await page.keyboard.press('Control+Enter');
  await notes(page).filter({ hasText: 'there is no table ordres' }).waitFor();
  assert.equal(await page.locator('.card').count(), 1);
  await run(page, 'PATCH orders KEY 7 SET {"total": }');
  assert.match(await notes(page).textContent(), /did you|expected/i);
  await page.locator('.cm-lintRange-error').waitFor();
  // It is still there when what was typed has been looked at, some tenths of a second later.
  await page.waitForTimeout(700);
  assert.equal(await page.locator('.cm-lintRange-error').count(), 1);
  await run(page, 'SELECT * FROM orders');
  await page.locator('.cm-lintRange-error').waitFor({ state: 'detached' });
  await page.close();
});

test('everything, the selection and the statement at the cursor run by keyboard', { skip }, async () => {
  const page = await browser.page(server.url);
  await run(page, 'SELECT id FROM orders LIMIT 1;\nSELECT sku FROM products LIMIT 2');
  assert.equal(await page.locator('.card').count(), 2);
  await page.keyboard.press('Shift+Enter');
  await page.locator('.card').nth(1).waitFor({ state: 'detached' });
  assert.match(await page.locator('.card-title').textContent(), /products/);
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('Shift+End');
  await page.keyboard.press('Control+Enter');
  await page.locator('.card-title', { hasText: 'orders' }).waitFor();
  assert.equal(await page.locator('.card').count(), 1);
  await page.close();
});

test('transactions, writes and their history; a write leads back to now', { skip }, async () => {
  const page = await browser.page(server.url);
  await page.getByRole('slider').focus();
  await page.keyboard.press('PageDown');
  await page.locator('html.past').waitFor({ state: 'attached' });
  await run(page, 'BEGIN WITH {"by": "ann", "why": "a test"};\nPATCH orders KEY 1 SET {"status": "lost"};\nPATCH orders KEY 2 SET {"status": "lost"};\nCOMMIT;\nSELECT * FROM orders');
  await notes(page).filter({ hasText: '2 events written' }).waitFor();
  await shows(cell(page, 1, 'status'), 'lost');
  await page.locator('html:not(.past)').waitFor({ state: 'attached' });
  await cell(page, 1, 'status').click();
  await page.getByRole('complementary', { name: 'History of a row' }).getByText('a test').waitFor();
  await page.close();
});

test('several scripts in tabs; what was typed is there after a reload, and what was run is in the list of runs', { skip }, async () => {
  const page = await browser.page(server.url);
  await page.getByRole('button', { name: 'New script' }).click();
  await write(page, "SELECT name FROM customers WHERE tier = 'gold'");
  await reload(page);
  assert.match(await page.locator('.cm-content').textContent(), /tier = 'gold'/);
  const tabs = page.getByRole('tab');
  const count = await tabs.count();
  assert.ok(count > 1);
  await tabs.first().click();
  assert.doesNotMatch(await page.locator('.cm-content').textContent(), /gold/);
  await page.keyboard.press('ArrowLeft');
  assert.match(await page.locator('.cm-content').textContent(), /gold/);
  await page.getByRole('button', { name: /^Close SELECT name/ }).click();
  assert.equal(await tabs.count(), count - 1);
  await page.getByRole('button', { name: 'Runs' }).click();
  await page.getByRole('menuitem', { name: /gold/ }).click();
  assert.match(await page.locator('.cm-content').textContent(), /tier = 'gold'/);
  await page.close();
});

test('no complaints on the console', { skip }, () => assert.deepEqual(browser.complaints, []));
