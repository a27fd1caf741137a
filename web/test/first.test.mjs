// The first thirty seconds: somebody opens the page and types nothing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { browse, noBrowser, serve } from './browser.mjs';
import { shows } from './parts.mjs';

let server;
before(async () => {
  server = await serve();
});
after(() => server.close());

/** The cell of a column in the row of an order. */
const cell = (page, order, column) => page.locator('.grid-row', { has: page.locator('[data-column=id]', { hasText: new RegExp(`^${order}$`) }) }).locator(`[data-column=${column}]`);
const slider = (page) => page.getByRole('slider', { name: 'Moment' });

test('a result and a question are there at once, the slider moves by itself and cells light up', { skip: noBrowser }, async (t) => {
  const browser = await browse();
  t.after(() => browser.close());
  const page = await browser.page(server.url);
  await page.getByRole('heading', { name: 'Who changed order 7?' }).waitFor();
  const ready = await page.evaluate(() => performance.getEntriesByName('ready')[0].startTime);
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
  t.diagnostic(`first paint ${Math.round(paint)} ms, a result to use after ${Math.round(ready)} ms`);
  await shows(cell(page, 7, 'total'), '24.98');
  await page.locator('.cell.changed').first().waitFor();
  await page.locator('html.past').waitFor({ state: 'attached' });
  await cell(page, 7, 'total').and(page.locator('.changed')).waitFor();
  await shows(cell(page, 7, 'total'), '249.8');
  assert.deepEqual(browser.complaints, []);
});

test('the first drag changes cells, and the row says who it was', { skip: noBrowser }, async (t) => {
  const browser = await browse({ reducedMotion: 'reduce' });
  t.after(() => browser.close());
  const page = await browser.page(server.url);
  assert.equal(await slider(page).getAttribute('aria-valuetext'), 'now');
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
  await page.waitForTimeout(1_500);
  assert.equal(await slider(page).getAttribute('aria-valuetext'), 'now');
});
