//! `driftdb load`: reads JSON Lines of events.

use driftdb_core::db::eventline::{self, Line};
use driftdb_core::db::{Database, Loader};

use crate::args::Load;
use crate::errors::{Failure, Result};
use crate::input::{Lines, Source};
use crate::progress::Progress;
use crate::{interrupt, open, options};

/// Reads the lines and says how many events there were.
pub fn run(load: Load) -> Result<()> {
    let source = Source::open(&load.file)?;
    let mut progress = Progress::new("events", source.size());
    let mut lines = Lines::new(source);
    let mut db = open::writer(&load.dir.dir, &load.lock, load.durability)?;
    let done = all(&load, &mut db, &mut lines, &mut progress);
    progress.finish();
    let closed = db.close();
    let events = done?;
    closed?;
    anstream::println!("{} loaded", super::counted(events, "event"));
    Ok(())
}

/// Loads line by line; answers how many events there were. A failing line has rolled back its transaction.
fn all(load: &Load, db: &mut Database, lines: &mut Lines, progress: &mut Progress) -> Result<u64> {
    let mut loader = db.load();
    let mut events = 0;
    while let Some((number, line)) = lines.next(eventline::parse)? {
        interrupt::check()?;
        let is_event = matches!(line, Line::Event(_));
        take(load, db, &mut loader, line).map_err(|failure| lines.blame(number, failure))?;
        if is_event {
            events += 1;
            progress.update(lines.bytes(), events);
        }
    }
    loader.finish(db)?;
    Ok(events)
}

fn take(load: &Load, db: &mut Database, loader: &mut Loader, line: Line) -> Result<(), Failure> {
    let now = load.now.unwrap_or_else(options::clock);
    Ok(loader.line(db, line, now)?)
}
