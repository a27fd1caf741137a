//! [`BlockCache`]: decoded blocks of all sorted files, within a budget of bytes; what was used last stays longest (CLOCK).

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap;

use super::codec::Decompressor;

/// What an entry of the cache costs beside its bytes.
const ENTRY_OVERHEAD: usize = 96;

/// Of so many blocks that scans bring to a full cache, one is kept.
const SCANNED_PER_KEPT: u32 = 8;

/// Blocks that were read lately, shared by all the tables of a database.
pub struct BlockCache {
    clock: RefCell<Clock>,
    next_file: Cell<u64>,
    /// Lent to whoever reads a block, so that reads do not allocate.
    scratch: Cell<Vec<u8>>,
    pub(super) decompressor: RefCell<Option<Decompressor>>,
}

/// A file's number in the cache and an offset in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Address {
    file: u64,
    offset: u64,
}

struct Block {
    bytes: Rc<[u8]>,
    /// Whether it was read since the hand last passed it.
    used: bool,
}

#[derive(Default)]
struct Clock {
    budget: usize,
    held: usize,
    blocks: HashMap<Address, Block, BuildHasherDefault<AddressHasher>>,
    /// What the hand goes round; places of dropped blocks are free.
    ring: Vec<Option<Address>>,
    free: Vec<usize>,
    hand: usize,
    /// Blocks that scans brought to a full cache.
    scanned: u32,
}

impl BlockCache {
    /// A cache that keeps at most `budget` bytes.
    pub fn new(budget: usize) -> Rc<Self> {
        Rc::new(BlockCache {
            clock: RefCell::new(Clock {
                budget,
                ..Clock::default()
            }),
            next_file: Cell::new(0),
            scratch: Cell::default(),
            decompressor: RefCell::new(None),
        })
    }

    /// How many bytes it holds now.
    pub fn held(&self) -> usize {
        self.clock.borrow().held
    }

    /// A number for a file that is being opened; never given twice.
    pub(super) fn register(&self) -> u64 {
        let file = self.next_file.get();
        self.next_file.set(file.wrapping_add(1));
        file
    }

    /// The block, if it is there; it then stays longer.
    #[inline]
    pub(super) fn get(&self, file: u64, offset: u64) -> Option<Rc<[u8]>> {
        let clock = &mut *self.clock.borrow_mut();
        let block = clock.blocks.get_mut(&Address { file, offset })?;
        block.used = true;
        Some(Rc::clone(&block.bytes))
    }

    /// Keeps a block, at the cost of others.
    pub(super) fn insert(&self, file: u64, offset: u64, bytes: &Rc<[u8]>) {
        self.clock
            .borrow_mut()
            .insert(Address { file, offset }, bytes);
    }

    /// Keeps a block that a scan came by if there is room; at the cost of others only now and then, so that one long scan does
    /// not push out everything and what is scanned again and again comes in.
    pub(super) fn insert_scanned(&self, file: u64, offset: u64, bytes: &Rc<[u8]>) {
        let clock = &mut *self.clock.borrow_mut();
        if clock.held + bytes.len() + ENTRY_OVERHEAD > clock.budget {
            clock.scanned = clock.scanned.wrapping_add(1);
            if !clock.scanned.is_multiple_of(SCANNED_PER_KEPT) {
                return;
            }
        }
        clock.insert(Address { file, offset }, bytes);
    }

    /// Drops all blocks of a file.
    pub(super) fn forget(&self, file: u64) {
        let clock = &mut *self.clock.borrow_mut();
        for place in 0..clock.ring.len() {
            if clock
                .ring
                .get(place)
                .is_some_and(|address| address.is_some_and(|address| address.file == file))
            {
                clock.remove(place);
            }
        }
    }

    /// Runs `read` with a buffer of `len` bytes whose content is arbitrary.
    pub(super) fn with_scratch<T>(&self, len: usize, read: impl FnOnce(&mut [u8]) -> T) -> T {
        let mut buffer = self.scratch.take();
        if buffer.len() < len {
            buffer.resize(len, 0);
        }
        let answer = read(buffer.get_mut(..len).unwrap_or_default());
        if buffer.len() > SCRATCH_KEPT {
            buffer = Vec::new();
        }
        self.scratch.set(buffer);
        answer
    }
}

/// A larger buffer than this is not kept for the next read.
const SCRATCH_KEPT: usize = 1 << 20;

impl Clock {
    fn insert(&mut self, address: Address, bytes: &Rc<[u8]>) {
        let cost = bytes.len() + ENTRY_OVERHEAD;
        if cost > self.budget / 2 || self.blocks.contains_key(&address) {
            return;
        }
        while self.held + cost > self.budget && self.evict() {}
        self.held += cost;
        let place = self.free.pop().unwrap_or(self.ring.len());
        match self.ring.get_mut(place) {
            Some(free) => *free = Some(address),
            None => self.ring.push(Some(address)),
        }
        self.blocks.insert(
            address,
            Block {
                bytes: Rc::clone(bytes),
                used: false,
            },
        );
    }

    /// Drops the first block from the hand on that was not used since the hand last passed it; false if there is none at all.
    fn evict(&mut self) -> bool {
        while !self.blocks.is_empty() {
            let place = if self.hand < self.ring.len() {
                self.hand
            } else {
                0
            };
            self.hand = place + 1;
            let address = self.ring.get(place).copied().flatten();
            match address.and_then(|address| self.blocks.get_mut(&address)) {
                Some(block) if block.used => block.used = false,
                Some(_) => {
                    self.remove(place);
                    return true;
                }
                None => {}
            }
        }
        false
    }

    fn remove(&mut self, place: usize) {
        let Some(address) = self.ring.get_mut(place).and_then(Option::take) else {
            return;
        };
        self.free.push(place);
        if let Some(block) = self.blocks.remove(&address) {
            self.held -= block.bytes.len() + ENTRY_OVERHEAD;
        }
    }
}

/// Mixes the two numbers of an [`Address`]; nobody chooses offsets to make them collide.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 29);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use alloc::vec;

    fn block(len: usize) -> Rc<[u8]> {
        Rc::from(vec![7; len])
    }

    #[test]
    fn it_keeps_to_its_budget_and_to_what_is_used() {
        let cache = BlockCache::new(10 * (1000 + ENTRY_OVERHEAD));
        for offset in 0..10 {
            cache.insert(1, offset, &block(1000));
        }
        assert!((0..10).all(|offset| cache.get(1, offset).is_some()));
        // All are used: the hand goes round once, then the oldest goes.
        cache.insert(1, 10, &block(1000));
        assert!(cache.get(1, 0).is_none());
        assert!(cache.get(1, 3).is_some());
        for offset in 11..14 {
            cache.insert(1, offset, &block(1000));
            assert!(cache.get(1, 3).is_some(), "what is used stays");
        }
        for offset in 0..1000 {
            cache.insert(2, offset, &block(usize::try_from(offset).unwrap() * 5));
            assert!(cache.held() <= 10 * (1000 + ENTRY_OVERHEAD));
        }
        assert!(cache.get(2, 1).is_none());
    }

    #[test]
    fn scans_fill_what_is_free_and_take_little_more() {
        let cache = BlockCache::new(100 * (1000 + ENTRY_OVERHEAD));
        for offset in 0..50 {
            cache.insert(1, offset, &block(1000));
            cache.get(1, offset);
        }
        for offset in 0..50 {
            cache.insert_scanned(2, offset, &block(1000));
        }
        assert!((0..50).all(|offset| cache.get(2, offset).is_some()));
        for offset in 50..200 {
            cache.insert_scanned(2, offset, &block(1000));
        }
        let left = (0..50)
            .filter(|&offset| cache.get(1, offset).is_some())
            .count();
        assert!(left >= 30, "{left}");
        // What is scanned again and again comes in.
        for _ in 0..20 {
            for offset in 0..90 {
                if cache.get(3, offset).is_none() {
                    cache.insert_scanned(3, offset, &block(1000));
                }
            }
        }
        let came = (0..90)
            .filter(|&offset| cache.get(3, offset).is_some())
            .count();
        assert!(came >= 60, "{came}");
    }

    #[test]
    fn a_file_is_forgotten() {
        let cache = BlockCache::new(1 << 20);
        for offset in 0..10 {
            cache.insert(1, offset, &block(10));
            cache.insert(2, offset, &block(10));
        }
        cache.forget(1);
        assert_eq!(cache.held(), 10 * (10 + ENTRY_OVERHEAD));
        assert!(cache.get(1, 3).is_none() && cache.get(2, 3).is_some());
        cache.insert(1, 3, &block(20));
        assert_eq!(cache.get(1, 3).unwrap().len(), 20);
        cache.forget(1);
        cache.forget(2);
        assert_eq!(cache.held(), 0);
        cache.insert(1, 1, &block(1 << 20));
        assert_eq!(
            cache.held(),
            0,
            "what is larger than half the budget is not kept"
        );
    }
}
