//! What statements read and what commits change: enough to tell whose answers may be other ones now. Both may be said too large, never too small.

use alloc::string::String;
use alloc::vec::Vec;

use super::Database;
use crate::error::{Code, Result};
use crate::ql::ast::{Kind, Statement, Term};
use crate::ql::{Access, Params};
use crate::time::Point;
use crate::value::Key;

/// Of a table in which more rows are changed between two looks, it is only said that it has changed.
const KEYS_MAX: usize = 256;

/// What a statement's answer depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Nothing that can change.
    Nothing,
    /// Rows of a table.
    Rows(String, Keys),
    /// Anything.
    Everything,
}

/// Rows of a table, by their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Those with these keys, encoded.
    These(Vec<Vec<u8>>),
    /// Any of them.
    All,
}

/// What has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched(Vec<(String, Keys)>);

impl Keys {
    fn of(keys: &[Key]) -> Keys {
        let encoded = keys.iter().map(|key| {
            let mut bytes = Vec::new();
            key.encode(&mut bytes);
            bytes
        });
        Keys::These(encoded.collect())
    }

    fn meets(&self, other: &Keys) -> bool {
        match (self, other) {
            (Keys::These(one), Keys::These(other)) => one.iter().any(|key| other.contains(key)),
            (Keys::These(keys), Keys::All) | (Keys::All, Keys::These(keys)) => !keys.is_empty(),
            (Keys::All, Keys::All) => true,
        }
    }
}

impl Touched {
    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it may have changed what a statement answers.
    pub fn meets(&self, reads: &Reads) -> bool {
        match reads {
            Reads::Nothing => false,
            Reads::Everything => !self.is_empty(),
            Reads::Rows(table, keys) => {
                let mut tables = self.0.iter();
                tables.any(|(name, here)| name == table && here.meets(keys))
            }
        }
    }

    /// Does something with what has changed of a table.
    fn with(&mut self, table: &str, change: impl FnOnce(&mut Keys)) {
        match self.0.iter_mut().find(|(name, _)| name == table) {
            Some((_, keys)) => change(keys),
            None => {
                let mut keys = Keys::These(Vec::new());
                change(&mut keys);
                self.0.push((table.into(), keys));
            }
        }
    }

    /// A row has changed.
    pub(super) fn key(&mut self, table: &str, key: &[u8]) {
        self.with(table, |changed| match changed {
            Keys::All => {}
            Keys::These(keys) if keys.len() < KEYS_MAX => keys.push(key.into()),
            all => *all = Keys::All,
        });
    }

    /// All of a table has changed.
    pub(super) fn table(&mut self, table: &str) {
        self.with(table, |changed| *changed = Keys::All);
    }

    pub(super) fn add(&mut self, other: Touched) {
        for (table, keys) in other.0 {
            match keys {
                Keys::All => self.table(&table),
                Keys::These(keys) => keys.iter().for_each(|key| self.key(&table, key)),
            }
        }
    }
}

impl Database {
    /// From now on notes what commits change, for [`Database::take_touched`]; or does so no longer.
    pub fn note_touched(&mut self, noting: bool) {
        self.touched = noting.then(Touched::default);
    }

    /// What was committed since this was asked last, if that is noted.
    pub fn take_touched(&mut self) -> Touched {
        self.touched
            .as_mut()
            .map(core::mem::take)
            .unwrap_or_default()
    }

    /// What a statement's answer depends on.
    ///
    /// # Errors
    /// Those of planning the statement. A table that is not there is none: it may come.
    pub fn reads(&mut self, statement: &Statement, params: &Params) -> Result<Reads> {
        let Some(table) = statement.kind.table() else {
            return Ok(Reads::Everything);
        };
        let (at, keys) = match &statement.kind {
            Kind::Select(select) => (select.at.as_ref(), None),
            Kind::ShowDrift { key, at, .. } => (at.as_ref(), Some(key)),
            Kind::Diff { from, to, key, .. } if self.is_past(from, params)? => {
                (Some(to), key.as_ref())
            }
            _ => (None, None),
        };
        if let Some(at) = at
            && self.is_past(at, params)?
        {
            return Ok(Reads::Nothing);
        }
        let keys = match (&statement.kind, keys) {
            (_, Some(key)) => Keys::of(&[key.key(params)?]),
            (Kind::Select(select), _) => match self.view(&table.text, None) {
                Ok(view) => match Access::choose(&view, select.filter.as_ref(), params)? {
                    Access::Nothing => Keys::of(&[]),
                    Access::Keys(keys) => Keys::of(&keys),
                    _ => Keys::All,
                },
                Err(error) if error.code() == Code::UnknownTable => Keys::All,
                Err(error) => return Err(error),
            },
            _ => Keys::All,
        };
        Ok(Reads::Rows(table.text.clone(), keys))
    }

    /// Whether nothing that is committed from now on can belong to a point.
    fn is_past(&self, point: &Term, params: &Params) -> Result<bool> {
        let (seq, time) = self.head;
        Ok(match point.point(params)? {
            Point::Seq(point) => point <= seq,
            // The next commit may have the time of the last one.
            Point::Time(point) => point < time,
        })
    }
}
