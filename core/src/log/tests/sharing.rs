//! Readers beside a writer.

use super::*;

#[test]
fn a_reader_follows_growth_rotation_and_compaction() {
    let home = Home::new(MemoryStore::new());
    let mut log = home.create();
    let mut reader = open_reader(&home.store, &LogHints::default()).unwrap();
    assert_eq!(reader.refresh(&[]).unwrap(), Refreshed::Unchanged);
    for seq in 1..=30 {
        if log.rotation_due() {
            log.rotate().unwrap();
        }
        let from = reader.whole();
        log.append(&frames(&[event(seq, false)])).unwrap();
        assert_eq!(reader.refresh(&[]).unwrap(), Refreshed::Grown(from));
        assert_eq!((reader.last(), reader.whole()), (log.last(), log.whole()));
        let handle = reader.reader();
        let mut cursor = handle.cursor(from, handle.end());
        assert_eq!(cursor.next_event().unwrap().unwrap().1.seq, Seq(seq));
        assert!(cursor.next_event().unwrap().is_none());
    }
    assert_eq!(reader.segments(), log.segments());
    log.append(&frames(&[event(31, true)])).unwrap();
    assert_eq!(reader.refresh(&[]).unwrap(), Refreshed::Unchanged);
    log.append(&frames(&[event(32, false)])).unwrap();
    assert!(matches!(reader.refresh(&[]).unwrap(), Refreshed::Grown(_)));
    assert_eq!(events(&reader).unwrap().len(), 32);
    let before = reader.reader();
    let mut compaction = Compaction::begin(&mut log).unwrap();
    compaction.append(&frames(&[event(32, false)])).unwrap();
    compaction
        .finish(
            &mut log,
            Horizon {
                seq: Seq(32),
                time: Timestamp(1010),
            },
        )
        .unwrap();
    assert_eq!(reader.refresh(&[]).unwrap(), Refreshed::Replaced);
    assert_eq!(
        (events(&reader).unwrap().len(), reader.horizon().seq),
        (1, Seq(32))
    );
    // What the old handle has not opened is gone, and it says so.
    let mut cursor = before.cursor(before.start(), before.end());
    let outcome = loop {
        match cursor.next_event() {
            Ok(Some(_)) => {}
            other => break other.map(|_| ()),
        }
    };
    assert!(outcome.is_ok_and(|()| true) || before.segments().len() > 1);
}

#[test]
fn a_reader_cannot_write() {
    let home = Home::new(MemoryStore::new());
    home.create();
    let mut reader = open_reader(&home.store, &LogHints::default()).unwrap();
    assert_eq!(
        reader
            .append(&frames(&[event(1, false)]))
            .unwrap_err()
            .code(),
        crate::Code::ReadOnly
    );
    assert_eq!(reader.rotate().unwrap_err().code(), crate::Code::ReadOnly);
}

#[test]
fn another_writers_epoch_or_bytes_stop_this_one() {
    let home = Home::new(MemoryStore::new());
    let mut log = home.create();
    log.append(&frames(&[event(1, false)])).unwrap();
    log.sync().unwrap();
    home.store.put("LOCK", b"7\n");
    assert_eq!(
        log.append(&frames(&[event(2, false)])).unwrap_err().code(),
        crate::Code::Conflict
    );
    assert_eq!(
        log.append(&frames(&[event(2, false)])).unwrap_err().code(),
        crate::Code::Latched
    );
    let home = Home::new(home.store.copy());
    let (mut log, _) = home.open(&LogHints::default()).unwrap();
    let path = "tables/t/segments/00000001.seg";
    let mut blob = home
        .store
        .open(path, crate::storage::Access::Write)
        .unwrap()
        .unwrap();
    blob.append(log.end().offset, b"someone else").unwrap();
    assert_eq!(
        log.append(&frames(&[event(2, false)])).unwrap_err().code(),
        crate::Code::Conflict
    );
    assert_eq!(log.sync().unwrap_err().code(), crate::Code::Latched);
}

#[test]
fn a_batch_checks_the_lock_at_its_start_and_at_its_sync() {
    let home = Home::new(MemoryStore::new());
    let mut log = home.create();
    log.append(&frames(&[event(1, false)])).unwrap();
    home.store.put("LOCK", b"7\n");
    log.append(&frames(&[event(2, false)])).unwrap();
    assert_eq!(log.sync().unwrap_err().code(), crate::Code::Conflict);
    assert_eq!(log.sync().unwrap_err().code(), crate::Code::Latched);
}
