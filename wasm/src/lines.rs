//! The whole history as event lines in one text, and back: small databases in links, samples, reports.

use driftdb_core::db::{Database, Step, Written, eventline};
use driftdb_core::time::Timestamp;
use driftdb_core::{Code, Error, Result};

/// The history as lines; refused once they are longer than `limit` bytes.
pub fn dump(db: &mut Database, limit: usize) -> Result<String> {
    let mut dump = db.dump()?;
    let mut text = String::new();
    loop {
        match dump.step()? {
            Step::Done => return Ok(text),
            Step::Item(line) => {
                eventline::write(&line, &mut text);
                text.push('\n');
            }
            Step::Pause => {}
        }
        if text.len() > limit {
            let message = format!("the history is longer than {limit} bytes of lines");
            return Err(Error::new(Code::Limit, message));
        }
    }
}

/// Takes lines, each transaction with its own time and metadata; what was committed before an error stays.
pub fn load(db: &mut Database, text: &str, now: Timestamp) -> Result<Written> {
    let mut loader = db.load();
    let mut events = 0;
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let taken = eventline::parse(line).and_then(|line| {
            events += u64::from(matches!(line, eventline::Line::Event(_)));
            loader.line(db, line, now)
        });
        if let Err(error) = taken {
            let message = format!("line {}: {}", number + 1, error.message());
            db.rollback();
            return Err(Error::new(error.code(), message));
        }
    }
    loader.finish(db)?;
    let (seq, time) = db.head();
    Ok(Written { events, seq, time })
}
