//! Backups: the same bytes for the same history whoever makes them and whatever goes on meanwhile; restored and opened in place they answer as
//! the database did; no damage passes; a restore that fails or crashes leaves no half database.

mod copy;
mod damage;
mod meanwhile;
mod restore;

use std::rc::Rc;

use driftdb_core::db::{Database, Verified, drive};
use driftdb_tests::backup::restore;
use driftdb_tests::engine::{Engine, small};
use driftdb_tests::fault::FaultStore;

fn reader(store: &FaultStore) -> Database {
    Engine::open_reader(store, &small()).unwrap().db
}

fn writer(store: &FaultStore) -> Database {
    Engine::open(store, &small()).unwrap().db
}

/// A database with these statements run in it, open for writing.
fn written(text: &str) -> (FaultStore, Engine) {
    let store = FaultStore::new();
    Engine::create(&store, 0).unwrap();
    let mut engine = Engine::open(&store, &small()).unwrap();
    engine.run(text, 1_000).unwrap();
    (store, engine)
}

fn restored(bytes: &[u8]) -> FaultStore {
    let store = FaultStore::new();
    restore(Rc::new(store.clone()), bytes).unwrap();
    store
}

fn verified(db: &mut Database) {
    let mut work = db.verify().unwrap();
    while let Some(found) = drive(|| work.step()).unwrap() {
        assert!(matches!(found, Verified::Progress(_)), "{found:?}");
    }
}
