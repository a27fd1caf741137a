//! The container by itself: random blobs under crashes at every call, each damaged byte of its catalogue, full disks and odd answers, how many flushes
//! a commit costs, how large it grows and how much opening reads.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use driftdb_core::storage::{Access, Blob, Store};
use driftdb_core::{Code, Error, Place, Result};
use driftdb_tests::budget::{pick, seeds};
use driftdb_tests::contract::{Model, all_files};
use driftdb_tests::fault::{CallKind, Effect, Fault, FaultStore, Survival, What};
use driftdb_tests::golden::fingerprint;
use driftdb_tests::random::Random;
use driftdb_wasm::container::{Container, File};

/// Blobs and their numbers in the model.
type Open = Vec<(usize, Box<dyn Blob>)>;

/// A container, its model and what is open.
struct Walk {
    store: FaultStore,
    container: Container,
    model: Model,
    open: Open,
    random: Random,
    /// What was done, for a failure's message.
    log: Vec<String>,
}

const PATHS: usize = 9;

/// Some names are long, so that the catalogue is often full.
fn path(index: usize) -> String {
    let dir = ["", "d/", "e/"][index % 3];
    let len = if index.is_multiple_of(2) { 1 } else { 3000 };
    format!("{dir}{}{index}", "x".repeat(len))
}

impl Walk {
    fn start(store: FaultStore, model: Model, seed: u64) -> Result<Walk> {
        let container = store.container()?;
        let (open, random) = (Vec::new(), Random::new(seed));
        Ok(Walk {
            store,
            container,
            model,
            open,
            random,
            log: Vec::new(),
        })
    }

    /// Runs random operations until the store fails or there were `count`; the error of a failure.
    fn run(&mut self, count: usize) -> Option<Error> {
        for _ in 0..count {
            if let Err(error) = self.step() {
                return Some(error);
            }
        }
        None
    }

    fn bytes(&mut self, max: u64) -> Vec<u8> {
        let count = match self.random.below(4) {
            0 => self.random.below(20),
            1 => self.random.below(600),
            _ => self.random.below(max),
        };
        // Mostly not zeros, so that a byte of another blob stands out.
        (0..count)
            .map(|_| (1 + self.random.below(255)) as u8 * u8::from(self.random.chance(90)))
            .collect()
    }

    fn step(&mut self) -> Result<()> {
        let index = self.random.index(PATHS);
        let path = &*path(index);
        self.log.push(format!("path {index}: "));
        match self.random.below(100) {
            0..10 => self.create(path),
            10..16 => {
                self.note("remove");
                self.model.remove(path);
                self.container.remove(path)
            }
            16..24 => {
                let bytes = self.bytes(5000);
                self.note(&format!("replace {}", bytes.len()));
                let done = self.container.replace(path, &bytes);
                self.model.replace(path, &bytes, done.is_ok());
                done.map(|_| ())
            }
            24..28 => self.rename(path),
            28..36 => self.open(path),
            36..40 if !self.open.is_empty() => {
                self.open.swap_remove(self.random.index(self.open.len()));
                Ok(())
            }
            40..42 => self.reopen(),
            _ if !self.open.is_empty() => self.change(),
            _ => self.create(path),
        }
    }

    fn note(&mut self, what: &str) {
        if let Some(line) = self.log.last_mut() {
            line.push_str(what);
        }
    }

    fn create(&mut self, path: &str) -> Result<()> {
        if self.model.paths().iter().any(|(other, _)| other == path) {
            assert!(self.container.create(path).is_err());
            return Ok(());
        }
        self.note("create");
        let blob = self.container.create(path)?;
        self.open.push((self.model.create(path), blob));
        Ok(())
    }

    fn rename(&mut self, to: &str) -> Result<()> {
        let dir = to.rsplit_once('/').map_or("", |(dir, _)| dir);
        let names = self.model.paths().into_iter().map(|(path, _)| path);
        let siblings: Vec<String> = names
            .filter(|path| path.rsplit_once('/').map_or("", |(dir, _)| dir) == dir && path != to)
            .collect();
        if siblings.is_empty() {
            return Ok(());
        }
        let from = self.random.pick(&siblings).clone();
        self.note(&format!("rename from {from}"));
        let done = self.container.rename(&from, to);
        self.model.rename(&from, to, done.is_ok());
        done
    }

    fn open(&mut self, path: &str) -> Result<()> {
        let blob = self.container.open(path, Access::Write)?;
        let found = self
            .model
            .paths()
            .into_iter()
            .find(|(other, _)| other == path);
        assert_eq!(blob.is_some(), found.is_some(), "{path}");
        self.open.extend(found.map(|(_, id)| id).zip(blob));
        Ok(())
    }

    fn reopen(&mut self) -> Result<()> {
        self.note("reopen");
        self.open.clear();
        self.container.close()?;
        self.model.close();
        self.container = self.store.container()?;
        Ok(())
    }

    fn change(&mut self) -> Result<()> {
        let at = self.random.index(self.open.len());
        let bytes = self.bytes(9000);
        let kind = self.random.below(10);
        let (id, kinds) = (
            self.open[at].0,
            [
                "append", "append", "append", "append", "reserve", "truncate", "sync", "sync",
                "sync", "read",
            ],
        );
        self.note(&format!(
            "{} {}, file {id}",
            kinds[kind as usize],
            bytes.len()
        ));
        let (id, blob) = &mut self.open[at];
        let live = self.model.file(*id).live.clone();
        assert_eq!(blob.len()?, live.len() as u64);
        match kind {
            0..4 => {
                let end = live
                    .iter()
                    .rposition(|byte| *byte != 0)
                    .map_or(0, |last| last + 1);
                let end = if self.random.chance(50) {
                    end
                } else {
                    live.len()
                };
                let done = blob.append(end as u64, &bytes);
                self.model.append(*id, end, &bytes);
                done
            }
            4 => {
                let len = live.len() + self.random.index(20_000);
                let done = blob.reserve(len as u64);
                // It is a hint.
                if done.is_err() || blob.len()? == len as u64 {
                    self.model.reserve(*id, len);
                }
                done
            }
            5 => {
                let len = self.random.index(live.len() + 1);
                let done = blob.truncate(len as u64);
                self.model.truncate(*id, len);
                done?;
                if bytes.len().is_multiple_of(2) {
                    blob.sync()?;
                    self.model.sync(*id);
                    let done = blob.append(len as u64, &bytes);
                    self.model.append(*id, len, &bytes);
                    done?;
                    blob.sync()?;
                    self.model.sync(*id);
                }
                Ok(())
            }
            6..9 => {
                blob.sync()?;
                self.model.sync(*id);
                Ok(())
            }
            _ => {
                let mut bytes = vec![0; live.len() + 1];
                let count = blob.read_at(0, &mut bytes)?;
                assert!(
                    bytes[..count] == live,
                    "a blob reads otherwise than it was written"
                );
                Ok(())
            }
        }
    }
}

/// Random blobs, stopped at every call; then on from what was left, stopped again.
#[test]
fn random_blobs_survive_crashes() {
    let (mut crashes, mut stops) = (0, 0);
    for seed in seeds(5, 600) {
        let count = 150;
        let mut whole = Walk::start(FaultStore::packed(), Model::default(), seed).unwrap();
        if let Some(error) = whole.run(count) {
            panic!("seed {seed}, without a fault: {error:?}");
        }
        whole.model.clone().survive(&whole.container).unwrap();
        for stop in (1 + seed % 3..=whole.store.calls()).step_by(pick(3, 1)) {
            stops += 1;
            let store = FaultStore::packed();
            store.script(Some(Fault {
                at: stop,
                what: What::Stop,
            }));
            let Ok(mut walk) = Walk::start(store.clone(), Model::default(), seed) else {
                let crashed = store.crash(Survival::Mixed(seed ^ (stop << 8)));
                crashed
                    .container()
                    .unwrap_or_else(|error| panic!("seed {seed}, stop {stop}: {error:?}"));
                continue;
            };
            walk.run(count);
            for round in 0..4 {
                crashes += 1;
                let survival = match round {
                    0 => Survival::Dropped,
                    1 => Survival::Kept,
                    _ => Survival::Mixed(seed ^ (stop << 8) ^ (round << 40)),
                };
                let context = format!("seed {seed}, stop {stop}, {survival:?}");
                survive(
                    &walk.store.crash(survival),
                    &walk.model,
                    seed ^ stop ^ round,
                    &context,
                );
            }
            killed(walk, seed ^ stop, &format!("seed {seed}, stop {stop}"));
        }
    }
    println!("container hunt: {stops} stops, {crashes} crashes recovered");
    assert!(stops > 0);
}

/// The process dies and another one goes on; then the machine stops too. What the first one had written and not flushed may be lost then, and
/// must not have been relied on.
fn killed(walk: Walk, seed: u64, context: &str) {
    let Walk {
        store, mut model, ..
    } = walk;
    let mut random = Random::new(seed);
    store.restart();
    let bytes = vec![9; 3000 + random.index(20_000)];
    store.stop_in(1 + random.below(8));
    let Ok(container) = store.container() else {
        return;
    };
    // What the second process has found is settled by its first write that has returned.
    let found = model.survive(&container);
    let found = found.unwrap_or_else(|what| panic!("{context}, killed: {what}"));
    match container.replace("d/killed", &bytes) {
        Ok(_) => {
            model = found;
            model.replace("d/killed", &bytes, true);
        }
        Err(_) => model.replace("d/killed", &bytes, false),
    }
    drop(container);
    for survival in [
        Survival::Mixed(seed),
        Survival::Mixed(seed + 1),
        Survival::Dropped,
    ] {
        let crashed = store.crash(survival);
        let context = format!("{context}, killed, then {survival:?}");
        survive(&crashed, &model, seed, &context);
    }
}

/// Compares what a crash left, goes on, and crashes twice more.
fn survive(crashed: &FaultStore, model: &Model, seed: u64, context: &str) {
    let (mut store, mut model) = (crashed.clone(), model.clone());
    let mut random = Random::new(seed);
    let mut log = Vec::new();
    for again in 0..3 {
        let container = store
            .container()
            .unwrap_or_else(|error| panic!("{context}, again {again}: {error:?}"));
        model = model
            .survive(&container)
            .unwrap_or_else(|what| panic!("{context}, again {again}: {what}\n{}", log.join("\n")));
        drop(container);
        store.stop_in(1 + random.below(60));
        let Ok(mut walk) = Walk::start(store.clone(), model.clone(), seed ^ (again << 20)) else {
            store = store.crash(Survival::Mixed(random.bits()));
            continue;
        };
        walk.run(40);
        log = walk.log;
        model = walk.model;
        store = store.crash(Survival::Mixed(random.bits()));
    }
}

/// Each call fails once: an error is answered, what is there can be read, and after a restart or a crash all that was synced is there.
#[test]
fn failing_calls_and_full_disks() {
    let all = [
        What::Error(Code::Io, Effect::None),
        What::Error(Code::Io, Effect::Half),
        What::Error(Code::StorageFull, Effect::Half),
        What::Error(Code::Io, Effect::Whole),
        What::Full,
    ];
    let mut full = 0;
    for seed in seeds(2, 100) {
        let mut whole = Walk::start(FaultStore::packed(), Model::default(), seed).unwrap();
        whole.run(100);
        for at in (1..=whole.store.calls()).step_by(pick(3, 1)) {
            for what in all {
                let store = FaultStore::packed();
                store.script(Some(Fault { at, what }));
                let Ok(mut walk) = Walk::start(store.clone(), Model::default(), seed) else {
                    continue;
                };
                let error = walk.run(100);
                full += u64::from(error.is_some_and(|error| error.code() == Code::StorageFull));
                let context = format!("seed {seed}, {what:?} at call {at}");
                // Reading goes on, whatever has happened.
                for path in all_files(&walk.container, "").unwrap() {
                    walk.container
                        .read(&path)
                        .unwrap_or_else(|error| panic!("{context}: {error:?}"));
                }
                store.script(None);
                for survival in [Survival::Kept, Survival::Dropped, Survival::Mixed(at)] {
                    survive(&store.crash(survival), &walk.model, seed ^ at, &context);
                }
            }
        }
    }
    assert!(full > 0);
}

/// The container's one file, as bytes.
fn bytes_of(store: &FaultStore) -> Vec<u8> {
    store.files().into_values().next().unwrap()
}

fn store_of(bytes: Vec<u8>) -> FaultStore {
    let store = FaultStore::packed();
    store.packed_file().write_at(0, &bytes).unwrap();
    store
}

fn contents(container: &Container) -> Result<BTreeMap<String, Vec<u8>>> {
    let paths = all_files(container, "")?;
    paths
        .into_iter()
        .map(|path| Ok((path.clone(), container.read(&path)?.unwrap_or_default())))
        .collect()
}

/// A container with several batches in its catalogue, and what it holds.
fn sample() -> (Vec<u8>, BTreeMap<String, Vec<u8>>) {
    let store = FaultStore::packed();
    let container = store.container().unwrap();
    for index in 0..8 {
        container
            .replace(
                &format!("t/{index}/meta.json"),
                format!("{{\"n\":{index}}}").as_bytes(),
            )
            .unwrap();
        let mut blob = container
            .create(&format!("t/{index}/segments/1.seg"))
            .unwrap();
        blob.append(0, &vec![index + 1; 300 * usize::from(index + 1)])
            .unwrap();
        blob.sync().unwrap();
    }
    container.remove("t/3/meta.json").unwrap();
    container.rename("t/4/meta.json", "t/4/other").unwrap();
    let contents = contents(&container).unwrap();
    (bytes_of(&store), contents)
}

/// The end of what the catalogue has written.
fn catalogue_end(bytes: &[u8]) -> usize {
    let area = &bytes[4096..17 * 4096];
    4096 + area.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

/// The same calls write the same bytes, now and in every version: another number here is another format.
#[test]
fn the_bytes_are_as_the_format_says() {
    assert_eq!(fingerprint(&sample().0), 9_363_327_594_303_561_513);
}

#[test]
fn every_damaged_byte_of_the_catalogue_is_mended_or_named() {
    let (bytes, expected) = sample();
    let mut mended = 0;
    for at in (0..4096).chain(4096..catalogue_end(&bytes)) {
        for flip in pick(vec![1 << (at % 8)], vec![0x01, 0x80, 0xff]) {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            let found = store_of(damaged)
                .container()
                .and_then(|container| contents(&container));
            match found {
                Ok(found) => {
                    assert!(found == expected, "byte {at} ^ {flip}: another answer");
                    mended += 1;
                }
                Err(error) => assert_named(&error, at),
            }
        }
    }
    println!("container corruption: {mended} damaged bytes mended");
    assert!(mended > 0);
}

fn assert_named(error: &Error, at: usize) {
    let named =
        matches!(error.place(), Place::File { path, offset: Some(_) } if path == "database.drift");
    assert!(
        named && error.code() == Code::Corrupt,
        "byte {at}: {error:?}"
    );
}

/// Several bytes damaged: never a panic, and where both copies of a batch are hit, an error, the last batch of an unclean stop excepted: that is a torn write.
#[test]
fn heavy_damage_is_named() {
    let (bytes, expected) = sample();
    let end = catalogue_end(&bytes);
    let mut named = 0;
    for seed in 0..pick(400, 20_000) {
        let mut random = Random::new(seed);
        let mut damaged = bytes.clone();
        for _ in 0..1 + random.below(8) {
            let start = random.index(end);
            let len = 1 + random.index(200);
            damaged[start..(start + len).min(end)]
                .iter_mut()
                .for_each(|byte| *byte = random.bits() as u8);
        }
        match store_of(damaged)
            .container()
            .and_then(|container| contents(&container))
        {
            Ok(found) => {
                assert!(found.keys().all(|path| path.starts_with("t/")) && !found.is_empty())
            }
            Err(error) => {
                assert_named(&error, 0);
                named += 1;
            }
        }
    }
    // Both copies of one batch in the middle.
    let needle: Vec<u8> = [1u64.to_le_bytes(), 5u64.to_le_bytes()].concat();
    let places: Vec<usize> = (0..end - 16)
        .filter(|at| bytes[*at..at + 16] == needle[..])
        .collect();
    assert_eq!(places.len(), 2);
    let mut damaged = bytes.clone();
    places.iter().for_each(|at| damaged[at + 20] ^= 1);
    let error = store_of(damaged).container().err().unwrap();
    assert_named(&error, places[0]);
    assert!(named > 0 && expected.len() == 15);
}

/// A container is never taken for an empty one.
#[test]
fn a_damaged_first_page_is_no_new_container() {
    let (bytes, _) = sample();
    for len in [0, 1, 512, 4096] {
        let mut damaged = bytes.clone();
        damaged[..len].fill(0xa5);
        damaged[1024..1024 + len.min(2000)].fill(0);
        let opened = store_of(damaged).container();
        match len {
            0 => assert!(opened.is_ok()),
            4096 => assert_named(&opened.err().unwrap(), 0),
            _ => {}
        }
    }
    let mut cut = bytes.clone();
    cut[..4096].fill(0);
    assert_named(&store_of(cut).container().err().unwrap(), 0);
}

fn flushes(store: &FaultStore) -> usize {
    store
        .trace()
        .iter()
        .filter(|call| call.kind == CallKind::Sync)
        .count()
}

#[test]
fn a_commit_costs_one_flush_and_one_write() {
    let store = FaultStore::packed();
    let container = store.container().unwrap();
    let mut blobs: Vec<_> = (0..3)
        .map(|index| container.create(&format!("t/{index}")).unwrap())
        .collect();
    for blob in &mut blobs {
        blob.append(0, b"header").unwrap();
        blob.reserve(100_000).unwrap();
        blob.sync().unwrap();
    }
    let (calls, before) = (store.calls(), flushes(&store));
    for round in 0..100 {
        for blob in &mut blobs {
            blob.append(6 + round * 50, &[7; 50]).unwrap();
        }
        for blob in &mut blobs {
            blob.sync().unwrap();
        }
    }
    assert_eq!(flushes(&store) - before, 100);
    assert_eq!(store.calls() - calls, 400);
    // What grows costs one more write, and no more flushes.
    let before = flushes(&store);
    for round in 0..10 {
        blobs[0].append(100_000 + round * 50, &[7; 50]).unwrap();
        blobs[0].sync().unwrap();
    }
    assert_eq!(flushes(&store) - before, 10);
}

/// Files come and go for long: the container stays about as large as what it has held at once, and small after what it holds has shrunk.
#[test]
fn it_does_not_grow_for_ever() {
    let store = FaultStore::packed();
    let container = store.container().unwrap();
    let mut random = Random::new(7);
    for round in 0..pick(600, 6000) {
        let path = format!("t/{}", random.below(20));
        container.remove(&path).unwrap();
        let mut blob = container.create(&path).unwrap();
        let mut end = 0;
        for _ in 0..1 + random.below(6) {
            let bytes = vec![1; 1 + random.index(100_000)];
            blob.append(end, &bytes).unwrap();
            end += bytes.len() as u64;
        }
        blob.sync().unwrap();
        if round % 100 == 0 {
            container.replace("t/meta", b"{}").unwrap();
        }
    }
    let held: u64 = contents(&container)
        .unwrap()
        .values()
        .map(|bytes| bytes.len() as u64)
        .sum();
    let (len, _) = container.room();
    assert!(len < 3 * held, "{len} bytes for {held}");
    for index in 0..19 {
        container.remove(&format!("t/{index}")).unwrap();
    }
    let held = contents(&container).unwrap();
    container.close().unwrap();
    let (len, free) = container.room();
    assert!(len < (3 << 20), "{len} bytes, {free} free");
    drop(container);
    assert!(contents(&store.container().unwrap()).unwrap() == held);
}

/// A container with blobs of these lengths, one after another; a name that comes again grows.
fn filled(lengths: &[(&str, usize)]) -> (FaultStore, Container) {
    let store = FaultStore::packed();
    let container = store.container().unwrap();
    for (number, (path, len)) in lengths.iter().enumerate() {
        let opened = container.open(path, Access::Write).unwrap();
        let mut blob = opened.unwrap_or_else(|| container.create(path).unwrap());
        let end = blob.len().unwrap();
        blob.append(end, &vec![number as u8 + 1; *len]).unwrap();
        blob.sync().unwrap();
    }
    (store, container)
}

/// Closing moves blobs to the front; stopped at every call of it, everything is there.
fn stopped_close(lengths: &[(&str, usize)], removed: &[&str]) {
    let build = || {
        let (store, container) = filled(lengths);
        removed
            .iter()
            .for_each(|path| container.remove(path).unwrap());
        container.replace("meta", b"{}").unwrap();
        (store, container)
    };
    let (store, container) = build();
    let (held, calls) = (contents(&container).unwrap(), store.calls());
    container.close().unwrap();
    let closing = store.calls() - calls;
    assert!(closing > 5);
    for stop in 1..=closing {
        let (store, container) = build();
        store.stop_in(stop);
        assert!(container.close().is_err());
        for seed in 0..8 {
            let crashed = store.crash(Survival::Mixed(seed ^ (stop << 8)));
            let found = contents(&crashed.container().unwrap()).unwrap();
            assert!(found == held, "stop {stop}, seed {seed}");
        }
    }
}

#[test]
fn a_stopped_close_loses_nothing() {
    let large = ["a", "b", "c", "d", "e", "f"].map(|path| (path, 700_000));
    stopped_close(&large, &["a", "b", "c", "d"]);
    // What is moved first leaves room in which the next one must not go yet.
    let pieces = [
        ("g", 80_000),
        ("x", 40_000),
        ("z", 8000),
        ("w", 2_000_000),
        ("x", 40_000),
    ];
    stopped_close(&pieces, &["g", "w"]);
}

/// The catalogue moves when its area is full; it must not move to where a blob lies that is only about to go.
#[test]
fn pages_are_free_when_the_batch_that_frees_them_is_durable() {
    let build = || {
        let (store, container) = filled(&[("big", 100_000), ("other", 10)]);
        for number in 0..16 {
            container.replace("meta", &[number; 2000]).unwrap();
        }
        (store, container)
    };
    let finish = |container: &Container| -> Result<()> {
        container.remove("big")?;
        (0..4).try_for_each(|number| container.replace("meta", &[number; 2000]).map(|_| ()))
    };
    for stop in 1.. {
        let (store, container) = build();
        store.stop_in(stop);
        if finish(&container).is_ok() {
            assert!(stop > 5);
            break;
        }
        for seed in 0..16 {
            let crashed = store
                .crash(Survival::Mixed(seed ^ (stop << 8)))
                .container()
                .unwrap();
            if let Some(bytes) = crashed.read("big").unwrap() {
                assert!(bytes == [1; 100_000], "stop {stop}, seed {seed}");
            }
        }
    }
}

#[test]
fn what_was_cut_does_not_come_back_behind_what_is_appended() {
    for seed in 0..64 {
        let (store, container) = filled(&[("a", 10_000)]);
        let mut blob = container.open("a", Access::Write).unwrap().unwrap();
        blob.truncate(10).unwrap();
        blob.sync().unwrap();
        blob.append(10, &[8; 3000]).unwrap();
        store.stop_in(1 + seed % 3);
        let _ = blob.sync();
        let crashed = store.crash(Survival::Sectors(seed)).container().unwrap();
        let bytes = crashed.read("a").unwrap().unwrap();
        assert!(
            bytes[10..].iter().all(|byte| [0, 8].contains(byte)),
            "seed {seed}"
        );
    }
}

#[test]
fn reserving_behind_an_unsynced_cut_changes_nothing_yet() {
    let store = FaultStore::packed();
    let container = store.container().unwrap();
    let mut blob = container.create("a").unwrap();
    blob.append(0, &[7; 10_000]).unwrap();
    blob.sync().unwrap();
    blob.truncate(10).unwrap();
    blob.reserve(5000).unwrap();
    let crashed = store.crash(Survival::Kept).container().unwrap();
    assert_eq!(crashed.read("a").unwrap().unwrap(), [7; 10_000]);
}

/// A file in memory that counts its reads and answers as it is told.
#[derive(Clone, Default)]
struct OddFile {
    bytes: Rc<RefCell<Vec<u8>>>,
    reads: Rc<Cell<(u64, u64)>>,
    odd: Rc<Cell<Option<usize>>>,
}

impl File for OddFile {
    fn size(&self) -> Result<u64> {
        Ok(self.bytes.borrow().len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let (calls, total) = self.reads.get();
        self.reads.set((calls + 1, total + buf.len() as u64));
        let bytes = self.bytes.borrow();
        let start = (offset as usize).min(bytes.len());
        let count = buf.len().min(bytes.len() - start);
        buf[..count].copy_from_slice(&bytes[start..start + count]);
        Ok(count)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<usize> {
        let count = self
            .odd
            .get()
            .map_or(bytes.len(), |odd| odd.min(bytes.len()));
        let mut all = self.bytes.borrow_mut();
        let end = offset as usize + count;
        let len = all.len().max(end);
        all.resize(len, 0);
        all[offset as usize..end].copy_from_slice(&bytes[..count]);
        Ok(self.odd.get().unwrap_or(bytes.len()))
    }

    fn truncate(&self, len: u64) -> Result<()> {
        self.bytes.borrow_mut().resize(len as usize, 0);
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }
}

#[test]
fn odd_answers_of_a_write_are_errors() {
    for (odd, code) in [
        (0, Code::StorageFull),
        (3, Code::StorageFull),
        (4_294_967_288, Code::Io),
    ] {
        let file = OddFile::default();
        let container = Container::open(Box::new(file.clone()), "db").unwrap();
        let mut blob = container.create("a").unwrap();
        blob.append(0, b"kept and synced").unwrap();
        blob.sync().unwrap();
        let before = file.size().unwrap();
        file.odd.set(Some(odd));
        assert_eq!(blob.append(15, b" and not").unwrap_err().code(), code);
        assert_eq!(container.replace("b", b"not").unwrap_err().code(), code);
        assert_eq!(container.read("a").unwrap().unwrap(), b"kept and synced");
        assert_eq!(file.size().unwrap(), before);
        file.odd.set(None);
        // After a failed write of the catalogue nothing is written any more.
        assert_eq!(blob.append(15, b"x").unwrap_err().code(), Code::Latched);
        let again = Container::open(Box::new(file), "db").unwrap();
        // The write of the odd answer may have happened.
        let replaced = again.read("b").unwrap();
        assert!(replaced.is_none() || odd > 3 && replaced.unwrap() == b"not");
        assert_eq!(again.read("a").unwrap().unwrap(), b"kept and synced");
    }
}

/// 100 tables of 50 files: opening reads the first page and the catalogue, and nothing else.
#[test]
fn five_thousand_blobs_open_with_two_reads() {
    let file = OddFile::default();
    let container = Container::open(Box::new(file.clone()), "db").unwrap();
    for table in 0..100 {
        for index in 0..50 {
            let mut blob = container
                .create(&format!(
                    "tables/table{table}/indexes/customer_id.{index}.idx"
                ))
                .unwrap();
            blob.append(0, b"a run of an index").unwrap();
            blob.sync().unwrap();
        }
    }
    drop(container);
    let len = file.size().unwrap();
    file.reads.set((0, 0));
    let container = Container::open(Box::new(file.clone()), "db").unwrap();
    let (calls, bytes) = file.reads.get();
    assert_eq!(calls, 2);
    println!("5,000 blobs: {bytes} bytes read at the opening, the file has {len}");
    assert!(bytes < 2 << 20, "{bytes}");
    assert_eq!(container.list("tables").unwrap().len(), 100);
    assert_eq!(container.list("tables/table7/indexes").unwrap().len(), 50);
}
