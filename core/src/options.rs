//! What a host may set when it opens a database. None of it changes an answer.

/// When a write that has returned is on stable storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Every commit is on stable storage when it returns.
    #[default]
    Commit,
    /// Commits are on stable storage after the next sync: a crash may lose the newest ones, never tear one, and keeps a prefix.
    Batch,
}

/// Sizes and thresholds.
#[derive(Clone, Debug)]
pub struct Options {
    /// When a commit is durable.
    pub durability: Durability,
    /// A segment that has reached this many bytes is sealed, and the next begun.
    pub segment_bytes: u64,
    /// A memtable that has this many events is flushed.
    pub memtable_events: usize,
    /// A memtable that holds about this many bytes is flushed.
    pub memtable_bytes: usize,
    /// A transaction that holds about this many bytes in memory is spilled: its events go to the logs and into index runs before the commit, and its time is
    /// the clock's when that begins.
    pub transaction_bytes: usize,
    /// A snapshot is due after this many events since the last one, or after twice as many as it has rows if those are more.
    pub snapshot_events: u64,
    /// A snapshot is due after this many bytes of log since the last one.
    pub snapshot_bytes: u64,
    /// So many runs of like size are merged into one. At least 2.
    pub merge_fan: usize,
    /// How many bytes of index and snapshot blocks are kept in memory.
    pub cache_bytes: usize,
    /// How many bytes of log, sorted by key for scans, are kept in memory for each table.
    pub delta_bytes: usize,
    /// At close a memtable with more events than this is flushed, so that the next open replays no more.
    pub replay_events_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            durability: Durability::Commit,
            segment_bytes: 64 << 20,
            memtable_events: 32_768,
            memtable_bytes: 24 << 20,
            transaction_bytes: 16 << 20,
            snapshot_events: 100_000,
            snapshot_bytes: 128 << 20,
            merge_fan: 8,
            cache_bytes: 64 << 20,
            delta_bytes: 32 << 20,
            replay_events_max: 100,
        }
    }
}
