//! What a disk has after a crash: the choices that the contracts leave open, made by a mode and a seed.

use std::collections::BTreeMap;

use super::disk::{Disk, Name};
use super::file::{Change, File, write};
use crate::random::Random;

const SECTOR: usize = 512;

/// Which of the unsynced changes survive a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// None of them.
    Dropped,
    /// All of them.
    Kept,
    /// In each file those up to some byte of some write, all later ones not.
    Torn(u64),
    /// Any choice of sectors of any writes.
    Sectors(u64),
    /// Each file by one of the modes above.
    Mixed(u64),
}

/// The files after a crash.
pub(super) fn surviving(disk: &Disk, survival: Survival) -> BTreeMap<String, Vec<u8>> {
    let mut random = Random::new(match survival {
        Survival::Dropped | Survival::Kept => 0,
        Survival::Torn(seed) | Survival::Sectors(seed) | Survival::Mixed(seed) => seed,
    });
    let names = surviving_names(disk, survival, &mut random);
    let mut files = BTreeMap::new();
    for (path, id) in names {
        if let Some(file) = disk.files.get(id) {
            files.insert(path, content(file, survival, &mut random));
        }
    }
    files
}

fn surviving_names(
    disk: &Disk,
    survival: Survival,
    random: &mut Random,
) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for (path, name) in &disk.names {
        if let Some(id) = surviving_name(name, survival, random) {
            names.insert(path.clone(), id);
        }
    }
    let happened = match survival {
        Survival::Dropped => false,
        Survival::Kept => true,
        _ => random.chance(50),
    };
    for (path, id) in disk.undecided.0.iter().filter(|_| happened) {
        match id {
            Some(id) => names.insert(path.clone(), *id),
            None => names.remove(path),
        };
    }
    names
}

fn surviving_name(name: &Name, survival: Survival, random: &mut Random) -> Option<usize> {
    match survival {
        Survival::Dropped => name.possible.first().copied().flatten(),
        Survival::Kept => name.current,
        _ if name.possible.is_empty() => None,
        _ => *random.pick(&name.possible),
    }
}

fn content(file: &File, survival: Survival, random: &mut Random) -> Vec<u8> {
    let changes: Vec<&Change> = file.lost.iter().chain(&file.pending).collect();
    if changes.is_empty() {
        return file.stable.clone();
    }
    match survival {
        Survival::Dropped => file.stable.clone(),
        Survival::Kept => file.live.clone(),
        Survival::Torn(_) => torn(file, &changes, random),
        Survival::Sectors(_) => sectors(file, &changes, random),
        Survival::Mixed(_) => match random.below(4) {
            0 => file.stable.clone(),
            1 => file.live.clone(),
            2 => torn(file, &changes, random),
            _ => sectors(file, &changes, random),
        },
    }
}

/// All changes before a chosen one whole, a part of that one, none after it.
fn torn(file: &File, changes: &[&Change], random: &mut Random) -> Vec<u8> {
    let mut bytes = file.stable.clone();
    let cut = random.index(changes.len());
    for (index, change) in changes.iter().enumerate().take(cut + 1) {
        match change {
            Change::Write(at, new) if index == cut => {
                write(&mut bytes, *at, &new[..random.index(new.len() + 1)])
            }
            _ if index == cut && random.chance(50) => {}
            change => change.apply(&mut bytes),
        }
    }
    lengthen(&mut bytes, file, random);
    bytes
}

/// Each sector of each write there or not; each other change done or not.
fn sectors(file: &File, changes: &[&Change], random: &mut Random) -> Vec<u8> {
    let mut bytes = file.stable.clone();
    let percent = [15, 50, 85][random.index(3)];
    for change in changes {
        match change {
            Change::Write(at, new) => write_sectors(&mut bytes, *at, new, percent, random),
            change if random.chance(50) => change.apply(&mut bytes),
            _ => {}
        }
    }
    lengthen(&mut bytes, file, random);
    bytes
}

fn write_sectors(bytes: &mut Vec<u8>, at: usize, new: &[u8], percent: u64, random: &mut Random) {
    let mut start = at;
    while start < at + new.len() {
        let end = ((start / SECTOR + 1) * SECTOR).min(at + new.len());
        if random.chance(percent) {
            write(bytes, start, &new[start - at..end - at]);
        }
        start = end;
    }
}

/// The length may have reached the disk without the bytes: what is missing is zeros then.
fn lengthen(bytes: &mut Vec<u8>, file: &File, random: &mut Random) {
    if bytes.len() < file.live.len() && random.chance(50) {
        bytes.resize(file.live.len(), 0);
    }
}
