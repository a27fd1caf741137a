//! The verdict on the end of a log: torn or corrupt.

use super::*;
use crate::error::{Code, Place};

const SEGMENT: &str = "tables/t/segments/00000001.seg";

/// A log of synced single commits 1..=5 and, behind them, what one more append holds: its bytes, where it starts, and its store.
fn with_last(last: &[Event]) -> (MemoryStore, Vec<u8>, usize) {
    let home = Home::new(MemoryStore::new());
    let mut log = Home::create(&home);
    log.append(&frames(&singles(1..=5))).unwrap();
    let start = usize::try_from(log.end().offset).unwrap();
    log.append(&frames(last)).unwrap();
    let bytes = bytes(&home.store, SEGMENT);
    (home.store.copy(), bytes, start)
}

fn transaction() -> Vec<Event> {
    alloc::vec![event(6, true), event(7, true), event(8, false)]
}

/// Opens for writing twice: what is there and how much was cut; the second time nothing may be cut.
fn recover(store: &MemoryStore) -> (Vec<Event>, u64) {
    let home = Home::new(store.copy());
    let (mut log, recovery) = home.open(&LogHints::default()).unwrap();
    let found = events(&log).unwrap();
    let (again, second) = reopen(&home.store, &LogHints::default()).unwrap();
    assert_eq!(
        (events(&again).unwrap(), second.torn_bytes),
        (found.clone(), 0)
    );
    // The log goes on where it was cut.
    log.append(&frames(&[event(100, false)])).unwrap();
    let (again, _) = reopen(&home.store, &LogHints::default()).unwrap();
    assert_eq!(again.last().0, Seq(100));
    (found, recovery.torn_bytes)
}

#[test]
fn every_cut_of_the_last_append_drops_it_whole() {
    let (store, whole, start) = with_last(&transaction());
    for cut in start..=whole.len() {
        for zeros in [0, 1, 5, 200] {
            let mut damaged = whole[..cut].to_vec();
            damaged.resize(cut + zeros, 0);
            store.put(SEGMENT, &damaged);
            let reader = open_reader(&store, &LogHints::default()).unwrap();
            assert_eq!(bytes(&store, SEGMENT), damaged, "a reader changes nothing");
            let (found, torn) = recover(&store);
            let all = cut == whole.len();
            assert_eq!(found.len(), if all { 8 } else { 5 }, "{cut} {zeros}");
            assert_eq!(events(&reader).unwrap(), found);
            assert_eq!(
                torn > 0,
                !all && damaged[start..].iter().any(|byte| *byte != 0),
                "{cut} {zeros}"
            );
        }
    }
}

#[test]
fn every_part_of_the_last_append_may_be_missing() {
    let (store, whole, start) = with_last(&transaction());
    for from in start..whole.len() {
        for until in from + 1..=whole.len() {
            let mut damaged = whole.clone();
            damaged[from..until].fill(0);
            let same = damaged == whole;
            store.put(SEGMENT, &damaged);
            let (log, _) = reopen(&store, &LogHints::default()).unwrap();
            assert_eq!(
                events(&log).unwrap().len(),
                if same { 8 } else { 5 },
                "{from}..{until}"
            );
        }
    }
}

#[test]
fn one_transaction_end_behind_a_bad_frame_is_torn_and_two_are_corrupt() {
    let (store, whole, start) = with_last(&[event(6, false), event(7, false), event(8, false)]);
    let first = 8 + usize::try_from(u32::from_le_bytes(
        whole[start..start + 4].try_into().unwrap(),
    ))
    .unwrap();
    // Event 6 is damaged, 7 and 8 are whole.
    let mut damaged = whole.clone();
    damaged[start + 12] ^= 1;
    store.put(SEGMENT, &damaged);
    for error in [
        reopen(&store, &LogHints::default()).err(),
        open_reader(&store, &LogHints::default()).err(),
    ] {
        let error = error.unwrap();
        assert_eq!(error.code(), Code::Corrupt);
        assert_eq!(
            *error.place(),
            Place::File {
                path: SEGMENT.into(),
                offset: Some(start as u64)
            }
        );
    }
    assert_eq!(bytes(&store, SEGMENT), damaged, "nothing is changed");
    // Event 7 is damaged, 8 is whole.
    let mut damaged = whole.clone();
    damaged[start + first + 12] ^= 1;
    store.put(SEGMENT, &damaged);
    let (log, recovery) = reopen(&store, &LogHints::default()).unwrap();
    assert_eq!(
        (events(&log).unwrap().len(), recovery.torn_bytes > 0),
        (6, true)
    );
    assert_eq!(recovery.torn_bytes, (whole.len() - start - first) as u64);
}

#[test]
fn a_damaged_length_does_not_hide_what_follows() {
    let (store, whole, start) = with_last(&singles(6..=9));
    for length in [0u32, 1, 12, 13, 14, 1000, 1 << 20, u32::MAX] {
        let mut damaged = whole.clone();
        damaged[start..start + 4].copy_from_slice(&length.to_le_bytes());
        store.put(SEGMENT, &damaged);
        assert_eq!(
            reopen(&store, &LogHints::default()).err().unwrap().code(),
            Code::Corrupt,
            "{length}"
        );
    }
}

#[test]
fn a_frame_that_ends_with_zeros_is_seen_behind_a_bad_one() {
    // The last byte of an empty text's length is zero, and zeros follow: the frame is whole all the same.
    let mut last = singles(6..=8);
    for event in &mut last {
        event.op = Op::Insert;
        event.text = String::from("\0");
    }
    let (store, whole, start) = with_last(&last);
    assert_eq!(whole.last(), Some(&0));
    let mut damaged = whole;
    damaged[start + 10] ^= 1;
    store.put(SEGMENT, &damaged);
    assert_eq!(
        reopen(&store, &LogHints::default()).err().unwrap().code(),
        Code::Corrupt
    );
}

#[test]
fn seqs_that_do_not_rise_end_the_log() {
    for (seq, time) in [(5, 2000), (4, 2000), (6, 1)] {
        let home = Home::new(MemoryStore::new());
        let mut log = home.create();
        log.append(&frames(&singles(1..=5))).unwrap();
        let end = usize::try_from(log.end().offset).unwrap();
        let mut stray = event(seq, false);
        stray.time = time;
        let mut damaged = bytes(&home.store, SEGMENT);
        damaged.truncate(end);
        damaged.extend_from_slice(frames(&[stray]).as_bytes());
        home.store.put(SEGMENT, &damaged);
        let (log, recovery) = reopen(&home.store, &LogHints::default()).unwrap();
        assert_eq!(
            (events(&log).unwrap().len(), recovery.torn_bytes > 0),
            (5, true)
        );
    }
}

#[test]
fn damage_below_a_recorded_end_is_never_torn() {
    let (store, whole, start) = with_last(&[event(6, false)]);
    let (log, _) = reopen(&store, &LogHints::default()).unwrap();
    let hints = log.hints(None);
    for at in start..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        store.put(SEGMENT, &damaged);
        assert_eq!(reopen(&store, &hints).err().unwrap().code(), Code::Corrupt);
        store.put(SEGMENT, &whole[..at]);
        assert_eq!(
            reopen(&store, &hints).err().unwrap().code(),
            Code::Corrupt,
            "cut at {at}"
        );
        assert!(reopen(&store, &LogHints::default()).is_ok());
    }
}

#[test]
fn relaxed_commits_end_at_the_first_bad_frame() {
    let (store, whole, start) = with_last(&singles(6..=12));
    let mut damaged = whole;
    damaged[start + 9] ^= 1;
    store.put(SEGMENT, &damaged);
    let relaxed = |offset| LogHints {
        segments: Vec::from([root_info()]),
        relaxed_from: Some(Position::new(1, offset)),
        ..LogHints::default()
    };
    let (log, recovery) = reopen(&store, &relaxed(start as u64)).unwrap();
    assert_eq!(
        (events(&log).unwrap().len(), recovery.torn_bytes > 0),
        (5, true)
    );
    assert_eq!(
        reopen(&store, &relaxed(start as u64 + 1))
            .err()
            .unwrap()
            .code(),
        Code::Corrupt
    );
}

fn root_info() -> SegmentInfo {
    SegmentInfo {
        number: 1,
        end: 0,
        first: None,
        last: None,
    }
}

#[test]
fn a_reader_calls_nothing_corrupt_while_a_writer_is_open() {
    let (store, whole, start) = with_last(&singles(6..=12));
    let mut damaged = whole.clone();
    damaged[start + 9] ^= 1;
    store.put(SEGMENT, &damaged);
    let lock = store.lock().unwrap();
    let mut log = open_reader(&store, &LogHints::default()).unwrap();
    assert_eq!(events(&log).unwrap().len(), 5);
    store.put(SEGMENT, &whole);
    assert_eq!(
        log.refresh(&[]).unwrap(),
        Refreshed::Grown(Position::new(1, start as u64))
    );
    assert_eq!(events(&log).unwrap().len(), 12);
    store.put(SEGMENT, &damaged);
    assert_eq!(
        open_reader(&store, &log.hints(Some(log.checkpoint())))
            .err()
            .map(|error| error.code()),
        None
    );
    drop(lock);
    assert_eq!(
        open_reader(&store, &LogHints::default())
            .err()
            .unwrap()
            .code(),
        Code::Corrupt
    );
}
