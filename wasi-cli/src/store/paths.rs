//! Paths, directories and whole small files.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use driftdb_core::Result;

use super::bad_path;

/// What the names of files end with while they are written.
const TEMPORARY: &str = ".new";

/// The platform's path of a database's path, which cannot lead out of the directory.
pub fn resolve(root: &Path, path: &str) -> Result<PathBuf> {
    let plain = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0'])
    };
    match path.is_empty() || path.split('/').all(plain) {
        true => Ok(path
            .split('/')
            .filter(|part| !part.is_empty())
            .fold(root.to_path_buf(), |full, part| full.join(part))),
        false => Err(bad_path(path)),
    }
}

/// Whether an error says that there is no such file.
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// The names in a directory, ascending; files that were being replaced are left out.
pub fn list(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        // What is not Unicode is not the engine's.
        if let Ok(name) = entry?.file_name().into_string()
            && !name.ends_with(TEMPORARY)
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Creates the directories above a file; returns those whose entries are not durable yet: the file's own directory always, and
/// each one above a directory that was created.
pub fn create_parents(file: &Path) -> io::Result<Vec<PathBuf>> {
    let Some(mut dir) = file.parent() else {
        return Ok(Vec::new());
    };
    let mut unsynced = vec![dir.to_path_buf()];
    let mut missing = Vec::new();
    while !dir.is_dir() {
        missing.push(dir);
        dir = match dir.parent() {
            Some(above) if above.as_os_str().is_empty() => Path::new("."),
            Some(above) => above,
            None => break,
        };
        unsynced.push(dir.to_path_buf());
    }
    for dir in missing.iter().rev() {
        match fs::create_dir(dir) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            done => done?,
        }
    }
    Ok(unsynced)
}

/// Puts a directory's entries on stable storage. Where the platform cannot (WASI, Windows), a rename is as durable as it gets.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(dir)?.sync_all()
    } else {
        Ok(())
    }
}

/// [`sync_dir`] of the directory that a file is in.
pub fn sync_parent(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(dir) if dir.as_os_str().is_empty() => sync_dir(Path::new(".")),
        dir => dir.map_or(Ok(()), sync_dir),
    }
}

/// What a file is called while it is written; such names are in no list.
pub fn temporary(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(TEMPORARY);
    path.with_file_name(name)
}

/// Writes a whole file beside its place, syncs it and gives it its name.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary(path);
    let written = write_synced(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The error that matters is the first; the next replace writes over the rest.
        let _ = fs::remove_file(&temporary);
    }
    written.and_then(|()| sync_parent(path))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
