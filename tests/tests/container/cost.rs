//! What a commit, growth and opening cost.

use super::contents;
use driftdb_core::storage::Store;
use driftdb_tests::budget::pick;
use driftdb_tests::fault::{CallKind, FaultStore};
use driftdb_tests::random::Random;

fn flushes(store: &FaultStore) -> usize {
    store
        .trace()
        .iter()
        .filter(|call| call.kind == CallKind::Sync)
        .count()
}

#[test]
fn a_commit_costs_one_flush_and_one_write() {
    let store = FaultStore::packed();
    let container = store.container().unwrap();
    let mut blobs: Vec<_> = (0..3)
        .map(|index| container.create(&format!("t/{index}")).unwrap())
        .collect();
    for blob in &mut blobs {
        blob.append(0, b"header").unwrap();
        blob.reserve(100_000).unwrap();
        blob.sync().unwrap();
    }
    let (calls, before) = (store.calls(), flushes(&store));
    for round in 0..100 {
        for blob in &mut blobs {
            blob.append(6 + round * 50, &[7; 50]).unwrap();
        }
        for blob in &mut blobs {
            blob.sync().unwrap();
        }
    }
    assert_eq!(flushes(&store) - before, 100);
    assert_eq!(store.calls() - calls, 400);
    // What grows costs one more write, and no more flushes.
    let before = flushes(&store);
    for round in 0..10 {
        blobs[0].append(100_000 + round * 50, &[7; 50]).unwrap();
        blobs[0].sync().unwrap();
    }
    assert_eq!(flushes(&store) - before, 10);
}

/// Files come and go for long: the container stays about as large as what it has held at once, and small after what it holds has shrunk.
#[test]
fn it_does_not_grow_for_ever() {
    let store = FaultStore::packed();
    let container = store.container().unwrap();
    let mut random = Random::new(7);
    for round in 0..pick(600, 6000) {
        let path = format!("t/{}", random.below(20));
        container.remove(&path).unwrap();
        let mut blob = container.create(&path).unwrap();
        let mut end = 0;
        for _ in 0..1 + random.below(6) {
            let bytes = vec![1; 1 + random.index(100_000)];
            blob.append(end, &bytes).unwrap();
            end += bytes.len() as u64;
        }
        blob.sync().unwrap();
        if round % 100 == 0 {
            container.replace("t/meta", b"{}").unwrap();
        }
    }
    let held: u64 = contents(&container)
        .unwrap()
        .values()
        .map(|bytes| bytes.len() as u64)
        .sum();
    let (len, _) = container.room();
    assert!(len < 3 * held, "{len} bytes for {held}");
    for index in 0..19 {
        container.remove(&format!("t/{index}")).unwrap();
    }
    let held = contents(&container).unwrap();
    container.close().unwrap();
    let (len, free) = container.room();
    assert!(len < (3 << 20), "{len} bytes, {free} free");
    drop(container);
    assert!(contents(&store.container().unwrap()).unwrap() == held);
}
