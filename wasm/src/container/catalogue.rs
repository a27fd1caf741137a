//! The catalogue: which blobs there are and where they lie, as a first batch that says everything and later ones that say what has changed, in an area of its own.
//!
//! Each batch is flushed before the next one is written, so only the last can be torn. When the area is full the whole catalogue is written anew into another
//! area, flushed, and then a slot of the first page names it.

use driftdb_core::flat::FlatMap;

use driftdb_core::Result;

use super::batch::{self, Body, Change, Found};
use super::file::Device;
use super::node::Content;
use super::slot::{self, Slot};
use super::space::{Extent, PAGE, pages};

/// The smallest area: room for some hundred batches.
pub(super) const AREA_PAGES_MIN: u64 = 16;
/// An area is so many times as large as what is first written into it.
const AREA_FACTOR: u64 = 4;

/// The blobs as a catalogue names them.
pub(super) type Entries = FlatMap<String, (u64, Content)>;

/// Where the catalogue is written.
pub(super) struct Catalogue {
    slot: Slot,
    /// The number of the next batch.
    number: u64,
    /// Where in the area it goes.
    at: u64,
}

impl Catalogue {
    /// Writes the catalogue of an empty container; durable on return.
    pub fn create(device: &Device) -> Result<Catalogue> {
        let slot = slot::first();
        device.set_len(slot.area.end() * PAGE)?;
        Catalogue::start(device, slot, Body::default())
    }

    /// How many pages an area that starts with this body should have.
    pub fn area_pages(body: &[u8]) -> u64 {
        (pages(2 * body.len() as u64) * AREA_FACTOR).max(AREA_PAGES_MIN)
    }

    /// Writes everything into a new area, and then the slot. Durable on return.
    pub fn restart(&mut self, device: &Device, area: Extent, body: Body) -> Result<Extent> {
        let generation = self.slot.generation + 1;
        let old = self.slot.area;
        *self = Catalogue::start(device, Slot { generation, area }, body)?;
        Ok(old)
    }

    fn start(device: &Device, slot: Slot, body: Body) -> Result<Catalogue> {
        let mut catalogue = Catalogue {
            slot,
            number: 0,
            at: 0,
        };
        catalogue.write(device, &body.finish(slot.generation, 0))?;
        device.flush()?;
        slot.write(device)?;
        device.flush()?;
        Ok(catalogue)
    }

    /// Reads the catalogue; `None` in an empty file.
    pub fn open(device: &Device) -> Result<Option<(Catalogue, Entries)>> {
        let Some(slot) = slot::read(device)? else {
            return Ok(None);
        };
        let Extent { start, pages } = slot.area;
        let fits = (1..=1 << 20).contains(&pages)
            && (1..1 << 40).contains(&start)
            && slot.area.end() * PAGE <= device.len();
        if !fits {
            return Err(device.corrupt(0, "the catalogue lies outside the container's file"));
        }
        let mut area = vec![0; usize::try_from(slot.area.bytes()).unwrap_or(0)];
        device.read(slot.area.offset(), &mut area)?;
        let (mut number, mut at, mut entries) = (0, 0, Entries::new());
        loop {
            let offset = slot.area.offset() + at as u64;
            match batch::find(area.get(at..).unwrap_or_default(), slot.generation, number) {
                Found::Here(batch, size) => {
                    let changes = batch::changes(batch.body);
                    let changes = changes.ok_or_else(|| {
                        device.corrupt(offset, "the catalogue says what cannot be")
                    })?;
                    changes
                        .into_iter()
                        .for_each(|change| apply(&mut entries, change));
                    number += 1;
                    at += size;
                }
                Found::Nothing if number > 0 => break,
                _ => return Err(device.corrupt(offset, "the catalogue is damaged")),
            }
        }
        let at = at as u64;
        Ok(Some((Catalogue { slot, number, at }, entries)))
    }

    /// Where it lies.
    pub fn area(&self) -> Extent {
        self.slot.area
    }

    /// Writes a batch, not flushed; false if there is no room for it.
    pub fn append(&mut self, device: &Device, body: Body) -> Result<bool> {
        let batch = body.finish(self.slot.generation, self.number);
        if self.at + 2 * batch.len() as u64 > self.slot.area.bytes() {
            return Ok(false);
        }
        self.write(device, &batch)?;
        Ok(true)
    }

    fn write(&mut self, device: &Device, batch: &[u8]) -> Result<()> {
        let both = [batch, batch].concat();
        device.write(self.slot.area.offset() + self.at, &both)?;
        (self.number, self.at) = (self.number + 1, self.at + both.len() as u64);
        Ok(())
    }
}

fn apply(entries: &mut Entries, (path, change): (String, Change)) {
    match change {
        Change::Remove => entries.remove(&path),
        Change::Put(len, content) => entries.insert(path, (len, content)),
    };
}
