// Builds the npm package: the engine as wasm, the glue, types and entries in dist/. `node build.mjs --pack FILE` packs it, too.
//
// tools/build-npm runs it in the environment that it needs. wasm-bindgen's program must have the crate's version; if it is not there it is built once.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '..');
const target = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
const tools = resolve(root, process.env.DRIFTDB_TOOLS_DIR ?? 'target/tools');
const dist = join(here, 'dist');
const TRIPLE = 'wasm32-unknown-unknown';

function run(program, args, options = {}) {
  execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], cwd: root, ...options });
}

function bindgenVersion() {
  const lock = readFileSync(join(root, 'Cargo.lock'), 'utf8');
  return /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock)[1];
}

/** The path of wasm-bindgen's program. */
function bindgen() {
  const version = bindgenVersion();
  const home = join(tools, `wasm-bindgen-${version}`);
  const program = join(home, 'bin', 'wasm-bindgen');
  if (!existsSync(program)) {
    console.log(`building wasm-bindgen ${version}, once: several minutes`);
    // It runs once a build: that its own building is quick matters more.
    const quick = { ...process.env, CARGO_PROFILE_RELEASE_OPT_LEVEL: '1', CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16' };
    run('cargo', ['install', '--quiet', 'wasm-bindgen-cli', '--version', version, '--no-default-features', '--root', home], { env: quick });
  }
  return program;
}

/** The standard library built along, for size: a panic is a trap without a text, which is all that a module can make of it anyway. */
const SMALL_STD = ['-Z', 'build-std=std,panic_abort', '-Z', 'build-std-features=optimize_for_size'];
const SMALL_ENV = {
  RUSTC_BOOTSTRAP: '1',
  RUSTFLAGS: '-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none',
};

/** Whether the standard library's source is there: tools/wasm-target fetches it. */
function sourceOfStd() {
  const sysroot = execFileSync(process.env.RUSTC ?? 'rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).trim();
  return existsSync(join(sysroot, 'lib/rustlib/src/rust/library/Cargo.lock'));
}

/** How large a function may be that is put in the place of its calls, in LLVM's measure: 5 where size alone counts, 50 to 225 elsewhere (ARCHITECTURE.md, Size). */
const INLINING = ['-Cllvm-args=-inline-threshold=24'];

/** The engine as wasm, and wasm-bindgen's glue for it. */
function engine() {
  const profile = process.env.DRIFTDB_WASM_PROFILE ?? 'wasm';
  const small = sourceOfStd();
  if (!small) console.log('the standard library is taken as it comes: the module is an eighth larger than it could be (rustup component add rust-src)');
  const into = small ? join(target, 'npm') : target;
  // As a module alone: with the library that tests want beside it, cargo would leave out optimising the whole program as one.
  const args = ['rustc', '--quiet', '--package', 'driftdb-wasm', '--lib', '--crate-type', 'cdylib', '--profile', profile, '--target', TRIPLE, '--target-dir', into];
  const env = { ...process.env, ...(small ? SMALL_ENV : {}), CARGO_INCREMENTAL: '0' };
  run('cargo', [...args, ...(small ? SMALL_STD : []), '--', ...INLINING], { env });
  const wasm = join(into, TRIPLE, profile, 'driftdb_wasm.wasm');
  const out = join(target, 'wasm-bindgen');
  const names = process.env.DRIFTDB_WASM_NAMES ? [] : ['--remove-name-section', '--remove-producers-section'];
  run(bindgen(), ['--target', 'web', ...names, '--out-dir', out, '--out-name', 'driftdb', wasm]);
  return out;
}

/**
 * The glue as a function that makes one instance: wasm-bindgen's own keeps a single one for ever, and an instance that has trapped must go.
 * What it is made of is checked, so that another version of wasm-bindgen cannot slip through.
 */
function glue(out) {
  const text = readFileSync(join(out, 'driftdb.js'), 'utf8');
  const end = text.indexOf('async function __wbg_load(');
  if (end < 0 || !text.includes('function __wbg_finalize_init(instance, module) {')) throw new Error('the glue is not as expected');
  const body = text.slice(0, end).replace('/* @ts-self-types="./driftdb.d.ts" */', '').replaceAll(/^export class /gm, 'class ');
  if (/^(export|import) /m.test(body)) throw new Error('the glue exports or imports something unknown');
  const js = `// Made by build.mjs from wasm-bindgen's glue.
export function instantiate(module) {
${body}
const instance = new WebAssembly.Instance(module, __wbg_get_imports());
__wbg_finalize_init(instance, module);
return { Engine, Records, memory: instance.exports.memory };
}
`;
  const types = readFileSync(join(out, 'driftdb.d.ts'), 'utf8');
  const cut = types.indexOf('export type InitInput');
  const ts = `${types.slice(0, cut)}
/** An instance of the engine. */
export interface Instance { Engine: typeof Engine; Records: typeof Records; memory: WebAssembly.Memory }
export function instantiate(module: WebAssembly.Module): Instance;
`;
  mkdirSync(join(here, 'js', 'generated'), { recursive: true });
  writeFileSync(join(here, 'js', 'generated', 'glue.js'), js);
  writeFileSync(join(here, 'js', 'generated', 'glue.d.ts'), ts);
}

const OPTIONS = {
  absWorkingDir: here,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  minify: true,
  keepNames: false,
  sourcemap: false,
  legalComments: 'none',
  logLevel: 'warning',
};

/** What js/inline has in the place of files beside the package's: its own, and texts that are made here. */
function inline(texts) {
  return {
    name: 'inline',
    setup(bundler) {
      bundler.onResolve({ filter: /\/own-(module|worker)\.js$/ }, ({ path }) => ({ path: join(here, 'js/inline', `${/own-\w+/.exec(path)[0]}.ts`) }));
      bundler.onResolve({ filter: /^driftdb:/ }, ({ path }) => ({ path, namespace: 'text' }));
      bundler.onLoad({ filter: /.*/, namespace: 'text' }, ({ path }) => ({ contents: texts[path], loader: 'text' }));
    },
  };
}

async function bundle() {
  const entry = (name) => `js/${name}.ts`;
  await build({ ...OPTIONS, outdir: 'dist', entryPoints: ['index', 'worker', 'sync'].map(entry) });
  await build({ ...OPTIONS, outdir: 'dist', entryPoints: ['react', 'vue'].map(entry), external: ['react', 'vue'] });
  const module = readFileSync(join(dist, 'driftdb.wasm')).toString('base64');
  const worker = await build({ ...OPTIONS, entryPoints: [entry('worker')], write: false, plugins: [inline({ 'driftdb:module': module })] });
  await build({ ...OPTIONS, outdir: 'dist', entryPoints: [entry('inline')], plugins: [inline({ 'driftdb:worker': worker.outputFiles[0].text, 'driftdb:module': '' })] });
}

/** KiB of gzip: what the package promises, and a tenth above it, where the build fails. */
const GOALS = { 'driftdb.wasm': 300, 'index.js': 12 };

function report() {
  let over = false;
  for (const name of ['driftdb.wasm', 'index.js', 'worker.js', 'sync.js', 'inline.js', 'react.js', 'vue.js']) {
    const bytes = readFileSync(join(dist, name));
    const kib = gzipSync(bytes, { level: 9 }).length / 1024;
    const goal = GOALS[name];
    const told = goal === undefined ? '' : kib <= goal ? ` of ${goal}` : ` of ${goal}: over its goal`;
    console.log(`${name}: ${(bytes.length / 1024).toFixed(1)} KiB, gzip ${kib.toFixed(1)}${told}`);
    over ||= goal !== undefined && kib > goal * 1.1;
  }
  if (over && sourceOfStd()) throw new Error('a file is more than a tenth over its goal');
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
if (!process.argv.includes('--js-only')) {
  const out = engine();
  glue(out);
}
// As the compiler leaves it: wasm-opt makes the module smaller and what gzip makes of it larger.
copyFileSync(join(target, 'wasm-bindgen', 'driftdb_bg.wasm'), join(dist, 'driftdb.wasm'));
run(join(here, 'node_modules', '.bin', 'tsc'), ['--project', join(here, 'tsconfig.json')], { cwd: here });
// TypeScript does not copy what is declarations already, and the package's own refer to it.
mkdirSync(join(dist, 'generated'), { recursive: true });
copyFileSync(join(here, 'js', 'generated', 'glue.d.ts'), join(dist, 'generated', 'glue.d.ts'));
await bundle();
copyFileSync(join(root, 'LICENSE'), join(here, 'LICENSE'));
report();
const pack = process.argv.indexOf('--pack');
if (pack > 0) {
  const name = execFileSync('npm', ['pack', '--silent'], { cwd: here, encoding: 'utf8' }).trim().split('\n').pop();
  const to = resolve(root, process.argv[pack + 1]);
  mkdirSync(to, { recursive: true });
  renameSync(join(here, name), join(to, name));
  console.log(`packed ${join(process.argv[pack + 1], name)}`);
}
