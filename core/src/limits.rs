//! Every limit of the engine, by name. Each is tested at its value and one above.

/// Deepest nesting of a document, a patch or an array: the document itself is level 1.
pub const NESTING_MAX: usize = 64;
/// Largest document or patch, in bytes of its msgpack form.
pub const DOCUMENT_BYTES_MAX: usize = 16 << 20;
/// Longest string key, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;
/// Longest name of a table or member in a schema, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest script, in bytes.
pub const SCRIPT_BYTES_MAX: usize = 64 << 20;
/// Deepest nesting of an expression.
pub const EXPRESSION_DEPTH_MAX: usize = 128;
/// Most secondary indexes of a table.
pub const INDEXES_MAX: usize = 64;
/// Most bytes of a value that an index keeps; longer strings are cut and checked against the row.
pub const INDEX_VALUE_BYTES_MAX: usize = 256;
/// Largest time: 9999-12-31T23:59:59.999Z, in unix milliseconds.
pub const TIMESTAMP_MAX: u64 = 253_402_300_799_999;
/// Most bytes of a transaction's metadata, in msgpack.
pub const METADATA_BYTES_MAX: usize = 64 << 10;
/// Longest name of a client that numbers its requests, in bytes.
pub const CLIENT_BYTES_MAX: usize = 64;
/// So many clients' last requests are remembered in a table: those that wrote last.
pub const CLIENTS_MAX: usize = 1_000;
/// Most buckets of a timeline.
pub const BUCKETS_MAX: usize = 10_000;
