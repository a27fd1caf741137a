//! The platform's errors as the engine's.

use std::io::{self, ErrorKind};

use driftdb_core::{Code, Error, Result};

/// Says which file an error of the platform is about.
pub trait Context<T> {
    /// The error in the file at this path.
    fn context(self, path: &str) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, path: &str) -> Result<T> {
        self.map_err(|error| convert(&error).in_file(path, None))
    }
}

fn convert(error: &io::Error) -> Error {
    let (code, hint) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => (
            Code::StorageFull,
            Some("free some space and open the database anew; what was acknowledged is kept"),
        ),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            (Code::PermissionDenied, None)
        }
        ErrorKind::NotFound => (Code::FileMissing, None),
        _ => (Code::Io, None),
    };
    let error = Error::new(code, error.to_string());
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
