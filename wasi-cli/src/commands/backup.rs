//! `driftdb backup`: the whole database at one moment as one file.

use std::path::Path;

use driftdb_core::db::Step;
use driftdb_core::{Code, Error};

use crate::args::Backup;
use crate::errors::Result;
use crate::output::Target;
use crate::progress::Progress;
use crate::{interrupt, open};

/// Writes the file and says up to which moment.
pub fn run(command: Backup) -> Result<()> {
    let piped = command.file == Path::new("-");
    if !piped && !command.force && command.file.is_file() {
        let message = format!("{} exists already", command.file.display());
        let error = Error::new(Code::Io, message).hint("--force replaces it");
        return Err(error.into());
    }
    let mut backup = open::reader(&command.dir.dir)?.backup()?;
    let mut target = Target::open(Some(&command.file))?;
    let mut progress = Progress::new("MiB", Some(backup.size()));
    let mut bytes = 0;
    loop {
        interrupt::check()?;
        match backup.step()? {
            Step::Pause => {}
            Step::Done => break,
            Step::Item(chunk) => {
                target.writer().write_all(&chunk)?;
                bytes += chunk.len() as u64;
                progress.update(bytes, bytes >> 20);
            }
        }
    }
    progress.finish();
    target.finish()?;
    if !piped {
        let (seq, time) = backup.upto();
        let name = command.file.display();
        anstream::println!("{name}: {}", super::moment(seq, time));
    }
    Ok(())
}
