//! What tells a file from another of the same name.

use std::fs::{File, Metadata};
use std::io;

/// Two files that are there at once differ in it; so do, where their making is known, two of which one came later.
#[derive(PartialEq, Eq)]
pub struct Identity {
    number: u64,
    device: u64,
    created: Option<std::time::SystemTime>,
}

impl Identity {
    #[cfg(unix)]
    pub fn of(_: &File, metadata: &Metadata) -> io::Result<Identity> {
        use std::os::unix::fs::MetadataExt;
        Ok(Identity {
            number: metadata.ino(),
            device: metadata.dev(),
            created: metadata.created().ok(),
        })
    }

    /// WASI has one time for a file's making and its change, and engines differ in which they give.
    #[cfg(target_os = "wasi")]
    pub fn of(file: &File, _: &Metadata) -> io::Result<Identity> {
        let stat = rustix::fs::fstat(file)?;
        Ok(Identity {
            number: stat.st_ino,
            device: stat.st_dev,
            created: None,
        })
    }

    #[cfg(not(any(unix, target_os = "wasi")))]
    pub fn of(_: &File, metadata: &Metadata) -> io::Result<Identity> {
        Ok(Identity {
            number: 0,
            device: 0,
            created: metadata.created().ok(),
        })
    }
}
