//! What crosses the boundary: values in as msgpack, rows out as one buffer.

mod input;
mod output;

pub use input::{documents, key, object, params};
pub use output::{Kind, Output, digest};
