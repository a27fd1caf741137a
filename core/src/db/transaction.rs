//! Transactions: events that are applied in memory under the seqs they will have, and seen by nobody else until they are committed.

use alloc::format;
use alloc::vec::Vec;

use super::group::Group;
use super::{Database, Durability};
use crate::error::{Code, Error, Result};
use crate::limits::{METADATA_BYTES_MAX, TIMESTAMP_MAX};
use crate::time::{Seq, Timestamp};
use crate::value::{Bytes, Object, msgpack};

/// What a commit wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many events.
    pub events: u64,
    /// The seq of the last; the database's head if there were none.
    pub seq: Seq,
    /// The time of all of them.
    pub time: Timestamp,
}

/// An open transaction.
pub struct Pending {
    explicit: bool,
    pub(super) meta: Option<Bytes>,
    /// The frames of its events.
    pub(super) frames: Group,
    /// The time that its events have until it is committed.
    pub(super) time: Timestamp,
    /// The seq of the next event, where a load gives it.
    pub(super) given_seq: Option<Seq>,
}

impl Pending {
    /// Whether BEGIN started it, and not a single statement.
    pub(super) fn is_explicit(&self) -> bool {
        self.explicit
    }

    /// The head as the transaction itself sees it.
    pub(super) fn head(&self, committed: (Seq, Timestamp)) -> (Seq, Timestamp) {
        match self.frames.last() {
            Some(seq) => (seq, self.time),
            None => committed,
        }
    }
}

impl Database {
    /// Begins a transaction: what follows becomes visible and durable with [`Database::commit`], whole or not at all. `meta` goes with each of its events.
    ///
    /// # Errors
    /// `Code::Transaction` if one is open, `Code::ReadOnly`, `Code::Latched`, `Code::Limit` for the metadata.
    pub fn begin(&mut self, meta: Option<&Object>) -> Result<()> {
        if self.pending.is_some() {
            return Err(
                Error::new(Code::Transaction, "a transaction is open already")
                    .hint("COMMIT or ROLLBACK it first"),
            );
        }
        self.start(true, meta)
    }

    pub(super) fn start(&mut self, explicit: bool, meta: Option<&Object>) -> Result<()> {
        self.env.latch()?.check()?;
        let meta = meta
            .filter(|meta| !meta.is_empty())
            .map(encode_meta)
            .transpose()?;
        self.pending = Some(Pending {
            explicit,
            meta,
            frames: Group::default(),
            time: self.head.1,
            given_seq: None,
        });
        Ok(())
    }

    /// Says what the next event of the open transaction is to have: its seq, its metadata and the time known so far.
    pub(super) fn next_event(
        &mut self,
        seq: Option<Seq>,
        meta: Option<&Object>,
        time: Timestamp,
    ) -> Result<()> {
        let head = self.head;
        let meta = meta
            .filter(|meta| !meta.is_empty())
            .map(encode_meta)
            .transpose()?;
        if let Some(pending) = &mut self.pending {
            let last = pending.head(head).0;
            if seq.is_some_and(|seq| seq <= last) {
                let message = format!(
                    "seq {} does not rise: the last one is {}",
                    seq.unwrap_or_default().0,
                    last.0
                );
                return Err(Error::new(Code::InvalidInput, message));
            }
            (pending.given_seq, pending.meta) = (seq, meta);
            pending.time = time.max(head.1).max(pending.time);
        }
        Ok(())
    }

    /// Commits the open transaction. Its time is `now`, or the last commit's if that is later. When it returns, the transaction is on stable storage
    /// (with [`Durability::Batch`]: after the next sync).
    ///
    /// # Errors
    /// `Code::Transaction` if none is open; errors of the store: then nothing of it is there, and nothing more can be written until the database is
    /// opened anew.
    pub fn commit(&mut self, now: Timestamp) -> Result<Written> {
        let Some(pending) = self.pending.take() else {
            return Err(
                Error::new(Code::Transaction, "no transaction is open").hint("BEGIN starts one")
            );
        };
        if now.0 > TIMESTAMP_MAX {
            self.undo(self.head.0);
            return Err(Error::new(
                Code::OutOfRange,
                format!("a time is at most {}", Timestamp(TIMESTAMP_MAX)),
            ));
        }
        let time = now.max(self.head.1);
        let frames = pending.frames;
        let (tables, events, last) = (frames.tables(), frames.events(), frames.last());
        match self.write_commit(frames, time) {
            Ok(()) => {
                self.head = last.map_or(self.head, |last| (last, time));
                self.pay_maintenance(&tables, events)?;
                Ok(Written {
                    events,
                    seq: self.head.0,
                    time: self.head.1,
                })
            }
            Err(error) => {
                self.undo(self.head.0);
                Err(error)
            }
        }
    }

    /// Gives up the open transaction, if there is one.
    pub fn rollback(&mut self) {
        if self.pending.take().is_some() {
            self.undo(self.head.0);
        }
    }

    /// Takes the events above `seq` out of memory again: those of a transaction, or of a statement in it.
    fn undo(&mut self, seq: Seq) {
        for table in self.tables.values_mut() {
            table.undo(seq);
        }
        if let Some(pending) = &mut self.pending {
            pending.frames.drop_above(seq);
        }
    }

    /// Runs one statement's writes: inside the open transaction, where they are taken back if they fail; otherwise as one of its own.
    pub(super) fn atomically(
        &mut self,
        now: Timestamp,
        meta: Option<&Object>,
        writes: impl FnOnce(&mut Database) -> Result<()>,
    ) -> Result<Written> {
        let inside = self.pending.is_some();
        if !inside {
            self.start(false, meta)?;
        }
        if let Some(pending) = &mut self.pending {
            pending.time = now.max(self.head.1);
        }
        let counted = |db: &Database| {
            let pending = db.pending.as_ref();
            pending.map_or((0, db.head), |pending| {
                (pending.frames.events(), pending.head(db.head))
            })
        };
        let (before, (seq, _)) = counted(self);
        if let Err(error) = writes(self) {
            self.undo(seq);
            if !inside {
                self.pending = None;
            }
            return Err(error);
        }
        if !inside {
            return self.commit(now);
        }
        let (after, (seq, time)) = counted(self);
        Ok(Written {
            events: after - before,
            seq,
            time,
        })
    }

    /// When commits are on stable storage from now on. Going to [`Durability::Commit`] syncs what was not.
    pub fn set_durability(&mut self, durability: Durability) -> Result<()> {
        self.durability = durability;
        if durability == Durability::Commit && self.env.writes() {
            self.sync()?;
            for table in self.tables.values_mut() {
                table.set_relaxed(false)?;
            }
        }
        Ok(())
    }
}

fn encode_meta(meta: &Object) -> Result<Bytes> {
    let mut bytes = Vec::new();
    msgpack::encode_object(meta, &mut bytes);
    msgpack::validate(&bytes)?;
    if bytes.len() > METADATA_BYTES_MAX {
        let message = format!(
            "a transaction's metadata has at most {METADATA_BYTES_MAX} bytes, not {}",
            bytes.len()
        );
        return Err(Error::new(Code::Limit, message));
    }
    Ok(Bytes::from(bytes))
}
