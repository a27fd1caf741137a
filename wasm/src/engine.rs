//! What JavaScript sees: one class, whose methods convert and call.
//!
//! Answers are left in a buffer of this memory; [`Engine::out_ptr`] and [`Engine::out_len`] say where until the next call. An error is
//! thrown as the JSON text of [`crate::error::json`].

use std::rc::Rc;

use driftdb_core::db::Axis;
use driftdb_core::storage::{MemoryStore, Store};
use driftdb_core::time::{Seq, Timestamp};
use driftdb_core::{Code, Error, Result};
use wasm_bindgen::prelude::*;

use crate::asked::Asked;
use crate::container::Container;
use crate::error;
use crate::import::{Home, Import};
use crate::mirror::Mirror;
use crate::options;
use crate::run::{Progress, Request};
use crate::script::Script;
use crate::session::{Failure, Session};
use crate::stores::{Changes, Files, FilesStore, Handle, HandleFile, Records};
use crate::wire;

/// An open database.
#[wasm_bindgen]
pub struct Engine {
    session: Option<Session>,
    /// What takes the session's place until it ends.
    import: Option<Import>,
    /// What the database lies in, where that has to be closed after it.
    container: Option<Container>,
    /// What the database lies in, where JavaScript stores what changes.
    mirror: Option<Mirror>,
    out: Vec<u8>,
}

/// What JavaScript gets, or what it sees thrown.
pub(crate) type Thrown<T> = core::result::Result<T, JsValue>;

fn thrown(error: &Error) -> JsValue {
    JsValue::from_str(&error::json(error, ""))
}

fn failed(failure: &Failure) -> JsValue {
    JsValue::from_str(&error::json(&failure.error, &failure.text))
}

/// A result of the engine as JavaScript gets it.
pub(crate) fn or_throw<T>(result: Result<T>) -> Thrown<T> {
    result.map_err(|error| thrown(&error))
}

fn no_import() -> Error {
    Error::new(Code::Unsupported, "no file is being imported")
}

/// JavaScript's clock: milliseconds as a number.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float saturates, and NaN is 0"
)]
fn clock(now: f64) -> Timestamp {
    Timestamp(now as u64)
}

impl Engine {
    fn open(store: Rc<dyn Store>, options: &[u8], now: f64) -> Thrown<Engine> {
        let open = || {
            let options = options::read(&wire::object(options)?.unwrap_or_default())?;
            Session::open(Home { store, options }, clock(now))
        };
        Ok(Engine {
            session: Some(or_throw(open())?),
            import: None,
            container: None,
            mirror: None,
            out: Vec::new(),
        })
    }

    fn session(&mut self) -> Result<(&mut Session, &mut Vec<u8>)> {
        match &mut self.session {
            Some(session) => Ok((session, &mut self.out)),
            None if self.import.is_some() => Err(Error::new(
                Code::Busy,
                "a file is being imported into the database",
            )),
            None => Err(Error::new(Code::Unsupported, "the database is closed")),
        }
    }

    /// Ends an import, of which this is the result: there is a database again, the imported one or an empty one.
    fn end_import<T>(&mut self, home: &Home, result: Result<T>, now: f64) -> Result<T> {
        self.import = None;
        match home.reopen(clock(now)) {
            Ok(session) => {
                self.session = Some(session);
                result
            }
            Err(error) => result.and(Err(error)),
        }
    }

    fn with<T>(
        &mut self,
        action: impl FnOnce(&mut Session, &mut Vec<u8>) -> Result<T>,
    ) -> Thrown<T> {
        let (session, out) = or_throw(self.session())?;
        or_throw(action(session, out))
    }
}

#[wasm_bindgen]
impl Engine {
    /// Opens an empty database in memory.
    #[wasm_bindgen(js_name = openMemory)]
    pub fn open_memory(options: &[u8], now: f64) -> Thrown<Engine> {
        Engine::open(Rc::new(MemoryStore::new()), options, now)
    }

    /// Opens the database in a directory.
    #[wasm_bindgen(js_name = openFiles)]
    pub fn open_files(files: Files, options: &[u8], now: f64) -> Thrown<Engine> {
        Engine::open(Rc::new(FilesStore::new(files)), options, now)
    }

    /// Opens the database in the container that is this file.
    #[wasm_bindgen(js_name = openContainer)]
    pub fn open_container(handle: Handle, name: &str, options: &[u8], now: f64) -> Thrown<Engine> {
        let container = or_throw(Container::open(Box::new(HandleFile(handle)), name))?;
        let mut engine = Engine::open(Rc::new(container.clone()), options, now)?;
        engine.container = Some(container);
        Ok(engine)
    }

    /// Opens the database that stored records hold, all of it in memory: at most so many bytes.
    #[wasm_bindgen(js_name = openRecords)]
    pub fn open_records(records: Records, limit: f64, options: &[u8], now: f64) -> Thrown<Engine> {
        let mirror = records.mirror(limit)?;
        let mut engine = Engine::open(Rc::new(mirror.clone()), options, now)?;
        engine.mirror = Some(mirror);
        Ok(engine)
    }

    /// What has changed since the last call and is to be stored now, if anything has.
    pub fn drain(&self) -> Thrown<Option<Changes>> {
        let Some(mirror) = &self.mirror else {
            return Ok(None);
        };
        Ok(or_throw(mirror.drain())?.map(Changes::from))
    }

    /// Says that what was drained is stored up to this position.
    pub fn settled(&self, position: f64) {
        if let Some(mirror) = &self.mirror {
            mirror.settled(clock(position).0);
        }
    }

    /// Where the last answer is.
    #[wasm_bindgen(js_name = outPtr)]
    pub fn out_ptr(&self) -> *const u8 {
        self.out.as_ptr()
    }

    /// How many bytes it has.
    #[wasm_bindgen(js_name = outLen)]
    pub fn out_len(&self) -> usize {
        self.out.len()
    }

    /// Reads a script and keeps it under the number that is returned.
    pub fn prepare(&mut self, text: &str) -> Thrown<u32> {
        self.with(|session, _| Ok(session.prepare(text)))
    }

    /// What a script does: 1 it writes, 2 it begins or ends a transaction, 4 it cannot be read to its end.
    pub fn effects(&mut self, script: u32) -> Thrown<u32> {
        self.with(|session, _| {
            let script = session.script(script)?;
            let writes = u32::from(!script.reads());
            let controls = u32::from(script.controls());
            Ok(writes | controls << 1 | u32::from(script.broken.is_some()) << 2)
        })
    }

    /// Keeps a script no longer.
    pub fn forget(&mut self, script: u32) -> Thrown<()> {
        self.with(|session, _| {
            session.forget(script);
            Ok(())
        })
    }

    /// Begins to run a script; the number of the run. `asked` is the client, the number and whether it is asked again, if it may be.
    pub fn start(
        &mut self,
        script: u32,
        params: &[u8],
        named: bool,
        at: Option<String>,
        meta: &[u8],
        asked: &[u8],
    ) -> Thrown<u32> {
        let (session, _) = or_throw(self.session())?;
        let request = || {
            Ok(Request {
                script: session.script(script)?,
                params: wire::params(params, named)?,
                at,
                meta: wire::object(meta)?,
                asked: Asked::read(&wire::documents(asked)?)?,
            })
        };
        let request = or_throw(request())?;
        session.start(request).map_err(|failure| failed(&failure))
    }

    /// Begins an operation on a table; the number of the run.
    #[wasm_bindgen(js_name = startTable)]
    pub fn start_table(
        &mut self,
        operation: &str,
        table: &str,
        values: &[u8],
        at: Option<String>,
        meta: &[u8],
        asked: &[u8],
    ) -> Thrown<u32> {
        let (session, _) = or_throw(self.session())?;
        let request = || {
            let values = wire::documents(values)?;
            Ok(Request {
                script: Rc::new(Script::of_table(operation, table, values)?),
                at,
                meta: wire::object(meta)?,
                asked: Asked::read(&wire::documents(asked)?)?,
                ..Request::default()
            })
        };
        let request = or_throw(request())?;
        session.start(request).map_err(|failure| failed(&failure))
    }

    /// Begins to verify everything; the number of the run.
    #[wasm_bindgen(js_name = startVerify)]
    pub fn start_verify(&mut self) -> Thrown<u32> {
        self.with(|session, _| session.verify())
    }

    /// Begins to tell the events after a seq; the number of the run.
    #[wasm_bindgen(js_name = startChanges)]
    pub fn start_changes(&mut self, after: f64) -> Thrown<u32> {
        self.with(|session, _| session.changes(Seq(clock(after).0)))
    }

    /// Watches what a script reads; the number of the watch.
    pub fn watch(
        &mut self,
        script: u32,
        params: &[u8],
        named: bool,
        at: Option<String>,
    ) -> Thrown<u32> {
        self.with(|session, _| {
            let script = session.script(script)?;
            session.watch(&script, &wire::params(params, named)?, at.as_deref())
        })
    }

    /// Ends a watch.
    pub fn unwatch(&mut self, watch: u32) -> Thrown<()> {
        self.with(|session, _| {
            session.unwatch(watch);
            Ok(())
        })
    }

    /// Begins to export the database as a file; the number of the run, whose answers are the file's bytes.
    #[wasm_bindgen(js_name = startExport)]
    pub fn start_export(&mut self) -> Thrown<u32> {
        self.with(|session, _| session.export())
    }

    /// Begins to import a file into the database, which has to be empty. Until that ends, nothing else can be done with it.
    #[wasm_bindgen(js_name = beginImport)]
    pub fn begin_import(&mut self, now: f64) -> Thrown<()> {
        self.with(|session, _| session.check_import())?;
        let Some(session) = self.session.take() else {
            return Ok(());
        };
        let home = session.home();
        match session.close().and_then(|()| Import::begin(home.clone())) {
            Ok(import) => {
                self.import = Some(import);
                Ok(())
            }
            Err(error) => or_throw(self.end_import(&home, Err(error), now)),
        }
    }

    /// Takes the bytes of the file that come next. After an error the database is empty again.
    #[wasm_bindgen(js_name = pushImport)]
    pub fn push_import(&mut self, bytes: &[u8], now: f64) -> Thrown<()> {
        let import = or_throw(self.import.as_mut().ok_or_else(no_import))?;
        match import.push(bytes) {
            Ok(()) => Ok(()),
            Err(error) => {
                let home = import.home().clone();
                or_throw(self.end_import(&home, Err(error), now))
            }
        }
    }

    /// Ends the import: the file has to be complete. Answers with its last event.
    #[wasm_bindgen(js_name = finishImport)]
    pub fn finish_import(&mut self, now: f64) -> Thrown<()> {
        let import = or_throw(self.import.take().ok_or_else(no_import))?;
        let home = import.home().clone();
        let restored = import.finish();
        or_throw(self.end_import(&home, restored, now))?;
        self.with(|session, out| {
            session.head(out);
            Ok(())
        })
    }

    /// The watches that what was committed since the last call concerns.
    pub fn touched(&mut self) -> Thrown<Vec<u32>> {
        self.with(|session, _| Ok(session.touched()))
    }

    /// A number that the last answer has in common with few others: its seq and time are not part of it. Goes on from that of the buffer before.
    pub fn digest(&self, before: u64) -> u64 {
        wire::digest(&self.out, before)
    }

    /// Gives an import up, if there is one: the database is empty again.
    #[wasm_bindgen(js_name = cancelImport)]
    pub fn cancel_import(&mut self, now: f64) -> Thrown<()> {
        let Some(import) = self.import.take() else {
            return Ok(());
        };
        let home = import.home().clone();
        drop(import);
        or_throw(self.end_import(&home, Ok(()), now))
    }

    /// Whether there is a database. After an import that failed there may be none, if it could not be opened again.
    #[wasm_bindgen(js_name = isOpen)]
    pub fn is_open(&self) -> bool {
        self.session.is_some() || self.import.is_some()
    }

    /// Goes on with a run, doing about `steps` rows' worth of work until the answer has about `bytes` bytes: 0 there is more to do, 1 the answer
    /// is full, 2 the end.
    pub fn step(&mut self, run: u32, steps: u32, bytes: usize, now: f64) -> Thrown<u32> {
        let (session, _) = or_throw(self.session())?;
        match session.step(run, steps, bytes, clock(now)) {
            Ok(Progress::More) => Ok(0),
            Ok(Progress::Full) => Ok(1),
            Ok(Progress::End) => Ok(2),
            Err(failure) => Err(failed(&failure)),
        }
    }

    /// Leaves what a run has answered since the last time as the answer.
    pub fn take(&mut self, run: u32) -> Thrown<()> {
        self.with(|session, out| session.take(run, out))
    }

    /// Ends a run, wherever it is.
    pub fn end(&mut self, run: u32) -> Thrown<()> {
        self.with(|session, _| {
            session.end(run);
            Ok(())
        })
    }

    /// Answers with the row of a key, or no row.
    pub fn get(&mut self, table: &str, key: &[u8], at: Option<String>) -> Thrown<()> {
        self.with(|session, out| session.get(table, &wire::key(key)?, at.as_deref(), out))
    }

    /// Begins a transaction, for who asks as in [`Engine::start`].
    pub fn begin(&mut self, meta: &[u8], asked: &[u8]) -> Thrown<()> {
        self.with(|session, _| {
            let asked = Asked::read(&wire::documents(asked)?)?;
            session.begin(wire::object(meta)?.as_ref(), asked.as_ref())
        })
    }

    /// Whether the transaction that was begun for who asks was committed; answers with what it wrote.
    pub fn answered(&mut self, asked: &[u8]) -> Thrown<bool> {
        self.with(
            |session, out| match Asked::read(&wire::documents(asked)?)? {
                Some(asked) => session.answered(&asked, out),
                None => Ok(false),
            },
        )
    }

    /// Commits the open transaction.
    pub fn commit(&mut self, now: f64) -> Thrown<()> {
        self.with(|session, out| session.commit(clock(now), out))
    }

    /// Gives up the open transaction, if there is one.
    pub fn rollback(&mut self) -> Thrown<()> {
        self.with(|session, _| {
            session.db().rollback();
            Ok(())
        })
    }

    /// Whether a transaction is open.
    #[wasm_bindgen(js_name = inTransaction)]
    pub fn in_transaction(&mut self) -> Thrown<bool> {
        self.with(|session, _| Ok(session.db().in_transaction()))
    }

    /// The seq of the last committed event, as text.
    pub fn head(&mut self) -> Thrown<String> {
        self.with(|session, _| Ok(session.db().head().0.to_string()))
    }

    /// Answers with what is known of the database.
    pub fn stats(&mut self) -> Thrown<()> {
        self.with(Session::stats)
    }

    /// The whole history as event lines, of at most so many bytes.
    pub fn dump(&mut self, limit: usize) -> Thrown<String> {
        self.with(|session, _| session.dump(limit))
    }

    /// Takes event lines.
    pub fn load(&mut self, text: &str, now: f64) -> Thrown<()> {
        self.with(|session, out| session.load(text, clock(now), out))
    }

    /// Answers with how many events each table has in each of so many stretches, equal in time or in seqs.
    pub fn timeline(&mut self, by_time: bool, buckets: usize) -> Thrown<()> {
        let axis = if by_time { Axis::Time } else { Axis::Seq };
        self.with(|session, out| session.timeline(axis, buckets, out))
    }

    /// Says when commits are durable: each when it returns, or after the next [`Engine::flush`].
    #[wasm_bindgen(js_name = setBatch)]
    pub fn set_batch(&mut self, batch: bool) -> Thrown<()> {
        self.with(|session, _| session.set_durability(batch))
    }

    /// Puts all commits on stable storage.
    pub fn flush(&mut self) -> Thrown<()> {
        self.with(|session, _| session.db().sync().map(|_| ()))
    }

    /// Does some steps of maintenance that is due; whether some is left.
    pub fn maintain(&mut self, steps: u32) -> Thrown<bool> {
        self.with(|session, _| session.db().maintain(steps.into()))
    }

    /// Stops in mid-call, as a fault would: for tests of what comes after.
    pub fn stop(&self) {
        std::process::abort();
    }

    /// Closes the database.
    pub fn close(&mut self) -> Thrown<()> {
        if let Some(session) = self.session.take() {
            or_throw(session.close())?;
        }
        match self.container.take() {
            Some(container) => or_throw(container.close()),
            None => Ok(()),
        }
    }
}
