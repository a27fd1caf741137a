// The wasm module inside of this one.

import base64 from 'driftdb:module';

/** Its bytes. */
export function ownModule(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
