//! Space that is freed is free when that is durable.

use super::contents;
use driftdb_core::Result;
use driftdb_core::storage::{Access, Store};
use driftdb_tests::fault::{FaultStore, Survival};
use driftdb_wasm::container::Container;

/// A container with blobs of these lengths, one after another; a name that comes again grows.
fn filled(lengths: &[(&str, usize)]) -> (FaultStore, Container) {
    let store = FaultStore::packed();
    let container = store.container().unwrap();
    for (number, (path, len)) in lengths.iter().enumerate() {
        let opened = container.open(path, Access::Write).unwrap();
        let mut blob = opened.unwrap_or_else(|| container.create(path).unwrap());
        let end = blob.len().unwrap();
        blob.append(end, &vec![number as u8 + 1; *len]).unwrap();
        blob.sync().unwrap();
    }
    (store, container)
}

/// Closing moves blobs to the front; stopped at every call of it, everything is there.
fn stopped_close(lengths: &[(&str, usize)], removed: &[&str]) {
    let build = || {
        let (store, container) = filled(lengths);
        removed
            .iter()
            .for_each(|path| container.remove(path).unwrap());
        container.replace("meta", b"{}").unwrap();
        (store, container)
    };
    let (store, container) = build();
    let (held, calls) = (contents(&container).unwrap(), store.calls());
    container.close().unwrap();
    let closing = store.calls() - calls;
    assert!(closing > 5);
    for stop in 1..=closing {
        let (store, container) = build();
        store.stop_in(stop);
        assert!(container.close().is_err());
        for seed in 0..8 {
            let crashed = store.crash(Survival::Mixed(seed ^ (stop << 8)));
            let found = contents(&crashed.container().unwrap()).unwrap();
            assert!(found == held, "stop {stop}, seed {seed}");
        }
    }
}

#[test]
fn a_stopped_close_loses_nothing() {
    let large = ["a", "b", "c", "d", "e", "f"].map(|path| (path, 700_000));
    stopped_close(&large, &["a", "b", "c", "d"]);
    // What is moved first leaves room in which the next one must not go yet.
    let pieces = [
        ("g", 80_000),
        ("x", 40_000),
        ("z", 8000),
        ("w", 2_000_000),
        ("x", 40_000),
    ];
    stopped_close(&pieces, &["g", "w"]);
}

/// The catalogue moves when its area is full; it must not move to where a blob lies that is only about to go.
#[test]
fn pages_are_free_when_the_batch_that_frees_them_is_durable() {
    let build = || {
        let (store, container) = filled(&[("big", 100_000), ("other", 10)]);
        for number in 0..16 {
            container.replace("meta", &[number; 2000]).unwrap();
        }
        (store, container)
    };
    let finish = |container: &Container| -> Result<()> {
        container.remove("big")?;
        (0..4).try_for_each(|number| container.replace("meta", &[number; 2000]).map(|_| ()))
    };
    for stop in 1.. {
        let (store, container) = build();
        store.stop_in(stop);
        if finish(&container).is_ok() {
            assert!(stop > 5);
            break;
        }
        for seed in 0..16 {
            let crashed = store
                .crash(Survival::Mixed(seed ^ (stop << 8)))
                .container()
                .unwrap();
            if let Some(bytes) = crashed.read("big").unwrap() {
                assert!(bytes == [1; 100_000], "stop {stop}, seed {seed}");
            }
        }
    }
}

#[test]
fn what_was_cut_does_not_come_back_behind_what_is_appended() {
    for seed in 0..64 {
        let (store, container) = filled(&[("a", 10_000)]);
        let mut blob = container.open("a", Access::Write).unwrap().unwrap();
        blob.truncate(10).unwrap();
        blob.sync().unwrap();
        blob.append(10, &[8; 3000]).unwrap();
        store.stop_in(1 + seed % 3);
        let _ = blob.sync();
        let crashed = store.crash(Survival::Sectors(seed)).container().unwrap();
        let bytes = crashed.read("a").unwrap().unwrap();
        assert!(
            bytes[10..].iter().all(|byte| [0, 8].contains(byte)),
            "seed {seed}"
        );
    }
}

#[test]
fn reserving_behind_an_unsynced_cut_changes_nothing_yet() {
    let store = FaultStore::packed();
    let container = store.container().unwrap();
    let mut blob = container.create("a").unwrap();
    blob.append(0, &[7; 10_000]).unwrap();
    blob.sync().unwrap();
    blob.truncate(10).unwrap();
    blob.reserve(5000).unwrap();
    let crashed = store.crash(Survival::Kept).container().unwrap();
    assert_eq!(crashed.read("a").unwrap().unwrap(), [7; 10_000]);
}
