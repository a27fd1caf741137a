//! An order: things numbered from 0 as they came, in the order of their keys, which is made only when somebody asks for it.

use alloc::vec::Vec;

use crate::sorted::common_prefix;

/// So many new ones are put in one by one; of more, everything is sorted.
const FEW: usize = 32;

/// Numbers in the order of the keys they stand for.
#[derive(Default)]
pub struct Order(Vec<u32>);

impl Order {
    /// The number at a rank.
    pub fn get(&self, rank: usize) -> Option<u32> {
        self.0.get(rank).copied()
    }

    /// The first rank whose number is not `below`.
    pub fn first_not(&self, mut below: impl FnMut(u32) -> bool) -> usize {
        self.0.partition_point(|&number| below(number))
    }

    /// Puts the numbers below `count` that are not in it yet in order. Keys differ.
    pub fn extend<'a>(&mut self, count: usize, key: &dyn Fn(u32) -> &'a [u8]) {
        let new = count.saturating_sub(self.0.len());
        if new == 0 {
            return;
        }
        let fresh = (self.0.len()..count).filter_map(|number| u32::try_from(number).ok());
        if new <= FEW && new < self.0.len() {
            for number in fresh {
                let this = key(number);
                let rank = self.0.partition_point(|&other| key(other) < this);
                self.0.insert(rank, number);
            }
            return;
        }
        self.0.extend(fresh);
        self.sort(key);
    }

    /// Keys are long and much alike: they are compared by the first bytes that tell them apart.
    fn sort<'a>(&mut self, key: &dyn Fn(u32) -> &'a [u8]) {
        let Some(first) = self.0.first().map(|&number| key(number)) else {
            return;
        };
        let shared = self.0.iter().fold(first.len(), |shared, &number| {
            shared.min(common_prefix(
                first.get(..shared).unwrap_or(first),
                key(number),
            ))
        });
        let mut signed: Vec<(u64, u32)> = self
            .0
            .iter()
            .map(|&number| (sign(key(number).get(shared..).unwrap_or_default()), number))
            .collect();
        signed.sort_unstable_by(|(a, first), (b, second)| {
            a.cmp(b).then_with(|| key(*first).cmp(key(*second)))
        });
        self.0.clear();
        self.0.extend(signed.iter().map(|(_, number)| *number));
    }

    /// Takes out the numbers from `count` on.
    pub fn truncate(&mut self, count: usize) {
        if self.0.len() > count {
            self.0.retain(|&number| (number as usize) < count);
        }
    }
}

/// The first eight bytes; what has fewer comes first, or is as the same followed by zeros.
fn sign(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(key) {
        *to = *from;
    }
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_as_if_sorted_anew(
            keys in proptest::collection::btree_set(proptest::collection::vec(0u8..3, 0..14), 1..120),
            shuffle in any::<u64>(),
            steps in proptest::collection::vec(0usize..130, 1..12),
        ) {
            let mut keys: Vec<Vec<u8>> = keys.into_iter().collect();
            keys.sort_by_key(|key| {
                let mixed = key.iter().fold(shuffle, |all, &byte| all.wrapping_mul(31) ^ u64::from(byte));
                mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            });
            let mut order = Order::default();
            for step in steps {
                let count = step.min(keys.len());
                order.truncate(count);
                order.extend(count, &|number| &keys[number as usize]);
                let mut expected: Vec<u32> = (0..u32::try_from(count).unwrap()).collect();
                expected.sort_by_key(|&number| &keys[number as usize]);
                prop_assert_eq!(&order.0, &expected);
            }
        }
    }
}
