//! `meta.json`: where replay starts and which derived files there are. Itself derived: without it, or with an older one, opening is slower
//! and every answer the same.

use alloc::string::String;
use alloc::vec::Vec;

use super::requests::{Answered, Requests};
use super::sealed;
use super::stamp::Request;
use crate::error::Result;
use crate::log::{Checkpoint, Horizon, LogHints, LogReader, Position, SegmentInfo};
use crate::time::{Seq, Timestamp};
use crate::value::{Object, Value};

const FORMAT: u64 = 1;

/// What meta.json says of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMeta {
    /// The run's number, unique in the table.
    pub id: u64,
    /// First seq that it covers.
    pub min_seq: Seq,
    /// Last seq that it covers, inclusive.
    pub max_seq: Seq,
}

/// What meta.json says of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// The log's segments and checkpoint.
    pub hints: LogHints,
    /// Runs of the primary-key index, then of each secondary index, oldest first.
    pub runs: Vec<Vec<RunMeta>>,
    /// Seqs of the snapshots, oldest first.
    pub snapshots: Vec<Seq>,
    /// The last number that a run was given.
    pub last_run: u64,
    /// How many events the log has up to the checkpoint.
    pub events: u64,
    /// How many bytes of frames the log has up to the checkpoint.
    pub log_bytes: u64,
    /// The last requests of clients that had been answered when the file was written.
    pub requests: Requests,
}

impl Meta {
    /// What is known of a log that has just been copied: its exact ends, and nothing derived. The same for the same log, whatever else was known of it.
    pub fn of_copy(
        reader: &LogReader,
        ends: &[(u64, u64)],
        indexes: usize,
        requests: Requests,
    ) -> Meta {
        let segment = |&(number, end): &(u64, u64)| SegmentInfo {
            number,
            end,
            first: None,
            last: None,
        };
        Meta {
            hints: LogHints {
                generation: reader.generation(),
                horizon: reader.horizon(),
                segments: ends.iter().map(segment).collect(),
                ..LogHints::default()
            },
            runs: alloc::vec![Vec::new(); indexes + 1],
            requests,
            ..Meta::default()
        }
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        let mut object = Object::new();
        object.insert("format", FORMAT);
        object.insert("generation", self.hints.generation);
        object.insert(
            "horizon",
            stamp(self.hints.horizon.seq, self.hints.horizon.time),
        );
        let checkpoint = self.hints.checkpoint.map_or(Value::Null, |checkpoint| {
            let mut object = position(checkpoint.position);
            object.insert("seq", checkpoint.seq.0);
            object.insert("time", checkpoint.time.0);
            Value::Object(object)
        });
        object.insert("checkpoint", checkpoint);
        object.insert(
            "relaxed_from",
            self.hints
                .relaxed_from
                .map_or(Value::Null, |at| Value::Object(position(at))),
        );
        object.insert(
            "segments",
            Value::Array(self.hints.segments.iter().map(segment).collect()),
        );
        let runs = self
            .runs
            .iter()
            .map(|runs| Value::Array(runs.iter().map(run).collect()))
            .collect();
        object.insert("runs", Value::Array(runs));
        object.insert(
            "snapshots",
            Value::Array(
                self.snapshots
                    .iter()
                    .map(|seq| Value::from(seq.0))
                    .collect(),
            ),
        );
        object.insert("last_run", self.last_run);
        object.insert("events", self.events);
        object.insert("log_bytes", self.log_bytes);
        let requests = self.requests.iter().map(request).collect();
        object.insert("requests", Value::Array(requests));
        sealed::seal_json(&object)
    }

    /// Reads what [`Meta::to_json`] wrote. `None` if it is anything else: it is then as if there were none.
    pub fn from_json(path: &str, bytes: &[u8]) -> Option<Meta> {
        Meta::read(&sealed::open_json(path, bytes).ok()?)
    }

    fn read(object: &Object) -> Option<Meta> {
        if number(object, "format")? != FORMAT {
            return None;
        }
        let optional = |name: &str| {
            object
                .get(name)
                .filter(|value| !value.is_null())
                .map(|value| value.as_object())
        };
        let checkpoint = match optional("checkpoint") {
            Some(found) => {
                let found = found?;
                Some(Checkpoint {
                    position: read_position(found)?,
                    seq: Seq(number(found, "seq")?),
                    time: Timestamp(number(found, "time")?),
                })
            }
            None => None,
        };
        let relaxed_from = match optional("relaxed_from") {
            Some(found) => Some(read_position(found?)?),
            None => None,
        };
        let (seq, time) = read_stamp(object.get("horizon")?)?;
        let hints = LogHints {
            generation: number(object, "generation")?,
            horizon: Horizon { seq, time },
            checkpoint,
            segments: array(object, "segments")?
                .iter()
                .map(read_segment)
                .collect::<Option<_>>()?,
            relaxed_from,
        };
        let runs = array(object, "runs")?.iter().map(|runs| match runs {
            Value::Array(runs) => runs.iter().map(read_run).collect::<Option<Vec<_>>>(),
            _ => None,
        });
        Some(Meta {
            hints,
            runs: runs.collect::<Option<_>>()?,
            snapshots: array(object, "snapshots")?
                .iter()
                .map(|seq| as_u64(seq).map(Seq))
                .collect::<Option<_>>()?,
            last_run: number(object, "last_run")?,
            events: number(object, "events")?,
            log_bytes: number(object, "log_bytes")?,
            requests: read_requests(array(object, "requests")?)?,
        })
    }
}

fn position(at: Position) -> Object {
    let mut object = Object::new();
    object.insert("segment", at.segment);
    object.insert("offset", at.offset);
    object
}

fn read_position(object: &Object) -> Option<Position> {
    Some(Position {
        segment: number(object, "segment")?,
        offset: number(object, "offset")?,
    })
}

fn stamp(seq: Seq, time: Timestamp) -> Value {
    Value::Array(alloc::vec![Value::from(seq.0), Value::from(time.0)])
}

fn read_stamp(value: &Value) -> Option<(Seq, Timestamp)> {
    match value {
        Value::Array(pair) => match pair.as_slice() {
            [seq, time] => Some((Seq(as_u64(seq)?), Timestamp(as_u64(time)?))),
            _ => None,
        },
        _ => None,
    }
}

fn segment(info: &SegmentInfo) -> Value {
    let end =
        |end: Option<(Seq, Timestamp)>| end.map_or(Value::Null, |(seq, time)| stamp(seq, time));
    let mut object = Object::new();
    object.insert("number", info.number);
    object.insert("end", info.end);
    object.insert("first", end(info.first));
    object.insert("last", end(info.last));
    Value::Object(object)
}

fn read_segment(value: &Value) -> Option<SegmentInfo> {
    let object = value.as_object()?;
    let end = |name: &str| match object.get(name)? {
        Value::Null => Some(None),
        value => Some(Some(read_stamp(value)?)),
    };
    Some(SegmentInfo {
        number: number(object, "number")?,
        end: number(object, "end")?,
        first: end("first")?,
        last: end("last")?,
    })
}

fn run(run: &RunMeta) -> Value {
    Value::Array(alloc::vec![
        Value::from(run.id),
        Value::from(run.min_seq.0),
        Value::from(run.max_seq.0)
    ])
}

fn read_run(value: &Value) -> Option<RunMeta> {
    match value {
        Value::Array(run) => match run.as_slice() {
            [id, min, max] => Some(RunMeta {
                id: as_u64(id)?,
                min_seq: Seq(as_u64(min)?),
                max_seq: Seq(as_u64(max)?),
            }),
            _ => None,
        },
        _ => None,
    }
}

fn request((client, answered): (&str, Answered)) -> Value {
    Value::Array(alloc::vec![
        Value::from(client),
        Value::from(answered.number),
        Value::from(answered.seq.0),
    ])
}

fn read_requests(values: &[Value]) -> Option<Requests> {
    let mut requests = Requests::default();
    for value in values {
        let Value::Array(fields) = value else {
            return None;
        };
        let [Value::Str(client), number, seq] = fields.as_slice() else {
            return None;
        };
        let request = Request {
            client: client.clone(),
            number: as_u64(number)?,
        };
        requests.note(&request, Seq(as_u64(seq)?));
    }
    Some(requests)
}

fn array<'a>(object: &'a Object, name: &str) -> Option<&'a [Value]> {
    match object.get(name)? {
        Value::Array(values) => Some(values),
        _ => None,
    }
}

fn number(object: &Object, name: &str) -> Option<u64> {
    as_u64(object.get(name)?)
}

fn as_u64(value: &Value) -> Option<u64> {
    match value {
        Value::Int(value) => u64::try_from(*value).ok(),
        Value::UInt(value) => Some(*value),
        _ => None,
    }
}

/// The path of a table's meta.json.
pub fn path(dir: &str) -> String {
    alloc::format!("{dir}/meta.json")
}

/// The meta.json of a table, if there is one that can be read.
pub fn load(store: &dyn crate::storage::Store, dir: &str) -> Result<Option<Meta>> {
    let path = path(dir);
    Ok(store
        .read(&path)?
        .and_then(|bytes| Meta::from_json(&path, &bytes)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn meta_comes_back() {
        let mut requests = Requests::default();
        let request = Request {
            client: "a \"tab\"".into(),
            number: u64::MAX,
        };
        requests.note(&request, Seq(3));
        let meta = Meta {
            hints: LogHints {
                generation: 2,
                horizon: Horizon {
                    seq: Seq(3),
                    time: Timestamp(4),
                },
                checkpoint: Some(Checkpoint {
                    position: Position::new(1, 80),
                    seq: Seq(u64::MAX),
                    time: Timestamp(9),
                }),
                segments: alloc::vec![SegmentInfo {
                    number: 1,
                    end: 99,
                    first: Some((Seq(1), Timestamp(2))),
                    last: None
                }],
                relaxed_from: Some(Position::new(1, 90)),
            },
            runs: alloc::vec![
                alloc::vec![RunMeta {
                    id: 1,
                    min_seq: Seq(1),
                    max_seq: Seq(7)
                }],
                Vec::new()
            ],
            snapshots: alloc::vec![Seq(5)],
            last_run: 8,
            events: 5,
            log_bytes: 400,
            requests,
        };
        assert_eq!(
            Meta::from_json("meta.json", meta.to_json().as_bytes()),
            Some(meta)
        );
    }
}
