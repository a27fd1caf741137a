//! A view as what a SELECT reads from.

use crate::error::Result;
use crate::ql::source::{Record, Rows, Source};
use crate::table::{Columns, Found, KeyRange, Lookup, Row, Scan, Step, ValueRange, View};
use crate::value::{Bytes, Chain, Key, Path};

impl Source for View {
    type Row = Row;
    type Scan = Scan;
    type Lookup = Lookup;

    fn table(&self) -> &str {
        &self.schema().name
    }

    fn primary_key(&self) -> &str {
        &self.schema().primary_key
    }

    fn index_on(&self, path: &Path) -> Option<usize> {
        self.schema().index_on(path)
    }

    fn get(&self, key: &Key) -> Result<Option<Row>> {
        View::get(self, key)
    }

    fn scan(&self, range: KeyRange) -> Scan {
        View::scan(self, range)
    }

    fn lookup(&self, index: usize, range: ValueRange) -> Lookup {
        View::lookup(self, index, range)
    }

    fn columns(&self, paths: &[Path]) -> Result<Found> {
        View::columns(self, paths)
    }

    fn columns_bytes_max(&self) -> usize {
        View::columns_bytes_max(self)
    }

    fn keep_columns(&self, paths: &[Path], columns: Option<Columns>) {
        View::keep_columns(self, paths, columns);
    }
}

impl Rows for Scan {
    type Row = Row;

    fn step(&mut self) -> Result<Step<Row>> {
        Scan::step(self)
    }
}

impl Rows for Lookup {
    type Row = Row;

    fn step(&mut self) -> Result<Step<Row>> {
        Lookup::step(self)
    }
}

impl Record for Row {
    fn chain(&self) -> Chain<'_> {
        Row::chain(self)
    }

    fn document(&self) -> Bytes {
        Row::document(self)
    }

    fn encoded_key(&self) -> &[u8] {
        Row::encoded_key(self)
    }
}
