//! Random sorted files, merges and blocks against maps.

use proptest::prelude::*;

use super::*;

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
