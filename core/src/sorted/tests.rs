//! Sorted files as a whole: against a map, and with every byte damaged.
#![allow(
    clippy::unwrap_used,
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

use super::*;
use crate::error::Result;
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
