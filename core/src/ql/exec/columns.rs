//! Aggregates over columns in memory in place of documents: reading columns that are there, and keeping those that a scan passes.

use alloc::rc::Rc;
use core::ops::Bound;

use super::node::Slots;
use crate::error::Result;
use crate::ql::plan::{Access, Plan};
use crate::ql::source::{Columns, Found, KeyRange, Record, Source};
use crate::value::Raw;

/// How often a recording is measured: after so many rows.
const MEASURED_EVERY: usize = 1_024;

/// What a query has to do with columns in memory.
pub(crate) enum Columnar {
    /// Nothing.
    Not,
    /// It runs over them; the next row.
    Reading(Rc<Columns>, usize),
    /// It scans, and they are kept for the next.
    Recording(Columns),
}

impl Columnar {
    /// Only aggregates over a whole table use columns.
    pub(crate) fn of(plan: &Plan, source: &impl Source) -> Result<Self> {
        let whole = matches!(
            &plan.access,
            Access::Scan(KeyRange {
                lower: Bound::Unbounded,
                upper: Bound::Unbounded,
            })
        );
        if plan.group.is_none() || !whole {
            return Ok(Columnar::Not);
        }
        Ok(match source.columns(&plan.paths)? {
            Found::Ready(columns) => Columnar::Reading(columns, 0),
            Found::Worthwhile => Columnar::Recording(Columns::new(&plan.paths)),
            Found::Nothing => Columnar::Not,
        })
    }

    /// A row has been scanned.
    #[inline]
    pub(crate) fn note(&mut self, row: &impl Record, plan: &Plan, source: &impl Source) {
        let Columnar::Recording(columns) = self else {
            return;
        };
        columns.push(row.encoded_key(), row.chain());
        if columns.rows().is_multiple_of(MEASURED_EVERY)
            && columns.size() > source.columns_bytes_max()
        {
            source.keep_columns(&plan.paths, None);
            *self = Columnar::Not;
        }
    }

    /// All rows have been scanned.
    pub(crate) fn end(&mut self, plan: &Plan, source: &impl Source) {
        if let Columnar::Recording(columns) = core::mem::replace(self, Columnar::Not) {
            let fits = columns.size() <= source.columns_bytes_max();
            source.keep_columns(&plan.paths, fits.then_some(columns));
        }
    }
}

/// One row of columns.
pub(crate) struct ColumnSlots<'a> {
    pub(crate) columns: &'a Columns,
    pub(crate) row: usize,
}

impl Slots for ColumnSlots<'_> {
    #[inline]
    fn slot(&self, slot: usize) -> Raw<'_> {
        self.columns.value(slot, self.row)
    }

    #[inline]
    fn code(&self, slot: usize) -> Option<u32> {
        self.columns.code(slot, self.row)
    }
}
