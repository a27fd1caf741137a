//! [`Bytes`]: a shared slice that is cheap to clone and to cut.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Deref, Range};

/// A part of bytes that several owners share; cloning and slicing copy nothing.
#[derive(Clone)]
pub struct Bytes {
    owner: Rc<[u8]>,
    start: usize,
    end: usize,
}

impl Bytes {
    /// The part `range`, counted from the start of this one; `None` if it reaches beyond the end.
    pub fn slice(&self, range: Range<usize>) -> Option<Bytes> {
        if range.start > range.end || range.end > self.len() {
            return None;
        }
        let owner = Rc::clone(&self.owner);
        Some(Bytes {
            owner,
            start: self.start + range.start,
            end: self.start + range.end,
        })
    }

    /// The same bytes with nothing around them kept in memory.
    pub fn detached(self) -> Bytes {
        if self.owner.len() == self.len() {
            self
        } else {
            Bytes::from(&*self)
        }
    }

    /// The part that is `part`, which must have been borrowed from these bytes; `None` if it was not.
    pub fn slice_of(&self, part: &[u8]) -> Option<Bytes> {
        let start = (part.as_ptr().addr()).checked_sub(self.as_ptr().addr())?;
        self.slice(start..start.checked_add(part.len())?)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.owner.get(self.start..self.end).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Bytes {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Rc<[u8]>> for Bytes {
    fn from(owner: Rc<[u8]>) -> Self {
        let end = owner.len();
        Bytes {
            owner,
            start: 0,
            end,
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(Rc::<[u8]>::from(bytes))
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Bytes::from(Rc::<[u8]>::from(bytes))
    }
}

impl Default for Bytes {
    fn default() -> Self {
        Bytes::from(Vec::new())
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::reversed_empty_ranges
)]
mod tests {
    use super::*;

    #[test]
    fn slices_share_and_stay_in_bounds() {
        let all = Bytes::from(&[0u8, 1, 2, 3, 4][..]);
        let part = all.slice(1..4).unwrap();
        assert_eq!(*part, [1, 2, 3]);
        assert_eq!(*part.slice(1..3).unwrap(), [2, 3]);
        assert!(part.slice(3..3).unwrap().is_empty());
        assert!(part.slice(0..4).is_none());
        assert!(part.slice(2..1).is_none());
        assert!(part.slice(usize::MAX..usize::MAX).is_none());
    }

    #[test]
    fn a_borrowed_part_becomes_a_slice() {
        let all = Bytes::from(&[0u8, 1, 2, 3, 4][..]);
        let middle = all.slice(1..4).unwrap();
        assert_eq!(*middle.slice_of(&middle[1..]).unwrap(), [2, 3]);
        assert!(middle.slice_of(&all).is_none());
        assert!(middle.slice_of(&[1]).is_none());
    }
}
