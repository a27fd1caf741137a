//! The rows of an access, always in key order, so that results do not depend on how rows were found.

use alloc::vec::{self, Vec};

use crate::error::Result;
use crate::ql::plan::Access;
use crate::ql::source::{Record, Rows, Source, Step, ValueRange};
use crate::value::Key;

/// Rows that come out of an index in the order of its values are collected and sorted; from this many on a scan is cheaper.
const GATHER_MAX: usize = 16_384;
/// Keys that one step looks up at most.
const STEP_KEYS: usize = 64;

/// The rows of an access.
pub(crate) enum Stream<S: Source> {
    Keys(vec::IntoIter<Key>),
    Scan(S::Scan),
    Lookup(S::Lookup),
    Gather(Gather<S>),
    Sorted(vec::IntoIter<S::Row>),
}

/// Rows from several ranges of an index.
pub(crate) struct Gather<S: Source> {
    index: usize,
    ranges: vec::IntoIter<ValueRange>,
    lookup: Option<S::Lookup>,
    rows: Vec<S::Row>,
}

impl<S: Source> Stream<S> {
    pub(crate) fn new(access: &Access, source: &S) -> Self {
        match access {
            Access::Nothing => Stream::Keys(Vec::new().into_iter()),
            Access::Keys(keys) => Stream::Keys(keys.clone().into_iter()),
            Access::Scan(range) => Stream::Scan(source.scan(range.clone())),
            Access::Value { index, value, .. } => {
                Stream::Lookup(source.lookup(*index, ValueRange::exactly(value.clone())))
            }
            Access::Values { index, ranges, .. } => Stream::Gather(Gather {
                index: *index,
                ranges: ranges.clone().into_iter(),
                lookup: None,
                rows: Vec::new(),
            }),
        }
    }

    /// Some more work: a row, a pause, or the end.
    #[inline]
    pub(crate) fn step(&mut self, source: &S) -> Result<Step<S::Row>> {
        match self {
            Stream::Scan(scan) => scan.step(),
            Stream::Lookup(lookup) => lookup.step(),
            Stream::Keys(keys) => get_next(keys, source),
            Stream::Sorted(rows) => Ok(rows.next().map_or(Step::Done, Step::Item)),
            Stream::Gather(gather) => {
                if let Some(next) = gather.step(source)? {
                    *self = next;
                }
                Ok(Step::Pause)
            }
        }
    }
}

/// The next key's row, if it has one.
fn get_next<S: Source>(keys: &mut vec::IntoIter<Key>, source: &S) -> Result<Step<S::Row>> {
    for _ in 0..STEP_KEYS {
        let Some(key) = keys.next() else {
            return Ok(Step::Done);
        };
        if let Some(row) = source.get(&key)? {
            return Ok(Step::Item(row));
        }
    }
    Ok(Step::Pause)
}

impl<S: Source> Gather<S> {
    /// Some more rows; in the end the stream to go on with.
    fn step(&mut self, source: &S) -> Result<Option<Stream<S>>> {
        for _ in 0..STEP_KEYS {
            let lookup = match &mut self.lookup {
                Some(lookup) => lookup,
                None => match self.ranges.next() {
                    Some(range) => self.lookup.insert(source.lookup(self.index, range)),
                    None => return Ok(Some(self.sorted())),
                },
            };
            match lookup.step()? {
                Step::Item(row) => self.rows.push(row),
                Step::Pause => return Ok(None),
                Step::Done => self.lookup = None,
            }
            if self.rows.len() > GATHER_MAX {
                return Ok(Some(Stream::new(&Access::ALL, source)));
            }
        }
        Ok(None)
    }

    /// The rows in key order. Values that an index keeps only the start of can find a row twice.
    fn sorted(&mut self) -> Stream<S> {
        let mut rows = core::mem::take(&mut self.rows);
        rows.sort_unstable_by(|a, b| a.encoded_key().cmp(b.encoded_key()));
        rows.dedup_by(|a, b| a.encoded_key() == b.encoded_key());
        Stream::Sorted(rows.into_iter())
    }
}
