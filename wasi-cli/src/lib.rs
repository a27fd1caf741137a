//! The CLI and the filesystem store.
