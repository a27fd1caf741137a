//! What expressions read: the members of a row, or the results of a group.

use alloc::vec::Vec;
use core::cell::{Cell, OnceCell};

use super::node::Slots;
use crate::value::{Chain, Member, ObjectRef, Path, Raw};

/// How many slots are found only once.
const FOUND: usize = 4;

/// The members of a row, found when they are asked for.
pub(crate) struct RowSlots<'a> {
    chain: Chain<'a>,
    paths: &'a [Path],
    /// The first slots' values, once they are found: most expressions ask twice.
    found: [Cell<Option<Raw<'a>>>; FOUND],
    /// The whole document, made if a member has to be merged from patches.
    whole: OnceCell<Vec<u8>>,
}

impl<'a> RowSlots<'a> {
    pub(crate) fn new(chain: Chain<'a>, paths: &'a [Path]) -> Self {
        RowSlots {
            chain,
            paths,
            found: Default::default(),
            whole: OnceCell::new(),
        }
    }

    fn merged(&self, path: &Path) -> Option<Raw<'_>> {
        let whole = self.whole.get_or_init(|| {
            let mut out = Vec::new();
            self.chain.materialise(&mut out);
            out
        });
        path.get_in(ObjectRef::new(whole)?.raw())
    }
}

impl Slots for RowSlots<'_> {
    #[inline]
    fn slot(&self, slot: usize) -> Raw<'_> {
        let found = self.found.get(slot);
        if let Some(raw) = found.and_then(Cell::get) {
            return raw;
        }
        let Some(path) = self.paths.get(slot) else {
            return Raw::NULL;
        };
        let raw = match self.chain.path(path) {
            Member::Value(raw) => raw,
            Member::Absent => Raw::NULL,
            Member::Merge => return self.merged(path).unwrap_or(Raw::NULL),
        };
        if let Some(found) = found {
            found.set(Some(raw));
        }
        raw
    }
}

/// The results of a group: its keys and aggregates, in msgpack.
pub(crate) struct CellSlots<'a>(&'a [Vec<u8>]);

impl<'a> CellSlots<'a> {
    pub(crate) fn new(cells: &'a [Vec<u8>]) -> Self {
        CellSlots(cells)
    }
}

impl Slots for CellSlots<'_> {
    fn slot(&self, slot: usize) -> Raw<'_> {
        self.0
            .get(slot)
            .and_then(|cell| Raw::new(cell))
            .unwrap_or(Raw::NULL)
    }
}
