//! DriftDB measured beside SQLite, redb and the limits of the machine, all in one run.

pub mod clock;
pub mod document;
pub mod durable;
pub mod engines;
pub mod fresh;
pub mod growth;
pub mod machine;
pub mod process;
pub mod random;
pub mod raw;
pub mod reads;
pub mod report;
pub mod standard;
pub mod wasi;
pub mod workload;
