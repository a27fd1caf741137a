//! A lookup: the rows at a seq whose value in a secondary index is in a range.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::ops::Bound;

use super::change::markers;
use super::memtable::SharedMemtable;
use super::posting::{Posting, index_value};
use super::row::Row;
use super::sources::Sources;
use super::version::split_seq;
use super::view::{Step, View};
use super::walk::unreadable_entry;
use crate::error::Result;
use crate::limits::INDEX_VALUE_BYTES_MAX;
use crate::sorted::Cursor;
use crate::time::Seq;
use crate::value::{Value, keycode, msgpack};

/// Markers that one step passes over at most.
const STEP_POSTINGS: usize = 1_000;

/// A range of values of one type: where one end is open, it ends with the type of the other.
#[derive(Clone, Debug)]
pub struct ValueRange {
    /// Where it starts.
    pub lower: Bound<Value>,
    /// Where it ends.
    pub upper: Bound<Value>,
}

impl ValueRange {
    /// The range of one value.
    pub fn exactly(value: Value) -> Self {
        ValueRange {
            lower: Bound::Included(value.clone()),
            upper: Bound::Included(value),
        }
    }
}

/// A lookup in steps. It holds what it reads; the table may go on.
pub struct Lookup {
    view: View,
    sources: Rc<Sources>,
    index: usize,
    limits: Option<Limits>,
    streams: Option<Vec<Stream>>,
    /// Value and key that have been decided: the newest marker at or below the seq has been seen.
    decided: Vec<u8>,
}

/// The encoded ends, inclusive: an exclusive end is left to the caller's check, as cut values are.
struct Limits {
    lower: Vec<u8>,
    upper: Vec<u8>,
}

enum Stream {
    Run {
        cursor: Cursor,
    },
    Mem {
        memtable: SharedMemtable,
        index: usize,
        key: Vec<u8>,
        posting: Posting,
    },
}

impl Lookup {
    /// The rows of `view` whose value in index number `index` is in `range`.
    pub fn new(view: View, sources: Rc<Sources>, index: usize, range: ValueRange) -> Self {
        Lookup {
            view,
            sources,
            index,
            limits: Limits::of(&range),
            streams: None,
            decided: Vec::new(),
        }
    }

    /// Some more work: a row, a pause, or the end.
    pub fn step(&mut self) -> Result<Step<Row>> {
        let Some(limits) = &self.limits else {
            return Ok(Step::Done);
        };
        let streams = match &mut self.streams {
            Some(streams) => streams,
            None => {
                self.streams
                    .insert(open_streams(&self.view, &self.sources, self.index, limits)?)
            }
        };
        for _ in 0..STEP_POSTINGS {
            let Some(at) = least(streams) else {
                return Ok(Step::Done);
            };
            let Some(stream) = streams.get_mut(at) else {
                return Ok(Step::Done);
            };
            let (key, posting) = stream.entry()?;
            if key
                .get(..posting.value_len)
                .is_none_or(|value| value > limits.upper.as_slice())
            {
                return Ok(Step::Done);
            }
            let Some((group, seq)) = split_seq(key) else {
                return Err(unreadable_entry(stream.path()));
            };
            let mut candidate = None;
            if seq <= self.view.seq() && group != self.decided {
                self.decided.clear();
                self.decided.extend_from_slice(group);
                if posting.takes
                    && key
                        .get(..posting.value_len)
                        .is_some_and(|value| value >= limits.lower.as_slice())
                {
                    candidate = posting.key_in(key).map(<[u8]>::to_vec);
                }
            }
            if !stream.advance()? {
                streams.remove(at);
            }
            if let Some(row) = candidate
                .map(|key| self.view.get_encoded(&key))
                .transpose()?
                .flatten()
            {
                return Ok(Step::Item(row));
            }
        }
        Ok(Step::Pause)
    }
}

impl Limits {
    /// `None` if nothing can be in the range.
    fn of(range: &ValueRange) -> Option<Limits> {
        let encode = |value: &Value| {
            let mut bytes = Vec::new();
            msgpack::encode(value, &mut bytes);
            let (raw, _) = crate::value::Raw::split(&bytes)?;
            let mut form = Vec::new();
            index_value(raw.view(), &mut form).then_some(form)
        };
        let lower = match &range.lower {
            Bound::Included(value) | Bound::Excluded(value) => Some(encode(value)?),
            Bound::Unbounded => None,
        };
        let upper = match &range.upper {
            Bound::Included(value) | Bound::Excluded(value) => Some(encode(value)?),
            Bound::Unbounded => None,
        };
        let ends = |bytes: &[u8]| bytes.first().copied().map(keycode::first_bytes);
        match (lower, upper) {
            (Some(lower), Some(upper)) => Some(Limits { lower, upper }),
            (Some(lower), None) => {
                let mut upper = alloc::vec![0xff; INDEX_VALUE_BYTES_MAX + 1];
                *upper.first_mut()? = ends(&lower)?.1;
                Some(Limits { lower, upper })
            }
            (None, Some(upper)) => Some(Limits {
                lower: alloc::vec![ends(&upper)?.0],
                upper,
            }),
            (None, None) => Some(Limits {
                lower: Vec::new(),
                upper: alloc::vec![0xff; INDEX_VALUE_BYTES_MAX + 1],
            }),
        }
    }
}

/// Makes the markers that a reader has put off.
fn post(view: &View, memtable: &SharedMemtable) -> Result<()> {
    let unposted = memtable.borrow_mut().take_unposted();
    for number in unposted {
        let found = memtable
            .borrow()
            .versions
            .by_number(number)
            .map(|(key, version)| (key.to_vec(), version));
        let Some((key, version)) = found else {
            continue;
        };
        let before = view.at(Seq(version.seq.0.saturating_sub(1)));
        let markers = markers(&before, &key, &version)?;
        memtable.borrow_mut().post(&markers);
    }
    Ok(())
}

/// The first marker of a memtable at or above `key`, or above it.
fn posting_from(
    memtable: &SharedMemtable,
    index: usize,
    key: &[u8],
    above: bool,
) -> Option<(Vec<u8>, Posting)> {
    let mut memtable = memtable.borrow_mut();
    let postings = memtable.postings.get_mut(index)?;
    postings.sort();
    let (key, posting) = postings.at_rank(postings.rank_of(key, above))?;
    Some((key.to_vec(), posting))
}

fn open_streams(
    view: &View,
    sources: &Sources,
    index: usize,
    limits: &Limits,
) -> Result<Vec<Stream>> {
    let mut streams = Vec::new();
    for memtable in sources.memtables.iter().rev() {
        post(view, memtable)?;
        if let Some((key, posting)) = posting_from(memtable, index, &limits.lower, false) {
            streams.push(Stream::Mem {
                memtable: memtable.clone(),
                index,
                key,
                posting,
            });
        }
    }
    let single = limits.lower == limits.upper;
    for run in sources.secondary.get(index).into_iter().flatten().rev() {
        if run.min_seq > view.seq() || (single && !run.file.may_contain(&limits.lower)?) {
            continue;
        }
        let cursor = run.file.seek(&limits.lower)?;
        if cursor.valid() {
            streams.push(Stream::Run { cursor });
        }
    }
    Ok(streams)
}

/// The stream whose next key is least. Keys differ: a key has its event's seq, and runs and memtables hold disjoint seqs.
fn least(streams: &[Stream]) -> Option<usize> {
    streams
        .iter()
        .enumerate()
        .min_by(|(_, a), (_, b)| a.key().cmp(b.key()))
        .map(|(at, _)| at)
}

impl Stream {
    fn key(&self) -> &[u8] {
        match self {
            Stream::Run { cursor } => cursor.key(),
            Stream::Mem { key, .. } => key,
        }
    }

    fn path(&self) -> &str {
        match self {
            Stream::Run { cursor } => cursor.table().path(),
            Stream::Mem { .. } => "",
        }
    }

    fn entry(&self) -> Result<(&[u8], Posting)> {
        match self {
            Stream::Run { cursor } => {
                let posting = Posting::decode(&cursor.value())
                    .ok_or_else(|| unreadable_entry(cursor.table().path()))?;
                Ok((cursor.key(), posting))
            }
            Stream::Mem { key, posting, .. } => Ok((key, *posting)),
        }
    }

    /// Goes to the next entry; whether there is one.
    fn advance(&mut self) -> Result<bool> {
        match self {
            Stream::Run { cursor } => {
                cursor.advance()?;
                Ok(cursor.valid())
            }
            Stream::Mem {
                memtable,
                index,
                key,
                posting,
            } => match posting_from(memtable, *index, key, true) {
                Some(next) => {
                    (*key, *posting) = next;
                    Ok(true)
                }
                None => Ok(false),
            },
        }
    }
}
