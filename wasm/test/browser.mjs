// A real browser for tests: Debian's Chromium with a profile on disk, and a server of the package's files. Without either the tests are skipped.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
export const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html', '.json': 'application/json' };
export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** Why there is no browser, or false. */
export const noBrowser = CHROMIUM === undefined ? 'there is no Chromium (apt-get install chromium)' : false;

/** Serves dist/ and test/ under a sub-path, as pages are served in the world. */
export async function serve() {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname)).replace(/^\/sub\//, '');
    if (path === 'page.html') {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>test</title>');
      return;
    }
    const file = join(root, path);
    if (!/^(dist|test)\//.test(path) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/sub`, close: () => server.close() };
}

/** Starts a browser; with a profile of its own that `close` removes, or one that is given. */
export async function browse(profile) {
  const { chromium } = await import('playwright-core');
  const dir = profile ?? mkdtempSync(join(tmpdir(), 'driftdb-chromium-'));
  const context = await chromium.launchPersistentContext(dir, {
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  return {
    context,
    /** A page with the package as `driftdb`. */
    async page(url) {
      const page = await context.newPage();
      page.on('pageerror', (error) => console.error(`page: ${error.message.slice(0, 300)}`));
      await page.goto(`${url}/page.html`);
      await page.evaluate(async () => {
        globalThis.driftdb = await import('./dist/index.js');
      });
      return page;
    },
    async close() {
      await context.close();
      if (profile === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
}
