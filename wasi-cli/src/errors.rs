//! [`Failure`]: why a command ends early, how that is shown, and the exit status it gives.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use driftdb_core::{Code, Error, Place};

use crate::excerpt;

/// The result of a command.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command ends early.
#[derive(Debug)]
pub enum Failure {
    /// The engine, a statement or a file says no.
    Error {
        /// What it says.
        error: Error,
        /// The script that the error's span points into.
        script: Option<Script>,
    },
    /// The command line is wrong.
    Usage(String),
    /// `verify` found damage, and has shown it.
    Damaged,
    /// The user or the system asked for an end.
    Interrupted,
    /// Whoever read the output does not do so any more.
    ClosedPipe,
}

/// The text of a script and where it is from.
#[derive(Clone, Debug)]
pub struct Script {
    /// A file's name, or `-e`.
    pub name: String,
    /// The whole text, or some lines of it.
    pub text: String,
    /// The number of the first of these lines.
    pub first_line: u64,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Error {
            error,
            script: None,
        }
    }
}

/// An error of writing the output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // wasmtime gives a pipe without a reader as a plain I/O error; a full disk has an error of its own there too.
        let closed_in_wasi = cfg!(target_os = "wasi") && error.raw_os_error() == Some(29);
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ if closed_in_wasi => Failure::ClosedPipe,
            _ => Error::new(code_of(&error), format!("cannot write the output: {error}")).into(),
        }
    }
}

impl Failure {
    /// An error of reading or writing a file that is not the database's.
    pub fn file(what: &str, path: &Path, error: &io::Error) -> Self {
        Error::new(
            code_of(error),
            format!("cannot {what} {}: {error}", path.display()),
        )
        .into()
    }

    /// The same failure, its span pointing into `script`.
    pub fn of_script(self, script: &Script) -> Self {
        match self {
            Failure::Error {
                error,
                script: None,
            } => Failure::Error {
                error,
                script: Some(script.clone()),
            },
            other => other,
        }
    }

    /// The exit status, as the help text states it.
    pub fn status(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Damaged => 4,
            Failure::Interrupted => 130,
            // WASI engines take no status above 125.
            Failure::ClosedPipe if cfg!(target_os = "wasi") => 41,
            Failure::ClosedPipe => 141,
            Failure::Error { error, .. } => status_of(error.code()),
        }
    }

    /// Shows the failure on standard error and gives the exit status.
    pub fn report(&self) -> ExitCode {
        match self {
            Failure::Error { error, script } => {
                anstream::eprintln!("{}", render(error, script.as_ref()));
            }
            Failure::Usage(message) => {
                anstream::eprintln!(
                    "{}",
                    plain("usage", message, "", Some("see driftdb --help"))
                );
            }
            Failure::Interrupted => anstream::eprintln!("interrupted"),
            Failure::Damaged | Failure::ClosedPipe => {}
        }
        ExitCode::from(self.status())
    }
}

fn status_of(code: Code) -> u8 {
    match code {
        Code::Busy => 3,
        Code::Corrupt => 4,
        Code::NotADatabase
        | Code::DatabaseExists
        | Code::NewerFormat
        | Code::StorageFull
        | Code::PermissionDenied
        | Code::FileMissing
        | Code::Io
        | Code::Latched
        | Code::Conflict => 5,
        _ => 1,
    }
}

fn code_of(error: &io::Error) -> Code {
    match error.kind() {
        io::ErrorKind::NotFound => Code::FileMissing,
        io::ErrorKind::PermissionDenied => Code::PermissionDenied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::StorageFull,
        _ => Code::Io,
    }
}

/// An error as people read it: code and message, the line of the script with a caret, the hint.
pub fn render(error: &Error, script: Option<&Script>) -> String {
    let code = error.code().as_str();
    match (error.place(), script) {
        (Place::Text(span), Some(script)) => {
            let excerpt = excerpt::render(script, *span);
            plain(code, error.message(), &excerpt, error.hint_text())
        }
        _ => plain(code, &error.to_string(), "", error.hint_text()),
    }
}

fn plain(code: &str, message: &str, excerpt: &str, hint: Option<&str>) -> String {
    let style = anstyle::AnsiColor::BrightRed.on_default().bold();
    let bold = anstyle::Style::new().bold();
    let message = printable(message);
    let mut text = format!("{style}error[{code}]{style:#}{bold}: {message}{bold:#}{excerpt}");
    if let Some(hint) = hint {
        let green = anstyle::AnsiColor::BrightGreen.on_default();
        let _ = write!(text, "\n{green}help{green:#}: {}", printable(hint));
    }
    text
}

/// Text in which nothing can move the cursor or change colours: white space is blank, other control characters are escaped.
pub fn printable(text: &str) -> String {
    let blank = text.replace(['\n', '\t'], " ");
    printable_escaped(&blank)
}

/// Text in which every control character is escaped, line breaks too.
pub fn printable_escaped(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default())
        } else {
            out.push(c)
        }
    }
    out
}
