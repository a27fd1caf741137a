//! Files of index runs: their names, writing one, finding one again.
//!
//! A run is `indexes/COLUMN.N.idx`; the oldest one of an index is `indexes/COLUMN.idx`. What counts is the identity in the footer: a file is the run
//! that meta.json means if kind, index, number, generation and range of seqs agree.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::env::Env;
use super::meta::RunMeta;
use super::name::escape;
use super::schema::Schema;
use super::sources::Run;
use crate::error::{Code, Error, Result};
use crate::sorted::{Builder, Identity, Kind, Options, SortedTable};
use crate::storage::Access;
use crate::time::Seq;

/// Which index of a table: the primary key's, or a secondary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// The primary key's: every version of every row.
    Primary,
    /// A secondary one, by its number in the schema.
    Secondary(usize),
}

impl Index {
    /// All indexes of a table.
    pub fn all(schema: &Schema) -> impl Iterator<Item = Index> + use<> {
        core::iter::once(Index::Primary).chain((0..schema.indexes.len()).map(Index::Secondary))
    }

    fn kind(self) -> Kind {
        match self {
            Index::Primary => Kind::PrimaryIndex,
            Index::Secondary(_) => Kind::SecondaryIndex,
        }
    }

    fn column(self, schema: &Schema) -> &str {
        match self {
            Index::Primary => &schema.primary_key,
            Index::Secondary(number) => schema.indexes.get(number).map_or("", String::as_str),
        }
    }
}

/// The directory of a table's runs.
pub fn index_dir(dir: &str) -> String {
    format!("{dir}/indexes")
}

/// The path of the oldest run of an index.
pub fn oldest_path(dir: &str, schema: &Schema, index: Index) -> String {
    format!("{}/{}.idx", index_dir(dir), escape(index.column(schema)))
}

/// The path of any other run.
pub fn numbered_path(dir: &str, schema: &Schema, index: Index, id: u64) -> String {
    format!(
        "{}/{}.{id}.idx",
        index_dir(dir),
        escape(index.column(schema))
    )
}

/// The identity that a run's footer has.
pub fn identity(schema: &Schema, index: Index, generation: u64, run: &RunMeta) -> Identity {
    let extra: Vec<u8> = index.column(schema).into();
    Identity {
        kind: index.kind(),
        id: run.id,
        generation,
        min_seq: run.min_seq.0,
        max_seq: run.max_seq.0,
        entries: 0,
        extra,
    }
}

/// A run that is being written.
pub struct RunWriter {
    builder: Builder,
    path: String,
    meta: RunMeta,
}

impl RunWriter {
    /// Starts a run in an empty file, replacing what a crash left there.
    pub fn create(env: &Env, path: String, identity: Identity, compress: bool) -> Result<Self> {
        let latch = env.latch()?;
        let meta = RunMeta {
            id: identity.id,
            min_seq: Seq(identity.min_seq),
            max_seq: Seq(identity.max_seq),
        };
        latch.remove(&*env.store, &path)?;
        let blob = latch.create(&*env.store, &path)?;
        Ok(RunWriter {
            builder: Builder::new(blob, path.clone(), identity, Options::index(compress)),
            path,
            meta,
        })
    }

    /// Adds an entry, keys ascending.
    pub fn add(&mut self, key: &[u8], filter_len: usize, value: &[u8]) -> Result<()> {
        self.builder.add(key, filter_len, value)
    }

    /// Ends and syncs the file and opens it as a run.
    pub fn finish(self, env: &Env) -> Result<Run> {
        env.latch()?.run(|| self.builder.finish())?;
        let file = open_file(env, &self.path)?.ok_or_else(|| {
            Error::new(Code::FileMissing, "a new index run is missing").in_file(&*self.path, None)
        })?;
        Ok(as_run(file, &self.meta))
    }
}

/// The run that meta.json means; `None` if there is none, or another.
pub fn find(
    env: &Env,
    dir: &str,
    schema: &Schema,
    index: Index,
    generation: u64,
    run: &RunMeta,
) -> Result<Option<Run>> {
    let wanted = identity(schema, index, generation, run);
    for path in [
        numbered_path(dir, schema, index, run.id),
        oldest_path(dir, schema, index),
    ] {
        if let Some(file) = open_derived(env, &path)?
            && (Identity {
                entries: 0,
                ..file.identity().clone()
            }) == wanted
        {
            return Ok(Some(as_run(file, run)));
        }
    }
    Ok(None)
}

fn as_run(file: Rc<SortedTable>, meta: &RunMeta) -> Run {
    let entries = file.identity().entries;
    Run {
        file,
        id: meta.id,
        min_seq: meta.min_seq,
        max_seq: meta.max_seq,
        entries,
    }
}

/// Opens a derived file; `None` if it is missing or no whole sorted file.
pub fn open_derived(env: &Env, path: &str) -> Result<Option<Rc<SortedTable>>> {
    match open_file(env, path) {
        Err(error) if error.code() == Code::Corrupt => Ok(None),
        other => other,
    }
}

fn open_file(env: &Env, path: &str) -> Result<Option<Rc<SortedTable>>> {
    match env.store.open(path, Access::Read)? {
        Some(blob) => SortedTable::open(blob, path, env.cache.clone()).map(Some),
        None => Ok(None),
    }
}
