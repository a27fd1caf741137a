//! Backups: the same bytes for the same history whoever makes them and whatever goes on meanwhile; restored and opened in place they answer as
//! the database did; no damage passes; a restore that fails or crashes leaves no half database.

use std::cell::RefCell;
use std::rc::Rc;

use driftdb_core::db::{Context, Database, Durability, Request, Restore, Verified, drive};
use driftdb_core::storage::{Access, Blob, Lock, MemoryStore, Store, Synced};
use driftdb_core::time::{Seq, Timestamp};
use driftdb_core::{Code, Error, Place, Result, ql};
use driftdb_tests::backup::{NAME, archive, backup, dump, in_place, rest, restore, restore_in};
use driftdb_tests::budget::{pick, seeds};
use driftdb_tests::check::{Depth, check};
use driftdb_tests::engine::{Engine, Settings, small};
use driftdb_tests::fault::{Effect, Fault, FaultStore, Survival, What};
use driftdb_tests::random::Random;
use driftdb_tests::recovery::{describe, recover};
use driftdb_tests::session::{Session, script};
use driftdb_tests::small::{database, is_derived};
use driftdb_tests::workload::Mix;

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

#[test]
fn a_copy_answers_as_the_database_did() {
    let mut answers = 0;
    for seed in seeds(4, 30) {
        let small = database(seed, 60);
        let store = FaultStore::from_files(small.files.clone());
        let bytes = backup(&mut reader(&store)).unwrap();
        let history = dump(&mut reader(&store)).unwrap();
        // Where it lies.
        let mut engine = in_place(&bytes, &small.settings).unwrap();
        answers += check(&mut engine, &small.oracle, Depth::All, seed)
            .unwrap_or_else(|f| panic!("{}", describe(&f)));
        verified(&mut engine.db);
        assert_eq!(dump(&mut engine.db).unwrap(), history);
        assert_eq!(
            engine
                .db
                .create_table(driftdb_core::db::Schema::new("x", "id", &[]).unwrap())
                .unwrap_err()
                .code(),
            Code::ReadOnly
        );
        // Restored.
        let copy = restored(&bytes);
        let mut db = reader(&copy);
        verified(&mut db);
        assert_eq!(dump(&mut db).unwrap(), history);
        drop(db);
        answers += recover(
            &copy,
            &small.settings,
            &small.oracle,
            None,
            Depth::All,
            seed,
        )
        .unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    }
    println!("backups: {answers} answers compared");
}

#[test]
fn the_same_history_gives_the_same_bytes() {
    for seed in seeds(4, 30) {
        let small = database(seed, 60);
        let store = FaultStore::from_files(small.files.clone());
        let bytes = backup(&mut reader(&store)).unwrap();
        let same = |what: &str, db: &mut Database| {
            assert!(
                backup(db).unwrap() == bytes,
                "seed {seed}: {what} gives other bytes"
            );
        };
        same("a second one", &mut reader(&store));
        same(
            "a backup of the backup",
            &mut in_place(&bytes, &small.settings).unwrap().db,
        );
        let copy = restored(&bytes);
        same("what was restored", &mut reader(&copy));
        same("a writer of it", &mut writer(&copy));
        same("it after that", &mut reader(&copy));
        same("a writer", &mut writer(&store));
        let mut truth = small.files.clone();
        truth.retain(|path, _| !is_derived(path));
        same(
            "the truth alone",
            &mut reader(&FaultStore::from_files(truth)),
        );
        // What was not closed has reserved zeros and a checkpoint of before.
        let mut session = Session::create(FaultStore::new(), small.settings.clone());
        let script = script(
            seed,
            Mix {
                reopen: 0,
                ..Mix::default()
            },
            30,
        );
        session.run(&script).unwrap();
        let crashed = session.store.crash(Survival::Kept);
        let there = backup(&mut session.engine.as_mut().unwrap().db).unwrap();
        assert!(
            backup(&mut reader(&session.store)).unwrap() == there,
            "seed {seed}: a reader beside the writer"
        );
        assert!(
            backup(&mut reader(&crashed)).unwrap() == there,
            "seed {seed}: after a crash"
        );
    }
}

#[test]
fn what_is_written_meanwhile_is_not_in_it() {
    let mut compared = 0;
    for seed in seeds(6, 40) {
        let mix = Mix {
            compact: 6,
            maintain: 10,
            reopen: 0,
            filler: 200,
            ..Mix::default()
        };
        let script = script(seed, mix, 80);
        let mut session = Session::create(FaultStore::new(), small());
        let mut open = Vec::new();
        for (number, step) in script.iter().enumerate() {
            session.run(&vec![step.clone()]).unwrap();
            if number % 7 == 0 {
                let db = &mut session.engine.as_mut().unwrap().db;
                let expected = backup(db).unwrap();
                open.push((db.backup().unwrap(), expected));
                let mut beside = reader(&session.store);
                let expected = backup(&mut beside).unwrap();
                open.push((beside.backup().unwrap(), expected));
            }
        }
        for (mut late, expected) in open {
            assert!(
                rest(&mut late).unwrap() == expected,
                "seed {seed}: up to {:?}",
                late.upto()
            );
            compared += 1;
        }
    }
    println!("backups: {compared} finished after other writes");
}

#[test]
fn steps_and_writes_take_turns() {
    let settings = Settings {
        segment_bytes: 100 << 10,
        ..small()
    };
    let store = FaultStore::new();
    Engine::create(&store, 0).unwrap();
    let mut engine = Engine::open(&store, &settings).unwrap();
    engine.run("CREATE TABLE t (pk=id)", 1).unwrap();
    let insert = |engine: &mut Engine, id: usize| {
        let text = format!(
            "UPSERT INTO t {{\"id\": {}, \"n\": {id}, \"text\": \"{}\"}}",
            id % 50,
            "x".repeat(5_000)
        );
        engine.run(&text, 1_000 + id as u64).unwrap();
    };
    (0..100).for_each(|id| insert(&mut engine, id));
    let expected = backup(&mut engine.db).unwrap();
    let mut late = engine.db.backup().unwrap();
    let (mut bytes, mut steps) = (Vec::new(), 0);
    while let Some(chunk) = drive(|| late.step()).unwrap() {
        assert!(chunk.len() < 128 << 10, "a chunk of {} bytes", chunk.len());
        bytes.extend(chunk);
        steps += 1;
        insert(&mut engine, 1_000 + steps);
        if steps == 3 {
            engine.run("COMPACT t", 3_000).unwrap();
        }
    }
    assert!(steps > 5, "{steps} steps");
    assert!(bytes == expected);
}

#[test]
fn a_rotation_that_no_commit_has_followed_leaves_no_trace() {
    let mut by_seq = std::collections::BTreeMap::new();
    let (mut stop, mut empty) = (0, 0);
    loop {
        stop += 1;
        let (store, mut engine) = written("CREATE TABLE t (pk=id)");
        store.stop_in(stop);
        let text = "x".repeat(400);
        let done = (0..20).try_for_each(|id| {
            let insert = format!("INSERT INTO t {{\"id\": {id}, \"text\": \"{text}\"}}");
            engine.run(&insert, 2_000).map(|_| ())
        });
        let files = store.crash(Survival::Kept).files();
        let mut segments = files.iter().filter(|(path, _)| path.ends_with(".seg"));
        empty += u32::from(
            segments
                .next_back()
                .is_some_and(|(path, bytes)| bytes.len() == 80 && !path.ends_with("00000001.seg")),
        );
        let mut db = reader(&FaultStore::from_files(files));
        let mut moment = db.backup().unwrap();
        let bytes = rest(&mut moment).unwrap();
        let known = by_seq
            .entry(moment.upto().0)
            .or_insert_with(|| bytes.clone());
        assert!(*known == bytes, "stop {stop}, up to {:?}", moment.upto());
        if done.is_ok() {
            break;
        }
    }
    assert!(empty > 3, "{empty} segments without frames");
}

#[test]
fn what_only_the_journal_has_is_in_it() {
    let (store, mut engine) = written("CREATE TABLE a (pk=id); CREATE TABLE b (pk=id)");
    engine
        .run(
            r#"BEGIN; INSERT INTO a {"id": 1}; INSERT INTO b {"id": 1}; COMMIT"#,
            2_000,
        )
        .unwrap();
    // The logs' appends are not synced: the disk has them in the journal alone.
    let crashed = store.crash(Survival::Dropped);
    assert!(crashed.files()["journal"].len() > 16);
    let bytes = backup(&mut reader(&crashed)).unwrap();
    assert!(backup(&mut engine.db).unwrap() == bytes);
    let mut copy = in_place(&bytes, &small()).unwrap();
    assert_eq!(copy.rows("SELECT * FROM b").unwrap().len(), 1);
    assert!(!store.files().contains_key("journal") || store.files()["journal"].len() == 16);
}

#[test]
fn an_open_transaction_is_not_in_it() {
    let (_, mut engine) = written(r#"CREATE TABLE a (pk=id); INSERT INTO a {"id": 1}"#);
    let before = backup(&mut engine.db).unwrap();
    engine
        .run(r#"BEGIN; INSERT INTO a {"id": 2}"#, 2_000)
        .unwrap();
    assert!(backup(&mut engine.db).unwrap() == before);
    engine.run("COMMIT", 2_000).unwrap();
    assert!(backup(&mut engine.db).unwrap() != before);
}

#[test]
fn batches_are_in_it() {
    let (_, mut engine) = written("CREATE TABLE a (pk=id); CREATE TABLE b (pk=id)");
    engine.db.set_durability(Durability::Batch).unwrap();
    engine
        .run(r#"INSERT INTO a {"id": 1}; INSERT INTO b {"id": 2}"#, 2_000)
        .unwrap();
    let bytes = backup(&mut engine.db).unwrap();
    let mut copy = in_place(&bytes, &small()).unwrap();
    assert_eq!(copy.head().unwrap(), (2, 2_000));
}

#[test]
fn a_database_without_events() {
    for text in [
        "",
        "CREATE TABLE a (pk=id); CREATE TABLE b (pk=id, INDEX(x))",
    ] {
        let (_, mut engine) = written(text);
        let bytes = backup(&mut engine.db).unwrap();
        let copy = restored(&bytes);
        assert_eq!(reader(&copy).tables().unwrap(), engine.tables().unwrap());
        assert!(backup(&mut writer(&copy)).unwrap() == bytes);
        let mut copy = Engine::open(&copy, &small()).unwrap();
        copy.run(
            r#"CREATE TABLE IF NOT EXISTS a (pk=id); INSERT INTO a {"id": 1}"#,
            5,
        )
        .unwrap();
    }
}

#[test]
fn names_of_every_kind() {
    let long = "Ä".repeat(64);
    let names = ["a", "A", "a b", "日本", "..", "%41", "x/y", &long];
    let (_, mut engine) = written("");
    for name in names {
        let text = format!(
            "CREATE TABLE `{name}` (pk=id, INDEX(`Ö 1`)); INSERT INTO `{name}` {{\"id\": 1, \"Ö 1\": \"{name}\"}}"
        );
        engine.run(&text, 2_000).unwrap();
    }
    let bytes = backup(&mut engine.db).unwrap();
    let copy = restored(&bytes);
    for db in [
        &mut reader(&copy),
        &mut in_place(&bytes, &small()).unwrap().db,
    ] {
        assert_eq!(dump(db).unwrap(), dump(&mut engine.db).unwrap());
        assert!(backup(db).unwrap() == bytes);
    }
}

#[test]
fn requests_that_were_answered_stay_answered() {
    let (_, mut engine) = written("CREATE TABLE a (pk=id)");
    let request = |number| Request {
        client: "tab".into(),
        number,
    };
    for number in 1..=3 {
        let context = Context {
            now: Timestamp(2_000),
            meta: None,
            request: Some(request(number)),
        };
        let text = format!("UPSERT INTO a {{\"id\": 1, \"n\": {number}}}");
        engine
            .db
            .run(&ql::parse(&text).unwrap()[0], &ql::Params::none(), &context)
            .unwrap();
    }
    engine
        .run(r#"UPSERT INTO a {"id": 1}; COMPACT a"#, 3_000)
        .unwrap();
    let answered = engine.db.answered(&request(3)).unwrap();
    assert!(answered.is_some());
    let bytes = backup(&mut engine.db).unwrap();
    let copy = restored(&bytes);
    assert_eq!(writer(&copy).answered(&request(3)).unwrap(), answered);
    assert!(backup(&mut reader(&copy)).unwrap() == bytes);
}

/// A store in which something happens when a certain file is read.
struct Hooked {
    inner: Rc<dyn Store>,
    path: &'static str,
    hook: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl Store for Hooked {
    fn lock(&self) -> Result<Box<dyn Lock>> {
        self.inner.lock()
    }
    fn is_locked(&self) -> Result<bool> {
        self.inner.is_locked()
    }
    fn list(&self, dir: &str) -> Result<Vec<String>> {
        self.inner.list(dir)
    }
    fn open(&self, path: &str, access: Access) -> Result<Option<Box<dyn Blob>>> {
        self.inner.open(path, access)
    }
    fn create(&self, path: &str) -> Result<Box<dyn Blob>> {
        self.inner.create(path)
    }
    fn remove(&self, path: &str) -> Result<()> {
        self.inner.remove(path)
    }
    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.inner.rename(from, to)
    }
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<Synced> {
        self.inner.replace(path, bytes)
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let hook = if path == self.path {
            self.hook.borrow_mut().take()
        } else {
            None
        };
        if let Some(hook) = hook {
            hook();
        }
        self.inner.read(path)
    }
}

/// What a reader sees that looks at the tables one after the other while somebody commits in between: the statements run before it opens table b.
fn while_reading(statements: &'static str) -> (Database, Engine) {
    let (store, engine) = written(
        r#"CREATE TABLE a (pk=id); CREATE TABLE b (pk=id); CREATE TABLE c (pk=id);
           INSERT INTO a {"id": 0}; INSERT INTO b {"id": 0}; INSERT INTO c {"id": 0}"#,
    );
    let engine = Rc::new(RefCell::new(Some(engine)));
    let other = Rc::clone(&engine);
    // tables() reads b's schema first to know whether it is there; the meta is read when the table is opened.
    let hook = move || {
        other
            .borrow_mut()
            .as_mut()
            .unwrap()
            .run(statements, 2_000)
            .unwrap();
    };
    let hooked = Hooked {
        inner: Rc::new(store),
        path: "tables/b/meta.json",
        hook: RefCell::new(Some(Box::new(hook))),
    };
    let mut db = Database::open_reader(Rc::new(hooked), small()).unwrap();
    let mut beside = db.backup().unwrap();
    let bytes = rest(&mut beside).unwrap();
    let engine = engine.borrow_mut().take().unwrap();
    let mut copy = in_place(&bytes, &small()).unwrap();
    let newest = copy.rows("SELECT * FROM a WHERE id > 0").unwrap().len();
    for table in ["b", "c"] {
        let rows = copy
            .rows(&format!("SELECT * FROM {table} WHERE id > 0"))
            .unwrap();
        assert_eq!(
            rows.len(),
            newest,
            "{table} beside a, up to {:?}",
            beside.upto()
        );
    }
    (copy.db, engine)
}

#[test]
fn a_transaction_that_comes_while_a_reader_looks_is_in_it_whole_or_not_at_all() {
    // The reader has looked at a, finds the second event in b, the first in a only at its second look, the last in c.
    let (mut copy, mut engine) = while_reading(
        r#"BEGIN; INSERT INTO a {"id": 1}; INSERT INTO b {"id": 1}; INSERT INTO c {"id": 1}; COMMIT"#,
    );
    assert_eq!(dump(&mut copy).unwrap(), dump(&mut engine.db).unwrap());
    let (mut copy, mut engine) = while_reading(
        r#"BEGIN; INSERT INTO b {"id": 1}; INSERT INTO c {"id": 1}; INSERT INTO a {"id": 1}; COMMIT"#,
    );
    assert_eq!(dump(&mut copy).unwrap(), dump(&mut engine.db).unwrap());
}

#[test]
fn a_compaction_while_a_reader_looks() {
    let text = r#"BEGIN; UPSERT INTO a {"id": 1}; INSERT INTO b {"id": 1}; INSERT INTO c {"id": 1}; COMMIT; UPSERT INTO a {"id": 1, "n": 2}; COMPACT a"#;
    let (mut copy, mut engine) = while_reading(text);
    assert_eq!(dump(&mut copy).unwrap(), dump(&mut engine.db).unwrap());
}

#[test]
fn pieces_of_any_size() {
    let small = database(3, 20);
    let bytes = backup(&mut reader(&FaultStore::from_files(small.files))).unwrap();
    let whole = MemoryStore::new();
    restore(Rc::new(whole.clone()), &bytes).unwrap();
    for piece in [1, 7, 511, 512, 513, 4096] {
        let store = MemoryStore::new();
        let done = restore_in(Rc::new(store.clone()), &bytes, piece).unwrap();
        assert_eq!(done.seq, Seq(small.oracle.seq));
        assert_eq!(store.paths(), whole.paths(), "{piece}");
        for path in store.paths() {
            assert_eq!(
                store.read(&path).unwrap(),
                whole.read(&path).unwrap(),
                "{piece}: {path}"
            );
        }
    }
}

#[test]
fn a_store_in_use_is_refused() {
    let (store, mut engine) = written(r#"CREATE TABLE a (pk=id); INSERT INTO a {"id": 1}"#);
    let bytes = backup(&mut engine.db).unwrap();
    let refused = |store: &FaultStore| restore(Rc::new(store.clone()), &bytes).unwrap_err().code();
    assert_eq!(refused(&store), Code::DatabaseExists);
    engine.close().unwrap();
    let before = store.files();
    assert_eq!(refused(&store), Code::DatabaseExists);
    assert_eq!(store.files(), before);
    // Somebody has lost the marker: that is no reason to remove the tables.
    store.remove("drift.json").unwrap();
    assert_eq!(refused(&store), Code::NotADatabase);
    assert!(store.files().contains_key("tables/a/schema.yaml"));
    let empty = FaultStore::new();
    let under_way = Restore::begin(Rc::new(empty.clone()), NAME).unwrap();
    assert_eq!(refused(&empty), Code::Busy);
    drop(under_way);
    restore(Rc::new(empty.clone()), &bytes).unwrap();
    assert!(!empty.files().contains_key("restoring"));
}

/// There is the whole database, or none and the next restore makes it.
fn whole_or_nothing(store: &FaultStore, bytes: &[u8], what: &str) -> bool {
    let whole = match Engine::open_reader(store, &small()) {
        Ok(mut engine) => {
            assert!(
                backup(&mut engine.db).unwrap() == bytes,
                "{what}: another database"
            );
            true
        }
        Err(error) => {
            assert_eq!(error.code(), Code::NotADatabase, "{what}: {error:?}");
            restore(Rc::new(store.clone()), bytes)
                .unwrap_or_else(|error| panic!("{what}: restoring again: {error:?}"));
            assert!(
                backup(&mut reader(store)).unwrap() == bytes,
                "{what}: the second restore"
            );
            false
        }
    };
    let mut engine = Engine::open(store, &small()).unwrap();
    engine
        .run(
            "CREATE TABLE after (pk=id); INSERT INTO after {\"id\": 1}",
            u64::MAX / 1_000_000,
        )
        .unwrap();
    whole
}

#[test]
fn a_crash_in_a_restore_leaves_all_or_nothing() {
    let (mut whole, mut nothing) = (0, 0);
    for seed in seeds(1, 4) {
        let small = database(seed, 24);
        let bytes = backup(&mut reader(&FaultStore::from_files(small.files))).unwrap();
        let mut stop = 0;
        loop {
            stop += 1;
            let store = FaultStore::new();
            store.stop_in(stop);
            let done = restore_in(Rc::new(store.clone()), &bytes, 1000);
            for survival in [
                Survival::Dropped,
                Survival::Kept,
                Survival::Torn(stop),
                Survival::Sectors(stop),
                Survival::Mixed(stop),
            ] {
                let what = format!("seed {seed}, stop {stop}, {survival:?}");
                let there = whole_or_nothing(&store.crash(survival), &bytes, &what);
                assert!(there || done.is_err(), "{what}: acknowledged and gone");
                if there { whole += 1 } else { nothing += 1 }
            }
            if !store.has_failed() {
                break;
            }
        }
    }
    println!("restores: {nothing} crashes left nothing, {whole} all");
    assert!(whole > 5 && nothing > 100);
}

#[test]
fn a_failing_write_in_a_restore_leaves_all_or_nothing() {
    let small = database(2, 24);
    let bytes = backup(&mut reader(&FaultStore::from_files(small.files))).unwrap();
    let effects =
        [Effect::None, Effect::Half, Effect::Whole].map(|effect| What::Error(Code::Io, effect));
    let mut failed = 0;
    for what in effects.into_iter().chain([What::Full]) {
        let mut at = 0;
        loop {
            at += 1;
            let store = FaultStore::new();
            store.script(Some(Fault { at, what }));
            let done = restore_in(Rc::new(store.clone()), &bytes, 1000);
            let fault = store.has_failed();
            store.script(None);
            let what = format!("{what:?} at {at}");
            let there = whole_or_nothing(&store, &bytes, &what);
            assert!(there || done.is_err(), "{what}: acknowledged and gone");
            if !fault {
                break;
            }
            failed += 1;
        }
    }
    assert!(failed > 100, "{failed}");
}

fn names_the_place(error: &Error, what: &str) {
    let named = matches!(error.place(), Place::File { path, offset: Some(_) } if path == NAME);
    let known = matches!(
        error.code(),
        Code::Corrupt | Code::NotADatabase | Code::NewerFormat
    );
    assert!(named && known, "{what}: {error:?} {:?}", error.place());
}

/// Everything of a backup is read where it lies; the error, if there is one.
fn read_in_place(bytes: &[u8]) -> Result<()> {
    let mut engine = in_place(bytes, &small())?;
    for table in engine.tables()? {
        engine.db.view(&table, None)?;
    }
    Ok(())
}

/// Every damage of these bytes is noticed, in place and by a restore, which then leaves nothing.
fn is_noticed(bytes: &[u8], what: &str) {
    let error = read_in_place(bytes).expect_err(what);
    names_the_place(&error, &format!("in place, {what}"));
    let store = MemoryStore::new();
    let error = restore(Rc::new(store.clone()), bytes).expect_err(what);
    names_the_place(&error, &format!("restoring, {what}"));
    assert_eq!(store.paths(), ["LOCK"], "{what}");
}

#[test]
fn no_damage_passes() {
    let mut cases = 0;
    for seed in seeds(1, 4) {
        let small = database(seed, pick(10, 40));
        let bytes = backup(&mut reader(&FaultStore::from_files(small.files))).unwrap();
        read_in_place(&bytes).unwrap();
        let mut random = Random::new(seed);
        for at in 0..bytes.len() {
            let flip = 1 << random.below(8);
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            is_noticed(
                &damaged,
                &format!("seed {seed}: byte {at} of {} ^ {flip:#04x}", bytes.len()),
            );
            cases += 1;
        }
        for length in 0..bytes.len() {
            is_noticed(
                &bytes[..length],
                &format!("seed {seed}: cut to {length} of {}", bytes.len()),
            );
            cases += 1;
        }
        is_noticed(&[&bytes[..], &[0]].concat(), "a byte more");
        is_noticed(&[&bytes[..], &bytes[..]].concat(), "twice");
    }
    println!("backups: {cases} damages noticed");
}

#[test]
fn what_is_no_backup_is_refused() {
    for bytes in [&b""[..], b"driftdb", &[0; 512], &[0; 4096], &[b'x'; 10_000]] {
        let error = archive(bytes).err().unwrap();
        assert_eq!(
            error.code(),
            Code::NotADatabase,
            "{} bytes: {error:?}",
            bytes.len()
        );
        let error = restore(Rc::new(MemoryStore::new()), bytes).unwrap_err();
        names_the_place(&error, "a restore");
    }
}

/// Blocks of a backup in any order, repeated, left out, with bytes changed: an error, never a panic.
#[test]
fn mixed_up_blocks() {
    let small = database(5, 12);
    let bytes = backup(&mut reader(&FaultStore::from_files(small.files))).unwrap();
    let blocks: Vec<&[u8]> = bytes.chunks(512).collect();
    for seed in seeds(500, 20_000) {
        let mut random = Random::new(seed);
        let mut mixed: Vec<&[u8]> = blocks.clone();
        for _ in 0..1 + random.below(3) {
            let (one, two) = (random.index(mixed.len()), random.index(mixed.len()));
            match random.below(3) {
                0 => mixed.swap(one, two),
                1 => mixed.insert(one, blocks[two % blocks.len()]),
                _ => drop(mixed.remove(one)),
            }
        }
        let mixed = mixed.concat();
        if mixed != bytes {
            is_noticed(&mixed, &format!("seed {seed}"));
        }
    }
}
