//! The first page of the file: two slots, written in turn, of which the valid one of the higher generation says where the catalogue is.
//!
//! `[magic DRIFTBOX][u32 version 1][u32 crc32][u64 generation][u64 first page][u64 pages]`; the crc is of version, generation and both page fields. A slot is written twice, each
//! copy in a sector of its own: generation G at 1024 x (G mod 2) and 512 bytes behind that.

use driftdb_core::crc;
use driftdb_core::{Code, Error, Result};

use super::file::Device;
use super::space::{Extent, PAGE};

const MAGIC: &[u8; 8] = b"DRIFTBOX";
const VERSION: u32 = 1;
const SECTOR: usize = 512;
const SLOT: usize = 40;

/// Which area holds the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub generation: u64,
    pub area: Extent,
}

impl Slot {
    fn encode(&self) -> [u8; 2 * SECTOR] {
        let fields = [self.generation, self.area.start, self.area.pages];
        let mut checked = VERSION.to_le_bytes().to_vec();
        fields
            .iter()
            .for_each(|field| checked.extend_from_slice(&field.to_le_bytes()));
        let (version, fields) = checked.split_at(4);
        let crc = crc::hash(&checked).to_le_bytes();
        let slot = [MAGIC, version, &crc, fields].concat();
        let mut both = [0; 2 * SECTOR];
        for copy in both.chunks_mut(SECTOR) {
            if let Some(place) = copy.get_mut(..slot.len()) {
                place.copy_from_slice(&slot);
            }
        }
        both
    }

    fn place(&self) -> u64 {
        (self.generation % 2) * (2 * SECTOR as u64)
    }

    /// Writes it over the slot before the last.
    pub fn write(&self, device: &Device) -> Result<()> {
        device.write(self.place(), &self.encode())
    }
}

/// The slot that counts; `None` in a file that is empty, or whose making was stopped.
pub(super) fn read(device: &Device) -> Result<Option<Slot>> {
    let mut page = vec![0; 8 * SECTOR];
    device.read(0, &mut page)?;
    let mut newest: Option<Slot> = None;
    for (index, sector) in page.chunks(SECTOR).take(4).enumerate() {
        match decode(sector) {
            Some((VERSION, slot)) if slot.place() == (index as u64 / 2) * (2 * SECTOR as u64) => {
                let newer = newest.is_none_or(|newest| slot.generation > newest.generation);
                newest = if newer { Some(slot) } else { newest };
            }
            Some((version, _)) if version > VERSION => {
                let message = "the container's format is newer than this program";
                return Err(Error::new(Code::NewerFormat, message)
                    .in_file(device.name(), Some((index * SECTOR) as u64)));
            }
            _ => {}
        }
    }
    match newest {
        Some(slot) => Ok(Some(slot)),
        None if is_unborn(&page, device.len()) => Ok(None),
        None => Err(device.corrupt(0, "the container's first page is damaged")),
    }
}

fn decode(sector: &[u8]) -> Option<(u32, Slot)> {
    let (magic, rest) = sector.get(..SLOT)?.split_first_chunk::<8>()?;
    let (version, rest) = rest.split_first_chunk::<4>()?;
    let (crc, fields) = rest.split_first_chunk::<4>()?;
    if magic != MAGIC || crc::hash(&[version, fields].concat()) != u32::from_le_bytes(*crc) {
        return None;
    }
    let mut numbers = fields
        .chunks(8)
        .filter_map(|field| field.first_chunk::<8>())
        .map(|field| u64::from_le_bytes(*field));
    let generation = numbers.next()?;
    let (start, pages) = (numbers.next()?, numbers.next()?);
    let slot = Slot {
        generation,
        area: Extent { start, pages },
    };
    Some((u32::from_le_bytes(*version), slot))
}

/// The first slot of every container: making one writes the same bytes always.
pub(super) fn first() -> Slot {
    Slot {
        generation: 1,
        area: Extent {
            start: 1,
            pages: super::catalogue::AREA_PAGES_MIN,
        },
    }
}

/// Whether this is what a stopped making can have left: nothing behind the first area, and in the first page only bytes of the first slot, each there or not.
fn is_unborn(page: &[u8], len: u64) -> bool {
    let slot = first();
    let whole = slot.encode();
    let at = usize::try_from(slot.place()).unwrap_or(0);
    let expected = |index: usize| index.checked_sub(at).and_then(|index| whole.get(index));
    len <= slot.area.end() * PAGE
        && page
            .iter()
            .enumerate()
            .all(|(index, byte)| *byte == 0 || expected(index) == Some(byte))
}
