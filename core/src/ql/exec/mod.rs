//! Running a SELECT, in steps of bounded work.

pub(crate) mod aggregate;
mod columns;
mod group;
pub(crate) mod like;
pub(crate) mod node;
mod slots;
mod sort;
mod stream;

use alloc::string::String;
use alloc::vec::Vec;

use columns::{ColumnSlots, Columnar};
use group::Groups;
use node::Slots;
use slots::{CellSlots, RowSlots};
use sort::{Entry, Sorted, Sorter};
use stream::Stream;

use super::Params;
use super::ast::Select;
use super::plan::{Access, Columns, Plan};
use super::source::{Record, Source, Step};
use crate::error::Result;
use crate::value::{Bytes, Object, ObjectRef, keycode, msgpack};

/// Rows that one step looks at, at most.
const STEP_ROWS: usize = 512;
/// The same of rows in columns.
const STEP_COLUMN_ROWS: usize = 4_096;

/// A SELECT that is being run over a table at a point.
pub struct Query<S: Source> {
    plan: Plan,
    source: S,
    stream: Stream<S>,
    columnar: Columnar,
    stage: Stage,
    /// Rows still to be left out, and to be given out.
    skip: u64,
    left: u64,
}

enum Stage {
    /// Rows are given out as they come.
    Streaming,
    /// Rows are taken in to be sorted.
    Sorting(Sorter),
    /// Rows are taken in to be grouped.
    Grouping(Groups),
    /// Groups are made into results.
    Finishing(group::Finished, Sorter),
    /// Results are given out.
    Output(Sorted),
}

impl<S: Source> Query<S> {
    /// Plans a SELECT over `source`, which is the table at the point that the SELECT names.
    pub fn new(source: S, select: &Select, params: &Params) -> Result<Self> {
        let plan = Plan::new(&source, select, params)?;
        let stage = match &plan.group {
            Some(group) => Stage::Grouping(Groups::new(group)),
            None if plan.order.is_empty() => Stage::Streaming,
            None => Stage::Sorting(Sorter::new(plan.wanted())),
        };
        let columnar = Columnar::of(&plan, &source)?;
        let stream = match columnar {
            Columnar::Reading(..) => Stream::new(&Access::Nothing, &source),
            _ => Stream::new(&plan.access, &source),
        };
        let (skip, left) = (plan.offset, plan.limit.unwrap_or(u64::MAX));
        Ok(Query {
            plan,
            source,
            stream,
            columnar,
            stage,
            skip,
            left,
        })
    }

    /// The names of the columns; `None` for whole documents.
    pub fn columns(&self) -> Option<&[String]> {
        self.plan
            .columns
            .as_ref()
            .map(|columns| columns.names.as_slice())
    }

    /// Some more work: a row of the result, a pause, or the end.
    pub fn step(&mut self) -> Result<Step<Object>> {
        Ok(match self.step_bytes()? {
            Step::Item(bytes) => Step::Item(
                ObjectRef::new(&bytes)
                    .unwrap_or(ObjectRef::EMPTY)
                    .to_object(),
            ),
            Step::Pause => Step::Pause,
            Step::Done => Step::Done,
        })
    }

    /// The same with rows in msgpack.
    pub fn step_bytes(&mut self) -> Result<Step<Bytes>> {
        if self.left == 0 {
            return Ok(Step::Done);
        }
        match &mut self.stage {
            Stage::Streaming => self.stream_rows(),
            Stage::Sorting(_) | Stage::Grouping(_) => self.take_rows(),
            Stage::Finishing(..) => self.finish_groups(),
            Stage::Output(sorted) => Ok(loop {
                let Some(entry) = sorted.next() else {
                    break Step::Done;
                };
                if self.skip == 0 {
                    self.left -= 1;
                    break Step::Item(Bytes::from(entry.into_result()));
                }
                self.skip -= 1;
            }),
        }
    }

    /// Gives out rows as they come, in key order.
    fn stream_rows(&mut self) -> Result<Step<Bytes>> {
        for _ in 0..STEP_ROWS {
            let row = match self.stream.step(&self.source)? {
                Step::Item(row) => row,
                Step::Pause => return Ok(Step::Pause),
                Step::Done => return Ok(Step::Done),
            };
            let slots = RowSlots::new(row.chain(), &self.plan.paths);
            if !accepts(&self.plan, &slots) {
                continue;
            }
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            self.left -= 1;
            let result = match &self.plan.columns {
                None => row.document(),
                Some(columns) => {
                    let mut out = Vec::new();
                    project(columns, &slots, &mut out);
                    Bytes::from(out)
                }
            };
            return Ok(Step::Item(result));
        }
        Ok(Step::Pause)
    }

    /// Takes rows in to be sorted or grouped.
    fn take_rows(&mut self) -> Result<Step<Bytes>> {
        if let Columnar::Reading(..) = self.columnar {
            return self.take_column_rows();
        }
        for _ in 0..STEP_ROWS {
            match self.stream.step(&self.source)? {
                Step::Item(row) => {
                    self.columnar.note(&row, &self.plan, &self.source);
                    self.take_row(&row)?;
                }
                Step::Pause => return Ok(Step::Pause),
                Step::Done => {
                    self.columnar.end(&self.plan, &self.source);
                    self.end_of_rows();
                    return Ok(Step::Pause);
                }
            }
        }
        Ok(Step::Pause)
    }

    /// The same from columns in memory.
    fn take_column_rows(&mut self) -> Result<Step<Bytes>> {
        let (Columnar::Reading(columns, next), Stage::Grouping(groups), Some(group)) =
            (&mut self.columnar, &mut self.stage, &self.plan.group)
        else {
            return Ok(Step::Done);
        };
        let until = columns.rows().min(*next + STEP_COLUMN_ROWS);
        for row in *next..until {
            let slots = ColumnSlots { columns, row };
            if accepts(&self.plan, &slots) {
                groups.add(group, &slots)?;
            }
        }
        *next = until;
        if until == columns.rows() {
            self.end_of_rows();
        }
        Ok(Step::Pause)
    }

    fn take_row(&mut self, row: &S::Row) -> Result<()> {
        let plan = &self.plan;
        let slots = RowSlots::new(row.chain(), &plan.paths);
        if !accepts(plan, &slots) {
            return Ok(());
        }
        match (&mut self.stage, &plan.group) {
            (Stage::Grouping(groups), Some(group)) => groups.add(group, &slots),
            (Stage::Sorting(sorter), _) => {
                let mut bytes = Vec::new();
                order_key(plan, &slots, row.encoded_key(), &mut bytes);
                if sorter.wants(&bytes) {
                    let key_len = bytes.len();
                    match &plan.columns {
                        None => bytes.extend_from_slice(&row.document()),
                        Some(columns) => project(columns, &slots, &mut bytes),
                    }
                    sorter.push(Entry::new(bytes, key_len));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// All rows have been taken in.
    fn end_of_rows(&mut self) {
        let wanted = self.plan.wanted();
        self.stage = match core::mem::replace(&mut self.stage, Stage::Streaming) {
            Stage::Sorting(sorter) => Stage::Output(sorter.finish()),
            Stage::Grouping(groups) => Stage::Finishing(groups.finish(), Sorter::new(wanted)),
            other => other,
        };
    }

    /// Makes some groups into results.
    fn finish_groups(&mut self) -> Result<Step<Bytes>> {
        let (Stage::Finishing(groups, sorter), Some(group), Some(columns)) =
            (&mut self.stage, &self.plan.group, &self.plan.columns)
        else {
            return Ok(Step::Done);
        };
        for _ in 0..STEP_ROWS {
            let Some((key, cells)) = groups.next(group)? else {
                if let Stage::Finishing(_, sorter) =
                    core::mem::replace(&mut self.stage, Stage::Streaming)
                {
                    self.stage = Stage::Output(sorter.finish());
                }
                return Ok(Step::Pause);
            };
            let slots = CellSlots::new(&cells);
            let mut bytes = Vec::new();
            order_key(&self.plan, &slots, &key, &mut bytes);
            if sorter.wants(&bytes) {
                let key_len = bytes.len();
                project(columns, &slots, &mut bytes);
                sorter.push(Entry::new(bytes, key_len));
            }
        }
        Ok(Step::Pause)
    }
}

/// Whether the condition is true of a row.
#[inline]
fn accepts(plan: &Plan, slots: &impl Slots) -> bool {
    plan.filter
        .as_ref()
        .is_none_or(|filter| filter.truth(slots) == Some(true))
}

/// Appends the sort key: the terms of ORDER BY, then what makes the order total.
fn order_key(plan: &Plan, slots: &impl Slots, last: &[u8], out: &mut Vec<u8>) {
    for order in &plan.order {
        let start = out.len();
        keycode::encode(order.node.value(slots), out);
        if order.descending {
            out.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
        }
    }
    out.extend_from_slice(last);
}

/// Appends the columns as an object in msgpack.
fn project(columns: &Columns, slots: &impl Slots, out: &mut Vec<u8>) {
    msgpack::encode_map_head(columns.names.len(), out);
    for (name, node) in columns.names.iter().zip(&columns.nodes) {
        msgpack::encode_str(name, out);
        match node {
            node::Node::Slot(slot) => out.extend_from_slice(slots.slot(*slot).as_bytes()),
            node => msgpack::encode_ref(node.value(slots), out),
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]
mod tests;

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]
mod tests_random;
