//! Sorted files with bytes changed, cut off or added: an error that names the file, or the same answers.

use super::*;
use crate::error::{Error, Place};

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
pub(super) fn ask(bytes: &[u8], map: &Map) -> usize {
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
