//! What the machine allows: the same events encoded, summed and appended with the same syncs and nothing else.

use crate::engines::Outcome;
use crate::workload::{Change, Event};
use rmp::encode as mp;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Appends the frame of an event: length, crc, seq, time, type, and key with document or patch as msgpack.
pub fn frame(event: &Event, out: &mut Vec<u8>) -> Outcome<()> {
    let begin = out.len();
    out.extend_from_slice(&[0; 8]);
    let mut seq = event.seq;
    while seq >= 0x80 {
        out.push(seq as u8 | 0x80);
        seq >>= 7;
    }
    out.push(seq as u8);
    out.extend_from_slice(&(1_760_000_000_000 + event.seq).to_le_bytes());
    out.push(match event.change {
        Change::Insert(_) => 1,
        Change::Patch(_) => 2,
        Change::Delete => 3,
    });
    mp::write_array_len(out, 2)?;
    mp::write_str(out, &event.key)?;
    match &event.change {
        Change::Insert(doc) => doc.msgpack(out),
        Change::Patch(patch) => patch.msgpack(out),
        Change::Delete => mp::write_nil(out)?,
    }
    let payload = out.get(begin + 8..).unwrap_or_default();
    let (length, sum) = (payload.len() as u32, crc32fast::hash(payload));
    if let Some(header) = out.get_mut(begin..begin + 8) {
        let (first, second) = header.split_at_mut(4);
        first.copy_from_slice(&length.to_le_bytes());
        second.copy_from_slice(&sum.to_le_bytes());
    }
    Ok(())
}

/// A bare log of events.
pub struct Log {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
}

impl Log {
    /// An empty log.
    pub fn create(dir: &Path) -> Outcome<Log> {
        let path = dir.join("raw.log");
        Ok(Log {
            file: File::create(&path)?,
            path,
            buffer: Vec::new(),
        })
    }

    /// A log whose file has room for `bytes` already, as zeros on the disk.
    pub fn preallocated(dir: &Path, bytes: usize) -> Outcome<Log> {
        use std::io::Seek;
        let mut log = Log::create(dir)?;
        log.file.write_all(&vec![0; bytes])?;
        log.file.sync_all()?;
        log.file.rewind()?;
        Ok(log)
    }

    /// Encodes, sums, appends and syncs.
    pub fn load(&mut self, batch: &[Event]) -> Outcome<()> {
        self.buffer.clear();
        for event in batch {
            frame(event, &mut self.buffer)?;
        }
        self.file.write_all(&self.buffer)?;
        self.file.sync_data()?;
        Ok(())
    }

    /// Appends ready bytes and syncs.
    pub fn append(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.file.write_all(bytes)?;
        self.file.sync_data()?;
        Ok(())
    }

    /// Reads the whole log and checks every sum.
    pub fn scan(&self) -> Outcome<Duration> {
        let begin = Instant::now();
        let mut bytes = Vec::new();
        File::open(&self.path)?.read_to_end(&mut bytes)?;
        let mut rest = bytes.as_slice();
        while let Some((header, after)) = rest.split_first_chunk::<8>() {
            let [a, b, c, d, e, f, g, h] = *header;
            let length = u32::from_le_bytes([a, b, c, d]) as usize;
            let (payload, after) = after.split_at_checked(length).ok_or("a cut frame")?;
            if crc32fast::hash(payload) != u32::from_le_bytes([e, f, g, h]) {
                return Err("a frame's sum is wrong".into());
            }
            rest = after;
        }
        Ok(begin.elapsed())
    }
}
