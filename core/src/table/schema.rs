//! What a table is: its name, primary key and indexes, kept in `schema.yaml`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::name::escape;
use super::sealed;
use crate::error::{Code, Error, Result};
use crate::limits::{INDEXES_MAX, NAME_BYTES_MAX};
use crate::value::{Value, json, path::Path};

/// A table's name, primary key and secondary indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The table's name, as written.
    pub name: String,
    /// The member that holds the key: a top-level member.
    pub primary_key: String,
    /// The indexed members' paths as written, `address.city` for a nested one.
    pub indexes: Vec<String>,
    paths: Vec<Path>,
}

impl Schema {
    /// Checks the names: `Code::InvalidValue`, `Code::Limit`.
    pub fn new(name: &str, primary_key: &str, indexes: &[String]) -> Result<Self> {
        check_name("table", name)?;
        check_name("primary key", primary_key)?;
        if indexes.len() > INDEXES_MAX {
            return Err(Error::new(
                Code::Limit,
                format!(
                    "a table has at most {INDEXES_MAX} indexes, not {}",
                    indexes.len()
                ),
            ));
        }
        let mut paths = Vec::new();
        for (at, index) in indexes.iter().enumerate() {
            check_name("index", index)?;
            if index == primary_key {
                return Err(Error::new(
                    Code::InvalidValue,
                    format!("{index} is the primary key, which has an index already"),
                ));
            }
            if indexes.iter().take(at).any(|other| other == index) {
                return Err(Error::new(
                    Code::InvalidValue,
                    format!("the index on {index} is named twice"),
                ));
            }
            paths.push(Path::parse(index)?);
        }
        Ok(Schema {
            name: name.into(),
            primary_key: primary_key.into(),
            indexes: indexes.to_vec(),
            paths,
        })
    }

    /// The indexed members' paths, in the order of [`Schema::indexes`].
    pub fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// The number of the index on a path, if there is one.
    pub fn index_on(&self, path: &Path) -> Option<usize> {
        self.paths.iter().position(|indexed| indexed == path)
    }

    /// The table's directory in the database.
    pub fn dir(&self) -> String {
        dir_of(&self.name)
    }

    /// The text of `schema.yaml`.
    pub fn to_yaml(&self) -> String {
        let mut text =
            String::from("# A DriftDB table. For people to read: a change here is refused.\n");
        text += &format!(
            "name: {}\nprimary_key: {}\n",
            quoted(&self.name),
            quoted(&self.primary_key)
        );
        if self.indexes.is_empty() {
            text += "indexes: []\n";
        } else {
            text += "indexes:\n";
            for index in &self.indexes {
                text += &format!("  - {}\n", quoted(index));
            }
        }
        sealed::seal_yaml(&text)
    }

    /// Reads what [`Schema::to_yaml`] wrote.
    pub fn from_yaml(path: &str, bytes: &[u8]) -> Result<Self> {
        let text = sealed::open_yaml(path, bytes)?;
        let unreadable = || {
            Error::new(
                Code::NewerFormat,
                "this schema has a form that this version does not know",
            )
            .in_file(path, None)
        };
        let (mut name, mut key, mut indexes) = (None, None, Vec::new());
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(rest) = line.strip_prefix("name: ") {
                name = Some(unquoted(rest).ok_or_else(unreadable)?);
            } else if let Some(rest) = line.strip_prefix("primary_key: ") {
                key = Some(unquoted(rest).ok_or_else(unreadable)?);
            } else if let Some(rest) = line.strip_prefix("  - ") {
                indexes.push(unquoted(rest).ok_or_else(unreadable)?);
            } else if line != "indexes:" && line != "indexes: []" {
                return Err(unreadable());
            }
        }
        let (name, key) = name.zip(key).ok_or_else(unreadable)?;
        Schema::new(&name, &key, &indexes)
    }
}

/// The directory of a table of this name.
pub fn dir_of(name: &str) -> String {
    format!("tables/{}", escape(name))
}

fn check_name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::new(
            Code::InvalidValue,
            format!("a {what} needs a name"),
        ));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(Error::new(
            Code::Limit,
            format!(
                "a {what} has a name of at most {NAME_BYTES_MAX} bytes, not {}",
                name.len()
            ),
        ));
    }
    Ok(())
}

/// A JSON string is a YAML double-quoted scalar.
fn quoted(name: &str) -> String {
    let mut out = String::new();
    json::write_value(&Value::Str(name.into()), &mut out);
    out
}

fn unquoted(text: &str) -> Option<String> {
    match json::parse(text) {
        Ok(Value::Str(name)) => Some(name),
        _ => None,
    }
}
