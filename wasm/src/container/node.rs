//! One blob of a container: its length, where its bytes lie, and what of that the catalogue on the disk knows.

use std::cell::{Cell, RefCell};

use super::space::{Extent, PAGE, pages};

/// A blob, shared by all that have it open.
pub(super) struct Node {
    pub path: RefCell<String>,
    pub body: RefCell<Body>,
    /// How many have it open for writing.
    pub writers: Cell<u32>,
}

/// Where a blob's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// In the catalogue itself: a small file that is replaced whole.
    Inline(Vec<u8>),
    /// In pages, one extent after another; what reaches beyond the blob's length is spare.
    Pages(Vec<Extent>),
}

/// What may change of a blob.
pub(super) struct Body {
    pub content: Content,
    pub len: u64,
    /// The spare bytes below this offset may not be zeros.
    pub stale_end: u64,
    /// From here to the length all bytes are known to be zeros.
    pub zero_from: u64,
    /// The length that the catalogue has; none if it does not know the blob.
    pub recorded: Option<u64>,
    /// Whether the catalogue's entry is behind.
    pub changed: bool,
    /// The number of the flush that must come before an entry is written: bytes that were not zeros lie where the
    /// entry will reach.
    pub barrier: Option<u64>,
}

impl Body {
    /// A blob as the catalogue has it.
    pub fn recorded(content: Content, len: u64) -> Body {
        let mut body = Body::new(content, len);
        (body.recorded, body.changed) = (Some(len), false);
        body
    }

    /// A blob that the catalogue does not know.
    pub fn new(content: Content, len: u64) -> Body {
        let mut body = Body {
            content,
            len,
            stale_end: 0,
            zero_from: len,
            recorded: None,
            changed: true,
            barrier: None,
        };
        body.stale_end = body.capacity();
        body
    }

    pub fn extents(&self) -> &[Extent] {
        match &self.content {
            Content::Pages(extents) => extents,
            Content::Inline(_) => &[],
        }
    }

    /// How many bytes the extents hold.
    pub fn capacity(&self) -> u64 {
        self.extents().iter().map(Extent::bytes).sum()
    }

    /// Adds an extent behind the others; `fresh` if its bytes are zeros on the disk.
    pub fn grow(&mut self, extent: Extent, fresh: bool) {
        if let Content::Pages(extents) = &mut self.content {
            match extents.last_mut() {
                Some(last) if last.end() == extent.start => last.pages += extent.pages,
                _ => extents.push(extent),
            }
        }
        if !fresh {
            self.stale_end = self.capacity();
        }
    }

    /// Gives up the pages that the length does not reach into.
    pub fn trim(&mut self) -> Vec<Extent> {
        let mut keep = pages(self.len);
        let mut cut = Vec::new();
        if let Content::Pages(extents) = &mut self.content {
            extents.retain_mut(|extent| {
                let kept = extent.pages.min(keep);
                keep -= kept;
                cut.extend((kept < extent.pages).then(|| Extent {
                    start: extent.start + kept,
                    pages: extent.pages - kept,
                }));
                extent.pages = kept;
                kept > 0
            });
        }
        self.stale_end = self.stale_end.min(self.capacity());
        cut
    }

    /// Where `len` bytes from `offset` on lie: the place in the file and how many bytes there, piece by piece.
    pub fn pieces(&self, offset: u64, len: u64) -> Vec<(u64, u64)> {
        let (mut skip, mut left) = (offset, len);
        let mut pieces = Vec::new();
        for extent in self.extents() {
            let bytes = extent.pages * PAGE;
            if skip >= bytes {
                skip -= bytes;
                continue;
            }
            let count = left.min(bytes - skip);
            if count == 0 {
                break;
            }
            pieces.push((extent.offset() + skip, count));
            (skip, left) = (0, left - count);
        }
        pieces
    }
}
