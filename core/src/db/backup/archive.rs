//! [`Archive`]: a backup as a store to read from, where it lies.

use crate::crc;
use crate::flat::{FlatMap, FlatSet};
use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;

use super::bad;
use super::index::{INDEX, Index, may_follow};
use super::tar::{self, Head};
use crate::error::{Code, Error, Result};
use crate::storage::{Access, Blob, Lock, LockState, Store, Synced};
use crate::time::{Seq, Timestamp};

/// Bytes that are read at once to sum a file.
const SUM_BYTES: usize = 64 << 10;

/// A backup, open for reading. A file of it is checked against its checksum when it is opened first. There are no indexes and snapshots in it: opening
/// a table reads all of its log.
pub struct Archive {
    name: Rc<str>,
    blob: Rc<dyn Blob>,
    files: FlatMap<String, File>,
    upto: (Seq, Timestamp),
}

struct File {
    offset: u64,
    size: u64,
    crc: u32,
    checked: Cell<bool>,
}

impl Archive {
    /// Opens a backup: reads the header of each file, and the list of them. `name` is what errors call it.
    ///
    /// # Errors
    /// `Code::NotADatabase` if it is no backup at all; `Code::Corrupt`, naming the offset, if it is damaged or incomplete; `Code::NewerFormat`.
    pub fn open(name: &str, blob: Box<dyn Blob>) -> Result<Archive> {
        let len = blob.len()?;
        if len < tar::BLOCK as u64 {
            return Err(bad(name, 0, ""));
        }
        let mut walk = Walk {
            name,
            blob: &*blob,
            len,
            at: 0,
        };
        let mut found: Vec<(String, u64, u64)> = Vec::new();
        let index = loop {
            let start = walk.at;
            let Some((path, size, offset)) = walk.next()? else {
                return Err(bad(name, start, "the backup ends before its list of files"));
            };
            let before = found.last().map(|(path, ..)| path.as_str());
            if path == INDEX && before.is_some() {
                break walk.index(offset, size)?;
            }
            if !may_follow(before, &path) {
                let why = "this file is in no backup, or not at this place";
                return Err(Error::corrupt(name, start, why));
            }
            found.push((path, size, offset));
        };
        walk.end()?;
        let listed = index
            .members
            .iter()
            .map(|member| (&member.path, member.size));
        if !found.iter().map(|(path, size, _)| (path, *size)).eq(listed) {
            let why = "the backup's files are not those that its list names";
            return Err(Error::corrupt(name, walk.at, why));
        }
        let files = found.into_iter().zip(&index.members);
        let files = files.map(|((path, size, offset), member)| {
            let file = File {
                offset,
                size,
                crc: member.crc,
                checked: Cell::new(false),
            };
            (path, file)
        });
        let files = files.collect();
        Ok(Archive {
            name: name.into(),
            blob: blob.into(),
            files,
            upto: (index.seq, index.time),
        })
    }

    /// The last event that is in it, and its time; 0 if there is none.
    pub fn upto(&self) -> (Seq, Timestamp) {
        self.upto
    }

    fn file(&self, path: &str) -> Result<Option<MemberBlob>> {
        let Some(file) = self.files.get(path) else {
            return Ok(None);
        };
        let blob = MemberBlob {
            name: Rc::clone(&self.name),
            blob: Rc::clone(&self.blob),
            offset: file.offset,
            size: file.size,
        };
        if !file.checked.get() {
            if sum(&blob)? != file.crc {
                let why = format!("{path} in this backup does not match its checksum");
                return Err(Error::corrupt(&*self.name, file.offset, why));
            }
            file.checked.set(true);
        }
        Ok(Some(blob))
    }

    fn read_only<T>(&self) -> Result<T> {
        let error = Error::new(
            Code::ReadOnly,
            format!("{} is a backup, which is only read", self.name),
        );
        Err(error.hint("restore it into a directory to write: driftdb restore FILE -d DIR"))
    }
}

fn sum(blob: &MemberBlob) -> Result<u32> {
    let (mut hasher, mut at) = (crc::Hasher::new(), 0);
    let mut buffer = vec![0; SUM_BYTES];
    loop {
        match blob.read_at(at, &mut buffer)? {
            0 => return Ok(hasher.finalize()),
            count => {
                hasher.update(buffer.get(..count).unwrap_or_default());
                at += count as u64;
            }
        }
    }
}

/// Goes from header to header.
struct Walk<'a> {
    name: &'a str,
    blob: &'a dyn Blob,
    len: u64,
    at: u64,
}

impl Walk<'_> {
    /// The next file: path, size, and where its bytes start. `None` at the end of the tar.
    fn next(&mut self) -> Result<Option<(String, u64, u64)>> {
        let mut need = tar::BLOCK;
        loop {
            let bytes = self.read(self.at, need)?;
            match tar::read_head(&bytes) {
                Head::Short(more) if more > need => need = more,
                Head::Short(_) => return Err(bad(self.name, self.at, "a header without an end")),
                Head::End => return Ok(None),
                Head::Invalid(at, why) if self.at == 0 && at == 257 => {
                    return Err(bad(self.name, 0, why));
                }
                Head::Invalid(at, why) => {
                    return Err(Error::corrupt(self.name, self.at + at as u64, why));
                }
                Head::File { path, size } => {
                    let offset = self.at + need as u64;
                    self.skip(offset, size)?;
                    return Ok(Some((path, size, offset)));
                }
            }
        }
    }

    /// Goes behind a file and the zeros after it.
    fn skip(&mut self, offset: u64, size: u64) -> Result<()> {
        let padding = tar::padding(size);
        let end = offset.checked_add(size).filter(|end| *end <= self.len);
        let Some(end) = end else {
            return Err(Error::corrupt(
                self.name,
                self.len,
                "the backup ends inside a file",
            ));
        };
        self.zeros(end, padding)?;
        self.at = end + padding as u64;
        Ok(())
    }

    fn zeros(&self, at: u64, count: usize) -> Result<()> {
        match self.read(at, count)?.iter().position(|byte| *byte != 0) {
            Some(place) => Err(Error::corrupt(
                self.name,
                at + place as u64,
                "there are no zeros behind a file",
            )),
            None => Ok(()),
        }
    }

    /// The end of the tar and of the file.
    fn end(&mut self) -> Result<()> {
        self.zeros(self.at, tar::END)?;
        self.at += tar::END as u64;
        match self.len == self.at {
            true => Ok(()),
            false => Err(Error::corrupt(
                self.name,
                self.at,
                "there is something behind the backup's end",
            )),
        }
    }

    fn index(&self, offset: u64, size: u64) -> Result<Index> {
        let bytes = self.read(offset, usize::try_from(size).unwrap_or(usize::MAX))?;
        let index = Index::from_json(&bytes);
        index.map_err(|error| error.moved_to(self.name, offset))
    }

    fn read(&self, at: u64, count: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        match self.blob.read_at(at, &mut bytes)? {
            read if read == count => Ok(bytes),
            read => Err(Error::corrupt(
                self.name,
                at + read as u64,
                "the backup is cut off here",
            )),
        }
    }
}

impl Store for Archive {
    fn lock(&self) -> Result<Box<dyn Lock>> {
        self.read_only()
    }

    fn lock_state(&self) -> Result<LockState> {
        Ok(LockState::Free(0))
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        let prefix = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let below = self.files.from(&prefix);
        let below = below.map_while(|(path, _)| path.strip_prefix(&prefix));
        let names: FlatSet<&str> = below.filter_map(|rest| rest.split('/').next()).collect();
        Ok(names.into_iter().map(ToString::to_string).collect())
    }

    fn open(&self, path: &str, access: Access) -> Result<Option<Box<dyn Blob>>> {
        if access == Access::Write {
            return self.read_only();
        }
        let blob = self.file(path)?;
        Ok(blob.map(|blob| Box::new(blob) as Box<dyn Blob>))
    }

    fn create(&self, _: &str) -> Result<Box<dyn Blob>> {
        self.read_only()
    }

    fn remove(&self, _: &str) -> Result<()> {
        self.read_only()
    }

    fn rename(&self, _: &str, _: &str) -> Result<()> {
        self.read_only()
    }

    fn replace(&self, _: &str, _: &[u8]) -> Result<Synced> {
        self.read_only()
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(blob) = self.file(path)? else {
            return Ok(None);
        };
        let mut bytes = vec![0; usize::try_from(blob.size).unwrap_or(usize::MAX)];
        let count = blob.read_at(0, &mut bytes)?;
        bytes.truncate(count);
        Ok(Some(bytes))
    }
}

/// One file of a backup.
struct MemberBlob {
    name: Rc<str>,
    blob: Rc<dyn Blob>,
    offset: u64,
    size: u64,
}

impl MemberBlob {
    fn read_only<T>(&self) -> Result<T> {
        Err(
            Error::new(Code::ReadOnly, "the file is open for reading only")
                .in_file(&*self.name, None),
        )
    }
}

impl Blob for MemberBlob {
    fn len(&self) -> Result<u64> {
        Ok(self.size)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let rest = self.size.saturating_sub(offset);
        let count = usize::try_from(rest).unwrap_or(usize::MAX).min(buf.len());
        let place = buf.get_mut(..count).unwrap_or_default();
        match self
            .blob
            .read_at(self.offset + offset.min(self.size), place)?
        {
            read if read == count => Ok(count),
            read => {
                let at = self.offset + offset + read as u64;
                Err(Error::corrupt(
                    &*self.name,
                    at,
                    "the backup is cut off here",
                ))
            }
        }
    }

    fn append(&mut self, _: u64, _: &[u8]) -> Result<()> {
        self.read_only()
    }

    fn sync(&mut self) -> Result<Synced> {
        self.read_only()
    }

    fn truncate(&mut self, _: u64) -> Result<()> {
        self.read_only()
    }
}
