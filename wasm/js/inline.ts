// The front door with everything inside of one file: for a CDN, and for bundlers that do not find the worker or the wasm module. build.mjs puts the worker,
// and into it the module, in the place of the files beside this one.

export * from './index.js';
