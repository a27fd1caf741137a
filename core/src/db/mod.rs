//! (being written)

pub mod eventline;
