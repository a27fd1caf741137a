//! The writer's lock: the file LOCK, which says who writes. It is taken by creating the next epoch's file exclusively and renaming it to
//! LOCK, so that one of many wins wherever there are files; where there are file locks the owner holds one besides, which ends with its
//! process. docs/FORMAT.md has the rules.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use driftdb_core::storage::{Lock, LockState};
use driftdb_core::{Code, Error, Result};

use super::claim::{Claim, Owner};
use super::error::Context;
use super::paths;

/// The lock's file.
pub const LOCK: &str = "LOCK";
/// Takers that meet try again: each of them is through in a moment.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(1);
/// A taker that has not renamed its file after this long never will; if it does, it finds that LOCK is not its own.
const TAKING: Duration = Duration::from_secs(10);
/// Times of change differ from those of files that are older than this.
const SETTLED: Duration = Duration::from_secs(3);

/// The lock, held.
pub struct FsLock {
    path: PathBuf,
    /// LOCK as this writer made it: stays the same file, whatever bears the name.
    file: File,
    claim: Claim,
    text: String,
}

/// Why the lock cannot be had in this moment.
enum Refusal {
    /// An owner of whom nobody can say that it is dead.
    Held(Error),
    /// The file lock is taken: by the owner, or for a moment by a taker or by a reader that looks. Worth another try.
    Meanwhile(Error),
}

impl FsLock {
    /// Takes the lock. With `break_lock` an owner of whom nobody can say whether it lives counts as dead.
    pub fn take(root: &Path, break_lock: bool) -> Result<FsLock> {
        let path = root.join(LOCK);
        if !root.is_dir() {
            for dir in paths::create_parents(&path).context(LOCK)? {
                paths::sync_dir(&dir).context(LOCK)?;
            }
        }
        let mut tries = 0;
        loop {
            tries += 1;
            match try_take(&path, break_lock)? {
                Ok(lock) => return Ok(lock),
                Err(Refusal::Meanwhile(_)) if tries < TRIES => std::thread::sleep(PAUSE),
                Err(Refusal::Meanwhile(error) | Refusal::Held(error)) => return Err(error),
            }
        }
    }
}

impl Lock for FsLock {
    fn epoch(&self) -> u64 {
        self.claim.epoch
    }

    fn check(&self) -> Result<()> {
        // By name: another writer's LOCK is another file.
        match read(&self.path).context(LOCK)? {
            Some(text) if text == self.text => Ok(()),
            _ => Err(
                Error::new(Code::Conflict, "another writer has taken the lock").in_file(LOCK, None),
            ),
        }
    }
}

impl Drop for FsLock {
    fn drop(&mut self) {
        // Only this writer's own file, which another may have replaced already. The worst that a failure leaves is a claim of the dead.
        let _ = self.file.set_len(self.claim.free_text().len() as u64);
    }
}

/// A look at a lock that was free, so that the next one need not open the file.
#[derive(Default)]
pub struct Glance(Option<(Stamp, LockState)>);

/// What a file is like. Who takes the lock makes another file of it.
#[derive(PartialEq)]
struct Stamp {
    len: u64,
    changed: SystemTime,
    #[cfg(unix)]
    number: u64,
}

impl Glance {
    /// Whether a writer holds the lock, or may.
    pub fn state(&mut self, root: &Path) -> Result<LockState> {
        let path = root.join(LOCK);
        let stamp = Stamp::of(&path);
        match (&self.0, &stamp) {
            (Some((seen, state)), Some(stamp)) if seen == stamp => return Ok(*state),
            _ => self.0 = None,
        }
        let state = state(&path)?;
        self.0 = stamp
            .filter(|stamp| !state.is_held() && stamp.is_settled())
            .map(|stamp| (stamp, state));
        Ok(state)
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Stamp> {
        let metadata = fs::metadata(path).ok()?;
        Some(Stamp {
            len: metadata.len(),
            changed: metadata.modified().ok()?,
            #[cfg(unix)]
            number: std::os::unix::fs::MetadataExt::ino(&metadata),
        })
    }

    /// Whether a file that is made from now on has another time of change for sure, however coarse the clock.
    fn is_settled(&self) -> bool {
        SystemTime::now()
            .duration_since(self.changed)
            .is_ok_and(|age| age > SETTLED)
    }
}

fn state(path: &Path) -> Result<LockState> {
    let file = match File::open(path) {
        Err(error) if paths::is_absent(&error) => return Ok(LockState::Free(0)),
        file => file.context(LOCK)?,
    };
    let Claim { epoch, owner } = Claim::from_text(&read_file(&file).context(LOCK)?);
    let free = match owner {
        None => true,
        Some(owner) if owner.flock => match file.try_lock_shared() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(_)) => is_dead(&owner, path),
        },
        Some(owner) => is_dead(&owner, path),
    };
    Ok(match free {
        true => LockState::Free(epoch),
        false => LockState::Held,
    })
}

fn try_take(path: &Path, break_lock: bool) -> Result<Result<FsLock, Refusal>> {
    // The file lock on the LOCK of before: nobody else takes it over now, and an owner that held it is dead.
    let before = match File::options().read(true).write(true).open(path) {
        Err(error) if paths::is_absent(&error) => None,
        file => Some(file.context(LOCK)?),
    };
    let flocked = match &before {
        None => false,
        Some(file) => match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => {
                let owner = Claim::from_text(&read_file(file).context(LOCK)?).owner;
                return Ok(Err(Refusal::Meanwhile(held_by(&owner.unwrap_or_default()))));
            }
            Err(TryLockError::Error(error)) if lacks_locks(&error) => false,
            Err(TryLockError::Error(error)) => return Err(error).context(LOCK),
        },
    };
    let text_before = match &before {
        Some(file) => Some(read_file(file).context(LOCK)?),
        None => None,
    };
    let claim_before = Claim::from_text(text_before.as_deref().unwrap_or_default());
    if let Some(owner) = &claim_before.owner {
        let dead = (owner.flock && flocked) || is_dead(owner, path);
        if !dead && !break_lock {
            return Ok(Err(Refusal::Held(may_live(owner))));
        }
    }
    claim(
        path,
        text_before.as_deref(),
        claim_before.epoch.saturating_add(1),
        break_lock,
    )
}

/// Creates the epoch's file, of which there can be one, and makes it LOCK if that has stayed as it was.
fn claim(
    path: &Path,
    before: Option<&str>,
    epoch: u64,
    break_lock: bool,
) -> Result<Result<FsLock, Refusal>> {
    let new = paths::temporary(&path.with_file_name(format!("{LOCK}.{epoch}")));
    let mut file = match File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&new)
    {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if break_lock || is_older(&new, TAKING) {
                let _ = fs::remove_file(&new);
            }
            return Ok(Err(Refusal::Meanwhile(held_by(&Owner::default()))));
        }
        file => file.context(LOCK)?,
    };
    let flock = file.try_lock().is_ok();
    let claim = Claim {
        epoch,
        owner: Some(Owner::this(flock)),
    };
    let text = claim.to_text();
    let done = (|| {
        if read(path)?.as_deref() != before {
            return Ok(false);
        }
        file.write_all(text.as_bytes())?;
        match fs::rename(&new, path) {
            // Somebody took this file for one that was left behind.
            Err(error) if paths::is_absent(&error) => {}
            done => done?,
        }
        Ok(read(path)?.as_deref() == Some(&text))
    })();
    match done {
        Ok(true) => Ok(Ok(FsLock {
            path: path.into(),
            file,
            claim,
            text,
        })),
        Ok(false) => {
            let _ = fs::remove_file(&new);
            Ok(Err(Refusal::Meanwhile(held_by(&Owner::default()))))
        }
        Err(error) => {
            let _ = fs::remove_file(&new);
            Err(error).context(LOCK)
        }
    }
}

/// Whether an owner that holds no file lock has ended for sure.
fn is_dead(owner: &Owner, path: &Path) -> bool {
    owner.process_is_gone() || owner.lease.is_some_and(|lease| is_older(path, lease))
}

/// Whether a file was last changed longer ago than that.
fn is_older(path: &Path, age: Duration) -> bool {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|changed| {
        SystemTime::now()
            .duration_since(changed)
            .is_ok_and(|passed| passed > age)
    })
}

fn lacks_locks(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported)
}

fn held_by(owner: &Owner) -> Error {
    let message = format!(
        "the database is open for writing elsewhere, by {}",
        owner.describe()
    );
    Error::new(Code::Busy, message)
}

fn may_live(owner: &Owner) -> Error {
    let hint = match owner.lease {
        Some(lease) => format!("if that has ended, its lock is free {} seconds after its last sign of life", lease.as_secs()),
        None => "if that has ended, --break-lock takes its lock; if it has not, it will find that it may not write any more".into(),
    };
    held_by(owner).hint(hint)
}

/// The text of LOCK; `None` if there is none.
fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if paths::is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_file(mut file: &File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_after_another_took_the_lock_leaves_it_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(LOCK);
        fs::write(&path, "41\n").unwrap();
        let late = fs::read_to_string(&path).unwrap();
        let first = claim(&path, Some(&late), 42, false).unwrap().ok().unwrap();
        let taken = fs::read_to_string(&path).unwrap();
        // It has read the LOCK of before, and nothing of the first one's file is in its way.
        let refused = claim(&path, Some(&late), 42, false).unwrap();
        assert!(matches!(refused, Err(Refusal::Meanwhile(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), taken);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        first.check().unwrap();
    }
}
