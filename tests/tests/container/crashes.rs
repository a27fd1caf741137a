//! Crashes and failures at every call.

use super::walk::Walk;
use driftdb_core::Code;
use driftdb_core::storage::Store;
use driftdb_tests::budget::{pick, seeds};
use driftdb_tests::contract::{Model, all_files};
use driftdb_tests::fault::{Effect, Fault, FaultStore, Survival, What};
use driftdb_tests::random::Random;

/// Random blobs, stopped at every call; then on from what was left, stopped again.
#[test]
fn random_blobs_survive_crashes() {
    let (mut crashes, mut stops) = (0, 0);
    for seed in seeds(5, 600) {
        let count = 150;
        let mut whole = Walk::start(FaultStore::packed(), Model::default(), seed).unwrap();
        if let Some(error) = whole.run(count) {
            panic!("seed {seed}, without a fault: {error:?}");
        }
        whole.model.clone().survive(&whole.container).unwrap();
        for stop in (1 + seed % 3..=whole.store.calls()).step_by(pick(3, 1)) {
            stops += 1;
            let store = FaultStore::packed();
            store.script(Some(Fault {
                at: stop,
                what: What::Stop,
            }));
            let Ok(mut walk) = Walk::start(store.clone(), Model::default(), seed) else {
                let crashed = store.crash(Survival::Mixed(seed ^ (stop << 8)));
                crashed
                    .container()
                    .unwrap_or_else(|error| panic!("seed {seed}, stop {stop}: {error:?}"));
                continue;
            };
            walk.run(count);
            for round in 0..4 {
                crashes += 1;
                let survival = match round {
                    0 => Survival::Dropped,
                    1 => Survival::Kept,
                    _ => Survival::Mixed(seed ^ (stop << 8) ^ (round << 40)),
                };
                let context = format!("seed {seed}, stop {stop}, {survival:?}");
                survive(
                    &walk.store.crash(survival),
                    &walk.model,
                    seed ^ stop ^ round,
                    &context,
                );
            }
            killed(walk, seed ^ stop, &format!("seed {seed}, stop {stop}"));
        }
    }
    println!("container hunt: {stops} stops, {crashes} crashes recovered");
    assert!(stops > 0);
}

/// The process dies and another one goes on; then the machine stops too. What the first one had written and not flushed may be lost then, and
/// must not have been relied on.
fn killed(walk: Walk, seed: u64, context: &str) {
    let Walk {
        store, mut model, ..
    } = walk;
    let mut random = Random::new(seed);
    store.restart();
    let bytes = vec![9; 3000 + random.index(20_000)];
    store.stop_in(1 + random.below(8));
    let Ok(container) = store.container() else {
        return;
    };
    // What the second process has found is settled by its first write that has returned.
    let found = model.survive(&container);
    let found = found.unwrap_or_else(|what| panic!("{context}, killed: {what}"));
    match container.replace("d/killed", &bytes) {
        Ok(_) => {
            model = found;
            model.replace("d/killed", &bytes, true);
        }
        Err(_) => model.replace("d/killed", &bytes, false),
    }
    drop(container);
    for survival in [
        Survival::Mixed(seed),
        Survival::Mixed(seed + 1),
        Survival::Dropped,
    ] {
        let crashed = store.crash(survival);
        let context = format!("{context}, killed, then {survival:?}");
        survive(&crashed, &model, seed, &context);
    }
}

/// Compares what a crash left, goes on, and crashes twice more.
fn survive(crashed: &FaultStore, model: &Model, seed: u64, context: &str) {
    let (mut store, mut model) = (crashed.clone(), model.clone());
    let mut random = Random::new(seed);
    let mut log = Vec::new();
    for again in 0..3 {
        let container = store
            .container()
            .unwrap_or_else(|error| panic!("{context}, again {again}: {error:?}"));
        model = model
            .survive(&container)
            .unwrap_or_else(|what| panic!("{context}, again {again}: {what}\n{}", log.join("\n")));
        drop(container);
        store.stop_in(1 + random.below(60));
        let Ok(mut walk) = Walk::start(store.clone(), model.clone(), seed ^ (again << 20)) else {
            store = store.crash(Survival::Mixed(random.bits()));
            continue;
        };
        walk.run(40);
        log = walk.log;
        model = walk.model;
        store = store.crash(Survival::Mixed(random.bits()));
    }
}

/// Each call fails once: an error is answered, what is there can be read, and after a restart or a crash all that was synced is there.
#[test]
fn failing_calls_and_full_disks() {
    let all = [
        What::Error(Code::Io, Effect::None),
        What::Error(Code::Io, Effect::Half),
        What::Error(Code::StorageFull, Effect::Half),
        What::Error(Code::Io, Effect::Whole),
        What::Full,
    ];
    let mut full = 0;
    for seed in seeds(2, 100) {
        let mut whole = Walk::start(FaultStore::packed(), Model::default(), seed).unwrap();
        whole.run(100);
        for at in (1..=whole.store.calls()).step_by(pick(3, 1)) {
            for what in all {
                let store = FaultStore::packed();
                store.script(Some(Fault { at, what }));
                let Ok(mut walk) = Walk::start(store.clone(), Model::default(), seed) else {
                    continue;
                };
                let error = walk.run(100);
                full += u64::from(error.is_some_and(|error| error.code() == Code::StorageFull));
                let context = format!("seed {seed}, {what:?} at call {at}");
                // Reading goes on, whatever has happened.
                for path in all_files(&walk.container, "").unwrap() {
                    walk.container
                        .read(&path)
                        .unwrap_or_else(|error| panic!("{context}: {error:?}"));
                }
                store.script(None);
                for survival in [Survival::Kept, Survival::Dropped, Survival::Mixed(at)] {
                    survive(&store.crash(survival), &walk.model, seed ^ at, &context);
                }
            }
        }
    }
    assert!(full > 0);
}
