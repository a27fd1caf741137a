//! DIFF: the rows that differ between two points, in key order.

use alloc::vec::Vec;

use super::drift::{encode_changes, object};
use crate::error::Result;
use crate::table::{KeyRange, Row, Scan, Step, View};
use crate::value::{Bytes, Key, msgpack};

/// The columns of the answer.
pub const COLUMNS: [&str; 3] = ["key", "change", "changed"];

/// Rows that one step passes over at most.
const STEP_ROWS: usize = 1_000;

/// The difference in steps.
pub struct Diff {
    from: Side,
    to: Side,
}

/// The rows at one of the points, the next one at hand.
struct Side {
    scan: Option<Scan>,
    next: Option<Row>,
}

impl Diff {
    /// What differs between two views of a table: in all rows, or in the one with a key.
    pub fn new(from: &View, to: &View, key: Option<&Key>) -> Result<Self> {
        let side = |view: &View| {
            Ok(match key {
                Some(key) => Side {
                    scan: None,
                    next: view.get(key)?,
                },
                None => Side {
                    scan: Some(view.scan(KeyRange::ALL)),
                    next: None,
                },
            })
        };
        Ok(Diff {
            from: side(from)?,
            to: side(to)?,
        })
    }

    /// Some more work; an item is a row of the answer in msgpack.
    pub fn step(&mut self) -> Result<Step<Bytes>> {
        for _ in 0..STEP_ROWS {
            if !self.from.fill()? || !self.to.fill()? {
                return Ok(Step::Pause);
            }
            let (old, new) = match (&self.from.next, &self.to.next) {
                (None, None) => return Ok(Step::Done),
                (Some(_), None) => (self.from.next.take(), None),
                (None, Some(_)) => (None, self.to.next.take()),
                (Some(old), Some(new)) => {
                    match old.encoded_key().as_ref().cmp(new.encoded_key().as_ref()) {
                        core::cmp::Ordering::Less => (self.from.next.take(), None),
                        core::cmp::Ordering::Greater => (None, self.to.next.take()),
                        core::cmp::Ordering::Equal => (self.from.next.take(), self.to.next.take()),
                    }
                }
            };
            if let Some(row) = compare(old.as_ref(), new.as_ref())? {
                return Ok(Step::Item(row));
            }
        }
        Ok(Step::Pause)
    }
}

impl Side {
    /// Looks for the next row; false if that needs another step.
    fn fill(&mut self) -> Result<bool> {
        let Some(scan) = self.scan.as_mut().filter(|_| self.next.is_none()) else {
            return Ok(true);
        };
        match scan.step()? {
            Step::Item(row) => self.next = Some(row),
            Step::Pause => return Ok(false),
            Step::Done => self.scan = None,
        }
        Ok(true)
    }
}

/// The answer's row for one key; `None` if the documents are the same.
fn compare(old: Option<&Row>, new: Option<&Row>) -> Result<Option<Bytes>> {
    let same_event = matches!((old, new), (Some(old), Some(new)) if old.seq == new.seq);
    let Some(row) = new.or(old).filter(|_| !same_event) else {
        return Ok(None);
    };
    let [before, after] = [old, new].map(|row| row.map(Row::document));
    let (mut changes, mut out) = (Vec::new(), Vec::new());
    let (before, after) = (object(before.as_ref()), object(after.as_ref()));
    let count = encode_changes(before, after, &mut Vec::new(), &mut changes);
    if count == 0 && old.is_some() && new.is_some() {
        return Ok(None);
    }
    let change = match (old, new) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    let [key, kind, changed] = COLUMNS;
    msgpack::encode_map_head(COLUMNS.len(), &mut out);
    msgpack::encode_str(key, &mut out);
    msgpack::encode(&row.key()?.to_value(), &mut out);
    msgpack::encode_str(kind, &mut out);
    msgpack::encode_str(change, &mut out);
    msgpack::encode_str(changed, &mut out);
    out.extend(changes);
    Ok(Some(Bytes::from(out)))
}
