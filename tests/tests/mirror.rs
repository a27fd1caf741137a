//! The mirror: a process ends between any two of its transactions, and what is stored is the database as it was. Damaged and missing records, a second
//! writer, the limit of its size.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use driftdb_core::storage::{Access, Blob, Lock, LockState, Store, Synced};
use driftdb_core::{Code, Result};
use driftdb_tests::budget::{pick, seeds};
use driftdb_tests::check::Depth;
use driftdb_tests::conformance::CONTRACTS;
use driftdb_tests::contract::all_files;
use driftdb_tests::engine::small;
use driftdb_tests::fault::Mount;
use driftdb_tests::golden::fingerprint;
use driftdb_tests::oracle::Oracle;
use driftdb_tests::random::Random;
use driftdb_tests::recovery::recover;
use driftdb_tests::session::{Session, listing, script};
use driftdb_tests::workload::Mix;
use driftdb_wasm::container::Container;
use driftdb_wasm::mirror::{Loader, Mirror, Transaction};

/// A store of keys and values, as a browser has it.
#[derive(Clone, Default)]
struct Records(BTreeMap<String, Vec<u8>>);

impl Records {
    /// Does a transaction; false if another writer was there.
    fn apply(&mut self, transaction: &Transaction) -> bool {
        if self.0.get("head") != transaction.expected_head.as_ref() {
            return false;
        }
        for keys in &transaction.deletes {
            self.0.retain(|key, _| !keys.contains(key));
        }
        self.0.extend(transaction.puts.iter().cloned());
        true
    }

    fn load(&self, limit: u64) -> Result<Mirror> {
        let mut loader = Loader::new();
        self.0
            .iter()
            .try_for_each(|(key, value)| loader.add(key, value))?;
        loader.finish(limit)
    }
}

/// A mirror that is drained after every call that changes something.
#[derive(Clone)]
struct Drained {
    mirror: Mirror,
    log: Rc<RefCell<Vec<Transaction>>>,
}

impl Drained {
    fn new(mirror: Mirror) -> Drained {
        let log = Rc::default();
        Drained { mirror, log }
    }

    fn done<T>(&self, done: T) -> Result<T> {
        self.log.borrow_mut().extend(self.mirror.drain()?);
        Ok(done)
    }
}

impl Mount for Drained {
    fn mount(&self) -> Result<(Rc<dyn Store>, Option<Container>)> {
        Ok((Rc::new(self.clone()), None))
    }
}

impl Store for Drained {
    fn lock(&self) -> Result<Box<dyn Lock>> {
        self.done(self.mirror.lock()?)
    }

    fn lock_state(&self) -> Result<LockState> {
        self.mirror.lock_state()
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        self.mirror.list(dir)
    }

    fn open(&self, path: &str, access: Access) -> Result<Option<Box<dyn Blob>>> {
        let blob = self.mirror.open(path, access)?;
        Ok(blob.map(|blob| Box::new(DrainedBlob(self.clone(), blob)) as Box<dyn Blob>))
    }

    fn create(&self, path: &str) -> Result<Box<dyn Blob>> {
        let blob = self.done(self.mirror.create(path)?)?;
        Ok(Box::new(DrainedBlob(self.clone(), blob)))
    }

    fn remove(&self, path: &str) -> Result<()> {
        self.done(self.mirror.remove(path)?)
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.done(self.mirror.rename(from, to)?)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<Synced> {
        self.done(self.mirror.replace(path, bytes)?)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.mirror.read(path)
    }
}

struct DrainedBlob(Drained, Box<dyn Blob>);

impl Blob for DrainedBlob {
    fn len(&self) -> Result<u64> {
        self.1.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.1.read_at(offset, buf)
    }

    fn append(&mut self, end: u64, bytes: &[u8]) -> Result<()> {
        self.1.append(end, bytes)?;
        self.0.done(())
    }

    fn sync(&mut self) -> Result<Synced> {
        self.1.sync()
    }

    fn truncate(&mut self, len: u64) -> Result<()> {
        self.1.truncate(len)?;
        self.0.done(())
    }
}

const LIMIT: u64 = 64 << 20;

fn empty() -> Mirror {
    Loader::new().finish(LIMIT).unwrap()
}

#[test]
fn the_contracts_of_a_store_hold() {
    for (name, contract) in CONTRACTS {
        println!("{name}");
        contract(Rc::new(Drained::new(empty())));
    }
}

/// The engine on a mirror; the process ends after each transaction in turn.
#[test]
fn every_prefix_of_its_transactions_is_the_database_as_it_was() {
    let (mut ends, mut answers) = (0, 0);
    let mix = Mix {
        transaction: 40,
        snapshot: 6,
        maintain: 12,
        compact: 6,
        reopen: 4,
        ..Mix::default()
    };
    for seed in seeds(1, 30) {
        let script = script(seed, mix, 100);
        let home = Drained::new(empty());
        let mut session = Session::create(home.clone(), small());
        // After how many transactions the database was in which state.
        let mut states: Vec<(usize, Oracle)> =
            vec![(home.log.borrow().len(), session.oracle.clone())];
        for (op, clock) in &script {
            session
                .step(op, *clock)
                .unwrap_or_else(|what| panic!("{}{what}", listing(&script)));
            assert!(session.error.is_none(), "{:?}", session.error);
            states.push((home.log.borrow().len(), session.oracle.clone()));
        }
        let log = home.log.borrow().clone();
        let mut records = Records::default();
        for end in 0..=log.len() {
            if end > 0 {
                assert!(records.apply(&log[end - 1]));
            }
            let chosen = end < log.len() && !(end as u64 + seed).is_multiple_of(pick(4, 1));
            if chosen {
                continue;
            }
            ends += 1;
            let after = states.partition_point(|(count, _)| *count <= end);
            let acknowledged = after
                .checked_sub(1)
                .map_or_else(Oracle::new, |last| states[last].1.clone());
            let in_flight = states.get(after).map(|(_, state)| state);
            let found = Drained::new(records.load(LIMIT).unwrap());
            let depth = Depth::Some(3);
            answers += recover(
                &found,
                &small(),
                &acknowledged,
                in_flight,
                depth,
                end as u64,
            )
            .unwrap_or_else(|what| {
                panic!(
                    "seed {seed}, after {end} transactions:\n{}{what}",
                    listing(&script)
                )
            });
            // What it went on with is stored as well.
            let mut later = records.clone();
            assert!(found.log.borrow().iter().all(|next| later.apply(next)));
            let later = later.load(LIMIT).unwrap();
            assert!(contents(&later) == contents(&found.mirror));
        }
        assert!(
            log.iter()
                .any(|transaction| !transaction.deletes.is_empty())
        );
    }
    println!("mirror hunt: {ends} ends, {answers} answers compared");
}

fn contents(store: &dyn Store) -> BTreeMap<String, Vec<u8>> {
    let files = all_files(store, "").unwrap().into_iter();
    files
        .map(|path| (path.clone(), store.read(&path).unwrap().unwrap()))
        .collect()
}

/// Random files, drained at random; what is stored is what memory was, many times over and from one mirror to the next.
#[test]
fn what_is_stored_is_what_was_in_memory() {
    for seed in seeds(6, 200) {
        let mut random = Random::new(seed);
        let (mut records, mut mirror) = (Records::default(), empty());
        let mut folds = 0;
        for _ in 0..900 {
            let path = format!("d/{}", random.below(6));
            let bytes = vec![random.bits() as u8; random.index(60_000)];
            match random.below(12) {
                0 => mirror.remove(&path).unwrap(),
                1 => drop(mirror.replace(&path, &bytes).unwrap()),
                2 if mirror.open(&path, Access::Read).unwrap().is_some() => {
                    mirror
                        .rename(&path, &format!("d/{}", random.below(6)))
                        .unwrap();
                }
                3 => {
                    if let Some(mut blob) = mirror.open(&path, Access::Write).unwrap() {
                        let len = blob.len().unwrap();
                        blob.truncate(random.below(len + 1)).unwrap();
                    }
                }
                4 => {
                    let loaded = records.load(LIMIT).unwrap();
                    if mirror.position() == mirror.durable() {
                        assert!(contents(&loaded) == contents(&mirror), "seed {seed}");
                        assert_eq!(loaded.bytes(), mirror.bytes());
                        mirror = loaded;
                    }
                }
                _ => {
                    let mut blob = match mirror.open(&path, Access::Write).unwrap() {
                        Some(blob) => blob,
                        None => mirror.create(&path).unwrap(),
                    };
                    let end = blob.len().unwrap();
                    blob.append(end, &bytes).unwrap();
                    let position = mirror.position();
                    assert_eq!(blob.sync().unwrap(), Synced::Pending(position));
                }
            }
            if random.chance(70)
                && let Some(transaction) = mirror.drain().unwrap()
            {
                assert!(records.apply(&transaction));
                folds += usize::from(!transaction.deletes.is_empty());
                mirror.settled(transaction.position);
                assert_eq!(mirror.durable(), mirror.position());
            }
        }
        assert!(folds > 2);
        let stored: usize = records.0.values().map(Vec::len).sum();
        assert!(
            (stored as u64) < 2 * mirror.bytes() + (4 << 20),
            "{stored} bytes for {}",
            mirror.bytes()
        );
    }
}

fn sample() -> (Records, BTreeMap<String, Vec<u8>>) {
    let mirror = empty();
    let mut records = Records::default();
    for index in 0..300u32 {
        mirror
            .replace(
                &format!("d/{}", index % 5),
                format!("text {index}").as_bytes(),
            )
            .unwrap();
        records.apply(&mirror.drain().unwrap().unwrap());
    }
    (records, contents(&mirror))
}

/// The same calls write the same records, now and in every version: another number here is another format.
#[test]
fn the_records_are_as_the_format_says() {
    let records = sample().0.0;
    let all: Vec<u8> = records
        .into_iter()
        .flat_map(|(key, value)| [key.into_bytes(), value].concat())
        .collect();
    assert_eq!(fingerprint(&all), 16_075_791_864_945_897_860);
}

#[test]
fn damaged_and_missing_records_are_named() {
    let (records, _) = sample();
    assert!(records.0.keys().any(|key| key.starts_with("chunk/")));
    for (key, value) in &records.0 {
        for at in 0..value.len() {
            let mut damaged = records.clone();
            damaged.0.get_mut(key).unwrap()[at] ^= 0x10;
            let error = damaged.load(LIMIT).err().unwrap();
            assert_eq!(error.code(), Code::Corrupt, "{key}, byte {at}");
            assert!(error.to_string().contains(key.as_str()), "{error}");
        }
        let mut lacking = records.clone();
        lacking.0.remove(key);
        let error = lacking
            .load(LIMIT)
            .err()
            .unwrap_or_else(|| panic!("{key} is not missed"));
        assert_eq!(error.code(), Code::Corrupt, "{key}");
        // A value under another key is not taken for it.
        let mut moved = records.clone();
        moved
            .0
            .insert("batch/00000000000000ff".into(), value.clone());
        assert!(moved.load(LIMIT).is_err());
    }
}

#[test]
fn of_two_writers_one_goes_on() {
    let (mut records, _) = sample();
    let (one, two) = (records.load(LIMIT).unwrap(), records.load(LIMIT).unwrap());
    one.replace("a", b"one").unwrap();
    two.replace("a", b"two").unwrap();
    assert!(records.apply(&one.drain().unwrap().unwrap()));
    assert!(!records.apply(&two.drain().unwrap().unwrap()));
    assert_eq!(
        records.load(LIMIT).unwrap().read("a").unwrap().unwrap(),
        b"one"
    );
}

#[test]
fn the_limit_is_an_error_that_says_so() {
    let mirror = Loader::new().finish(1000).unwrap();
    let mut blob = mirror.create("a").unwrap();
    blob.append(0, &[1; 900]).unwrap();
    let error = blob.append(900, &[1; 101]).unwrap_err();
    assert_eq!(error.code(), Code::StorageFull);
    assert!(error.message().contains("1000 bytes"), "{error}");
    assert!(mirror.replace("b", &[1; 101]).is_err());
    blob.truncate(0).unwrap();
    mirror.replace("b", &[1; 101]).unwrap();
    assert_eq!(
        (mirror.bytes(), mirror.read("a").unwrap().unwrap().len()),
        (101, 0)
    );
}
