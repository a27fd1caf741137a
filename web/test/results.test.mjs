// Results, as somebody who looks at rows and asks where they come from.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { browse, noBrowser, serve } from './browser.mjs';
import { cell, run, says, shows } from './parts.mjs';

let server;
let browser;
before(async () => {
  if (noBrowser) return;
  server = await serve();
  browser = await browse({ reducedMotion: 'reduce' });
  await browser.context.grantPermissions(['clipboard-read', 'clipboard-write']);
});
after(async () => {
  await browser?.close();
  server?.close();
});

const skip = noBrowser;
const history = (page) => page.getByRole('complementary', { name: 'History of a row' });

test('types are visible, columns sort, keys move, nested documents fold', { skip }, async () => {
  const page = await browser.page(server.url);
  await run(page, 'SELECT * FROM orders');
  assert.match(await page.getByRole('columnheader', { name: /total/ }).textContent(), /number/);
  assert.match(await page.getByRole('columnheader', { name: /ship/ }).textContent(), /object/);
  await page.getByRole('columnheader', { name: /total/ }).getByRole('button').click();
  const totals = async () => (await page.locator('.grid-row:visible [data-column=total]').evaluateAll((cells) => cells.map((one) => [Number(one.parentElement.dataset.place), Number(one.textContent)]).sort((a, b) => a[0] - b[0]).map((one) => one[1]))).slice(0, 8);
  const up = await totals();
  assert.deepEqual(up, [...up].sort((a, b) => a - b));
  await page.getByRole('columnheader', { name: /total/ }).getByRole('button').click();
  const down = await totals();
  assert.deepEqual(down, [...down].sort((a, b) => b - a));
  assert.ok(down[0] > up[0]);
  await page.getByRole('grid').focus();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.locator('.cell.focused').getAttribute('data-column'), 'customer');
  await page.keyboard.press('Enter');
  await history(page).waitFor();
  await history(page).getByText('The row at this moment').click();
  await history(page).locator('.tree .leaf', { hasText: 'carrier' }).waitFor();
  await history(page).locator('.tree details > summary').click();
  await history(page).locator('.tree .folded').waitFor();
  await page.keyboard.press('Escape');
  await history(page).waitFor({ state: 'hidden' });
  await page.close();
});

test('100,000 rows scroll', { skip, timeout: 600_000 }, async (t) => {
  const page = await browser.page(server.url);
  const rows = Array.from({ length: 100_000 }, (_, id) => `${id},name ${id},${(id * 7) % 1000}`);
  await page.setInputFiles('input[type=file]', { name: 'many.csv', mimeType: 'text/csv', buffer: Buffer.from(`id,name,n\n${rows.join('\n')}`) });
  await page.locator('.counts', { hasText: '100,000 rows' }).waitFor({ timeout: 240_000 });
  assert.ok((await page.locator('.grid-row').count()) < 80);
  const frames = await page.evaluate(async () => {
    const grid = document.querySelector('.grid');
    const took = [];
    for (let step = 0; step < 60; step++) {
      const from = performance.now();
      grid.scrollTop = (grid.scrollHeight * step) / 60;
      await new Promise(requestAnimationFrame);
      took.push(performance.now() - from);
    }
    grid.scrollTop = grid.scrollHeight;
    return took.sort((a, b) => a - b);
  });
  t.diagnostic(`a frame of scrolling: median ${frames[30].toFixed(1)} ms, p95 ${frames[57].toFixed(1)} ms`);
  await cell(page, 99_999, 'name').waitFor();
  await page.close();
});

test('a row: its drift with who, when and why; a moment of it is gone to, and brought back', { skip }, async () => {
  const page = await browser.page(server.url);
  await run(page, 'SELECT id, total, status FROM orders');
  await cell(page, 7, 'total').click();
  const first = history(page).locator('.event').first();
  assert.match(await first.textContent(), /changed by price-sync.*nightly import, decimal comma.*14 Apr 2026, 02:59.*total249.8→24.98/);
  await history(page).locator('.event', { hasText: 'signed for' }).getByRole('button', { name: 'See this moment' }).click();
  await says(page, '9 Mar 2026');
  await cell(page, 7, 'total').and(page.locator('.changed')).waitFor();
  await history(page).locator('.event.current', { hasText: 'signed for' }).waitFor();
  await history(page).locator('.event', { hasText: 'signed for' }).getByRole('button', { name: 'Restore' }).click();
  await page.locator('.toast', { hasText: 'Nothing was overwritten' }).waitFor();
  await says(page, 'now');
  await page.waitForFunction(() => [...document.querySelectorAll('.event')].length === 7);
  assert.match(await history(page).locator('.event').first().textContent(), /by you.*restored from @seq:95/);
  await shows(cell(page, 7, 'total'), '249.8');
  await page.close();
});

test('hovering a cell, or going there by keyboard, says since when, by whom and why', { skip }, async () => {
  const page = await browser.page(server.url);
  await run(page, 'SELECT id, total AS price, ship.carrier FROM orders');
  await cell(page, 7, 'price').hover();
  const note = page.getByRole('tooltip');
  await note.filter({ hasText: 'price-sync' }).waitFor();
  assert.match(await note.textContent(), /since 14 Apr 2026, 02:59by price-sync “nightly import, decimal comma”before: 249.8/);
  await cell(page, 7, 'ship.carrier').hover();
  await note.filter({ hasText: 'picked up' }).waitFor();
  await page.mouse.move(0, 0);
  await note.waitFor({ state: 'hidden' });
  await page.getByRole('grid').focus();
  await note.filter({ hasText: 'checkout' }).waitFor();
  await page.close();
});

test('a number over time at 200 moments, and the plan as steps', { skip }, async () => {
  const page = await browser.page(server.url);
  await run(page, "SELECT status, COUNT(*) AS orders FROM orders GROUP BY status");
  await page.getByRole('button', { name: 'Chart over time' }).click();
  await page.locator('.chart[data-moments="200"]').waitFor();
  assert.ok((await page.locator('.plot path').count()) >= 4);
  await page.locator('.plot-legend', { hasText: 'delivered' }).waitFor();
  const plot = await page.locator('.plot').boundingBox();
  await page.mouse.click(plot.x + plot.width * 0.4, plot.y + 20);
  await page.locator('html.past').waitFor({ state: 'attached' });
  await run(page, "SELECT id FROM orders WHERE status = 'paid' AND total > 5 ORDER BY total LIMIT 3");
  await page.getByRole('button', { name: 'Plan' }).click();
  await page.locator('.plan-step').first().waitFor();
  assert.deepEqual((await page.locator('.plan-step code').allTextContents()).slice(0, 2), ['orders by index status = "paid"', 'status = "paid" AND total > 5']);
  await page.getByRole('button', { name: 'Rows', exact: true }).click();
  await page.getByRole('grid').waitFor();
  await page.close();
});

test('rows are copied and downloaded', { skip }, async () => {
  const page = await browser.page(server.url);
  await run(page, 'SELECT id, total, ship FROM orders WHERE id = 7');
  await page.getByRole('button', { name: 'Copy as CSV' }).click();
  await page.locator('.toast', { hasText: '1 rows copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'id,total,ship\r\n7,24.98,"{""city"":""Milan"",""carrier"":""GLS""}"\r\n');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'JSON' }).click()]);
  assert.equal(download.suggestedFilename(), 'orders.json');
  assert.deepEqual(JSON.parse(readFileSync(await download.path(), 'utf8')), [{ id: 7, total: 24.98, ship: { city: 'Milan', carrier: 'GLS' } }]);
  await page.close();
});

test('no complaints on the console', { skip }, () => assert.deepEqual(browser.complaints, []));
