// A real browser for tests: Debian's Chromium with a profile on disk, and a server of the package's files. Without either the tests are skipped.

import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
export const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html', '.json': 'application/json' };
export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** Why there is no browser, or false. */
export const noBrowser = CHROMIUM === undefined ? 'there is no Chromium (apt-get install chromium)' : false;

/**
 * Serves dist/ and test/ under a sub-path, as pages are served in the world. What is posted to `taken` is kept; who asks for `held` waits until `release` is
 * called, so that a worker that asks synchronously stands still.
 */
export async function serve() {
  const held = [];
  let holds = () => {};
  let taken = [];
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname)).replace(/^\/sub\//, '');
    if (path === 'held') {
      held.push(response);
      holds();
      return;
    }
    if (path === 'taken') {
      taken = [];
      request.on('data', (chunk) => taken.push(chunk)).on('end', () => response.writeHead(204).end());
      return;
    }
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
  return {
    url: `http://127.0.0.1:${server.address().port}/sub`,
    /** Resolves when somebody is held. */
    holding: () => (held.length > 0 ? Promise.resolve() : new Promise((resolve) => (holds = resolve))),
    taken: () => Buffer.concat(taken),
    release: () => held.splice(0).forEach((response) => response.writeHead(204).end()),
    close: () => server.close(),
  };
}

/** Removes a profile: the last of a browser's processes may still be writing into it. */
export function discard(profile) {
  rmSync(profile, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
}

/** Starts a browser; with a profile of its own that `close` removes, or one that is given. */
export async function browse(profile) {
  const { chromium } = await import('playwright-core');
  const dir = profile ?? mkdtempSync(join(tmpdir(), 'driftdb-chromium-'));
  const context = await chromium.launchPersistentContext(dir, {
    executablePath: CHROMIUM,
    timeout: 120_000,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  return {
    context,
    /** A page with the package as `driftdb`. */
    async page(url) {
      const page = await context.newPage();
      page.setDefaultTimeout(120_000);
      page.on('pageerror', (error) => console.error(`page: ${error.message.slice(0, 300)}`));
      await page.goto(`${url}/page.html`);
      await page.evaluate(async () => {
        globalThis.driftdb = await import('./dist/index.js');
      });
      return page;
    },
    /** Kills a page's process; whether it died in time, as now and then the browser does not hear of it. */
    async crash(page) {
      const crashed = new Promise((resolve) => page.once('crash', () => resolve(true)));
      void context.newCDPSession(page).then((cdp) => cdp.send('Page.crash')).catch(() => {});
      const died = await Promise.race([crashed, new Promise((resolve) => setTimeout(resolve, 1_500))]);
      // The end of a page that has crashed is not always told either.
      void page.close().catch(() => {});
      return died === true;
    },
    /** Kills the browser itself. */
    async kill() {
      for (const pid of readdirSync('/proc')) {
        try {
          if (/^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(`--user-data-dir=${dir}`)) process.kill(Number(pid), 'SIGKILL');
        } catch {
          // It has gone already.
        }
      }
      await context.close().catch(() => {});
    },
    async close() {
      await context.close();
      if (profile === undefined) discard(dir);
    },
  };
}
