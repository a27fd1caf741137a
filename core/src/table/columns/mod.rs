//! Columns in memory: the values at some paths of all rows at one seq, in key order. Aggregates over a whole table run over them instead of
//! over documents. They are made by a scan that has been asked for before ([`ColumnCache`] says when), kept within a budget, and brought up to
//! date key by key; no file has them.

mod cache;
mod column;

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::row::Row;
use super::view::View;
use crate::error::Result;
use crate::value::{Chain, Path, Raw};
pub use cache::ColumnCache;
use cache::Stored;
use column::Column;

/// What there is for a scan.
pub enum Found {
    /// The columns.
    Ready(Rc<Columns>),
    /// None, but the same was asked for before: it is worth keeping what the scan reads.
    Worthwhile,
    /// None.
    Nothing,
}

/// The row with a key, or as an error where it would be.
type Place = core::result::Result<usize, usize>;

/// The values at some paths of all rows at one seq.
#[derive(Clone)]
pub struct Columns {
    paths: Vec<Path>,
    columns: Vec<Column>,
    /// The encoded keys of the rows, one behind another, and where each ends.
    keys: Vec<u8>,
    ends: Vec<u32>,
    scratch: Vec<u8>,
}

impl Columns {
    /// No rows yet.
    pub fn new(paths: &[Path]) -> Self {
        Columns {
            paths: paths.to_vec(),
            columns: paths.iter().map(|_| Column::default()).collect(),
            keys: Vec::new(),
            ends: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Adds a row whose key is above all others.
    pub fn push(&mut self, key: &[u8], document: Chain<'_>) {
        for (column, path) in self.columns.iter_mut().zip(&self.paths) {
            column.push(value_at(document, path, &mut self.scratch));
        }
        self.push_key(key);
    }

    fn push_key(&mut self, key: &[u8]) {
        self.keys.extend_from_slice(key);
        self.ends
            .push(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
    }

    /// How many rows there are.
    #[inline]
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// A row's value at a path; null if it has none.
    #[inline]
    pub fn value(&self, path: usize, row: usize) -> Raw<'_> {
        self.columns
            .get(path)
            .map_or(Raw::NULL, |column| column.value(row))
    }

    /// A number that rows share whose value at a path is the same, if such numbers are at hand: below the count of rows that were ever added.
    #[inline]
    pub fn code(&self, path: usize, row: usize) -> Option<u32> {
        let column = self.columns.get(path)?;
        column.is_coded().then(|| column.code(row))
    }

    /// About how many bytes of memory it holds.
    pub fn size(&self) -> usize {
        let columns: usize = self.columns.iter().map(Column::size).sum();
        self.keys.capacity() + self.ends.capacity() * size_of::<u32>() + columns
    }

    /// Whether most values that are kept are no row's any more.
    fn is_worn(&self) -> bool {
        let most = self.columns.iter().map(Column::values).max();
        most.unwrap_or(0) > 2 * self.rows() + 1_024
    }

    /// The row with a key, or where it would be.
    fn find(&self, key: &[u8]) -> Place {
        let (mut low, mut high) = (0, self.rows());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(middle).cmp(key) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Ok(middle),
                Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    fn key(&self, row: usize) -> &[u8] {
        let end = self.ends.get(row).copied().unwrap_or(0);
        let start = row
            .checked_sub(1)
            .and_then(|before| self.ends.get(before).copied());
        self.keys
            .get(start.unwrap_or(0) as usize..end as usize)
            .unwrap_or_default()
    }

    /// Takes in what rows have become, in key order: `None` is a row that is gone or never was.
    fn update(&mut self, changes: &[(Vec<u8>, Option<Row>)]) {
        let places: Vec<_> = changes.iter().map(|(key, _)| self.find(key)).collect();
        let rows = self.rows();
        let moves = |((_, row), place): (&(Vec<u8>, Option<Row>), &Place)| match place {
            Ok(_) => row.is_none(),
            Err(at) => row.is_some() && *at < rows,
        };
        if changes.iter().zip(&places).any(moves) {
            return self.rearrange(changes, &places);
        }
        for ((key, row), place) in changes.iter().zip(places) {
            match (row, place) {
                (Some(row), Ok(at)) => {
                    for (column, path) in self.columns.iter_mut().zip(&self.paths) {
                        column.set(at, value_at(row.chain(), path, &mut self.scratch));
                    }
                }
                (Some(row), Err(_)) => self.push(key, row.chain()),
                (None, _) => {}
            }
        }
    }

    /// The same where rows come in between others, or go: keys and codes are laid out anew.
    fn rearrange(&mut self, changes: &[(Vec<u8>, Option<Row>)], places: &[Place]) {
        for (column, path) in self.columns.iter_mut().zip(&self.paths) {
            let mut codes = Vec::with_capacity(column.len() + changes.len());
            let mut from = 0;
            for ((_, row), place) in changes.iter().zip(places) {
                let (Ok(at) | Err(at)) = *place;
                codes.extend((from..at).map(|row| column.code(row)));
                if let Some(row) = row {
                    codes.push(column.code_for(value_at(row.chain(), path, &mut self.scratch)));
                }
                from = at + usize::from(place.is_ok());
            }
            codes.extend((from..column.len()).map(|row| column.code(row)));
            column.rearrange(codes);
        }
        let before = Columns {
            keys: core::mem::take(&mut self.keys),
            ends: core::mem::take(&mut self.ends),
            ..Columns::new(&[])
        };
        let mut from = 0;
        for ((key, row), place) in changes.iter().zip(places) {
            let (Ok(at) | Err(at)) = *place;
            (from..at).for_each(|row| self.push_key(before.key(row)));
            if row.is_some() {
                self.push_key(key);
            }
            from = at + usize::from(place.is_ok());
        }
        (from..before.rows()).for_each(|row| self.push_key(before.key(row)));
    }
}

impl View {
    /// The columns of the whole table at some paths, if they are in memory.
    pub fn columns(&self, paths: &[Path]) -> Result<Found> {
        let cache = &self.sources().columns;
        let found = cache.borrow_mut().find(paths, self.seq());
        let (mut columns, changed) = match found {
            Stored::Ready(columns) => return Ok(Found::Ready(columns)),
            Stored::Nothing { worthwhile: true } => return Ok(Found::Worthwhile),
            Stored::Nothing { worthwhile: false } => return Ok(Found::Nothing),
            Stored::Behind(columns, changed) => (columns, changed),
        };
        let mut changes = Vec::with_capacity(changed.len());
        for key in changed {
            let row = self.get_once(&key)?;
            changes.push((key, row));
        }
        // Whoever still reads the old ones keeps them.
        Rc::make_mut(&mut columns).update(&changes);
        if !columns.is_worn() {
            cache.borrow_mut().keep(columns.clone(), self.seq());
        }
        Ok(Found::Ready(columns))
    }

    /// How many bytes columns may have to be kept.
    pub fn columns_bytes_max(&self) -> usize {
        self.sources().columns.borrow().budget()
    }

    /// Keeps columns that were read from this view; `None` if they became too large.
    pub fn keep_columns(&self, paths: &[Path], columns: Option<Columns>) {
        let mut cache = self.sources().columns.borrow_mut();
        match columns {
            Some(columns) => cache.keep(Rc::new(columns), self.seq()),
            None => cache.refuse(paths, self.seq()),
        }
    }
}

fn value_at<'a>(document: Chain<'a>, path: &Path, scratch: &'a mut Vec<u8>) -> Raw<'a> {
    document.merged(path, scratch).unwrap_or(Raw::NULL)
}
