//! [`Line`]: one line of a dump, in the JSON Lines form that `dump` writes, `load` reads and `tail` streams. Pure functions on text.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{Code, Error, Result};
use crate::time::{Seq, Timestamp};
use crate::value::{Key, Object, Value, json};

/// The version of the form; stands in the first line.
pub const VERSION: u64 = 1;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// `{"driftdb": 1}`: the first line of a dump.
    Header,
    /// `{"create": "orders", "pk": "id", "index": ["status"]}`
    Create {
        /// The table's name.
        table: String,
        /// The member that is the primary key.
        pk: String,
        /// The indexed members.
        index: Vec<String>,
    },
    /// `{"table": "orders", "op": "insert", "key": .., "doc": {..}, "seq": 1, "ts": ".."}` and the other operations.
    Event(Event),
    /// `{"table": "orders", "horizon": 100, "ts": ".."}`: what came before in this table was dropped by a compaction.
    Horizon {
        /// The table's name.
        table: String,
        /// The horizon's seq.
        seq: Seq,
        /// The horizon's time.
        time: Timestamp,
    },
}

/// A line with an operation on one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The table's name.
    pub table: String,
    /// What is done.
    pub op: Op,
    /// The row's key; may be left out where the document has it.
    pub key: Option<Key>,
    /// The event's seq; the next one if it is left out.
    pub seq: Option<Seq>,
    /// The event's time; the clock's if it is left out.
    pub time: Option<Timestamp>,
    /// The transaction's metadata.
    pub meta: Option<Object>,
    /// Whether the next event belongs to the same transaction.
    pub more: bool,
}

/// What an event does to its row.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// `insert`: a new row, or a new life of a deleted one.
    Insert(Object),
    /// `restore`: a live row becomes this document.
    Restore(Object),
    /// `patch`: a merge patch of a live row.
    Patch(Object),
    /// `delete`: the end of a live row.
    Delete,
}

impl Op {
    /// The operation's name in a line.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Insert(_) => "insert",
            Op::Restore(_) => "restore",
            Op::Patch(_) => "patch",
            Op::Delete => "delete",
        }
    }
}

/// Appends the line to `out`, without a line break at its end.
pub fn write(line: &Line, out: &mut String) {
    let mut members = Members {
        out,
        started: false,
    };
    match line {
        Line::Header => members.add("driftdb", &VERSION.into()),
        Line::Create { table, pk, index } => {
            members.text("create", table);
            members.text("pk", pk);
            members.add("index", &index.clone().into());
        }
        Line::Event(event) => event_members(event, &mut members),
        Line::Horizon { table, seq, time } => {
            members.text("table", table);
            members.add("horizon", &seq.0.into());
            members.raw("ts", &format!("\"{time}\""));
        }
    }
    members.end();
}

fn event_members(event: &Event, members: &mut Members<'_>) {
    members.text("table", &event.table);
    members.text("op", event.op.name());
    if let Some(key) = &event.key {
        members.raw("key", &format!("{key}"));
    }
    match &event.op {
        Op::Insert(document) | Op::Restore(document) => members.raw("doc", &format!("{document}")),
        Op::Patch(patch) => members.raw("patch", &format!("{patch}")),
        Op::Delete => {}
    }
    if let Some(seq) = event.seq {
        members.add("seq", &seq.0.into());
    }
    if let Some(time) = event.time {
        members.raw("ts", &format!("\"{time}\""));
    }
    if let Some(meta) = &event.meta {
        meta_members(meta, members);
    }
    if event.more {
        members.add("more", &Value::Bool(true));
    }
}

/// Metadata on a line: `by` and `why` stand on their own, the rest under `meta`. Where that would lose the order of
/// the members (they are not first, or in the other order) or leave nothing to write, `meta` holds all of them.
fn meta_members(meta: &Object, members: &mut Members<'_>) {
    for name in SHORT {
        if let Some(value) = meta.get(name) {
            members.add(name, value);
        }
    }
    let shorts = SHORT.iter().filter(|name| meta.contains(name));
    let in_order = shorts
        .clone()
        .copied()
        .eq(meta.iter().map(|(name, _)| name).take(shorts.count()));
    let rest = meta
        .iter()
        .filter(|(name, _)| !in_order || !SHORT.contains(name));
    let rest: Object = rest.map(|(name, value)| (name, value.clone())).collect();
    if !rest.is_empty() || meta.is_empty() {
        members.raw("meta", &format!("{rest}"));
    }
}

/// The metadata members that stand on their own in a line, in this order.
const SHORT: [&str; 2] = ["by", "why"];

/// The members of the object that is being written.
struct Members<'a> {
    out: &'a mut String,
    started: bool,
}

impl Members<'_> {
    fn raw(&mut self, name: &str, json: &str) {
        self.out.push_str(if self.started { ", \"" } else { "{\"" });
        self.started = true;
        self.out.push_str(name);
        self.out.push_str("\": ");
        self.out.push_str(json);
    }

    fn add(&mut self, name: &str, value: &Value) {
        self.raw(name, &format!("{value}"));
    }

    fn text(&mut self, name: &str, text: &str) {
        self.add(name, &text.into());
    }

    fn end(self) {
        self.out.push_str(if self.started { "}" } else { "{}" });
    }
}

/// Reads one line. What is not understood is an error, a member nobody asked for included.
pub fn parse(text: &str) -> Result<Line> {
    let Value::Object(object) = json::parse(text)? else {
        return Err(bad("a line must be a JSON object"));
    };
    let mut fields = Fields(object);
    let line = if let Some(version) = fields.take("driftdb") {
        header(&version)?
    } else if let Some(table) = fields.take("create") {
        let table = text_of("create", table)?;
        Line::Create {
            table,
            pk: fields.text("pk")?,
            index: fields.names("index")?,
        }
    } else {
        let table = fields.text("table")?;
        match fields.take("horizon") {
            Some(seq) => {
                let time = fields.time()?.ok_or_else(|| missing("ts"))?;
                Line::Horizon {
                    table,
                    seq: seq_of("horizon", &seq)?,
                    time,
                }
            }
            None => Line::Event(event(table, &mut fields)?),
        }
    };
    fields.end()?;
    Ok(line)
}

fn header(version: &Value) -> Result<Line> {
    match version {
        Value::Int(1) => Ok(Line::Header),
        Value::Int(2..) | Value::UInt(_) => Err(Error::new(
            Code::NewerFormat,
            format!(
                "the event lines are of version {version}; this program reads version {VERSION}"
            ),
        )
        .hint("use a newer driftdb")),
        other => Err(bad(format!("{other} is not a version of event lines"))),
    }
}

fn event(table: String, fields: &mut Fields) -> Result<Event> {
    let name = fields.text("op")?;
    let op = match name.as_str() {
        "insert" => Op::Insert(fields.object("doc")?),
        "restore" => Op::Restore(fields.object("doc")?),
        "patch" => Op::Patch(fields.object("patch")?),
        "delete" => Op::Delete,
        _ => {
            let message = format!("unknown op \"{name}\": insert, patch, delete and restore exist");
            return Err(bad(message));
        }
    };
    let key = fields
        .take("key")
        .map(|key| Key::from_value(&key))
        .transpose()?;
    if key.is_none() && matches!(op, Op::Patch(_) | Op::Delete) {
        return Err(missing("key"));
    }
    let seq = fields
        .take("seq")
        .map(|seq| seq_of("seq", &seq))
        .transpose()?;
    let time = fields.time()?;
    let meta = fields.meta()?;
    let more = match fields.take("more") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(other) => return Err(wrong("more", "true or false", &other)),
    };
    Ok(Event {
        table,
        op,
        key,
        seq,
        time,
        meta,
        more,
    })
}

/// The members of a line that have not been taken yet.
struct Fields(Object);

impl Fields {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    fn text(&mut self, name: &str) -> Result<String> {
        text_of(name, self.take(name).ok_or_else(|| missing(name))?)
    }

    fn object(&mut self, name: &str) -> Result<Object> {
        match self.take(name) {
            Some(Value::Object(object)) => Ok(object),
            Some(other) => Err(wrong(name, "an object", &other)),
            None => Err(missing(name)),
        }
    }

    fn names(&mut self, name: &str) -> Result<Vec<String>> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values
                .into_iter()
                .map(|value| text_of(name, value))
                .collect(),
            Some(other) => Err(wrong(name, "an array of names", &other)),
        }
    }

    /// The time under `ts`: RFC 3339, or unix milliseconds.
    fn time(&mut self) -> Result<Option<Timestamp>> {
        match self.take("ts") {
            None => Ok(None),
            Some(Value::Str(text)) => Timestamp::parse(&text).map(Some),
            Some(Value::Int(millis)) => match u64::try_from(millis) {
                Ok(millis) if millis <= crate::limits::TIMESTAMP_MAX => Ok(Some(Timestamp(millis))),
                _ => Err(Error::new(
                    Code::OutOfRange,
                    format!("the time {millis} is out of range"),
                )),
            },
            Some(other) => Err(wrong("ts", "a time or unix milliseconds", &other)),
        }
    }

    /// `by`, `why` and `meta` together: `meta`'s members in their order, before them those it does not have.
    fn meta(&mut self) -> Result<Option<Object>> {
        let shorts = SHORT.map(|name| (name, self.take(name)));
        let rest = match self.take("meta") {
            None if shorts.iter().all(|(_, value)| value.is_none()) => return Ok(None),
            None => Object::new(),
            Some(Value::Object(object)) => object,
            Some(other) => return Err(wrong("meta", "an object", &other)),
        };
        let mut meta = Object::new();
        for (name, value) in shorts {
            match (value, rest.get(name)) {
                (Some(value), Some(other)) if value != *other => {
                    return Err(bad(format!("\"{name}\" is given twice, and not the same")));
                }
                (Some(value), None) => {
                    meta.insert(name, value);
                }
                _ => {}
            }
        }
        for (name, value) in rest {
            meta.insert(name, value);
        }
        Ok(Some(meta))
    }

    /// An error if anything is left.
    fn end(self) -> Result<()> {
        match self.0.iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(bad(format!("unknown member \"{name}\""))),
        }
    }
}

fn text_of(name: &str, value: Value) -> Result<String> {
    match value {
        Value::Str(text) => Ok(text),
        other => Err(wrong(name, "a string", &other)),
    }
}

fn seq_of(name: &str, value: &Value) -> Result<Seq> {
    let number = match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::UInt(number) => Some(*number),
        _ => None,
    };
    number
        .map(Seq)
        .ok_or_else(|| wrong(name, "a whole number from 0 on", value))
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(Code::InvalidInput, message)
}

fn missing(name: &str) -> Error {
    bad(format!("the member \"{name}\" is missing"))
}

fn wrong(name: &str, expected: &str, found: &Value) -> Error {
    bad(format!(
        "\"{name}\" must be {expected}, not {}",
        found.kind()
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn round(text: &str) {
        let line = parse(text).unwrap();
        let mut out = String::new();
        write(&line, &mut out);
        assert_eq!(out, text);
        assert_eq!(parse(&out).unwrap(), line);
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in [
            r#"{"driftdb": 1}"#,
            r#"{"create": "orders", "pk": "id", "index": ["status","a.b"]}"#,
            r#"{"create": "orders", "pk": "id", "index": []}"#,
            r#"{"table": "t", "op": "insert", "key": "a", "doc": {"id":"a","n":[1,2.0]}, "seq": 1, "ts": "2026-01-01T00:00:00.000Z"}"#,
            r#"{"table": "t", "op": "patch", "key": 7, "patch": {"n":null}, "seq": 2, "ts": "2026-01-01T00:00:00.001Z", "by": "ann", "why": "x", "more": true}"#,
            r#"{"table": "t", "op": "delete", "key": 7, "by": "ann", "meta": {"ticket":12}}"#,
            r#"{"table": "t", "op": "restore", "doc": {"id":1}}"#,
            r#"{"table": "t", "horizon": 100, "ts": "2026-01-01T00:00:00.000Z"}"#,
        ] {
            round(text);
        }
    }

    #[test]
    fn metadata_keeps_its_order() {
        round(r#"{"table": "t", "op": "delete", "key": 7, "by": 1, "meta": {"x":0,"by":1}}"#);
        round(r#"{"table": "t", "op": "delete", "key": 7, "meta": {}}"#);
        let both = r#"{"table": "t", "op": "delete", "key": 7, "by": 1, "why": "w", "meta": {"why":"w","by":1}}"#;
        round(both);
        let Line::Event(event) = parse(both).unwrap() else {
            panic!("an event")
        };
        let names: Vec<_> = event
            .meta
            .iter()
            .flat_map(Object::iter)
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["why", "by"]);
    }

    #[test]
    fn times_may_be_milliseconds() {
        let line = parse(r#"{"table":"t","op":"delete","key":1,"ts":1767225600000}"#).unwrap();
        let Line::Event(event) = line else {
            panic!("an event")
        };
        assert_eq!(event.time, Some(Timestamp(1_767_225_600_000)));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for (text, says) in [
            ("[1]", "must be a JSON object"),
            ("{", ""),
            ("{}", "\"table\" is missing"),
            (r#"{"driftdb": 2}"#, "version 2"),
            (r#"{"driftdb": 0}"#, "0 is not a version"),
            (r#"{"driftdb": 1, "x": 1}"#, "unknown member \"x\""),
            (r#"{"create": "t"}"#, "\"pk\" is missing"),
            (
                r#"{"create": "t", "pk": "id", "index": "a"}"#,
                "an array of names",
            ),
            (r#"{"table": "t"}"#, "\"op\" is missing"),
            (
                r#"{"table": "t", "op": "upsert", "doc": {}}"#,
                "unknown op \"upsert\"",
            ),
            (
                r#"{"table": "t", "op": "insert", "key": 1}"#,
                "\"doc\" is missing",
            ),
            (
                r#"{"table": "t", "op": "insert", "doc": [1]}"#,
                "must be an object, not an array",
            ),
            (
                r#"{"table": "t", "op": "patch", "patch": {}}"#,
                "\"key\" is missing",
            ),
            (r#"{"table": "t", "op": "delete"}"#, "\"key\" is missing"),
            (r#"{"table": "t", "op": "delete", "key": 1.5}"#, ""),
            (
                r#"{"table": "t", "op": "delete", "key": 1, "doc": {}}"#,
                "unknown member \"doc\"",
            ),
            (
                r#"{"table": "t", "op": "delete", "key": 1, "seq": -1}"#,
                "from 0 on",
            ),
            (
                r#"{"table": "t", "op": "delete", "key": 1, "ts": "soon"}"#,
                "",
            ),
            (
                r#"{"table": "t", "op": "delete", "key": 1, "ts": -5}"#,
                "out of range",
            ),
            (
                r#"{"table": "t", "op": "delete", "key": 1, "more": 1}"#,
                "true or false",
            ),
            (
                r#"{"table": "t", "op": "delete", "key": 1, "by": "a", "meta": {"by": "b"}}"#,
                "given twice",
            ),
            (r#"{"table": "t", "horizon": 3}"#, "\"ts\" is missing"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message().contains(says), "{text}: {error}");
        }
    }
}
