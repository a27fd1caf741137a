//! The search in a block, and the comparing of keys that it needs.

use core::cmp::Ordering;

use super::{Entry, Malformed, RESTART_BYTES, Restart, Spot};

/// How many leading bytes two keys have in common.
#[inline]
pub(crate) fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    let mut count = 0;
    let (left_words, _) = left.as_chunks::<8>();
    let (right_words, _) = right.as_chunks::<8>();
    for (a, b) in left_words.iter().zip(right_words) {
        let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differing != 0 {
            return count + (differing.trailing_zeros() / 8) as usize;
        }
        count += 8;
    }
    let rests = (
        left.get(count..).unwrap_or_default(),
        right.get(count..).unwrap_or_default(),
    );
    count
        + rests
            .0
            .iter()
            .zip(rests.1)
            .take_while(|(a, b)| a == b)
            .count()
}

/// The sign of a key whose part behind the prefix is `rest`. Of two keys with the same prefix, the one with the smaller sign is
/// the smaller one.
#[inline]
pub(super) fn sign(rest: &[u8]) -> u32 {
    match *rest {
        [a, b, c, d, ..] => u32::from_be_bytes([a, b, c, d]),
        [a, b, c] => u32::from_be_bytes([a, b, c, 0]),
        [a, b] => u32::from_be_bytes([a, b, 0, 0]),
        [a] => u32::from_be_bytes([a, 0, 0, 0]),
        [] => 0,
    }
}

/// The parts of a block that are searched.
pub(super) struct Parts<'a> {
    pub(super) restarts: &'a [[u8; RESTART_BYTES]],
    pub(super) heads: &'a [u8],
    pub(super) values_len: usize,
    pub(super) prefix_len: usize,
}

impl Parts<'_> {
    pub(super) fn seek(&self, target: &[u8]) -> Result<Option<Entry>, Malformed> {
        let first = self.whole_key_at(Spot::default())?;
        let below = self.restarts_below(&first, target)?;
        let mut entry = match below {
            0 => return Ok(Some(first)),
            1 => first,
            _ => {
                let restart = self.restarts.get(below - 1).ok_or(Malformed)?;
                self.whole_key_at(Restart::read(restart).spot)?
            }
        };
        let mut matched = common_prefix(entry.suffix(self.heads)?, target);
        loop {
            if entry.next.head == self.heads.len() {
                return Ok(None);
            }
            entry = Entry::at(self.heads, self.values_len, entry.next)?;
            // The key before is below the target and agrees with it in exactly `matched` bytes.
            match entry.shared.cmp(&matched) {
                Ordering::Greater => {}
                Ordering::Less => return Ok(Some(entry)),
                Ordering::Equal => {
                    let suffix = entry.suffix(self.heads)?;
                    let rest = target.get(matched..).ok_or(Malformed)?;
                    let more = common_prefix(suffix, rest);
                    let reached = match rest.get(more) {
                        Some(wanted) => suffix.get(more).is_some_and(|byte| byte > wanted),
                        None => true,
                    };
                    if reached {
                        return Ok(Some(entry));
                    }
                    matched += more;
                }
            }
        }
    }

    /// How many restart points have a key below `target`.
    #[inline]
    fn restarts_below(&self, first: &Entry, target: &[u8]) -> Result<usize, Malformed> {
        let prefix = first
            .suffix(self.heads)?
            .get(..self.prefix_len)
            .ok_or(Malformed)?;
        let (start, rest) = target
            .split_at_checked(self.prefix_len)
            .unwrap_or((target, &[]));
        match start.cmp(prefix) {
            Ordering::Less => return Ok(0),
            Ordering::Greater => return Ok(self.restarts.len()),
            Ordering::Equal => {}
        }
        let wanted = sign(rest);
        let (mut low, mut high) = (0, self.restarts.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let restart = Restart::read(self.restarts.get(middle).ok_or(Malformed)?);
            let below = match restart.sign.cmp(&wanted) {
                Ordering::Less => true,
                Ordering::Greater => false,
                Ordering::Equal => self.whole_key_at(restart.spot)?.suffix(self.heads)? < target,
            };
            if below {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The entry at a restart point.
    #[inline]
    fn whole_key_at(&self, spot: Spot) -> Result<Entry, Malformed> {
        let entry = Entry::at(self.heads, self.values_len, spot)?;
        if entry.shared == 0 {
            Ok(entry)
        } else {
            Err(Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn signs_order_as_keys_do(left: Vec<u8>, right: Vec<u8>) {
            if sign(&left) < sign(&right) {
                prop_assert!(left < right);
            }
        }

        #[test]
        fn a_common_prefix_is_one_and_the_longest(left: Vec<u8>, right: Vec<u8>, cut: prop::sample::Index) {
            let joined = [left.get(..cut.index(left.len() + 1)).unwrap_or_default(), right.as_slice()].concat();
            let len = common_prefix(&left, &joined);
            prop_assert_eq!(left.get(..len), joined.get(..len));
            prop_assert!(left.get(len).is_none() || left.get(len) != joined.get(len));
        }
    }
}
