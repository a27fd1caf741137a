//! The end of a sorted file: its identity, and where its index and its filter are. One read at open.
//!
//! `[body][body length u32][crc32 u32 of body and length][magic]`.

use crate::crc;
use alloc::vec::Vec;

use super::block::{BLOCK_BYTES_MAX, ENTRY_KEY_BYTES_MAX};
use super::filter::Section;
use super::identity::{Identity, Kind};

/// The first and the last bytes of each sorted file.
pub(super) const MAGIC: [u8; 8] = *b"DRIFTSRT";
/// The version of the format.
pub(super) const VERSION: u32 = 1;
/// The bytes after the body.
pub(super) const TAIL: usize = 16;
/// Longest [`Identity::extra`].
pub const EXTRA_BYTES_MAX: usize = 64 << 10;
/// More levels of index than any file has.
const LEVELS_MAX: u8 = 16;

/// Where a block is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Handle {
    pub(super) offset: u64,
    /// Its stored length.
    pub(super) len: u32,
}

/// What the end of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) identity: Identity,
    /// Where the footer begins: all blocks are before it.
    pub(super) offset: u64,
    /// Levels of index blocks; 0 only if there are no entries.
    pub(super) levels: u8,
    pub(super) root: Handle,
    /// The data blocks' bytes before compression.
    pub(super) data_bytes: u64,
    pub(super) first_key: Vec<u8>,
    pub(super) last_key: Vec<u8>,
    pub(super) sections: Vec<Section>,
}

/// Why bytes are not a footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The format is of this newer version.
    Newer(u32),
    /// They are no footer.
    Damaged(&'static str),
}

impl Footer {
    /// Appends the footer with its tail.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.push(self.identity.kind.to_byte());
        out.push(self.levels);
        for number in [
            self.identity.id,
            self.identity.generation,
            self.identity.min_seq,
            self.identity.max_seq,
            self.identity.entries,
            self.offset,
            self.data_bytes,
            self.root.offset,
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        put_u32(out, self.root.len);
        for bytes in [&self.identity.extra, &self.first_key, &self.last_key] {
            put_bytes(out, bytes);
        }
        put_u32(out, u32::try_from(self.sections.len()).unwrap_or(u32::MAX));
        for section in &self.sections {
            out.extend_from_slice(&section.offset.to_le_bytes());
            put_u32(out, section.lines);
            put_bytes(out, &section.first);
        }
        put_u32(out, u32::try_from(out.len() - start).unwrap_or(u32::MAX));
        let crc = crc::hash(out.get(start..).unwrap_or_default());
        put_u32(out, crc);
        out.extend_from_slice(&MAGIC);
    }

    /// The length of the body, from the file's last bytes.
    pub(super) fn body_len(tail: &[u8; TAIL]) -> Result<usize, Unreadable> {
        let [a, b, c, d, _, _, _, _, magic @ ..] = *tail;
        if magic != MAGIC {
            return Err(Unreadable::Damaged(
                "the file does not end as a sorted file does",
            ));
        }
        Ok(u32::from_le_bytes([a, b, c, d]) as usize)
    }

    /// The footer from the body and its tail, which begin at `offset` of the file.
    pub(super) fn decode(bytes: &[u8], offset: u64) -> Result<Self, Unreadable> {
        let damaged = Unreadable::Damaged("the footer of a sorted file is damaged");
        let (covered, tail) = bytes.split_last_chunk::<12>().ok_or(damaged)?;
        let [a, b, c, d, ..] = *tail;
        if crc::hash(covered) != u32::from_le_bytes([a, b, c, d]) {
            return Err(Unreadable::Damaged(
                "the checksum of a sorted file's footer does not fit",
            ));
        }
        let mut reader = Reader(covered.split_last_chunk::<4>().ok_or(damaged)?.0);
        let version = reader.u32().ok_or(damaged)?;
        if version > VERSION {
            return Err(Unreadable::Newer(version));
        }
        let footer = Footer::body(&mut reader)
            .filter(|_| reader.0.is_empty())
            .ok_or(damaged)?;
        if footer.is_sound(offset) {
            Ok(footer)
        } else {
            Err(damaged)
        }
    }

    fn body(reader: &mut Reader<'_>) -> Option<Self> {
        let kind = Kind::from_byte(reader.u8()?)?;
        let levels = reader.u8()?;
        let (id, generation, min_seq, max_seq) =
            (reader.u64()?, reader.u64()?, reader.u64()?, reader.u64()?);
        let (entries, offset, data_bytes) = (reader.u64()?, reader.u64()?, reader.u64()?);
        let root = Handle {
            offset: reader.u64()?,
            len: reader.u32()?,
        };
        let extra = reader.bytes(EXTRA_BYTES_MAX)?;
        let first_key = reader.bytes(ENTRY_KEY_BYTES_MAX)?;
        let last_key = reader.bytes(ENTRY_KEY_BYTES_MAX)?;
        let mut sections = Vec::new();
        for _ in 0..reader.u32()? {
            let (offset, lines) = (reader.u64()?, reader.u32()?);
            sections.push(Section {
                first: reader.bytes(ENTRY_KEY_BYTES_MAX)?,
                offset,
                lines,
            });
        }
        let identity = Identity {
            kind,
            id,
            generation,
            min_seq,
            max_seq,
            entries,
            extra,
        };
        Some(Footer {
            identity,
            offset,
            levels,
            root,
            data_bytes,
            first_key,
            last_key,
            sections,
        })
    }

    /// Whether all that it names is within the file.
    fn is_sound(&self, offset: u64) -> bool {
        let within = |start: u64, len: u64| start.checked_add(len).is_some_and(|end| end <= offset);
        let filled = self.identity.entries > 0;
        self.offset == offset
            && filled == (self.levels > 0)
            && self.levels <= LEVELS_MAX
            && self.root.len as usize <= BLOCK_BYTES_MAX
            && within(self.root.offset, u64::from(self.root.len))
            && self.first_key <= self.last_key
            && self
                .sections
                .iter()
                .all(|section| section.lines > 0 && within(section.offset, section.stored_len()))
            && self
                .sections
                .iter()
                .zip(self.sections.iter().skip(1))
                .all(|(low, high)| low.first < high.first)
    }
}

fn put_u32(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u32(out, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(bytes);
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn bytes(&mut self, max: usize) -> Option<Vec<u8>> {
        let len = self.u32()? as usize;
        if len > max {
            return None;
        }
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes.to_vec())
    }
}
