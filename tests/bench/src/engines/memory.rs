//! Everything in memory: the oracle that all answers are checked against, and the limit that reads are measured by.

use super::{Groups, Tally};
use crate::document::{Doc, glance};
use crate::workload::{Change, Event};
use std::collections::HashMap;

/// Every version of every row, as whole documents.
#[derive(Default)]
pub struct Memory {
    rows: HashMap<String, Vec<Version>>,
    /// Keys by customer, each once: every key that ever was that customer's.
    customers: HashMap<String, Vec<String>>,
    last: HashMap<String, Doc>,
}

struct Version {
    seq: u64,
    /// None: deleted.
    document: Option<Box<[u8]>>,
}

impl Memory {
    /// Applies events in order.
    pub fn apply(&mut self, batch: &[Event]) {
        for event in batch {
            let after = match &event.change {
                Change::Insert(doc) => Some(doc.clone()),
                Change::Patch(patch) => self.last.get(&event.key).map(|doc| doc.patched(patch)),
                Change::Delete => None,
            };
            let document = after.as_ref().map(|doc| {
                let mut bytes = Vec::with_capacity(200);
                doc.msgpack(&mut bytes);
                bytes.into_boxed_slice()
            });
            let versions = self.rows.entry(event.key.clone()).or_default();
            versions.push(Version {
                seq: event.seq,
                document,
            });
            match after {
                Some(doc) => {
                    let keys = self.customers.entry(doc.customer_id.clone()).or_default();
                    if !keys.contains(&event.key) {
                        keys.push(event.key.clone());
                    }
                    self.last.insert(event.key.clone(), doc);
                }
                None => {
                    self.last.remove(&event.key);
                }
            }
        }
    }

    /// The loading is over: what only loading needs goes.
    pub fn seal(&mut self) {
        self.last = HashMap::new();
    }

    /// The document of a row.
    pub fn get(&self, key: &str, at: Option<u64>) -> Option<&[u8]> {
        Self::version(self.rows.get(key)?, at)
    }

    fn version(versions: &[Version], at: Option<u64>) -> Option<&[u8]> {
        let count = match at {
            None => versions.len(),
            Some(at) => versions.partition_point(|version| version.seq <= at),
        };
        versions.get(count.checked_sub(1)?)?.document.as_deref()
    }

    /// All live rows of a customer.
    pub fn lookup(&self, customer: &str, at: Option<u64>) -> Tally {
        let mut tally = Tally::default();
        let keys = self.customers.get(customer).map_or(&[][..], Vec::as_slice);
        for bytes in keys.iter().filter_map(|key| self.get(key, at)) {
            match glance(bytes) {
                Some(seen) if seen.customer_id == customer => tally.add(seen.amount, bytes.len()),
                _ => {}
            }
        }
        tally
    }

    /// All versions of a row that hold a document.
    pub fn history(&self, key: &str) -> Tally {
        let mut tally = Tally::default();
        for version in self.rows.get(key).into_iter().flatten() {
            let document = version.document.as_deref();
            if let Some((seen, bytes)) = document.and_then(|bytes| Some((glance(bytes)?, bytes))) {
                tally.add(seen.amount, bytes.len());
            }
        }
        tally
    }

    /// Rows and amounts by status.
    pub fn groups(&self, at: Option<u64>) -> Groups {
        let mut counts = Counts::default();
        for versions in self.rows.values() {
            if let Some(seen) = Self::version(versions, at).and_then(glance) {
                counts.add(seen.status, seen.amount);
            }
        }
        counts.groups()
    }
}

/// Groups while they are counted: few, so a list found by comparing is the fastest map.
#[derive(Default)]
pub struct Counts(Vec<(String, u64, i64)>);

impl Counts {
    /// Counts one row.
    pub fn add(&mut self, status: &str, amount: i64) {
        if let Some(group) = self.0.iter_mut().find(|group| group.0 == status) {
            group.1 += 1;
            group.2 += amount;
        } else {
            self.0.push((status.to_owned(), 1, amount));
        }
    }

    /// By name.
    pub fn groups(self) -> Groups {
        let entry = |(status, rows, amount)| (status, (rows, amount));
        self.0.into_iter().map(entry).collect()
    }
}
