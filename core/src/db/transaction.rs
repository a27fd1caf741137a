//! Transactions: events that are applied in memory under the seqs they will have, and seen by nobody else until they are committed.

use alloc::format;
use alloc::rc::Rc;

use super::group::Group;
use super::spill::Spill;
use super::{Context, Database, Durability, Touched};
use crate::error::{Code, Error, Result};
use crate::limits::TIMESTAMP_MAX;
use crate::table::{Answered, Request, stamp};
use crate::time::{Seq, Timestamp};
use crate::value::{Bytes, Object};

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
    meta: Option<Bytes>,
    request: Option<Request>,
    /// Table and seq of the first event.
    first: Option<(Rc<str>, Seq)>,
    /// The metadata of events in other tables than the first event's, once there is one.
    elsewhere: Option<Bytes>,
    /// The frames of its events.
    pub(super) frames: Group,
    /// The time that its events have until it is committed.
    pub(super) time: Timestamp,
    /// The seq of the next event, where a load gives it.
    pub(super) given_seq: Option<Seq>,
    /// What of it has left memory.
    pub(super) spill: Spill,
    /// What it changes, where that is noted.
    touched: Touched,
}

impl Pending {
    /// Whether BEGIN started it, and not a single statement.
    pub(super) fn is_explicit(&self) -> bool {
        self.explicit
    }

    /// The metadata of the next event, which is in this table.
    pub(super) fn next_meta(&mut self, table: &str) -> Option<Bytes> {
        match (&self.first, &self.request) {
            (None, Some(request)) => Some(stamp::with_request(self.meta.as_ref(), request)),
            (Some((first, seq)), _) if **first != *table => {
                let meta = &self.meta;
                let elsewhere = self
                    .elsewhere
                    .get_or_insert_with(|| stamp::with_first(meta.as_ref(), *seq));
                Some(elsewhere.clone())
            }
            _ => self.meta.clone(),
        }
    }

    /// Notes that an event has been drafted and applied.
    pub(super) fn drafted(&mut self, table: &str, seq: Seq) {
        self.given_seq = None;
        self.first.get_or_insert_with(|| (Rc::from(table), seq));
    }

    /// Notes that it changes a row. What a statement has taken back stays noted.
    pub(super) fn touch(&mut self, table: &str, key: &[u8]) {
        self.touched.key(table, key);
    }

    /// What the clock says to a statement of the transaction. Once frames have been spilled, all others have their time.
    pub(super) fn clock(&mut self, time: Timestamp) {
        self.time = self.spill.time().unwrap_or(time);
    }

    /// How many events it has.
    fn events(&self) -> u64 {
        self.spill.events() + self.frames.events()
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
        self.start(true, meta, None)
    }

    /// Likewise for a request: the commit remembers it, see [`Database::answered`].
    ///
    /// # Errors
    /// Those of [`Database::begin`]; `Code::Conflict` for a request whose number is not greater than that of the client's last one, `Code::Limit` for
    /// the client's name.
    pub fn begin_for(&mut self, meta: Option<&Object>, request: &Request) -> Result<()> {
        if self.pending.is_some() {
            return self.begin(meta);
        }
        self.start(true, meta, Some(request))
    }

    pub(super) fn start(
        &mut self,
        explicit: bool,
        meta: Option<&Object>,
        request: Option<&Request>,
    ) -> Result<()> {
        self.env.latch()?.check()?;
        let meta = meta.map(stamp::encode).transpose()?.flatten();
        if let Some(request) = request {
            request.check()?;
            self.check_is_new(request)?;
        }
        self.pending = Some(Pending {
            explicit,
            meta,
            request: request.cloned(),
            first: None,
            elsewhere: None,
            frames: Group::default(),
            time: self.head.1,
            given_seq: None,
            spill: Spill::default(),
            touched: Touched::default(),
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
        let meta = meta.map(stamp::encode).transpose()?.flatten();
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
            (pending.given_seq, pending.meta, pending.elsewhere) = (seq, meta, None);
            pending.clock(time.max(head.1).max(pending.time));
        }
        Ok(())
    }

    /// Commits the open transaction. Its time is `now`, or the last commit's if that is later. When it returns, the transaction is on stable storage
    /// (with [`Durability::Batch`]: after the next sync).
    ///
    /// # Errors
    /// `Code::Transaction` if none is open or the open one could not be spilled; errors of the store: then nothing of it is there, and nothing more can be written until the database is
    /// opened anew.
    pub fn commit(&mut self, now: Timestamp) -> Result<Written> {
        let Some(pending) = self.pending.take() else {
            return Err(
                Error::new(Code::Transaction, "no transaction is open").hint("BEGIN starts one")
            );
        };
        if let Err(error) = pending.spill.check() {
            self.give_up();
            return Err(error);
        }
        if now.0 > TIMESTAMP_MAX {
            self.give_up();
            return Err(Error::new(
                Code::OutOfRange,
                format!("a time is at most {}", Timestamp(TIMESTAMP_MAX)),
            ));
        }
        let time = pending.spill.time().unwrap_or(now.max(self.head.1));
        let (events, spilled) = (pending.events(), pending.spill.is_begun());
        let frames = pending.frames;
        let (tables, last) = (frames.tables(), frames.last());
        match self.write_commit(frames, time, spilled) {
            Ok(()) => {
                self.head = last.map_or(self.head, |last| (last, time));
                if let Some(touched) = &mut self.touched {
                    touched.add(pending.touched);
                }
                if let (Some(request), Some((table, seq))) = (pending.request, pending.first)
                    && let Some(table) = self.tables.get_mut(&*table)
                {
                    table.note_request(&request, seq);
                }
                if spilled {
                    self.settle();
                }
                self.pay_maintenance(&tables, events)?;
                Ok(Written {
                    events,
                    seq: self.head.0,
                    time: self.head.1,
                })
            }
            Err(error) => {
                self.give_up();
                Err(error)
            }
        }
    }

    /// What the commit wrote that a request led to, if that is the last one of its client that wrote anything: the answer to a request that is sent again.
    /// `None` if it has not been done (or nothing was written, which may be done again). The database remembers the last request of a client, for each table of
    /// the 1,000 clients that wrote last, also past COMPACT; `events` counts those that are still there.
    ///
    /// # Errors
    /// `Code::Conflict` if a later request of the client was done.
    pub fn answered(&mut self, request: &Request) -> Result<Option<Written>> {
        match self.last_request(&request.client) {
            Some(last) if last.number == request.number => self.commit_from(last.seq).map(Some),
            Some(last) if last.number > request.number => Err(out_of_order(request, last)),
            _ => Ok(None),
        }
    }

    fn last_request(&self, client: &str) -> Option<Answered> {
        let found = self
            .tables
            .values()
            .filter_map(|table| table.answered(client));
        found.max_by_key(|answered| answered.number)
    }

    fn check_is_new(&self, request: &Request) -> Result<()> {
        match self.last_request(&request.client) {
            Some(last) if last.number >= request.number => Err(out_of_order(request, last)),
            _ => Ok(()),
        }
    }

    /// What the commit wrote whose first event has a seq.
    fn commit_from(&mut self, first: Seq) -> Result<Written> {
        let mut written = Written {
            events: 0,
            seq: first,
            time: self.head.1,
        };
        let mut history = self.history(Seq(first.0.saturating_sub(1)))?;
        while let Some((_, event)) = history.next()? {
            let expected = if written.events == 0 {
                first
            } else {
                event.seq
            };
            if event.seq != expected {
                break;
            }
            written = Written {
                events: written.events + 1,
                seq: event.seq,
                time: event.time,
            };
            if !event.more {
                break;
            }
        }
        Ok(written)
    }

    /// Gives up the open transaction, if there is one.
    pub fn rollback(&mut self) {
        if self.pending.take().is_some() {
            self.give_up();
        }
    }

    /// Takes the events above `seq` out of memory again: those of a transaction, or of a statement in it.
    pub(super) fn undo(&mut self, seq: Seq) {
        for table in self.tables.values_mut() {
            table.undo(seq);
        }
        if let Some(pending) = &mut self.pending {
            pending.frames.drop_above(seq);
            if pending
                .first
                .as_ref()
                .is_some_and(|(_, first)| *first > seq)
            {
                (pending.first, pending.elsewhere) = (None, None);
            }
        }
    }

    /// Runs one statement's writes: inside the open transaction, where they are taken back if they fail; otherwise as one of its own.
    pub(super) fn atomically(
        &mut self,
        context: &Context,
        writes: impl FnOnce(&mut Database) -> Result<()>,
    ) -> Result<Written> {
        let now = context.now;
        let inside = self.pending.is_some();
        if !inside {
            self.start(false, context.meta.as_ref(), context.request.as_ref())?;
        }
        if let Some(pending) = &mut self.pending {
            pending.spill.check()?;
            pending.clock(now.max(self.head.1));
        }
        let counted = |db: &Database| {
            let pending = db.pending.as_ref();
            pending.map_or((0, db.head), |pending| {
                (pending.events(), pending.head(db.head))
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
        self.spill_if_large()?;
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

fn out_of_order(request: &Request, last: Answered) -> Error {
    let message = format!(
        "request {} of client {} comes after its request {}, which was done with @seq:{}",
        request.number, request.client, last.number, last.seq.0
    );
    Error::new(Code::Conflict, message)
}
