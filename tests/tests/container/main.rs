//! The container by itself: random blobs under crashes at every call, each damaged byte of its catalogue, full disks and odd answers, how many flushes
//! a commit costs, how large it grows and how much opening reads.

mod cost;
mod crashes;
mod damage;
mod file;
mod space;
mod walk;

use std::collections::BTreeMap;

use driftdb_core::Result;
use driftdb_core::storage::Store;
use driftdb_tests::contract::all_files;
use driftdb_tests::fault::FaultStore;
use driftdb_wasm::container::{Container, File};

/// The container's one file, as bytes.
fn bytes_of(store: &FaultStore) -> Vec<u8> {
    store.files().into_values().next().unwrap()
}

fn store_of(bytes: Vec<u8>) -> FaultStore {
    let store = FaultStore::packed();
    store.packed_file().write_at(0, &bytes).unwrap();
    store
}

fn contents(container: &Container) -> Result<BTreeMap<String, Vec<u8>>> {
    let paths = all_files(container, "")?;
    paths
        .into_iter()
        .map(|path| Ok((path.clone(), container.read(&path)?.unwrap_or_default())))
        .collect()
}
