//! [`Restore`]: makes a database of a backup's bytes as they come in. The marker drift.json is written last: before that there is no database.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::index::{INDEX, Index, Member, may_follow};
use super::tar::{self, Head};
use super::{bad, files_of_tables};
use crate::crc;
use crate::db::marker::MARKER;
use crate::error::{Code, Error, Result};
use crate::storage::{Blob, Latch, Store, Synced};
use crate::time::{Seq, Timestamp};

/// Is there while a restore is under way: what it stands beside is nobody's, and the next restore removes it.
const RESTORING: &str = "restoring";
/// A marker is one short line.
const MARKER_BYTES_MAX: u64 = 4 << 10;

/// A restore under way. Dropped without [`Restore::finish`], it removes what it has written; after a crash the next one does.
pub struct Restore {
    store: Rc<dyn Store>,
    latch: Latch,
    name: String,
    /// How many bytes have come in.
    at: u64,
    state: State,
    members: Vec<Member>,
    marker: Vec<u8>,
    index: Option<Index>,
    finished: bool,
}

/// What was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The last event's seq, 0 if there is none.
    pub seq: Seq,
    /// Its time.
    pub time: Timestamp,
    /// How many files there are.
    pub files: usize,
    /// Whether all of it is on stable storage.
    pub synced: Synced,
}

/// What comes next.
enum State {
    /// A header, of which these bytes are there.
    Head(Vec<u8>),
    /// The bytes of a file.
    Body(Body),
    /// So many zeros, then a header, or the end.
    Zeros { left: usize, end: bool },
    /// Nothing.
    End,
    /// Nothing more after an error.
    Failed,
}

struct Body {
    path: String,
    size: u64,
    done: u64,
    hasher: crc::Hasher,
    sink: Sink,
}

/// Where a file's bytes go.
enum Sink {
    File(Box<dyn Blob>),
    Memory(Vec<u8>),
}

impl Restore {
    /// Begins a restore into a store that holds no database. `name` is what errors call the backup.
    ///
    /// # Errors
    /// `Code::DatabaseExists`; `Code::NotADatabase` if there are tables without a marker, which a restore that was stopped does not leave;
    /// `Code::Busy`; those of the store.
    pub fn begin(store: Rc<dyn Store>, name: &str) -> Result<Restore> {
        check_free(&*store)?;
        let latch = Latch::new(store.lock()?);
        check_free(&*store)?;
        remove_files(&*store)?;
        latch.replace(
            &*store,
            RESTORING,
            b"a restore that was not finished; the next one begins again\n",
        )?;
        Ok(Restore {
            store,
            latch,
            name: name.into(),
            at: 0,
            state: State::Head(Vec::new()),
            members: Vec::new(),
            marker: Vec::new(),
            index: None,
            finished: false,
        })
    }

    /// Takes the bytes of the backup that come next, as many or as few as there are.
    ///
    /// # Errors
    /// `Code::NotADatabase`, `Code::Corrupt` with the offset in the backup; those of the store. What was written is removed, and the restore is over.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = match self.take(rest) {
                Ok(taken) => taken,
                Err(error) => {
                    self.state = State::Failed;
                    self.clear();
                    return Err(error);
                }
            };
            self.at += taken as u64;
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends the restore: the backup has to be complete, and then there is a database.
    ///
    /// # Errors
    /// `Code::Corrupt` if the backup is cut off; those of the store.
    pub fn finish(mut self) -> Result<Restored> {
        // What has not even a header is nothing of ours.
        let at = if self.at < tar::BLOCK as u64 {
            0
        } else {
            self.at
        };
        let Some(index) = self
            .index
            .take()
            .filter(|_| matches!(self.state, State::End))
        else {
            return Err(bad(&self.name, at, "the backup is cut off here"));
        };
        // All else is on stable storage. If this fails, the marker may be there or not: a whole database, or what the next restore removes.
        self.finished = true;
        let synced = self.latch.replace(&*self.store, MARKER, &self.marker)?;
        // Beside a marker it means nothing.
        let _ = self.latch.remove(&*self.store, RESTORING);
        Ok(Restored {
            seq: index.seq,
            time: index.time,
            files: index.members.len(),
            synced,
        })
    }

    /// Takes some bytes; how many.
    fn take(&mut self, bytes: &[u8]) -> Result<usize> {
        match core::mem::replace(&mut self.state, State::Failed) {
            State::Head(head) => self.take_head(head, bytes),
            State::Body(body) => self.take_body(body, bytes),
            State::Zeros { left, end } => {
                let count = left.min(bytes.len());
                let zeros = bytes.get(..count).unwrap_or_default();
                if let Some(place) = zeros.iter().position(|byte| *byte != 0) {
                    return Err(
                        self.corrupt(self.at + place as u64, "there are no zeros behind a file")
                    );
                }
                self.after_zeros(left - count, end);
                Ok(count)
            }
            State::End => Err(self.corrupt(self.at, "there is something behind the backup's end")),
            State::Failed => Err(Error::new(Code::Latched, "the restore has failed before")),
        }
    }

    fn after_zeros(&mut self, left: usize, end: bool) {
        self.state = match (left, end) {
            (0, true) => State::End,
            (0, false) => State::Head(Vec::new()),
            (left, end) => State::Zeros { left, end },
        };
    }

    fn take_head(&mut self, mut head: Vec<u8>, bytes: &[u8]) -> Result<usize> {
        let start = self.at - head.len() as u64;
        let mut taken = 0;
        loop {
            let (at, why) = match tar::read_head(&head) {
                Head::Short(need) => {
                    let more = need.saturating_sub(head.len()).min(bytes.len() - taken);
                    if more == 0 {
                        self.state = State::Head(head);
                        return Ok(taken);
                    }
                    head.extend_from_slice(bytes.get(taken..taken + more).unwrap_or_default());
                    taken += more;
                    continue;
                }
                Head::File { path, size } => {
                    self.begin_file(start, path, size)?;
                    return Ok(taken);
                }
                Head::End => (0, "the backup ends before its list of files"),
                Head::Invalid(257, why) if start == 0 => return Err(bad(&self.name, 0, why)),
                Head::Invalid(at, why) => (at, why),
            };
            return Err(self.corrupt(start + at as u64, why));
        }
    }

    fn begin_file(&mut self, start: u64, path: String, size: u64) -> Result<()> {
        let before = self.members.last().map(|member| member.path.as_str());
        let is_index = path == INDEX && before.is_some();
        if !is_index && !may_follow(before, &path) || path == MARKER && size > MARKER_BYTES_MAX {
            return Err(self.corrupt(start, "this file is in no backup, or not at this place"));
        }
        let sink = match is_index || path == MARKER {
            true => Sink::Memory(Vec::new()),
            false => Sink::File(self.latch.create(&*self.store, &path)?),
        };
        let body = Body {
            path,
            size,
            done: 0,
            hasher: crc::Hasher::new(),
            sink,
        };
        if size == 0 {
            return self.end_file(body);
        }
        self.state = State::Body(body);
        Ok(())
    }

    fn take_body(&mut self, mut body: Body, bytes: &[u8]) -> Result<usize> {
        let left = usize::try_from(body.size - body.done).unwrap_or(usize::MAX);
        let part = bytes.get(..left.min(bytes.len())).unwrap_or_default();
        match &mut body.sink {
            Sink::File(blob) => self.latch.append(&mut **blob, body.done, part)?,
            Sink::Memory(memory) => memory.extend_from_slice(part),
        }
        body.hasher.update(part);
        body.done += part.len() as u64;
        if body.done == body.size {
            // `at` is still before these bytes.
            self.end_file(body)?;
        } else {
            self.state = State::Body(body);
        }
        Ok(part.len())
    }

    fn end_file(&mut self, body: Body) -> Result<()> {
        let mut left = tar::padding(body.size);
        let is_index = body.path == INDEX;
        match body.sink {
            Sink::File(mut blob) => {
                self.latch.sync(&mut *blob)?;
            }
            Sink::Memory(bytes) if is_index => {
                left += tar::END;
                self.check_index(&bytes)?;
            }
            Sink::Memory(bytes) => self.marker = bytes,
        }
        if !is_index {
            self.members.push(Member {
                path: body.path,
                size: body.size,
                crc: body.hasher.finalize(),
            });
        }
        self.after_zeros(left, is_index);
        Ok(())
    }

    /// Compares what came in with the list of it.
    fn check_index(&mut self, bytes: &[u8]) -> Result<()> {
        let index = Index::from_json(bytes).map_err(|error| error.moved_to(&self.name, self.at))?;
        let different = index
            .members
            .iter()
            .zip(&self.members)
            .find(|(listed, is)| listed != is);
        let why = match different {
            Some((listed, is)) if listed.path == is.path => {
                format!("{} in this backup does not match its checksum", is.path)
            }
            None if index.members.len() == self.members.len() => {
                self.index = Some(index);
                return Ok(());
            }
            _ => "the backup's files are not those that its list names".into(),
        };
        Err(Error::corrupt(self.name.as_str(), self.at, why))
    }

    /// Removes what has been written. Where this fails, the next restore does it.
    fn clear(&self) {
        if self.latch.is_held() && remove_files(&*self.store).is_ok() {
            let _ = self.store.remove(RESTORING);
        }
    }

    fn corrupt(&self, offset: u64, why: &str) -> Error {
        Error::corrupt(self.name.as_str(), offset, why)
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        if !self.finished {
            self.clear();
        }
    }
}

/// Refuses a store that holds a database, or what might be one.
fn check_free(store: &dyn Store) -> Result<()> {
    if store.read(MARKER)?.is_some() {
        return Err(Error::new(
            Code::DatabaseExists,
            "there is a database here already",
        ));
    }
    if store.read(RESTORING)?.is_none() && !files_of_tables(store)?.is_empty() {
        let error = Error::new(
            Code::NotADatabase,
            "there are tables here, but no drift.json",
        );
        return Err(error.hint("put drift.json back, or choose an empty directory"));
    }
    Ok(())
}

/// Removes the files that a restore writes.
fn remove_files(store: &dyn Store) -> Result<()> {
    files_of_tables(store)?
        .iter()
        .try_for_each(|path| store.remove(path))
}
