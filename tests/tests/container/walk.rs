//! Random blobs beside their model.

use driftdb_core::storage::{Access, Blob, Store};
use driftdb_core::{Error, Result};
use driftdb_tests::contract::Model;
use driftdb_tests::fault::FaultStore;
use driftdb_tests::random::Random;
use driftdb_wasm::container::Container;

/// Blobs and their numbers in the model.
pub(super) type Open = Vec<(usize, Box<dyn Blob>)>;

/// A container, its model and what is open.
pub(super) struct Walk {
    pub(super) store: FaultStore,
    pub(super) container: Container,
    pub(super) model: Model,
    pub(super) open: Open,
    pub(super) random: Random,
    /// What was done, for a failure's message.
    pub(super) log: Vec<String>,
}

const PATHS: usize = 9;

/// Some names are long, so that the catalogue is often full.
pub(super) fn path(index: usize) -> String {
    let dir = ["", "d/", "e/"][index % 3];
    let len = if index.is_multiple_of(2) { 1 } else { 3000 };
    format!("{dir}{}{index}", "x".repeat(len))
}

impl Walk {
    pub(super) fn start(store: FaultStore, model: Model, seed: u64) -> Result<Walk> {
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
    pub(super) fn run(&mut self, count: usize) -> Option<Error> {
        for _ in 0..count {
            if let Err(error) = self.step() {
                return Some(error);
            }
        }
        None
    }

    pub(super) fn bytes(&mut self, max: u64) -> Vec<u8> {
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

    pub(super) fn step(&mut self) -> Result<()> {
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

    pub(super) fn note(&mut self, what: &str) {
        if let Some(line) = self.log.last_mut() {
            line.push_str(what);
        }
    }

    pub(super) fn create(&mut self, path: &str) -> Result<()> {
        if self.model.paths().iter().any(|(other, _)| other == path) {
            assert!(self.container.create(path).is_err());
            return Ok(());
        }
        self.note("create");
        let blob = self.container.create(path)?;
        self.open.push((self.model.create(path), blob));
        Ok(())
    }

    pub(super) fn rename(&mut self, to: &str) -> Result<()> {
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

    pub(super) fn open(&mut self, path: &str) -> Result<()> {
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

    pub(super) fn reopen(&mut self) -> Result<()> {
        self.note("reopen");
        self.open.clear();
        self.container.close()?;
        self.model.close();
        self.container = self.store.container()?;
        Ok(())
    }

    pub(super) fn change(&mut self) -> Result<()> {
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
