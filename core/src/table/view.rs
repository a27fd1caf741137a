//! A view: a table pinned at a seq. The one read path; the present is a view at head.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::ops::Bound;

use super::lookup::{Lookup, ValueRange};
use super::row::Row;
use super::scan::{Scan, assemble, ends};
use super::schema::Schema;
use super::snapshot;
use super::sources::Sources;
use super::version::Version;
use super::walk::Walk;
use crate::error::Result;
use crate::time::Seq;
use crate::value::Bytes;
use crate::value::Key;

/// One step of work that is done piece by piece.
#[derive(Debug)]
pub enum Step<T> {
    /// Something came of it.
    Item(T),
    /// A bounded amount of work was done and nothing came of it yet: call again.
    Pause,
    /// There is nothing more.
    Done,
}

/// A range of keys.
#[derive(Clone, Debug)]
pub struct KeyRange {
    /// Where it starts.
    pub lower: Bound<Key>,
    /// Where it ends.
    pub upper: Bound<Key>,
}

impl KeyRange {
    /// Every key.
    pub const ALL: KeyRange = KeyRange {
        lower: Bound::Unbounded,
        upper: Bound::Unbounded,
    };
}

/// A table pinned at a seq. Cheap to clone; whatever the table does later, its answers stay the same.
#[derive(Clone)]
pub struct View {
    sources: Rc<Sources>,
    seq: Seq,
}

impl View {
    /// The table that `sources` hold, at `seq`.
    pub fn new(sources: Rc<Sources>, seq: Seq) -> Self {
        View { sources, seq }
    }

    /// What the table is.
    pub fn schema(&self) -> &Schema {
        &self.sources.schema
    }

    /// Everything with seq <= this is seen.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The row with this key.
    pub fn get(&self, key: &Key) -> Result<Option<Row>> {
        let mut encoded = Vec::new();
        key.encode(&mut encoded);
        self.get_encoded(&encoded)
    }

    /// The row with this key in its memcomparable form.
    pub fn get_encoded(&self, key: &[u8]) -> Result<Option<Row>> {
        if let Some(row) = self.sources.rows.borrow_mut().get(key, self.seq) {
            return Ok(Some(row));
        }
        let row = self.read(key)?.map(Row::flat);
        if let Some(row) = &row {
            self.sources.rows.borrow_mut().offer(key, row, self.seq);
        }
        Ok(row)
    }

    /// The same for one who is about to change the row: it is not remembered, nor are its patches applied.
    pub fn get_once(&self, key: &[u8]) -> Result<Option<Row>> {
        let remembered = self.sources.rows.borrow_mut().get(key, self.seq);
        match remembered {
            Some(row) => Ok(Some(row)),
            None => self.read(key),
        }
    }

    /// From the newest snapshot and what came after it, which is little beside all versions and is in the cache where the present is read
    /// often; from the index alone where that is not enough.
    fn read(&self, key: &[u8]) -> Result<Option<Row>> {
        let Some(snapshot) = self.sources.snapshot_for_reads(self.seq) else {
            return Row::from_versions(Bytes::from(key), self.chain(key)?);
        };
        let above = Walk::above(self.sources.clone(), key, self.seq, snapshot.seq);
        let versions = back_to_row(above)?;
        let base = match ends(&versions) {
            true => None,
            false => snapshot::find_row(snapshot, key)?,
        };
        assemble(Bytes::from(key), versions, base)
    }

    /// The versions that make the row with this key: newest first, back to one that has the whole row or is a deletion.
    pub fn chain(&self, key: &[u8]) -> Result<Vec<Version>> {
        back_to_row(Walk::new(self.sources.clone(), key, self.seq))
    }

    /// The rows whose keys are in a range, in key order.
    pub fn scan(&self, range: KeyRange) -> Scan {
        Scan::new(self.sources.clone(), self.seq, range)
    }

    /// The rows whose value in an index is in a range, in (value, key) order. It may give rows whose value is not quite in the range (long
    /// strings are cut in an index): the caller checks.
    pub fn lookup(&self, index: usize, range: ValueRange) -> Lookup {
        Lookup::new(self.clone(), self.sources.clone(), index, range)
    }

    /// All versions of a key, newest first.
    pub fn versions(&self, key: &Key) -> Walk {
        let mut encoded = Vec::new();
        key.encode(&mut encoded);
        Walk::new(self.sources.clone(), &encoded, self.seq)
    }

    /// The same table at another seq.
    pub fn at(&self, seq: Seq) -> View {
        View {
            sources: self.sources.clone(),
            seq,
        }
    }

    /// What the view reads from.
    pub fn sources(&self) -> &Rc<Sources> {
        &self.sources
    }
}

/// A chain is seldom longer: growing it would move all versions.
const USUAL_CHAIN: usize = 8;

/// The versions of a walk, back to one that has the whole row or is a deletion.
fn back_to_row(mut walk: Walk) -> Result<Vec<Version>> {
    let mut versions = Vec::with_capacity(USUAL_CHAIN);
    while !ends(&versions)
        && let Some(version) = walk.next()?
    {
        versions.push(version);
    }
    Ok(versions)
}

/// Runs steps until there is an item; `None` at the end.
pub fn drive<T>(mut step: impl FnMut() -> Result<Step<T>>) -> Result<Option<T>> {
    loop {
        match step()? {
            Step::Item(item) => return Ok(Some(item)),
            Step::Pause => {}
            Step::Done => return Ok(None),
        }
    }
}
