//! Rotation, transactions over several segments, compaction: stopped at every step.

use super::steps::Steps;
use super::*;
use crate::error::Code;

fn create(steps: &Steps) -> Log {
    let latch = Rc::new(Latch::new(steps.lock().unwrap()));
    Log::create(Rc::new(steps.clone()), DIR, latch, SMALL).unwrap()
}

/// What a writer finds after a crash, twice, and a reader too.
fn found(store: &MemoryStore, hints: &LogHints) -> Vec<Event> {
    let reader = events(&open_reader(store, hints).unwrap()).unwrap();
    let home = Home::new(store.copy());
    let (log, _) = home.open(hints).unwrap();
    let found = events(&log).unwrap();
    assert_eq!(reader, found);
    drop(log);
    let (again, recovery) = reopen(&home.store, hints).unwrap();
    assert_eq!((recovery.torn_bytes, recovery.removed), (0, Vec::new()));
    assert_eq!(events(&again).unwrap(), found);
    found
}

#[test]
fn a_rotation_stopped_at_any_step_loses_nothing() {
    let steps = Steps::default();
    let mut log = create(&steps);
    let all = singles(1..=12);
    log.append(&frames(&all)).unwrap();
    let hints = log.hints(Some(log.checkpoint()));
    steps.take();
    assert!(log.rotation_due());
    log.rotate().unwrap();
    let copies = steps.take();
    assert!(copies.len() >= 3);
    for copy in &copies {
        assert_eq!(found(copy, &LogHints::default()), all);
        assert_eq!(found(copy, &hints), all);
    }
    assert_eq!(
        (log.end(), log.whole()),
        (Position::new(2, HEADER_LEN), Position::new(2, HEADER_LEN))
    );
}

#[test]
fn a_transaction_over_several_segments_is_whole_or_not_there() {
    let steps = Steps::default();
    let mut log = create(&steps);
    let before = singles(1..=3);
    log.append(&frames(&before)).unwrap();
    let hints = log.hints(Some(log.checkpoint()));
    steps.take();
    let mut all = before.clone();
    for seq in 4..=60 {
        if log.rotation_due() {
            log.rotate().unwrap();
        }
        let event = event(seq, seq < 60);
        log.append(&frames(core::slice::from_ref(&event))).unwrap();
        all.push(event);
        let whole = seq == 60;
        assert_eq!(
            (log.is_open(), log.last().0),
            (!whole, Seq(if whole { 60 } else { 3 }))
        );
        let hints = log.hints(None);
        for copy in steps.take() {
            let seen = found(&copy, &LogHints::default());
            assert!(seen == before || (whole && seen == all), "{seq}");
        }
        assert_eq!(
            found(&steps_copy(&steps), &hints),
            if whole { all.clone() } else { before.clone() }
        );
    }
    assert!(log.segments().len() > 3);
    assert_eq!(found(&steps_copy(&steps), &hints), all);
    log.append(&frames(&[event(61, false)])).unwrap();
}

fn steps_copy(steps: &Steps) -> MemoryStore {
    let files = steps.list("tables/t/segments").unwrap();
    let store = MemoryStore::new();
    for name in files {
        let path = alloc::format!("tables/t/segments/{name}");
        store.put(&path, &steps.read(&path).unwrap().unwrap());
    }
    store
}

#[test]
fn a_transaction_given_up_is_cut_and_the_cut_may_be_stopped() {
    let steps = Steps::default();
    let mut log = create(&steps);
    let before = singles(1..=3);
    log.append(&frames(&before)).unwrap();
    for seq in 4..=60 {
        if log.rotation_due() {
            log.rotate().unwrap();
        }
        log.append(&frames(&[event(seq, true)])).unwrap();
    }
    assert!(log.end().segment > 3);
    steps.take();
    log.cut_open().unwrap();
    for copy in steps.take() {
        assert_eq!(found(&copy, &LogHints::default()), before);
    }
    assert_eq!((events(&log).unwrap(), log.end().segment), (before, 1));
    let more = singles(4..=30);
    for event in &more {
        if log.rotation_due() {
            log.rotate().unwrap();
        }
        log.append(&frames(core::slice::from_ref(event))).unwrap();
    }
    assert_eq!(
        found(&steps_copy(&steps), &LogHints::default()),
        events(&log).unwrap()
    );
    assert_eq!(events(&log).unwrap().len(), 30);
}

#[test]
fn a_compaction_stopped_at_any_step_is_all_or_nothing() {
    let steps = Steps::default();
    let mut log = create(&steps);
    let old = singles(1..=40);
    for event in &old {
        if log.rotation_due() {
            log.rotate().unwrap();
        }
        log.append(&frames(core::slice::from_ref(event))).unwrap();
    }
    let hints = log.hints(Some(log.checkpoint()));
    let old_segments = log.segments().len();
    steps.take();
    let mut compaction = Compaction::begin(&mut log).unwrap();
    assert_eq!(
        Compaction::begin(&mut log).err().unwrap().code(),
        Code::Unsupported
    );
    assert!(!log.rotation_due());
    let kept: Vec<Event> = old
        .iter()
        .filter(|event| event.seq % 2 == 0)
        .cloned()
        .collect();
    for event in &kept {
        compaction
            .append(&frames(core::slice::from_ref(event)))
            .unwrap();
    }
    // A commit while the compaction runs goes to the old log, and the caller copies it.
    let late = event(41, false);
    log.append(&frames(core::slice::from_ref(&late))).unwrap();
    compaction
        .append(&frames(core::slice::from_ref(&late)))
        .unwrap();
    let (old, kept) = (
        [old, Vec::from([late.clone()])].concat(),
        [kept, Vec::from([late])].concat(),
    );
    let reader = log.reader();
    let horizon = Horizon {
        seq: Seq(40),
        time: Timestamp(1013),
    };
    compaction.finish(&mut log, horizon).unwrap();
    let mut outcomes = (0, 0);
    for copy in steps.take() {
        for hints in [&hints, &LogHints::default()] {
            let seen = found(&copy, hints);
            match seen == kept {
                true => outcomes.1 += 1,
                false => outcomes.0 += 1,
            }
            assert!(seen == kept || seen == old || seen == old[..40], "{seen:?}");
        }
    }
    assert!(
        outcomes.0 > 10 && outcomes.1 >= old_segments * 2,
        "{outcomes:?}"
    );
    assert_eq!(
        (events(&log).unwrap(), log.horizon(), log.generation()),
        (kept.clone(), horizon, 1)
    );
    assert_eq!(
        segment_names(&steps),
        log.segments()
            .iter()
            .map(|info| alloc::format!("{:08}.seg", info.number))
            .collect::<Vec<_>>()
    );
    // A reader from before still reads the old files.
    let mut cursor = reader.cursor(reader.start(), reader.end());
    let mut count = 0;
    while cursor.next_event().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 41);
    // The new log goes on, is found by its own and by old hints, and can be compacted again.
    log.append(&frames(&[event(42, false)])).unwrap();
    let now = steps_copy(&steps);
    for hints in [
        log.hints(Some(log.checkpoint())),
        hints,
        LogHints::default(),
    ] {
        let (log, _) = reopen(&now, &hints).unwrap();
        assert_eq!(
            (events(&log).unwrap().len(), log.horizon()),
            (kept.len() + 1, horizon)
        );
    }
    let compaction = Compaction::begin(&mut log).unwrap();
    compaction.finish(&mut log, horizon).unwrap();
    assert_eq!((events(&log).unwrap(), log.generation()), (Vec::new(), 2));
    assert_eq!(found(&steps_copy(&steps), &LogHints::default()), []);
}

fn segment_names(steps: &Steps) -> Vec<String> {
    steps.list("tables/t/segments").unwrap()
}

#[test]
fn a_compaction_given_up_leaves_nothing() {
    let steps = Steps::default();
    let mut log = create(&steps);
    let all = singles(1..=10);
    log.append(&frames(&all)).unwrap();
    let mut compaction = Compaction::begin(&mut log).unwrap();
    for event in &all {
        compaction
            .append(&frames(core::slice::from_ref(event)))
            .unwrap();
    }
    steps.take();
    compaction.abort(&mut log).unwrap();
    for copy in steps.take() {
        assert_eq!(found(&copy, &LogHints::default()), all);
    }
    assert_eq!(segment_names(&steps), ["00000001.seg"]);
    assert!(log.rotation_due());
    log.rotate().unwrap();
}

#[test]
fn a_damaged_disowning_header_never_brings_back_half_the_old_log() {
    let steps = Steps::default();
    let mut log = create(&steps);
    let old = singles(1..=40);
    for event in &old {
        if log.rotation_due() {
            log.rotate().unwrap();
        }
        log.append(&frames(core::slice::from_ref(event))).unwrap();
    }
    let root = log.segments().len() + 1;
    let mut compaction = Compaction::begin(&mut log).unwrap();
    compaction.append(&frames(&old[30..])).unwrap();
    steps.take();
    compaction.finish(&mut log, Horizon::default()).unwrap();
    let path = alloc::format!("tables/t/segments/{root:08}.seg");
    for copy in steps.take() {
        if copy
            .open(&path, crate::storage::Access::Read)
            .unwrap()
            .is_none_or(|blob| blob.len().unwrap() < HEADER_LEN)
        {
            continue;
        }
        let mut damaged = bytes(&copy, &path);
        damaged[30] ^= 1;
        copy.put(&path, &damaged);
        match reopen(&copy, &LogHints::default()) {
            Ok((log, _)) => assert_eq!(events(&log).unwrap(), old),
            Err(error) => assert!(matches!(error.code(), Code::Corrupt | Code::FileMissing)),
        }
    }
}
