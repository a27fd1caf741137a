//! Typed writes: one event each, inside the open transaction or as a transaction of its own.

use alloc::format;
use alloc::vec::Vec;

use super::transaction::PendingEvent;
use super::{Database, Written};
use crate::error::{Code, Error, Result};
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::table::change::too_large;
use crate::table::{Intent, Wanted};
use crate::time::{Seq, Timestamp};
use crate::value::{Bytes, Key, Object, msgpack};

impl Database {
    /// Inserts a document: a new row, or a new life of a deleted one.
    ///
    /// # Errors
    /// `Code::DuplicateKey` if there is a live row with its key; `Code::InvalidKey`, `Code::Limit`, `Code::UnknownTable`.
    pub fn insert(&mut self, table: &str, document: &Object, now: Timestamp) -> Result<Written> {
        self.atomically(now, None, |db| db.put(table, Intent::Insert, document))
    }

    /// Inserts a document, or replaces the live row with its key.
    ///
    /// # Errors
    /// `Code::InvalidKey`, `Code::Limit`, `Code::UnknownTable`.
    pub fn upsert(&mut self, table: &str, document: &Object, now: Timestamp) -> Result<Written> {
        self.atomically(now, None, |db| db.put(table, Intent::Put, document))
    }

    /// Merges a patch (RFC 7396) into a row.
    ///
    /// # Errors
    /// `Code::NoSuchRow`; `Code::InvalidKey` if it changes the key; `Code::Limit`, `Code::UnknownTable`.
    pub fn patch(
        &mut self,
        table: &str,
        key: &Key,
        patch: &Object,
        now: Timestamp,
    ) -> Result<Written> {
        self.atomically(now, None, |db| db.change(table, key, patch))
    }

    /// Deletes a row; its history stays readable.
    ///
    /// # Errors
    /// `Code::NoSuchRow`, `Code::UnknownTable`.
    pub fn delete(&mut self, table: &str, key: &Key, now: Timestamp) -> Result<Written> {
        self.atomically(now, None, |db| db.event(table, Intent::Delete, key, None))
    }

    /// A document under the key that it holds.
    pub(super) fn put(&mut self, table: &str, intent: Intent, document: &Object) -> Result<()> {
        let primary_key = &self.table(table)?.schema().primary_key;
        let value = document.get(primary_key).ok_or_else(|| {
            Error::new(
                Code::InvalidKey,
                format!("the document has no member {primary_key}, the key of table {table}"),
            )
        })?;
        let key = Key::from_value(value)?;
        let body = encode(document)?;
        self.event(table, intent, &key, Some(body))
    }

    /// A patch, which may name the key but not change it.
    pub(super) fn change(&mut self, table: &str, key: &Key, patch: &Object) -> Result<()> {
        let primary_key = &self.table(table)?.schema().primary_key;
        if let Some(value) = patch.get(primary_key)
            && *value != key.to_value()
        {
            let error = Error::new(
                Code::InvalidKey,
                format!("a patch cannot change the key: {primary_key} of row {key}"),
            );
            return Err(error.hint("insert the row under its new key and delete the old one"));
        }
        let body = encode(patch)?;
        self.event(table, Intent::Patch, key, Some(body))
    }

    /// Prepares an event and applies it under the next seq of the open transaction.
    pub(super) fn event(
        &mut self,
        table: &str,
        intent: Intent,
        key: &Key,
        body: Option<Bytes>,
    ) -> Result<()> {
        let mut encoded = Vec::new();
        key.encode(&mut encoded);
        let Some(pending) = &self.pending else {
            return Err(Error::new(Code::Transaction, "no transaction is open"));
        };
        let seq = pending
            .given_seq
            .unwrap_or(Seq(pending.head(self.head).0.0 + 1));
        let wanted = Wanted {
            intent,
            key: encoded,
            body,
            meta: pending.meta.clone(),
            seq,
            time: pending.time,
        };
        let shared = match pending.events.last() {
            Some(last) if &*last.table == table => last.table.clone(),
            _ => alloc::rc::Rc::from(table),
        };
        let table = self.table(table)?;
        let change = table.prepare(wanted)?;
        let applied = table.apply(change);
        if let Some(pending) = &mut self.pending {
            pending.given_seq = None;
            pending.events.push(PendingEvent {
                table: shared,
                applied,
            });
        }
        Ok(())
    }
}

/// A document's bytes, checked.
fn encode(document: &Object) -> Result<Bytes> {
    let mut bytes = Vec::new();
    msgpack::encode_object(document, &mut bytes);
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(too_large(bytes.len()));
    }
    msgpack::validate(&bytes)?;
    Ok(Bytes::from(bytes))
}
