//! Runs operations on an engine and the oracle side by side, over a store that may fail in the middle.

use std::fmt::Write as _;

use driftdb_core::Error;

use crate::engine::{Engine, Failure, Settings, is_storage};
use crate::fault::{FaultStore, Mount};
use crate::oracle::{Op, Oracle};
use crate::workload::{Mix, Workload, creates};

/// Operations with the times at which they run.
pub type Script = Vec<(Op, u64)>;

/// The script of a seed: the tables, then this many random operations.
pub fn script(seed: u64, mix: Mix, count: usize) -> Script {
    let mut workload = Workload::new(seed, mix);
    let mut oracle = Oracle::new();
    let mut script = Script::new();
    for op in creates() {
        let clock = workload.tick();
        let _ = oracle.apply(&op, clock);
        script.push((op, clock));
    }
    for _ in 0..count {
        let op = workload.next(&oracle);
        let clock = workload.tick();
        let _ = oracle.apply(&op, clock);
        script.push((op, clock));
    }
    script
}

/// The script as text to run by hand.
pub fn listing(script: &Script) -> String {
    let mut text = String::new();
    for (op, clock) in script {
        let _ = writeln!(text, "{op};  -- at {clock}");
    }
    text
}

/// A database and its oracle, up to where the store failed.
pub struct Session<S = FaultStore> {
    /// The store.
    pub store: S,
    /// The open database; none after a failure.
    pub engine: Option<Engine>,
    /// What has been acknowledged.
    pub oracle: Oracle,
    /// What there would be with the operation that failed, if one did.
    pub in_flight: Option<Oracle>,
    /// The error of the failure.
    pub error: Option<Error>,
    /// How many operations ran.
    pub steps: usize,
    settings: Settings,
}

/// What an operation led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It ran.
    Done,
    /// The store failed in it.
    Failed,
}

impl<S: Mount> Session<S> {
    /// Makes a database in an empty store; the failure may come already here.
    pub fn create(store: S, settings: Settings) -> Self {
        let created = Engine::create(&store, 0).and_then(|()| Engine::open(&store, &settings));
        let mut session = Session {
            store,
            engine: None,
            oracle: Oracle::new(),
            in_flight: None,
            error: None,
            steps: 0,
            settings,
        };
        match created {
            Ok(engine) => session.engine = Some(engine),
            Err(error) => session.fail(error, Oracle::new()),
        }
        session
    }

    /// Opens the database that is in a store and goes on from what the oracle knows.
    pub fn resume(store: S, settings: Settings, oracle: Oracle) -> Result<Self, Error> {
        let engine = Some(Engine::open(&store, &settings)?);
        Ok(Session {
            store,
            engine,
            oracle,
            in_flight: None,
            error: None,
            steps: 0,
            settings,
        })
    }

    fn fail(&mut self, error: Error, after: Oracle) {
        self.error = Some(error);
        self.in_flight = Some(after);
    }

    /// Runs a script, up to its end or the failure; answers whether it got to the end.
    pub fn run(&mut self, script: &Script) -> Result<bool, String> {
        for (op, clock) in script {
            if self.error.is_some() || self.step(op, *clock)? == Step::Failed {
                return Ok(false);
            }
        }
        Ok(self.error.is_none())
    }

    /// Runs one operation. The text of an error says where engine and oracle differ.
    pub fn step(&mut self, op: &Op, clock: u64) -> Result<Step, String> {
        self.steps += 1;
        let mut after = self.oracle.clone();
        let expected = after.apply(op, clock);
        let Some(engine) = &mut self.engine else {
            return Ok(Step::Failed);
        };
        let answer = match op {
            Op::Reopen => self.reopen().map(|()| 0),
            Op::Maintain => engine.maintain().map(|()| 0),
            Op::Transaction {
                writes,
                meta,
                commit,
            } => {
                let mut statements = self.oracle.clone();
                let answers = statements.transaction(writes, meta.as_ref(), clock);
                match engine.transaction_up_to_commit(writes, meta.as_ref(), &answers, clock) {
                    Ok(()) => engine.end_transaction(*commit, clock),
                    // COMMIT was not given, so nothing of it may ever be there.
                    Err(Failure::Storage(error)) => return self.failed(error, self.oracle.clone()),
                    Err(Failure::Differs(what)) => {
                        return Err(format!("step {}: {op}\n  {what}", self.steps));
                    }
                }
            }
            op => engine.statement(&op.to_string(), clock),
        };
        let answer = match answer {
            Err(error) if is_storage(error.code()) => return self.failed(error, after),
            answer => answer.map_err(|error| error.code()),
        };
        if answer != expected {
            return Err(format!(
                "step {}: {op}\n  answered {answer:?}, expected {expected:?}",
                self.steps
            ));
        }
        self.oracle = after;
        Ok(Step::Done)
    }

    fn failed(&mut self, error: Error, after: Oracle) -> Result<Step, String> {
        if !self.store.has_failed() {
            return Err(format!(
                "step {}: an error without a fault: {error:?}",
                self.steps
            ));
        }
        self.fail(error, after);
        Ok(Step::Failed)
    }

    fn reopen(&mut self) -> Result<(), Error> {
        if let Some(engine) = self.engine.take() {
            engine.close()?;
        }
        self.engine = Some(Engine::open(&self.store, &self.settings)?);
        Ok(())
    }
}
