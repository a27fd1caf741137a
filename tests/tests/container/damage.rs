//! Damaged catalogues are mended or named.

use std::collections::BTreeMap;

use super::{bytes_of, contents, store_of};
use driftdb_core::storage::Store;
use driftdb_core::{Code, Error, Place};
use driftdb_tests::budget::pick;
use driftdb_tests::fault::FaultStore;
use driftdb_tests::golden::fingerprint;
use driftdb_tests::random::Random;

/// A container with several batches in its catalogue, and what it holds.
fn sample() -> (Vec<u8>, BTreeMap<String, Vec<u8>>) {
    let store = FaultStore::packed();
    let container = store.container().unwrap();
    for index in 0..8 {
        container
            .replace(
                &format!("t/{index}/meta.json"),
                format!("{{\"n\":{index}}}").as_bytes(),
            )
            .unwrap();
        let mut blob = container
            .create(&format!("t/{index}/segments/1.seg"))
            .unwrap();
        blob.append(0, &vec![index + 1; 300 * usize::from(index + 1)])
            .unwrap();
        blob.sync().unwrap();
    }
    container.remove("t/3/meta.json").unwrap();
    container.rename("t/4/meta.json", "t/4/other").unwrap();
    let contents = contents(&container).unwrap();
    (bytes_of(&store), contents)
}

/// The end of what the catalogue has written.
fn catalogue_end(bytes: &[u8]) -> usize {
    let area = &bytes[4096..17 * 4096];
    4096 + area.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

/// The same calls write the same bytes, now and in every version: another number here is another format.
#[test]
fn the_bytes_are_as_the_format_says() {
    assert_eq!(fingerprint(&sample().0), 9_363_327_594_303_561_513);
}

#[test]
fn every_damaged_byte_of_the_catalogue_is_mended_or_named() {
    let (bytes, expected) = sample();
    let mut mended = 0;
    for at in (0..4096).chain(4096..catalogue_end(&bytes)) {
        for flip in pick(vec![1 << (at % 8)], vec![0x01, 0x80, 0xff]) {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            let found = store_of(damaged)
                .container()
                .and_then(|container| contents(&container));
            match found {
                Ok(found) => {
                    assert!(found == expected, "byte {at} ^ {flip}: another answer");
                    mended += 1;
                }
                Err(error) => assert_named(&error, at),
            }
        }
    }
    println!("container corruption: {mended} damaged bytes mended");
    assert!(mended > 0);
}

fn assert_named(error: &Error, at: usize) {
    let named =
        matches!(error.place(), Place::File { path, offset: Some(_) } if path == "database.drift");
    assert!(
        named && error.code() == Code::Corrupt,
        "byte {at}: {error:?}"
    );
}

/// Several bytes damaged: never a panic, and where both copies of a batch are hit, an error, the last batch of an unclean stop excepted: that is a torn write.
#[test]
fn heavy_damage_is_named() {
    let (bytes, expected) = sample();
    let end = catalogue_end(&bytes);
    let mut named = 0;
    for seed in 0..pick(400, 20_000) {
        let mut random = Random::new(seed);
        let mut damaged = bytes.clone();
        for _ in 0..1 + random.below(8) {
            let start = random.index(end);
            let len = 1 + random.index(200);
            damaged[start..(start + len).min(end)]
                .iter_mut()
                .for_each(|byte| *byte = random.bits() as u8);
        }
        match store_of(damaged)
            .container()
            .and_then(|container| contents(&container))
        {
            Ok(found) => {
                assert!(found.keys().all(|path| path.starts_with("t/")) && !found.is_empty())
            }
            Err(error) => {
                assert_named(&error, 0);
                named += 1;
            }
        }
    }
    // Both copies of one batch in the middle.
    let needle: Vec<u8> = [1u64.to_le_bytes(), 5u64.to_le_bytes()].concat();
    let places: Vec<usize> = (0..end - 16)
        .filter(|at| bytes[*at..at + 16] == needle[..])
        .collect();
    assert_eq!(places.len(), 2);
    let mut damaged = bytes.clone();
    places.iter().for_each(|at| damaged[at + 20] ^= 1);
    let error = store_of(damaged).container().err().unwrap();
    assert_named(&error, places[0]);
    assert!(named > 0 && expected.len() == 15);
}

/// A container is never taken for an empty one.
#[test]
fn a_damaged_first_page_is_no_new_container() {
    let (bytes, _) = sample();
    for len in [0, 1, 512, 4096] {
        let mut damaged = bytes.clone();
        damaged[..len].fill(0xa5);
        damaged[1024..1024 + len.min(2000)].fill(0);
        let opened = store_of(damaged).container();
        match len {
            0 => assert!(opened.is_ok()),
            4096 => assert_named(&opened.err().unwrap(), 0),
            _ => {}
        }
    }
    let mut cut = bytes.clone();
    cut[..4096].fill(0);
    assert_named(&store_of(cut).container().err().unwrap(), 0);
}
