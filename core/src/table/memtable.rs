//! The memtable: a table's newest versions and index markers, in memory until a flush writes them into index runs.
//!
//! Versions of a transaction that is still open are in it too, under the seqs that they will have: a view sees only what is
//! at or below its own seq, so that committing is raising the head, and rolling back is [`Memtable::remove`].

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::Bound;

use alloc::rc::Rc;

use super::posting::Posting;
use super::version::{Version, push_seq, split_seq};
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
}

/// Newest versions and markers, in key order.
#[derive(Default)]
pub struct Memtable {
    /// Boxed, so that an insertion into a node of the tree does not move many large values.
    versions: BTreeMap<Vec<u8>, Box<Version>>,
    postings: Vec<BTreeMap<Vec<u8>, Posting>>,
    marks: Vec<Mark>,
    /// Versions whose markers have not been made yet: a reader makes them when an index is first used.
    unposted: Vec<(Vec<u8>, Seq)>,
    bytes: usize,
    /// No version has a later seq; some may have been taken out again.
    newest: Seq,
}

impl Memtable {
    /// An empty memtable for a table with so many secondary indexes.
    pub fn new(indexes: usize) -> Self {
        Memtable {
            postings: (0..indexes).map(|_| BTreeMap::new()).collect(),
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
        self.bytes
    }

    /// Whether every version is at or below `seq`.
    pub fn is_covered_by(&self, seq: Seq) -> bool {
        self.newest <= seq
    }

    /// The marks, oldest first.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Notes where an event is in the log.
    pub fn push_mark(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    /// Adds a version under its key (encoded, without seq).
    pub fn insert(&mut self, key: &[u8], version: Version) {
        self.bytes += weight(key, &version);
        self.newest = self.newest.max(version.seq);
        self.versions
            .insert(versioned(key, version.seq), Box::new(version));
    }

    /// Adds a version whose markers are still to be made.
    pub fn insert_unposted(&mut self, key: &[u8], version: Version) {
        if !self.postings.is_empty() {
            self.unposted.push((key.to_vec(), version.seq));
        }
        self.insert(key, version);
    }

    /// The versions whose markers are still to be made, in the order of the log; they count as made from now on.
    pub fn take_unposted(&mut self) -> Vec<(Vec<u8>, Seq)> {
        core::mem::take(&mut self.unposted)
    }

    /// Takes a version out again.
    pub fn remove(&mut self, key: &[u8], seq: Seq) {
        if let Some(version) = self.versions.remove(&versioned(key, seq)) {
            self.bytes = self.bytes.saturating_sub(weight(key, &version));
        }
    }

    /// Sets the time of a version of a transaction that is being committed.
    pub fn set_time(&mut self, key: &[u8], seq: Seq, time: Timestamp) {
        if let Some(version) = self.versions.get_mut(&versioned(key, seq)) {
            version.time = time;
        }
    }

    /// The version of a key at exactly this seq.
    pub fn get(&self, key: &[u8], seq: Seq) -> Option<&Version> {
        self.versions
            .get(&versioned(key, seq))
            .map(|version| &**version)
    }

    /// Adds a marker to an index; the key is a whole run key, seq included.
    pub fn insert_posting(&mut self, index: usize, key: Vec<u8>, posting: Posting) {
        self.bytes += key.len() + 64;
        if let Some(postings) = self.postings.get_mut(index) {
            postings.insert(key, posting);
        }
    }

    /// Takes a marker out again.
    pub fn remove_posting(&mut self, index: usize, key: &[u8]) {
        if let Some(postings) = self.postings.get_mut(index) {
            postings.remove(key);
        }
    }

    /// The versions from `probe` (a whole run key) on.
    pub fn versions_from(&self, probe: &[u8]) -> impl Iterator<Item = (&[u8], &Version)> {
        self.versions
            .range::<[u8], _>((Bound::Included(probe), Bound::Unbounded))
            .map(|(key, version)| (key.as_slice(), &**version))
    }

    /// The versions behind `key` (exclusive).
    pub fn versions_after(&self, key: &[u8]) -> impl Iterator<Item = (&[u8], &Version)> {
        self.versions
            .range::<[u8], _>((Bound::Excluded(key), Bound::Unbounded))
            .map(|(key, version)| (key.as_slice(), &**version))
    }

    /// The first version behind `key` (exclusive).
    pub fn version_after(&self, key: &[u8]) -> Option<(&[u8], &Version)> {
        self.versions_after(key).next()
    }

    /// The markers of an index behind `key` (exclusive).
    pub fn postings_after(
        &self,
        index: usize,
        key: &[u8],
    ) -> impl Iterator<Item = (&[u8], Posting)> {
        self.postings
            .get(index)
            .into_iter()
            .flat_map(move |postings| {
                postings.range::<[u8], _>((Bound::Excluded(key), Bound::Unbounded))
            })
            .map(|(key, posting)| (key.as_slice(), *posting))
    }

    /// The first marker at or behind `probe`, or strictly behind it.
    pub fn posting_from(&self, index: usize, probe: Bound<&[u8]>) -> Option<(&[u8], Posting)> {
        let postings = self.postings.get(index)?;
        postings
            .range::<[u8], _>((probe, Bound::Unbounded))
            .next()
            .map(|(key, posting)| (key.as_slice(), *posting))
    }
}

/// A run's key: the encoded key and the seq.
pub fn versioned(key: &[u8], seq: Seq) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 8);
    out.extend_from_slice(key);
    push_seq(seq, &mut out);
    out
}

/// The encoded key of a run's key.
pub fn key_of(run_key: &[u8]) -> &[u8] {
    split_seq(run_key).map_or(run_key, |(key, _)| key)
}

fn weight(key: &[u8], version: &Version) -> usize {
    let part = |bytes: &Option<crate::value::Bytes>| bytes.as_ref().map_or(0, |bytes| bytes.len());
    // The tree's node, the version itself and the owners of its parts.
    key.len() + part(&version.body) + part(&version.whole) + 200
}
