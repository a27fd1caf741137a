//! The journal: all frames of a transaction over several tables and their places, in one file that is synced before any log is touched. A
//! record is `[u32 length][u32 crc32][u64 first seq][parts]`, a part `[varint length][table directory][u64 generation][u64 segment]
//! [u64 offset][varint length][frames]`.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::position::Position;
use super::writer::Mode;
use crate::crc;
use crate::error::{Code, Error, Result};
use crate::storage::{Access, Blob, Latch, Store, Synced};
use crate::time::Seq;
use crate::varint;

/// The journal's path.
pub const JOURNAL: &str = "journal";
const MAGIC: &[u8; 8] = b"DRIFTJNL";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 16;
const HEADER_LEN: u64 = HEADER_BYTES as u64;
const RECORD_HEAD: usize = 8;
const RESERVE_BYTES: u64 = 128 << 10;
/// A process that appends only so often before it ends does not reserve.
const RESERVE_AFTER: u32 = 4;

/// What one table's log gets of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The table's directory.
    pub dir: String,
    /// The generation of its log.
    pub generation: u64,
    /// Where the frames go.
    pub position: Position,
    /// The frames' bytes.
    pub frames: Vec<u8>,
}

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its first seq.
    pub seq: Seq,
    /// What each log gets.
    pub parts: Vec<Part>,
}

/// The journal, open for appending or for reading.
pub struct Journal {
    store: Rc<dyn Store>,
    mode: Mode,
    blob: Option<Box<dyn Blob>>,
    end: u64,
    reserved: u64,
    appends: u32,
    last: Seq,
    buffer: Vec<u8>,
}

impl Journal {
    /// Opens the journal and reads the records that are not retired. A writer cuts what an unfinished append left.
    /// # Errors
    /// Corrupt, naming file and offset, for what no crash explains.
    pub fn open(store: Rc<dyn Store>, mode: Mode) -> Result<(Journal, Vec<Record>)> {
        let access = match mode {
            Mode::Read => Access::Read,
            Mode::Write(_) => Access::Write,
        };
        let blob = store.open(JOURNAL, access)?;
        let mut journal = Journal {
            store,
            mode,
            blob,
            end: 0,
            reserved: 0,
            appends: 0,
            last: Seq(0),
            buffer: Vec::new(),
        };
        let bytes = journal.read_all()?;
        let locked = matches!(journal.mode, Mode::Read) && journal.store.lock_state()?.is_held();
        let (records, end) = records(&bytes, locked)?;
        let torn = bytes
            .get(end..)
            .unwrap_or_default()
            .iter()
            .any(|byte| *byte != 0);
        journal.end = end as u64;
        journal.last = records.last().map_or(Seq(0), |record| record.seq);
        if torn && matches!(journal.mode, Mode::Write(_)) {
            journal.cut(end as u64)?;
        }
        Ok((journal, records))
    }

    /// Of a journal open for reading: the records that are there now.
    pub fn records(&mut self) -> Result<Vec<Record>> {
        self.blob = self.store.open(JOURNAL, Access::Read)?;
        let bytes = self.read_all()?;
        Ok(records(&bytes, self.store.lock_state()?.is_held())?.0)
    }

    fn read_all(&self) -> Result<Vec<u8>> {
        let Some(blob) = &self.blob else {
            return Ok(Vec::new());
        };
        let mut bytes = vec![0; usize::try_from(blob.len()?).unwrap_or(0)];
        let mut filled = 0;
        loop {
            let count = blob.read_at(filled as u64, bytes.get_mut(filled..).unwrap_or_default())?;
            filled += count;
            if count == 0 {
                bytes.truncate(filled);
                return Ok(bytes);
            }
        }
    }

    fn latch(&self) -> Result<Rc<Latch>> {
        match &self.mode {
            Mode::Write(latch) => Ok(Rc::clone(latch)),
            Mode::Read => Err(Error::new(
                Code::ReadOnly,
                "the journal is open for reading only",
            )),
        }
    }

    /// Appends a transaction. [`Journal::sync`] makes it durable: that is the commit.
    pub fn append<'a>(
        &mut self,
        seq: Seq,
        parts: impl Iterator<Item = (&'a str, u64, Position, &'a [u8])>,
    ) -> Result<()> {
        let latch = self.latch()?;
        latch.check()?;
        if seq <= self.last {
            return Err(Error::new(
                Code::OutOfRange,
                "the seq of a transaction does not rise",
            ));
        }
        self.start()?;
        let mut buffer = core::mem::take(&mut self.buffer);
        buffer.clear();
        let encoded = encode(seq, parts, &mut buffer);
        let end = self.end + buffer.len() as u64;
        let written = match (encoded, &mut self.blob) {
            (Some(()), Some(blob)) => {
                self.appends = self.appends.saturating_add(1);
                if end > self.reserved && self.appends > RESERVE_AFTER {
                    self.reserved = end + RESERVE_BYTES;
                    // Only a hint.
                    let _ = blob.reserve(self.reserved);
                }
                latch.append(&mut **blob, self.end, &buffer)
            }
            _ => Err(Error::new(
                Code::Limit,
                "the transaction is larger than 4 GiB",
            )),
        };
        self.buffer = buffer;
        self.buffer.shrink_to(1 << 20);
        written?;
        (self.end, self.last) = (end, seq);
        Ok(())
    }

    /// Creates the file, or its header.
    fn start(&mut self) -> Result<()> {
        let latch = self.latch()?;
        if self.blob.is_none() {
            self.blob = Some(latch.create(&*self.store, JOURNAL)?);
        }
        let Some(blob) = self.blob.as_mut().filter(|_| self.end < HEADER_LEN) else {
            return Ok(());
        };
        latch.truncate(&mut **blob, 0)?;
        latch.append(&mut **blob, 0, &header())?;
        latch.sync(&mut **blob)?;
        (self.end, self.reserved) = (HEADER_LEN, 0);
        Ok(())
    }

    /// Puts everything appended on stable storage.
    pub fn sync(&mut self) -> Result<Synced> {
        let latch = self.latch()?;
        match &mut self.blob {
            Some(blob) => latch.sync(&mut **blob),
            None => Ok(Synced::Durable),
        }
    }

    /// Forgets all transactions: every log that they name has been synced. Durable on return.
    pub fn retire(&mut self) -> Result<()> {
        if self.is_retired() {
            return Ok(());
        }
        self.cut(HEADER_LEN)
    }

    fn cut(&mut self, end: u64) -> Result<()> {
        let latch = self.latch()?;
        let Some(blob) = &mut self.blob else {
            return Ok(());
        };
        latch.truncate(&mut **blob, end)?;
        latch.sync(&mut **blob)?;
        (self.end, self.reserved) = (end, 0);
        Ok(())
    }

    /// Whether it holds no transaction.
    pub fn is_retired(&self) -> bool {
        self.end <= HEADER_LEN
    }

    /// Its length: a large one is due to be retired.
    pub fn len(&self) -> u64 {
        self.end
    }

    /// Whether nothing was ever written to it.
    pub fn is_empty(&self) -> bool {
        self.end == 0
    }
}

fn header() -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    let (magic, rest) = header.split_at_mut(8);
    let (version, crc) = rest.split_at_mut(4);
    magic.copy_from_slice(MAGIC);
    version.copy_from_slice(&VERSION.to_le_bytes());
    let mut hasher = crc::Hasher::new();
    hasher.update(MAGIC);
    hasher.update(&VERSION.to_le_bytes());
    crc.copy_from_slice(&hasher.finalize().to_le_bytes());
    header
}

fn encode<'a>(
    seq: Seq,
    parts: impl Iterator<Item = (&'a str, u64, Position, &'a [u8])>,
    out: &mut Vec<u8>,
) -> Option<()> {
    out.extend_from_slice(&[0; RECORD_HEAD]);
    out.extend_from_slice(&seq.0.to_le_bytes());
    for (dir, generation, position, frames) in parts {
        varint::write(dir.len() as u64, out);
        out.extend_from_slice(dir.as_bytes());
        for number in [generation, position.segment, position.offset] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        varint::write(frames.len() as u64, out);
        out.extend_from_slice(frames);
    }
    let (head, body) = out.split_at_mut_checked(RECORD_HEAD)?;
    let (length, crc) = head.split_at_mut_checked(4)?;
    length.copy_from_slice(&u32::try_from(body.len()).ok()?.to_le_bytes());
    crc.copy_from_slice(&record_crc(body).to_le_bytes());
    Some(())
}

/// The records in the journal's bytes and where they end. Each was synced before the next was appended, so a record behind one that is no
/// record is more than a crash explains.
fn records(bytes: &[u8], locked: bool) -> Result<(Vec<Record>, usize)> {
    let Some((head, rest)) = bytes
        .split_at_checked(HEADER_BYTES)
        .filter(|(head, _)| *head == header())
    else {
        return check_headless(bytes, locked);
    };
    let (mut records, mut rest) = (Vec::new(), rest);
    let mut last = Seq(0);
    while let Some((record, after)) = decode(rest).filter(|(record, _)| record.seq > last) {
        last = record.seq;
        records.push(record);
        rest = after;
    }
    let end = bytes.len() - rest.len();
    let beyond = (1..rest.len())
        .filter_map(|at| rest.get(at..))
        .find_map(decode);
    match beyond.filter(|(record, _)| !locked && record.seq > last) {
        Some(_) => Err(Error::corrupt(
            JOURNAL,
            end as u64,
            "a transaction in the journal is damaged",
        )),
        None => Ok((records, end.max(head.len()))),
    }
}

/// A journal whose header is not there: its writing was stopped, or it is damaged.
fn check_headless(bytes: &[u8], locked: bool) -> Result<(Vec<Record>, usize)> {
    let magic = bytes.get(..8).is_some_and(|magic| magic == MAGIC);
    let version = bytes
        .get(8..12)
        .and_then(|version| version.first_chunk::<4>())
        .map(|version| u32::from_le_bytes(*version));
    let crc = bytes.get(..12).map(crc::hash).map(u32::to_le_bytes);
    if magic && crc.is_some_and(|crc| bytes.get(12..16) == Some(&crc)) && version > Some(VERSION) {
        return Err(Error::new(
            Code::NewerFormat,
            "the journal's format is newer than this program",
        )
        .in_file(JOURNAL, Some(8)));
    }
    match locked || bytes.len() <= HEADER_BYTES {
        true => Ok((Vec::new(), 0)),
        false => Err(Error::corrupt(
            JOURNAL,
            0,
            "the journal's header is damaged",
        )),
    }
}

/// The checksum of the magic and a record's body: a frame inside a torn record, which has the same shape, is then no record.
fn record_crc(body: &[u8]) -> u32 {
    let mut hasher = crc::Hasher::new();
    hasher.update(MAGIC);
    hasher.update(body);
    hasher.finalize()
}

fn decode(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (body, after) = rest.split_at_checked(length)?;
    if length < 8 || record_crc(body) != u32::from_le_bytes(*crc) {
        return None;
    }
    let (seq, mut rest) = body.split_first_chunk::<8>()?;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (part, after) = decode_part(rest)?;
        parts.push(part);
        rest = after;
    }
    Some((
        Record {
            seq: Seq(u64::from_le_bytes(*seq)),
            parts,
        },
        after,
    ))
}

fn decode_part(bytes: &[u8]) -> Option<(Part, &[u8])> {
    let (dir, rest) = split_prefixed(bytes)?;
    let (generation, rest) = rest.split_first_chunk::<8>()?;
    let (segment, rest) = rest.split_first_chunk::<8>()?;
    let (offset, rest) = rest.split_first_chunk::<8>()?;
    let (frames, rest) = split_prefixed(rest)?;
    let part = Part {
        dir: core::str::from_utf8(dir).ok()?.into(),
        generation: u64::from_le_bytes(*generation),
        position: Position::new(u64::from_le_bytes(*segment), u64::from_le_bytes(*offset)),
        frames: frames.to_vec(),
    };
    Some((part, rest))
}

fn split_prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = varint::read(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}
