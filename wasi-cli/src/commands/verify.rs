//! `driftdb verify`: checks every byte of a database, and what was derived from it.

use std::io::Write;

use driftdb_core::db::{Step, Verified};

use crate::args::Verify;
use crate::errors::{Failure, Result};
use crate::progress::Progress;
use crate::{interrupt, open, output};

use super::counted;

/// Shows what is found; damage is a failure.
pub fn run(verify: Verify) -> Result<()> {
    let mut db = open::reader(&verify.dir.dir)?;
    let tables = db.tables()?.len();
    let mut out = output::stdout();
    let mut progress = Progress::new("events checked", None);
    let mut work = db.verify()?;
    let mut findings = 0_u64;
    loop {
        interrupt::check()?;
        match work.step()? {
            Step::Item(Verified::Finding(finding)) => {
                findings += 1;
                progress.finish();
                let message = crate::errors::printable(&finding.message);
                match finding.table.as_str() {
                    "" => writeln!(out, "damaged: {message}")?,
                    table => writeln!(out, "damaged: table {table}: {message}")?,
                }
            }
            Step::Item(Verified::Progress(events)) => progress.update(0, events),
            Step::Pause => {}
            Step::Done => break,
        }
    }
    progress.finish();
    let events = work.events();
    let verdict = match findings {
        0 => "ok".to_owned(),
        findings => counted(findings, "finding"),
    };
    let (events, tables) = (counted(events, "event"), counted(tables as u64, "table"));
    writeln!(out, "{verdict}: {events} in {tables} checked")?;
    out.flush()?;
    if findings > 0 {
        Err(Failure::Damaged)
    } else {
        Ok(())
    }
}
