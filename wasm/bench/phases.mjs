// What is measured, phase by phase. In each round every engine has its turn.

import { crash } from './browser.mjs';
import { sizes } from './engines.mjs';
import { Report, digits } from './report.mjs';

const MAILS = 10_000;
const MAIL_ROUNDS = 9;
const EMPTY = { name: 'empty', lib: 'empty', spec: {} };
const ORACLE = { name: 'memory', lib: 'memory', spec: {} };
const workerOf = ({ lib }) => `/built/${lib}/worker.js`;

const READS = [
  ['get', 'point read', 2],
  ['getAt', 'point read AS OF', 3],
  ['lookup', 'index lookup, about 10 rows', undefined],
  ['lookupAt', 'index lookup AS OF', 3],
  ['history', 'history of a key', 4],
];

function say(text) {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

export class Phases {
  #worker = new Report();
  #page = new Report();
  #notes = [];
  /** Seqs beyond the stream, for what is written after it. */
  #later;
  /** The last moment that nobody had asked about. */
  #moment;

  constructor(options) {
    Object.assign(this, options);
    this.#later = this.events;
    this.#moment = Math.floor(this.events / 2);
  }

  /** A page with an open worker for each engine, and what calls them. */
  async #together(engines, create, path = 'page.html') {
    const at = await this.browser.page(`${this.url}/web/${path}`);
    const call = (name, op, args) => at.evaluate(([name, op, args]) => bench.call(name, op, args), [name, op, args]);
    for (const engine of engines) {
      await at.evaluate(([name, url]) => bench.start(name, url), [engine.name, workerOf(engine)]);
      await call(engine.name, 'open', { spec: engine.spec, create });
    }
    return { at, call };
  }

  /** Loads in turns, compares all answers with the oracle's, and measures reads. */
  async loaded() {
    const { events, engines, rounds, budget } = this;
    const { at, call } = await this.#together(engines, true);
    say('loading');
    const took = new Map(engines.map(({ name }) => [name, 0]));
    const piece = Math.max(1_000, Math.ceil(events / 10_000) * 1_000);
    for (let done = 0; done < events; done += piece) {
      for (const { name } of engines) took.set(name, took.get(name) + (await call(name, 'load', { events, count: Math.min(piece, events - done) })));
    }
    const left = [];
    for (const { name } of engines) {
      this.#worker.measure('bulk load, durable every 1,000', ' k/s', 'more', 10).add(name, events / took.get(name));
      this.#worker.measure('wasm memory after the load', ' MB', 'less', 1).add(name, (await call(name, 'memory')) / 1e6);
      const upkeep = await call(name, 'settle');
      if (upkeep > 1) left.push(`${name} ${digits(upkeep)} ms`);
    }
    if (left.length > 0) this.#notes.push(`Upkeep that was left for idle time after the load (SQLite has none): ${left.join(', ')}.`);
    this.key = await this.#compared(call, at);
    for (let round = 0; round <= rounds; round++) {
      say(`reads ${round} of ${rounds}`);
      await this.#reads(call, round, budget);
    }
    for (const { name } of engines) await call(name, 'close');
    for (const { name, files } of engines) {
      const bytes = await at.evaluate((files) => bench.bytes(files), files);
      this.#worker.measure('bytes on disk an event, after closing', ' B', 'less').add(name, bytes / events);
    }
    await at.close();
  }

  async #compared(call, at) {
    say('comparing');
    const { events } = this;
    await at.evaluate(([name, url]) => bench.start(name, url), [ORACLE.name, workerOf(ORACLE)]);
    await call(ORACLE.name, 'open', { spec: {} });
    await call(ORACLE.name, 'load', { events, count: events });
    const right = await call(ORACLE.name, 'answers', { events, seed: 7 });
    await at.evaluate((name) => bench.end(name), ORACLE.name);
    for (const { name } of this.engines) {
      const answers = await call(name, 'answers', { events, seed: 7 });
      const wrong = right.findIndex(([, answer], i) => answer !== answers[i][1]);
      if (wrong >= 0) throw new Error(`${name}: ${right[wrong][0]} is\n${answers[wrong][1]}\nnot\n${right[wrong][1]}`);
    }
    // A row that is there, for pages to begin with.
    return right.map(([question, answer]) => (answer === 'undefined' ? null : /^get (\S+) as of undefined$/.exec(question)?.[1])).find(Boolean);
  }

  /** Round 0 warms up and is not counted. */
  async #reads(call, round, budget) {
    const { events, engines } = this;
    for (const [what, title, goal] of READS) {
      for (const { name } of engines) {
        const figure = await call(name, 'rate', { what, events, seed: round * 31 + 5, budget });
        if (round > 0) this.#worker.measure(title, ' k/s', 'more', goal).add(name, figure / 1e3);
      }
    }
    await this.#scans(call, '', round === 0);
  }

  async #scans(call, when, warming = false) {
    const { events, engines } = this;
    const half = Math.floor(events / 2);
    // DriftDB keeps what it has scanned twice: so the same is asked again and again, as pages do, and beside it what nobody has asked before.
    for (const [title, goal, moment] of [
      ['scan + group', 2, () => undefined],
      ['scan + group AS OF N/2', 3, () => half],
      ['scan + group AS OF a new moment', undefined, () => --this.#moment],
    ]) {
      for (let time = 0; time < 5; time++) {
        const at = moment();
        for (const { name } of engines) {
          const figure = await call(name, 'groups', { at });
          if (!warming && time > 1) this.#worker.measure(`${title}${when}`, ' ms', 'less', goal).add(name, figure);
          if (when !== '' && time === 0 && goal !== undefined) this.#worker.measure(`${title}${when}, the first time`, ' ms', 'less').add(name, figure);
        }
      }
    }
  }

  /** Pages that are loaded when everything is stored; each in its turn, and an empty page among them. */
  async starts(when, killed) {
    const title = `page load to first answer, ${when}`;
    const drift = this.engines.find(({ name }) => name === 'driftdb');
    for (let round = 0; round <= this.rounds; round++) {
      say(`${title}, ${round} of ${this.rounds}`);
      for (const engine of [EMPTY, ...this.engines]) {
        if (killed && engine !== EMPTY) await this.#kill(engine);
        const { took, memory } = await this.#first(engine, 'worker');
        if (round === 0) continue;
        this.#worker.measure(title, ' ms', 'less', { times: 1.3 }).add(engine.name, took);
        if (engine !== EMPTY && !killed) this.#worker.measure('wasm memory after reopening and one read', ' MB', 'less', 1).add(engine.name, memory / 1e6);
      }
      if (drift === undefined) continue;
      if (killed) await this.#kill(drift);
      const { took } = await this.#first(drift, 'page');
      const empty = await this.#first(EMPTY, 'worker');
      if (round === 0) continue;
      const measure = this.#page.measure(title, ' ms', 'less', { times: 1.3 });
      measure.add('driftdb', took);
      measure.add('empty', empty.took);
    }
  }

  async #first(engine, through) {
    const job = { through, name: through === 'page' ? engine.spec.name : engine.name, url: workerOf(engine), spec: engine.spec, key: this.key };
    const at = await this.browser.page(`${this.url}/web/page.html?job=${encodeURIComponent(JSON.stringify(job))}`);
    await at.waitForFunction(() => globalThis.result !== undefined, undefined, { polling: 50 });
    const result = await at.evaluate(() => globalThis.result);
    if (result.error !== undefined) throw new Error(`${engine.name}: ${result.error}`);
    if (through === 'worker' && engine !== EMPTY) await at.evaluate((name) => bench.call(name, 'close'), engine.name);
    await at.close();
    return result;
  }

  /** Ends a page's process while its worker writes. */
  async #kill(engine) {
    const { at } = await this.#together([engine], false);
    const from = (this.#later += 1_000_000);
    await at.evaluate(([name, args]) => void bench.call(name, 'loadOn', args), [engine.name, { events: this.events, from }]);
    await at.waitForFunction(([name, seq]) => bench.loaded(name) >= seq, [engine.name, from + 3_000], { polling: 20 });
    await crash(at);
  }

  /** What the page sees. */
  async seen() {
    const { events, engines, rounds, budget } = this;
    const { at, call } = await this.#together(engines, false, 'seen.html');
    for (const { name } of engines) await call(name, 'putMails', { count: MAILS });
    const drift = engines.find(({ name }) => name === 'driftdb');
    if (drift !== undefined) {
      await call(drift.name, 'close');
      await at.evaluate((name) => seen.open(name), drift.spec.name);
    }
    for (let round = 0; round <= rounds; round++) {
      say(`as seen from the page, ${round} of ${rounds}`);
      for (const [what, title] of READS) {
        for (const { name } of engines) {
          const figure = await at.evaluate(([name, args]) => seen.rate(name, args), [name, { what, events, seed: round * 17 + 3, budget }]);
          if (round > 0) this.#page.measure(title, ' k/s', 'more').add(name, figure / 1e3);
        }
      }
      for (const [point, title] of [[undefined, 'scan + group'], [Math.floor(events / 2), 'scan + group AS OF N/2']]) {
        for (const { name } of engines) {
          const figure = await at.evaluate(([name, point]) => seen.scan(name, point ?? undefined), [name, point]);
          if (round > 0) this.#page.measure(title, ' ms', 'less').add(name, figure);
        }
      }
    }
    await this.#rows(at);
    await this.#seenCommits(at);
    if (drift !== undefined) await at.evaluate(() => seen.close());
    for (const { name } of engines) if (name !== 'driftdb') await call(name, 'close');
    await at.close();
  }

  async #rows(at) {
    const sums = new Set();
    for (let round = 0; round <= MAIL_ROUNDS; round++) {
      for (const { name } of this.engines) {
        for (const way of name === 'driftdb' ? ['driftdb'] : ['text', 'objects']) {
          const { total, first, members, sum } = await at.evaluate(([name, way]) => seen.rows(name, way), [name, way]);
          sums.add(sum);
          if (round === 0) continue;
          const label = way === 'objects' ? `${name} objects` : name;
          this.#page.measure('10,000 rows, from the question to the last member', ' ms', 'less').add(label, total);
          this.#page.measure('10,000 rows: the page is held up until the first row', ' ms', 'less', { below: 1 }).add(label, first);
          this.#page.measure('10,000 rows: the page is held up until every member is read', ' ms', 'less', 1).add(label, members);
        }
      }
    }
    if (sums.size > 1) throw new Error(`the rows differ: ${[...sums]}`);
  }

  async #seenCommits(at) {
    const { events, engines, rounds, budget } = this;
    for (let round = 0; round <= rounds; round++) {
      for (const { name } of engines) {
        const from = (this.#later += 1_000_000);
        const figure = await at.evaluate(([name, args]) => seen.commits(name, args), [name, { events, from, budget }]);
        if (round > 0) this.#page.measure('durable commits', '/s', 'more').add(name, figure);
      }
    }
  }

  /** Single patches in the workers, each durable. */
  async commits() {
    const { events, engines, rounds, budget } = this;
    const { at, call } = await this.#together(engines, false);
    await this.#scans(call, ', after reopening');
    for (let round = 0; round <= rounds; round++) {
      say(`commits ${round} of ${rounds}`);
      for (const { name } of engines) {
        const figure = await call(name, 'commits', { events, from: (this.#later += 1_000_000), budget: budget * 2 });
        if (round > 0) this.#worker.measure('durable commits', '/s', 'more', 3).add(name, figure);
      }
    }
    for (const { name } of engines) await call(name, 'close');
    await at.close();
  }

  /** What an engine's worker and wasm weigh. The slow part of it is brotli. */
  sized() {
    const weighed = new Map();
    for (const { name, lib } of this.engines) {
      if (!weighed.has(lib)) weighed.set(lib, sizes(lib));
      const { raw, gzip, brotli } = weighed.get(lib);
      this.#worker.measure('worker and wasm, raw', ' KB', 'less').add(name, raw);
      this.#worker.measure('worker and wasm, gzip', ' KB', 'less').add(name, gzip);
      this.#worker.measure('worker and wasm, brotli', ' KB', 'less').add(name, brotli);
    }
  }

  tables() {
    const names = this.engines.map(({ name }) => name);
    const column = (title, accept) => ({ title, names: names.filter(accept).flatMap((name) => [name, `${name} objects`]) });
    const columns = [
      { title: 'page without an engine', names: ['empty'] },
      column('sqlite-wasm sahpool', (name) => /^sqlite-wasm( events)?$/.test(name)),
      column('the same with WAL', (name) => name.startsWith('sqlite-wasm wal')),
      column('wa-sqlite', (name) => name.startsWith('wa-sqlite')),
      column('PGlite', (name) => name === 'pglite'),
    ];
    return [
      '## In the worker',
      this.#worker.table(columns, 'empty'),
      'SQLite in the better of two schemas: the present and a history table written by triggers, or (*) one table of events. All answers are made into the same JavaScript objects, and compared before anything is measured.',
      ...this.#notes,
      '## As seen from the page',
      this.#page.table(columns, 'empty'),
      'DriftDB through `open` of `driftdb`; rivals in a worker that answers by `postMessage`. 10,000 rows come from rivals as one JSON text made in SQL, read with JSON.parse, or (o) as objects that postMessage copies, whichever is better.',
    ].join('\n\n');
  }
}
