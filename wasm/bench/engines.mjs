// Who takes part, and what of them is served: each engine's worker is bundled and minified, as an application would do, with its wasm beside.

import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, 'node_modules');
export const BUILT = join(here, 'built');
/** KiB of pages that SQLite may keep: what DriftDB keeps of blocks by default. */
const CACHE = 64 << 10;

/** `lib`: whose code; `spec`: how it is opened; `files`: where its files are in OPFS. */
export const ENGINES = [
  { name: 'driftdb', lib: 'driftdb', spec: { name: 'bench' }, files: 'driftdb/bench.container' },
  ...['versioned', 'events'].flatMap((schema) => [
    sqlite('sqlite-wasm', schema, false),
    sqlite('sqlite-wasm', schema, true),
    sqlite('wa-sqlite', schema, false),
  ]),
  { name: 'pglite', lib: 'pglite', spec: { name: 'bench-pglite' }, files: 'bench-pglite' },
];

function sqlite(lib, schema, wal) {
  const name = [lib, wal ? 'wal' : '', schema === 'events' ? 'events' : ''].filter((it) => it !== '').join(' ');
  const own = name.replaceAll(' ', '-');
  return { name, lib, spec: { name: own, schema, wal, cache: CACHE }, files: own };
}

const WASM = {
  driftdb: [join(here, '../dist/driftdb.wasm')],
  'sqlite-wasm': [join(modules, '@sqlite.org/sqlite-wasm/dist/sqlite3.wasm')],
  'wa-sqlite': [join(modules, 'wa-sqlite/dist/wa-sqlite.wasm')],
  pglite: ['pglite.wasm', 'pglite.data', 'initdb.wasm'].map((name) => join(modules, '@electric-sql/pglite/dist', name)),
};

const OPTIONS = { bundle: true, format: 'esm', target: 'es2022', platform: 'browser', minify: true, legalComments: 'none', logLevel: 'error', absWorkingDir: here };

export async function bundle(libs) {
  rmSync(BUILT, { recursive: true, force: true });
  for (const lib of ['memory', 'empty', ...libs]) {
    const outdir = join(BUILT, lib);
    await build({
      ...OPTIONS,
      outdir,
      entryPoints: ['web/worker.js'],
      splitting: true,
      alias: { engine: `./web/engines/${lib}.js` },
      external: ['fs', 'fs/promises', 'path', 'url', 'crypto', 'module', 'node:*', 'ws', 'os', 'util', 'stream', 'worker_threads'],
    });
    for (const file of WASM[lib] ?? []) copyFileSync(file, join(outdir, basename(file)));
  }
  const outdir = join(BUILT, 'page');
  mkdirSync(outdir);
  await build({ ...OPTIONS, outdir, entryPoints: ['web/page.js', 'web/seen.js'], external: ['/dist/index.js', './seen.js'] });
}

/** KB of an engine as it is served: raw, gzip, brotli. */
export function sizes(lib) {
  const dir = join(BUILT, lib);
  const files = readdirSync(dir).map((name) => readFileSync(join(dir, name)));
  const sum = (measure) => files.reduce((all, bytes) => all + measure(bytes), 0) / 1e3;
  return { raw: sum((bytes) => bytes.length), gzip: sum((bytes) => gzipSync(bytes, { level: 9 }).length), brotli: sum((bytes) => brotliCompressSync(bytes).length) };
}

/** The version of a package that takes part. */
export function version(lib) {
  const path = { driftdb: '../package.json', 'sqlite-wasm': 'node_modules/@sqlite.org/sqlite-wasm/package.json', 'wa-sqlite': 'node_modules/wa-sqlite/package.json', pglite: 'node_modules/@electric-sql/pglite/package.json' }[lib];
  return JSON.parse(readFileSync(join(here, path), 'utf8')).version;
}
