// Where the wasm module is if nobody says: a file beside this one. In the entry `./inline` js/inline/own-module.ts takes this one's place.

/** Its URL, or its bytes. */
export function ownModule(): string | Uint8Array<ArrayBuffer> {
  return new URL('./driftdb.wasm', import.meta.url).href;
}
