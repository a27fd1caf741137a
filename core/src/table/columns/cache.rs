//! Which columns are in memory: of the table as it is, and of the table at a seq in the past that was scanned again.

use alloc::collections::BTreeSet;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::Columns;
use crate::time::Seq;
use crate::value::Path;

/// So many columns are kept of the present, and so many of the past.
const KEPT: usize = 4;
/// So many scans are remembered that had no columns.
const ASKED: usize = 8;

/// The columns of one table, within a budget of bytes.
pub struct ColumnCache {
    present: Vec<Present>,
    past: Vec<(Seq, Rc<Columns>)>,
    asked: Vec<Asked>,
    budget: usize,
    /// No event has a later seq.
    newest: Seq,
}

/// Columns of the table as it is, but for some keys.
struct Present {
    columns: Rc<Columns>,
    paths: Vec<Path>,
    /// Keys that may have changed since.
    changed: BTreeSet<Vec<u8>>,
}

/// A scan that had no columns.
struct Asked {
    paths: Vec<Path>,
    /// `None`: the present.
    at: Option<Seq>,
    /// Its columns do not fit the budget.
    too_large: bool,
}

impl ColumnCache {
    /// An empty cache that keeps about `budget` bytes, of a table whose newest event so far has seq `newest`.
    pub fn new(budget: usize, newest: Seq) -> Self {
        ColumnCache {
            present: Vec::new(),
            past: Vec::new(),
            asked: Vec::new(),
            budget,
            newest,
        }
    }

    /// How many bytes columns may have.
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// An event changes a key.
    pub fn changed(&mut self, key: &[u8], seq: Seq) {
        self.newest = self.newest.max(seq);
        self.mark(key);
    }

    /// An event of an open transaction, which had this seq at least, is taken back.
    pub fn undone(&mut self, key: &[u8], seq: Seq) {
        self.newest = self.newest.min(Seq(seq.0.saturating_sub(1)));
        self.past.retain(|(past, _)| *past < seq);
        self.mark(key);
    }

    fn mark(&mut self, key: &[u8]) {
        let asked = &mut self.asked;
        self.present.retain_mut(|present| {
            // Reading a key anew costs as much as scanning some sixteen.
            let worth = present.changed.len() < present.columns.rows() / 16 + 64;
            if !worth {
                asked.retain(|asked| asked.paths != present.paths);
            } else if !present.changed.contains(key) {
                present.changed.insert(key.to_vec());
            }
            worth
        });
    }

    /// The columns at some paths for a scan at `seq`. What is behind is no longer in the cache: whoever takes it brings it up to date and keeps it.
    pub(super) fn find(&mut self, paths: &[Path], seq: Seq) -> Stored {
        let at = (seq < self.newest).then_some(seq);
        if let Some(at) = at {
            let mut past = self.past.iter();
            let fits =
                |(past, columns): &&(Seq, Rc<Columns>)| *past == at && columns.paths == paths;
            if let Some((_, columns)) = past.find(fits) {
                return Stored::Ready(columns.clone());
            }
        } else if let Some(place) = self.present.iter().position(|one| one.paths == paths) {
            let present = self.present.remove(place);
            if !present.changed.is_empty() {
                return Stored::Behind(present.columns, present.changed);
            }
            let columns = present.columns.clone();
            self.present.push(present);
            return Stored::Ready(columns);
        }
        let same = |asked: &&Asked| asked.at == at && asked.paths == paths;
        if let Some(asked) = self.asked.iter().find(same) {
            return Stored::Nothing {
                worthwhile: !asked.too_large,
            };
        }
        self.ask(paths, at, false);
        Stored::Nothing { worthwhile: false }
    }

    fn ask(&mut self, paths: &[Path], at: Option<Seq>, too_large: bool) {
        self.asked
            .retain(|asked| asked.at != at || asked.paths != paths);
        if self.asked.len() >= ASKED {
            self.asked.remove(0);
        }
        let paths = paths.to_vec();
        self.asked.push(Asked {
            paths,
            at,
            too_large,
        });
    }

    /// Remembers that the columns of a scan at `seq` are too large to be kept.
    pub fn refuse(&mut self, paths: &[Path], seq: Seq) {
        self.ask(paths, (seq < self.newest).then_some(seq), true);
    }

    /// Keeps the columns of a scan at `seq`.
    pub fn keep(&mut self, columns: Rc<Columns>, seq: Seq) {
        let paths = columns.paths.clone();
        if seq < self.newest {
            self.past
                .retain(|(past, other)| *past != seq || other.paths != paths);
            self.past.push((seq, columns));
        } else {
            self.present.retain(|other| other.paths != paths);
            self.present.push(Present {
                columns,
                paths,
                changed: BTreeSet::new(),
            });
        }
        self.shrink();
    }

    /// Keeps to the budget: the past goes first, what was used longest ago before the rest.
    fn shrink(&mut self) {
        let size = |cache: &Self| -> usize {
            let past = cache.past.iter().map(|(_, columns)| columns.size());
            let present = cache.present.iter().map(|one| one.columns.size());
            past.chain(present).sum()
        };
        while self.past.len() > KEPT || (size(self) > self.budget && !self.past.is_empty()) {
            self.past.remove(0);
        }
        while self.present.len() > KEPT || (size(self) > self.budget && !self.present.is_empty()) {
            self.present.remove(0);
        }
    }
}

/// What the cache has for a scan.
pub(super) enum Stored {
    Ready(Rc<Columns>),
    /// Columns that these keys may have left.
    Behind(Rc<Columns>, BTreeSet<Vec<u8>>),
    Nothing {
        worthwhile: bool,
    },
}
