//! The tar of a backup: plain files in ustar headers, each byte of which follows from the file's path and size; a pax header before those whose
//! path or size a ustar header cannot hold.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Headers and files begin at multiples of this.
pub const BLOCK: usize = 512;
/// So many bytes of zeros end the archive.
pub const END: usize = 2 * BLOCK;

/// The longest path and the least size that need a pax header.
const PATH_MAX: usize = 100;
const SIZE_OVER: u64 = 1 << 33;
/// A pax header that is longer is none of ours: the longest path has less than 500 bytes.
const PAX_MAX: usize = 2 * BLOCK;

const MODE: &[u8] = b"0000644\0";
const NUMBER: &[u8] = b"0000000\0";
const NO_TIME: &[u8] = b"00000000000\0";
const MAGIC: &[u8] = b"ustar\x0000";
const NAME_AT: usize = 0;
const MODE_AT: usize = 100;
const UID_AT: usize = 108;
const GID_AT: usize = 116;
const SIZE_AT: usize = 124;
const TIME_AT: usize = 136;
const SUM_AT: usize = 148;
const TYPE_AT: usize = 156;
const MAGIC_AT: usize = 257;
const FILE: u8 = b'0';
const PAX: u8 = b'x';
const PAX_NAME: &str = "pax";

/// What stands where a header should be.
#[derive(Debug, PartialEq, Eq)]
pub enum Head {
    /// More bytes are needed to tell: so many from the header's start.
    Short(usize),
    /// A block of zeros: the end of the archive.
    End,
    /// The header of a file; it ends where the bytes given do.
    File {
        /// Its path.
        path: String,
        /// Its length.
        size: u64,
    },
    /// No header; at which byte, and why not.
    Invalid(usize, &'static str),
}

/// How many zeros follow a file of this size.
pub fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    (BLOCK - over) % BLOCK
}

/// Appends the header of a file.
pub fn write_head(path: &str, size: u64, out: &mut Vec<u8>) {
    let mut records = String::new();
    if path.len() > PATH_MAX {
        records += &record("path", path);
    }
    if size >= SIZE_OVER {
        records += &record("size", &format!("{size}"));
    }
    if !records.is_empty() {
        let length = records.len() as u64;
        write_block(PAX_NAME, length, PAX, out);
        out.extend_from_slice(records.as_bytes());
        out.resize(out.len() + padding(length), 0);
    }
    let short = path.get(..PATH_MAX).unwrap_or(path);
    let field = if size >= SIZE_OVER { 0 } else { size };
    write_block(short, field, FILE, out);
}

/// A pax record: its length, which counts itself, a name and a value.
fn record(name: &str, value: &str) -> String {
    let rest = name.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + digits(length) {
        length = rest + digits(length);
    }
    format!("{length} {name}={value}\n")
}

fn digits(number: usize) -> usize {
    format!("{number}").len()
}

fn write_block(name: &str, size: u64, kind: u8, out: &mut Vec<u8>) {
    let mut block = [0; BLOCK];
    put(&mut block, NAME_AT, name.as_bytes());
    put(&mut block, MODE_AT, MODE);
    put(&mut block, UID_AT, NUMBER);
    put(&mut block, GID_AT, NUMBER);
    put(&mut block, SIZE_AT, format!("{size:011o}").as_bytes());
    put(&mut block, TIME_AT, NO_TIME);
    put(&mut block, SUM_AT, b"        ");
    put(&mut block, TYPE_AT, &[kind]);
    put(&mut block, MAGIC_AT, MAGIC);
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    put(&mut block, SUM_AT, format!("{sum:06o}\0 ").as_bytes());
    out.extend_from_slice(&block);
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    if let Some(place) = block.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// Reads a header of which `bytes` are the first bytes, or all of them.
pub fn read_head(bytes: &[u8]) -> Head {
    let Some((first, rest)) = bytes.split_first_chunk::<BLOCK>() else {
        return Head::Short(BLOCK);
    };
    if first.iter().all(|byte| *byte == 0) {
        return Head::End;
    }
    if first.get(MAGIC_AT..MAGIC_AT + MAGIC.len()) != Some(MAGIC) {
        return Head::Invalid(MAGIC_AT, "this is no header of a tar file");
    }
    let Some(field) = size_of(first) else {
        return Head::Invalid(SIZE_AT, "the size in this header is no number");
    };
    let (mut path, mut size, mut last) = (None, None, first);
    if first.get(TYPE_AT) == Some(&PAX) {
        let Some(length) = usize::try_from(field)
            .ok()
            .filter(|length| *length <= PAX_MAX)
        else {
            return Head::Invalid(SIZE_AT, "this header is longer than one of ours");
        };
        let Some((records, after)) = rest.split_at_checked(length + padding(field)) else {
            return Head::Short(2 * BLOCK + length + padding(field));
        };
        let Some(block) = after.first_chunk::<BLOCK>() else {
            return Head::Short(bytes.len() - after.len() + BLOCK);
        };
        (path, size) = read_records(records.get(..length).unwrap_or_default());
        last = block;
    }
    let (Some(path), Some(size)) = (
        path.or_else(|| name_of(last)),
        size.or_else(|| size_of(last)),
    ) else {
        return Head::Invalid(0, "this header names no file");
    };
    // Our headers follow from path and size: whatever else stands there is damage, or another program's.
    let mut ours = Vec::new();
    write_head(&path, size, &mut ours);
    match ours.iter().zip(bytes).position(|(ours, is)| ours != is) {
        Some(at) => Head::Invalid(at, "this header is damaged, or not one that DriftDB writes"),
        None if ours.len() != bytes.len() => {
            Head::Invalid(0, "this header is not one that DriftDB writes")
        }
        None => Head::File { path, size },
    }
}

fn name_of(block: &[u8; BLOCK]) -> Option<String> {
    let field = block.get(NAME_AT..NAME_AT + PATH_MAX)?;
    let name = field.split(|byte| *byte == 0).next()?;
    core::str::from_utf8(name).ok().map(String::from)
}

fn size_of(block: &[u8; BLOCK]) -> Option<u64> {
    let field = block.get(SIZE_AT..SIZE_AT + 11)?;
    field.iter().try_fold(0, |size, digit| match digit {
        b'0'..=b'7' => Some(size * 8 + u64::from(digit - b'0')),
        _ => None,
    })
}

/// Path and size in pax records.
fn read_records(bytes: &[u8]) -> (Option<String>, Option<u64>) {
    let text = core::str::from_utf8(bytes).unwrap_or_default();
    let find = |name: &str| {
        let records = text.lines().filter_map(|line| line.split_once(' '));
        records
            .filter_map(|(_, record)| record.split_once('='))
            .find_map(|(is, value)| (is == name).then_some(value))
    };
    let size = find("size").and_then(|size| size.parse().ok());
    (find("path").map(String::from), size)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn cases() -> Vec<(String, u64)> {
        let long = format!("tables/{}/segments/00000001.seg", "%41".repeat(128));
        let name = |length: usize| "x".repeat(length);
        [
            ("drift.json".into(), 0),
            (name(100), 511),
            (name(101), 512),
            (long.clone(), 7),
            ("a".into(), SIZE_OVER - 1),
            ("a".into(), SIZE_OVER),
            (long, u64::MAX),
        ]
        .into()
    }

    #[test]
    fn headers_come_back() {
        for (path, size) in cases() {
            let mut bytes = Vec::new();
            write_head(&path, size, &mut bytes);
            assert_eq!(bytes.len() % BLOCK, 0);
            for cut in 0..bytes.len() {
                let head = read_head(&bytes[..cut]);
                let more = matches!(head, Head::Short(need) if need > cut && need <= bytes.len());
                assert!(more, "{path} cut to {cut}: {head:?}");
            }
            assert_eq!(read_head(&bytes), Head::File { path, size });
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        for (path, size) in cases() {
            let mut bytes = Vec::new();
            write_head(&path, size, &mut bytes);
            for at in 0..bytes.len() {
                for flip in [0x01, 0x20, 0x80, 0xff] {
                    bytes[at] ^= flip;
                    let head = read_head(&bytes);
                    bytes[at] ^= flip;
                    // The sum of a header does not cover pax records: then it is another path or size, which the backup's list does not have.
                    let same = Head::File {
                        path: path.clone(),
                        size,
                    };
                    let other =
                        bytes.len() > BLOCK && matches!(head, Head::File { .. }) && head != same;
                    assert!(
                        other || matches!(head, Head::Invalid(..) | Head::Short(_)),
                        "{path} {size}, byte {at} ^ {flip:#x}: {head:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_record_counts_itself() {
        for length in 0..300 {
            let record = record("path", &"x".repeat(length));
            let (count, _) = record.split_once(' ').unwrap();
            assert_eq!(count.parse(), Ok(record.len()));
        }
    }

    #[test]
    fn files_fill_blocks() {
        assert_eq!([0, 1, 511, 512, 513].map(padding), [0, 511, 1, 0, 511]);
    }
}
