//! The memtable: a table's newest versions and index markers, in memory until a flush writes them into index runs.
//!
//! Versions of a transaction that is still open are in it too, under the seqs that they will have: a view sees only what is
//! at or below its own seq, so that committing is raising the head, and rolling back is [`Memtable::pop_above`].

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::posting::Markers;
use super::postings::Postings;
use super::version::{Version, push_seq};
use super::versions::Versions;
use crate::log::Position;
use crate::time::{Seq, Timestamp};

/// A memtable that views and the table share.
pub type SharedMemtable = Rc<RefCell<Memtable>>;

/// A place in the log that a search by seq or by time can start from: the frame of the first event with this seq is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The event's seq.
    pub seq: Seq,
    /// The event's time.
    pub time: Timestamp,
    /// Where its frame starts.
    pub at: Position,
    /// How many events the log has before it.
    pub events: u64,
}

/// Newest versions and markers.
#[derive(Default)]
pub struct Memtable {
    /// The versions, by key.
    pub versions: Versions,
    /// The markers of each index.
    pub postings: Vec<Postings>,
    marks: Vec<Mark>,
    /// Of so many versions the markers have been made: a reader makes them when an index is first used.
    posted: usize,
}

impl Memtable {
    /// An empty memtable for a table with so many secondary indexes.
    pub fn new(indexes: usize) -> Self {
        Memtable {
            postings: (0..indexes).map(|_| Postings::default()).collect(),
            ..Memtable::default()
        }
    }

    /// How many versions it holds.
    pub fn len(&self) -> usize {
        self.versions.len()
    }

    /// Whether it holds no version.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// About how many bytes of memory it holds.
    pub fn bytes(&self) -> usize {
        self.versions.bytes() + self.postings.iter().map(Postings::bytes).sum::<usize>()
    }

    /// Whether every version is at or below `seq`.
    pub fn is_covered_by(&self, seq: Seq) -> bool {
        self.versions.newest() <= seq
    }

    /// The marks, oldest first.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Notes where an event is in the log.
    pub fn push_mark(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    /// Adds a version under its key (encoded, without seq) with its markers.
    pub fn insert(&mut self, key: &[u8], version: &Version<&[u8]>, markers: &Markers) {
        self.insert_unposted(key, version);
        self.posted = self.versions.len();
        self.post(markers);
    }

    /// Adds a version whose markers are still to be made.
    pub fn insert_unposted(&mut self, key: &[u8], version: &Version<&[u8]>) {
        self.versions.push(key, version);
    }

    /// The versions whose markers are still to be made, by their numbers in the order of the log; they count as made from now on.
    pub fn take_unposted(&mut self) -> core::ops::Range<usize> {
        let from = core::mem::replace(&mut self.posted, self.versions.len());
        from..self.posted
    }

    /// Adds markers.
    pub fn post(&mut self, markers: &Markers) {
        for (index, key, posting) in markers.iter() {
            if let Some(postings) = self.postings.get_mut(index) {
                postings.push(key, posting);
            }
        }
    }

    /// What it holds at or below `seq`, and what it holds above. It stays as it is, for the views that read it.
    pub fn split(&self, seq: Seq) -> [Memtable; 2] {
        let (versions, marks) = (self.versions.split(seq), |upper: bool| {
            let part = self
                .marks
                .iter()
                .filter(move |mark| (mark.seq > seq) == upper);
            part.copied().collect()
        });
        let mut parts = versions.map(|versions| Memtable {
            posted: versions.len(),
            versions,
            ..Memtable::default()
        });
        for postings in &self.postings {
            for (part, postings) in parts.iter_mut().zip(postings.split(seq)) {
                part.postings.push(postings);
            }
        }
        for (part, upper) in parts.iter_mut().zip([false, true]) {
            part.marks = marks(upper);
        }
        parts
    }

    /// Takes out what is above `seq`; `each` gets the keys.
    pub fn pop_above(&mut self, seq: Seq, each: impl FnMut(&[u8])) {
        self.versions.pop_above(seq, each);
        for postings in &mut self.postings {
            postings.pop_above(seq);
        }
        self.posted = self.posted.min(self.versions.len());
    }

    /// Prepares for being written into runs: nothing is added any more.
    pub fn freeze(&mut self) {
        self.versions.sort();
        self.versions.seal();
        for postings in &mut self.postings {
            postings.sort();
        }
    }
}

/// A run's key: the encoded key and the seq.
pub fn versioned(key: &[u8], seq: Seq) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 8);
    out.extend_from_slice(key);
    push_seq(seq, &mut out);
    out
}
