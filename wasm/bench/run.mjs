// The benchmark in a browser: `node run.mjs [--events N] [--quick] [--engines a,b] [--rounds R] [--write]`. All engines in one run and in turns; no figure fails it,
// a wrong answer does.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { browse, serve } from './browser.mjs';
import { ENGINES, bundle, version } from './engines.mjs';
import { Phases } from './phases.mjs';

const SAID = '## What the figures say';

const { values } = parseArgs({
  options: {
    events: { type: 'string' },
    quick: { type: 'boolean' },
    engines: { type: 'string' },
    rounds: { type: 'string' },
    budget: { type: 'string' },
    write: { type: 'boolean' },
  },
});
const events = Number(values.events ?? (values.quick ? 20_000 : 100_000));
const rounds = Number(values.rounds ?? (values.quick ? 3 : 5));
const wanted = values.engines?.split(',');
const engines = ENGINES.filter(({ name, lib }) => wanted === undefined || wanted.includes(name) || wanted.includes(lib));
const load = loadavg().map((it) => it.toFixed(2)).join(' ');

const libs = [...new Set(engines.map(({ lib }) => lib))];
await bundle(libs);
const server = await serve();
const browser = await browse();
const phases = new Phases({ browser, url: server.url, engines, events, rounds, budget: Number(values.budget ?? 200) });
let whole = false;
try {
  await phases.loaded();
  await phases.starts('after a close', false);
  await phases.seen();
  await phases.commits();
  await phases.starts('after a kill', true);
  phases.sized();
  whole = true;
} finally {
  if (!whole) console.log(phases.tables());
  await browser.close();
  server.close();
}

const facts = [
  `${cpus().length} x ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB of memory, Linux ${release()}, Chromium ${browser.version}, headless`,
  `load at the start: ${load}`,
  `${libs.map((lib) => `${lib} ${version(lib)}`).join(', ')}; every cache 64 MiB, every commit durable`,
  `${events.toLocaleString('en-US')} events over ${(events / 10).toLocaleString('en-US')} keys; ${rounds} rounds, in turns; medians`,
];
const text = `${facts.map((fact) => `- ${fact}`).join('\n')}\n\n${phases.tables()}`;
console.log(text);
if (values.write) {
  const file = join(dirname(fileURLToPath(import.meta.url)), '../../docs/BENCHMARKS-WEB.md');
  // What people have said about the figures stays, below them.
  const said = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const kept = said.includes(SAID) ? `\n${said.slice(said.indexOf(SAID))}` : '';
  writeFileSync(file, `# Benchmarks in the browser\n\nWritten by \`make bench-web ARGS=--write\`.\n\n${text}\n${kept}`);
}
