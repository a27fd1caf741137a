//! The timeline: how many events each table has in each of a number of equal stretches of the history.

use alloc::string::String;
use alloc::vec::Vec;

use super::Database;
use crate::error::{Code, Error, Result};
use crate::limits::BUCKETS_MAX;
use crate::table::{Tally, Upto};
use crate::time::{Seq, Timestamp};

/// What the stretches of a timeline are equal in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// Each covers as many seqs.
    #[default]
    Seq,
    /// Each covers as much time.
    Time,
}

/// Events by stretch and table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The seq or unix millisecond before the first stretch: 0, or just before the first event.
    pub start: u64,
    /// The last seq or unix millisecond of each stretch, inclusive; never falling, the last is the head's.
    pub ends: Vec<u64>,
    /// By table, in order of their names: how many events it has in each stretch. What COMPACT dropped is not counted.
    pub tables: Vec<(String, Vec<u64>)>,
}

impl Database {
    /// The events of every table in `buckets` equal stretches, from the start of the history to the head. Exact, and read from the marks of the indexes, with at most
    /// 64 KiB of log for each stretch and table.
    ///
    /// # Errors
    /// `Code::OutOfRange` if there are no buckets or more than 10,000.
    pub fn timeline(&mut self, axis: Axis, buckets: usize) -> Result<Timeline> {
        if !(1..=BUCKETS_MAX).contains(&buckets) {
            let message =
                alloc::format!("a timeline has 1 to {BUCKETS_MAX} buckets, not {buckets}");
            return Err(Error::new(Code::OutOfRange, message));
        }
        let names = self.tables()?;
        if self.env.writes() {
            self.write_group()?;
        } else {
            for name in &names {
                self.freshen(name)?;
            }
        }
        let (start, ends) = self.stretches(axis, &names, buckets as u64)?;
        let mut tables = Vec::with_capacity(names.len());
        for name in names {
            let sources = self.table(&name)?.sources().clone();
            let mut tally = Tally::new(sources);
            let mut before = 0;
            let mut counts = Vec::with_capacity(ends.len());
            for &end in &ends {
                let upto = tally.upto(match axis {
                    Axis::Seq => Upto::Seq(Seq(end)),
                    Axis::Time => Upto::Time(Timestamp(end)),
                })?;
                counts.push(upto - before);
                before = upto;
            }
            tables.push((name, counts));
        }
        Ok(Timeline {
            start,
            ends,
            tables,
        })
    }

    /// What is before the first stretch, and the end of each.
    fn stretches(&mut self, axis: Axis, names: &[String], buckets: u64) -> Result<(u64, Vec<u64>)> {
        let (seq, time) = self.head();
        let (start, end) = match axis {
            Axis::Seq => (0, seq.0),
            Axis::Time => {
                let mut start = time.0;
                for name in names {
                    let first = self.table(name)?.log().segments();
                    let first = first.iter().find_map(|segment| segment.first);
                    start = first.map_or(start, |(_, time)| start.min(time.0));
                }
                // The first event is in the first stretch.
                (start.saturating_sub(1), time.0)
            }
        };
        let width = u128::from(end - start);
        let end = |bucket: u64| width * u128::from(bucket) / u128::from(buckets);
        let ends = (1..=buckets).map(|bucket| start + u64::try_from(end(bucket)).unwrap_or(0));
        Ok((start, ends.collect()))
    }
}
