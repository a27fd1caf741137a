//! DriftDB for JavaScript: stores for what browsers offer, and the front end that wasm-bindgen exports.
//!
//! The stores know no browser: they build and are tested natively.

extern crate alloc;

pub mod container;
