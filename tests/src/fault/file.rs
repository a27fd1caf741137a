//! One file of a fault store: what a process sees, what is on the disk, and the changes between the two.

/// A change that is not synced yet.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Bytes written at an offset.
    Write(usize, Vec<u8>),
    /// Cut to a length.
    Truncate(usize),
    /// Extended with zeros to a length.
    Extend(usize),
}

impl Change {
    /// Does the change to the bytes of a file.
    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Change::Write(at, new) => write(bytes, *at, new),
            Change::Truncate(len) => bytes.truncate(*len),
            Change::Extend(len) => bytes.resize((*len).max(bytes.len()), 0),
        }
    }
}

/// Writes `new` at an offset; a gap before it becomes zeros.
pub(super) fn write(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    let end = at + new.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[at..end].copy_from_slice(new);
}

/// One file.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    /// What a process reads.
    pub(super) live: Vec<u8>,
    /// What is certain to survive.
    pub(super) stable: Vec<u8>,
    /// Changes since the last sync, oldest first.
    pub(super) pending: Vec<Change>,
    /// Changes of before a failed sync: the cache calls them written, no later sync writes them again.
    pub(super) lost: Vec<Change>,
}

impl File {
    /// A file whose bytes are all on the disk.
    pub(super) fn durable(bytes: Vec<u8>) -> Self {
        File {
            stable: bytes.clone(),
            live: bytes,
            ..File::default()
        }
    }

    /// Makes a change that is not synced.
    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.live);
        self.pending.push(change);
    }

    /// Puts all pending changes on the disk.
    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.stable);
        }
    }

    /// A sync that failed: the pending changes may or may not be on the disk, and nothing will write them any more.
    pub(super) fn lose(&mut self) {
        self.lost.append(&mut self.pending);
    }
}
