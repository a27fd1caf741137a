//! Typed writes: one event each, inside the open transaction or as a transaction of its own.

use alloc::format;
use alloc::vec::Vec;

use super::{Context, Database, Written};
use crate::error::{Code, Error, Result};
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::log::EventRef;
use crate::ql::Body;
use crate::table::change::too_large;
use crate::table::{Intent, Wanted};
use crate::time::{Seq, Timestamp};
use crate::value::{Key, Object, ObjectRef, Raw, ValueRef, keycode, msgpack};

/// A larger buffer is not kept for the next document.
const BUFFER_BYTES_KEPT: usize = 1 << 20;

impl Database {
    /// Inserts a document: a new row, or a new life of a deleted one.
    ///
    /// # Errors
    /// `Code::DuplicateKey` if there is a live row with its key; `Code::InvalidKey`, `Code::Limit`, `Code::UnknownTable`.
    pub fn insert(&mut self, table: &str, document: &Object, now: Timestamp) -> Result<Written> {
        self.atomically(&Context::at(now), |db| {
            db.put(table, Intent::Insert, document)
        })
    }

    /// Inserts a document, or replaces the live row with its key.
    ///
    /// # Errors
    /// `Code::InvalidKey`, `Code::Limit`, `Code::UnknownTable`.
    pub fn upsert(&mut self, table: &str, document: &Object, now: Timestamp) -> Result<Written> {
        self.atomically(&Context::at(now), |db| db.put(table, Intent::Put, document))
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
        self.atomically(&Context::at(now), |db| db.change(table, key, patch))
    }

    /// Deletes a row; its history stays readable.
    ///
    /// # Errors
    /// `Code::NoSuchRow`, `Code::UnknownTable`.
    pub fn delete(&mut self, table: &str, key: &Key, now: Timestamp) -> Result<Written> {
        self.atomically(&Context::at(now), |db| {
            db.event(table, Intent::Delete, key.view(), None)
        })
    }

    /// A document under the key that it holds, as a statement has it.
    pub(super) fn put_body(&mut self, table: &str, intent: Intent, body: &Body<'_>) -> Result<()> {
        match body {
            Body::Object(object) => self.put(table, intent, object),
            Body::Encoded(document) => self.put_bytes(table, intent, document.view()),
        }
    }

    /// A document under the key that it holds.
    pub(super) fn put(&mut self, table: &str, intent: Intent, document: &Object) -> Result<()> {
        self.encoded(document, |db, bytes| db.put_bytes(table, intent, bytes))
    }

    fn put_bytes(&mut self, table: &str, intent: Intent, document: ObjectRef<'_>) -> Result<()> {
        let primary_key = &self.table(table)?.schema().primary_key;
        let value = document.get(primary_key).ok_or_else(|| {
            Error::new(
                Code::InvalidKey,
                format!("the document has no member {primary_key}, the key of table {table}"),
            )
        })?;
        let key = Key::check_view(value.view())?;
        self.event(table, intent, key, Some(sized(document)?))
    }

    /// A patch as a statement has it.
    pub(super) fn change_body(&mut self, table: &str, key: &Key, body: &Body<'_>) -> Result<()> {
        match body {
            Body::Object(object) => self.change(table, key, object),
            Body::Encoded(document) => self.change_bytes(table, key, document.view()),
        }
    }

    /// A patch, which may name the key but not change it.
    pub(super) fn change(&mut self, table: &str, key: &Key, patch: &Object) -> Result<()> {
        self.encoded(patch, |db, bytes| db.change_bytes(table, key, bytes))
    }

    fn change_bytes(&mut self, table: &str, key: &Key, patch: ObjectRef<'_>) -> Result<()> {
        let primary_key = &self.table(table)?.schema().primary_key;
        if let Some(value) = patch.get(primary_key)
            && value.view() != key.view()
        {
            let error = Error::new(
                Code::InvalidKey,
                format!("a patch cannot change the key: {primary_key} of row {key}"),
            );
            return Err(error.hint("insert the row under its new key and delete the old one"));
        }
        self.event(table, Intent::Patch, key.view(), Some(sized(patch)?))
    }

    /// Gives an object's bytes, checked, to `write`.
    fn encoded(
        &mut self,
        object: &Object,
        write: impl FnOnce(&mut Self, ObjectRef<'_>) -> Result<()>,
    ) -> Result<()> {
        msgpack::check_object(object)?;
        let mut bytes = core::mem::take(&mut self.buffers.body);
        bytes.clear();
        msgpack::encode_object(object, &mut bytes);
        let done = write(self, ObjectRef::new(&bytes).unwrap_or(ObjectRef::EMPTY));
        self.buffers.body = kept(bytes);
        done
    }

    /// Prepares an event and applies it under the next seq of the open transaction. `body` has been checked.
    pub(super) fn event(
        &mut self,
        table: &str,
        intent: Intent,
        key: ValueRef<'_>,
        body: Option<&[u8]>,
    ) -> Result<()> {
        let mut buffers = core::mem::take(&mut self.buffers.keys);
        buffers.encoded.clear();
        keycode::encode(key, &mut buffers.encoded);
        buffers.raw.clear();
        msgpack::encode_ref(key, &mut buffers.raw);
        let done = self.event_of(table, intent, &buffers, body);
        self.buffers.keys = buffers;
        done
    }

    fn event_of(
        &mut self,
        table: &str,
        intent: Intent,
        key: &KeyBuffers,
        body: Option<&[u8]>,
    ) -> Result<()> {
        self.freshen(table)?;
        let head = self.head;
        let Some(pending) = &mut self.pending else {
            return Err(Error::new(Code::Transaction, "no transaction is open"));
        };
        let seq = pending.given_seq.unwrap_or(Seq(pending.head(head).0.0 + 1));
        let meta = pending.next_meta(table);
        let wanted = Wanted {
            intent,
            key: &key.encoded,
            body,
            meta: meta.as_deref(),
            seq,
            time: pending.time,
        };
        let frame = EventRef {
            seq,
            time: pending.time,
            op: intent.op(),
            more: true,
            key: Raw::new(&key.raw).unwrap_or(Raw::NULL),
            body: body.and_then(Raw::new),
            meta: meta.as_deref().and_then(Raw::new),
        };
        let Some(found) = self.tables.get_mut(table) else {
            return self.known(table).map(|_| ());
        };
        let change = found.prepare(wanted)?;
        pending.frames.draft(table, &frame)?;
        found.apply(&change);
        pending.drafted(table, seq);
        if self.touched.is_some() {
            pending.touch(table, &key.encoded);
        }
        Ok(())
    }
}

/// Memory that writes use again and again.
#[derive(Default)]
pub struct Buffers {
    body: Vec<u8>,
    keys: KeyBuffers,
}

/// A key in both its forms: as a keycode, and in msgpack.
#[derive(Default)]
struct KeyBuffers {
    encoded: Vec<u8>,
    raw: Vec<u8>,
}

/// A buffer that is not too large to be kept.
fn kept(bytes: Vec<u8>) -> Vec<u8> {
    if bytes.capacity() > BUFFER_BYTES_KEPT {
        Vec::new()
    } else {
        bytes
    }
}

/// A document's bytes, if they are not too many.
fn sized(document: ObjectRef<'_>) -> Result<&[u8]> {
    let bytes = document.raw().as_bytes();
    match bytes.len() {
        0..=DOCUMENT_BYTES_MAX => Ok(bytes),
        length => Err(too_large(length)),
    }
}
