// A real browser and the built playground, served under a sub-path as any host would.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../dist/web', import.meta.url));
/** The npm package, for an application of the same origin. */
const npm = fileURLToPath(new URL('../../wasm/dist', import.meta.url));
const TYPES = {
  '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.json': 'application/json', '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2', '.webmanifest': 'application/manifest+json', '.jsonl': 'text/plain', '.png': 'image/png',
};
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));

const target = resolve(fileURLToPath(new URL('../..', import.meta.url)), process.env.CARGO_TARGET_DIR ?? 'target');
/** The path of the command line program, if it was built. */
export const program = [join(target, 'debug/driftdb'), join(target, 'release/driftdb')].find((path) => existsSync(path));

/** Why nothing can be tested, or false. */
export const noBrowser = CHROMIUM === undefined ? 'there is no Chromium (apt-get install chromium)' : !existsSync(join(root, 'index.html')) ? 'the playground is not built (make web)' : false;

/** Serves the built playground, and the npm package for an application beside it. `down` makes every answer fail, as when one is offline. */
export async function serve() {
  const state = { down: false };
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname)).replace(/^\/some\/where\//, '') || 'index.html';
    const file = path.startsWith('app/') ? join(npm, path.slice(4)) : join(root, path);
    if (state.down) return request.socket.destroy();
    if (path === 'app.html') return response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>an application</title><link rel="icon" href="data:,">');
    if (path.startsWith('/') || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', 'Cache-Control': 'no-cache' }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/some/where/`, state, close: () => server.close() };
}

/** Starts a browser with a profile on disk of its own, which `close` removes. What pages complain of is kept in `complaints`. */
export async function browse(options = {}) {
  const { chromium } = await import('playwright-core');
  const dir = mkdtempSync(join(tmpdir(), 'driftdb-web-'));
  const context = await chromium.launchPersistentContext(dir, {
    executablePath: CHROMIUM,
    viewport: { width: 1280, height: 800 },
    timeout: 120_000,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ...options,
  });
  const complaints = [];
  context.on('page', (page) => {
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  });
  return {
    context,
    complaints,
    /** A page of its own. */
    async page(url) {
      const page = await context.newPage();
      // As long as a slow machine may need: what never comes fails all the same.
      page.setDefaultTimeout(60_000);
      if (url !== undefined) {
        await page.goto(url);
        await page.locator('html.ready').waitFor({ state: 'attached' });
      }
      return page;
    },
    async close() {
      await context.close();
      // The last of its processes may still be writing.
      rmSync(dir, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
    },
  };
}
