//! What a log keeps, in the absence of accidents.

use super::*;

#[test]
fn keeps_what_was_appended_over_rotations_and_reopening() {
    let home = Home::new(MemoryStore::new());
    let mut log = home.create();
    let all = singles(1..=40);
    for event in &all {
        if log.rotation_due() {
            log.rotate().unwrap();
        }
        log.append(&frames(core::slice::from_ref(event))).unwrap();
        log.sync().unwrap();
    }
    assert!(log.segments().len() > 3);
    assert_eq!(events(&log).unwrap(), all);
    let (again, recovery) = reopen(&home.store, &LogHints::default()).unwrap();
    assert_eq!(events(&again).unwrap(), all);
    assert_eq!(recovery.torn_bytes, 0);
    assert_eq!(again.segments(), log.segments());
    assert_eq!(again.last(), log.last());
    let hints = log.hints(Some(log.checkpoint()));
    let (again, _) = reopen(&home.store, &hints).unwrap();
    assert_eq!(events(&again).unwrap(), all);
    assert_eq!(again.segments(), log.segments());
}
