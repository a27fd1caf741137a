//! The command line: every command, flag and help text.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const AFTER: &str = "\
Exit status:
  0    done
  1    a statement or its data was refused; `sql` and `import` stop at the first such error
  2    the command line is wrong
  3    the database is open for writing elsewhere
  4    damage was found: bytes on disk that no crash explains
  5    a database or a file cannot be opened, read or written
  130  interrupted; what was committed before stays
  141  the reader of the output went away (41 under WASI, which has no such numbers)

Rows are shown as a table on a terminal and as JSON Lines otherwise; --format or DRIFTDB_FORMAT say which.
A point in time is \"@seq:N\", an RFC 3339 time such as \"2026-01-31T08:00:00Z\", or a date (midnight UTC).";

/// An embedded, append-only document database that answers every query as of any moment of its past.
#[derive(Debug, Parser)]
#[command(name = "driftdb", version, after_long_help = AFTER, max_term_width = 110)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Cli {
    /// Colours in tables, messages and help
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto, hide_possible_values = true)]
    pub color: Color,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new, empty database
    Init(Init),
    /// Run DriftQL statements, or an interactive session
    Sql(Sql),
    /// Show rows of a table, now or at a point in time
    Select(Select),
    /// Show the history of one row: every event, what it changed, and the row after it
    Drift(Drift),
    /// List the tables
    Tables(Tables),
    /// Show a table's key, indexes, size and history
    Describe(Describe),
    /// Read rows into a table from JSON Lines, a JSON array or CSV
    Import(Import),
    /// Write a table's rows as JSON Lines, JSON or CSV
    Export(Export),
    /// Write the whole database with its history as JSON Lines of events
    Dump(Dump),
    /// Read JSON Lines of events, as `dump` writes them
    Load(Load),
    /// Write the whole database as it is now to one file
    Backup(Backup),
    /// Make a database of a backup
    Restore(Restore),
    /// Write the state of a table to a file that makes later scans fast
    Snapshot(Snapshot),
    /// Drop the history of a table, or what is older than a point
    Compact(Compact),
    /// Check every byte of the database, and what was derived from it
    Verify(Verify),
}

/// Where the database is.
#[derive(Debug, Args)]
pub struct Dir {
    /// The database's directory; for commands that only read also a backup file
    #[arg(short = 'd', long = "dir", value_name = "DIR", env = "DRIFTDB_DIR")]
    pub dir: PathBuf,
}

/// How rows come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people; long values are cut
    Table,
    /// One JSON array
    Json,
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values with a header; nested values as JSON
    Csv,
}

/// The choice of an output format.
#[derive(Debug, Args)]
pub struct Output {
    /// How rows come out [default: table on a terminal, else jsonl]
    #[arg(
        short = 'F',
        long,
        value_enum,
        value_name = "FORMAT",
        env = "DRIFTDB_FORMAT",
        hide_env = true
    )]
    pub format: Option<Format>,
}

/// What is kept about a write.
#[derive(Debug, Args)]
pub struct Metadata {
    /// Who writes: kept with every event and shown by `drift`
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,

    /// Why: kept with every event and shown by `drift`
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,

    /// The time of the writes instead of the clock's, for loads that can be repeated exactly
    #[arg(long, value_name = "TIME", value_parser = crate::options::time)]
    pub now: Option<driftdb_core::time::Timestamp>,
}

/// When a commit counts as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DurabilityLevel {
    /// Each commit is on stable storage before the next statement runs
    #[default]
    Commit,
    /// Commits reach stable storage together, at the end; a crash loses the newest, and never half of one
    Batch,
}

/// The choice of a durability.
#[derive(Debug, Args)]
pub struct Durable {
    /// When a commit counts as done
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = DurabilityLevel::Commit)]
    pub durability: DurabilityLevel,
}

/// What to do about a lock that nobody can say is held.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Lock {
    /// Take the writer's lock from a program of which nobody can say whether it still runs; if it does, it may write no more
    #[arg(long)]
    pub break_lock: bool,
}

/// `driftdb init`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  driftdb init ./mydata")]
pub struct Init {
    /// The directory to make; it may exist if it is empty
    #[arg(value_name = "DIR", required_unless_present = "dir")]
    pub path: Option<PathBuf>,

    /// The same, as for other commands
    #[arg(short = 'd', long = "dir", value_name = "DIR", conflicts_with = "path")]
    pub dir: Option<PathBuf>,

    /// The time of creation instead of the clock's
    #[arg(long, value_name = "TIME", value_parser = crate::options::time)]
    pub now: Option<driftdb_core::time::Timestamp>,
}

/// `driftdb sql`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftdb sql -d ./mydata -e 'CREATE TABLE orders (pk=id, INDEX(status))'
  driftdb sql -d ./mydata -e 'SELECT * FROM orders WHERE amount > ?' -p 100
  driftdb sql -d ./mydata -f migrate.sql --by ann --why 'ticket 12'
  driftdb sql -d ./mydata < script.sql
  driftdb sql -d ./mydata                  (a session, on a terminal)

Statements are separated by ';'. A script stops at its first error; statements before it stay done, and an open
transaction is rolled back. A script of nothing but reads does not wait for a writer and does not hinder one.")]
pub struct Sql {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,

    /// Statements to run; may be repeated
    #[arg(short = 'e', long = "execute", value_name = "STATEMENTS")]
    pub execute: Vec<String>,

    /// A file of statements to run, '-' for standard input; may be repeated
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub file: Vec<PathBuf>,

    /// A parameter: VALUE for the next '?', NAME=VALUE for ':NAME'; a value is JSON, or else a string
    #[arg(short = 'p', long = "param", value_name = "[NAME=]VALUE")]
    pub param: Vec<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub metadata: Metadata,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub durable: Durable,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub lock: Lock,
}

/// `driftdb select`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftdb select -d ./mydata --table users --where 'status=\"active\"'
  driftdb select -d ./mydata --table users --as-of '@seq:100' --columns 'id, address.city' --limit 10
  driftdb select -d ./mydata --table orders --order-by 'amount DESC' --format csv > orders.csv")]
pub struct Select {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,

    /// The table
    #[arg(short, long)]
    pub table: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub filter: Filter,

    /// Sort by these members, 'amount DESC, id'; otherwise rows come in order of their keys
    #[arg(long, value_name = "MEMBERS")]
    pub order_by: Option<String>,

    /// At most this many rows
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,

    /// Skip this many rows first
    #[arg(long, value_name = "N")]
    pub offset: Option<u64>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
}

/// Which rows of a table, of which moment, and what of them.
#[derive(Debug, Args)]
pub struct Filter {
    /// Only rows for which this DriftQL condition is true
    #[arg(short = 'w', long = "where", value_name = "CONDITION")]
    pub condition: Option<String>,

    /// The moment to look at: '@seq:N', a time or a date
    #[arg(short, long, value_name = "POINT")]
    pub as_of: Option<String>,

    /// Only these columns, 'id, address.city AS city'
    #[arg(short, long, value_name = "COLUMNS")]
    pub columns: Option<String>,
}

/// `driftdb drift`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftdb drift -d ./mydata --table users --key user1
  driftdb drift -d ./mydata --table numbers --key 7        (the integer 7)
  driftdb drift -d ./mydata --table numbers --key '\"7\"'    (the string \"7\")")]
pub struct Drift {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,

    /// The table
    #[arg(short, long)]
    pub table: String,

    /// The row's key: digits are an integer, anything else is a string; in double quotes always a string
    #[arg(short, long, allow_hyphen_values = true)]
    pub key: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
}

/// `driftdb tables`
#[derive(Debug, Args)]
pub struct Tables {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
}

/// `driftdb describe`
#[derive(Debug, Args)]
pub struct Describe {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,

    /// The table
    #[arg(short, long)]
    pub table: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
}

/// What an input file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// One JSON object a line
    Jsonl,
    /// One JSON array of objects
    Json,
    /// Comma-separated values with a header
    Csv,
}

/// `driftdb import`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftdb import -d ./mydata --table users users.csv --create id
  zcat log.jsonl.gz | driftdb import -d ./mydata --table log --batch 10000

All rows are one transaction: if a line is bad, nothing of the import is kept. With --batch N every N rows are a
transaction of their own, and an error leaves the batches before it.

CSV: the header names the members. An empty field is left out. true, false and null are
themselves; integers and decimal numbers are numbers, unless they start with a zero or a plus (007 stays a string) or lie
outside the range of 64-bit integers; a field that starts with { or [ and is JSON is that; all else is a string. A quoted
field is typed by the same rules. --strings takes every field as a string; the key then is one too.")]
pub struct Import {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,

    /// The table
    #[arg(short, long)]
    pub table: String,

    /// The file to read, '-' for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: PathBuf,

    /// What the file holds [default: by its extension; jsonl for standard input]
    #[arg(short = 'F', long, value_enum, value_name = "FORMAT")]
    pub format: Option<InputFormat>,

    /// Commit every N rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub batch: Option<u64>,

    /// Replace live rows of the same key instead of refusing them
    #[arg(long)]
    pub upsert: bool,

    /// Make the table first if there is none, with this member as its key
    #[arg(long, value_name = "KEY")]
    pub create: Option<String>,

    /// With --create: members to index, separated by commas
    #[arg(
        long,
        value_name = "MEMBERS",
        value_delimiter = ',',
        requires = "create"
    )]
    pub index: Vec<String>,

    /// CSV: the character between fields
    #[arg(long, value_name = "CHAR", default_value_t = ',')]
    pub delimiter: char,

    /// CSV: take every field as a string
    #[arg(long)]
    pub strings: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub metadata: Metadata,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub durable: Durable,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub lock: Lock,
}

/// `driftdb export`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftdb export -d ./mydata --table users > users.jsonl
  driftdb export -d ./mydata --table users --as-of 2026-01-01 -o users.csv")]
pub struct Export {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,

    /// The table
    #[arg(short, long)]
    pub table: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub filter: Filter,

    /// How rows come out [default: by the extension of --output, else jsonl]
    #[arg(short = 'F', long, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,

    /// The file to write instead of standard output; it appears when it is complete
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `driftdb dump`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  driftdb dump -d ./mydata | gzip > backup.jsonl.gz")]
pub struct Dump {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,

    /// The file to write instead of standard output; it appears when it is complete
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `driftdb load`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  driftdb init ./copy && zcat backup.jsonl.gz | driftdb load -d ./copy

Lines without \"seq\" get the next one, lines without \"ts\" the time of the clock. At a bad line the load stops with an
error that names it; the transactions before it stay.")]
pub struct Load {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,

    /// The file to read, '-' for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: PathBuf,

    /// The time of lines without one instead of the clock's
    #[arg(long, value_name = "TIME", value_parser = crate::options::time)]
    pub now: Option<driftdb_core::time::Timestamp>,

    /// When a commit counts as done
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = DurabilityLevel::Batch)]
    pub durability: DurabilityLevel,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub lock: Lock,
}

/// `driftdb backup`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftdb backup -d ./mydata mydata.drift
  driftdb backup -d ./mydata - | ssh host 'cat > mydata.drift'
  driftdb select -d mydata.drift --table users     (commands that only read open a backup where it lies)

A backup is the database at one moment, with its history; writers may go on meanwhile. It is a plain tar file, and the
same history gives the same bytes. Indexes and snapshots are not in it, so for much reading restore it.")]
pub struct Backup {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,

    /// The file to write, '-' for standard output; it appears when it is complete
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Replace the file if there is one
    #[arg(long)]
    pub force: bool,
}

/// `driftdb restore`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftdb restore mydata.drift -d ./copy
  ssh host 'driftdb backup -d ./mydata -' | driftdb restore - -d ./copy

Everything is checked on the way. If the backup is damaged or cut off, no database is left.")]
pub struct Restore {
    /// The backup, '-' for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The directory to make; it may exist if it is empty
    #[arg(short = 'd', long = "dir", value_name = "DIR", env = "DRIFTDB_DIR")]
    pub dir: PathBuf,
}

/// `driftdb snapshot`
#[derive(Debug, Args)]
pub struct Snapshot {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,

    /// The table
    #[arg(short, long)]
    pub table: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub lock: Lock,
}

/// `driftdb compact`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  driftdb compact -d ./mydata --table users
  driftdb compact -d ./mydata --table users --keep-since 2026-01-01

Only the latest state of each row stays, a deleted row's last document and its deletion included; or all since a given
point. Queries as of an earlier moment are then an error that names the earliest point left. This cannot be undone.")]
pub struct Compact {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,

    /// The table
    #[arg(short, long)]
    pub table: String,

    /// Keep all history since this point
    #[arg(long, value_name = "POINT")]
    pub keep_since: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub lock: Lock,
}

/// `driftdb verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Reads every frame of every table and checks checksums, order and times, then compares indexes and snapshots with a
replay. Prints what it finds; the exit status is 0 if all is well and 4 if there is damage.")]
pub struct Verify {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dir: Dir,
}

impl Color {
    /// From now on colours are used as asked for.
    pub fn choose(self) {
        let choice = match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}
