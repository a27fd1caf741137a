//! What a SELECT reads from: a table at a point. The engine's views are one; tests bring their own.

use crate::error::Result;
use crate::value::{Bytes, Chain, Key, Path};

pub use crate::table::{Columns, Found, KeyRange, Step, ValueRange};

/// A table at a point.
pub trait Source {
    /// A row of it.
    type Row: Record;
    /// Rows in key order.
    type Scan: Rows<Row = Self::Row>;
    /// Rows in the order of an indexed value, then of keys.
    type Lookup: Rows<Row = Self::Row>;

    /// The table's name.
    fn table(&self) -> &str;
    /// The member that holds the key.
    fn primary_key(&self) -> &str;
    /// The number of the index on a path, if there is one.
    fn index_on(&self, path: &Path) -> Option<usize>;
    /// The row with a key.
    fn get(&self, key: &Key) -> Result<Option<Self::Row>>;
    /// The rows in a range of keys.
    fn scan(&self, range: KeyRange) -> Self::Scan;
    /// At least the rows whose value in an index is in the range; never a row twice.
    fn lookup(&self, index: usize, range: ValueRange) -> Self::Lookup;
    /// The columns of all rows at some paths, if they are in memory.
    fn columns(&self, _paths: &[Path]) -> Result<Found> {
        Ok(Found::Nothing)
    }
    /// How many bytes columns may have to be kept.
    fn columns_bytes_max(&self) -> usize {
        0
    }
    /// Keeps the columns of all rows; `None` if they became too large.
    fn keep_columns(&self, _paths: &[Path], _columns: Option<Columns>) {}
}

/// Rows, one after another.
pub trait Rows {
    /// A row.
    type Row;
    /// Some more work.
    fn step(&mut self) -> Result<Step<Self::Row>>;
}

/// A row.
pub trait Record {
    /// The document as base and patches.
    fn chain(&self) -> Chain<'_>;
    /// The document in msgpack.
    fn document(&self) -> Bytes;
    /// The key in its memcomparable form.
    fn encoded_key(&self) -> &[u8];
}
