//! The bytes of frames and headers, one by one.

use super::super::frame::{self, Decoded};
use super::super::segment::{Header, Replaces, segment_number, segment_path};
use super::*;
use crate::limits::{DOCUMENT_BYTES_MAX, KEY_BYTES_MAX, TIMESTAMP_MAX};

fn sample() -> Vec<u8> {
    let (key, body, meta) = (
        [0xa1, b'k'],
        [0x81, 0xa1, b'a', 0x01],
        [0x81, 0xa2, b'b', b'y', 0xa1, b'x'],
    );
    let (key, body, meta) = (Raw::new(&key).unwrap(), Raw::new(&body), Raw::new(&meta));
    let (seq, time) = (Seq(300), Timestamp(0x0102_0304_0506));
    let mut out = Vec::new();
    frame::encode(
        &EventRef {
            seq,
            time,
            op: Op::Patch,
            more: true,
            key,
            body,
            meta,
        },
        &mut out,
    )
    .unwrap();
    out
}

#[test]
fn a_frame_is_these_bytes() {
    let bytes = sample();
    let body = [
        0xac, 0x02, 6, 5, 4, 3, 2, 1, 0, 0, 0x82, 0x93, 0xa1, b'k', 0x81, 0xa1, b'a', 1, 0x81,
        0xa2, b'b', b'y', 0xa1, b'x',
    ];
    assert_eq!(bytes[..4], [24, 0, 0, 0]);
    assert_eq!(bytes[4..8], crc32fast::hash(&body).to_le_bytes());
    assert_eq!(bytes[8..], body);
    let Decoded::Frame(frame) = frame::decode(&bytes) else {
        panic!("not a frame")
    };
    assert_eq!(
        (frame.seq, frame.op, frame.more, frame.bytes.len()),
        (Seq(300), Op::Patch, true, 32)
    );
    let event = EventRef::read(&frame).unwrap();
    assert_eq!(event.key.as_bytes(), [0xa1, b'k']);
    assert!(event.body.is_some() && event.meta.is_some());
    for cut in 0..bytes.len() {
        assert!(
            matches!(frame::decode(&bytes[..cut]), Decoded::Short(need) if need > cut && need <= 32)
        );
    }
}

/// A frame around a body, with a crc that fits.
fn framed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap();
    [
        &length.to_le_bytes(),
        &crc32fast::hash(body).to_le_bytes(),
        body,
    ]
    .concat()
}

#[test]
fn fields_out_of_range_are_no_frame() {
    let body = sample()[8..].to_vec();
    let valid = |body: &[u8]| matches!(frame::decode(&framed(body)), Decoded::Frame(_));
    assert!(valid(&body));
    for op in 0..=255u8 {
        let mut other = body.clone();
        other[10] = op;
        assert_eq!(valid(&other), matches!(op & 0x7f, 1..=3), "{op}");
    }
    for (time, expected) in [
        (TIMESTAMP_MAX, true),
        (TIMESTAMP_MAX + 1, false),
        (u64::MAX, false),
    ] {
        let mut other = body.clone();
        other[2..10].copy_from_slice(&time.to_le_bytes());
        assert_eq!(valid(&other), expected);
    }
    // Seq 0, and seq 300 written longer than it has to be.
    assert!(!valid(&[&[0], &body[2..]].concat()));
    assert!(!valid(&[&[0xac, 0x82, 0x00], &body[2..]].concat()));
}

#[test]
fn payloads_that_are_no_event_are_told() {
    let head = sample()[8..19].to_vec();
    let read = |op: u8, payload: &[u8]| {
        let mut body = [&head, payload].concat();
        body[10] = op;
        let bytes = framed(&body);
        let Decoded::Frame(frame) = frame::decode(&bytes) else {
            panic!("not a frame")
        };
        EventRef::read(&frame).map(|_| ())
    };
    let long_key = [
        &[0x92, 0xda, 0x04, 0x01][..],
        &[b'k'; KEY_BYTES_MAX + 1],
        &[0x80],
    ]
    .concat();
    let cases: [(u8, &[u8], bool); 15] = [
        (1, &[0x92, 5, 0x80], true),
        (3, &[0x92, 5, 0xc0], true),
        (3, &[0x93, 5, 0xc0, 0x80], true),
        (1, &[0x92, 5, 0xc0], false),
        (2, &[0x92, 5, 0x01], false),
        (3, &[0x92, 5, 0x80], false),
        (1, &[0x92, 5, 0x90], false),
        (1, &[0x92, 0xc0, 0x80], false),
        (1, &[0x92, 0xcb, 0, 0, 0, 0, 0, 0, 0, 0, 0x80], false),
        (1, &[0x91, 5, 0x80], false),
        (1, &[0x93, 5, 0x80], false),
        (1, &[0x93, 5, 0x80, 0xc0], false),
        (1, &[0x92, 5, 0x80, 0x80], false),
        (1, &[0x92, 5, 0x82, 0xa1, b'a', 1, 0xa1, b'a', 2], false),
        (1, &long_key, false),
    ];
    for (op, payload, expected) in cases {
        assert_eq!(read(op, payload).is_ok(), expected, "{op} {payload:x?}");
    }
    assert!(read(1, &long_key[..long_key.len()]).is_err());
}

#[test]
fn an_event_larger_than_a_frame_is_refused() {
    let key = [5];
    let mut frames = Frames::new();
    let make = |bytes: usize| {
        let mut body = alloc::vec![0x81, 0xa1, b'a', 0xdb];
        body.extend_from_slice(&u32::try_from(bytes).unwrap().to_be_bytes());
        body.resize(body.len() + bytes, b'x');
        body
    };
    let mut push = |body: &[u8]| {
        let (key, body) = (Raw::new(&key).unwrap(), Raw::new(body));
        frames.push(&EventRef {
            seq: Seq(1),
            time: Timestamp(1),
            op: Op::Insert,
            more: false,
            key,
            body,
            meta: None,
        })
    };
    assert_eq!(
        push(&make(DOCUMENT_BYTES_MAX * 2)).unwrap_err().code(),
        crate::Code::Limit
    );
    assert!(push(&make(DOCUMENT_BYTES_MAX - 8)).is_ok());
    assert_eq!(push(&make(1)).unwrap_err().code(), crate::Code::OutOfRange);
}

#[test]
fn headers_and_names_come_back() {
    let horizon = Horizon {
        seq: Seq(9),
        time: Timestamp(10),
    };
    for replaces in [
        None,
        Some(Replaces {
            first: 3,
            last: 7,
            horizon,
        }),
    ] {
        for continues in [false, true] {
            let header = Header {
                number: 8,
                generation: 2,
                previous_end: 1234,
                continues,
                replaces,
            };
            let bytes = header.encode();
            assert_eq!(
                (bytes.len() as u64, Header::decode(&bytes).unwrap()),
                (HEADER_LEN, Some(header))
            );
            for cut in 0..bytes.len() {
                assert_eq!(Header::decode(&bytes[..cut]).unwrap(), None);
            }
        }
    }
    for (name, number) in [
        ("00000001.seg", Some(1)),
        ("100000000.seg", Some(100_000_000)),
        ("00000000.seg", None),
        ("1.seg", None),
        ("000000001.seg", None),
        ("+0000001.seg", None),
        ("00000001.seg.new", None),
        ("seg", None),
    ] {
        assert_eq!(segment_number(name), number, "{name}");
    }
    assert_eq!(segment_path(DIR, 12), "tables/t/segments/00000012.seg");
}
