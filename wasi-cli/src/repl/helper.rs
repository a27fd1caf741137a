//! What helps while a statement is typed: its end is seen, keywords and tables are completed, earlier statements are offered.

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper, Result};

use super::text;

const KEYWORDS: &[&str] = &[
    "AND",
    "AS OF",
    "ASC",
    "AVG(",
    "BEGIN",
    "BEGIN WITH",
    "BETWEEN",
    "COMMIT",
    "COMPACT",
    "COUNT(",
    "CREATE TABLE",
    "DESC",
    "DESCRIBE",
    "DIFF",
    "EXPLAIN",
    "FROM",
    "GROUP BY",
    "IF NOT EXISTS",
    "IN (",
    "INDEX(",
    "INSERT INTO",
    "INTO",
    "IS NOT NULL",
    "IS NULL",
    "KEEP SINCE",
    "KEY",
    "LIKE",
    "LIMIT",
    "MAX(",
    "MIN(",
    "NOT",
    "NULL",
    "OFFSET",
    "OR",
    "ORDER BY",
    "PATCH",
    "RESTORE",
    "ROLLBACK",
    "SELECT",
    "SET",
    "SHOW DRIFT",
    "SHOW TABLES",
    "SNAPSHOT",
    "SOFT DELETE FROM",
    "SUM(",
    "TO",
    "UPSERT INTO",
    "WHERE",
];

/// The helper that the line editor asks.
#[derive(Default)]
pub struct Assistant {
    tables: Vec<String>,
    history: HistoryHinter,
}

impl Assistant {
    /// The tables that can be completed.
    pub fn set_tables(&mut self, tables: Vec<String>) {
        self.tables = tables;
    }
}

impl Helper for Assistant {}
impl Highlighter for Assistant {}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> Result<ValidationResult> {
        Ok(if text::is_complete(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, at: usize, context: &Context<'_>) -> Option<String> {
        if line.is_empty() {
            None
        } else {
            self.history.hint(line, at, context)
        }
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        let typed = line.get(..at).unwrap_or_default();
        let start = text::word_start(typed);
        let word = typed.get(start..).unwrap_or_default();
        if word.is_empty() || !text::ends_plain(typed) {
            return Ok((start, Vec::new()));
        }
        let begins = |candidate: &&str| {
            let head = candidate.get(..word.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(word))
        };
        let tables = self.tables.iter().map(String::as_str);
        let found = tables.chain(KEYWORDS.iter().copied()).filter(begins);
        let pair = |text: &str| Pair {
            display: text.into(),
            replacement: replacement(text),
        };
        Ok((start, found.map(pair).collect()))
    }
}

/// A keyword is followed by a blank.
fn replacement(text: &str) -> String {
    if text.ends_with('(') || !KEYWORDS.contains(&text) {
        text.into()
    } else {
        format!("{text} ")
    }
}
