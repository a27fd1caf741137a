//! The crash hunt: the machine stops at every call in turn, and whatever the disk kept, the database is right again.
//!
//! After each crash: every acknowledged commit is there, no half transaction, every past seq right; then more is
//! written, the database closed, opened and compared again. The figures are printed with `--nocapture`.

use driftdb_core::db::Durability;
use driftdb_tests::budget::{pick, seeds};
use driftdb_tests::check::Depth;
use driftdb_tests::engine::{Engine, Settings, small};
use driftdb_tests::fault::{Fault, FaultStore, Survival, What};
use driftdb_tests::oracle::{Op, Oracle};
use driftdb_tests::recovery::recover;
use driftdb_tests::session::{Script, Session, listing, script};
use driftdb_tests::workload::Mix;

/// Where a database lives: in files of its own, or in a container.
type Home = fn() -> FaultStore;

#[derive(Default)]
struct Figures {
    calls: u64,
    stops: u64,
    crashes: u64,
    answers: u64,
}

/// Stops at every `stride`th call of a script and recovers from several survivals of each.
fn hunt(
    home: Home,
    name: &str,
    seed: u64,
    script: &Script,
    settings: &Settings,
    stride: u64,
) -> Figures {
    let mut figures = Figures {
        calls: calls_of(home, script, settings),
        ..Figures::default()
    };
    let mut stop = 1 + seed % stride;
    while stop <= figures.calls {
        let session = run_until(home, script, settings, stop);
        figures.stops += 1;
        for survival in survivals(seed ^ (stop << 8)) {
            let crashed = session.store.crash(survival);
            let depth = if stop.is_multiple_of(8) {
                Depth::All
            } else {
                Depth::Some(3)
            };
            let recovered = recover(
                &crashed,
                settings,
                &session.oracle,
                session.in_flight.as_ref(),
                depth,
                stop,
            );
            figures.answers += recovered.unwrap_or_else(|what| {
                let call = session.store.trace().pop();
                let ran = listing(&script[..session.steps.min(script.len())].to_vec());
                panic!("{name}, seed {seed}, stop at call {stop} ({call:?}), {survival:?}:\n{ran}{what}")
            });
            figures.crashes += 1;
        }
        stop += stride;
    }
    figures
}

fn survivals(seed: u64) -> Vec<Survival> {
    let mut all = vec![Survival::Dropped, Survival::Kept];
    for round in 0..pick(1, 4) {
        let seed = seed.wrapping_add(round << 32);
        all.extend([
            Survival::Torn(seed),
            Survival::Sectors(seed),
            Survival::Mixed(seed),
        ]);
    }
    all
}

fn calls_of(home: Home, script: &Script, settings: &Settings) -> u64 {
    let store = home();
    let mut session = Session::create(store.clone(), settings.clone());
    let finished = session
        .run(script)
        .unwrap_or_else(|what| panic!("without a fault:\n{}{what}", listing(script)));
    assert!(finished, "without a fault: {:?}", session.error);
    drop(session);
    store.calls()
}

fn run_until(home: Home, script: &Script, settings: &Settings, stop: u64) -> Session {
    let store = home();
    store.script(Some(Fault {
        at: stop,
        what: What::Stop,
    }));
    let mut session = Session::create(store, settings.clone());
    if let Err(what) = session.run(script) {
        panic!("stop at call {stop}:\n{}{what}", listing(script));
    }
    session.engine = None;
    session
}

fn print(name: &str, all: &[Figures]) {
    let sum = |of: fn(&Figures) -> u64| all.iter().map(of).sum::<u64>();
    println!(
        "crash hunt, {name}: {} runs, {} stops, {} crashes recovered, {} answers compared",
        all.len(),
        sum(|f| f.stops),
        sum(|f| f.crashes),
        sum(|f| f.answers)
    );
    assert!(sum(|f| f.stops) > 0);
}

fn hunt_seeds(
    home: Home,
    name: &str,
    seeds: Vec<u64>,
    mix: Mix,
    count: usize,
    settings: &Settings,
    stride: u64,
) {
    let all: Vec<Figures> = seeds
        .into_iter()
        .map(|seed| {
            hunt(
                home,
                name,
                seed,
                &script(seed, mix, count),
                settings,
                stride,
            )
        })
        .collect();
    print(name, &all);
}

/// The hunt on files, and on a container, whose bounded form looks at fewer stops.
fn hunt_both(name: &str, long: u64, mix: Mix, count: usize, settings: &Settings) {
    hunt_seeds(
        FaultStore::new,
        name,
        seeds(1, long),
        mix,
        count,
        settings,
        1,
    );
    let name = format!("{name}, in a container");
    let stride = pick(7, 1);
    hunt_seeds(
        FaultStore::packed,
        &name,
        seeds(1, long),
        mix,
        count,
        settings,
        stride,
    );
}

#[test]
fn transactions_over_three_tables() {
    let mix = Mix {
        single: 20,
        transaction: 70,
        maintain: 0,
        snapshot: 0,
        compact: 0,
        reopen: 4,
        ..Mix::default()
    };
    hunt_both("transactions", 40, mix, 40, &small());
}

/// Transactions that leave memory before they are committed, over several tables and over several segments.
#[test]
fn spilled_transactions() {
    let settings = Settings {
        transaction_bytes: 1_200,
        segment_bytes: 3_000,
        ..small()
    };
    let mix = Mix {
        single: 20,
        transaction: 60,
        bulk: 10,
        maintain: 3,
        snapshot: 1,
        compact: 1,
        ..Mix::default()
    };
    hunt_both("spilled", 30, mix, pick(14, 25), &settings);
}

#[test]
fn rotation() {
    let mix = Mix {
        filler: 900,
        maintain: 0,
        snapshot: 0,
        compact: 0,
        ..Mix::default()
    };
    let settings = Settings {
        segment_bytes: 1024,
        ..small()
    };
    hunt_both("rotation", 20, mix, 40, &settings);
}

#[test]
fn snapshots_and_merges() {
    let mix = Mix {
        snapshot: 10,
        maintain: 30,
        compact: 0,
        ..Mix::default()
    };
    let settings = Settings {
        memtable_events: 4,
        snapshot_events: 12,
        ..small()
    };
    hunt_both("snapshots and merges", 20, mix, 40, &settings);
}

#[test]
fn compaction() {
    let mix = Mix {
        compact: 20,
        ..Mix::default()
    };
    hunt_both("compaction", 20, mix, 40, &small());
}

#[test]
fn imports() {
    let mix = Mix {
        bulk: 15,
        filler: 300,
        ..Mix::default()
    };
    hunt_both("imports", 20, mix, 16, &small());
}

/// Commits in batches: a crash may lose the newest, and keeps a prefix of them, each whole.
#[test]
fn batches_keep_a_prefix() {
    batches(FaultStore::new, 1);
    batches(FaultStore::packed, pick(7, 1));
}

fn batches(home: Home, stride: usize) {
    let mix = Mix {
        transaction: 50,
        snapshot: 2,
        compact: 0,
        maintain: 2,
        reopen: 3,
        ..Mix::default()
    };
    let settings = Settings {
        durability: Durability::Batch,
        ..small()
    };
    let mut figures = Figures::default();
    let mut lost = 0;
    for seed in seeds(1, 40) {
        let script = script(seed, mix, 50);
        figures.calls = calls_of(home, &script, &settings);
        for stop in (1..=figures.calls).step_by(stride) {
            let (session, states) = states_until(home, &script, &settings, stop);
            figures.stops += 1;
            for survival in survivals(seed ^ (stop << 8)) {
                let crashed = session.store.crash(survival);
                let fail = |what: String| -> ! {
                    let ran = listing(&script[..session.steps.min(script.len())].to_vec());
                    panic!("batches, seed {seed}, stop at call {stop}, {survival:?}:\n{ran}{what}")
                };
                let head = match Engine::open(&crashed.copy(), &settings) {
                    Ok(mut engine) => engine.head().map_or(0, |head| head.0),
                    Err(_) => 0,
                };
                let flight = session.in_flight.iter();
                let state = states
                    .iter()
                    .rev()
                    .chain(flight)
                    .find(|state| state.seq == head);
                let Some(state) = state else {
                    fail(format!(
                        "seq {head} is no end of a commit that may be there"
                    ))
                };
                lost += u64::from(state.seq < session.oracle.seq);
                let in_flight = session.in_flight.as_ref();
                let recovered =
                    recover(&crashed, &settings, state, in_flight, Depth::Some(3), stop);
                figures.answers += recovered.unwrap_or_else(|what| fail(what));
                figures.crashes += 1;
            }
        }
    }
    println!("crash hunt, batches: {lost} crashes lost commits");
    assert!(lost > 0, "batches were as durable as single commits");
    print("batches", &[figures]);
}

/// Runs up to a stop; the states of which one must be there then: those since the last time all was synced.
fn states_until(
    home: Home,
    script: &Script,
    settings: &Settings,
    stop: u64,
) -> (Session, Vec<Oracle>) {
    let store = home();
    store.script(Some(Fault {
        at: stop,
        what: What::Stop,
    }));
    let mut session = Session::create(store, settings.clone());
    let mut states = vec![session.oracle.clone()];
    for (op, clock) in script {
        if session.error.is_some() {
            break;
        }
        match session.step(op, *clock) {
            Ok(_) if matches!(op, Op::Reopen) && session.error.is_none() => states.clear(),
            Ok(_) => {}
            Err(what) => panic!("stop at call {stop}:\n{}{what}", listing(script)),
        }
        states.push(session.oracle.clone());
    }
    session.engine = None;
    (session, states)
}

/// A second crash while the first is being recovered from.
#[test]
fn a_crash_in_the_recovery() {
    second_crash(FaultStore::new, 6);
    second_crash(FaultStore::packed, 41);
}

fn second_crash(home: Home, stride: usize) {
    let mix = Mix {
        transaction: 50,
        compact: 8,
        maintain: 10,
        ..Mix::default()
    };
    let mut figures = Figures::default();
    for seed in seeds(1, 20) {
        let script = script(seed, mix, 40);
        figures.calls = calls_of(home, &script, &small());
        for stop in (1..=figures.calls).step_by(pick(stride, 1)) {
            let session = run_until(home, &script, &small(), stop);
            let survival = Survival::Mixed(seed ^ (stop << 8));
            let first = session.store.crash(survival);
            let probe = first.copy();
            let _ = Engine::open(&probe, &small());
            for again in 1..=probe.calls() {
                let store = first.copy();
                store.stop_in(again);
                let _ = Engine::open(&store, &small());
                let second = store.crash(Survival::Mixed(again ^ (stop << 16)));
                let in_flight = session.in_flight.as_ref();
                let recovered = recover(
                    &second,
                    &small(),
                    &session.oracle,
                    in_flight,
                    Depth::Some(1),
                    again,
                );
                figures.answers += recovered.unwrap_or_else(|what| {
                    let ran = listing(&script[..session.steps.min(script.len())].to_vec());
                    panic!("seed {seed}, stop at call {stop}, {survival:?}, then at call {again} of the recovery:\n{ran}{what}")
                });
                figures.crashes += 1;
            }
            figures.stops += 1;
        }
    }
    print("recovery", &[figures]);
}
