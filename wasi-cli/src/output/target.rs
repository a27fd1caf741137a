//! [`Target`]: standard output, or a file that appears when it is complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::errors::{Failure, Result};

/// Where a command writes.
pub struct Target {
    writer: Box<dyn Write>,
    file: Option<Pending>,
}

/// A file under a passing name, which is removed if it is not finished.
struct Pending {
    path: PathBuf,
    passing: PathBuf,
    handle: Rc<File>,
    done: bool,
}

/// A handle that is written to and kept for syncing: WASI cannot clone one.
struct Shared(Rc<File>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush()
    }
}

impl Target {
    /// The file at `path`, or standard output.
    pub fn open(path: Option<&Path>) -> Result<Target> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            let writer = Box::new(super::stdout());
            return Ok(Target { writer, file: None });
        };
        // A device or a pipe is written as it is; a file of that name is replaced as a whole.
        let special = fs::metadata(path).is_ok_and(|data| !data.is_file());
        let passing = if special {
            path.to_owned()
        } else {
            passing_name(path)
        };
        let fails = |error: io::Error| Failure::file("write", path, &error);
        let handle = Rc::new(File::create(&passing).map_err(fails)?);
        let shared = Shared(Rc::clone(&handle));
        let writer = Box::new(BufWriter::with_capacity(256 << 10, shared));
        let pending = Pending {
            path: path.to_owned(),
            passing,
            handle,
            done: special,
        };
        Ok(Target {
            writer,
            file: Some(pending),
        })
    }

    /// Where to write.
    pub fn writer(&mut self) -> &mut dyn Write {
        &mut self.writer
    }

    /// Everything is written: a file gets its name.
    pub fn finish(mut self) -> Result<()> {
        self.writer.flush()?;
        if let Some(mut file) = self.file.take().filter(|file| !file.done) {
            let fails = |error: io::Error| Failure::file("write", &file.path, &error);
            file.handle.sync_all().map_err(fails)?;
            fs::rename(&file.passing, &file.path).map_err(fails)?;
            file.done = true;
            crate::store::sync_parent(&file.path).map_err(fails)?;
        }
        Ok(())
    }
}

fn passing_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.passing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_complete() {
        let dir = std::env::temp_dir().join(format!("driftdb-target-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("out");
        fs::write(&path, "old").unwrap();
        let mut target = Target::open(Some(&path)).unwrap();
        target.writer().write_all(b"half").unwrap();
        drop(target);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let mut target = Target::open(Some(&path)).unwrap();
        target.writer().write_all(b"new").unwrap();
        target.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        fs::remove_dir_all(&dir).unwrap();
    }
}
