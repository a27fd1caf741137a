//! `drift.json`: the file that says that a directory is a database, and of which format.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::{Code, Error, Result};
use crate::storage::Store;
use crate::table::sealed;
use crate::time::Timestamp;
use crate::value::{Object, Value};

/// Its path.
pub const MARKER: &str = "drift.json";
/// The format that this version writes and the newest that it reads.
pub const FORMAT: i64 = 1;

/// The file's text for a database created at `now`.
pub fn write(now: Timestamp) -> String {
    let mut object = Object::new();
    object.insert("driftdb", "database");
    object.insert("format", FORMAT);
    object.insert("created", now.to_string());
    sealed::seal_json(&object)
}

/// Checks that the store holds a database that this version reads.
///
/// # Errors
/// `Code::NotADatabase`, `Code::NewerFormat`, `Code::Corrupt`.
pub fn check(store: &dyn Store) -> Result<()> {
    load(store).map(|_| ())
}

/// The file's bytes, checked like that.
pub fn load(store: &dyn Store) -> Result<Vec<u8>> {
    let Some(bytes) = store.read(MARKER)? else {
        return Err(Error::new(
            Code::NotADatabase,
            "there is no database here (no drift.json)",
        )
        .hint("`driftdb init DIR` makes one"));
    };
    let object = sealed::open_json(MARKER, &bytes)?;
    match object.get("format") {
        Some(Value::Int(FORMAT)) => Ok(bytes),
        Some(Value::Int(newer)) if *newer > FORMAT => {
            let message = format!(
                "the database has format {newer}; this version of DriftDB reads formats up to {FORMAT}"
            );
            Err(Error::new(Code::NewerFormat, message)
                .in_file(MARKER, None)
                .hint("open it with a newer DriftDB"))
        }
        _ => Err(Error::corrupt(MARKER, 0, "this file names no format")),
    }
}
