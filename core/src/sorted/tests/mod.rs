//! Sorted files as a whole: against a map, and with every byte damaged.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

mod damage;
mod random;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::*;
use crate::error::{Code, Result};
use crate::storage::{Blob, Synced};
use damage::ask;

/// A file in memory that counts what is read of it.
#[derive(Clone, Default)]
struct Memory {
    bytes: Rc<RefCell<Vec<u8>>>,
    reads: Rc<Cell<usize>>,
}

impl Memory {
    fn of(bytes: &[u8]) -> Self {
        Memory {
            bytes: Rc::new(RefCell::new(bytes.to_vec())),
            reads: Rc::default(),
        }
    }
}

impl Blob for Memory {
    fn len(&self) -> Result<u64> {
        Ok(self.bytes.borrow().len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.reads.set(self.reads.get() + 1);
        let bytes = self.bytes.borrow();
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn append(&mut self, end: u64, bytes: &[u8]) -> Result<()> {
        assert_eq!(end as usize, self.bytes.borrow().len());
        self.bytes.borrow_mut().extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> Result<Synced> {
        Ok(Synced::Durable)
    }

    fn truncate(&mut self, len: u64) -> Result<()> {
        self.bytes.borrow_mut().truncate(len as usize);
        Ok(())
    }
}

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

fn identity() -> Identity {
    let extra = b"status".to_vec();
    Identity {
        kind: Kind::SecondaryIndex,
        id: 3,
        generation: 7,
        min_seq: 10,
        max_seq: 99,
        entries: 0,
        extra,
    }
}

/// The file of these entries; each key but its last 2 bytes goes into the filter.
fn build(map: &Map, options: Options) -> Vec<u8> {
    let memory = Memory::default();
    let mut builder = Builder::new(Box::new(memory.clone()), "a.idx", identity(), options);
    for (key, value) in map {
        builder
            .add(key, key.len().saturating_sub(2), value)
            .unwrap();
    }
    let built = builder.finish().unwrap();
    assert_eq!(
        built.identity,
        Identity {
            entries: map.len() as u64,
            ..identity()
        }
    );
    assert_eq!(built.bytes, memory.len().unwrap());
    memory.bytes.take()
}

fn open(bytes: &[u8]) -> Result<Rc<SortedTable>> {
    SortedTable::open(
        Box::new(Memory::of(bytes)),
        "a.idx",
        BlockCache::new(1 << 20),
    )
}

fn read(mut cursor: Cursor) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut entries = Vec::new();
    while cursor.valid() {
        assert_eq!(&*cursor.value(), cursor.value_ref());
        entries.push((cursor.key().to_vec(), cursor.value().to_vec()));
        cursor.advance()?;
    }
    Ok(entries)
}

fn numbered(count: u32) -> Map {
    (0..count)
        .map(|n| {
            (
                format!("key{:06}/{:02}", n / 3, n % 3).into_bytes(),
                vec![n as u8; (n % 40) as usize],
            )
        })
        .collect()
}

#[test]
fn what_is_built_is_read() {
    for compress in [false, true] {
        for count in [0, 1, 2, 15, 16, 17, 100, 5000] {
            let map = numbered(count);
            let table = open(&build(
                &map,
                Options {
                    compress,
                    block_bytes: 300,
                },
            ))
            .unwrap();
            assert_eq!(table.identity().entries, u64::from(count));
            let all: Vec<_> = map.clone().into_iter().collect();
            assert_eq!(read(table.scan(b"").unwrap()).unwrap(), all);
            assert_eq!(read(table.seek(b"").unwrap()).unwrap(), all);
            for (key, value) in &map {
                assert_eq!(table.get(key).unwrap().as_deref(), Some(value.as_slice()));
                assert!(table.may_contain(&key[..key.len() - 2]).unwrap());
                let mut above = key.clone();
                above.push(0);
                let cursor = table.seek(&above).unwrap();
                let next = map.range(above.clone()..).next();
                assert_eq!(
                    cursor.valid().then(|| cursor.key()),
                    next.map(|(key, _)| key.as_slice())
                );
                assert_eq!(table.get(&above).unwrap(), None);
            }
        }
    }
}

fn check(table: &Rc<SortedTable>) -> Result<()> {
    let mut check = table.check();
    while check.step()? {}
    Ok(())
}

#[test]
fn opening_is_one_read_and_a_seek_two() {
    let bytes = build(&numbered(20_000), Options::index(false));
    let memory = Memory::of(&bytes);
    let cache = BlockCache::new(1 << 20);
    let table = SortedTable::open(Box::new(memory.clone()), "a.idx", cache).unwrap();
    assert_eq!(memory.reads.replace(0), 1);
    assert_eq!(table.seek(b"key003000").unwrap().key(), b"key003000/00");
    assert_eq!(memory.reads.replace(0), 1, "the root came with the footer");
    assert_eq!(table.seek(b"key003000/01").unwrap().key(), b"key003000/01");
    assert_eq!(memory.reads.replace(0), 0);
    assert!(table.may_contain(b"key003000/").unwrap());
    assert_eq!(memory.reads.replace(0), 1);
    let all = read(table.read_once().unwrap()).unwrap().len();
    assert_eq!(all, 20_000);
    assert!(memory.reads.replace(0) < 10, "a scan reads ahead");
}

#[test]
fn keys_must_ascend_and_have_limits() {
    let mut builder = Builder::new(
        Box::new(Memory::default()),
        "a",
        identity(),
        Options::index(false),
    );
    builder.add(b"b", 1, b"").unwrap();
    for key in [b"a".as_slice(), b"b", b""] {
        assert_eq!(
            builder.add(key, 0, b"").unwrap_err().code(),
            Code::InvalidValue
        );
    }
    builder.add(b"ba", 2, b"").unwrap();
    assert_eq!(
        builder.add(b"bb", 1, b"").unwrap_err().code(),
        Code::InvalidValue
    );
    let long = vec![b'c'; ENTRY_KEY_BYTES_MAX + 1];
    assert_eq!(builder.add(&long, 0, b"").unwrap_err().code(), Code::Limit);
    builder
        .add(&long[1..], ENTRY_KEY_BYTES_MAX, &vec![7; 1 << 20])
        .unwrap();
    let large = vec![0; ENTRY_VALUE_BYTES_MAX + 1];
    assert_eq!(
        builder.add(b"d", 0, &large).unwrap_err().code(),
        Code::Limit
    );
    builder.add(b"d", 0, &large[1..]).unwrap();
    assert_eq!(builder.finish().unwrap().identity.entries, 4);
}

#[test]
fn the_largest_entries_come_back() {
    for compress in [false, true] {
        let mut map = Map::new();
        for n in 0..20u8 {
            let mut key = vec![b'k'; ENTRY_KEY_BYTES_MAX];
            key[ENTRY_KEY_BYTES_MAX - 3] = n;
            map.insert(key, vec![n; usize::from(n) * 1000]);
        }
        map.insert(b"z..".to_vec(), vec![9; ENTRY_VALUE_BYTES_MAX]);
        let bytes = build(&map, Options::index(compress));
        assert_eq!(ask(&bytes, &map), 0);
        check(&open(&bytes).unwrap()).unwrap();
    }
}

#[test]
fn the_filter_rarely_says_yes_for_nothing() {
    let map: Map = (0..50_000)
        .map(|n| (format!("row{n:08}..").into_bytes(), Vec::new()))
        .collect();
    let table = open(&build(&map, Options::index(false))).unwrap();
    let yes = (0..50_000)
        .filter(|n| table.may_contain(format!("row{n:08}x").as_bytes()).unwrap())
        .count();
    assert!(yes < 1000, "{yes} of 50000");
    assert!(!table.may_contain(b"a").unwrap() && !table.may_contain(b"z").unwrap());
    assert!(
        !open(&build(&Map::new(), Options::index(false)))
            .unwrap()
            .may_contain(b"a")
            .unwrap()
    );
}

#[test]
fn a_large_filter_has_sections() {
    let count = filter::SECTION_PREFIXES as u64 + 1000;
    let memory = Memory::default();
    let mut builder = Builder::new(
        Box::new(memory.clone()),
        "a.idx",
        identity(),
        Options::index(false),
    );
    for n in 0..count {
        builder.add(&n.to_be_bytes(), 8, b"").unwrap();
    }
    builder.finish().unwrap();
    let table = open(&memory.bytes.take()).unwrap();
    assert_eq!(table.footer().sections.len(), 2);
    for n in (0..count).step_by(97).chain(count - 1010..count) {
        assert!(table.may_contain(&n.to_be_bytes()).unwrap());
    }
    check(&table).unwrap();
}
