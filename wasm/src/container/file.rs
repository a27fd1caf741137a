//! The random-access file under a container, and the checks that every answer of it goes through: what browsers answer is not to be
//! trusted blindly.

use std::cell::Cell;

use driftdb_core::{Code, Error, Result};

/// One file, open exclusively. Its errors carry the code that fits: [`Code::StorageFull`] where a quota is exceeded.
pub trait File {
    /// The file's length in bytes.
    fn size(&self) -> Result<u64>;

    /// Reads into `buf` from `offset`; how many bytes were read, as the platform says. None at the end of the file.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize>;

    /// Writes at `offset`, extending the file with zeros where it is shorter; how many bytes were written, as the platform says. Durable after
    /// [`File::flush`]; after a crash before that, any part of the bytes may be there.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<usize>;

    /// Makes the file this long: cuts it, or extends it with zeros. Durable after [`File::flush`].
    fn truncate(&self, len: u64) -> Result<()>;

    /// Puts everything written and truncated before on stable storage.
    fn flush(&self) -> Result<()>;
}

/// A [`File`] whose answers are checked.
pub(super) struct Device {
    file: Box<dyn File>,
    name: String,
    /// The file's length, as nobody else changes it.
    len: Cell<u64>,
}

impl Device {
    pub fn new(file: Box<dyn File>, name: &str) -> Result<Device> {
        let len = Cell::new(file.size()?);
        let name = name.to_string();
        Ok(Device { file, name, len })
    }

    /// The file's name in errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn len(&self) -> u64 {
        self.len.get()
    }

    pub fn corrupt(&self, offset: u64, message: &str) -> Error {
        Error::corrupt(self.name.as_str(), offset, message)
    }

    fn error(&self, code: Code, offset: u64, message: String) -> Error {
        Error::new(code, message).in_file(self.name.as_str(), Some(offset))
    }

    /// Fills `buf`; what lies behind the end of the file is zeros.
    pub fn read(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(filled as u64);
            let count = self.file.read_at(at, rest)?;
            match count {
                0 if at >= self.len.get() => {
                    rest.fill(0);
                    return Ok(());
                }
                count if count == 0 || count > rest.len() => {
                    let message = format!("a read of {} bytes answered {count}", rest.len());
                    return Err(self.error(Code::Io, at, message));
                }
                count => filled += count,
            }
        }
        Ok(())
    }

    /// Writes all of `bytes`. After an error the file is no longer than before.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let written = match self.file.write_at(offset, bytes) {
            Ok(count) if count == bytes.len() => {
                let end = offset.saturating_add(bytes.len() as u64);
                self.len.set(self.len.get().max(end));
                return Ok(());
            }
            Ok(count) if count < bytes.len() => {
                let message = format!("only {count} of {} bytes were written", bytes.len());
                self.error(Code::StorageFull, offset, message).hint(
                    "free some space and open the database anew; what was acknowledged is kept",
                )
            }
            Ok(count) => {
                let message = format!("a write of {} bytes answered {count}", bytes.len());
                self.error(Code::Io, offset, message)
            }
            Err(error) => error,
        };
        if self.file.size().is_ok_and(|size| size > self.len.get()) {
            // The first error is the one that matters; a longer file does no harm.
            let _ = self.file.truncate(self.len.get());
        }
        Err(written)
    }

    /// Writes `len` zeros.
    pub fn zero(&self, mut offset: u64, mut len: u64) -> Result<()> {
        let zeros = vec![0; usize::try_from(len).unwrap_or(usize::MAX).min(64 << 10)];
        while len > 0 {
            let count = usize::try_from(len).unwrap_or(usize::MAX).min(zeros.len());
            self.write(offset, zeros.get(..count).unwrap_or_default())?;
            (offset, len) = (offset + count as u64, len - count as u64);
        }
        Ok(())
    }

    /// Makes the file this long.
    pub fn set_len(&self, len: u64) -> Result<()> {
        self.file.truncate(len)?;
        let size = self.file.size()?;
        match size == len {
            true => {
                self.len.set(len);
                Ok(())
            }
            false => {
                let message = format!("the file has {size} bytes after it was made {len} long");
                Err(self.error(Code::StorageFull, size, message))
            }
        }
    }

    pub fn flush(&self) -> Result<()> {
        self.file.flush()
    }
}
