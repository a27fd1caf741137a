//! What a mirror has changed since the last transaction, and what of it the chunks do not hold yet.

use driftdb_core::flat::{FlatMap, FlatSet};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use driftdb_core::storage::{Access, MemoryStore, Store};
use driftdb_core::{Code, Error, Result};

use super::ops::Op;
use super::record::{self, CHUNK, FILES, Files, HEAD, Stored};

/// After so many bytes in batches, or so many batches, a transaction writes chunks instead.
const FOLD_BYTES: u64 = 2 << 20;
const FOLD_BATCHES: u64 = 256;

/// A file; shared by the blobs that are open on it.
pub(super) struct File {
    /// Its name; none once it is removed.
    pub path: Option<String>,
    number: u64,
    pub len: u64,
    /// Chunks that are not stored as they are now.
    dirty: FlatSet<u64>,
    /// How many chunks may be stored.
    stored: u64,
}

pub(super) type SharedFile = Rc<RefCell<File>>;

/// What is written at once: all of it or nothing, and only if the record `head` is what it expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Everything changed up to this position is durable when the transaction is.
    pub position: u64,
    /// The value that the record `head` must have; none if there must be no such record. Another one means another writer: nothing may be written.
    pub expected_head: Option<Vec<u8>>,
    /// Keys from the first up to and without the second, which are removed first.
    pub deletes: Vec<Range<String>>,
    /// Records that are written, replacing those of the same key.
    pub puts: Vec<(String, Vec<u8>)>,
}

/// The files of a mirror and its journal.
pub(super) struct State {
    pub memory: MemoryStore,
    pub files: FlatMap<String, SharedFile>,
    /// Bytes of all files that have a name.
    pub bytes: u64,
    limit: u64,
    next: u64,
    /// What was changed since the last transaction.
    batch: Vec<u8>,
    /// Numbers of files whose chunks are to go.
    gone: Vec<u64>,
    /// The position of the last transaction that was handed out.
    pub drained: u64,
    /// Up to this one they are durable.
    pub durable: u64,
    head: Option<Vec<u8>>,
    /// The position up to which the chunks hold everything.
    folded: u64,
    /// Bytes in batches since.
    unfolded: u64,
}

impl State {
    pub fn new(limit: u64) -> State {
        State {
            memory: MemoryStore::new(),
            files: FlatMap::new(),
            bytes: 0,
            limit,
            next: 1,
            batch: Vec::new(),
            gone: Vec::new(),
            drained: 0,
            durable: 0,
            head: None,
            folded: 0,
            unfolded: 0,
        }
    }

    /// The position at which everything that is in memory now will be durable.
    pub fn position(&self) -> u64 {
        self.drained + u64::from(!self.batch.is_empty())
    }

    /// Refuses what would make the database larger than it may be.
    pub fn check_room(&self, more: u64) -> Result<()> {
        match self.bytes.saturating_add(more) <= self.limit {
            true => Ok(()),
            false => {
                let message = format!(
                    "the database would be larger than {} bytes, which is the limit where it is held in memory",
                    self.limit
                );
                Err(Error::new(Code::StorageFull, message)
                    .hint("compact its tables, or use a browser with a private filesystem for synchronous files"))
            }
        }
    }

    /// Notes an op that memory has done already.
    pub fn note(&mut self, path: &str, op: &Op<'_>) {
        op.write(path, &mut self.batch);
        self.track(path, op);
    }

    /// Keeps up with what an op changes of the files.
    pub fn track(&mut self, path: &str, op: &Op<'_>) {
        match op {
            Op::Create => self.add(path, 0),
            Op::Append(at, bytes) => {
                let end = at + bytes.len() as u64;
                self.bytes += self.change(path, |file| {
                    file.touch(*at, end);
                    let grown = end.saturating_sub(file.len);
                    file.len += grown;
                    grown
                });
            }
            Op::Truncate(len) => {
                self.bytes -= self.change(path, |file| {
                    let cut = file.len.saturating_sub(*len);
                    file.len -= cut;
                    file.touch(file.len.saturating_sub(1), file.len);
                    cut
                });
            }
            Op::Remove => self.drop_file(path),
            Op::Rename(to) => {
                if path == *to {
                    return;
                }
                self.drop_file(to);
                if let Some(file) = self.files.remove(path) {
                    file.borrow_mut().path = Some(to.to_string());
                    self.files.insert(to.to_string(), file);
                }
            }
            Op::Replace(bytes) => {
                self.drop_file(path);
                self.add(path, bytes.len() as u64);
            }
        }
    }

    fn change(&self, path: &str, change: impl FnOnce(&mut File) -> u64) -> u64 {
        self.files
            .get(path)
            .map_or(0, |file| change(&mut file.borrow_mut()))
    }

    fn add(&mut self, path: &str, len: u64) {
        let mut file = File {
            path: Some(path.to_string()),
            number: self.next,
            len,
            dirty: FlatSet::new(),
            stored: 0,
        };
        file.touch(0, len);
        self.next += 1;
        self.bytes += len;
        self.files
            .insert(path.to_string(), Rc::new(RefCell::new(file)));
    }

    fn drop_file(&mut self, path: &str) {
        if let Some(file) = self.files.remove(path) {
            let mut file = file.borrow_mut();
            file.path = None;
            self.bytes -= file.len;
            if file.stored > 0 {
                self.gone.push(file.number);
            }
        }
    }

    /// What has changed since the last transaction, as the next one; `None` if nothing has.
    pub fn drain(&mut self) -> Result<Option<Transaction>> {
        if self.batch.is_empty() {
            return Ok(None);
        }
        let position = self.drained + 1;
        let head = record::seal(HEAD, &position.to_le_bytes());
        let mut transaction = Transaction {
            position,
            expected_head: self.head.replace(head.clone()),
            deletes: Vec::new(),
            puts: vec![(HEAD.to_string(), head)],
        };
        self.unfolded += self.batch.len() as u64;
        if self.unfolded > FOLD_BYTES || position - self.folded >= FOLD_BATCHES {
            self.fold(&mut transaction)?;
        } else {
            let key = record::batch(position);
            let value = record::seal(&key, &self.batch);
            transaction.puts.push((key, value));
        }
        self.batch.clear();
        self.drained = position;
        Ok(Some(transaction))
    }

    /// Writes the chunks that have changed, and the record of all files; the batches go.
    fn fold(&mut self, transaction: &mut Transaction) -> Result<()> {
        let (first, end) = (record::batch(0), record::batch(u64::MAX));
        transaction.deletes.push(first..end);
        for number in self.gone.drain(..) {
            transaction
                .deletes
                .push(record::chunk(number, 0)..record::chunk(number, u64::MAX));
        }
        let mut files = Files {
            position: transaction.position,
            next: self.next,
            files: Vec::new(),
        };
        for (path, file) in self.files.iter() {
            let mut file = file.borrow_mut();
            file.fold(&self.memory, path, transaction)?;
            files.files.push(Stored {
                path: path.clone(),
                number: file.number,
                len: file.len,
            });
        }
        let value = record::seal(FILES, &files.encode());
        transaction.puts.push((FILES.to_string(), value));
        (self.folded, self.unfolded) = (transaction.position, 0);
        Ok(())
    }

    /// Takes over what was stored: a file with its bytes.
    pub fn restore(&mut self, stored: &Stored, bytes: &[u8]) -> Result<()> {
        self.memory.replace(&stored.path, bytes)?;
        let file = File {
            path: Some(stored.path.clone()),
            number: stored.number,
            len: stored.len,
            dirty: FlatSet::new(),
            stored: chunks(stored.len),
        };
        self.bytes += stored.len;
        self.files
            .insert(stored.path.clone(), Rc::new(RefCell::new(file)));
        Ok(())
    }

    /// Takes over where the journal stands: `folded` of the record of all files, `position` of the head.
    pub fn resume(&mut self, folded: u64, next: u64, position: u64, head: Vec<u8>) {
        (self.folded, self.next) = (folded, next);
        (self.drained, self.durable) = (position, position);
        self.head = Some(head);
    }

    /// Counts a batch that was loaded.
    pub fn loaded_batch(&mut self, bytes: u64) {
        self.unfolded += bytes;
    }
}

impl File {
    /// The bytes from `from` to `to` are not stored as they are.
    fn touch(&mut self, from: u64, to: u64) {
        self.dirty.extend(from / CHUNK..chunks(to));
    }

    fn fold(
        &mut self,
        memory: &MemoryStore,
        path: &str,
        transaction: &mut Transaction,
    ) -> Result<()> {
        let count = chunks(self.len);
        if self.stored > count {
            let keys = record::chunk(self.number, count)..record::chunk(self.number, u64::MAX);
            transaction.deletes.push(keys);
        }
        let blob = memory.open(path, Access::Read)?;
        for index in core::mem::take(&mut self.dirty) {
            let start = index * CHUNK;
            let len = CHUNK.min(self.len.saturating_sub(start));
            if let (Some(blob), true) = (&blob, len > 0) {
                let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
                blob.read_at(start, &mut bytes)?;
                let key = record::chunk(self.number, index);
                let value = record::seal(&key, &bytes);
                transaction.puts.push((key, value));
            }
        }
        self.stored = count;
        Ok(())
    }
}

/// How many chunks so many bytes are.
pub(super) fn chunks(len: u64) -> u64 {
    len.div_ceil(CHUNK)
}
