//! Creating, opening and refreshing a table: the log is recovered, derived files are taken as far as they fit it, the tail is replayed.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::change::{Intent, Wanted};
use super::columns::ColumnCache;
use super::delta::DeltaCache;
use super::env::Env;
use super::job::Covered;
use super::maintenance::Maintenance;
use super::memtable::Mark;
use super::meta::{self, Meta};
use super::row_cache::RowCache;
use super::run_file::{self, Index};
use super::schema::{Schema, dir_of};
use super::snapshot;
use super::sources::{Run, Snapshot, Sources};
use super::stamp;
use super::state::KeyStates;
use super::table::Table;
use super::version::Version;
use crate::error::{Code, Error, Result};
use crate::log::{
    EventRef, FrameCursor, Log, LogHints, LogOptions, Mode, Op, Part, Position, Recovery, Refreshed,
};
use crate::time::{Seq, Timestamp};
use crate::value::{Raw, keycode};

/// How often a reader looks again when files vanish under it.
const ATTEMPTS: usize = 20;

/// The path of a table's schema.
pub fn schema_path(dir: &str) -> String {
    alloc::format!("{dir}/schema.yaml")
}

/// A replay of the log under way.
pub(super) struct Replay {
    cursor: FrameCursor,
    key: Vec<u8>,
}

/// The derived files that fit the log.
#[derive(Default)]
pub(super) struct Derived {
    primary: Vec<Rc<Run>>,
    secondary: Vec<Vec<Rc<Run>>>,
    snapshots: Vec<Rc<Snapshot>>,
}

impl Table {
    /// Creates a table without rows; its schema.yaml, written last, makes it be there.
    pub fn create(env: Rc<Env>, schema: Schema) -> Result<Table> {
        let dir = schema.dir();
        let latch = env.latch()?.clone();
        let segments = crate::log::segment::segment_dir(&dir);
        for name in env.store.list(&segments)? {
            latch.remove(&*env.store, &alloc::format!("{segments}/{name}"))?;
        }
        latch.remove(&*env.store, &meta::path(&dir))?;
        let log = Log::create(env.store.clone(), &dir, latch.clone(), log_options(&env))?;
        latch.replace(&*env.store, &schema_path(&dir), schema.to_yaml().as_bytes())?;
        let schema = Rc::new(schema);
        Ok(Table::assemble(
            env,
            dir,
            schema,
            log,
            Meta::default(),
            Derived::default(),
        ))
    }

    /// Opens a table; `None` if there is none of this name. `parts` are what the journal holds for it.
    pub fn open(env: Rc<Env>, name: &str, parts: &[Part]) -> Result<Option<(Table, Recovery)>> {
        let dir = dir_of(name);
        let path = schema_path(&dir);
        let Some(bytes) = env.store.read(&path)? else {
            return Ok(None);
        };
        let schema = Rc::new(Schema::from_yaml(&path, &bytes)?);
        if schema.name != name {
            return Err(Error::corrupt(
                path,
                0,
                alloc::format!("this is the schema of table {}, not of {name}", schema.name),
            ));
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            match Table::try_open(&env, &dir, &schema, parts, attempt == ATTEMPTS) {
                // A writer may have replaced files since meta.json was read.
                Err(error)
                    if error.code() == Code::FileMissing && attempt < ATTEMPTS && !env.writes() => {
                }
                other => return other.map(Some),
            }
        }
    }

    fn try_open(
        env: &Rc<Env>,
        dir: &str,
        schema: &Rc<Schema>,
        parts: &[Part],
        last: bool,
    ) -> Result<(Table, Recovery)> {
        let meta = meta::load(&*env.store, dir)?
            .filter(|meta| meta.runs.len() == schema.indexes.len() + 1);
        let mode = match &env.latch {
            Some(latch) => Mode::Write(latch.clone()),
            None => Mode::Read,
        };
        let hints = meta
            .as_ref()
            .map_or_else(LogHints::default, |meta| meta.hints.clone());
        let (log, recovery) = Log::open(
            env.store.clone(),
            dir,
            mode,
            log_options(env),
            &hints,
            parts,
        )?;
        if !env.writes() {
            log.reader().pin()?;
        }
        // True whatever has become of the log since.
        let requests = meta
            .as_ref()
            .map(|meta| meta.requests.clone())
            .unwrap_or_default();
        let usable = meta.filter(|meta| meta.hints.generation == log.generation());
        let derived = match &usable {
            Some(meta) => Derived::load(env, dir, schema, meta)?,
            None => Some(Derived::default()),
        };
        if derived.is_none() && !last && !env.writes() && env.store.lock_state()?.is_held() {
            return Err(Error::new(Code::FileMissing, "an index run is missing").in_file(dir, None));
        }
        let (meta, derived) = match (usable, derived) {
            (Some(meta), Some(derived)) => (meta, derived),
            // What does not fit the log is as if it were not there: everything is replayed.
            (usable, _) => (
                Meta {
                    last_run: usable.map_or(0, |meta| meta.last_run),
                    requests,
                    ..Meta::default()
                },
                Derived::default(),
            ),
        };
        let mut table =
            Table::assemble(env.clone(), dir.into(), schema.clone(), log, meta, derived);
        if env.writes() {
            table.remove_strays()?;
        }
        table.replay_tail()?;
        Ok((table, recovery))
    }

    pub(super) fn assemble(
        env: Rc<Env>,
        dir: String,
        schema: Rc<Schema>,
        log: Log,
        meta: Meta,
        derived: Derived,
    ) -> Table {
        let reader = log.reader();
        let checkpoint = meta
            .hints
            .checkpoint
            .filter(|_| !derived.primary.is_empty());
        let start = reader.start();
        let mut secondary = derived.secondary;
        secondary.resize_with(schema.indexes.len(), Vec::new);
        let newest = checkpoint.map_or(Seq(0), |checkpoint| checkpoint.seq);
        let sources = Sources {
            schema: schema.clone(),
            memtables: alloc::vec![Table::new_memtable(&schema)],
            primary: derived.primary,
            secondary,
            snapshots: derived.snapshots,
            log: reader,
            log_start: start,
            checkpoint: checkpoint.map_or(Seq(0), |checkpoint| checkpoint.seq),
            checkpoint_at: checkpoint.map_or(start, |checkpoint| checkpoint.position),
            horizon: log.horizon(),
            rows: Rc::new(RefCell::new(RowCache::new(
                env.options.cache_bytes / 2,
                newest,
            ))),
            deltas: Rc::new(RefCell::new(DeltaCache::new(env.options.delta_bytes))),
            columns: Rc::new(RefCell::new(ColumnCache::new(
                env.options.delta_bytes,
                newest,
            ))),
        };
        let head = Covered {
            seq: sources.checkpoint,
            time: checkpoint.map_or(Timestamp(0), |checkpoint| checkpoint.time),
            at: sources.checkpoint_at,
            events: checkpoint.map_or(0, |_| meta.events),
            log_bytes: checkpoint.map_or(0, |_| meta.log_bytes),
        };
        let sources = Rc::new(sources);
        Table {
            env,
            dir,
            schema,
            log,
            sources,
            states: KeyStates::default(),
            requests: meta.requests.clone(),
            meta,
            head,
            marked_at: None,
            maintenance: Maintenance::default(),
            unsettled: false,
            spilled: None,
        }
    }

    /// Puts the events behind the checkpoint into memory. A writer settles later, unless there are so many that it has to flush.
    fn replay_tail(&mut self) -> Result<()> {
        let (from, before) = (self.sources.checkpoint_at, self.head);
        self.unsettled = self.env.writes();
        let is_whole = self.replay(from)?;
        self.unsettled &= self.head.seq > before.seq;
        if is_whole {
            return Ok(());
        }
        self.unsettled = false;
        let fresh = Table::new_memtable(&self.schema);
        self.change_sources(|sources| sources.memtables = alloc::vec![fresh]);
        (self.head, self.marked_at) = (before, None);
        self.replay(from).map(|_| ())
    }

    /// Puts the events from a place to the end of the log into memory; a writer flushes what grows large. Whether it came to the end: what is not settled
    /// cannot be flushed.
    fn replay(&mut self, from: Position) -> Result<bool> {
        let mut replay = self.replay_from(from);
        while let Some(whole) = self.replay_next(&mut replay)? {
            if self.env.writes() && self.freeze_is_due() {
                if self.unsettled {
                    return Ok(false);
                }
                self.freeze(whole);
                self.flush_frozen()?;
                self.maintain_fully(false)?;
            }
        }
        Ok(true)
    }

    /// A replay from a place to the end of the log.
    pub(super) fn replay_from(&self, from: Position) -> Replay {
        Replay {
            cursor: self.log.reader().cursor(from, self.log.whole()),
            key: Vec::new(),
        }
    }

    /// Puts the next event into memory; whether it ends its transaction, or `None` at the end.
    pub(super) fn replay_next(&mut self, replay: &mut Replay) -> Result<Option<bool>> {
        let Replay { cursor, key } = replay;
        let Some((at, event)) = cursor.next_event()? else {
            self.head.at = self.log.whole();
            return Ok(None);
        };
        key.clear();
        keycode::encode(event.key.view(), key);
        self.mark(Mark {
            seq: event.seq,
            time: event.time,
            at,
            events: self.head.events,
        });
        let (seq, time, more) = (event.seq, event.time, event.more);
        self.replay_event(key, &event)
            .map_err(|error| self.in_log(error, at))?;
        let log_bytes = self.head.log_bytes + cursor.position().offset.saturating_sub(at.offset);
        self.head = Covered {
            seq,
            time,
            at: cursor.position(),
            events: self.head.events + 1,
            log_bytes,
        };
        Ok(Some(!more))
    }

    fn replay_event(&mut self, key: &[u8], event: &EventRef<'_>) -> Result<()> {
        let body = event.body.map(|body| body.as_bytes());
        let meta = event.meta.map(|meta| meta.as_bytes());
        if let Some(request) = event.meta.and_then(Raw::object).and_then(stamp::request_of) {
            self.note_request(&request, event.seq);
        }
        if self.unsettled || !self.env.writes() {
            // What is not flushed as it is needs no whole rows on the way, and markers only if an index is used.
            let depth = u8::from(event.op == Op::Patch);
            let version = Version {
                seq: event.seq,
                time: event.time,
                op: event.op,
                depth,
                body,
                whole: None,
                meta,
            };
            self.sources.changed(key, version.seq);
            if let Some(memtable) = self.memtable() {
                memtable.borrow_mut().insert_unposted(key, &version);
            }
            return Ok(());
        }
        let intent = match event.op {
            Op::Insert => Intent::Put,
            Op::Patch => Intent::Patch,
            Op::Delete => Intent::Delete,
        };
        let change = self.prepare(Wanted {
            intent,
            key,
            body,
            meta,
            seq: event.seq,
            time: event.time,
        })?;
        self.apply(&change);
        Ok(())
    }

    fn in_log(&self, error: Error, at: Position) -> Error {
        match error.code() {
            Code::NoSuchRow | Code::Limit => {
                let why =
                    alloc::format!("this event cannot have been committed: {}", error.message());
                Error::corrupt(self.log.reader().path(at.segment), at.offset, why)
            }
            _ => error,
        }
    }

    /// Of a reader: looks at what the writer has done since.
    pub fn refresh(&mut self, parts: &[Part]) -> Result<()> {
        let meta = meta::load(&*self.env.store, &self.dir)?;
        if meta.as_ref().is_none_or(|meta| *meta == self.meta) {
            let refreshed = self.log.refresh(parts);
            match refreshed.and_then(|refreshed| self.log.reader().pin().map(|()| refreshed)) {
                Ok(Refreshed::Unchanged) => return Ok(()),
                Ok(Refreshed::Grown(from)) => {
                    let reader = self.log.reader();
                    self.change_sources(|sources| sources.log = reader);
                    return self.replay(from).map(|_| ());
                }
                Ok(Refreshed::Replaced) => {}
                Err(error) if error.code() == Code::FileMissing => {}
                Err(error) => return Err(error),
            }
        }
        let name = self.schema.name.clone();
        match Table::open(self.env.clone(), &name, parts)? {
            Some((table, _)) => *self = table,
            None => {
                return Err(Error::new(
                    Code::FileMissing,
                    alloc::format!("table {name} is gone"),
                ));
            }
        }
        Ok(())
    }
}

impl Derived {
    /// The files that answers are read from.
    pub(super) fn of(sources: &Sources) -> Derived {
        Derived {
            primary: sources.primary.clone(),
            secondary: sources.secondary.clone(),
            snapshots: sources.snapshots.clone(),
        }
    }

    /// `None` if a run is missing or does not fit. A snapshot that is missing is only left out.
    fn load(env: &Env, dir: &str, schema: &Schema, meta: &Meta) -> Result<Option<Derived>> {
        let generation = meta.hints.generation;
        let mut indexes = Vec::new();
        for (index, runs) in Index::all(schema).zip(&meta.runs) {
            let mut found = Vec::new();
            for run in runs {
                match run_file::find(env, dir, schema, index, generation, run)? {
                    Some(run) => found.push(Rc::new(run)),
                    None => return Ok(None),
                }
            }
            indexes.push(found);
        }
        let mut snapshots = Vec::new();
        for &seq in &meta.snapshots {
            snapshots.extend(snapshot::find(env, dir, generation, seq)?.map(Rc::new));
        }
        let mut indexes = indexes.into_iter();
        Ok(Some(Derived {
            primary: indexes.next().unwrap_or_default(),
            secondary: indexes.collect(),
            snapshots,
        }))
    }
}

fn log_options(env: &Env) -> LogOptions {
    LogOptions {
        segment_bytes: env.options.segment_bytes,
        ..LogOptions::default()
    }
}
