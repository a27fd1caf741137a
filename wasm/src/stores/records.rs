//! The mirror's exported side: records in from JavaScript, transactions out to it, as it stores them in IndexedDB.

use driftdb_core::{Code, Error};
use wasm_bindgen::prelude::*;

use crate::engine::{Thrown, or_throw};
use crate::mirror::{Loader, Mirror, Transaction};

/// Takes the stored records of a database, in any order, before it is opened.
#[wasm_bindgen]
#[derive(Default)]
pub struct Records {
    loader: Loader,
}

#[wasm_bindgen]
impl Records {
    /// Of nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Records {
        Records::default()
    }

    /// Takes one.
    pub fn add(&mut self, key: &str, value: &[u8]) -> Thrown<()> {
        or_throw(self.loader.add(key, value))
    }
}

impl Records {
    /// The mirror that they make, which holds at most so many bytes.
    pub fn mirror(self, limit: f64) -> Thrown<Mirror> {
        or_throw(self.loader.finish(super::files::whole(limit)))
    }
}

/// What is to be stored next, as one transaction.
#[wasm_bindgen]
pub struct Changes {
    transaction: Transaction,
}

impl From<Transaction> for Changes {
    fn from(transaction: Transaction) -> Self {
        Changes { transaction }
    }
}

fn no_such() -> Error {
    Error::new(Code::Unsupported, "there is no such change")
}

#[wasm_bindgen]
impl Changes {
    /// Everything changed up to here is durable when it is stored.
    pub fn position(&self) -> f64 {
        super::files::number(self.transaction.position)
    }

    /// What the record `head` has to be before, or nothing.
    #[wasm_bindgen(js_name = expectedHead)]
    pub fn expected_head(&self) -> Option<Vec<u8>> {
        self.transaction.expected_head.clone()
    }

    /// How many ranges of keys are removed first.
    pub fn deletes(&self) -> usize {
        self.transaction.deletes.len()
    }

    /// The start of a range, or the key behind its end.
    #[wasm_bindgen(js_name = deleteKey)]
    pub fn delete_key(&self, at: usize, end: bool) -> Thrown<String> {
        let range = self.transaction.deletes.get(at).ok_or_else(no_such);
        or_throw(range.map(|range| if end { &range.end } else { &range.start }.clone()))
    }

    /// How many records are written.
    pub fn puts(&self) -> usize {
        self.transaction.puts.len()
    }

    /// The key of a record.
    #[wasm_bindgen(js_name = putKey)]
    pub fn put_key(&self, at: usize) -> Thrown<String> {
        let put = self.transaction.puts.get(at).ok_or_else(no_such);
        or_throw(put.map(|(key, _)| key.clone()))
    }

    /// The value of a record.
    #[wasm_bindgen(js_name = putValue)]
    pub fn put_value(&self, at: usize) -> Thrown<Vec<u8>> {
        let put = self.transaction.puts.get(at).ok_or_else(no_such);
        or_throw(put.map(|(_, value)| value.clone()))
    }
}
