//! What a sorted file says of itself: which kind, of which generation, and which seqs it covers.

use alloc::vec::Vec;

/// What a sorted file is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A run of the primary-key index.
    PrimaryIndex,
    /// A run of a secondary index.
    SecondaryIndex,
    /// The state of a table at one seq.
    Snapshot,
}

impl Kind {
    pub(super) fn to_byte(self) -> u8 {
        match self {
            Kind::PrimaryIndex => 1,
            Kind::SecondaryIndex => 2,
            Kind::Snapshot => 3,
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Kind::PrimaryIndex),
            2 => Some(Kind::SecondaryIndex),
            3 => Some(Kind::Snapshot),
            _ => None,
        }
    }
}

/// What a sorted file says of itself, in its footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What the file is used for.
    pub kind: Kind,
    /// A number that the table layer gives it, such as the number of the index.
    pub id: u64,
    /// The generation of the table's log that it was made from.
    pub generation: u64,
    /// The first seq it covers.
    pub min_seq: u64,
    /// The last seq it covers.
    pub max_seq: u64,
    /// How many entries it holds; a builder counts them itself.
    pub entries: u64,
    /// What else the table layer wants to know when it opens the file; a few bytes.
    pub extra: Vec<u8>,
}
