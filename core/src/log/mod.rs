//! The log: the truth of one table, as frames in segments; and the journal, the truth of a transaction over several tables.
//!
//! [`frame`] and [`segment`] are the bytes; [`Log`] opens, appends, syncs and rotates; [`LogReader`] reads; `recover` decides what is
//! torn and what is corrupt; [`Compaction`] replaces all segments by new ones; [`Journal`] holds what must reach several logs.

mod chain;
mod compact;
mod cut;
mod event;
pub mod frame;
mod frames;
mod journal;
mod open;
mod overlay;
mod position;
mod reader;
mod recover;
mod restore;
mod scan;
pub mod segment;
mod segments;
mod survey;
mod writer;

pub use compact::Compaction;
pub use event::{EventRef, Op};
pub use frame::Frame;
pub use frames::Frames;
pub use journal::{Journal, Part, Record};
pub use open::{Recovery, Refreshed};
pub use position::{Checkpoint, Horizon, LogHints, Position, SegmentInfo};
pub use reader::{FrameCursor, LogReader};
pub use segment::HEADER_LEN;
pub use writer::{Log, LogOptions, Mode};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
