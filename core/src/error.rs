//! The one error type: what went wrong (a stable code and a message), where (a place), and what to try (a hint).

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// A half-open range of byte offsets `start..end` into the text of a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset just past the last byte; equals `start` for a place between two bytes.
    pub end: usize,
}

impl Span {
    /// The span `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Span { start, end }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Self {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// Where an error is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Nowhere in particular.
    #[default]
    None,
    /// In the text of a script.
    Text(Span),
    /// In a file of the database, named relative to its directory.
    File {
        /// The file's path, `/`-separated.
        path: String,
        /// The byte offset, where one is known.
        offset: Option<u64>,
    },
    /// On a line of input (counted from 1), as in an import.
    Line(u64),
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What went wrong. The texts of [`Code::as_str`] are stable: programs may compare them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// The stable name of the code, in snake case.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// The text is not a statement of the language.
    Syntax = "syntax",
    /// A table that does not exist is named.
    UnknownTable = "unknown_table",
    /// CREATE TABLE of a name that is taken.
    TableExists = "table_exists",
    /// A function, member or column that cannot be is named.
    UnknownName = "unknown_name",
    /// INSERT of a key that is live.
    DuplicateKey = "duplicate_key",
    /// The key has no live row.
    NoSuchRow = "no_such_row",
    /// A document lacks its key, or its key is not a string or an integer.
    InvalidKey = "invalid_key",
    /// A document, patch, name or option that cannot be.
    InvalidValue = "invalid_value",
    /// A number or a time outside its range.
    OutOfRange = "out_of_range",
    /// A size or a depth over its limit.
    Limit = "limit",
    /// AS OF something that is not a point in time.
    InvalidPoint = "invalid_point",
    /// A point before the horizon of a compacted table.
    BeforeHorizon = "before_horizon",
    /// A parameter that was not given, or given and not used.
    Parameter = "parameter",
    /// BEGIN inside a transaction, COMMIT outside one, a statement that cannot be in one.
    Transaction = "transaction",
    /// A line of an import or a load that cannot be read.
    InvalidInput = "invalid_input",
    /// The directory holds no database.
    NotADatabase = "not_a_database",
    /// There is a database already.
    DatabaseExists = "database_exists",
    /// The format is newer than this program.
    NewerFormat = "newer_format",
    /// The database is open for writing elsewhere.
    Busy = "busy",
    /// A write through a reader.
    ReadOnly = "read_only",
    /// Bytes on disk that no crash explains.
    Corrupt = "corrupt",
    /// No space left on the storage.
    StorageFull = "storage_full",
    /// The platform refuses access.
    PermissionDenied = "permission_denied",
    /// A file that should be there is gone.
    FileMissing = "file_missing",
    /// Another input or output error of the platform.
    Io = "io",
    /// An earlier write or sync failed: nothing is written until the database is opened anew.
    Latched = "latched",
    /// Another writer has changed the files under this one.
    Conflict = "conflict",
    /// A combination that this version does not do.
    Unsupported = "unsupported",
}

/// What went wrong, where, and what to try.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    code: Code,
    message: String,
    place: Place,
    hint: Option<String>,
}

impl Error {
    /// An error without place and hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            code,
            message: message.into(),
            place: Place::None,
            hint: None,
        }))
    }

    /// A syntax error at `span`.
    pub fn syntax(span: Span, message: impl Into<String>) -> Self {
        Error::new(Code::Syntax, message).at(span)
    }

    /// Corruption of a file: what no crash explains.
    pub fn corrupt(path: impl Into<String>, offset: u64, message: impl Into<String>) -> Self {
        Error::new(Code::Corrupt, message).in_file(path, Some(offset))
    }

    /// The same error at a place in the script; a place that is already set stays.
    pub fn at(mut self, span: Span) -> Self {
        if self.0.place == Place::None {
            self.0.place = Place::Text(span);
        }
        self
    }

    /// The same error in a file; a place that is already set stays.
    pub fn in_file(mut self, path: impl Into<String>, offset: Option<u64>) -> Self {
        if self.0.place == Place::None {
            self.0.place = Place::File {
                path: path.into(),
                offset,
            };
        }
        self
    }

    /// The same error of a file that lies in another, from `start` on.
    pub(crate) fn moved_to(mut self, path: impl Into<String>, start: u64) -> Self {
        let within = match &self.0.place {
            Place::File { offset, .. } => offset.unwrap_or(0),
            _ => 0,
        };
        self.0.place = Place::File {
            path: path.into(),
            offset: Some(start + within),
        };
        self
    }

    /// The same error on a line of input, whatever place it had.
    pub fn on_line(mut self, line: u64) -> Self {
        self.0.place = Place::Line(line);
        self
    }

    /// The same error with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// What went wrong, for programs.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What went wrong, for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What to try, if something is likely.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.place {
            Place::None | Place::Text(_) => Ok(()),
            Place::File {
                path,
                offset: Some(offset),
            } => write!(f, " ({path}, offset {offset})"),
            Place::File { path, offset: None } => write!(f, " ({path})"),
            Place::Line(line) => write!(f, " (line {line})"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.0.code.as_str())
    }
}

#[cfg(feature = "std")]
impl std::error::Error for Error {}
