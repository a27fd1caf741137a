//! The versions of one key, newest first, across memtables and runs.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::memtable::versioned;
use super::sources::Sources;
use super::version::{Version, split_seq};
use crate::error::{Error, Result};
use crate::sorted::Cursor;
use crate::time::Seq;

/// A walk back in time over one key's versions at or below a seq.
pub struct Walk {
    sources: Rc<Sources>,
    key_len: usize,
    /// Where to go on: the run key of the next version looked for.
    probe: Vec<u8>,
    /// How many sources are done: memtables from the newest, then runs from the newest.
    done: usize,
    cursor: Option<Cursor>,
    seq: Seq,
    /// Versions at or below this seq are not wanted.
    floor: Seq,
}

impl Walk {
    /// All versions of a key (encoded) at or below `seq`.
    pub fn new(sources: Rc<Sources>, key: &[u8], seq: Seq) -> Self {
        Walk::above(sources, key, seq, Seq(0))
    }

    /// The versions of a key (encoded) above `floor`, at or below `seq`.
    pub fn above(sources: Rc<Sources>, key: &[u8], seq: Seq, floor: Seq) -> Self {
        Walk {
            sources,
            key_len: key.len(),
            probe: versioned(key, seq),
            done: 0,
            cursor: None,
            seq,
            floor,
        }
    }

    fn key(&self) -> &[u8] {
        self.probe.get(..self.key_len).unwrap_or(&[])
    }

    /// The next older version.
    #[allow(
        clippy::should_implement_trait,
        reason = "an iterator's next cannot fail; this one can"
    )]
    pub fn next(&mut self) -> Result<Option<Version>> {
        loop {
            let memtables = self.sources.memtables.len();
            if let Some(at) = memtables.checked_sub(self.done + 1) {
                if let Some(version) = self.in_memtable(at) {
                    return Ok(Some(version));
                }
                self.done += 1;
                continue;
            }
            let Some(at) = self
                .sources
                .primary
                .len()
                .checked_sub(self.done - memtables + 1)
            else {
                return Ok(None);
            };
            if let Some(version) = self.in_run(at)? {
                return Ok(Some(version));
            }
            self.cursor = None;
            self.done += 1;
        }
    }

    fn in_memtable(&mut self, at: usize) -> Option<Version> {
        let memtable = self.sources.memtables.get(at)?.borrow();
        let (_, below) = split_seq(&self.probe)?;
        let versions = &memtable.versions;
        let number = versions.find(self.key(), below)?;
        let seq = versions.head(number)?.seq;
        if seq <= self.floor {
            return None;
        }
        let version = versions.version(number)?;
        drop(memtable);
        self.probe.truncate(self.key_len);
        super::version::push_seq(Seq(seq.0.saturating_sub(1)), &mut self.probe);
        Some(version)
    }

    fn in_run(&mut self, at: usize) -> Result<Option<Version>> {
        let Some(run) = self.sources.primary.get(at) else {
            return Ok(None);
        };
        match &mut self.cursor {
            Some(cursor) => cursor.advance()?,
            None => {
                if run.min_seq > self.seq
                    || run.max_seq <= self.floor
                    || !run.file.may_contain(self.key())?
                {
                    return Ok(None);
                }
                self.cursor = Some(run.file.seek(&self.probe)?);
            }
        }
        let Some(cursor) = self.cursor.as_ref().filter(|cursor| cursor.valid()) else {
            return Ok(None);
        };
        match split_seq(cursor.key()) {
            Some((key, seq)) if key == self.key() && seq > self.floor => {
                let version = Version::decode(seq, &cursor.value());
                version
                    .map(Some)
                    .ok_or_else(|| unreadable_entry(run.file.path()))
            }
            _ => Ok(None),
        }
    }
}

/// An entry that its block's checksum covers and that still makes no sense.
pub fn unreadable_entry(path: &str) -> Error {
    Error::new(
        crate::Code::Corrupt,
        "an entry of this file has an unknown form",
    )
    .in_file(path, None)
}
