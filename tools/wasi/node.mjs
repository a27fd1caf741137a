// Runs a WASI program with Node's node:wasi: node.mjs PROGRAM.wasm ARGS...
// The directory it is run in, /tmp, DRIFTDB_WASI_DIR, the environment and the standard streams are the program's.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { WASI } from "node:wasi";

const [program, ...args] = process.argv.slice(2);
const directories = [".", "/tmp", process.env.DRIFTDB_WASI_DIR].filter(Boolean);
const wasi = new WASI({
  version: "preview1",
  args: [basename(program, ".wasm"), ...args],
  env: process.env,
  preopens: Object.fromEntries(directories.map((directory) => [directory, directory])),
  // It is to end here anyway.
  returnOnExit: false,
});
const module = await WebAssembly.compile(readFileSync(program));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
wasi.start(instance);
