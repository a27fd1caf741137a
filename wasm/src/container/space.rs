//! Which pages of the file are free. Free pages may hold anything; those behind the end have never been written since they were cut off durably, so they
//! are zeros.

use driftdb_core::flat::FlatMap;

/// What space is given out in: a disk tears nothing smaller across two blobs.
pub(super) const PAGE: u64 = 4096;

/// Neighbouring pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub start: u64,
    pub pages: u64,
}

impl Extent {
    pub fn end(&self) -> u64 {
        self.start + self.pages
    }

    /// The offset of its first byte in the file.
    pub fn offset(&self) -> u64 {
        self.start * PAGE
    }

    pub fn bytes(&self) -> u64 {
        self.pages * PAGE
    }
}

/// How many pages so many bytes take.
pub(super) fn pages(bytes: u64) -> u64 {
    bytes.div_ceil(PAGE)
}

/// The free pages.
#[derive(Default)]
pub(super) struct Space {
    /// Gaps by their first page; none touches another.
    gaps: FlatMap<u64, u64>,
    /// The first page behind everything.
    end: u64,
}

impl Space {
    /// The space around extents in use, up to the page `end`; `None`, with the first page that is used twice, if two overlap.
    pub fn around(used: &mut [Extent], end: u64) -> Result<Space, u64> {
        used.sort_unstable_by_key(|extent| extent.start);
        let mut space = Space::default();
        let mut at = 0;
        for extent in used {
            if extent.start < at {
                return Err(extent.start);
            }
            space.give(Extent {
                start: at,
                pages: extent.start - at,
            });
            at = extent.end();
        }
        space.give(Extent {
            start: at,
            pages: end.saturating_sub(at),
        });
        space.end = at.max(end);
        Ok(space)
    }

    /// The first page behind everything.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Takes up to `want` pages in one piece: those from `after` on if they are free, be they few; else the lowest gap of at least
    /// `least`; else pages behind the end.
    pub fn take(&mut self, after: Option<u64>, least: u64, want: u64) -> Extent {
        if let Some(extent) = after.and_then(|start| self.take_at(start, want)) {
            return extent;
        }
        let gap = self.gaps.iter().find(|(_, pages)| **pages >= least);
        match gap.map(|(start, _)| *start) {
            Some(start) => self.take_at(start, want),
            None => None,
        }
        .unwrap_or_else(|| self.take_end(want))
    }

    /// Takes exactly so many pages from the lowest gap that lies whole below the page `below`.
    pub fn take_below(&mut self, below: u64, pages: u64) -> Option<Extent> {
        let gap = self.gaps.below(&below);
        let start = gap
            .filter(|(start, gap)| **gap >= pages && **start + pages <= below)
            .map(|(start, _)| *start)
            .next()?;
        self.take_at(start, pages)
    }

    fn take_at(&mut self, start: u64, want: u64) -> Option<Extent> {
        if start == self.end {
            return Some(self.take_end(want));
        }
        let gap = self.gaps.remove(&start)?;
        let pages = gap.min(want);
        if gap > pages {
            self.gaps.insert(start + pages, gap - pages);
        }
        Some(Extent { start, pages })
    }

    fn take_end(&mut self, pages: u64) -> Extent {
        let start = self.end;
        self.end += pages;
        Extent { start, pages }
    }

    /// Frees pages.
    pub fn give(&mut self, extent: Extent) {
        if extent.pages == 0 {
            return;
        }
        let Extent {
            mut start,
            mut pages,
        } = extent;
        if let Some(next) = self.gaps.remove(&extent.end()) {
            pages += next;
        }
        if let Some((before, gap)) = self.gaps.below(&start).next_back()
            && before + gap == start
        {
            start = *before;
            pages += gap;
        }
        self.gaps.insert(start, pages);
    }

    /// How many pages are free below the end.
    pub fn free(&self) -> u64 {
        self.gaps.values().sum()
    }

    /// Where the last gap starts.
    pub fn last_gap_start(&self) -> Option<u64> {
        self.gaps.last().map(|(start, _)| *start)
    }

    /// Forgets the free pages at the end, which the caller has cut off; the new end.
    pub fn cut(&mut self) -> u64 {
        if let Some((start, pages)) = self.gaps.last()
            && start + pages == self.end
        {
            self.end = *start;
            self.gaps.pop_last();
        }
        self.end
    }
}
