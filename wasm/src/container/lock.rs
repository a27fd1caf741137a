//! The writer's lock. Nobody else has the file open, so it is a matter of this process: LOCK holds the epoch, as everywhere.

use std::cell::Cell;
use std::rc::Rc;

use driftdb_core::storage::{Lock, Store};
use driftdb_core::{Code, Error, Result};

use super::Container;

pub(super) const LOCK: &str = "LOCK";

/// The lock, held.
pub(super) struct ContainerLock {
    container: Container,
    locked: Rc<Cell<bool>>,
    epoch: u64,
}

impl ContainerLock {
    /// Takes the lock and writes the next epoch.
    pub fn take(container: &Container, locked: &Rc<Cell<bool>>) -> Result<ContainerLock> {
        if locked.replace(true) {
            let message = "the database is open for writing elsewhere";
            return Err(Error::new(Code::Busy, message));
        }
        // From here on dropping it unlocks.
        let mut lock = ContainerLock {
            container: container.clone(),
            locked: Rc::clone(locked),
            epoch: 0,
        };
        lock.epoch = epoch(container)?.saturating_add(1);
        container.replace(LOCK, format!("{}\n", lock.epoch).as_bytes())?;
        Ok(lock)
    }
}

/// The epoch that LOCK holds; 0 for none.
pub(super) fn epoch(container: &Container) -> Result<u64> {
    let bytes = container.read(LOCK)?.unwrap_or_default();
    let text = core::str::from_utf8(&bytes).unwrap_or_default();
    let epoch = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok());
    Ok(epoch.unwrap_or(0))
}

impl Lock for ContainerLock {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn check(&self) -> Result<()> {
        match epoch(&self.container)? == self.epoch {
            true => Ok(()),
            false => Err(
                Error::new(Code::Conflict, "another writer has taken the lock").in_file(LOCK, None),
            ),
        }
    }
}

impl Drop for ContainerLock {
    fn drop(&mut self) {
        self.locked.set(false);
    }
}
