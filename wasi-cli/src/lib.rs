//! The parts of `driftdb`, the command line: the filesystem store, commands, input and output.
//!
//! `main` hands over to [`run`]. Each command is a module of its own under `commands`; rows come in through `input` and go out
//! through `output`; every error ends in [`errors`], which shows it and knows its exit status.

pub mod args;
mod commands;
pub mod errors;
pub mod excerpt;
pub mod input;
pub mod interrupt;
mod open;
pub mod options;
pub mod output;
pub mod progress;
#[cfg(not(target_family = "wasm"))]
mod repl;
mod session;
pub mod store;

use std::process::ExitCode;

use clap::Parser;

/// Reads the command line, runs the command, shows its error, and gives the exit status.
pub fn run() -> ExitCode {
    let cli = args::Cli::parse();
    cli.color.choose();
    interrupt::listen();
    match commands::run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
