//! Making a mirror of the records that are stored.

use driftdb_core::flat::FlatMap;

use driftdb_core::{Code, Error, Result};

use super::Mirror;
use super::ops;
use super::record::{self, FILES, Files, HEAD, Kind};
use super::state::{State, chunks};

/// Takes the stored records, in any order, and makes a [`Mirror`] of them.
#[derive(Default)]
pub struct Loader {
    head: Option<Vec<u8>>,
    files: Option<Files>,
    chunks: FlatMap<(u64, u64), Vec<u8>>,
    batches: FlatMap<u64, Vec<u8>>,
}

impl Loader {
    /// Of nothing yet: a new database.
    pub fn new() -> Loader {
        Loader::default()
    }

    /// Takes one record.
    /// # Errors
    /// Corrupt, naming the key, if the record is not as it was written.
    pub fn add(&mut self, key: &str, value: &[u8]) -> Result<()> {
        let held = record::open(key, value)?;
        match record::kind(key).ok_or_else(|| record::damaged(key))? {
            Kind::Head => self.head = Some(value.to_vec()),
            Kind::Files => {
                self.files = Some(Files::decode(held).ok_or_else(|| record::damaged(key))?)
            }
            Kind::Batch(position) => {
                self.batches.insert(position, held.to_vec());
            }
            Kind::Chunk(number, index) => {
                self.chunks.insert((number, index), held.to_vec());
            }
        }
        Ok(())
    }

    /// The mirror, which refuses to hold more than `limit` bytes.
    /// # Errors
    /// Corrupt, naming the key, if a record is missing.
    pub fn finish(mut self, limit: u64) -> Result<Mirror> {
        let mut state = State::new(limit);
        let files = self.files.take().unwrap_or_default();
        let Some(head) = self.head.take() else {
            let orphans =
                !self.batches.is_empty() || !self.chunks.is_empty() || files != Files::default();
            return match orphans {
                true => Err(missing(HEAD)),
                false => Ok(Mirror::of(state)),
            };
        };
        let position = position_of(&head)?;
        self.restore(&files, &mut state)?;
        state.resume(files.position, files.next.max(1), position, head);
        for at in files.position + 1..=position {
            let key = record::batch(at);
            let batch = self.batches.remove(&at);
            let batch = batch.ok_or_else(|| {
                missing(if files.position == 0 && at == 1 {
                    FILES
                } else {
                    &key
                })
            })?;
            let ops = ops::read(&batch).ok_or_else(|| record::damaged(&key))?;
            for (path, op) in ops {
                op.apply(path, &state.memory)
                    .map_err(|_| record::damaged(&key))?;
                state.track(path, &op);
            }
            state.loaded_batch(batch.len() as u64);
        }
        match self.batches.keys().any(|at| *at > position) || files.position > position {
            true => Err(record::damaged(HEAD)),
            false => Ok(Mirror::of(state)),
        }
    }

    fn restore(&mut self, files: &Files, state: &mut State) -> Result<()> {
        for stored in &files.files {
            let mut bytes = Vec::new();
            for index in 0..chunks(stored.len) {
                let chunk = self.chunks.remove(&(stored.number, index));
                bytes.extend(chunk.ok_or_else(|| missing(&record::chunk(stored.number, index)))?);
            }
            match bytes.len() as u64 == stored.len {
                true => state.restore(stored, &bytes)?,
                false => return Err(record::damaged(FILES)),
            }
        }
        Ok(())
    }
}

fn position_of(head: &[u8]) -> Result<u64> {
    let held = record::open(HEAD, head)?;
    let position = <[u8; 8]>::try_from(held).map_err(|_| record::damaged(HEAD))?;
    Ok(u64::from_le_bytes(position))
}

fn missing(key: &str) -> Error {
    Error::new(Code::Corrupt, "a stored record is missing").in_file(key, Some(0))
}
