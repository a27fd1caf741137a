//! DriftQL: the language, from text to rows.
//!
//! Text is read by [`Parser`] into [`ast`] statements, whose terms are given values with [`Params`]. SELECT is planned
//! and run here; the database runs the other statements.

pub mod ast;
mod bind;
mod display;
mod exec;
pub mod hint;
mod locate;
mod params;
mod parser;
mod plan;
pub mod source;
mod token;

pub use ast::{Kind, Statement};
pub use bind::Body;
pub use exec::Query;
pub use locate::{Location, locate};
pub use params::Params;
pub use parser::{Parser, parse};
pub(crate) use plan::Access;
pub use plan::explain;
