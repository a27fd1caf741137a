// Sharing: links and reports, as who makes them and who opens them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { browse, noBrowser, serve } from './browser.mjs';
import { cell, choose, create, drop, keepAs, opened, run, says, shows } from './parts.mjs';

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

async function link(page) {
  await page.getByRole('button', { name: 'Share' }).click();
  const text = await page.getByRole('textbox', { name: 'Link' }).inputValue();
  await page.keyboard.press('Escape');
  return text;
}

test('a link carries script, data and moment; it opens in memory and touches nothing stored', { skip }, async () => {
  const page = await browser.page(server.url);
  await create(page, 'diary');
  await run(page, 'CREATE TABLE days (pk=day);\nINSERT INTO days {"day": 1, "mood": "fine"};\nPATCH days KEY 1 SET {"mood": "tired"};\nPATCH days KEY 1 SET {"mood": "great"}');
  await run(page, 'SELECT day, mood FROM days');
  await page.getByRole('slider').focus();
  await page.keyboard.press('ArrowLeft');
  await cell(page, 1, 'mood').filter({ hasText: 'tired' }).waitFor();
  const url = await link(page);
  assert.ok(url.length < 1_500, `${url.length}`);

  const other = await browse({ reducedMotion: 'reduce' });
  const guest = await other.page(url);
  await guest.locator('.badge', { hasText: 'in memory' }).waitFor();
  await cell(guest, 1, 'mood').filter({ hasText: 'tired' }).and(guest.locator('.changed')).waitFor();
  assert.equal(await guest.locator('.cm-content').textContent(), 'SELECT day, mood FROM days');
  await run(guest, 'PATCH days KEY 1 SET {"mood": "guest"}');
  await other.close();

  const same = await browser.page(url);
  await run(same, 'PATCH days KEY 1 SET {"mood": "overwritten?"}');
  await same.close();
  await page.keyboard.press('End');
  await page.getByRole('slider').focus();
  await page.keyboard.press('End');
  await shows(cell(page, 1, 'mood'), 'great');
  await page.close();
});

test('an untouched sample is only named in the link', { skip }, async () => {
  const page = await browser.page(server.url);
  await choose(page, /^A small shop/);
  await page.getByLabel('Jump to a date and time (UTC)').fill('2026-04-13T12:00');
  await says(page, '13 Apr 2026');
  const url = await link(page);
  assert.ok(url.length < 400, `${url.length}`);
  const guest = await browser.page(url);
  await says(guest, '13 Apr 2026');
  await guest.close();
  await page.close();
});

test('what a link brought is kept under a name, and a reload comes back to that', { skip }, async () => {
  const page = await browser.page(server.url);
  await choose(page, /^A small shop/);
  await run(page, 'PATCH orders KEY 7 SET {"total": 1};\nSELECT * FROM orders');
  const guest = await browser.page(await link(page));
  await shows(cell(guest, 7, 'total'), '1');
  await keepAs(guest, 'from a link');
  await guest.reload();
  await opened(guest, 'from a link');
  await choose(guest, /^from a link$/);
  await shows(cell(guest, 7, 'total'), '1');
  await guest.close();
  await page.close();
});

test('what is too large for a link is offered as a file, which opens at exactly that moment', { skip }, async () => {
  const page = await browser.page(server.url);
  await create(page, 'large');
  let seed = 7;
  const random = () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648).toString(36).slice(2);
  await drop(page, 'noise.json', JSON.stringify(Array.from({ length: 3_000 }, (_, id) => ({ id, a: random() + random(), b: random() + random() }))));
  await cell(page, 0, 'a').waitFor();
  await run(page, 'PATCH noise KEY 0 SET {"a": "later"}');
  await run(page, 'SELECT * FROM noise');
  await page.getByRole('slider').focus();
  await page.keyboard.press('ArrowLeft');
  await page.locator('html.past').waitFor({ state: 'attached' });
  const shown = await page.locator('.when').textContent();
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('dialog').getByText('Too large for a link').waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download the file' }).click()]);
  assert.equal(download.suggestedFilename(), 'large@seq-3000.drift');
  const guest = await browser.page(server.url);
  await drop(guest, download.suggestedFilename(), readFileSync(await download.path()));
  await opened(guest, /^large$/);
  await says(guest, 'seq 3000');
  assert.equal(await guest.locator('.when').textContent(), shown);
  await guest.close();
  await page.close();
});

test('a damaged link says so and opens a sample', { skip }, async () => {
  const page = await browser.page(`${server.url}#v1.notalink`);
  await page.locator('.toast.bad', { hasText: 'damaged' }).waitFor();
  await page.locator('.database-name').waitFor();
  await page.close();
});

test('no complaints on the console', { skip }, () => assert.deepEqual(browser.complaints, []));
