// The wasm module: found beside this file, or where the options say, and compiled once.

import { fail } from '../errors.js';
import type { Place } from '../protocol.js';
import { ownModule } from './own-module.js';

/** What is used of Node's `process`, which Deno and Bun have too. */
declare global {
  // eslint-disable-next-line no-var
  var process: { getBuiltinModule?(name: string): unknown } | undefined;
}

interface Files {
  readFileSync(path: URL | string): Uint8Array<ArrayBuffer>;
}

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** Node's filesystem, where there is one. */
export function nodeModule<T>(name: string): T | undefined {
  return globalThis.process?.getBuiltinModule?.(`node:${name}`) as T | undefined;
}

/** The module, compiled. */
export function loadModule(place: Pick<Place, 'wasmUrl' | 'wasmModule'>): Promise<WebAssembly.Module> {
  if (place.wasmModule !== undefined) return Promise.resolve(place.wasmModule);
  const own = place.wasmUrl ?? ownModule();
  const url = typeof own === 'string' ? own : '';
  let module = compiled.get(url);
  if (module === undefined) {
    module = typeof own === 'string' ? compile(own) : WebAssembly.compile(own);
    module.catch(() => compiled.delete(url));
    compiled.set(url, module);
  }
  return module;
}

/** The module, compiled at once: where there is a filesystem. */
export function loadModuleSync(place: Pick<Place, 'wasmUrl' | 'wasmModule'>): WebAssembly.Module {
  if (place.wasmModule !== undefined) return place.wasmModule;
  const own = place.wasmUrl ?? ownModule();
  if (typeof own !== 'string') return new WebAssembly.Module(own);
  const files = nodeModule<Files>('fs');
  if (files === undefined) throw fail('unsupported', 'the module cannot be loaded synchronously here', 'give wasmModule, or use open');
  return new WebAssembly.Module(files.readFileSync(own.startsWith('file:') ? new URL(own) : own));
}

async function compile(url: string): Promise<WebAssembly.Module> {
  const files = url.startsWith('file:') ? nodeModule<Files>('fs') : undefined;
  if (files !== undefined) return WebAssembly.compile(files.readFileSync(new URL(url)));
  const response = await fetch(url);
  if (!response.ok) throw fail('io', `the wasm module is not at ${url}: ${response.status} ${response.statusText}`, 'set wasmUrl');
  const type = response.headers.get('Content-Type') ?? '';
  if (type.startsWith('application/wasm')) return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}
