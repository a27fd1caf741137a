// The screenshots of docs/: `node web/test/shots.mjs [DIRECTORY]`.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { browse, serve } from './browser.mjs';

const to = process.argv[2] ?? fileURLToPath(new URL('../../docs', import.meta.url));
const server = await serve();

async function shot(name, options, history) {
  const browser = await browse(options);
  const page = await browser.page(server.url);
  // The slider's first move, and the flashes after it.
  await page.waitForTimeout(5_000);
  if (history) {
    await page.getByRole('button', { name: 'Show who' }).click();
    await page.waitForTimeout(800);
  }
  const devtools = await browser.context.newCDPSession(page);
  const { data } = await devtools.send('Page.captureScreenshot', { format: 'webp', quality: 88 });
  writeFileSync(join(to, `playground-${name}.webp`), Buffer.from(data, 'base64'));
  await browser.close();
}

await shot('light', { colorScheme: 'light', viewport: { width: 1280, height: 800 } }, true);
await shot('dark', { colorScheme: 'dark', viewport: { width: 1280, height: 800 } }, true);
await shot('phone', { colorScheme: 'light', viewport: { width: 390, height: 844 } }, false);
server.close();
