//! All of an open container: its blobs, its free space, its catalogue, and the order in which they reach the disk.
//!
//! The rules that make every crash harmless:
//! 1. A batch of the catalogue is flushed before anything that relies on it is written: pages that it frees are given out only after that.
//! 2. Bytes that were not zeros before are flushed before a batch makes them part of a blob (the *barrier*): what a blob shows is what was written
//!    to it, or zeros, never what another blob left there.
//! 3. A whole file that is replaced is flushed, or lies in the batch, before its name changes.

use driftdb_core::flat::{FlatMap, FlatSet};
use std::rc::Rc;

use driftdb_core::{Code, Error, Result};

use super::batch::Body as BatchBody;
use super::catalogue::{Catalogue, Entries};
use super::file::Device;
use super::node::{Body, Content, Node};
use super::space::{Extent, PAGE, Space, pages};

/// The file is made longer in steps of an eighth of its length, between these.
const STEP_MIN: u64 = 64 << 10;
const STEP_MAX: u64 = 1 << 20;

/// An open container.
pub(super) struct State {
    pub device: Device,
    pub space: Space,
    pub nodes: FlatMap<String, Rc<Node>>,
    catalogue: Catalogue,
    /// Blobs that the catalogue is behind of.
    changed: Vec<Rc<Node>>,
    /// Names that the catalogue may have and that are gone.
    removed: FlatSet<String>,
    /// Blobs without a name, which may still be open.
    orphans: Vec<Rc<Node>>,
    /// Pages that are free once the next batch is durable.
    freed: Vec<Extent>,
    /// How many flushes there were.
    pub flushes: u64,
    /// Whether something was written since the last one.
    pub unflushed: bool,
    /// Whether what was found at the opening may not be durable: the process before may have died with writes unflushed.
    unsettled: bool,
    /// Why nothing is written any more.
    broken: Option<String>,
}

impl State {
    /// Opens the container in a file, or makes one in an empty file.
    pub fn open(device: Device) -> Result<State> {
        let (catalogue, entries) = match Catalogue::open(&device)? {
            Some(found) => found,
            None => (Catalogue::create(&device)?, Entries::new()),
        };
        let header = Extent { start: 0, pages: 1 };
        let mut used = vec![header, catalogue.area()];
        let mut nodes = FlatMap::new();
        for (path, (len, content)) in entries {
            let body = Body::recorded(content, len);
            used.extend_from_slice(body.extents());
            nodes.insert(path.clone(), Node::new(&path, body));
        }
        let space = Space::around(&mut used, pages(device.len()));
        let space =
            space.map_err(|page| device.corrupt(page * PAGE, "two blobs lie in the same place"))?;
        Ok(State {
            device,
            space,
            nodes,
            catalogue,
            changed: Vec::new(),
            removed: FlatSet::new(),
            orphans: Vec::new(),
            freed: Vec::new(),
            flushes: 0,
            unflushed: false,
            unsettled: true,
            broken: None,
        })
    }

    /// What comes before every write: nothing has failed, and what was found is durable.
    pub fn writable(&mut self) -> Result<()> {
        if let Some(cause) = &self.broken {
            let message =
                format!("nothing is written any more since an earlier write failed: {cause}");
            return Err(Error::new(Code::Latched, message)
                .hint("open the database anew; everything acknowledged before is kept"));
        }
        if self.unsettled {
            self.flush()?;
            self.unsettled = false;
        }
        Ok(())
    }

    /// Puts everything written on stable storage.
    pub fn flush(&mut self) -> Result<()> {
        let flushed = self.device.flush();
        self.watch(flushed)?;
        (self.flushes, self.unflushed) = (self.flushes + 1, false);
        Ok(())
    }

    /// Nobody knows what is on the disk after this failed.
    fn watch<T>(&mut self, done: Result<T>) -> Result<T> {
        done.inspect_err(|error| {
            self.broken.get_or_insert_with(|| error.to_string());
        })
    }

    /// Notes that the catalogue is behind of a blob.
    pub fn mark(&mut self, node: &Rc<Node>) {
        if !self.changed.iter().any(|other| Rc::ptr_eq(other, node)) {
            self.changed.push(Rc::clone(node));
        }
    }

    /// Takes pages: those from `after` on if it can be, else at least `least` in one piece. Whether they are known to be zeros, too.
    pub fn allocate(
        &mut self,
        after: Option<u64>,
        least: u64,
        want: u64,
    ) -> Result<(Extent, bool)> {
        let end = self.space.end();
        let extent = self.space.take(after, least, want.max(least));
        let grown = self.lengthen(extent.end() * PAGE);
        if let Err(error) = grown {
            self.space.give(extent);
            return Err(error);
        }
        Ok((extent, extent.start >= end))
    }

    fn lengthen(&mut self, need: u64) -> Result<()> {
        let len = self.device.len();
        if need <= len {
            return Ok(());
        }
        self.unflushed = true;
        let ahead = need + (len / 8).clamp(STEP_MIN, STEP_MAX);
        self.device
            .set_len(ahead)
            .or_else(|_| self.device.set_len(need))
    }

    /// Pages that are free once the next batch is durable.
    pub fn free_later(&mut self, extents: impl IntoIterator<Item = Extent>) {
        self.freed.extend(extents);
    }

    /// Takes a blob's name away.
    pub fn unlink(&mut self, path: &str) -> Option<()> {
        let node = self.nodes.remove(path)?;
        self.orphans.push(node);
        self.removed.insert(path.to_string());
        Some(())
    }

    /// Gives a name to a blob; the one that had it loses it.
    pub fn link(&mut self, path: &str, node: &Rc<Node>) {
        self.unlink(path);
        *node.path.borrow_mut() = path.to_string();
        node.body.borrow_mut().changed = true;
        self.nodes.insert(path.to_string(), Rc::clone(node));
        self.mark(node);
    }

    /// Moves a blob to another name.
    pub fn rename(&mut self, node: &Rc<Node>, to: &str) {
        let from = node.path.borrow().clone();
        self.nodes.remove(&from);
        self.removed.insert(from);
        self.link(to, node);
    }

    /// Where the catalogue lies.
    pub fn area(&self) -> Extent {
        self.catalogue.area()
    }

    pub fn is_linked(&self, node: &Rc<Node>) -> bool {
        let linked = self.nodes.get(&*node.path.borrow());
        linked.is_some_and(|other| Rc::ptr_eq(other, node))
    }

    /// Whether the name that a blob had is gone, and the catalogue does not know it yet.
    pub fn is_going(&self, node: &Node) -> bool {
        self.removed.contains(&*node.path.borrow())
    }

    /// Brings the catalogue up to date, durably: of `own`, and of all blobs that it knows already.
    pub fn commit(&mut self, own: &Rc<Node>) -> Result<()> {
        self.commit_of(&|node| Rc::ptr_eq(node, own))
    }

    /// Brings the catalogue up to date of all blobs, durably.
    pub fn commit_all(&mut self) -> Result<()> {
        match self.changed.is_empty() && self.removed.is_empty() && self.freed.is_empty() {
            true => Ok(()),
            false => self.commit_of(&|_| true),
        }
    }

    fn commit_of(&mut self, is_due: &dyn Fn(&Rc<Node>) -> bool) -> Result<()> {
        self.writable()?;
        let nodes = self.take_changed(is_due);
        let barrier = Some(self.flushes);
        if nodes
            .iter()
            .any(|node| node.body.borrow().barrier == barrier)
        {
            self.flush()?;
        }
        let mut body = BatchBody::default();
        self.removed.iter().for_each(|path| body.remove(path));
        nodes.iter().for_each(|node| node.write_to(&mut body));
        let appended = self.catalogue.append(&self.device, body);
        match self.watch(appended)? {
            true => self.flush()?,
            false => self.rewrite(&nodes)?,
        }
        self.committed(&nodes);
        Ok(())
    }

    /// Writes the whole catalogue anew; durable on return.
    pub fn checkpoint(&mut self) -> Result<()> {
        self.writable()?;
        let nodes = self.take_changed(&|_| true);
        self.rewrite(&nodes)?;
        self.committed(&nodes);
        Ok(())
    }

    /// The blobs whose entries are to be written now, by their paths: those that are due, and those that the catalogue knows.
    fn take_changed(&mut self, is_due: &dyn Fn(&Rc<Node>) -> bool) -> Vec<Rc<Node>> {
        let (mut now, mut later) = (Vec::new(), Vec::new());
        for node in core::mem::take(&mut self.changed) {
            let is_due = is_due(&node) || node.body.borrow().recorded.is_some();
            match self.is_linked(&node) {
                true if is_due => now.push(node),
                true => later.push(node),
                false => {}
            }
        }
        self.changed = later;
        now.sort_unstable_by(|a, b| a.path.borrow().cmp(&b.path.borrow()));
        let (gone, open) = core::mem::take(&mut self.orphans)
            .into_iter()
            .partition(|node| Rc::strong_count(node) == 1);
        self.orphans = open;
        let gone: Vec<Rc<Node>> = gone;
        for node in gone {
            self.freed.extend_from_slice(node.body.borrow().extents());
        }
        now
    }

    /// Writes a new catalogue of all blobs that it knows, and of these. What they hold is flushed before the slot is written.
    fn rewrite(&mut self, nodes: &[Rc<Node>]) -> Result<()> {
        let rewritten = self.try_rewrite(nodes);
        self.watch(rewritten)
    }

    fn try_rewrite(&mut self, nodes: &[Rc<Node>]) -> Result<()> {
        let mut body = BatchBody::default();
        for node in self.nodes.values() {
            let is_known = node.body.borrow().recorded.is_some();
            if is_known || nodes.iter().any(|other| Rc::ptr_eq(other, node)) {
                node.write_to(&mut body);
            }
        }
        let pages = Catalogue::area_pages(body.bytes());
        let (area, _) = self.allocate(None, pages, pages)?;
        let old = self.catalogue.restart(&self.device, area, body)?;
        self.freed.push(old);
        (self.flushes, self.unflushed) = (self.flushes + 1, false);
        Ok(())
    }

    /// A batch that says all this is durable.
    fn committed(&mut self, nodes: &[Rc<Node>]) {
        for node in nodes {
            let mut body = node.body.borrow_mut();
            (body.recorded, body.changed) = (Some(body.len), false);
        }
        self.removed.clear();
        for extent in core::mem::take(&mut self.freed) {
            self.space.give(extent);
        }
    }
}

impl Node {
    pub fn new(path: &str, body: Body) -> Rc<Node> {
        Rc::new(Node {
            path: path.to_string().into(),
            body: body.into(),
            writers: 0.into(),
        })
    }

    fn write_to(&self, batch: &mut BatchBody) {
        let body = self.body.borrow();
        batch.put(&self.path.borrow(), body.len, &body.content);
    }

    /// Whether its bytes are in the catalogue.
    pub fn is_inline(&self) -> bool {
        matches!(self.body.borrow().content, Content::Inline(_))
    }
}
