//! A snapshot file: the whole table at one seq. Key: the encoded key; value: `[varint seq][varint time][document]` of the row's last event.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::env::Env;
use super::job::Covered;
use super::row::Row;
use super::run_file;
use super::sources::Snapshot;
use super::walk::unreadable_entry;
use crate::error::{Code, Error, Result};
use crate::sorted::{Builder, Cursor, Identity, Kind, Options};
use crate::time::{Seq, Timestamp};
use crate::value::Bytes;
use crate::varint;

/// The file name of the snapshot at a seq.
pub fn file_name(seq: Seq) -> String {
    format!("{:08}.snap", seq.0)
}

/// The value of a row's entry.
pub fn write_row(row: &Row, out: &mut Vec<u8>) {
    varint::write(row.seq.0, out);
    varint::write(row.time.0, out);
    row.chain().materialise(out);
}

/// The row that a cursor in a snapshot stands on.
pub fn read_row(cursor: &Cursor) -> Result<Row> {
    read_row_of(cursor, Bytes::from(cursor.key()))
}

/// The same, its key at hand.
pub fn read_row_of(cursor: &Cursor, key: Bytes) -> Result<Row> {
    decode(key, &cursor.value()).ok_or_else(|| unreadable_entry(cursor.table().path()))
}

/// The row with this key (encoded), if the snapshot has it.
pub fn find_row(snapshot: &Snapshot, key: &[u8]) -> Result<Option<Row>> {
    let Some(value) = snapshot.file.get(key)? else {
        return Ok(None);
    };
    decode(Bytes::from(key), &value)
        .map(Some)
        .ok_or_else(|| unreadable_entry(snapshot.file.path()))
}

fn decode(key: Bytes, value: &Bytes) -> Option<Row> {
    let (seq, rest) = varint::read(value)?;
    let (time, rest) = varint::read(rest)?;
    let document = value.slice(value.len() - rest.len()..value.len())?;
    Some(Row::new(
        Seq(seq),
        Timestamp(time),
        key,
        document,
        Vec::new(),
    ))
}

/// The directory of a table's snapshots.
pub fn snapshot_dir(dir: &str) -> String {
    format!("{dir}/snapshots")
}

/// The path of the snapshot at a seq.
pub fn path(dir: &str, seq: Seq) -> String {
    format!("{}/{}", snapshot_dir(dir), file_name(seq))
}

/// A snapshot that is being written.
pub struct SnapshotWriter {
    builder: Builder,
    path: String,
    covered: Covered,
    rows: u64,
}

impl SnapshotWriter {
    /// Starts a snapshot in an empty file, replacing what a crash left there.
    pub fn create(env: &Env, dir: &str, generation: u64, covered: Covered) -> Result<Self> {
        let latch = env.latch()?;
        let path = path(dir, covered.seq);
        latch.remove(&*env.store, &path)?;
        let blob = latch.create(&*env.store, &path)?;
        let mut extra = Vec::new();
        varint::write(covered.events, &mut extra);
        varint::write(covered.log_bytes, &mut extra);
        let identity = Identity {
            kind: Kind::Snapshot,
            id: covered.seq.0,
            generation,
            min_seq: 0,
            max_seq: covered.seq.0,
            entries: 0,
            extra,
        };
        Ok(SnapshotWriter {
            builder: Builder::new(blob, path.clone(), identity, Options::snapshot()),
            path,
            covered,
            rows: 0,
        })
    }

    /// Adds a row, keys ascending.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.rows += 1;
        self.builder.add(key, key.len(), value)
    }

    /// Ends and syncs the file and opens it.
    pub fn finish(self, env: &Env) -> Result<Snapshot> {
        env.latch()?.run(|| self.builder.finish())?;
        let missing = || {
            Error::new(Code::FileMissing, "a new snapshot is missing").in_file(&*self.path, None)
        };
        let file = run_file::open_derived(env, &self.path)?.ok_or_else(missing)?;
        Ok(Snapshot {
            file,
            seq: self.covered.seq,
            rows: self.rows,
            events: self.covered.events,
            log_bytes: self.covered.log_bytes,
        })
    }
}

/// The snapshot at a seq; `None` if there is none, or one of another generation.
pub fn find(env: &Env, dir: &str, generation: u64, seq: Seq) -> Result<Option<Snapshot>> {
    let Some(file) = run_file::open_derived(env, &path(dir, seq))? else {
        return Ok(None);
    };
    let identity = file.identity();
    let fits = identity.kind == Kind::Snapshot
        && identity.generation == generation
        && identity.max_seq == seq.0;
    let counts = varint::read(&identity.extra)
        .and_then(|(events, rest)| Some((events, varint::read(rest)?.0)));
    let rows = identity.entries;
    match counts.filter(|_| fits) {
        Some((events, log_bytes)) => Ok(Some(Snapshot {
            file,
            seq,
            rows,
            events,
            log_bytes,
        })),
        None => Ok(None),
    }
}
