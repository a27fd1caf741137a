// Craft: nothing serious for axe, no layout that jumps, small, offline, at phone width, in both themes.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { browse, noBrowser, serve } from './browser.mjs';
import { cell, run, slider, write } from './parts.mjs';

const dist = fileURLToPath(new URL('../../dist/web', import.meta.url));
const source = fileURLToPath(new URL('../src', import.meta.url));
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const skip = noBrowser;

let server;
before(async () => {
  if (!noBrowser) server = await serve();
});
after(() => server?.close());

async function serious(page, where) {
  await page.addScriptTag({ path: axe });
  const found = await page.evaluate(async () => (await globalThis.axe.run()).violations.filter((one) => ['serious', 'critical'].includes(one.impact)).map((one) => `${one.id}: ${one.nodes.map((node) => `${node.html.slice(0, 120)} ${node.any[0]?.message ?? ''}`).slice(0, 3).join(' | ')}`));
  assert.deepEqual(found, [], where);
}

for (const [colorScheme, width] of [['light', 1280], ['dark', 1280], ['light', 390], ['dark', 390]]) {
  test(`axe finds nothing serious, ${colorScheme}, ${width} px wide; nothing is wider than the page`, { skip }, async (t) => {
    const browser = await browse({ colorScheme, viewport: { width, height: 844 }, reducedMotion: 'reduce' });
    t.after(() => browser.close());
    const page = await browser.page(server.url);
    await slider(page).focus();
    for (let step = 0; step < 8; step++) await page.keyboard.press('PageDown');
    await page.locator('.cell.changed').first().waitFor();
    await serious(page, 'in the past');
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width);
    await page.getByRole('button', { name: 'Show who' }).click();
    await page.getByRole('complementary', { name: 'History of a row' }).waitFor();
    await serious(page, 'with a history');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Databases' }).click();
    await page.getByRole('menuitem').first().waitFor();
    await serious(page, 'with the menu');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Help' }).click();
    await page.getByRole('dialog').waitFor();
    await serious(page, 'with the help');
    await page.keyboard.press('Escape');
    assert.deepEqual(browser.complaints, []);
  });
}

test('the first seconds jump nowhere, and are small', { skip }, async (t) => {
  const browser = await browse();
  t.after(() => browser.close());
  const page = await browser.context.newPage();
  await page.addInitScript(() => {
    globalThis.shift = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => (globalThis.shift += entry.hadRecentInput ? 0 : entry.value))).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(server.url);
  await page.locator('html.ready').waitFor({ state: 'attached' });
  await page.locator('.cell.changed').first().waitFor();
  await page.waitForTimeout(2_500);
  const shift = await page.evaluate(() => globalThis.shift);
  t.diagnostic(`layout shift ${shift.toFixed(4)}`);
  assert.ok(shift < 0.02, `${shift}`);
  const names = readdirSync(join(dist, 'assets')).filter((name) => !name.endsWith('.wasm'));
  const size = [...names.map((name) => join(dist, 'assets', name)), join(dist, 'index.html')].reduce((sum, path) => sum + (path.endsWith('.woff2') ? readFileSync(path).length : gzipSync(readFileSync(path)).length), 0);
  t.diagnostic(`${(size / 1024).toFixed(0)} KiB gzip besides the wasm`);
  assert.ok(size < 400 * 1024, `${size}`);
});

test('it opens without a network, and what was written is there', { skip }, async (t) => {
  const browser = await browse({ reducedMotion: 'reduce' });
  t.after(() => browser.close());
  t.after(() => (server.state.down = false));
  const page = await browser.page(server.url);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const manifest = await page.evaluate(async () => (await fetch(document.querySelector('link[rel=manifest]').href)).json());
  assert.equal(manifest.display, 'standalone');
  server.state.down = true;
  await write(page, 'SELECT 1 -- typed offline');
  await page.reload();
  await page.locator('html.ready').waitFor({ state: 'attached' });
  assert.match(await page.locator('.cm-content').textContent(), /typed offline/);
  await run(page, 'SELECT * FROM orders');
  await cell(page, 7, 'total').waitFor();
});

test('the theme is the system\'s until one is chosen, and stays chosen', { skip }, async (t) => {
  const browser = await browse({ colorScheme: 'dark', reducedMotion: 'reduce' });
  t.after(() => browser.close());
  const page = await browser.page(server.url);
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  await page.getByRole('button', { name: 'Light or dark' }).click();
  await page.reload();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'light');
});

test('by keyboard alone: from the top of the page to the slider, a row and its history', { skip }, async (t) => {
  const browser = await browse({ reducedMotion: 'reduce' });
  t.after(() => browser.close());
  const page = await browser.page(server.url);
  const reached = new Set();
  for (let step = 0; step < 60 && !reached.has('slider'); step++) {
    await page.keyboard.press('Tab');
    // The editor keeps Tab only after Enter was pressed in it: it is passed.
    reached.add(await page.evaluate(() => document.activeElement.getAttribute('role') ?? document.activeElement.className.split(' ')[0] ?? document.activeElement.tagName));
    if (reached.has('grid') && !reached.has('opened')) {
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.getByRole('complementary', { name: 'History of a row' }).waitFor();
      await page.keyboard.press('Escape');
      assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'grid');
      reached.add('opened');
    }
  }
  for (const part of ['tab', 'textbox', 'grid', 'opened', 'slider']) assert.ok(reached.has(part), `${part} of ${[...reached]}`);
});

test('the parts of the source depend one way', () => {
  const layers = ['base', 'language', 'engine', 'samples', 'state', 'share', 'data', 'time', 'editor', 'results', 'shell'];
  // The words of fields come from the engine's catalogue, of which the language needs the type alone.
  const typesOnly = /^import type .*$/gm;
  for (const [at, layer] of layers.entries()) {
    for (const name of readdirSync(join(source, layer))) {
      const text = readFileSync(join(source, layer, name), 'utf8').replaceAll(typesOnly, '');
      for (const [, other] of text.matchAll(/from '\.\.\/([a-z]+)/g)) assert.ok(layers.indexOf(other) < at, `${layer}/${name} uses ${other}`);
    }
  }
});
