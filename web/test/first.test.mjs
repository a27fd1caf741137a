// The first thirty seconds: somebody opens the page and types nothing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { browse, noBrowser, serve } from './browser.mjs';
import { says, shows } from './parts.mjs';

let server;
before(async () => {
  server = await serve();
});
after(() => server.close());

/** The cell of a column in the row of an order. */
const cell = (page, order, column) => page.locator('.grid-row', { has: page.locator('[data-column=id]', { hasText: new RegExp(`^${order}$`) }) }).locator(`[data-column=${column}]`);

test('a result and a question are there at once, the slider moves by itself and cells light up', { skip: noBrowser }, async (t) => {
  const browser = await browse();
  t.after(() => browser.close());
  const page = await browser.page();
  // What the cell has said, one after the other: the slider may have moved on before anybody looks.
  await page.addInitScript(() => {
    globalThis.totals = [];
    new MutationObserver(() => {
      const row = [...document.querySelectorAll('.grid-row')].find((one) => one.querySelector('[data-column=id]')?.textContent === '7');
      const total = row?.querySelector('[data-column=total]')?.textContent;
      if (total !== undefined && total !== globalThis.totals.at(-1)) globalThis.totals.push(total);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  await page.goto(server.url);
  await page.locator('html.ready').waitFor({ state: 'attached' });
  await page.getByRole('heading', { name: 'Who changed order 7?' }).waitFor();
  const ready = await page.evaluate(() => performance.getEntriesByName('ready')[0].startTime);
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
  t.diagnostic(`first paint ${Math.round(paint)} ms, a result to use after ${Math.round(ready)} ms`);
  await page.locator('.cell.changed').first().waitFor();
  await page.locator('html.past').waitFor({ state: 'attached' });
  await cell(page, 7, 'total').and(page.locator('.changed')).waitFor();
  await shows(cell(page, 7, 'total'), '249.8');
  assert.deepEqual(await page.evaluate(() => globalThis.totals), ['24.98', '249.8']);
  assert.deepEqual(browser.complaints, []);
});

test('the first drag changes cells, and the row says who it was', { skip: noBrowser }, async (t) => {
  const browser = await browse({ reducedMotion: 'reduce' });
  t.after(() => browser.close());
  const page = await browser.page(server.url);
  await says(page, 'now');
  const strip = await page.locator('.strip').boundingBox();
  await page.mouse.move(strip.x + strip.width - 1, strip.y + 20);
  await page.mouse.down();
  await page.mouse.move(strip.x + strip.width * 0.5, strip.y + 20, { steps: 12 });
  await page.mouse.up();
  await cell(page, 7, 'total').and(page.locator('.changed')).waitFor();
  await shows(cell(page, 7, 'total'), '249.8');
  await cell(page, 7, 'total').click();
  const history = page.getByRole('complementary', { name: 'History of a row' });
  await history.getByText('price-sync').waitFor();
  assert.match(await history.textContent(), /nightly import, decimal comma/);
  assert.deepEqual(browser.complaints, []);
});

test('nothing moves by itself under reduced motion', { skip: noBrowser }, async (t) => {
  const browser = await browse({ reducedMotion: 'reduce' });
  t.after(() => browser.close());
  const page = await browser.page(server.url);
  await says(page, 'now');
  await page.waitForTimeout(1_500);
  assert.equal(await page.getByRole('slider', { name: 'Moment' }).getAttribute('aria-valuetext'), 'now');
});
