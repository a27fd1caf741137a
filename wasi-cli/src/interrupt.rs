//! Ctrl-C and SIGTERM: asked for between steps of work, so that a command ends in good order.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::errors::{Failure, Result};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on a signal is noted instead of ending the program; a second one ends it.
#[cfg(not(target_family = "wasm"))]
pub fn listen() {
    let noted = || {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    // Without a handler a signal ends the program, which the database survives too.
    let _ = ctrlc::set_handler(noted);
}

/// There are no signals here.
#[cfg(target_family = "wasm")]
pub fn listen() {}

/// An error if a signal has come; called between steps of work.
pub fn check() -> Result<()> {
    if ASKED.load(Ordering::Relaxed) {
        Err(Failure::Interrupted)
    } else {
        Ok(())
    }
}

/// Forgets a signal that has been answered, in an interactive session.
pub fn clear() {
    ASKED.store(false, Ordering::Relaxed);
}
