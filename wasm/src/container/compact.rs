//! Closing a container: what is spare is given back, blobs at the end of the file move into free room before it when much of the file is free, and the
//! file is cut.

use std::rc::Rc;

use driftdb_core::Result;

use super::catalogue::Catalogue;
use super::node::{Content, Node};
use super::space::{Extent, PAGE, pages};
use super::state::State;

/// Blobs are moved if more than a quarter of the file is free, and more than so many pages.
const FREE_PAGES_MIN: u64 = 256;
/// One close moves at most so many pages.
const MOVE_PAGES_MAX: u64 = 4096;
/// How much is copied at a time.
const CHUNK: u64 = 256 << 10;

impl State {
    /// The last thing that is done to an open container.
    pub fn close(&mut self) -> Result<()> {
        self.writable()?;
        let idle: Vec<Rc<Node>> = self
            .nodes
            .values()
            .filter(|node| node.writers.get() == 0)
            .map(Rc::clone)
            .collect();
        idle.iter().for_each(|node| self.idle(node));
        self.commit_all()?;
        let moved = self.move_down()?;
        if moved || self.is_area_last() {
            self.checkpoint()?;
        }
        let end = self.space.cut() * PAGE;
        if end < self.device.len() {
            self.device.set_len(end)?;
            self.unflushed = true;
        }
        match self.unflushed {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Moves blobs from the end of the file into gaps, the last first; whether any was.
    fn move_down(&mut self) -> Result<bool> {
        let mut budget = MOVE_PAGES_MAX;
        let mut moved = false;
        while self.space.free() > FREE_PAGES_MIN.max(self.space.end() / 4) {
            let last = |node: &&Rc<Node>| {
                node.body
                    .borrow()
                    .extents()
                    .iter()
                    .map(|extent| extent.end())
                    .max()
            };
            let Some(node) = self.nodes.values().max_by_key(last).map(Rc::clone) else {
                break;
            };
            let count = pages(node.body.borrow().len);
            let first = node
                .body
                .borrow()
                .extents()
                .iter()
                .map(|extent| extent.start)
                .min();
            let gap = first.and_then(|first| self.space.take_below(first, count));
            let (Some(gap), Some(left)) = (gap.filter(|_| count > 0), budget.checked_sub(count))
            else {
                if let Some(gap) = gap {
                    self.space.give(gap);
                }
                break;
            };
            budget = left;
            self.move_to(&node, gap)?;
            moved = true;
        }
        Ok(moved)
    }

    fn move_to(&mut self, node: &Rc<Node>, to: Extent) -> Result<()> {
        let len = node.body.borrow().len;
        let mut offset = 0;
        while offset < len {
            let mut chunk = vec![0; usize::try_from(CHUNK.min(len - offset)).unwrap_or(0)];
            self.read(node, offset, &mut chunk)?;
            self.device.write(to.offset() + offset, &chunk)?;
            offset += chunk.len() as u64;
        }
        self.unflushed = true;
        let mut body = node.body.borrow_mut();
        let old = core::mem::replace(&mut body.content, Content::Pages(vec![to]));
        body.stale_end = body.capacity();
        (body.changed, body.barrier) = (true, Some(self.flushes));
        drop(body);
        if let Content::Pages(old) = old {
            self.free_later(old);
        }
        self.mark(node);
        Ok(())
    }

    /// Whether the catalogue is the last thing in the file and would fit before that.
    fn is_area_last(&mut self) -> bool {
        let area = self.area();
        let least = Catalogue::area_pages(&[]);
        if area.end() < self.space.end() && self.space.last_gap_start() != Some(area.end()) {
            return false;
        }
        let gap = self.space.take_below(area.start, area.pages.max(least));
        gap.map(|gap| self.space.give(gap)).is_some()
    }
}
