//! The header of a segment's file, and the names of the files.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::position::Horizon;
use crate::crc;
use crate::error::{Code, Error, Result};
use crate::time::{Seq, Timestamp};

/// Length of the header: frames start here.
pub const HEADER_LEN: u64 = HEADER_BYTES as u64;
/// The newest version of the segment format.
pub const SEGMENT_VERSION: u32 = 1;

/// The same as a number of bytes in memory.
pub const HEADER_BYTES: usize = 80;
const CRC_AT: usize = HEADER_BYTES - 4;
const MAGIC: &[u8; 8] = b"DRIFTSEG";
const CONTINUES: u32 = 1;
const REPLACES: u32 = 2;

/// What a compaction's first segment says: it has no frames, and those after it stand for the segments it names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replaces {
    /// First number of the replaced segments.
    pub first: u64,
    /// Last number of the replaced segments.
    pub last: u64,
    /// The point before which history was dropped.
    pub horizon: Horizon,
}

/// A segment's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The segment's number, as in its name.
    pub number: u64,
    /// How many compactions the log has seen.
    pub generation: u64,
    /// The length of the segment before, 0 for the first: it was trimmed before this header was written.
    pub previous_end: u64,
    /// Whether the segment before ends inside a transaction that goes on here.
    pub continues: bool,
    /// Set in the first segment that a compaction made.
    pub replaces: Option<Replaces>,
}

impl Header {
    /// Whether a log starts with this segment.
    pub fn is_root(&self) -> bool {
        self.replaces.is_some() || (self.number == 1 && self.generation == 0)
    }

    /// The header's bytes: magic, version, flags, number, generation, previous end, replaced first and last, horizon
    /// seq and time, zeros, crc of all before.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        let replaces = self.replaces.unwrap_or_default();
        let flags = if self.continues { CONTINUES } else { 0 }
            | if self.replaces.is_some() { REPLACES } else { 0 };
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&SEGMENT_VERSION.to_le_bytes());
        out.extend_from_slice(&flags.to_le_bytes());
        let numbers = [
            self.number,
            self.generation,
            self.previous_end,
            replaces.first,
            replaces.last,
        ];
        let horizon = [replaces.horizon.seq.0, replaces.horizon.time.0];
        for number in numbers.into_iter().chain(horizon) {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.resize(CRC_AT, 0);
        out.extend_from_slice(&crc::hash(&out).to_le_bytes());
        out
    }

    /// Reads a header; `None` if the bytes are none.
    /// # Errors
    /// `Code::NewerFormat` if it is whole and of a later version.
    pub fn decode(bytes: &[u8]) -> Result<Option<Header>> {
        let Some((body, crc)) = bytes
            .get(..HEADER_BYTES)
            .and_then(|header| header.split_at_checked(CRC_AT))
        else {
            return Ok(None);
        };
        if crc != crc::hash(body).to_le_bytes() {
            return Ok(None);
        }
        let Some((version, header)) = fields(body) else {
            return Ok(None);
        };
        if version > SEGMENT_VERSION {
            let message = format!(
                "segment format {version} is newer than this program, which knows {SEGMENT_VERSION}"
            );
            return Err(Error::new(Code::NewerFormat, message));
        }
        Ok(Some(header))
    }
}

fn fields(body: &[u8]) -> Option<(u32, Header)> {
    let (magic, rest) = body.split_first_chunk::<8>()?;
    let (version, rest) = rest.split_first_chunk::<4>()?;
    let (flags, rest) = rest.split_first_chunk::<4>()?;
    let flags = u32::from_le_bytes(*flags);
    let mut numbers = rest
        .chunks_exact(8)
        .filter_map(|chunk| chunk.first_chunk::<8>())
        .map(|chunk| u64::from_le_bytes(*chunk));
    let (number, generation, previous_end) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let (first, last) = (numbers.next()?, numbers.next()?);
    let horizon = Horizon {
        seq: Seq(numbers.next()?),
        time: Timestamp(numbers.next()?),
    };
    let replaces = (flags & REPLACES != 0).then_some(Replaces {
        first,
        last,
        horizon,
    });
    let header = Header {
        number,
        generation,
        previous_end,
        continues: flags & CONTINUES != 0,
        replaces,
    };
    (magic == MAGIC).then_some((u32::from_le_bytes(*version), header))
}

/// The directory of a table's segments.
pub fn segment_dir(table_dir: &str) -> String {
    format!("{table_dir}/segments")
}

/// The path of a segment.
pub fn segment_path(table_dir: &str, number: u64) -> String {
    format!("{table_dir}/segments/{number:08}.seg")
}

/// The number in a segment's name; `None` if it is no such name.
pub fn segment_number(name: &str) -> Option<u64> {
    let number = name.strip_suffix(".seg")?.parse().ok()?;
    (number > 0 && format!("{number:08}.seg") == name).then_some(number)
}
