//! `driftdb dump`: the whole history as JSON Lines of events.

use driftdb_core::db::{Step, eventline};

use crate::args::Dump;
use crate::errors::Result;
use crate::output::Target;
use crate::progress::Progress;
use crate::{interrupt, open};

/// Writes the lines.
pub fn run(dump: Dump) -> Result<()> {
    let mut db = open::reader(&dump.dir.dir)?;
    let mut target = Target::open(dump.output.as_deref())?;
    let mut progress = Progress::new("events", None);
    let (mut bytes, mut count) = (0, 0);
    let mut lines = db.dump()?;
    let mut text = String::new();
    loop {
        interrupt::check()?;
        match lines.step()? {
            Step::Pause => continue,
            Step::Done => break,
            Step::Item(line) => {
                text.clear();
                eventline::write(&line, &mut text);
                text.push('\n');
                target.writer().write_all(text.as_bytes())?;
                (bytes, count) = (bytes + text.len() as u64, count + 1);
                progress.update(bytes, count);
            }
        }
    }
    progress.finish();
    target.finish()
}
