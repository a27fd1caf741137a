// Screenshots to look at: `node test/shots.mjs DIRECTORY`.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { browse, serve } from './browser.mjs';

const to = process.argv[2] ?? 'shots';
mkdirSync(to, { recursive: true });
const server = await serve();
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ['light', 'dark']) {
    const browser = await browse({ viewport, colorScheme });
    const page = await browser.page(server.url);
    await page.waitForTimeout(4_500);
    await page.screenshot({ path: join(to, `${size}-${colorScheme}.png`) });
    await page.getByRole('button', { name: 'Show who' }).click();
    await page.waitForTimeout(600);
    await page.screenshot({ path: join(to, `${size}-${colorScheme}-drift.png`) });
    if (browser.complaints.length > 0) console.error(browser.complaints);
    await browser.close();
  }
}
server.close();
