//! Backups: the whole database at one moment as one file, a plain tar of its truth. [`Backup`] writes it in steps, [`Restore`] makes a database of it,
//! [`Archive`] opens it for reading where it lies.
//!
//! A backup holds what follows from the history alone, in one order, in headers without time and owner: two backups of the same history are the same bytes,
//! whoever made them. The last file, `backup.json`, lists the others with exact lengths and checksums.

mod archive;
mod index;
mod restore;
mod tar;

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

pub use archive::Archive;
pub use restore::{Restore, Restored};

use super::pin::PinnedLog;
use super::{Database, marker};
use crate::crc;
use crate::error::{Code, Error, Result};
use crate::log::segment::segment_path;
use crate::log::{FrameCursor, HEADER_LEN, LogReader, Position};
use crate::storage::Store;
use crate::table::meta::{self, Meta};
use crate::table::{Step, schema_path};
use crate::time::{Seq, Timestamp};
use index::{INDEX, Index, Member};

/// A chunk has about so many bytes; more where one event is larger.
const CHUNK_BYTES: usize = 64 << 10;

/// The database at one moment as the bytes of a tar file, in steps. What is written meanwhile is not in it, and what is compacted away meanwhile is.
///
/// ```
/// # use std::rc::Rc;
/// # use driftdb_core::db::{Database, Options, Restore, Schema, drive};
/// # use driftdb_core::{storage::MemoryStore, time::Timestamp, value::Object};
/// # let store = Rc::new(MemoryStore::default());
/// # Database::create(&*store, Timestamp(0))?;
/// # let mut db = Database::open(store, Options::default())?;
/// # db.create_table(Schema::new("t", "id", &[])?)?;
/// # db.insert("t", &[("id", 1)].into_iter().collect::<Object>(), Timestamp(1_000))?;
/// let copy = Rc::new(MemoryStore::default());
/// let (mut backup, mut restore) = (db.backup()?, Restore::begin(copy.clone(), "the backup")?);
/// while let Some(chunk) = drive(|| backup.step())? {
///     restore.push(&chunk)?;
/// }
/// assert_eq!(restore.finish()?.seq, db.head().0);
/// assert_eq!(Database::open(copy, Options::default())?.head(), db.head());
/// # Ok::<(), driftdb_core::Error>(())
/// ```
pub struct Backup {
    parts: VecDeque<Part>,
    copy: Option<Copying>,
    index: Index,
    size: u64,
    ended: bool,
}

/// A file that is to come.
enum Part {
    Whole {
        path: String,
        bytes: Vec<u8>,
    },
    Segment {
        path: String,
        number: u64,
        end: u64,
        log: LogReader,
    },
}

/// A segment on its way.
struct Copying {
    cursor: FrameCursor,
    member: Member,
    hasher: crc::Hasher,
    done: u64,
}

impl Database {
    /// The whole database as it is now, as a file that [`Restore`] and [`Archive`] read. An open transaction is not in it.
    ///
    /// # Errors
    /// Those of opening the tables.
    pub fn backup(&mut self) -> Result<Backup> {
        if self.env.writes() {
            // What only the journal holds for certain belongs into the logs.
            self.sync()?;
            self.retire_journal()?;
        }
        let pinned = self.pin()?;
        let (seq, time) = pinned.upto;
        let mut parts = VecDeque::from([whole(
            marker::MARKER.into(),
            marker::load(&*self.env.store)?,
        )]);
        let mut logs = pinned.logs;
        logs.sort_by_cached_key(|log| crate::table::dir_of(&log.table));
        for log in logs {
            self.add_table(log, &mut parts)?;
        }
        Ok(Backup::new(parts, seq, time))
    }

    fn add_table(&mut self, log: PinnedLog, parts: &mut VecDeque<Part>) -> Result<()> {
        log.reader.pin()?;
        let table = self.known(&log.table)?;
        let (schema, dir) = (Rc::clone(table.schema()), table.dir());
        let ends = ends(&log.reader, log.end);
        let meta = Meta::of_copy(&log.reader, &ends, schema.indexes.len(), log.requests);
        parts.push_back(whole(schema_path(dir), schema.to_yaml().into_bytes()));
        parts.push_back(whole(meta::path(dir), meta.to_json().into_bytes()));
        parts.extend(ends.iter().map(|&(number, end)| Part::Segment {
            path: segment_path(dir, number),
            number,
            end,
            log: log.reader.clone(),
        }));
        Ok(())
    }
}

fn whole(path: String, bytes: Vec<u8>) -> Part {
    Part::Whole { path, bytes }
}

/// Number and end of each segment up to a place. A last one without frames is left out where it may be: whether there is one says only whether a
/// rotation was followed by a commit.
fn ends(log: &LogReader, end: Position) -> Vec<(u64, u64)> {
    let mut ends: Vec<(u64, u64)> = Vec::new();
    for info in log.segments() {
        match info.number.cmp(&end.segment) {
            core::cmp::Ordering::Less => ends.push((info.number, info.end)),
            core::cmp::Ordering::Equal => ends.push((info.number, end.offset)),
            core::cmp::Ordering::Greater => break,
        }
    }
    if let [.., before, last] = ends.as_slice()
        && last.1 == HEADER_LEN
        && before.1 > HEADER_LEN
    {
        ends.pop();
    }
    ends
}

impl Backup {
    fn new(parts: VecDeque<Part>, seq: Seq, time: Timestamp) -> Backup {
        let members = parts.iter().map(|part| Member {
            path: part.path().clone(),
            size: part.size(),
            crc: 0,
        });
        let mut index = Index {
            seq,
            time,
            members: members.collect(),
        };
        // The index is as long with these checksums as with the right ones.
        let last = index.to_json().len() as u64;
        let files = parts.iter().map(|part| (part.path().as_str(), part.size()));
        let size = files
            .chain([(INDEX, last)])
            .map(|(path, size)| stored(path, size))
            .sum::<u64>()
            + tar::END as u64;
        index.members.clear();
        Backup {
            parts,
            copy: None,
            index,
            size,
            ended: false,
        }
    }

    /// The last event that is in it, and its time; 0 if there is none.
    pub fn upto(&self) -> (Seq, Timestamp) {
        (self.index.seq, self.index.time)
    }

    /// How many bytes it has in all.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Some more work: the bytes that come next, or the end. After an error there is no more.
    ///
    /// # Errors
    /// `Code::Corrupt` for events that do not match their checksums; those of the store.
    pub fn step(&mut self) -> Result<Step<Vec<u8>>> {
        let mut out = Vec::new();
        let done = self.fill(&mut out);
        if done.is_err() {
            (self.copy, self.ended) = (None, true);
            self.parts.clear();
        }
        done.map(|()| {
            if out.is_empty() {
                Step::Done
            } else {
                Step::Item(out)
            }
        })
    }

    fn fill(&mut self, out: &mut Vec<u8>) -> Result<()> {
        while out.len() < CHUNK_BYTES && !self.ended {
            if let Some(mut copy) = self.copy.take() {
                match copy.fill(out)? {
                    true => self.index.members.push(copy.end(out)?),
                    false => self.copy = Some(copy),
                }
                continue;
            }
            match self.parts.pop_front() {
                Some(Part::Whole { path, bytes }) => {
                    let member = write_whole(path, &bytes, out);
                    self.index.members.push(member);
                }
                Some(Part::Segment {
                    path,
                    number,
                    end,
                    log,
                }) => {
                    self.copy = Some(Copying::begin(path, number, end, &log, out)?);
                }
                None => {
                    write_whole(INDEX.into(), self.index.to_json().as_bytes(), out);
                    out.resize(out.len() + tar::END, 0);
                    self.ended = true;
                }
            }
        }
        Ok(())
    }
}

/// What a file takes in the tar.
fn stored(path: &str, size: u64) -> u64 {
    let mut head = Vec::new();
    tar::write_head(path, size, &mut head);
    head.len() as u64 + size + tar::padding(size) as u64
}

fn write_whole(path: String, bytes: &[u8], out: &mut Vec<u8>) -> Member {
    let (size, crc) = (bytes.len() as u64, crc::hash(bytes));
    tar::write_head(&path, size, out);
    out.extend_from_slice(bytes);
    out.resize(out.len() + tar::padding(size), 0);
    Member { path, size, crc }
}

impl Part {
    fn path(&self) -> &String {
        match self {
            Part::Whole { path, .. } | Part::Segment { path, .. } => path,
        }
    }

    fn size(&self) -> u64 {
        match self {
            Part::Whole { bytes, .. } => bytes.len() as u64,
            Part::Segment { end, .. } => *end,
        }
    }
}

impl Copying {
    fn begin(
        path: String,
        number: u64,
        end: u64,
        log: &LogReader,
        out: &mut Vec<u8>,
    ) -> Result<Copying> {
        let header = log.header(number)?;
        tar::write_head(&path, end, out);
        out.extend_from_slice(&header);
        let mut hasher = crc::Hasher::new();
        hasher.update(&header);
        Ok(Copying {
            cursor: log.cursor(
                Position::new(number, HEADER_LEN),
                Position::new(number, end),
            ),
            member: Member {
                path,
                size: end,
                crc: 0,
            },
            hasher,
            done: HEADER_LEN,
        })
    }

    /// Appends whole frames, each checked, until there are enough for a chunk; whether the segment is at its end.
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        while out.len() < CHUNK_BYTES {
            let Some(frame) = self.cursor.next_frame()? else {
                return Ok(true);
            };
            out.extend_from_slice(frame.bytes);
            self.hasher.update(frame.bytes);
            self.done += frame.bytes.len() as u64;
        }
        Ok(false)
    }

    fn end(mut self, out: &mut Vec<u8>) -> Result<Member> {
        if self.done != self.member.size {
            let why = "the events of the segment do not end where the log says";
            return Err(Error::corrupt(self.member.path, self.done, why));
        }
        out.resize(out.len() + tar::padding(self.done), 0);
        self.member.crc = self.hasher.finalize();
        Ok(self.member)
    }
}

/// Where an archive is not as it should be. At its very start it is none.
fn bad(name: &str, offset: u64, why: &str) -> Error {
    let error = match offset {
        0 => Error::new(
            Code::NotADatabase,
            "this is no backup of a DriftDB database",
        ),
        _ => Error::new(Code::Corrupt, why),
    };
    error.in_file(name, Some(offset))
}

/// The paths of all files of tables that a backup may hold.
pub(super) fn files_of_tables(store: &dyn Store) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for name in store.list(super::open::TABLES)? {
        let dir = alloc::format!("{}/{name}", super::open::TABLES);
        for file in store.list(&dir)? {
            files.push(alloc::format!("{dir}/{file}"));
        }
        let segments = crate::log::segment::segment_dir(&dir);
        for file in store.list(&segments)? {
            files.push(alloc::format!("{segments}/{file}"));
        }
    }
    files.retain(|path| index::place(path).is_some());
    Ok(files)
}
