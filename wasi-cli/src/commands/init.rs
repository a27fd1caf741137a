//! `driftdb init`: makes a new, empty database.

use crate::args::Init;
use crate::errors::{Failure, Result};
use crate::{open, options};

/// Makes the database and says where.
pub fn run(init: Init) -> Result<()> {
    let Some(dir) = init.path.or(init.dir) else {
        return Err(Failure::Usage("a directory is needed".into()));
    };
    let now = init.now.unwrap_or_else(options::clock);
    open::create(&dir, now)?;
    anstream::println!("made an empty database in {}", dir.display());
    Ok(())
}
