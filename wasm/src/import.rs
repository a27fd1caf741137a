//! A database made of a backup file that comes in pieces, in the place of an empty one that is open.

use std::rc::Rc;

use driftdb_core::db::{Database, MARKER, Restore, Restored};
use driftdb_core::storage::Store;
use driftdb_core::time::Timestamp;
use driftdb_core::{Code, Error, Result};

use crate::options::OpenOptions;
use crate::session::Session;

/// What errors call the file.
const NAME: &str = "the imported file";

/// Where a database lies and how it was opened.
#[derive(Clone)]
pub struct Home {
    /// Its store.
    pub store: Rc<dyn Store>,
    /// The options.
    pub options: OpenOptions,
}

/// An import under way. Until it ends, there is no database: one that is stopped leaves an empty one to the next who opens it.
pub struct Import {
    home: Home,
    restore: Restore,
}

/// Checks that a file may take the place of a database.
///
/// # Errors
/// `Code::ReadOnly`, `Code::Transaction`; `Code::DatabaseExists` if it holds anything.
pub fn check(db: &mut Database, options: &OpenOptions) -> Result<()> {
    if options.read_only {
        return Err(Error::new(
            Code::ReadOnly,
            "the database is open for reading only",
        ));
    }
    if db.in_transaction() {
        return Err(Error::new(Code::Transaction, "a transaction is open"));
    }
    match db.tables()?.is_empty() {
        true => Ok(()),
        false => Err(
            Error::new(Code::DatabaseExists, "the database is not empty").hint(
                "a file is imported into an empty database: delete this one first, or open another",
            ),
        ),
    }
}

impl Import {
    /// Takes the place of an empty database that was closed.
    pub fn begin(mut home: Home) -> Result<Import> {
        home.options.create = true;
        home.store.remove(MARKER)?;
        let restore = Restore::begin(home.store.clone(), NAME)?;
        Ok(Import { home, restore })
    }

    /// Takes the bytes that come next.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.restore.push(bytes)
    }

    /// Ends the import: the file has to be complete.
    pub fn finish(self) -> Result<Restored> {
        self.restore.finish()
    }

    /// Where the database lies.
    pub fn home(&self) -> &Home {
        &self.home
    }
}

/// Removes what an import that was stopped has left, if that is what lies in the store.
pub fn clear(store: &Rc<dyn Store>) -> Result<()> {
    Restore::begin(store.clone(), NAME).map(drop)
}

impl Home {
    /// Opens the database there.
    pub fn reopen(&self, now: Timestamp) -> Result<Session> {
        Session::open(self.clone(), now)
    }
}
