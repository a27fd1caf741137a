//! An audit: a table's derived files against its log, event by event and then file by file.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::change::{key_text, markers};
use super::posting::Posting;
use super::row::Row;
use super::snapshot;
use super::sources::{FIRST_KEY_BYTE, Run, Snapshot};
use super::version::split_seq;
use super::view::{Step, View};
use super::walk::{Walk, unreadable_entry};
use crate::error::Result;
use crate::log::Op;
use crate::sorted::{Check, Cursor};
use crate::time::{Seq, Timestamp};
use crate::value::Bytes;

/// Entries that one step checks at most.
const STEP_ENTRIES: usize = 500;

/// An audit in steps: first [`Audit::event`] for each event of the log in order, then [`Audit::step_files`] until it is done.
pub struct Audit {
    view: View,
    /// Live rows after the events so far.
    live: u64,
    /// Events up to the checkpoint, and markers of each index up to there.
    versions: u64,
    postings: Vec<u64>,
    /// Live rows at each snapshot, as the log says.
    rows: Vec<u64>,
    files: Option<Vec<File>>,
}

/// A derived file that is still to be read.
enum File {
    /// Every byte of a file as it is stored, whatever the cache holds of it.
    Bytes(Check),
    Run {
        index: Option<usize>,
        run: Rc<Run>,
        cursor: Option<Cursor>,
    },
    Snapshot {
        snapshot: Rc<Snapshot>,
        expected: u64,
        seen: u64,
        cursor: Option<Cursor>,
    },
    /// The end of an index: what its runs hold together.
    Total { index: Option<usize>, found: u64 },
}

impl Audit {
    /// An audit of the table that `view` sees, which must be at the end of its log.
    pub fn new(view: View) -> Self {
        let sources = view.sources();
        let (postings, rows) = (
            alloc::vec![0; sources.secondary.len()],
            alloc::vec![0; sources.snapshots.len()],
        );
        Audit {
            view,
            live: 0,
            versions: 0,
            postings,
            rows,
            files: None,
        }
    }

    /// Checks that the indexes say of an event what the log says. Returns what is wrong.
    pub fn event(
        &mut self,
        key: &[u8],
        seq: Seq,
        time: Timestamp,
        op: Op,
        body: Option<&Bytes>,
        meta: Option<&Bytes>,
    ) -> Result<Vec<String>> {
        let sources = self.view.sources().clone();
        let mut wrong = Vec::new();
        let mut walk = Walk::new(sources.clone(), key, seq);
        let found = walk.next()?.filter(|version| version.seq == seq);
        let before = walk.next()?.is_some_and(|version| version.op != Op::Delete);
        let named = || format!("seq {} (row {})", seq.0, key_text(key));
        match (op, before) {
            (Op::Insert, false) => self.live += 1,
            (Op::Delete, true) => self.live = self.live.saturating_sub(1),
            (Op::Patch | Op::Delete, false) => {
                wrong.push(format!("{} changes a row that is not there", named()))
            }
            _ => {}
        }
        for (snapshot, rows) in sources.snapshots.iter().zip(&mut self.rows) {
            if seq <= snapshot.seq {
                *rows = self.live;
            }
        }
        let covered = seq <= sources.checkpoint;
        self.versions += u64::from(covered);
        let Some(version) = found else {
            wrong.push(format!("the primary-key index lacks {}", named()));
            return Ok(wrong);
        };
        if version.time != time
            || version.op != op
            || version.body.as_ref() != body
            || version.meta.as_ref() != meta
        {
            wrong.push(format!(
                "the primary-key index says something else of {} than the log",
                named()
            ));
        }
        let expected = markers(&self.view.at(Seq(seq.0.saturating_sub(1))), key, &version)?;
        for (index, run_key, posting) in expected.iter() {
            if let Some(count) = self.postings.get_mut(index).filter(|_| covered) {
                *count += 1;
            }
            if covered && !self.has_posting(index, run_key, posting)? {
                let name = self
                    .view
                    .schema()
                    .indexes
                    .get(index)
                    .map_or("", String::as_str);
                wrong.push(format!("the index on {name} lacks {}", named()));
            }
        }
        Ok(wrong)
    }

    fn has_posting(&self, index: usize, run_key: &[u8], posting: Posting) -> Result<bool> {
        for run in self
            .view
            .sources()
            .secondary
            .get(index)
            .into_iter()
            .flatten()
        {
            let cursor = run.file.seek(run_key)?;
            if cursor.valid() && cursor.key() == run_key {
                return Ok(Posting::decode(&cursor.value()) == Some(posting));
            }
        }
        Ok(false)
    }

    /// Reads the derived files whole; what is wrong, one after another.
    pub fn step_files(&mut self) -> Result<Step<String>> {
        let mut files = match self.files.take() {
            Some(files) => files,
            None => self.all_files(),
        };
        let Some(mut file) = files.pop() else {
            return Ok(Step::Done);
        };
        let (done, message) = self.step_file(&mut file, &mut files)?;
        if !done {
            files.push(file);
        }
        self.files = Some(files);
        Ok(message.map_or(Step::Pause, Step::Item))
    }

    /// The files, the next one last.
    fn all_files(&self) -> Vec<File> {
        let sources = self.view.sources();
        let mut files = Vec::new();
        for (snapshot, &expected) in sources.snapshots.iter().zip(&self.rows) {
            files.push(File::Snapshot {
                snapshot: snapshot.clone(),
                expected,
                seen: 0,
                cursor: None,
            });
            files.push(File::Bytes(snapshot.file.check()));
        }
        let indexes = (0..sources.secondary.len()).map(Some).chain([None]);
        for index in indexes {
            let runs = match index {
                Some(index) => sources.secondary.get(index),
                None => Some(&sources.primary),
            };
            files.push(File::Total { index, found: 0 });
            for run in runs.into_iter().flatten() {
                files.push(File::Run {
                    index,
                    run: run.clone(),
                    cursor: None,
                });
                files.push(File::Bytes(run.file.check()));
            }
        }
        files
    }

    fn step_file(&self, file: &mut File, rest: &mut [File]) -> Result<(bool, Option<String>)> {
        match file {
            File::Bytes(check) => Ok((!check.step()?, None)),
            File::Run { index, run, cursor } => {
                let cursor = match cursor {
                    Some(cursor) => cursor,
                    None => cursor.insert(run.file.scan(&[])?),
                };
                for _ in 0..STEP_ENTRIES {
                    if !cursor.valid() {
                        return Ok((true, None));
                    }
                    let mark = index.is_none()
                        && cursor
                            .key()
                            .first()
                            .is_none_or(|&first| first < FIRST_KEY_BYTE);
                    if !mark {
                        let (_, seq) = split_seq(cursor.key())
                            .ok_or_else(|| unreadable_entry(run.file.path()))?;
                        if seq < run.min_seq || seq > run.max_seq {
                            return Ok((
                                true,
                                Some(format!(
                                    "{} holds seq {}, which is not in its range",
                                    run.file.path(),
                                    seq.0
                                )),
                            ));
                        }
                        let total = rest.iter_mut().rev().find_map(|file| match file {
                            File::Total { found, .. } => Some(found),
                            _ => None,
                        });
                        if let Some(found) = total {
                            *found += 1;
                        }
                    }
                    cursor.advance()?;
                }
                Ok((false, None))
            }
            File::Total { index, found } => {
                let expected = index
                    .map_or(Some(&self.versions), |index| self.postings.get(index))
                    .copied()
                    .unwrap_or(0);
                let name = index
                    .and_then(|index| self.view.schema().indexes.get(index))
                    .unwrap_or(&self.view.schema().primary_key);
                let message = format!(
                    "the index on {name} holds {found} entries where the log asks for {expected}"
                );
                Ok((true, (*found != expected).then_some(message)))
            }
            File::Snapshot {
                snapshot,
                expected,
                seen,
                cursor,
            } => {
                let cursor = match cursor {
                    Some(cursor) => cursor,
                    None => cursor.insert(snapshot.file.scan(&[])?),
                };
                for _ in 0..STEP_ENTRIES {
                    if !cursor.valid() {
                        let message = format!(
                            "{} holds {seen} rows where the log asks for {expected}",
                            snapshot.file.path()
                        );
                        return Ok((true, (seen != expected).then_some(message)));
                    }
                    let row = snapshot::read_row(cursor)?;
                    *seen += 1;
                    if !self.agrees(snapshot.seq, &row)? {
                        let message = format!(
                            "{} says something else of row {} than the log",
                            snapshot.file.path(),
                            key_text(row.encoded_key())
                        );
                        cursor.advance()?;
                        return Ok((false, Some(message)));
                    }
                    cursor.advance()?;
                }
                Ok((false, None))
            }
        }
    }

    fn agrees(&self, at: Seq, row: &Row) -> Result<bool> {
        // From the index alone: neither the snapshot itself nor a remembered row may vouch for the snapshot.
        let key = row.encoded_key();
        let found = Row::from_versions(key.clone(), self.view.at(at).chain(key)?)?;
        Ok(found.is_some_and(|found| {
            found.seq == row.seq && found.time == row.time && found.document() == row.document()
        }))
    }
}
