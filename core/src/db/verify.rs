//! Verification: every frame, seq and time of the logs, and every derived file against what the logs say.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Database;
use super::history::{Event, History};
use crate::error::{Code, Error, Result};
use crate::table::{Audit, Step};
use crate::time::{Seq, Timestamp};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The table.
    pub table: String,
    /// The file and what is wrong with it.
    pub message: String,
}

/// What a step of a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// So many events have been checked so far.
    Progress(u64),
    /// Something is wrong.
    Finding(Finding),
}

/// A verification in steps.
pub struct Verify {
    history: Option<History>,
    audits: Vec<(String, Audit)>,
    last: (Seq, Timestamp),
    events: u64,
    findings: Vec<Finding>,
}

/// Events that one step checks at most.
const STEP_EVENTS: usize = 500;

impl Database {
    /// Checks every frame, seq and time, and every derived file against the logs, as they are now.
    ///
    /// # Errors
    /// Those of opening the tables: what is wrong there ends the verification. `Code::Transaction` inside a transaction.
    pub fn verify(&mut self) -> Result<Verify> {
        self.not_in_transaction("a verification")?;
        let history = self.history(Seq(0))?;
        let audits = history
            .streams()
            .iter()
            .map(|stream| (stream.table.clone(), Audit::new(stream.view.clone())))
            .collect();
        Ok(Verify {
            history: Some(history),
            audits,
            last: (Seq(0), Timestamp(0)),
            events: 0,
            findings: Vec::new(),
        })
    }
}

impl Verify {
    /// How many events have been checked.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Some more work: a finding, progress, or the end.
    pub fn step(&mut self) -> Result<Step<Verified>> {
        if let Some(finding) = self.findings.pop() {
            return Ok(Step::Item(Verified::Finding(finding)));
        }
        if self.history.is_some() {
            self.check_events()?;
            return Ok(Step::Item(Verified::Progress(self.events)));
        }
        let Some((table, audit)) = self.audits.last_mut() else {
            return Ok(Step::Done);
        };
        let table = table.clone();
        match audit.step_files() {
            Ok(Step::Item(message)) => self.findings.push(Finding { table, message }),
            Ok(Step::Pause) => {}
            Ok(Step::Done) => {
                self.audits.pop();
            }
            Err(error) => {
                self.note(&table, error)?;
                self.audits.pop();
            }
        }
        Ok(Step::Pause)
    }

    fn check_events(&mut self) -> Result<()> {
        let Some(mut history) = self.history.take() else {
            return Ok(());
        };
        for _ in 0..STEP_EVENTS {
            match history.next() {
                Ok(Some((at, event))) => self.check_event(at, &event)?,
                Ok(None) => return Ok(()),
                // A log that cannot be read ends the walk through the history: what follows has no order.
                Err(error) => return self.note("", error),
            }
        }
        self.history = Some(history);
        Ok(())
    }

    fn check_event(&mut self, at: usize, event: &Event) -> Result<()> {
        self.events += 1;
        let (seq, time) = self.last;
        let Some((table, audit)) = self.audits.get_mut(at) else {
            return Ok(());
        };
        let table = table.clone();
        if event.seq <= seq {
            self.findings.push(Finding {
                table: table.clone(),
                message: format!("two events have seq {}", event.seq.0),
            });
        }
        if event.time < time {
            self.findings.push(Finding {
                table: table.clone(),
                message: format!(
                    "the time of seq {} is before that of seq {}",
                    event.seq.0, seq.0
                ),
            });
        }
        self.last = (event.seq, event.time);
        let checked = audit.event(
            &event.key,
            event.seq,
            event.time,
            event.op,
            event.body.as_ref(),
            event.meta.as_ref(),
        );
        match checked {
            Ok(messages) => self
                .findings
                .extend(messages.into_iter().map(|message| Finding {
                    table: table.clone(),
                    message,
                })),
            Err(error) => self.note(&table, error)?,
        }
        Ok(())
    }

    /// Corruption is a finding; other errors end the verification.
    fn note(&mut self, table: &str, error: Error) -> Result<()> {
        match error.code() {
            Code::Corrupt | Code::FileMissing => {
                self.findings.push(Finding {
                    table: table.into(),
                    message: error.to_string(),
                });
                Ok(())
            }
            _ => Err(error),
        }
    }
}
