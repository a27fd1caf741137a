//! The contracts of the storage traits on the package's stores, as wasm: in Node over a file in memory, in a browser's worker over OPFS.
//! `.ci/test-wasm` runs it; natively there is nothing here.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../tests/src/conformance.rs"]
mod conformance;

use std::rc::Rc;

use conformance::CONTRACTS;
use driftdb_core::storage::MemoryStore;
use driftdb_wasm::container::Container;
use driftdb_wasm::mirror::Loader;
use driftdb_wasm::stores::{Handle, HandleFile};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

#[cfg(feature = "browser-tests")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen(inline_js = r"
// A file in memory, which behaves as a synchronous access handle does.
class Memory {
  bytes = new Uint8Array(0);
  getSize() { return this.bytes.length; }
  truncate(size) { const bytes = new Uint8Array(size); bytes.set(this.bytes.subarray(0, size)); this.bytes = bytes; }
  read(buffer, { at }) { const part = this.bytes.subarray(at, at + buffer.length); buffer.set(part); return part.length; }
  write(buffer, { at }) { if (at + buffer.length > this.bytes.length) this.truncate(at + buffer.length); this.bytes.set(buffer, at); return buffer.length; }
  flush() {}
  close() {}
}
let count = 0;
export async function open() {
  let handle = new Memory();
  if (globalThis.navigator?.storage?.getDirectory !== undefined) {
    const root = await navigator.storage.getDirectory();
    const file = await root.getFileHandle(`contract ${count++}`, { create: true });
    handle = await file.createSyncAccessHandle();
    handle.truncate(0);
  }
  return {
    kind: handle instanceof Memory ? 'memory' : 'opfs',
    size: () => handle.getSize(),
    read: (at, buffer) => handle.read(buffer, { at }),
    write: (at, bytes) => handle.write(bytes, { at }),
    truncate: (size) => handle.truncate(size),
    flush: () => handle.flush(),
  };
}
export function kind(file) { return file.kind; }
")]
extern "C" {
    async fn open() -> JsValue;
    fn kind(file: &JsValue) -> String;
}

#[wasm_bindgen_test]
async fn container() {
    for (name, contract) in CONTRACTS {
        let file = open().await;
        let expected = if cfg!(feature = "browser-tests") {
            "opfs"
        } else {
            "memory"
        };
        assert_eq!(kind(&file), expected);
        let handle = HandleFile(file.unchecked_into::<Handle>());
        let container = Container::open(Box::new(handle), name).unwrap();
        contract(Rc::new(container));
    }
}

#[wasm_bindgen_test]
fn mirror() {
    for (_, contract) in CONTRACTS {
        contract(Rc::new(Loader::default().finish(64 << 20).unwrap()));
    }
}

#[wasm_bindgen_test]
fn memory() {
    for (_, contract) in CONTRACTS {
        contract(Rc::new(MemoryStore::new()));
    }
}
