//! The error hunt: each writing call in turn fails, or the disk is full from there on. The engine stops writing, and
//! whether the process restarts or the machine crashes then, everything acknowledged is there.

use driftdb_core::Code;
use driftdb_tests::budget::{pick, seeds};
use driftdb_tests::check::{Depth, Finding, check};
use driftdb_tests::engine::{Settings, small};
use driftdb_tests::fault::{Effect, Fault, FaultStore, Survival, What};
use driftdb_tests::recovery::{describe, recover};
use driftdb_tests::session::{Script, Session, listing, script};
use driftdb_tests::workload::Mix;

#[derive(Default)]
struct Figures {
    faults: u64,
    noticed: u64,
    recoveries: u64,
    answers: u64,
}

fn hunt(seed: u64, script: &Script, settings: &Settings, figures: &mut Figures) {
    let calls = calls_of(script, settings);
    for at in 1..=calls {
        for what in faults(at) {
            let context = format!("seed {seed}, {what:?} at call {at}");
            let session = run_with(script, settings, Fault { at, what }, &context);
            figures.faults += 1;
            figures.noticed += u64::from(session.error.is_some());
            examine(session, script, settings, at, &context, figures);
        }
    }
}

fn faults(at: u64) -> Vec<What> {
    let all = [
        What::Error(Code::Io, Effect::None),
        What::Error(Code::Io, Effect::Half),
        What::Error(Code::Io, Effect::Whole),
        What::Full,
    ];
    let chosen = (at % 4) as usize;
    pick(all[chosen..=chosen].to_vec(), all.to_vec())
}

fn calls_of(script: &Script, settings: &Settings) -> u64 {
    let store = FaultStore::new();
    let mut session = Session::create(store.clone(), settings.clone());
    let finished = session
        .run(script)
        .unwrap_or_else(|what| panic!("without a fault:\n{}{what}", listing(script)));
    assert!(finished, "without a fault: {:?}", session.error);
    store.calls()
}

fn run_with(script: &Script, settings: &Settings, fault: Fault, context: &str) -> Session {
    let store = FaultStore::new();
    store.script(Some(fault));
    let mut session = Session::create(store, settings.clone());
    if let Err(what) = session.run(script) {
        panic!("{context}:\n{}{what}", listing(script));
    }
    session
}

fn examine(
    mut session: Session,
    script: &Script,
    settings: &Settings,
    seed: u64,
    context: &str,
    figures: &mut Figures,
) {
    let fail = |what: String| -> ! { panic!("{context}:\n{}{what}", listing(script)) };
    if let Some(engine) = &mut session.engine
        && session.error.is_some()
    {
        let calls = session.store.calls();
        let refused = engine.statement("UPSERT INTO orders {\"id\": \"late\"}", 0);
        let created = session.oracle.tables.contains_key("orders");
        if created && !matches!(&refused, Err(error) if error.code() == Code::Latched) {
            fail(format!(
                "a write after the failure ({:?}) answered {refused:?}",
                session.error
            ));
        }
        if session.store.calls() != calls {
            fail(format!(
                "the latched engine has written: {:?}",
                session.store.trace().last()
            ));
        }
        // What was not acknowledged may be shown or not; what was must be.
        let acknowledged = check(engine, &session.oracle, Depth::Some(1), seed);
        let with_flight = || {
            session
                .in_flight
                .as_ref()
                .map(|oracle| Box::new(oracle.clone()))
        };
        if let Err(Finding::Wrong(wrong)) = acknowledged {
            let other =
                with_flight().and_then(|oracle| check(engine, &oracle, Depth::Some(1), seed).err());
            if let Some(other) = other {
                fail(format!(
                    "reading after the failure: {wrong}\nand {}",
                    describe(&other)
                ));
            }
        }
    }
    let first = session.store.failed_call();
    let after = session.store.writes_after_failure();
    if first.as_ref().is_some_and(|call| call.kind.latches()) && !after.is_empty() {
        fail(format!(
            "after the failure of {first:?} there came {after:?}"
        ));
    }
    session.engine = None;
    session.store.script(None);
    let live = session.store.copy();
    let crashes = [Survival::Dropped, Survival::Kept, Survival::Mixed(seed)];
    let stores = std::iter::once(live).chain(crashes.map(|survival| session.store.crash(survival)));
    for (number, store) in stores.enumerate() {
        let recovered = recover(
            &store,
            settings,
            &session.oracle,
            session.in_flight.as_ref(),
            Depth::Some(2),
            seed,
        );
        figures.answers += recovered.unwrap_or_else(|what| {
            fail(format!(
                "after {:?}, store {number} (0: restart, 1 to 3: crash): {what}",
                session.error
            ))
        });
        figures.recoveries += 1;
    }
}

#[test]
fn every_call_fails_once() {
    let mut figures = Figures::default();
    for seed in seeds(2, 30) {
        let mix = Mix {
            snapshot: 6,
            maintain: 10,
            compact: 5,
            ..Mix::default()
        };
        hunt(seed, &script(seed, mix, 36), &small(), &mut figures);
    }
    println!(
        "error hunt: {} faults, {} noticed by a statement, {} recoveries, {} answers compared",
        figures.faults, figures.noticed, figures.recoveries, figures.answers
    );
    assert!(figures.noticed > 0);
}

#[test]
fn every_read_fails_once() {
    let (mut cases, mut answers) = (0, 0);
    for seed in seeds(1, 20) {
        let small = driftdb_tests::small::database(seed, 40);
        let mut at = 1;
        loop {
            let store = FaultStore::from_files(small.files.clone());
            store.fail_read_in(Some(at));
            let mut engine = match driftdb_tests::engine::Engine::open(&store, &small.settings) {
                Ok(engine) => engine,
                Err(error) => {
                    assert_eq!(error.code(), Code::Io, "{error:?}");
                    at += 1;
                    cases += 1;
                    continue;
                }
            };
            let first = check(&mut engine, &small.oracle, Depth::Some(2), seed);
            if let Err(Finding::Wrong(wrong)) = &first {
                panic!("seed {seed}, read {at} fails: {wrong}");
            }
            let missed = store.reads() < at;
            store.fail_read_in(None);
            let again = check(&mut engine, &small.oracle, Depth::Some(2), seed);
            answers += again.unwrap_or_else(|finding| {
                panic!(
                    "seed {seed}, after read {at} failed: {}",
                    describe(&finding)
                )
            });
            if missed {
                break;
            }
            cases += 1;
            at += 1;
        }
    }
    println!("error hunt, reads: {cases} failed reads, {answers} answers compared");
    assert!(cases > 0);
}
