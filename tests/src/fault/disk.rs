//! The state of a fault store: files, names, the calls so far and the fault that is to come.

use std::collections::BTreeMap;

use driftdb_core::{Code, Error, Result};

use super::file::{Change, File};
use super::{Effect, Fault, What};

/// The mutating calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum CallKind {
    Append,
    Sync,
    Truncate,
    Reserve,
    Create,
    Remove,
    Rename,
    Replace,
}

/// One mutating call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which method.
    pub kind: CallKind,
    /// The file.
    pub path: String,
    /// How many bytes, for an append and a replace; the new length for a truncate and a reserve.
    pub bytes: u64,
}

/// A name: what it refers to now, and all that it may refer to after a crash, the durable state first.
#[derive(Clone, Debug, Default)]
pub(super) struct Name {
    pub(super) current: Option<usize>,
    pub(super) possible: Vec<Option<usize>>,
}

impl Name {
    fn set(&mut self, current: Option<usize>) {
        if self.possible.is_empty() {
            self.possible.push(None);
        }
        self.current = current;
        self.possible.push(current);
    }

    fn set_durable(&mut self, current: Option<usize>) {
        self.current = current;
        self.possible = vec![current];
    }
}

/// A replace or a rename that was stopped: after the crash all of these names have changed, or none.
#[derive(Clone, Debug, Default)]
pub(super) struct Undecided(pub(super) Vec<(String, Option<usize>)>);

/// The name of a container's file.
pub(super) const CONTAINER: &str = "database.drift";

/// What a call is to do now.
enum Verdict {
    Go,
    Fail(Error, Effect),
    Stop(Error),
}

/// All state of a store.
pub(super) struct Disk {
    pub(super) files: Vec<File>,
    pub(super) names: BTreeMap<String, Name>,
    pub(super) undecided: Undecided,
    pub(super) fault: Option<Fault>,
    pub(super) failed_at: Option<u64>,
    pub(super) calls: u64,
    pub(super) reads: u64,
    pub(super) read_fault: Option<u64>,
    pub(super) reserving: bool,
    pub(super) locked: bool,
    /// Whether engines work in a container in one of the files.
    pub(super) packed: bool,
    pub(super) trace: Vec<Call>,
    stopped: bool,
}

impl Default for Disk {
    fn default() -> Self {
        Disk::from_files(BTreeMap::new())
    }
}

impl Disk {
    pub(super) fn from_files(contents: BTreeMap<String, Vec<u8>>) -> Self {
        let mut names = BTreeMap::new();
        let mut files = Vec::new();
        for (path, bytes) in contents {
            let id = Some(files.len());
            names.insert(
                path,
                Name {
                    current: id,
                    possible: vec![id],
                },
            );
            files.push(File::durable(bytes));
        }
        Disk {
            files,
            names,
            undecided: Undecided::default(),
            fault: None,
            failed_at: None,
            calls: 0,
            reads: 0,
            read_fault: None,
            reserving: true,
            locked: false,
            packed: false,
            trace: Vec::new(),
            stopped: false,
        }
    }

    pub(super) fn live_files(&self) -> BTreeMap<String, Vec<u8>> {
        let present = |(path, name): (&String, &Name)| {
            name.current
                .map(|id| (path.clone(), self.live(id).to_vec()))
        };
        self.names.iter().filter_map(present).collect()
    }

    pub(super) fn live(&self, id: usize) -> &[u8] {
        &self.files[id].live
    }

    pub(super) fn id_of(&self, path: &str) -> Option<usize> {
        self.names.get(path).and_then(|name| name.current)
    }

    /// Fails once the store has stopped.
    pub(super) fn alive(&self) -> Result<()> {
        if self.stopped {
            Err(Error::new(Code::Io, "the machine has stopped"))
        } else {
            Ok(())
        }
    }

    pub(super) fn restart(&mut self) {
        (self.stopped, self.locked, self.fault) = (false, false, None);
    }

    pub(super) fn count_read(&mut self, path: &str) -> Result<()> {
        self.alive()?;
        self.reads += 1;
        if self.read_fault == Some(self.reads) {
            return Err(Error::new(Code::Io, "injected: the read failed").in_file(path, None));
        }
        Ok(())
    }

    /// Reads what a process sees of a file: fewer bytes than asked for only at its end.
    pub(super) fn read_at(
        &mut self,
        id: usize,
        path: &str,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize> {
        self.count_read(path)?;
        let bytes = self.live(id);
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let count = buf.len().min(bytes.len() - start);
        buf[..count].copy_from_slice(&bytes[start..start + count]);
        Ok(count)
    }

    pub(super) fn list(&self, dir: &str) -> Result<Vec<String>> {
        self.alive()?;
        let prefix = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let mut found: Vec<String> = Vec::new();
        for (path, name) in &self.names {
            let Some(rest) = path
                .strip_prefix(&prefix)
                .filter(|_| name.current.is_some())
            else {
                continue;
            };
            found.push(rest.split('/').next().unwrap_or(rest).to_string());
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// The epoch that LOCK holds.
    pub(super) fn epoch(&self) -> u64 {
        let text = self
            .id_of("LOCK")
            .map(|id| String::from_utf8_lossy(self.live(id)).into_owned());
        text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    pub(super) fn lock(&mut self) -> Result<u64> {
        self.alive()?;
        if self.locked {
            return Err(Error::new(
                Code::Busy,
                "the database is open for writing elsewhere",
            ));
        }
        let epoch = self.epoch() + 1;
        let id = self.add_file(File::durable(epoch.to_string().into_bytes()));
        self.names
            .entry("LOCK".to_string())
            .or_default()
            .set_durable(Some(id));
        self.locked = true;
        Ok(epoch)
    }

    fn add_file(&mut self, file: File) -> usize {
        self.files.push(file);
        self.files.len() - 1
    }

    /// Counts a mutating call and says whether it goes through.
    fn count(&mut self, kind: CallKind, path: &str, bytes: usize) -> Result<Verdict> {
        self.alive()?;
        self.calls += 1;
        self.trace.push(Call {
            kind,
            path: path.to_string(),
            bytes: bytes as u64,
        });
        let Some(fault) = self.fault else {
            return Ok(Verdict::Go);
        };
        let here = fault.at == self.calls;
        let message = format!("injected at call {}: {kind:?} of {path}", self.calls);
        let error = |code| Error::new(code, message.clone()).in_file(path, None);
        let verdict = match fault.what {
            What::Stop if here => {
                self.stopped = true;
                Verdict::Stop(error(Code::Io))
            }
            What::Error(code, effect) if here => Verdict::Fail(error(code), effect),
            What::Full if self.calls >= fault.at && kind.needs_space() => {
                Verdict::Fail(error(Code::StorageFull), Effect::Half)
            }
            _ => return Ok(Verdict::Go),
        };
        self.failed_at.get_or_insert(self.calls);
        Ok(verdict)
    }

    pub(super) fn append(&mut self, id: usize, path: &str, end: u64, bytes: &[u8]) -> Result<()> {
        let at = usize::try_from(end).unwrap_or(usize::MAX);
        let live = self.live(id);
        let conflict = match live.get(at..) {
            None => true,
            Some(there) => there
                .iter()
                .take(bytes.len().max(driftdb_core::storage::CONFLICT_BYTES))
                .any(|byte| *byte != 0),
        };
        let verdict = self.count(CallKind::Append, path, bytes.len())?;
        if conflict {
            let message = "another writer has appended here".to_string();
            return Err(Error::new(Code::Conflict, message).in_file(path, Some(end)));
        }
        let (written, result) = match verdict {
            Verdict::Go => (bytes.len(), Ok(())),
            Verdict::Stop(error) | Verdict::Fail(error, Effect::Whole) => (bytes.len(), Err(error)),
            Verdict::Fail(error, Effect::Half) => (bytes.len() / 2, Err(error)),
            Verdict::Fail(error, Effect::None) => (0, Err(error)),
        };
        if written > 0 {
            self.files[id].change(Change::Write(at, bytes[..written].to_vec()));
        }
        result
    }

    /// The file of a container; its name is durable.
    pub(super) fn container(&mut self) -> usize {
        let found = self.id_of(CONTAINER);
        found.unwrap_or_else(|| {
            let id = self.add_file(File::default());
            let name = self.names.entry(CONTAINER.to_string()).or_default();
            name.set_durable(Some(id));
            id
        })
    }

    /// Writes anywhere in a file; how many bytes were written. Where the space ends the answer is short, as some platforms have it.
    pub(super) fn write_at(
        &mut self,
        id: usize,
        path: &str,
        at: u64,
        bytes: &[u8],
    ) -> Result<usize> {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let (written, result) = match self.count(CallKind::Append, path, bytes.len())? {
            Verdict::Go => (bytes.len(), Ok(bytes.len())),
            Verdict::Stop(error) | Verdict::Fail(error, Effect::Whole) => (bytes.len(), Err(error)),
            Verdict::Fail(error, Effect::Half) if error.code() == Code::StorageFull => {
                (bytes.len() / 2, Ok(bytes.len() / 2))
            }
            Verdict::Fail(error, Effect::Half) => (bytes.len() / 2, Err(error)),
            Verdict::Fail(error, Effect::None) => (0, Err(error)),
        };
        if written > 0 {
            self.files[id].change(Change::Write(at, bytes[..written].to_vec()));
        }
        result
    }

    /// Makes a file this long, shorter or longer.
    pub(super) fn set_len(&mut self, id: usize, path: &str, len: u64) -> Result<()> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let (kind, change) = match len < self.live(id).len() {
            true => (CallKind::Truncate, Change::Truncate(len)),
            false => (CallKind::Reserve, Change::Extend(len)),
        };
        let verdict = self.count(kind, path, len)?;
        self.when(verdict, |disk| disk.files[id].change(change))
    }

    pub(super) fn reserve(&mut self, id: usize, path: &str, len: u64) -> Result<()> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let verdict = self.count(CallKind::Reserve, path, len)?;
        let reserving = self.reserving && self.live(id).len() < len;
        self.when(verdict, |disk| {
            if reserving {
                disk.files[id].change(Change::Extend(len));
            }
        })
    }

    pub(super) fn truncate(&mut self, id: usize, path: &str, len: u64) -> Result<()> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let verdict = self.count(CallKind::Truncate, path, len)?;
        self.when(verdict, |disk| disk.files[id].change(Change::Truncate(len)))
    }

    /// Does something volatile: a stopped call has done it too, a crash decides what is left of it.
    fn when(&mut self, verdict: Verdict, act: impl FnOnce(&mut Disk)) -> Result<()> {
        match verdict {
            Verdict::Go => {
                act(self);
                Ok(())
            }
            Verdict::Stop(error) | Verdict::Fail(error, Effect::Whole) => {
                act(self);
                Err(error)
            }
            Verdict::Fail(error, _) => Err(error),
        }
    }

    pub(super) fn sync(&mut self, id: usize, path: &str) -> Result<()> {
        match self.count(CallKind::Sync, path, 0)? {
            Verdict::Go => self.sync_file(id),
            Verdict::Stop(error) => return Err(error),
            Verdict::Fail(error, Effect::Whole) => {
                self.sync_file(id);
                return Err(error);
            }
            Verdict::Fail(error, _) => {
                self.files[id].lose();
                return Err(error);
            }
        }
        Ok(())
    }

    fn sync_file(&mut self, id: usize) {
        self.files[id].sync();
        let names = self
            .names
            .iter_mut()
            .filter(|(_, name)| name.current == Some(id) && name.possible.len() > 1);
        let mut dirs = Vec::new();
        for (path, name) in names {
            name.set_durable(Some(id));
            dirs.push(parent(path).to_string());
        }
        for dir in dirs {
            self.sync_dir(&dir);
        }
    }

    /// What a sync of a directory settles: removed names stay removed. A new name still waits for its file's first sync.
    fn sync_dir(&mut self, dir: &str) {
        for (_, name) in self
            .names
            .iter_mut()
            .filter(|(path, _)| parent(path) == dir)
        {
            match name.current {
                None => name.set_durable(None),
                Some(id) => name
                    .possible
                    .retain(|possible| possible.is_none() || *possible == Some(id)),
            }
        }
    }

    pub(super) fn create(&mut self, path: &str) -> Result<usize> {
        if self.id_of(path).is_some() {
            return Err(Error::new(Code::Io, "the file exists").in_file(path, None));
        }
        let verdict = self.count(CallKind::Create, path, 0)?;
        let id = self.add_file(File::default());
        self.when(verdict, |disk| {
            disk.names
                .entry(path.to_string())
                .or_default()
                .set(Some(id))
        })?;
        Ok(id)
    }

    pub(super) fn remove(&mut self, path: &str) -> Result<()> {
        let verdict = self.count(CallKind::Remove, path, 0)?;
        self.when(verdict, |disk| {
            if let Some(name) = disk
                .names
                .get_mut(path)
                .filter(|name| name.current.is_some())
            {
                name.set(None);
            }
        })
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        let Some(id) = self.id_of(from) else {
            return Err(
                Error::new(Code::FileMissing, "rename of a file that is not there")
                    .in_file(from, None),
            );
        };
        if parent(from) != parent(to) {
            return Err(Error::new(Code::Io, "rename into another directory").in_file(from, None));
        }
        let verdict = self.count(CallKind::Rename, from, 0)?;
        self.change_names(
            verdict,
            vec![(from.to_string(), None), (to.to_string(), Some(id))],
        )
    }

    pub(super) fn replace(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let verdict = self.count(CallKind::Replace, path, bytes.len())?;
        let id = self.add_file(File::durable(bytes.to_vec()));
        self.change_names(verdict, vec![(path.to_string(), Some(id))])
    }

    /// Changes names durably and all together, or leaves that open when stopped.
    fn change_names(
        &mut self,
        verdict: Verdict,
        changes: Vec<(String, Option<usize>)>,
    ) -> Result<()> {
        let result = match verdict {
            Verdict::Go => Ok(()),
            Verdict::Fail(error, Effect::Whole) => Err(error),
            Verdict::Fail(error, _) => return Err(error),
            Verdict::Stop(error) => {
                self.undecided = Undecided(changes);
                return Err(error);
            }
        };
        for (path, id) in changes {
            let dir = parent(&path).to_string();
            self.names.entry(path).or_default().set_durable(id);
            self.sync_dir(&dir);
        }
        result
    }
}

impl CallKind {
    /// Whether nothing may be written any more once such a call has failed.
    pub fn latches(self) -> bool {
        matches!(self, CallKind::Append | CallKind::Sync | CallKind::Truncate)
    }

    fn needs_space(self) -> bool {
        matches!(
            self,
            CallKind::Append | CallKind::Reserve | CallKind::Create | CallKind::Replace
        )
    }
}

/// The directory of a path; the root is the empty one.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}
