//! The last file of a backup: which moment it is of, and every file before it with its exact length and checksum.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::db::marker::MARKER;
use crate::error::{Code, Error, Result};
use crate::log::segment::segment_number;
use crate::table::{name, sealed};
use crate::time::{Seq, Timestamp};
use crate::value::{Object, Value};

/// Its path.
pub const INDEX: &str = "backup.json";
const FORMAT: i64 = 1;

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its path in the database's directory.
    pub path: String,
    /// Its length; of a segment: the end of the last transaction that counts.
    pub size: u64,
    /// The crc32 of its bytes.
    pub crc: u32,
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The last event's seq, 0 if there is none.
    pub seq: Seq,
    /// Its time.
    pub time: Timestamp,
    /// The files, in their order.
    pub members: Vec<Member>,
}

impl Index {
    /// The file's text.
    pub fn to_json(&self) -> String {
        let mut object = Object::new();
        object.insert("driftdb", "backup");
        object.insert("format", FORMAT);
        object.insert("seq", self.seq.0);
        object.insert("time", self.time.to_string());
        let member = |member: &Member| {
            Value::Array(alloc::vec![
                Value::from(member.path.as_str()),
                Value::from(member.size),
                Value::Str(format!("{:08x}", member.crc)),
            ])
        };
        let members = self.members.iter().map(member).collect();
        object.insert("files", Value::Array(members));
        sealed::seal_json(&object)
    }

    /// Reads what [`Index::to_json`] wrote.
    ///
    /// # Errors
    /// `Code::NewerFormat`, `Code::Corrupt`.
    pub fn from_json(bytes: &[u8]) -> Result<Index> {
        let object = sealed::open_json(INDEX, bytes)?;
        if let Some(Value::Int(newer)) = object.get("format")
            && *newer > FORMAT
        {
            let message = format!(
                "the backup has format {newer}; this version of DriftDB reads formats up to {FORMAT}"
            );
            return Err(Error::new(Code::NewerFormat, message).hint("read it with a newer DriftDB"));
        }
        let index = read(&object).filter(|_| object.get("format") == Some(&Value::Int(FORMAT)));
        index.ok_or_else(|| Error::corrupt(INDEX, 0, "this is no list of a backup's files"))
    }
}

fn read(object: &Object) -> Option<Index> {
    let Value::Array(files) = object.get("files")? else {
        return None;
    };
    let Value::Str(time) = object.get("time")? else {
        return None;
    };
    Some(Index {
        seq: Seq(number(object.get("seq")?)?),
        time: Timestamp::parse(time).ok()?,
        members: files.iter().map(member).collect::<Option<_>>()?,
    })
}

fn member(value: &Value) -> Option<Member> {
    let Value::Array(fields) = value else {
        return None;
    };
    let [Value::Str(path), size, Value::Str(crc)] = fields.as_slice() else {
        return None;
    };
    Some(Member {
        path: path.clone(),
        size: number(size)?,
        crc: u32::from_str_radix(crc, 16).ok()?,
    })
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(value) => u64::try_from(*value).ok(),
        Value::UInt(value) => Some(*value),
        _ => None,
    }
}

/// Where a file of this path stands among those of a backup: by table, then schema, checkpoint, segments by number; the marker is before them. `None` if
/// a backup holds no such file: no other is written anywhere.
pub fn place(path: &str) -> Option<(&str, u8, u64)> {
    if path == MARKER {
        return Some(("", 0, 0));
    }
    let (table, file) = path.strip_prefix("tables/")?.split_once('/')?;
    name::unescape(table).filter(|name| !name.is_empty())?;
    match file {
        "schema.yaml" => Some((table, 0, 0)),
        "meta.json" => Some((table, 1, 0)),
        file => Some((table, 2, segment_number(file.strip_prefix("segments/")?)?)),
    }
}

/// Whether a file may come after another, or be the first.
pub fn may_follow(before: Option<&str>, path: &str) -> bool {
    match before {
        None => path == MARKER,
        Some(before) => place(path).is_some_and(|this| place(before) < Some(this)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_index_comes_back() {
        let index = Index {
            seq: Seq(u64::MAX),
            time: Timestamp(1_767_225_600_123),
            members: alloc::vec![Member {
                path: "tables/%41/segments/00000001.seg".into(),
                size: u64::MAX,
                crc: 7
            }],
        };
        let text = index.to_json();
        assert_eq!(Index::from_json(text.as_bytes()).unwrap(), index);
    }

    #[test]
    fn a_newer_index_is_refused_as_newer() {
        let mut object = Object::new();
        object.insert("driftdb", "backup");
        object.insert("format", FORMAT + 1);
        let error = Index::from_json(sealed::seal_json(&object).as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::NewerFormat);
    }

    #[test]
    fn files_of_a_database_have_an_order() {
        let ordered = [
            "drift.json",
            "tables/%41b/schema.yaml",
            "tables/%41b/meta.json",
            "tables/%41b/segments/00000009.seg",
            "tables/%41b/segments/00000010.seg",
            "tables/%41b/segments/100000000.seg",
            "tables/a/schema.yaml",
            "tables/a/segments/00000001.seg",
        ];
        for (at, path) in ordered.iter().enumerate() {
            assert_eq!(may_follow(None, path), at == 0, "{path}");
            for (before, other) in ordered.iter().enumerate() {
                assert_eq!(
                    may_follow(Some(other), path),
                    before < at,
                    "{other}, {path}"
                );
            }
        }
    }

    #[test]
    fn other_files_have_none() {
        for path in [
            "",
            "backup.json",
            "LOCK",
            "journal",
            "tables",
            "tables/a",
            "tables//schema.yaml",
            "tables/a/x",
            "tables/../schema.yaml",
            "tables/A/schema.yaml",
            "tables/a/segments/1.seg",
            "tables/a/segments/../../x",
            "/drift.json",
            "./drift.json",
            "tables/a/segments/00000000.seg",
        ] {
            assert_eq!(place(path), None, "{path}");
        }
    }
}
