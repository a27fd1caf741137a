//! The contracts of the storage traits on every store there is here.

use std::rc::Rc;

use driftdb_cli::store::FsStore;
use driftdb_core::storage::{MemoryStore, Store};
use driftdb_tests::conformance::CONTRACTS;
use driftdb_tests::fault::FaultStore;

/// The directory for temporary files is not known under WASI.
fn tempdir() -> tempfile::TempDir {
    let dir = if cfg!(target_os = "wasi") {
        "/tmp".into()
    } else {
        std::env::temp_dir()
    };
    tempfile::tempdir_in(dir).unwrap()
}

#[test]
fn memory_store() {
    for (name, contract) in CONTRACTS {
        println!("{name}");
        contract(Rc::new(MemoryStore::new()));
    }
}

#[test]
fn fault_store() {
    for (name, contract) in CONTRACTS {
        println!("{name}");
        contract(Rc::new(FaultStore::new()));
    }
}

#[test]
fn container() {
    for (name, contract) in CONTRACTS {
        println!("{name}");
        contract(Rc::new(FaultStore::packed().container().unwrap()));
    }
}

#[test]
fn filesystem_store() {
    for (name, contract) in CONTRACTS {
        println!("{name}");
        let dir = tempdir();
        contract(Rc::new(FsStore::new(dir.path().join("not/there/yet"))));
        assert!(!dir.path().join("not/outside").exists());
    }
}

#[test]
fn filesystem_store_with_few_open_files() {
    for (name, contract) in CONTRACTS {
        println!("{name}");
        let dir = tempdir();
        contract(Rc::new(FsStore::with_open_files(dir.path(), 1)));
    }
}

#[test]
fn two_filesystem_stores_share_the_lock_and_the_files() {
    let dir = tempdir();
    let (one, two) = (FsStore::new(dir.path()), FsStore::new(dir.path()));
    let lock = one.lock().unwrap();
    assert!(two.lock_state().unwrap().is_held());
    assert_eq!(two.lock().err().unwrap().code(), driftdb_core::Code::Busy);
    drop(lock);
    let lock = two.lock().unwrap();
    assert_eq!(lock.epoch(), 2);
}

#[test]
fn a_file_that_was_replaced_behind_a_closed_blob_is_not_mistaken() {
    use driftdb_core::storage::Access;
    let dir = tempdir();
    let (reader, writer) = (
        FsStore::with_open_files(dir.path(), 1),
        FsStore::new(dir.path()),
    );
    writer.replace("a", b"the old file").unwrap();
    writer.replace("b", b"another").unwrap();
    let blob = reader.open("a", Access::Read).unwrap().unwrap();
    let _other = reader.open("b", Access::Read).unwrap().unwrap();
    writer.replace("a", b"the new file").unwrap();
    let mut bytes = [0; 20];
    assert_eq!(
        blob.read_at(0, &mut bytes).unwrap_err().code(),
        driftdb_core::Code::FileMissing
    );
}
