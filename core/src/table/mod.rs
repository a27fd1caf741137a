//! Tables: events become versions of rows, kept so that any moment of the past can be read as fast as the present.
//!
//! A [`Table`] is its log, a memtable of the newest versions, and derived files: runs of sorted tables that index every version
//! by key and every change of an indexed value, and snapshots of all rows at some seqs. A [`View`] reads all of it at one seq.
//! An event is prepared ([`change`]: all that can fail), appended to the log, and applied ([`Table::apply`], which cannot fail).

mod arena;
mod audit;
pub mod change;
mod columns;
mod compact;
mod delta;
mod env;
mod job;
mod lookup;
mod maintenance;
mod marks;
mod memtable;
pub(crate) mod meta;
pub mod name;
mod open;
mod order;
mod posting;
mod postings;
mod rebuild;
mod requests;
mod row;
mod row_cache;
mod run_file;
mod run_stream;
mod scan;
mod schema;
pub(crate) mod sealed;
mod settle;
mod snapshot;
mod sources;
mod spill;
pub(crate) mod stamp;
mod state;
#[allow(
    clippy::module_inception,
    reason = "the file of the type that gives the module its name"
)]
mod table;
mod tally;
mod version;
mod versions;
mod view;
mod walk;

pub use audit::Audit;
pub use change::{Change, Intent, Wanted};
pub use columns::{Columns, Found};
pub use compact::Compact;
pub use env::Env;
pub use job::{Covered, TakeSnapshot};
pub use lookup::{Lookup, ValueRange};
pub use marks::Upto;
pub use open::schema_path;
pub use requests::{Answered, Requests};
pub use row::Row;
pub use scan::Scan;
pub use schema::{Schema, dir_of};
pub use sources::Sources;
pub use stamp::Request;
pub use table::Table;
pub use tally::Tally;
pub use version::Version;
pub use view::{KeyRange, Step, View, drive};
pub use walk::Walk;
