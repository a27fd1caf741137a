//! The writer's lock on a directory: who may take it from whom. Owners of other homes are played by the text that they put into LOCK.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use driftdb_cli::store::FsStore;
use driftdb_core::storage::{Access, Lock, LockState, Store};
use driftdb_core::{Code, Result};

const WASI: &str = r#"{"home":"wasi","claim":"0123456789abcdef"}"#;

fn take(dir: &Path) -> Result<Box<dyn Lock>> {
    FsStore::new(dir).lock()
}

fn take_by_force(dir: &Path) -> Result<Box<dyn Lock>> {
    FsStore::new(dir).break_lock(true).lock()
}

fn is_locked(dir: &Path) -> bool {
    FsStore::new(dir).lock_state().unwrap().is_held()
}

fn text(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("LOCK")).unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// LOCK as another program has left it, changed last so long ago.
fn held(owner: &str, age: Duration) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    put(&dir.path().join("LOCK"), &format!("41\n{owner}\n"), age);
    dir
}

fn put(path: &PathBuf, text: &str, age: Duration) {
    std::fs::write(path, text).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

fn refused(dir: &Path) -> driftdb_core::Error {
    let error = take(dir).err().expect("the lock was taken");
    assert_eq!(error.code(), Code::Busy, "{error:?}");
    error
}

#[test]
fn it_says_who_holds_it_and_is_free_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let lock = take(dir.path()).unwrap();
    assert!(
        text(dir.path()).starts_with("1\n{\"home\":\"native\","),
        "{}",
        text(dir.path())
    );
    let error = refused(dir.path());
    assert!(
        error.message().contains(&std::process::id().to_string()),
        "{error:?}"
    );
    drop(lock);
    assert_eq!(text(dir.path()), "1\n");
    assert_eq!(names(dir.path()), ["LOCK"]);
}

#[test]
fn an_owner_of_whom_nothing_is_known_keeps_it_until_it_is_broken() {
    for owner in [
        WASI,
        "somebody",
        "{}",
        r#"{"home":"node","pid":1,"place":"another system"}"#,
    ] {
        let dir = held(owner, Duration::from_secs(1_000_000));
        assert!(is_locked(dir.path()), "{owner}");
        let error = refused(dir.path());
        assert!(
            error
                .hint_text()
                .is_some_and(|hint| hint.contains("--break-lock")),
            "{error:?}"
        );
        assert!(
            text(dir.path()).contains(owner),
            "a refused taker changes nothing"
        );
        let lock = take_by_force(dir.path()).unwrap();
        assert_eq!(lock.epoch(), 42);
        drop(lock);
        assert!(!is_locked(dir.path()));
    }
}

#[test]
fn whose_lock_was_broken_may_write_no_more() {
    let dir = held(WASI, Duration::ZERO);
    let (first, second) = (take_by_force(dir.path()).unwrap(), FsStore::new(dir.path()));
    assert_eq!(second.lock().err().unwrap().code(), Code::Busy);
    // As a program without file locks would break it: the text changes, and the file.
    std::fs::write(dir.path().join("other"), format!("43\n{WASI}\n")).unwrap();
    std::fs::rename(dir.path().join("other"), dir.path().join("LOCK")).unwrap();
    assert_eq!(first.check().unwrap_err().code(), Code::Conflict);
    drop(first);
    assert_eq!(
        text(dir.path()),
        format!("43\n{WASI}\n"),
        "releasing leaves the other's claim alone"
    );
}

#[test]
fn nobody_breaks_a_file_lock_that_is_held() {
    let dir = tempfile::tempdir().unwrap();
    let lock = take(dir.path()).unwrap();
    assert_eq!(take_by_force(dir.path()).err().unwrap().code(), Code::Busy);
    lock.check().unwrap();
}

#[test]
fn a_dead_native_owner_is_no_hindrance() {
    let dir = held(
        r#"{"home":"native","claim":"1","flock":true,"pid":1}"#,
        Duration::ZERO,
    );
    assert!(!is_locked(dir.path()));
    assert_eq!(take(dir.path()).unwrap().epoch(), 42);
}

#[cfg(target_os = "linux")]
#[test]
fn an_owner_without_file_lock_is_dead_when_its_process_is() {
    let dir = tempfile::tempdir().unwrap();
    let lock = take(dir.path()).unwrap();
    let own = text(dir.path());
    drop(lock);
    let (_, own) = own.split_once('\n').unwrap();
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    let node = own.replace("\"flock\":true,", "").replace(
        &format!("\"pid\":{}", std::process::id()),
        &format!("\"pid\":{}", child.id()),
    );
    put(
        &dir.path().join("LOCK"),
        &format!("41\n{node}"),
        Duration::from_secs(10),
    );
    let store = FsStore::new(dir.path());
    assert!(store.lock_state().unwrap().is_held());
    refused(dir.path());
    child.kill().unwrap();
    child.wait().unwrap();
    // The file is as it was.
    assert_eq!(store.lock_state().unwrap(), LockState::Free(41));
    assert_eq!(take(dir.path()).unwrap().epoch(), 42);
}

#[test]
fn a_lease_that_is_over_frees_the_lock() {
    let owner = r#"{"home":"node","claim":"1","lease":60}"#;
    let fresh = held(owner, Duration::from_secs(50));
    assert!(is_locked(fresh.path()));
    refused(fresh.path());
    let over = held(owner, Duration::from_secs(70));
    assert!(!is_locked(over.path()));
    take(over.path()).unwrap();
    let future = held(owner, Duration::ZERO);
    let file = std::fs::File::options()
        .write(true)
        .open(future.path().join("LOCK"))
        .unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(1000))
        .unwrap();
    refused(future.path());
}

#[test]
fn what_a_taker_left_half_way_is_in_the_way_for_ten_seconds() {
    let dir = tempfile::tempdir().unwrap();
    put(&dir.path().join("LOCK"), "41\n", Duration::ZERO);
    let new = dir.path().join("LOCK.42.new");
    put(&new, "", Duration::ZERO);
    refused(dir.path());
    put(&new, "", Duration::from_secs(11));
    assert_eq!(take(dir.path()).unwrap().epoch(), 42);
    assert_eq!(names(dir.path()), ["LOCK"]);
}

#[test]
fn a_lock_that_a_power_cut_left_unreadable_is_free() {
    for left in ["", "\0\0\0\0", "x\n"] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("LOCK"), left).unwrap();
        assert!(!is_locked(dir.path()));
        take(dir.path()).unwrap().check().unwrap();
    }
}

#[test]
fn an_append_finds_that_the_lock_is_another_s() {
    let dir = tempfile::tempdir().unwrap();
    let store = FsStore::new(dir.path());
    let lock = store.lock().unwrap();
    let latch = driftdb_core::storage::Latch::new(lock);
    let mut blob = latch.create(&store, "a").unwrap();
    std::fs::remove_file(dir.path().join("LOCK")).unwrap();
    assert_eq!(
        latch.append(&mut *blob, 0, b"late").unwrap_err().code(),
        Code::Conflict
    );
    assert!(
        store
            .open("a", Access::Read)
            .unwrap()
            .unwrap()
            .is_empty()
            .unwrap()
    );
}

/// Threads stand for programs: each has files of its own.
#[test]
fn of_many_takers_one_wins_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let inside = std::sync::atomic::AtomicU32::new(0);
    let taken = std::sync::atomic::AtomicU64::new(0);
    let order = std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..40 {
                    match take(dir.path()) {
                        Ok(lock) => {
                            assert_eq!(inside.fetch_add(1, order), 0, "two hold the lock");
                            lock.check().unwrap();
                            taken.fetch_add(1, order);
                            inside.fetch_sub(1, order);
                        }
                        Err(error) => assert_eq!(error.code(), Code::Busy, "{error:?}"),
                    }
                }
            });
        }
    });
    let epoch = take(dir.path()).unwrap().epoch();
    assert_eq!(
        epoch,
        taken.into_inner() + 1,
        "each that had the lock had an epoch of its own"
    );
    assert_eq!(names(dir.path()), ["LOCK"]);
}

#[test]
fn one_store_sees_each_change_of_a_lock_that_was_free_for_long() {
    let dir = tempfile::tempdir().unwrap();
    put(&dir.path().join("LOCK"), "41\n", Duration::from_secs(60));
    let store = FsStore::new(dir.path());
    for epoch in 41..45 {
        for _ in 0..2 {
            assert_eq!(store.lock_state().unwrap(), LockState::Free(epoch));
        }
        let lock = take(dir.path()).unwrap();
        for _ in 0..2 {
            assert_eq!(store.lock_state().unwrap(), LockState::Held);
        }
        drop(lock);
    }
}

#[test]
fn a_lock_that_has_just_changed_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("LOCK");
    put(&path, "41\n", Duration::ZERO);
    let store = FsStore::new(dir.path());
    assert_eq!(store.lock_state().unwrap(), LockState::Free(41));
    // As a coarse clock may show it: the same time of change, and a number that was given again.
    let changed = std::fs::metadata(&path).unwrap().modified().unwrap();
    std::fs::write(&path, "42\n").unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(changed).unwrap();
    assert_eq!(store.lock_state().unwrap(), LockState::Free(42));
}
