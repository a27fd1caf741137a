//! What JavaScript may say when it opens a database.

use driftdb_core::db::{Durability, Options};
use driftdb_core::value::{Object, Value};
use driftdb_core::{Code, Error, Result};

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The engine's own.
    pub engine: Options,
    /// Make the database if there is none.
    pub create: bool,
    /// For reading only.
    pub read_only: bool,
}

/// Reads the options; what is not said is as it is by default.
///
/// # Errors
/// `Code::InvalidValue` for a name that is no option and a value that it cannot have.
pub fn read(options: &Object) -> Result<OpenOptions> {
    let mut read = OpenOptions {
        engine: Options::default(),
        create: true,
        read_only: false,
    };
    for (name, value) in options.iter() {
        let refused = || Error::new(Code::InvalidValue, format!("{name} cannot be {value}"));
        let flag = || match value {
            Value::Bool(flag) => Ok(*flag),
            _ => Err(refused()),
        };
        let number = || {
            let number = value.as_i64().and_then(|number| u64::try_from(number).ok());
            number.ok_or_else(refused)
        };
        let count = || usize::try_from(number()?).map_err(|_| refused());
        let engine = &mut read.engine;
        match name {
            "create" => read.create = flag()?,
            "readOnly" => read.read_only = flag()?,
            "durability" => {
                engine.durability = match value.as_str() {
                    Some("commit") => Durability::Commit,
                    Some("batch") => Durability::Batch,
                    _ => return Err(refused().hint("\"commit\" or \"batch\"")),
                }
            }
            "segmentBytes" => engine.segment_bytes = number()?,
            "memtableEvents" => engine.memtable_events = count()?,
            "memtableBytes" => engine.memtable_bytes = count()?,
            "snapshotEvents" => engine.snapshot_events = number()?,
            "snapshotBytes" => engine.snapshot_bytes = number()?,
            "mergeFan" => engine.merge_fan = count()?.max(2),
            "cacheBytes" => engine.cache_bytes = count()?,
            "deltaBytes" => engine.delta_bytes = count()?,
            "replayEventsMax" => engine.replay_events_max = count()?,
            _ => {
                let message = format!("there is no option {name}");
                return Err(Error::new(Code::InvalidValue, message));
            }
        }
    }
    Ok(read)
}
