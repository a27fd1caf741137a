//! A file as it will be once the journal's parts are in it: how a reader sees a transaction that is committed and not yet applied.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::scan::SharedBlob;
use crate::error::{Code, Error, Result};
use crate::storage::{Blob, Synced};

/// A file and the bytes that stand over it, by ascending offset.
pub(super) struct Overlay {
    pub under: SharedBlob,
    pub parts: Vec<(u64, Rc<[u8]>)>,
}

impl Overlay {
    fn read_only<T>() -> Result<T> {
        Err(Error::new(
            Code::ReadOnly,
            "a reader's view of a file cannot be written",
        ))
    }
}

impl Blob for Overlay {
    fn len(&self) -> Result<u64> {
        let ends = self
            .parts
            .iter()
            .map(|(offset, bytes)| offset + bytes.len() as u64);
        Ok(ends.fold(self.under.borrow().len()?, u64::max))
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let mut count = self.under.borrow().read_at(offset, buf)?;
        for (start, bytes) in &self.parts {
            let from = offset.max(*start);
            let until = (offset + buf.len() as u64).min(start + bytes.len() as u64);
            if from >= until {
                continue;
            }
            let (into, source) = (index(from - offset), index(from - start));
            let length = index(until - from);
            if count < into {
                // A hole between the file's end and the part reads as zeros.
                buf.get_mut(count..into).unwrap_or_default().fill(0);
            }
            if let (Some(place), Some(part)) = (
                buf.get_mut(into..into + length),
                bytes.get(source..source + length),
            ) {
                place.copy_from_slice(part);
            }
            count = count.max(into + length);
        }
        Ok(count)
    }

    fn append(&mut self, _: u64, _: &[u8]) -> Result<()> {
        Self::read_only()
    }

    fn sync(&mut self) -> Result<Synced> {
        Self::read_only()
    }

    fn truncate(&mut self, _: u64) -> Result<()> {
        Self::read_only()
    }
}

/// Distances within a buffer fit in memory.
fn index(distance: u64) -> usize {
    usize::try_from(distance).unwrap_or(usize::MAX / 4)
}
