//! The model test: random statements over several tables against the oracle, reopened after every few steps.

use driftdb_tests::budget::{pick, seeds};
use driftdb_tests::check::{Depth, check};
use driftdb_tests::engine::{Settings, small};
use driftdb_tests::fault::FaultStore;
use driftdb_tests::oracle::{Op, Oracle};
use driftdb_tests::recovery::describe;
use driftdb_tests::session::{Script, Session, listing};
use driftdb_tests::workload::{Mix, Workload, creates};

/// Runs one seed, comparing samples after every step and everything at the end.
fn run(seed: u64, mix: Mix, settings: &Settings, steps: usize) -> (u64, u64) {
    let mut workload = Workload::new(seed, mix);
    let mut session = Session::create(FaultStore::new(), settings.clone());
    let mut script = Script::new();
    let mut answers = 0;
    for step in 0..steps {
        let op = creates()
            .into_iter()
            .nth(step)
            .unwrap_or_else(|| workload.next(&session.oracle));
        let clock = workload.tick();
        script.push((op.clone(), clock));
        if let Err(what) = session.step(&op, clock) {
            panic!("seed {seed}:\n{}{what}", listing(&script));
        }
        let depth = match op {
            Op::Reopen | Op::Compact { .. } => Depth::Some(4),
            _ => Depth::Head,
        };
        answers += compare(&mut session, depth, seed ^ step as u64, &script);
    }
    let _ = session.step(&Op::Reopen, 0);
    answers += compare(&mut session, Depth::All, seed, &script);
    (session.oracle.seq, answers)
}

fn compare(session: &mut Session, depth: Depth, seed: u64, script: &Script) -> u64 {
    let Some(engine) = &mut session.engine else {
        panic!("no database: {:?}", session.error)
    };
    let oracle: &Oracle = &session.oracle;
    check(engine, oracle, depth, seed)
        .unwrap_or_else(|finding| panic!("seed {seed}:\n{}{}", listing(script), describe(&finding)))
}

fn run_seeds(name: &str, seeds: Vec<u64>, mix: Mix, settings: &Settings, steps: usize) {
    let (mut events, mut answers, runs) = (0, 0, seeds.len());
    for seed in seeds {
        let (new_events, new_answers) = run(seed, mix, settings, steps);
        events += new_events;
        answers += new_answers;
    }
    println!("model test, {name}: {runs} runs, {events} events, {answers} answers compared");
    assert!(events > 0 && answers > 0);
}

#[test]
fn everything_small() {
    run_seeds(
        "everything small",
        seeds(6, 300),
        Mix::default(),
        &small(),
        150,
    );
}

#[test]
fn large_rows_and_many_segments() {
    let mix = Mix {
        filler: 1500,
        keys: 30,
        ..Mix::default()
    };
    run_seeds("large rows", seeds(3, 100), mix, &small(), 150);
}

#[test]
fn few_keys_with_long_histories() {
    let mix = Mix {
        keys: 2,
        single: 90,
        careless: 5,
        ..Mix::default()
    };
    run_seeds("long histories", seeds(3, 100), mix, &small(), 250);
}

#[test]
fn one_event_a_run() {
    let settings = Settings {
        memtable_events: 1,
        snapshot_events: 3,
        segment_bytes: 300,
        ..small()
    };
    run_seeds(
        "one event a run",
        seeds(3, 100),
        Mix::default(),
        &settings,
        100,
    );
}

/// Transactions leave memory after two or three events, so that their frames go on in the log for a long time.
#[test]
fn spilled_transactions() {
    let settings = Settings {
        transaction_bytes: 1_200,
        ..small()
    };
    let mix = Mix {
        transaction: 60,
        bulk: 10,
        ..Mix::default()
    };
    run_seeds("spilled", seeds(4, 200), mix, &settings, 100);
}

#[test]
fn default_options() {
    run_seeds(
        "default options",
        seeds(2, 50),
        Mix::default(),
        &Settings::default(),
        pick(150, 600),
    );
}
