//! Batches: what the catalogue is written in. A batch says how some blobs are now; it counts as a whole or, where a crash has torn it, not at all.
//!
//! `[u32 crc32][u32 length of the body][u64 generation][u64 number][body]`, filled up with zeros to a multiple of 8 bytes; the crc is of all behind it up to the end of the
//! body. Every batch is written twice, one copy behind the other, so that one damaged byte is mended instead of taken for a torn write.

use driftdb_core::crc;
use driftdb_core::varint;

use super::node::Content;
use super::space::Extent;

/// The bytes before a batch's body.
pub(super) const HEAD: usize = 24;
/// What batches start at multiples of.
const ALIGN: usize = 8;
/// A path that could not be one of a database's.
const PATH_BYTES_MAX: usize = 4096;
/// No file has so many pages.
const PAGES_MAX: u64 = 1 << 40;

const REMOVE: u8 = 0;
const INLINE: u8 = 1;
const PAGES: u8 = 2;

/// What a batch says of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is gone.
    Remove,
    /// It has this length and content.
    Put(u64, Content),
}

/// Writes a batch's body.
#[derive(Default)]
pub(super) struct Body {
    bytes: Vec<u8>,
    path: String,
}

impl Body {
    /// Starts an entry: the kind, and the path as what it shares with the one before and the rest.
    fn path(&mut self, kind: u8, path: &str) {
        let pairs = self.path.bytes().zip(path.bytes());
        let shared = pairs.take_while(|(old, new)| old == new).count();
        let rest = path.as_bytes().get(shared..).unwrap_or_default();
        self.bytes.push(kind);
        varint::write(shared as u64, &mut self.bytes);
        varint::write(rest.len() as u64, &mut self.bytes);
        self.bytes.extend_from_slice(rest);
        self.path = path.to_string();
    }

    pub fn remove(&mut self, path: &str) {
        self.path(REMOVE, path);
    }

    pub fn put(&mut self, path: &str, len: u64, content: &Content) {
        match content {
            Content::Inline(bytes) => {
                self.path(INLINE, path);
                varint::write(bytes.len() as u64, &mut self.bytes);
                self.bytes.extend_from_slice(bytes);
            }
            Content::Pages(extents) => {
                self.path(PAGES, path);
                varint::write(len, &mut self.bytes);
                varint::write(extents.len() as u64, &mut self.bytes);
                for extent in extents {
                    varint::write(extent.start, &mut self.bytes);
                    varint::write(extent.pages, &mut self.bytes);
                }
            }
        }
    }

    /// What was written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The batch, one copy.
    pub fn finish(self, generation: u64, number: u64) -> Vec<u8> {
        let mut batch = vec![0; 4];
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        batch.extend_from_slice(&length.to_le_bytes());
        batch.extend_from_slice(&generation.to_le_bytes());
        batch.extend_from_slice(&number.to_le_bytes());
        batch.extend_from_slice(&self.bytes);
        let crc = crc::hash(batch.get(4..).unwrap_or_default());
        if let Some(place) = batch.first_chunk_mut::<4>() {
            *place = crc.to_le_bytes();
        }
        batch.resize(batch.len().next_multiple_of(ALIGN), 0);
        batch
    }
}

/// A batch as it was found.
pub(super) struct Batch<'a> {
    pub number: u64,
    pub body: &'a [u8],
    /// How many bytes one copy takes.
    pub size: usize,
}

/// The batch at the start of `bytes`, if one of this generation is there.
pub(super) fn decode(bytes: &[u8], generation: u64) -> Option<Batch<'_>> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let (crc, head) = head.split_first_chunk::<4>()?;
    let (length, head) = head.split_first_chunk::<4>()?;
    let (its, number) = head.split_first_chunk::<8>()?;
    if u64::from_le_bytes(*its) != generation {
        return None;
    }
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let body = rest.get(..length)?;
    let whole = bytes.get(4..HEAD + length)?;
    (crc::hash(whole) == u32::from_le_bytes(*crc)).then_some(Batch {
        number: u64::from_le_bytes(*number.first_chunk::<8>()?),
        body,
        size: (HEAD + length).next_multiple_of(ALIGN),
    })
}

/// What stands in a part of the catalogue where a batch of this number is looked for.
pub(super) enum Found<'a> {
    /// It, and how many bytes both its copies take.
    Here(Batch<'a>, usize),
    /// None: the catalogue ends.
    Nothing,
    /// A later one, so that this one was lost.
    Lost,
}

/// Looks for the batch of this number at the start of `bytes`: the first copy, else the second, which may lie anywhere as the length may be damaged.
pub(super) fn find(bytes: &[u8], generation: u64, number: u64) -> Found<'_> {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= HEAD) {
        match decode(rest, generation) {
            Some(batch) if batch.number == number => {
                let end = match at {
                    0 => 2 * batch.size,
                    _ => at + batch.size,
                };
                return Found::Here(batch, end.min(bytes.len()));
            }
            Some(batch) if batch.number > number => return Found::Lost,
            _ => at += ALIGN,
        }
    }
    Found::Nothing
}

/// What a body says, in its order; `None` if it is no body.
pub(super) fn changes(mut body: &[u8]) -> Option<Vec<(String, Change)>> {
    let (mut changes, mut last) = (Vec::new(), Vec::new());
    while let Some((kind, rest)) = body.split_first() {
        body = rest;
        let shared = usize::try_from(varint::take(&mut body)?).ok()?;
        last.get(shared..)?;
        last.truncate(shared);
        last.extend_from_slice(take_bytes(&mut body)?);
        if last.is_empty() || last.len() > PATH_BYTES_MAX {
            return None;
        }
        let change = match *kind {
            REMOVE => Change::Remove,
            INLINE => {
                let bytes = take_bytes(&mut body)?.to_vec();
                Change::Put(bytes.len() as u64, Content::Inline(bytes))
            }
            PAGES => take_pages(&mut body)?,
            _ => return None,
        };
        changes.push((core::str::from_utf8(&last).ok()?.to_string(), change));
    }
    Some(changes)
}

fn take_bytes<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let count = usize::try_from(varint::take(body)?).ok()?;
    let (bytes, rest) = body.split_at_checked(count)?;
    *body = rest;
    Some(bytes)
}

fn take_pages(body: &mut &[u8]) -> Option<Change> {
    let len = varint::take(body)?;
    let count = varint::take(body)?;
    let (mut extents, mut bytes) = (Vec::new(), 0u64);
    for _ in 0..count {
        let extent = Extent {
            start: varint::take(body)?,
            pages: varint::take(body)?,
        };
        if extent.start == 0 || extent.start > PAGES_MAX || !(1..=PAGES_MAX).contains(&extent.pages)
        {
            return None;
        }
        bytes = extent.bytes().saturating_add(bytes);
        extents.push(extent);
    }
    (bytes >= len).then_some(Change::Put(len, Content::Pages(extents)))
}
