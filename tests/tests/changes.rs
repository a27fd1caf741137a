//! What came after a seq, transaction by transaction, and the timeline's counts against a count by hand.

use driftdb_core::Code;
use driftdb_core::db::eventline::Line;
use driftdb_core::db::{Axis, Dump, Step};
use driftdb_core::time::Seq;
use driftdb_tests::engine::{Engine, small};
use driftdb_tests::fault::FaultStore;

/// Each event as (seq, table, whether the next belongs to it).
fn events(mut dump: Dump) -> Vec<(u64, String, bool)> {
    let mut events = Vec::new();
    loop {
        match dump.step().unwrap() {
            Step::Item(Line::Event(event)) => {
                events.push((event.seq.unwrap().0, event.table, event.more));
            }
            Step::Item(_) | Step::Pause => {}
            Step::Done => return events,
        }
    }
}

fn engine(store: &FaultStore) -> Engine {
    Engine::create(store, 0).unwrap();
    let mut engine = Engine::open(store, &small()).unwrap();
    engine
        .run(
            "CREATE TABLE a (pk=id, INDEX(n)); CREATE TABLE b (pk=id)",
            0,
        )
        .unwrap();
    engine
}

#[test]
fn a_transaction_over_several_tables_is_one_also_when_the_journal_is_gone() {
    let store = FaultStore::new();
    let mut engine = engine(&store);
    engine
        .run(
            r#"INSERT INTO a {"id": 1};
               BEGIN; INSERT INTO b {"id": 2}; INSERT INTO a {"id": 2}; COMMIT;
               BEGIN; INSERT INTO b {"id": 4}; COMMIT;
               INSERT INTO a {"id": 5}; INSERT INTO b {"id": 6};
               BEGIN; INSERT INTO a {"id": 7}, {"id": 8}; INSERT INTO b {"id": 9}, {"id": 10}; UPSERT INTO a {"id": 7}; COMMIT;
               INSERT INTO b {"id": 12}"#,
            5,
        )
        .unwrap();
    let expected: Vec<bool> = [0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0]
        .map(|more| more == 1)
        .into();
    let more = |engine: &mut Engine| -> Vec<bool> {
        let dump = engine.db.dump().unwrap();
        events(dump).into_iter().map(|(_, _, more)| more).collect()
    };
    assert_eq!(more(&mut engine), expected);
    engine.close().unwrap();
    let mut engine = Engine::open(&store, &small()).unwrap();
    assert_eq!(more(&mut engine), expected);
}

#[test]
fn changes_after_each_seq_are_the_end_of_the_whole_history() {
    let store = FaultStore::new();
    let mut engine = engine(&store);
    for id in 0..120 {
        let text = match id % 4 {
            0 => format!(
                r#"BEGIN; UPSERT INTO a {{"id": {id}}}; UPSERT INTO b {{"id": {id}}}; COMMIT"#
            ),
            1 => format!(r#"UPSERT INTO b {{"id": {}, "n": {id}}}"#, id % 7),
            _ => format!(r#"UPSERT INTO a {{"id": {}, "n": {id}}}"#, id % 5),
        };
        engine.run(&text, id * 10).unwrap();
    }
    let dump = engine.db.dump().unwrap();
    let all = events(dump);
    let head = all.last().unwrap().0;
    let mut reader = Engine::open_reader(&store, &small()).unwrap();
    for after in 0..=head + 1 {
        let expected: Vec<_> = all
            .iter()
            .filter(|(seq, ..)| *seq > after)
            .cloned()
            .collect();
        let changes = engine.db.changes(Seq(after)).unwrap();
        assert_eq!(changes.upto(), Seq(head));
        assert_eq!(events(changes), expected, "after {after}");
        assert_eq!(events(reader.db.changes(Seq(after)).unwrap()), expected);
    }
}

#[test]
fn changes_before_a_horizon_are_an_error() {
    let store = FaultStore::new();
    let mut engine = engine(&store);
    engine
        .run(r#"INSERT INTO a {"id": 1}; PATCH a KEY 1 SET {"n": 1}; COMPACT a; INSERT INTO b {"id": 1}"#, 0)
        .unwrap();
    let error = engine.db.changes(Seq(1)).err().unwrap();
    assert_eq!(error.code(), Code::BeforeHorizon);
    let changes = engine.db.changes(Seq(2)).unwrap();
    assert_eq!(events(changes), [(3, "b".into(), false)]);
}

#[test]
fn the_timeline_counts_every_event_once() {
    let store = FaultStore::new();
    let mut engine = engine(&store);
    for id in 0..700_u64 {
        let table = if id % 3 == 0 { "b" } else { "a" };
        let pad = "x".repeat(400);
        engine
            .run(
                &format!(
                    r#"UPSERT INTO {table} {{"id": {}, "pad": "{pad}"}}"#,
                    id % 50
                ),
                1 + id * id,
            )
            .unwrap();
    }
    let mut reader = Engine::open_reader(&store, &small()).unwrap();
    let mut dump = engine.db.dump().unwrap();
    let mut all = Vec::new();
    while let Some(line) = driftdb_core::db::drive(|| dump.step()).unwrap() {
        if let Line::Event(event) = line {
            all.push((event.table, event.seq.unwrap().0, event.time.unwrap().0));
        }
    }
    for (axis, buckets) in [
        (Axis::Seq, 1),
        (Axis::Seq, 7),
        (Axis::Seq, 699),
        (Axis::Seq, 1_500),
        (Axis::Time, 1),
        (Axis::Time, 13),
        (Axis::Time, 500),
    ] {
        for db in [&mut engine.db, &mut reader.db] {
            let timeline = db.timeline(axis, buckets).unwrap();
            assert_eq!(timeline.ends.len(), buckets);
            for (table, counts) in &timeline.tables {
                let mut start = timeline.start;
                for (end, count) in timeline.ends.iter().zip(counts) {
                    let expected = all.iter().filter(|(of, seq, time)| {
                        let at = if axis == Axis::Seq { *seq } else { *time };
                        of == table && at <= *end && at > start
                    });
                    assert_eq!(
                        *count,
                        expected.count() as u64,
                        "{axis:?} {buckets} {table} up to {end}"
                    );
                    start = *end;
                }
            }
            let total: u64 = timeline.tables.iter().flat_map(|(_, counts)| counts).sum();
            assert_eq!(total, 700);
        }
    }
    assert_eq!(
        engine.db.timeline(Axis::Seq, 0).unwrap_err().code(),
        Code::OutOfRange
    );
}
