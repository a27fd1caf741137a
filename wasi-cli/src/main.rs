//! `driftdb`, the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    driftdb_cli::run()
}
