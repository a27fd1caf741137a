//! `driftdb import`: rows of a file into a table, as one transaction or in batches.

use driftdb_core::db::{Database, Schema};
use driftdb_core::value::Object;
use driftdb_core::{Code, Error};

use crate::args::Import;
use crate::errors::{Failure, Result};
use crate::input::{self, Rows};
use crate::progress::Progress;
use crate::{interrupt, open};

use super::counted;

/// Reads the rows and says how many there were.
pub fn run(import: Import) -> Result<()> {
    let (mut rows, size) = input::open(&import)?;
    let mut db = open::importer(&import.dir.dir, &import.lock, import.durable.durability)?;
    let mut job = Job {
        import: &import,
        meta: import.metadata.object(),
        kept: 0,
        open: 0,
    };
    let mut progress = Progress::new("rows", size);
    let done = job.run(&mut db, rows.as_mut(), &mut progress);
    progress.finish();
    if done.is_err() && db.in_transaction() {
        db.rollback();
    }
    let closed = db.close();
    match done {
        Err(failure) => Err(explain(failure, &import, job.kept)),
        Ok(()) => {
            closed?;
            let table = &import.table;
            anstream::println!("{} into {table}", counted(job.kept, "row"));
            Ok(())
        }
    }
}

/// The import as far as it is.
struct Job<'a> {
    import: &'a Import,
    meta: Option<Object>,
    /// Rows in transactions that are committed.
    kept: u64,
    /// Rows in the open transaction.
    open: u64,
}

impl Job<'_> {
    fn run(
        &mut self,
        db: &mut Database,
        rows: &mut dyn Rows,
        progress: &mut Progress,
    ) -> Result<()> {
        self.create_table(db)?;
        while let Some((line, row)) = rows.next()? {
            interrupt::check()?;
            if self.open == 0 {
                db.begin(self.meta.as_ref())?;
            }
            let table = &self.import.table;
            let now = self.import.metadata.time();
            let written = if self.import.upsert {
                db.upsert(table, &row, now)
            } else {
                db.insert(table, &row, now)
            };
            written.map_err(|error| rows.blame(line, error.into()))?;
            self.open += 1;
            if Some(self.open) == self.import.batch {
                self.commit(db)?;
            }
            if (self.kept + self.open).is_multiple_of(256) {
                progress.update(rows.bytes(), self.kept + self.open);
            }
        }
        self.commit(db)
    }

    fn commit(&mut self, db: &mut Database) -> Result<()> {
        if self.open > 0 {
            db.commit(self.import.metadata.time())?;
            self.kept += self.open;
            self.open = 0;
        }
        Ok(())
    }

    fn create_table(&self, db: &mut Database) -> Result<()> {
        let Import {
            table,
            create,
            index,
            ..
        } = self.import;
        if db.tables()?.contains(table) {
            return Ok(());
        }
        match create {
            Some(key) => Ok(db.create_table(Schema::new(table, key, index)?)?),
            None => {
                let error = Error::new(Code::UnknownTable, format!("there is no table {table}"));
                let hint = "--create KEY makes it, with that member as its key";
                Err(error.hint(hint).into())
            }
        }
    }
}

/// Adds to an error what became of the rows before it.
fn explain(failure: Failure, import: &Import, kept: u64) -> Failure {
    let Failure::Error { error, script } = failure else {
        return failure;
    };
    let kept = match (import.batch, kept) {
        (None, _) | (_, 0) => "nothing of the import was kept".to_owned(),
        (Some(_), kept) => format!("the first {} of the import were kept", counted(kept, "row")),
    };
    let hint = match error.hint_text() {
        Some(hint) => format!("{hint}; {kept}"),
        None => kept,
    };
    Failure::Error {
        error: error.hint(hint),
        script,
    }
}
