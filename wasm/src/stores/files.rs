//! A database as a directory, through a filesystem that JavaScript hands in: Node's, Deno's, Bun's. The layout is the command line's.
//!
//! js/platform/node-files.ts does the work of one call each; the contracts of [`Store`] and [`Blob`] are kept here and there together.

use std::rc::Rc;

use driftdb_core::storage::{Access, Blob, CONFLICT_BYTES, Lock, LockState, Store, Synced};
use driftdb_core::{Code, Error, Result};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// js/platform/node-files.ts. Each method throws a text: a code, a line feed, a message.
    pub type Files;

    #[wasm_bindgen(method, catch)]
    fn list(this: &Files, dir: &str) -> Thrown<String>;
    #[wasm_bindgen(method, catch)]
    fn open(this: &Files, path: &str, write: bool) -> Thrown<i32>;
    #[wasm_bindgen(method, catch)]
    fn create(this: &Files, path: &str) -> Thrown<i32>;
    #[wasm_bindgen(method)]
    fn close(this: &Files, file: i32);
    #[wasm_bindgen(method, catch)]
    fn size(this: &Files, file: i32) -> Thrown<f64>;
    #[wasm_bindgen(method, catch)]
    fn read(this: &Files, file: i32, offset: f64, buf: &mut [u8]) -> Thrown<usize>;
    #[wasm_bindgen(method, catch)]
    fn write(this: &Files, file: i32, offset: f64, bytes: &[u8]) -> Thrown<()>;
    #[wasm_bindgen(method, catch)]
    fn truncate(this: &Files, file: i32, len: f64) -> Thrown<()>;
    #[wasm_bindgen(method, catch)]
    fn sync(this: &Files, file: i32) -> Thrown<()>;
    #[wasm_bindgen(method, catch)]
    fn remove(this: &Files, path: &str) -> Thrown<()>;
    #[wasm_bindgen(method, catch)]
    fn rename(this: &Files, from: &str, to: &str) -> Thrown<()>;
    #[wasm_bindgen(method, catch)]
    fn replace(this: &Files, path: &str, bytes: &[u8]) -> Thrown<()>;
    #[wasm_bindgen(method, catch, js_name = readWhole)]
    fn read_whole(this: &Files, path: &str) -> Thrown<Option<Vec<u8>>>;
    #[wasm_bindgen(method, catch)]
    fn lock(this: &Files) -> Thrown<f64>;
    #[wasm_bindgen(method, catch, js_name = checkLock)]
    fn check_lock(this: &Files) -> Thrown<()>;
    #[wasm_bindgen(method)]
    fn unlock(this: &Files);
    /// The epoch of the last writer; negative while one holds the lock.
    #[wasm_bindgen(method, catch, js_name = lockState)]
    fn lock_state(this: &Files) -> Thrown<f64>;
}

/// What a call of JavaScript returns or throws.
pub type Thrown<T> = core::result::Result<T, JsValue>;

/// What was thrown, as an error in a file.
fn caught(thrown: &JsValue, path: &str) -> Error {
    let text = thrown
        .as_string()
        .unwrap_or_else(|| "io\nthe platform failed".into());
    let (code, message) = text.split_once('\n').unwrap_or(("io", &text));
    let (code, hint) = match code {
        "busy" => (Code::Busy, None),
        "conflict" => (Code::Conflict, None),
        "file_missing" => (Code::FileMissing, None),
        "permission_denied" => (Code::PermissionDenied, None),
        "storage_full" => (
            Code::StorageFull,
            Some("free some space and open the database anew; what was acknowledged is kept"),
        ),
        "invalid_value" => (Code::InvalidValue, None),
        _ => (Code::Io, None),
    };
    let error = Error::new(code, message);
    let error = match hint {
        Some(hint) => error.hint(hint),
        None => error,
    };
    match path.is_empty() {
        true => error,
        false => error.in_file(path, None),
    }
}

/// Says which file an error is about.
pub trait Context<T> {
    /// The error in the file at this path.
    fn context(self, path: &str) -> Result<T>;
}

impl<T> Context<T> for Thrown<T> {
    fn context(self, path: &str) -> Result<T> {
        self.map_err(|thrown| caught(&thrown, path))
    }
}

/// An offset as JavaScript's number: files are smaller than 2^53 bytes.
#[allow(
    clippy::cast_precision_loss,
    reason = "no file has so many bytes that it matters"
)]
pub fn number(offset: u64) -> f64 {
    offset as f64
}

/// A size as JavaScript says it.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes of files are whole and not negative; the cast saturates"
)]
pub fn whole(size: f64) -> u64 {
    size as u64
}

/// A database's directory.
pub struct FilesStore {
    files: Rc<Files>,
}

impl FilesStore {
    /// The store over these files.
    pub fn new(files: Files) -> Self {
        FilesStore {
            files: Rc::new(files),
        }
    }

    fn blob(&self, path: &str, file: i32, writable: bool) -> Box<dyn Blob> {
        Box::new(FilesBlob {
            files: self.files.clone(),
            path: path.into(),
            file,
            writable,
            own_end: None,
        })
    }
}

impl Store for FilesStore {
    fn lock(&self) -> Result<Box<dyn Lock>> {
        let epoch = whole(self.files.lock().context("LOCK")?);
        Ok(Box::new(FilesLock {
            files: self.files.clone(),
            epoch,
        }))
    }

    fn lock_state(&self) -> Result<LockState> {
        let epoch = self.files.lock_state().context("LOCK")?;
        Ok(match epoch < 0.0 {
            true => LockState::Held,
            false => LockState::Free(whole(epoch)),
        })
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        let names = self.files.list(dir).context(dir)?;
        let mut names: Vec<String> = names
            .split('\n')
            .filter(|name| !name.is_empty())
            .map(String::from)
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    fn open(&self, path: &str, access: Access) -> Result<Option<Box<dyn Blob>>> {
        let writable = access == Access::Write;
        match self.files.open(path, writable).context(path)? {
            0 => Ok(None),
            file => Ok(Some(self.blob(path, file, writable))),
        }
    }

    fn create(&self, path: &str) -> Result<Box<dyn Blob>> {
        let file = self.files.create(path).context(path)?;
        Ok(self.blob(path, file, true))
    }

    fn remove(&self, path: &str) -> Result<()> {
        self.files.remove(path).context(path)
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.files.rename(from, to).context(from)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<Synced> {
        self.files.replace(path, bytes).context(path)?;
        Ok(Synced::Durable)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.files.read_whole(path).context(path)
    }
}

struct FilesLock {
    files: Rc<Files>,
    epoch: u64,
}

impl Lock for FilesLock {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn check(&self) -> Result<()> {
        self.files.check_lock().context("LOCK")
    }
}

impl Drop for FilesLock {
    fn drop(&mut self) {
        self.files.unlock();
    }
}

struct FilesBlob {
    files: Rc<Files>,
    path: String,
    /// Its number among the open files.
    file: i32,
    writable: bool,
    /// Where this blob's last append ended, if nothing was synced or cut since: the end need not be looked at again.
    own_end: Option<u64>,
}

/// Zeros are written in pieces of this size.
const ZEROS: &[u8] = &[0; 64 << 10];

impl FilesBlob {
    fn check_writable(&self) -> Result<()> {
        match self.writable {
            true => Ok(()),
            false => Err(
                Error::new(Code::ReadOnly, "the file is open for reading only")
                    .in_file(self.path.as_str(), None),
            ),
        }
    }

    /// Checks with one read that the file reaches up to `end` and holds zeros or nothing after it.
    fn check_end(&self, end: u64) -> Result<()> {
        let mut bytes = [0; CONFLICT_BYTES + 1];
        let (before, from) = if end == 0 { (0, 0) } else { (1, end - 1) };
        let count = self.read_at(from, bytes.get_mut(1 - before..).unwrap_or_default())?;
        let clean = bytes
            .get(1..)
            .is_some_and(|after| after.iter().all(|byte| *byte == 0));
        let message = match (count < before, clean) {
            (true, _) => "the file ends before the place to append to",
            (false, false) => "another writer has appended to the file",
            (false, true) => return Ok(()),
        };
        Err(Error::new(Code::Conflict, message).in_file(self.path.as_str(), Some(end)))
    }
}

impl Blob for FilesBlob {
    fn len(&self) -> Result<u64> {
        Ok(whole(self.files.size(self.file).context(&self.path)?))
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.files
            .read(self.file, number(offset), buf)
            .context(&self.path)
    }

    fn append(&mut self, end: u64, bytes: &[u8]) -> Result<()> {
        self.check_writable()?;
        if self.own_end.take() != Some(end) {
            self.check_end(end)?;
        }
        self.files
            .write(self.file, number(end), bytes)
            .context(&self.path)?;
        self.own_end = Some(end + bytes.len() as u64);
        Ok(())
    }

    fn reserve(&mut self, len: u64) -> Result<()> {
        self.check_writable()?;
        let mut at = self.len()?;
        while at < len {
            let count = ZEROS
                .len()
                .min(usize::try_from(len - at).unwrap_or(usize::MAX));
            self.files
                .write(
                    self.file,
                    number(at),
                    ZEROS.get(..count).unwrap_or_default(),
                )
                .context(&self.path)?;
            at += count as u64;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<Synced> {
        self.own_end = None;
        self.files.sync(self.file).context(&self.path)?;
        Ok(Synced::Durable)
    }

    fn truncate(&mut self, len: u64) -> Result<()> {
        self.check_writable()?;
        self.own_end = None;
        if self.len()? > len {
            self.files
                .truncate(self.file, number(len))
                .context(&self.path)?;
        }
        Ok(())
    }
}

impl Drop for FilesBlob {
    fn drop(&mut self) {
        self.files.close(self.file);
    }
}
