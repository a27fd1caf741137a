//! Settling: a writer's memtable has more than the log says: whole rows in long chains of patches, index markers, and the states of keys. That takes
//! reading each row that the log's tail changes, so opening leaves it: it reads the tail as a reader does. The memtable is made anew on the side, in idle time,
//! or at once before the table's first write.

use alloc::boxed::Box;

use super::open::{Derived, Replay};
use super::table::Table;
use crate::error::Result;

/// Events that one step replays at most.
const STEP_EVENTS: usize = 50;

/// A settling under way.
pub struct Settling {
    /// The table with the memtable as it will be. Of the files it only reads.
    building: Table,
    replay: Replay,
}

impl Table {
    /// Settles to the end.
    pub(super) fn settle(&mut self) -> Result<()> {
        while self.step_settling()? {}
        Ok(())
    }

    /// Some more of it; whether there was any. After an error it begins again.
    pub(super) fn step_settling(&mut self) -> Result<bool> {
        if !self.unsettled {
            return Ok(false);
        }
        let mut settling = match self.maintenance.settling.take() {
            Some(settling) => settling,
            None => Box::new(self.begin_settling()),
        };
        for _ in 0..STEP_EVENTS {
            if settling
                .building
                .replay_next(&mut settling.replay)?
                .is_none()
            {
                self.settled(settling.building);
                return Ok(true);
            }
        }
        self.maintenance.settling = Some(settling);
        Ok(true)
    }

    fn begin_settling(&self) -> Settling {
        let building = Table::assemble(
            self.env.clone(),
            self.dir.clone(),
            self.schema.clone(),
            self.log.share(),
            self.meta.clone(),
            Derived::of(&self.sources),
        );
        let replay = building.replay_from(building.sources.checkpoint_at);
        Settling { building, replay }
    }

    /// Takes over what has been built. Views that are out keep what they have.
    fn settled(&mut self, building: Table) {
        let memtables = building.sources.memtables.clone();
        self.change_sources(|sources| sources.memtables = memtables);
        (self.states, self.marked_at) = (building.states, building.marked_at);
        self.unsettled = false;
    }
}
