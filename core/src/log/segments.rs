//! The segments of one log as its writer and its readers share them: what is known of each, their open files, and where the log ends.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::position::{Horizon, Position, SegmentInfo};
use super::scan::SharedBlob;
use super::segment::{HEADER_LEN, segment_path};
use crate::error::{Code, Error, Result};
use crate::storage::{Access, Blob, Store};

/// A segment's numbers and its file, opened when first needed.
pub(super) struct Slot {
    pub info: SegmentInfo,
    pub blob: Option<SharedBlob>,
}

/// One generation of a log's segments. A compaction makes a new one; readers of the old one go on with theirs.
pub(super) struct Segments {
    pub store: Rc<dyn Store>,
    pub dir: String,
    pub generation: u64,
    pub horizon: Horizon,
    /// In ascending order, without gaps.
    pub slots: RefCell<Vec<Slot>>,
    /// The end of the last whole transaction.
    pub whole: Cell<Position>,
}

impl Segments {
    pub fn path(&self, number: u64) -> String {
        segment_path(&self.dir, number)
    }

    /// The number of the first segment.
    pub fn first_number(&self) -> u64 {
        self.slots
            .borrow()
            .first()
            .map_or(1, |slot| slot.info.number)
    }

    /// The number of the last segment.
    pub fn last_number(&self) -> u64 {
        self.slots
            .borrow()
            .last()
            .map_or(1, |slot| slot.info.number)
    }

    /// The place of the first frame.
    pub fn start(&self) -> Position {
        Position::new(self.first_number(), HEADER_LEN)
    }

    pub fn infos(&self) -> Vec<SegmentInfo> {
        self.slots.borrow().iter().map(|slot| slot.info).collect()
    }

    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first_number())?).ok()
    }

    pub fn info(&self, number: u64) -> Option<SegmentInfo> {
        let index = self.index(number)?;
        self.slots.borrow().get(index).map(|slot| slot.info)
    }

    /// Changes what is known of a segment.
    pub fn update(&self, number: u64, change: impl FnOnce(&mut SegmentInfo)) {
        let Some(index) = self.index(number) else {
            return;
        };
        if let Some(slot) = self.slots.borrow_mut().get_mut(index) {
            change(&mut slot.info);
        }
    }

    /// The file of a segment.
    /// # Errors
    /// `Code::FileMissing`, also for a number that the log does not have; corrupt if the file ends before its frames do.
    pub fn blob(&self, number: u64) -> Result<SharedBlob> {
        let index = self.index(number);
        let mut slots = self.slots.borrow_mut();
        let Some(slot) = index.and_then(|index| slots.get_mut(index)) else {
            return Err(missing(self.path(number)));
        };
        if let Some(blob) = &slot.blob {
            return Ok(Rc::clone(blob));
        }
        let path = self.path(number);
        let blob = self
            .store
            .open(&path, Access::Read)?
            .ok_or_else(|| missing(path.clone()))?;
        let len = blob.len()?;
        if len < slot.info.end {
            return Err(Error::corrupt(
                path,
                len,
                "the file ends before the frames that were in it",
            ));
        }
        let blob = share(blob);
        slot.blob = Some(Rc::clone(&blob));
        Ok(blob)
    }

    /// Opens all files, so that they stay readable when they are removed.
    pub fn pin(&self) -> Result<()> {
        (self.first_number()..=self.last_number())
            .try_for_each(|number| self.blob(number).map(|_| ()))
    }
}

pub(super) fn share(blob: Box<dyn Blob>) -> SharedBlob {
    Rc::new(RefCell::new(blob))
}

pub(super) fn missing(path: String) -> Error {
    Error::new(Code::FileMissing, "a segment of the log is missing").in_file(path, None)
}
