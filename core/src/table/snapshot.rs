//! A snapshot file: the whole table at one seq. Key: the encoded key; value: `[varint seq][varint time][document]` of the row's last event.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::row::Row;
use super::varint;
use super::walk::unreadable_entry;
use crate::error::Result;
use crate::sorted::Cursor;
use crate::time::{Seq, Timestamp};
use crate::value::bytes::Bytes;

/// The file name of the snapshot at a seq.
pub fn file_name(seq: Seq) -> String {
    format!("{:08}.snap", seq.0)
}

/// The value of a row's entry.
pub fn write_row(row: &Row, out: &mut Vec<u8>) {
    varint::write(row.seq.0, out);
    varint::write(row.time.0, out);
    row.chain().materialise(out);
}

/// The row that a cursor in a snapshot stands on.
pub fn read_row(cursor: &Cursor) -> Result<Row> {
    decode(Bytes::from(cursor.key().to_vec()), &cursor.value()).ok_or_else(|| unreadable_entry(cursor.path()))
}

fn decode(key: Bytes, value: &Bytes) -> Option<Row> {
    let (seq, rest) = varint::read(value)?;
    let (time, rest) = varint::read(rest)?;
    let document = value.slice(value.len() - rest.len()..value.len())?;
    Some(Row::new(Seq(seq), Timestamp(time), key, document, Vec::new()))
}
