//! Opening a sorted file: one read of its end tells what it is and where its index starts.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::OnceCell;

use super::cache::BlockCache;
use super::footer::{Footer, TAIL, Unreadable};
use super::table::SortedTable;
use crate::error::{Code, Error, Result};
use crate::storage::Blob;

/// Bytes that are read from the end of a file when it is opened: the footer, and with luck the root of the index.
const OPEN_BYTES: u64 = 12 << 10;
/// A footer is never longer.
const FOOTER_BYTES_MAX: usize = 64 << 20;

impl SortedTable {
    /// Opens `blob`, which errors call `path`: reads its end. [`Code::Corrupt`] if it is not a whole sorted file.
    pub fn open(
        blob: Box<dyn Blob>,
        path: impl Into<String>,
        cache: Rc<BlockCache>,
    ) -> Result<Rc<Self>> {
        let path = path.into();
        let len = blob.len()?;
        let end = read_end(&*blob, &path, len, OPEN_BYTES)?;
        let tail = end
            .last_chunk::<TAIL>()
            .ok_or_else(|| not_sorted(&path, len))?;
        let whole = Footer::body_len(tail)
            .map_err(|reason| unreadable(reason, &path, len))?
            .saturating_add(TAIL);
        if whole > FOOTER_BYTES_MAX || whole as u64 > len {
            return Err(not_sorted(&path, len));
        }
        let end = if whole > end.len() {
            read_end(&*blob, &path, len, whole as u64)?
        } else {
            end
        };
        let bytes = end
            .get(end.len().saturating_sub(whole)..)
            .unwrap_or_default();
        let offset = len - whole as u64;
        let footer =
            Footer::decode(bytes, offset).map_err(|reason| unreadable(reason, &path, offset))?;
        let file = cache.register();
        let table = SortedTable {
            blob,
            path,
            cache,
            file,
            footer,
            root: OnceCell::new(),
        };
        table.root_from_end(&end, len)?;
        Ok(Rc::new(table))
    }

    /// Takes the root from the file's last bytes, if it is among them.
    fn root_from_end(&self, end: &[u8], len: u64) -> Result<()> {
        let start = len - end.len() as u64;
        let root = self.footer.root;
        let Some(place) = root
            .offset
            .checked_sub(start)
            .and_then(|place| usize::try_from(place).ok())
        else {
            return Ok(());
        };
        if self.footer.levels > 0 {
            let stored = end
                .get(place..)
                .and_then(|rest| rest.get(..root.len as usize))
                .unwrap_or_default();
            let block = self.decode_block(stored, root.offset)?;
            self.root.get_or_init(|| block);
        }
        Ok(())
    }
}

/// The last `count` bytes of a file that has `len`, or all of them.
fn read_end(blob: &dyn Blob, path: &str, len: u64, count: u64) -> Result<Vec<u8>> {
    let count = usize::try_from(count.min(len)).map_err(|_| not_sorted(path, len))?;
    let mut end = vec![0; count];
    let read = blob.read_at(len - count as u64, &mut end)?;
    if read == count {
        Ok(end)
    } else {
        Err(not_sorted(path, len))
    }
}

fn not_sorted(path: &str, len: u64) -> Error {
    Error::corrupt(path, len, "the file does not end as a sorted file does")
}

fn unreadable(reason: Unreadable, path: &str, offset: u64) -> Error {
    match reason {
        Unreadable::Damaged(message) => Error::corrupt(path, offset, message),
        Unreadable::Newer(version) => {
            let message = format!(
                "a sorted file has version {version} of its format, which is newer than this program"
            );
            Error::new(Code::NewerFormat, message).in_file(path, Some(offset))
        }
    }
}
