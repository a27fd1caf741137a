//! DriftDB for JavaScript: the front end that wasm-bindgen exports, and stores for what browsers and Node offer.
//!
//! [`session`], [`run`] and [`wire`] know no JavaScript: they build and are tested natively.

extern crate alloc;

mod asked;
mod changes;
pub mod container;
pub mod engine;
mod error;
mod import;
mod lines;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod memory;
pub mod mirror;
mod options;
mod run;
mod script;
mod session;
pub mod stores;
mod watches;
mod wire;
