//! What a store may hold after a crash by the contracts of `Store` and `Blob`: a model that remembers for every blob what was synced and what came after.

use std::collections::BTreeMap;

use driftdb_core::storage::Store;

/// A change that is not synced.
#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Zeros(usize),
    Cut(usize),
}

/// A blob of the model.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// What a process reads.
    pub live: Vec<u8>,
    synced: Vec<u8>,
    changes: Vec<Change>,
    was_synced: bool,
}

/// A name: the blob it stands for, and all that it may stand for after a crash.
#[derive(Clone, Debug, Default)]
struct Name {
    current: Option<usize>,
    possible: Vec<Option<usize>>,
}

/// The files of a store, and what may be left of them.
#[derive(Clone, Debug, Default)]
pub struct Model {
    files: Vec<File>,
    names: BTreeMap<String, Name>,
}

fn dir(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

impl Model {
    /// The names that there are, with the numbers of their blobs.
    pub fn paths(&self) -> Vec<(String, usize)> {
        let present = |(path, name): (&String, &Name)| name.current.map(|id| (path.clone(), id));
        self.names.iter().filter_map(present).collect()
    }

    /// A blob.
    pub fn file(&self, id: usize) -> &File {
        &self.files[id]
    }

    fn name(&mut self, path: &str, id: Option<usize>) {
        let name = self.names.entry(path.to_string()).or_default();
        if name.possible.is_empty() {
            name.possible.push(None);
        }
        name.current = id;
        name.possible.push(id);
    }

    /// A new blob of this name.
    pub fn create(&mut self, path: &str) -> usize {
        self.files.push(File::default());
        let id = self.files.len() - 1;
        self.name(path, Some(id));
        id
    }

    /// Bytes at the end or over zeros.
    pub fn append(&mut self, id: usize, end: usize, bytes: &[u8]) {
        self.change(id, Change::Write(end, bytes.to_vec()));
    }

    /// The blob may be as long as `len`, with zeros; it is as long as `now`.
    pub fn reserve(&mut self, id: usize, now: usize) {
        self.change(id, Change::Zeros(now));
    }

    /// The blob is cut.
    pub fn truncate(&mut self, id: usize, len: usize) {
        self.change(id, Change::Cut(len));
    }

    fn change(&mut self, id: usize, change: Change) {
        apply(&mut self.files[id].live, &change);
        self.files[id].changes.push(change);
    }

    /// All of a blob is durable, and its name.
    pub fn sync(&mut self, id: usize) {
        let file = &mut self.files[id];
        file.synced = file.live.clone();
        file.changes.clear();
        let first = !std::mem::replace(&mut file.was_synced, true);
        let names = self.names.iter_mut();
        let named = names
            .filter(|(_, name)| name.current == Some(id))
            .map(|(path, name)| {
                name.possible = vec![Some(id)];
                path.clone()
            });
        let named: Vec<String> = named.collect();
        if first {
            named.iter().for_each(|path| self.settle(path));
        }
    }

    /// All is durable as it is.
    pub fn close(&mut self) {
        for (path, id) in self.paths() {
            self.sync(id);
            self.settle(&path);
        }
        for name in self.names.values_mut() {
            name.possible = vec![name.current];
        }
    }

    /// Removed names of the same directory stay removed.
    fn settle(&mut self, path: &str) {
        for (other, name) in &mut self.names {
            if dir(other) == dir(path) && name.current.is_none() {
                name.possible = vec![None];
            }
        }
    }

    /// The name goes.
    pub fn remove(&mut self, path: &str) {
        if self
            .names
            .get(path)
            .is_some_and(|name| name.current.is_some())
        {
            self.name(path, None);
        }
    }

    /// A whole file; `done` if the call has returned.
    pub fn replace(&mut self, path: &str, bytes: &[u8], done: bool) {
        let (live, synced) = (bytes.to_vec(), bytes.to_vec());
        self.files.push(File {
            live,
            synced,
            changes: Vec::new(),
            was_synced: true,
        });
        let id = self.files.len() - 1;
        self.name(path, Some(id));
        if done {
            self.settled(path);
        }
    }

    /// Another name; `done` if the call has returned.
    pub fn rename(&mut self, from: &str, to: &str, done: bool) {
        let id = self.names.get(from).and_then(|name| name.current);
        self.name(from, None);
        self.name(to, id);
        if done {
            self.settled(from);
            self.settled(to);
        }
    }

    fn settled(&mut self, path: &str) {
        if let Some(name) = self.names.get_mut(path) {
            name.possible = vec![name.current];
        }
        self.settle(path);
    }

    /// Compares a store after a crash with what may be there; the model that goes on from what is.
    pub fn survive(&self, store: &dyn Store) -> Result<Model, String> {
        let mut next = Model::default();
        for (path, name) in &self.names {
            let found = store
                .read(path)
                .map_err(|error| format!("{path}: {error:?}"))?;
            let fits = |id: &&Option<usize>| match (id, &found) {
                (None, None) => true,
                (Some(id), Some(bytes)) => self.files[*id].explains(bytes),
                _ => false,
            };
            if !name.possible.iter().any(|id| fits(&id)) {
                let what = found.map(|bytes| format!("{} bytes", bytes.len()));
                let states: Vec<String> =
                    name.possible.iter().map(|id| self.describe(*id)).collect();
                return Err(format!(
                    "{path:.12} ({} bytes of name): there is {what:?}, there may be {states:?}",
                    path.len()
                ));
            }
            if let Some(bytes) = found {
                next.replace(path, &bytes, true);
            }
        }
        let count = next.names.len();
        let listed = all_files(store, "").map_err(|error| format!("{error:?}"))?;
        match listed.len() == count {
            true => Ok(next),
            false => Err(format!("the store lists {listed:?}, which are not {count}")),
        }
    }

    fn describe(&self, id: Option<usize>) -> String {
        match id {
            None => "nothing".to_string(),
            Some(id) => {
                let File {
                    live,
                    synced,
                    changes,
                    ..
                } = &self.files[id];
                format!(
                    "{} bytes synced, {} live, {} changes",
                    synced.len(),
                    live.len(),
                    changes.len()
                )
            }
        }
    }
}

/// All files below a directory.
pub fn all_files(store: &dyn Store, dir: &str) -> driftdb_core::Result<Vec<String>> {
    let mut files = Vec::new();
    for name in store.list(dir)? {
        let path = if dir.is_empty() {
            name
        } else {
            format!("{dir}/{name}")
        };
        match store.open(&path, driftdb_core::storage::Access::Read)? {
            Some(_) => files.push(path),
            None => files.extend(all_files(store, &path)?),
        }
    }
    Ok(files)
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(at, new) => {
            bytes.resize(bytes.len().max(at + new.len()), 0);
            bytes[*at..at + new.len()].copy_from_slice(new);
        }
        Change::Zeros(len) => bytes.resize(bytes.len().max(*len), 0),
        Change::Cut(len) => bytes.truncate(*len),
    }
}

impl File {
    /// Whether a crash can have left these bytes: a length that the file has had since it was synced, each byte one that it has had there, and what was
    /// synced and neither cut nor written over as it was.
    fn explains(&self, found: &[u8]) -> bool {
        let mut state = self.synced.clone();
        let mut lengths = vec![state.len()];
        let mut possible: Vec<Vec<u8>> = state.iter().map(|byte| vec![*byte]).collect();
        for change in &self.changes {
            apply(&mut state, change);
            lengths.push(state.len());
            for (index, byte) in state.iter().enumerate() {
                match possible.get_mut(index) {
                    None => possible.push(vec![0, *byte]),
                    Some(bytes) => bytes.push(*byte),
                }
            }
        }
        lengths.contains(&found.len())
            && found
                .iter()
                .zip(&possible)
                .all(|(byte, possible)| possible.contains(byte))
    }
}
