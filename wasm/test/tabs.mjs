// Pages of one browser that open the same databases, each with a worker that tells its page what it is up to (tab-worker.mjs).

import { after, before } from 'node:test';
import { browse, noBrowser, serve } from './browser.mjs';

/** How long calls wait where a test is not about that: a slow machine may take its time. */
const PATIENT = 30_000;

/** A browser and a server for the tests of a file, and what they do with pages. */
export function tabs() {
  let server;
  let browser;
  before(async () => {
    if (noBrowser) return;
    server = await serve();
    browser = await browse();
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });
  return {
    server: () => server,
    browser: () => browser,
    tab: () => browser.page(server.url),
    /** Kills a page's process; whether it died in time. */
    crash: (page) => browser.crash(page),
    /** Opens a database in a page as `db`; `worker` is its worker, `leads` whether it leads, `compiled` whether it has the module. */
    openIn: (page, options) => page.evaluate(opening, { busyTimeout: PATIENT, ...(typeof options === 'string' ? { name: options } : options) }),
    /** Waits until a page's worker leads, which it tells its page. */
    leading: (page) => page.waitForFunction(() => leads),
    /** Makes a page's worker stand still until `thaw` is called. */
    async freeze(page) {
      await page.evaluate((url) => worker.postMessage({ freeze: url }), `${server.url}/held`);
      await server.holding();
    },
    thaw: () => server.release(),
  };
}

async function opening(options) {
  globalThis.worker = new Worker('./test/tab-worker.mjs', { type: 'module' });
  await new Promise((resolve) => {
    worker.addEventListener('message', ({ data }) => {
      if (data.compiled) globalThis.compiled = true;
      if (data.leads === undefined) return;
      globalThis.leads = data.leads;
      resolve();
    });
  });
  globalThis.db = await driftdb.open({ ...options, worker });
  return db.storage;
}
