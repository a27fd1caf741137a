//! Sorted files as a whole: against a map, and with every byte damaged.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use proptest::prelude::*;

use super::*;
use crate::error::{Code, Error, Place, Result};
use crate::storage::{Blob, Synced};

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

fn small(compress: bool) -> (Map, Vec<u8>) {
    let mut map = numbered(200);
    map.insert(b"zz".repeat(100), vec![b'x'; 700]);
    let bytes = build(
        &map,
        Options {
            compress,
            block_bytes: 500,
        },
    );
    (map, bytes)
}

/// Panics unless `error` says that this file is damaged, and where.
fn must_be_corrupt(error: &Error) {
    assert_eq!(error.code(), Code::Corrupt, "{error}");
    let Place::File {
        path,
        offset: Some(_),
    } = error.place()
    else {
        panic!("{error}")
    };
    assert_eq!(path, "a.idx");
}

/// Asks everything of a file; each answer is what `map` says or an error. The number of errors.
fn ask(bytes: &[u8], map: &Map) -> usize {
    let table = match open(bytes) {
        Ok(table) => table,
        Err(error) => {
            must_be_corrupt(&error);
            return 1;
        }
    };
    assert_eq!(
        *table.identity(),
        Identity {
            entries: map.len() as u64,
            ..identity()
        }
    );
    let mut errors = 0;
    let mut failed = |error: &Error| {
        must_be_corrupt(error);
        errors += 1;
    };
    for reading in [Reading::Point, Reading::Scan, Reading::Once] {
        let mut cursor = table.cursor(reading);
        let mut wanted = map.iter();
        let mut result = cursor.seek(b"");
        while result.is_ok() {
            let entry = cursor.valid().then(|| (cursor.key(), cursor.value_ref()));
            assert_eq!(
                entry,
                wanted
                    .next()
                    .map(|(key, value)| (key.as_slice(), value.as_slice()))
            );
            if !cursor.valid() {
                break;
            }
            result = cursor.advance();
        }
        if let Err(error) = result {
            failed(&error);
            assert!(!cursor.valid());
        }
    }
    for (key, value) in map {
        match table.get(key) {
            Ok(found) => assert_eq!(found.as_deref(), Some(value.as_slice())),
            Err(error) => failed(&error),
        }
        match table.seek(key) {
            Ok(cursor) => assert_eq!(cursor.key(), key),
            Err(error) => failed(&error),
        }
        match table.may_contain(&key[..key.len() - 2]) {
            Ok(answer) => assert!(answer),
            Err(error) => failed(&error),
        }
    }
    errors
}

#[test]
fn a_flipped_byte_is_an_error_or_changes_nothing() {
    for compress in [false, true] {
        let (map, bytes) = small(compress);
        assert_eq!(ask(&bytes, &map), 0);
        check(&open(&bytes).unwrap()).unwrap();
        let mut damaged = bytes.clone();
        for at in 0..bytes.len() {
            for flip in [0xff, 1 << (at % 8)] {
                damaged[at] ^= flip;
                let errors = ask(&damaged, &map);
                assert_eq!(errors == 0, at < 8, "byte {at} of {}", bytes.len());
                if let Ok(table) = open(&damaged) {
                    must_be_corrupt(&check(&table).unwrap_err());
                }
                damaged[at] ^= flip;
            }
        }
    }
}

#[test]
fn a_file_cut_or_grown_is_an_error() {
    let (map, bytes) = small(false);
    for len in 0..bytes.len() {
        must_be_corrupt(&open(&bytes[..len]).err().unwrap());
    }
    for junk in [vec![0], bytes.clone(), vec![0; 4096]] {
        must_be_corrupt(&open(&[bytes.as_slice(), &junk].concat()).err().unwrap());
        must_be_corrupt(&open(&[junk.as_slice(), &bytes].concat()).err().unwrap());
    }
    // Cut while it is open.
    let memory = Memory::of(&bytes);
    let cache = BlockCache::new(1 << 20);
    let table = SortedTable::open(Box::new(memory.clone()), "a.idx", cache).unwrap();
    memory.bytes.borrow_mut().truncate(100);
    for key in map.keys() {
        must_be_corrupt(&table.get(key).err().unwrap());
    }
    must_be_corrupt(&table.scan(b"").err().unwrap());
}

#[test]
fn a_newer_version_is_named() {
    let footer = footer::Footer {
        identity: identity(),
        offset: 8,
        levels: 0,
        root: footer::Handle::default(),
        data_bytes: 0,
        first_key: Vec::new(),
        last_key: Vec::new(),
        sections: Vec::new(),
    };
    let mut bytes = footer::MAGIC.to_vec();
    footer.encode(&mut bytes);
    assert_eq!(open(&bytes).unwrap().first_key(), None);
    bytes[8] = 2;
    let end = bytes.len() - 12;
    let crc = crc32fast::hash(&bytes[8..end]);
    bytes[end..end + 4].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(open(&bytes).err().unwrap().code(), Code::NewerFormat);
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

/// Keys that have much in common, and some that have nothing.
fn key() -> impl Strategy<Value = Vec<u8>> {
    let letters = proptest::sample::select(vec![0u8, 1, b'a', b'b', 0xfe, 0xff]);
    let tangled = proptest::collection::vec(letters, 0..12);
    let long =
        (Just(vec![b'k'; 100]), any::<[u8; 2]>(), 0..90usize).prop_map(|(mut key, end, cut)| {
            key.drain(..cut);
            key.extend(end);
            key
        });
    prop_oneof![4 => tangled, 1 => long, 1 => proptest::collection::vec(any::<u8>(), 0..20)]
}

fn map(entries: usize) -> impl Strategy<Value = Map> {
    let len = prop_oneof![Just(0), 1..20usize, 100..300usize];
    let value = (any::<u8>(), len).prop_map(|(byte, len)| vec![byte; len]);
    proptest::collection::btree_map(key(), value, 0..entries)
}

fn options() -> impl Strategy<Value = Options> {
    (any::<bool>(), 0..3000usize).prop_map(|(compress, block_bytes)| Options {
        compress,
        block_bytes,
    })
}

/// The file of these entries with the first byte of each key in the filter.
fn build_by_first_byte(map: &Map, options: Options) -> Rc<SortedTable> {
    let memory = Memory::default();
    let mut builder = Builder::new(Box::new(memory.clone()), "a.idx", identity(), options);
    for (key, value) in map {
        builder.add(key, key.len().min(1), value).unwrap();
    }
    builder.finish().unwrap();
    open(&memory.bytes.take()).unwrap()
}

proptest! {
    #[test]
    fn a_file_answers_as_a_map(
        map in map(400),
        options in options(),
        targets in proptest::collection::vec((key(), 0..40usize), 1..40),
    ) {
        let table = build_by_first_byte(&map, options);
        check(&table).unwrap();
        prop_assert_eq!(table.first_key(), map.keys().next().map(Vec::as_slice));
        prop_assert_eq!(table.last_key(), map.keys().next_back().map(Vec::as_slice));
        let all: Vec<_> = map.clone().into_iter().collect();
        prop_assert_eq!(read(table.read_once().unwrap()).unwrap(), all);
        for key in map.keys().filter(|key| !key.is_empty()) {
            prop_assert!(table.may_contain(&key[..1]).unwrap());
        }
        let mut cursors = [Reading::Point, Reading::Scan].map(|reading| table.cursor(reading));
        for (target, steps) in &targets {
            let found = table.get(target).unwrap().map(|value| value.to_vec());
            prop_assert_eq!(found.as_ref(), map.get(target));
            for cursor in &mut cursors {
                cursor.seek(target).unwrap();
                let mut wanted = map.range(target.clone()..);
                for _ in 0..=*steps {
                    let entry = cursor.valid().then(|| (cursor.key(), cursor.value_ref()));
                    prop_assert_eq!(entry, wanted.next().map(|(key, value)| (key.as_slice(), value.as_slice())));
                    cursor.advance().unwrap();
                }
            }
        }
    }

    #[test]
    fn a_merge_answers_as_a_map(maps in proptest::collection::vec(map(60), 0..7), options in options()) {
        let sources = maps.iter().map(|map| build_by_first_byte(map, options).scan(b"").unwrap()).collect();
        let mut merge = Merge::new(sources);
        // The earliest source wins.
        let mut wanted = BTreeMap::new();
        for (place, map) in maps.iter().enumerate().rev() {
            wanted.extend(map.iter().map(|(key, value)| (key, (place, value))));
        }
        for (key, (place, value)) in wanted {
            prop_assert!(merge.valid());
            prop_assert_eq!((merge.key(), &*merge.value()), (key.as_slice(), value.as_slice()));
            prop_assert_eq!(merge.place(), Some(place));
            merge.advance().unwrap();
        }
        prop_assert!(!merge.valid());
        merge.advance().unwrap();
        prop_assert!(!merge.valid() && merge.key().is_empty() && merge.value().is_empty());
    }

    #[test]
    fn a_malformed_block_panics_nowhere(
        map in map(60),
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        targets in proptest::collection::vec(key(), 1..10),
    ) {
        // As if the checksum did not find it.
        let mut builder = block::BlockBuilder::new(4);
        for (key, value) in &map {
            builder.add_key(key, value);
        }
        let mut bytes = builder.finish().to_vec();
        for (place, byte) in flips {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let Ok(block) = block::Block::new(bytes.into()) else { return Ok(()) };
        let _ = block.walk(|_| true);
        for target in &targets {
            if let Ok(Some(entry)) = block.seek(target) {
                let _ = (block.suffix(&entry), block.value(entry.value()), block.shared_value(entry.value()));
            }
        }
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
