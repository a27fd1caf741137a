//! Putting the journal's parts into a log that lacks them.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use super::journal::Part;
use super::open::Attempt;
use super::overlay::Overlay;
use super::position::Position;
use super::scan::SharedBlob;
use super::segment::segment_path;
use super::segments::share;
use super::survey::{Link, Survey};
use crate::error::{Error, Result};
use crate::storage::Latch;

impl Attempt<'_> {
    /// The parts that lie in the last segment: the others were synced when their segment was sealed.
    pub fn parts_in<'b>(&'b self, link: &'b Link) -> impl Iterator<Item = &'b Part> {
        let generation = link.opened.as_ref().map(|(header, _)| header.generation);
        let here = move |part: &&Part| {
            Some(part.generation) == generation && part.position.segment == link.number
        };
        self.parts.iter().filter(here)
    }

    /// Lays the journal's parts over the last segment's file; returns the file itself if there are any.
    /// # Errors
    /// Corrupt if the log ends before the place where a part goes.
    pub fn lay_over(&self, found: &mut Survey) -> Result<Option<SharedBlob>> {
        let Some(link) = found.chain.last() else {
            return Ok(None);
        };
        let Some((_, blob)) = &link.opened else {
            return Ok(None);
        };
        let under = Rc::clone(blob);
        let mut end = under.borrow().len()?;
        let mut parts: Vec<(u64, Rc<[u8]>)> = Vec::new();
        for part in self.parts_in(link) {
            let Position { segment, offset } = part.position;
            if offset > end {
                let why = "the log ends before the place where the journal goes on";
                return Err(Error::corrupt(segment_path(self.dir, segment), offset, why));
            }
            end = end.max(offset + part.frames.len() as u64);
            parts.push((offset, part.frames.as_slice().into()));
        }
        if parts.is_empty() {
            return Ok(None);
        }
        let over = Overlay {
            under: Rc::clone(&under),
            parts,
        };
        set_last_blob(found, share(Box::new(over)));
        Ok(Some(under))
    }

    /// Makes the file under an overlay what the overlay shows, and puts it back in the overlay's place. Frames that follow the parts
    /// are kept: the whole rest is written again. Returns how many bytes of the parts were not there.
    pub fn restore(&self, latch: &Latch, found: &mut Survey, under: SharedBlob) -> Result<u64> {
        let mut lacking = 0;
        let mut rest = None;
        if let Some(link) = found.chain.last() {
            for part in self.parts_in(link) {
                let mut there = vec![0; part.frames.len()];
                let count = under.borrow().read_at(part.position.offset, &mut there)?;
                if count < there.len() || there != part.frames {
                    lacking += part.frames.len() as u64;
                    rest.get_or_insert(part.position.offset);
                }
            }
            if let (Some(from), Some((_, over))) = (rest, &link.opened) {
                let wanted = read_to_end(over, from)?;
                let mut blob = under.borrow_mut();
                latch.truncate(&mut **blob, from)?;
                latch.append(&mut **blob, from, &wanted)?;
                latch.sync(&mut **blob)?;
            }
        }
        set_last_blob(found, under);
        Ok(lacking)
    }
}

fn set_last_blob(found: &mut Survey, blob: SharedBlob) {
    if let Some((_, place)) = found.chain.last_mut().and_then(|link| link.opened.as_mut()) {
        *place = blob;
    }
}

fn read_to_end(blob: &SharedBlob, from: u64) -> Result<Vec<u8>> {
    let blob = blob.borrow();
    let rest = blob.len()?.saturating_sub(from);
    let mut bytes = vec![0; usize::try_from(rest).unwrap_or(0)];
    let count = blob.read_at(from, &mut bytes)?;
    bytes.truncate(count);
    Ok(bytes)
}
