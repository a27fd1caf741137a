//! The journal, and logs that get back what it holds.

use super::super::journal::JOURNAL;
use super::*;
use crate::error::Code;

fn open_journal(home: &Home) -> Result<(Journal, Vec<Record>)> {
    Journal::open(home.store(), Mode::Write(Rc::clone(&home.latch)))
}

fn part(log: &Log, events: &[Event]) -> Part {
    Part {
        dir: DIR.into(),
        generation: log.generation(),
        position: log.end(),
        frames: frames(events).as_bytes().to_vec(),
    }
}

fn append(journal: &mut Journal, seq: u64, parts: &[Part]) {
    let parts = parts.iter().map(|part| {
        (
            part.dir.as_str(),
            part.generation,
            part.position,
            part.frames.as_slice(),
        )
    });
    journal.append(Seq(seq), parts).unwrap();
    journal.sync().unwrap();
}

fn sample(seq: u64) -> Part {
    let frames = alloc::vec![u8::try_from(seq).unwrap(); 30];
    Part {
        dir: alloc::format!("tables/t{seq}"),
        generation: 1,
        position: Position::new(2, 300),
        frames,
    }
}

#[test]
fn records_come_back_until_they_are_retired() {
    let home = Home::new(MemoryStore::new());
    let (mut journal, records) = open_journal(&home).unwrap();
    assert_eq!((records, journal.is_retired()), (Vec::new(), true));
    journal.retire().unwrap();
    let wanted: Vec<Record> = (1..=3)
        .map(|seq| Record {
            seq: Seq(seq),
            parts: Vec::from([sample(seq), sample(seq + 10)]),
        })
        .collect();
    for record in &wanted {
        append(&mut journal, record.seq.0, &record.parts);
    }
    let again = Home::new(home.store.copy());
    assert_eq!(open_journal(&again).unwrap().1, wanted);
    let (mut reader, records) = Journal::open(home.store(), Mode::Read).unwrap();
    assert_eq!(records, wanted);
    journal.retire().unwrap();
    assert_eq!(reader.records().unwrap(), []);
    append(&mut journal, 9, &[sample(9)]);
    assert_eq!(reader.records().unwrap().len(), 1);
    let parts = core::iter::empty();
    assert_eq!(
        journal.append(Seq(9), parts).unwrap_err().code(),
        Code::OutOfRange
    );
}

/// Frames have the shape of records: length, crc, and a body that may be read as one.
#[test]
fn a_frame_inside_a_torn_record_is_no_record() {
    let body = u64::MAX.to_le_bytes();
    let mut frame = Vec::from(8_u32.to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    frame.extend_from_slice(&body);
    let home = Home::new(MemoryStore::new());
    let (mut journal, _) = open_journal(&home).unwrap();
    let start = {
        append(&mut journal, 1, &[sample(1)]);
        usize::try_from(journal.len()).unwrap()
    };
    let part = Part {
        frames: frame,
        ..sample(2)
    };
    append(&mut journal, 2, &[part]);
    let mut torn = bytes(&home.store, JOURNAL);
    torn[start..start + 8].fill(0);
    home.store.put(JOURNAL, &torn);
    let again = Home::new(home.store.copy());
    assert_eq!(open_journal(&again).unwrap().1.len(), 1);
}

#[test]
fn every_cut_of_the_last_record_drops_it_and_damage_before_is_corrupt() {
    let home = Home::new(MemoryStore::new());
    let (mut journal, _) = open_journal(&home).unwrap();
    append(&mut journal, 1, &[sample(1)]);
    let start = usize::try_from(journal.len()).unwrap();
    append(&mut journal, 2, &[sample(2), sample(3)]);
    let end = usize::try_from(journal.len()).unwrap();
    let whole = bytes(&home.store, JOURNAL);
    for cut in 0..=end {
        let copy = home.store.copy();
        copy.put(JOURNAL, &whole[..cut]);
        let home = Home::new(copy);
        let (mut journal, records) = open_journal(&home).unwrap();
        let expected = if cut == end {
            2
        } else {
            usize::from(cut >= start)
        };
        assert_eq!(records.len(), expected, "{cut}");
        append(&mut journal, 5, &[sample(5)]);
        let again = Home::new(home.store.copy());
        assert_eq!(open_journal(&again).unwrap().1.len(), expected + 1);
    }
    for bit in 0..end * 8 {
        let copy = home.store.copy();
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        copy.put(JOURNAL, &damaged);
        let home = Home::new(copy);
        match open_journal(&home) {
            Ok((_, records)) => assert!(bit / 8 >= start && records.len() == 1, "{bit}"),
            Err(error) => assert!(
                bit / 8 < start && error.code() == Code::Corrupt,
                "{bit} {error:?}"
            ),
        }
    }
}

#[test]
fn a_log_gets_back_every_part_it_lacks() {
    let home = Home::new(MemoryStore::new());
    let mut log = home.create();
    log.append(&frames(&singles(1..=3))).unwrap();
    let hints = log.hints(Some(log.checkpoint()));
    let start = usize::try_from(log.end().offset).unwrap();
    let mut parts = Vec::new();
    for seq in [4, 6, 8] {
        let pair = [event(seq, true), event(seq + 1, false)];
        parts.push(part(&log, &pair));
        log.append(&frames(&pair)).unwrap();
    }
    let end = usize::try_from(log.end().offset).unwrap();
    // A commit of one table behind them, not yet acknowledged.
    log.append(&frames(&[event(10, false)])).unwrap();
    let whole = bytes(&home.store, "tables/t/segments/00000001.seg");
    let check = |damaged: &[u8], tail: bool| {
        let store = home.store.copy();
        store.put("tables/t/segments/00000001.seg", damaged);
        let reader = Log::open(
            Rc::new(store.clone()),
            DIR,
            Mode::Read,
            SMALL,
            &hints,
            &parts,
        )
        .unwrap()
        .0;
        assert_eq!(bytes(&store, "tables/t/segments/00000001.seg"), damaged);
        let home = Home::new(store);
        let mode = Mode::Write(Rc::clone(&home.latch));
        let (log, _) = Log::open(home.store(), DIR, mode, SMALL, &hints, &parts).unwrap();
        let count = if tail { 10 } else { 9 };
        assert_eq!(
            (events(&log).unwrap().len(), events(&reader).unwrap().len()),
            (count, count)
        );
        let (again, recovery) = reopen(&home.store, &hints).unwrap();
        assert_eq!(
            (events(&again).unwrap().len(), recovery.torn_bytes),
            (count, 0)
        );
    };
    for cut in start..=whole.len() {
        check(&whole[..cut], cut == whole.len());
    }
    for from in start..end {
        let mut damaged = whole.clone();
        damaged[from..end].fill(0);
        check(&damaged, true);
        let mut damaged = whole.clone();
        damaged[from] ^= 1;
        check(&damaged, true);
    }
    // Parts of another generation, or of a sealed segment, are done.
    let stale: Vec<Part> = parts
        .iter()
        .map(|part| Part {
            generation: 7,
            ..part.clone()
        })
        .collect();
    let copy = Home::new(home.store.copy());
    let (_, recovery) = Log::open(
        copy.store(),
        DIR,
        Mode::Write(Rc::clone(&copy.latch)),
        SMALL,
        &hints,
        &stale,
    )
    .unwrap();
    assert_eq!(recovery.restored_bytes, 0);
}

#[test]
fn a_part_beyond_the_end_is_corrupt() {
    let home = Home::new(MemoryStore::new());
    let mut log = home.create();
    log.append(&frames(&singles(1..=3))).unwrap();
    let mut beyond = part(&log, &[event(4, false)]);
    beyond.position.offset += 5;
    let copy = Home::new(home.store.copy());
    let mode = Mode::Write(Rc::clone(&copy.latch));
    let error = Log::open(
        copy.store(),
        DIR,
        mode,
        SMALL,
        &LogHints::default(),
        &[beyond],
    )
    .err()
    .unwrap();
    assert_eq!(error.code(), Code::Corrupt);
}
