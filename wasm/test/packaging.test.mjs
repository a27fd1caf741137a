// The packed package, installed into projects as people have them: bundled by Vite and webpack, on a plain page, rendered on a server, by SvelteKit, in Deno and Bun.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { openSync } from '../dist/sync.js';
import { TYPES, browse, noBrowser } from './browser.mjs';

const here = fileURLToPath(new URL('packaging', import.meta.url));
const ours = fileURLToPath(new URL('../node_modules', import.meta.url));
const packed = fileURLToPath(new URL('../../dist', import.meta.url));
const noTools = ['vite', 'webpack', '@sveltejs/kit'].every((name) => existsSync(join(here, 'node_modules', name))) ? false : 'Vite, webpack, SvelteKit, Deno and Bun are not installed (npm install in wasm/test/packaging)';
const timeout = 300_000;

let project;
let browser;

before(() => {
  project = mkdtempSync(join(tmpdir(), 'driftdb-project-'));
  cpSync(join(here, 'app'), project, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{"type":"module","private":true}');
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url)));
  const file = join(packed, `driftdb-${version}.tgz`);
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', file], { cwd: project, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const name of ['react', 'react-dom', 'scheduler', 'vue', '@vue']) symlinkSync(join(ours, name), join(project, 'node_modules', name));
  if (!noTools) for (const name of ['svelte', '@sveltejs', 'vite']) symlinkSync(join(here, 'node_modules', name), join(project, 'node_modules', name));
});
after(async () => {
  await browser?.close();
  rmSync(project, { recursive: true, force: true });
});

/** A module of the tools' own project. */
async function tool(name) {
  return import(pathToFileURL(createRequire(join(here, 'package.json')).resolve(name)));
}

/** Serves a directory under a sub-path; what was asked for and is not there is noted. */
async function serve(dir, page = {}) {
  const missing = [];
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname)).replace(/^\/some\/where\//, '');
    const file = join(dir, path);
    const body = page[path] ?? (existsSync(file) && extname(file) !== '' ? readFileSync(file) : undefined);
    if (body === undefined && path !== '/favicon.ico') missing.push(path);
    response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/some/where`, missing, close: () => server.close() };
}

/** Loads the application's page three times; the data has to be there. */
async function visit(dir, page) {
  const server = await serve(dir, page);
  browser ??= await browse();
  const tab = await browser.context.newPage();
  const errors = [];
  tab.on('pageerror', (error) => errors.push(error.message));
  try {
    for (const title of ['opfs 1', 'opfs 1,2', 'opfs 1,2,3']) {
      await tab.goto(`${server.url}/index.html`);
      await tab.waitForFunction(() => document.title.startsWith('opfs') || document.title.startsWith('indexeddb'), undefined, { timeout: 60_000 }).catch((error) => {
        throw new Error(`${error.message}\n${errors.join('\n')}\nnot there: ${server.missing.join()}`);
      });
      assert.equal(await tab.title(), title);
    }
    assert.deepEqual([errors, server.missing], [[], []]);
  } finally {
    await tab.close();
    server.close();
  }
}

const html = (script) => `<!doctype html><title></title><script type="module" ${script}</script>`;
const inBrowser = { skip: noTools || noBrowser, timeout };

test('a page without a bundler', { skip: noBrowser, timeout }, async () => {
  const map = '<script type="importmap">{"imports":{"driftdb":"./node_modules/driftdb/dist/index.js"}}</script>';
  await visit(project, { 'index.html': html('src="./main.js">').replace('<script', `${map}<script`) });
});

test('one file on a page, which is all that is served', { skip: noBrowser, timeout }, async () => {
  const dist = join(project, 'node_modules/driftdb/dist');
  const main = readFileSync(join(project, 'main.js'), 'utf8').replace("'driftdb'", "'./driftdb.js'");
  await visit(join(project, 'nothing'), { 'index.html': html('src="./main.js">'), 'main.js': main, 'driftdb.js': readFileSync(join(dist, 'inline.js')) });
});

test('built by Vite', inBrowser, async () => {
  const { build } = await tool('vite');
  writeFileSync(join(project, 'index.html'), html('src="./main.js">'));
  const outDir = join(project, 'vite');
  await build({ root: project, base: '/some/where/', configFile: false, logLevel: 'error', build: { outDir, target: 'es2022' } });
  assert.ok(readdirSync(join(outDir, 'assets')).some((name) => name.endsWith('.wasm')));
  await visit(outDir);
});

for (const entry of ['driftdb', 'driftdb/inline']) {
  test(`built by webpack: ${entry}`, inBrowser, async () => {
    const { default: webpack } = await tool('webpack');
    const path = join(project, entry.replace('/', '-'));
    const main = join(project, `${entry.replace('/', '-')}.js`);
    writeFileSync(main, readFileSync(join(project, 'main.js'), 'utf8').replace("'driftdb'", `'${entry}'`));
    const stats = await new Promise((resolve, reject) => {
      webpack({ mode: 'production', context: project, entry: main, output: { path, filename: 'main.js' } }, (error, stats) => (error ? reject(error) : resolve(stats)));
    });
    assert.deepEqual(stats.toJson({ errors: true }).errors.map(({ message }) => message), []);
    if (entry === 'driftdb/inline') assert.deepEqual(readdirSync(path), ['main.js']);
    await visit(path, { 'index.html': html('src="./main.js">') });
  });
}

test('rendered on a server, as built by Vite', { skip: noTools, timeout }, async () => {
  const { build } = await tool('vite');
  const outDir = join(project, 'ssr');
  await build({ root: project, configFile: false, logLevel: 'error', ssr: { noExternal: true }, build: { ssr: 'server.js', outDir, target: 'es2022' } });
  mkdirSync(join(project, 'elsewhere'));
  const rendered = execFileSync(process.execPath, [join(outDir, 'server.js')], { encoding: 'utf8', cwd: join(project, 'elsewhere') });
  assert.equal(rendered.trim(), 'function <p>react</p> <p>vue</p>');
});

/** Starts a built SvelteKit application; `url` is its page. */
async function startKit(root, env) {
  const server = spawn(process.execPath, ['serve.js'], { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise((resolve, reject) => {
    server.stdout.once('data', (data) => resolve(Number(data)));
    server.once('exit', () => reject(new Error('the server has ended')));
  });
  return { url: `http://127.0.0.1:${port}/some/where`, close: () => server.kill() };
}

test('SvelteKit: rendered on a server with what it knows, taken over by the page, there after a reload', inBrowser, async () => {
  const root = join(project, 'kit');
  const notes = join(project, 'notes');
  cpSync(join(here, 'kit'), root, { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module","private":true}');
  const db = openSync(notes);
  db.exec('CREATE TABLE notes (pk=id); INSERT INTO notes {"id": 1, "text": "from the server"}');
  db.close();
  execFileSync(process.execPath, [join(here, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'error'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  const server = await startKit(root, { NOTES: notes });
  browser ??= await browse();
  const page = await browser.context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
  try {
    const sent = (await (await fetch(server.url)).text()).replaceAll(/<!--.*?-->/g, '');
    assert.match(sent, /<p id="from">server<\/p>/);
    assert.match(sent, /<li>1 from the server<\/li>/);
    for (const rows of [['1 from the server'], ['1 from the server', '2 from the page']]) {
      await page.goto(server.url);
      await page.locator('#from', { hasText: 'opfs' }).waitFor({ timeout: 60_000 });
      assert.deepEqual(await page.locator('li').allTextContents(), rows);
      await page.getByRole('button', { name: 'Add' }).click();
      await page.locator('li').nth(rows.length).waitFor();
    }
    assert.deepEqual(complaints, []);
  } finally {
    await page.close();
    server.close();
  }
});

const bin = (name) => join(here, 'node_modules/.bin', name);
for (const [name, command, ...args] of [['Node', process.execPath], ['Bun', bin('bun')], ['Deno', bin('deno'), 'run', '--allow-all', '--node-modules-dir=manual']]) {
  test(`a program in ${name}`, { skip: existsSync(command) ? false : `${name} is not installed (npm install in wasm/test/packaging)`, timeout }, () => {
    const printed = execFileSync(command, [...args, 'program.mjs', join(project, `data-${name}`)], { cwd: project, encoding: 'utf8', timeout: 240_000 });
    assert.deepEqual(JSON.parse(printed), ['node', 'busy', [{ id: 1 }, { id: 2 }], { ok: true, events: 2, findings: [] }]);
  });
}
