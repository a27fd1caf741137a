//! JSON text: reading into owned values, writing from either kind.

mod number;
mod read;
mod string;
mod write;

pub use number::number;
pub use read::parse;
pub use string::unescape;
pub(super) use write::{format, format_object, format_value};
pub use write::{write, write_str, write_value};
