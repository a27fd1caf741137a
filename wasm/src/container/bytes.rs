//! Reading and changing the bytes of a blob.

use std::cell::RefMut;
use std::rc::Rc;

use driftdb_core::storage::CONFLICT_BYTES;
use driftdb_core::{Code, Error, Result};

use super::node::{Body, Content, Node};
use super::space::{Extent, pages};
use super::state::State;

/// A blob that grows doubles its room, by at most this.
const GROWTH_PAGES_MAX: u64 = 256;
/// Reserved zeros that were found at the opening are looked at once, up to so many; beyond that, at every append.
const LOOK_BYTES: u64 = 256 << 10;
/// No blob is longer.
const LEN_MAX: u64 = 1 << 50;

impl State {
    /// Reads from a blob; how many bytes there were.
    pub fn read(&self, node: &Node, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let body = node.body.borrow();
        let rest = body.len.saturating_sub(offset);
        let count = usize::try_from(rest).unwrap_or(usize::MAX).min(buf.len());
        let Some(mut into) = buf.get_mut(..count) else {
            return Ok(0);
        };
        if let Content::Inline(bytes) = &body.content {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let from = bytes.get(start..).and_then(|rest| rest.get(..count));
            into.copy_from_slice(from.unwrap_or_default());
            return Ok(count);
        }
        for (place, len) in body.pieces(offset, count as u64) {
            let (piece, rest) = into.split_at_mut(usize::try_from(len).unwrap_or(0));
            self.device.read(place, piece)?;
            into = rest;
        }
        Ok(count)
    }

    /// Writes to a blob at its end, or into its reserved zeros.
    pub fn append(&mut self, node: &Rc<Node>, end: u64, bytes: &[u8]) -> Result<()> {
        self.writable()?;
        let conflict = |message: &str| {
            let path = node.path.borrow();
            Err(Error::new(Code::Conflict, message).in_file(path.as_str(), Some(end)))
        };
        let len = node.body.borrow().len;
        if end > len {
            return conflict("the file ends before the place to append to");
        }
        if !self.is_zero_from(node, end)? {
            return conflict("another writer has appended to the file");
        }
        let new_end = end.saturating_add(bytes.len() as u64);
        self.make_room(node, new_end)?;
        let mut body = node.body.borrow_mut();
        self.write(&mut body, end, bytes)?;
        body.zero_from = body.zero_from.max(new_end);
        if new_end > len {
            self.lengthened(&mut body, new_end)?;
            drop(body);
            self.mark(node);
        }
        Ok(())
    }

    /// Extends a blob with zeros.
    pub fn reserve(&mut self, node: &Rc<Node>, len: u64) -> Result<()> {
        self.writable()?;
        let (old, recorded) = {
            let body = node.body.borrow();
            (body.len, body.recorded)
        };
        // Behind the end of a blob that was cut, without a sync since, lies what a crash may still bring back.
        if len <= old || recorded.is_some_and(|recorded| recorded > old) || node.is_inline() {
            return Ok(());
        }
        self.make_room(node, len)?;
        let mut body = node.body.borrow_mut();
        self.zero(&mut body, old, len)?;
        self.lengthened(&mut body, len)?;
        drop(body);
        self.mark(node);
        Ok(())
    }

    /// Cuts a blob.
    pub fn truncate(&mut self, node: &Rc<Node>, len: u64) -> Result<()> {
        self.writable()?;
        let mut body = node.body.borrow_mut();
        if len >= body.len {
            return Ok(());
        }
        body.stale_end = body.stale_end.max(body.len);
        (body.len, body.zero_from) = (len, body.zero_from.min(len));
        if let (Content::Inline(bytes), Ok(len)) = (&mut body.content, usize::try_from(len)) {
            bytes.truncate(len);
        }
        body.changed = true;
        drop(body);
        self.mark(node);
        Ok(())
    }

    /// Puts everything of a blob on stable storage, and with it everything else that was written before.
    pub fn sync(&mut self, node: &Rc<Node>) -> Result<()> {
        self.writable()?;
        // One whose name is gone must not come back as it was before: then the name goes durably.
        let changed = node.body.borrow().changed && (self.is_linked(node) || self.is_going(node));
        match (changed, self.unflushed) {
            (true, _) => self.commit(node),
            (false, true) => self.flush(),
            (false, false) => Ok(()),
        }
    }

    /// A blob of these bytes, flushed, without a name.
    pub fn written(&mut self, bytes: &[u8]) -> Result<Rc<Node>> {
        let node = Node::new("", Body::new(Content::Pages(Vec::new()), 0));
        self.make_room(&node, bytes.len() as u64)?;
        {
            let mut body = node.body.borrow_mut();
            self.write(&mut body, 0, bytes)?;
            body.len = bytes.len() as u64;
            body.zero_from = body.len;
            let spare = body.trim();
            spare.into_iter().for_each(|extent| self.space.give(extent));
        }
        self.flush()?;
        Ok(node)
    }

    /// Gives back the room that a blob has no use for while nobody writes to it.
    pub fn idle(&mut self, node: &Rc<Node>) {
        let cut = node.body.borrow_mut().trim();
        if !cut.is_empty() && self.is_linked(node) {
            self.free_later(cut);
            node.body.borrow_mut().changed = true;
            self.mark(node);
        }
    }

    /// Whether the next bytes from `end` on are reserved zeros, or the end.
    fn is_zero_from(&self, node: &Node, end: u64) -> Result<bool> {
        let (zero_from, len) = {
            let body = node.body.borrow();
            (body.zero_from, body.len)
        };
        if end >= zero_from {
            return Ok(true);
        }
        let whole = zero_from - end <= LOOK_BYTES;
        let look = if whole {
            zero_from - end
        } else {
            CONFLICT_BYTES as u64
        };
        let mut bytes = vec![0; usize::try_from(look.min(len - end)).unwrap_or(0)];
        self.read(node, end, &mut bytes)?;
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        if whole && is_zero(&bytes) {
            node.body.borrow_mut().zero_from = end;
        }
        bytes.truncate(CONFLICT_BYTES);
        Ok(is_zero(&bytes))
    }

    /// Makes a blob's extents hold `len` bytes; one that lies in the catalogue moves into pages.
    fn make_room(&mut self, node: &Rc<Node>, len: u64) -> Result<()> {
        if len > LEN_MAX {
            return Err(Error::new(Code::Limit, "the file is too long")
                .in_file(node.path.borrow().as_str(), None));
        }
        if node.is_inline() {
            self.move_out(node)?;
        }
        let mut body = node.body.borrow_mut();
        let mut capacity = body.capacity();
        while capacity < len {
            let least = pages(len - capacity);
            let want = pages(capacity).min(GROWTH_PAGES_MAX).max(least);
            // Not into many small gaps: a blob's pieces double too.
            let least = least.max(want / 8);
            let (extent, fresh) =
                self.allocate(body.extents().last().map(Extent::end), least, want)?;
            body.grow(extent, fresh);
            capacity = body.capacity();
        }
        Ok(())
    }

    fn move_out(&mut self, node: &Rc<Node>) -> Result<()> {
        let Content::Inline(bytes) = node.body.borrow().content.clone() else {
            return Ok(());
        };
        let moved = self.written(&bytes)?;
        let mut body = node.body.borrow_mut();
        body.content = core::mem::replace(
            &mut moved.body.borrow_mut().content,
            Content::Pages(Vec::new()),
        );
        body.stale_end = body.capacity();
        body.changed = true;
        drop(body);
        self.mark(node);
        Ok(())
    }

    /// A blob has grown to `len`, over bytes that may have been stale: notes what has to be flushed before the catalogue says so, and
    /// makes the rest of its room zeros, so that this is not needed the next time.
    fn lengthened(&mut self, body: &mut RefMut<'_, Body>, len: u64) -> Result<()> {
        if body.stale_end > body.len {
            body.barrier = Some(self.flushes);
            if let Some(recorded) = body.recorded {
                let (from, to) = (recorded.max(len), body.stale_end);
                if from < to {
                    self.zero(body, from, to)?;
                }
                body.stale_end = from;
            }
        }
        (body.len, body.changed) = (len, true);
        Ok(())
    }

    fn write(&mut self, body: &mut Body, offset: u64, mut bytes: &[u8]) -> Result<()> {
        self.unflushed = true;
        for (place, len) in body.pieces(offset, bytes.len() as u64) {
            let (piece, rest) = bytes.split_at(usize::try_from(len).unwrap_or(0));
            self.device
                .write(place, piece)
                .inspect_err(|_| spoil(body))?;
            bytes = rest;
        }
        Ok(())
    }

    fn zero(&mut self, body: &mut Body, from: u64, to: u64) -> Result<()> {
        self.unflushed = true;
        for (place, len) in body.pieces(from, to - from) {
            self.device.zero(place, len).inspect_err(|_| spoil(body))?;
        }
        Ok(())
    }
}

/// A write failed: nobody knows what lies behind the end.
fn spoil(body: &mut Body) {
    body.stale_end = body.capacity();
    body.zero_from = body.len;
}
