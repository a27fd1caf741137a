//! `driftdb`, the command line.
fn main() {}
