//! The versions in index runs, key by key: what a scan merges with its snapshot where the log in between is too long to be sorted in memory.

use alloc::vec::Vec;

use super::scan::ends;
use super::sources::Sources;
use super::version::{Version, split_seq};
use super::walk::unreadable_entry;
use crate::error::Result;
use crate::sorted::{Cursor, Merge, Source};
use crate::time::Seq;

/// All runs merged, at the newest version of a key.
pub struct RunStream {
    merge: Merge<Cursor>,
    path: alloc::string::String,
    base: Seq,
    upto: Seq,
}

impl RunStream {
    /// The keys from `start` on, with their versions above `base` and at or below `upto`.
    pub fn new(sources: &Sources, start: &[u8], base: Seq, upto: Seq) -> Result<Self> {
        let wanted =
            |run: &&alloc::rc::Rc<super::sources::Run>| run.max_seq > base && run.min_seq <= upto;
        let runs = sources.primary.iter().filter(wanted);
        let cursors = runs
            .map(|run| run.file.scan(start))
            .collect::<Result<Vec<_>>>()?;
        let path = sources.primary.first().map_or("", |run| run.file.path());
        Ok(RunStream {
            merge: Merge::new(cursors),
            path: path.into(),
            base,
            upto,
        })
    }

    /// The key whose versions come next.
    pub fn key(&self) -> Option<&[u8]> {
        if !self.merge.valid() {
            return None;
        }
        split_seq(self.merge.key()).map(|(key, _)| key)
    }

    /// Adds the versions of that key to `out`, newest first, until one has the whole row or is a deletion, and goes to the next key.
    pub fn take(&mut self, out: &mut Vec<Version>) -> Result<()> {
        let Some(key) = self.key().map(<[u8]>::to_vec) else {
            return Ok(());
        };
        while let Some((_, seq)) =
            split_seq(self.merge.key()).filter(|(other, _)| self.merge.valid() && **other == *key)
        {
            if seq > self.base && seq <= self.upto && !ends(out) {
                let version = Version::decode(seq, &self.merge.value());
                out.push(version.ok_or_else(|| unreadable_entry(&self.path))?);
            }
            self.merge.advance()?;
        }
        Ok(())
    }
}
