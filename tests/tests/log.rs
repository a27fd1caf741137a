//! The crash and error hunts of the log alone: appends, rotation, compaction, reopening, and the journal over two logs.

use std::rc::Rc;

use driftdb_core::log::{
    Compaction, EventRef, Frames, Horizon, Journal, Log, LogHints, LogOptions, Mode, Op, Part,
};
use driftdb_core::storage::{Latch, Store};
use driftdb_core::time::{Seq, Timestamp};
use driftdb_core::value::{Key, Object, Raw, msgpack};
use driftdb_core::{Code, Result};
use driftdb_tests::budget::{pick, seeds};
use driftdb_tests::fault::{Effect, Fault, FaultStore, Survival, What};
use driftdb_tests::random::Random;

const DIRS: [&str; 2] = ["tables/a", "tables/b"];
const OPTIONS: LogOptions = LogOptions {
    segment_bytes: 700,
    reserve_bytes: 2048,
};

/// An event: its table, seq, and text.
type Event = (usize, u64, String);

/// Two logs and their journal, open for writing.
struct Home {
    logs: Vec<Log>,
    journal: Journal,
    seq: u64,
}

/// What was acknowledged, and what else there may be.
#[derive(Default)]
struct Known {
    /// Of compacted logs the events that were kept.
    events: Vec<Event>,
    flight: Vec<Event>,
    created: bool,
}

fn open(store: &FaultStore, created: bool) -> Result<Home> {
    let shared: Rc<dyn Store> = Rc::new(store.clone());
    let latch = Rc::new(Latch::new(store.lock()?));
    let mode = Mode::Write(Rc::clone(&latch));
    let (mut journal, records) = Journal::open(Rc::clone(&shared), mode.clone())?;
    let parts: Vec<Part> = records
        .into_iter()
        .flat_map(|record| record.parts)
        .collect();
    let mut logs = Vec::new();
    for dir in DIRS {
        let parts: Vec<Part> = parts
            .iter()
            .filter(|part| part.dir == dir)
            .cloned()
            .collect();
        let missing = store.list(&format!("{dir}/segments"))?.is_empty();
        logs.push(match missing && !created {
            true => Log::create(Rc::clone(&shared), dir, Rc::clone(&latch), OPTIONS)?,
            false => {
                let hints = LogHints::default();
                let opened = Log::open(
                    Rc::clone(&shared),
                    dir,
                    mode.clone(),
                    OPTIONS,
                    &hints,
                    &parts,
                );
                match opened {
                    Err(error) if !created && error.code() == Code::Corrupt => {
                        // A log whose creation was stopped: the table layer makes it again.
                        for name in store.list(&format!("{dir}/segments"))? {
                            store.remove(&format!("{dir}/segments/{name}"))?;
                        }
                        Log::create(Rc::clone(&shared), dir, Rc::clone(&latch), OPTIONS)?
                    }
                    opened => opened?.0,
                }
            }
        });
    }
    journal.retire()?;
    let seq = logs.iter().map(|log| log.last().0.0).max().unwrap_or(0);
    Ok(Home { logs, journal, seq })
}

fn frames(events: &[Event]) -> Frames {
    let mut frames = Frames::new();
    for (index, (_, seq, text)) in events.iter().enumerate() {
        let (mut key, mut body) = (Vec::new(), Vec::new());
        Key::Int(1).encode_msgpack(&mut key);
        let mut object = Object::new();
        object.insert("text", text.as_str());
        msgpack::encode_object(&object, &mut body);
        let event = EventRef {
            seq: Seq(*seq),
            time: Timestamp(1000),
            op: Op::Insert,
            more: index + 1 < events.len(),
            key: Raw::new(&key).unwrap(),
            body: Raw::new(&body),
            meta: None,
        };
        frames.push(&event).unwrap();
    }
    frames
}

fn events(home: &Home) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for (table, log) in home.logs.iter().enumerate() {
        let reader = log.reader();
        let mut cursor = reader.cursor(reader.start(), reader.end());
        while let Some((_, event)) = cursor.next_event()? {
            let body = event
                .body
                .and_then(|body| body.object()?.get("text"))
                .unwrap();
            events.push((
                table,
                event.seq.0,
                body.view().as_str().unwrap().to_string(),
            ));
        }
    }
    events.sort();
    Ok(events)
}

/// One step of a run; what it writes is in flight until it returns.
fn step(home: &mut Home, store: &FaultStore, known: &mut Known, random: &mut Random) -> Result<()> {
    let kind = random.below(20);
    let table = random.index(2);
    match kind {
        0..=9 => single(home, known, random, table)?,
        10..=15 => both(home, known, random)?,
        16..=17 => compact(home, known, table)?,
        _ => reopen(home, store)?,
    }
    known.events.append(&mut known.flight);
    known.events.sort();
    Ok(())
}

fn new_events(
    home: &Home,
    random: &mut Random,
    table: impl Fn(u64) -> usize,
    count: u64,
) -> Vec<Event> {
    let text = |random: &mut Random| "x".repeat(random.index(200));
    (0..count)
        .map(|index| (table(index), home.seq + 1 + index, text(random)))
        .collect()
}

fn single(home: &mut Home, known: &mut Known, random: &mut Random, table: usize) -> Result<()> {
    let count = 1 + random.below(3);
    known.flight = new_events(home, random, |_| table, count);
    make_room(home, table)?;
    home.logs[table].append(&frames(&known.flight))?;
    home.logs[table].sync()?;
    home.seq += count;
    Ok(())
}

/// A transaction over both tables.
fn both(home: &mut Home, known: &mut Known, random: &mut Random) -> Result<()> {
    let count = 2 + random.below(4);
    known.flight = new_events(home, random, |index| (index % 2) as usize, count);
    make_room(home, 0)?;
    make_room(home, 1)?;
    let of = |table| {
        known
            .flight
            .iter()
            .filter(|event| event.0 == table)
            .cloned()
            .collect::<Vec<_>>()
    };
    let parts = [frames(&of(0)), frames(&of(1))];
    let places = parts.iter().enumerate().map(|(table, frames)| {
        let log = &home.logs[table];
        (DIRS[table], log.generation(), log.end(), frames.as_bytes())
    });
    home.journal
        .append(Seq(home.seq + 1), places.collect::<Vec<_>>().into_iter())?;
    home.journal.sync()?;
    for (log, frames) in home.logs.iter_mut().zip(&parts) {
        log.append(frames)?;
    }
    home.seq += count;
    Ok(())
}

fn retire(home: &mut Home) -> Result<()> {
    for log in &mut home.logs {
        log.sync()?;
    }
    home.journal.retire()
}

fn make_room(home: &mut Home, table: usize) -> Result<()> {
    if home.logs[table].rotation_due() {
        retire(home)?;
        home.logs[table].rotate()?;
    }
    Ok(())
}

/// Rewrites all events of a log: nothing is lost, so that before and after look the same.
fn compact(home: &mut Home, known: &Known, table: usize) -> Result<()> {
    retire(home)?;
    let log = &mut home.logs[table];
    let mut compaction = Compaction::begin(log)?;
    for event in known.events.iter().filter(|event| event.0 == table) {
        compaction.append(&frames(std::slice::from_ref(event)))?;
    }
    let horizon = Horizon {
        seq: Seq(1),
        time: Timestamp(1000),
    };
    compaction.finish(log, horizon)
}

fn reopen(home: &mut Home, store: &FaultStore) -> Result<()> {
    retire(home)?;
    for log in &mut home.logs {
        log.trim()?;
    }
    home.logs.clear();
    let shared: Rc<dyn Store> = Rc::new(store.clone());
    home.journal = Journal::open(shared, Mode::Read)?.0;
    *home = open(store, true)?;
    Ok(())
}

/// Runs until the fault or the end.
fn run(store: &FaultStore, seed: u64, steps: usize) -> Known {
    let mut known = Known::default();
    let mut random = Random::new(seed);
    let Ok(mut home) = open(store, false) else {
        return known;
    };
    known.created = true;
    for _ in 0..steps {
        if let Err(error) = step(&mut home, store, &mut known, &mut random) {
            assert!(store.has_failed(), "an error without a fault: {error:?}");
            return known;
        }
    }
    known
}

/// Opens what a crash left and compares; then writes, crashes and opens again.
fn recover(store: &FaultStore, known: &Known, seed: u64) -> Result<(), String> {
    let mut home = open(store, known.created).map_err(|error| format!("opening: {error:?}"))?;
    let found = events(&home).map_err(|error| format!("reading: {error:?}"))?;
    let mut other = known.events.clone();
    other.extend(known.flight.iter().cloned());
    other.sort();
    if found != known.events && found != other {
        return Err(format!(
            "found {found:?}\nknown {:?}\nflight {:?}",
            known.events, known.flight
        ));
    }
    let mut known = Known {
        events: found,
        flight: Vec::new(),
        created: true,
    };
    let mut random = Random::new(seed);
    for _ in 0..5 {
        step(&mut home, store, &mut known, &mut random)
            .map_err(|error| format!("going on: {error:?}"))?;
    }
    let crashed = store.crash(Survival::Mixed(seed));
    let home = open(&crashed, true).map_err(|error| format!("opening again: {error:?}"))?;
    let found = events(&home).map_err(|error| format!("reading again: {error:?}"))?;
    if found != known.events {
        return Err(format!(
            "found then {found:?}\nknown then {:?}",
            known.events
        ));
    }
    Ok(())
}

fn hunt(name: &str, whats: &[What], steps: usize) {
    let (mut faults, mut recoveries) = (0, 0);
    for seed in seeds(4, 60) {
        let store = FaultStore::new();
        run(&store, seed, steps);
        for at in 1..=store.calls() {
            for what in whats {
                let store = FaultStore::new();
                store.script(Some(Fault { at, what: *what }));
                let known = run(&store, seed, steps);
                faults += 1;
                let call = store.failed_call();
                for round in 0..pick(1, 6) {
                    let mixed = seed ^ (at << 16) ^ (round << 48);
                    for survival in [
                        Survival::Dropped,
                        Survival::Kept,
                        Survival::Torn(mixed),
                        Survival::Sectors(mixed),
                        Survival::Mixed(mixed),
                    ] {
                        if let Err(wrong) = recover(&store.crash(survival), &known, mixed) {
                            panic!(
                                "seed {seed}, {what:?} at call {at} ({call:?}), {survival:?}: {wrong}"
                            );
                        }
                        recoveries += 1;
                    }
                }
            }
        }
    }
    println!("log hunt, {name}: {faults} faults, {recoveries} recoveries");
    assert!(recoveries > 0);
}

#[test]
fn a_stop_at_every_call() {
    hunt("stops", &[What::Stop], 25);
}

#[test]
fn an_error_at_every_call() {
    let errors =
        [Effect::None, Effect::Half, Effect::Whole].map(|effect| What::Error(Code::Io, effect));
    hunt("errors", &errors, 15);
}

/// Without hints a flipped bit is corruption, or it is in the last transaction and torn; never anything else.
#[test]
fn a_bit_flipped_anywhere() {
    let (mut cases, mut refused, mut torn) = (0, 0, 0);
    for seed in seeds(2, 20) {
        let store = FaultStore::new();
        let known = run(&store, seed, 20);
        let mut random = Random::new(seed);
        let files = store.crash(Survival::Kept).files();
        let table_of = |path: &str| usize::from(path.starts_with(DIRS[1]));
        for (path, bytes) in &files {
            let used = bytes
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |last| last + 1);
            for offset in 0..used {
                let mut files = files.clone();
                files.get_mut(path).unwrap()[offset] ^= 1 << random.below(8);
                cases += 1;
                let damaged = FaultStore::from_files(files);
                let found = match open(&damaged, true).and_then(|home| events(&home)) {
                    Ok(found) => found,
                    Err(error) => {
                        assert_eq!(
                            error.code(),
                            Code::Corrupt,
                            "{path}, byte {offset}: {error:?}"
                        );
                        refused += 1;
                        continue;
                    }
                };
                if found != known.events {
                    // Of the damaged log at most the last transaction may be gone; with the frame that ends the one before it damaged, that one, too:
                    // one end is left then, as of a transaction that is torn. Each has at most three events in a log.
                    let in_log = known
                        .events
                        .iter()
                        .filter(|event| event.0 == table_of(path));
                    let kept = in_log
                        .clone()
                        .take_while(|event| found.contains(event))
                        .count();
                    let others = |events: &[Event]| {
                        events
                            .iter()
                            .filter(|event| event.0 != table_of(path))
                            .count()
                    };
                    assert!(
                        in_log.count() <= kept + 6
                            && found.iter().all(|event| known.events.contains(event))
                            && others(&found) == others(&known.events),
                        "seed {seed}, {path}, byte {offset}: only {kept} events are left"
                    );
                    torn += 1;
                }
            }
        }
    }
    println!("log hunt, flips: {cases} cases, {refused} refused, {torn} taken for torn");
    assert!(refused > 0 && torn > 0);
}
