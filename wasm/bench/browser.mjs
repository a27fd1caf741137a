// Debian's Chromium with a profile on disk, and a server of the built files.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { TYPES } from '../test/browser.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic', '--no-first-run'];

/** Files are cached, as those of a site that was visited before. */
export async function serve() {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname));
    const file = path.startsWith('/dist/') ? join(here, '..', path) : join(here, path);
    if (!/^\/(dist|built|web)\//.test(path) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', 'Cache-Control': 'max-age=3600' }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

export async function browse() {
  const dir = mkdtempSync(join(tmpdir(), 'driftdb-bench-'));
  const context = await chromium.launchPersistentContext(dir, { executablePath: '/usr/bin/chromium', args: ARGS });
  return {
    context,
    version: context.browser()?.version() ?? (await versionOf(context)),
    async page(url) {
      const page = await context.newPage();
      page.setDefaultTimeout(600_000);
      page.on('pageerror', (error) => console.error(`page: ${error.message.slice(0, 500)}`));
      page.on('console', (message) => message.type() === 'error' && console.error(`console: ${message.text().slice(0, 500)}`));
      await page.goto(url);
      return page;
    },
    async close() {
      await context.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function versionOf(context) {
  const page = await context.newPage();
  const agent = await page.evaluate(() => navigator.userAgent);
  await page.close();
  return /Chrome\/([\d.]+)/.exec(agent)?.[1] ?? 'unknown';
}

/** Ends a page's process at once, as a crash does. Of some pages nobody hears that they have gone. */
export async function crash(page) {
  const session = await page.context().newCDPSession(page);
  const crashed = new Promise((resolve) => page.once('crash', resolve));
  session.send('Page.crash').catch(() => {});
  await Promise.race([crashed, pause(2_000)]);
  await Promise.race([page.close(), pause(2_000)]);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
