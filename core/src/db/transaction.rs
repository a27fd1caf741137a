//! Transactions: events that are applied in memory under the seqs they will have, and seen by nobody else until they are committed.

use alloc::format;
use alloc::vec::Vec;

use super::{Database, Durability};
use crate::error::{Code, Error, Result};
use crate::limits::{METADATA_BYTES_MAX, TIMESTAMP_MAX};
use crate::table::Applied;
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
    pub(super) events: Vec<PendingEvent>,
    /// The time that its events have until it is committed.
    pub(super) time: Timestamp,
    /// The seq of the next event, where a load gives it.
    pub(super) given_seq: Option<Seq>,
}

/// One of its events.
pub struct PendingEvent {
    pub(super) table: alloc::rc::Rc<str>,
    pub(super) applied: Applied,
}

impl Pending {
    /// Whether BEGIN started it, and not a single statement.
    pub(super) fn is_explicit(&self) -> bool {
        self.explicit
    }

    /// The head as the transaction itself sees it.
    pub(super) fn head(&self, committed: (Seq, Timestamp)) -> (Seq, Timestamp) {
        match self.events.last() {
            Some(event) => (event.applied.version.seq, self.time),
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
            events: Vec::new(),
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
            self.undo(&pending.events);
            return Err(Error::new(
                Code::OutOfRange,
                format!("a time is at most {}", Timestamp(TIMESTAMP_MAX)),
            ));
        }
        let time = now.max(self.head.1);
        match self.write_commit(&pending, time) {
            Ok(()) => {
                let events = pending.events.len() as u64;
                self.head = match pending.events.last() {
                    Some(last) => (last.applied.version.seq, time),
                    None => self.head,
                };
                self.pay_maintenance(&pending)?;
                Ok(Written {
                    events,
                    seq: self.head.0,
                    time: self.head.1,
                })
            }
            Err(error) => {
                self.undo(&pending.events);
                Err(error)
            }
        }
    }

    /// Gives up the open transaction, if there is one.
    pub fn rollback(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.undo(&pending.events);
        }
    }

    /// Takes events out of memory again, the newest first.
    fn undo(&mut self, events: &[PendingEvent]) {
        for event in events.iter().rev() {
            if let Some(table) = self.tables.get_mut(&*event.table) {
                table.undo(&event.applied);
            }
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
        let before = self
            .pending
            .as_ref()
            .map_or(0, |pending| pending.events.len());
        if let Err(error) = writes(self) {
            let undone = self
                .pending
                .as_mut()
                .map(|pending| pending.events.split_off(before))
                .unwrap_or_default();
            self.undo(&undone);
            if !inside {
                self.pending = None;
            }
            return Err(error);
        }
        if !inside {
            return self.commit(now);
        }
        let events = self
            .pending
            .as_ref()
            .map_or(0, |pending| pending.events.len() - before) as u64;
        let (seq, time) = self
            .pending
            .as_ref()
            .map_or(self.head, |pending| pending.head(self.head));
        Ok(Written { events, seq, time })
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
