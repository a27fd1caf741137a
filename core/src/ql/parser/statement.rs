//! Every statement but SELECT.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::Parser;
use crate::error::{Code, Error, Result, Span};
use crate::limits::NAME_BYTES_MAX;
use crate::ql::ast::{CreateTable, Kind, Name};
use crate::ql::token::Symbol;
use crate::value::Path;

/// Reads a statement after its first keyword.
type Rest<P> = fn(&mut P) -> Result<Kind>;

impl Parser<'_> {
    /// One statement, without its semicolon.
    pub(super) fn statement(&mut self) -> Result<Kind> {
        if self.at_keyword("SELECT") {
            return Ok(Kind::Select(Box::new(self.select()?)));
        }
        let statements: [(&'static str, Rest<Self>); 14] = [
            ("INSERT", Self::insert),
            ("UPSERT", Self::upsert),
            ("PATCH", Self::patch),
            ("SOFT", Self::soft_delete),
            ("CREATE", Self::create),
            ("BEGIN", Self::begin),
            ("COMMIT", |_| Ok(Kind::Commit)),
            ("ROLLBACK", |_| Ok(Kind::Rollback)),
            ("SHOW", Self::show),
            ("DESCRIBE", Self::describe),
            ("DIFF", Self::diff),
            ("RESTORE", Self::restore),
            ("SNAPSHOT", Self::snapshot),
            ("COMPACT", Self::compact),
        ];
        for (keyword, parse) in statements {
            if self.eat_keyword(keyword) {
                return parse(self);
            }
        }
        if self.eat_keyword("EXPLAIN") {
            return if self.at_keyword("SELECT") {
                Ok(Kind::Explain(Box::new(self.select()?)))
            } else {
                Err(self.unexpected())
            };
        }
        Err(self.no_statement())
    }

    /// The error for what starts no statement, with a hint for the words of other languages.
    fn no_statement(&mut self) -> Error {
        let hint = match self.text() {
            word if word.eq_ignore_ascii_case("UPDATE") => "use PATCH t KEY k SET {..}",
            word if word.eq_ignore_ascii_case("DELETE") => "use SOFT DELETE FROM t KEY k",
            word if word.eq_ignore_ascii_case("DROP") || word.eq_ignore_ascii_case("ALTER") => {
                "tables are never dropped or altered"
            }
            word if word.eq_ignore_ascii_case("REPLACE") => "use UPSERT INTO t {..}",
            _ => "",
        };
        self.expected.clear();
        self.expected.extend([
            "SELECT", "INSERT", "UPSERT", "PATCH", "SOFT", "CREATE", "BEGIN", "COMMIT", "ROLLBACK",
            "SHOW", "DESCRIBE", "DIFF", "RESTORE", "SNAPSHOT", "COMPACT", "EXPLAIN",
        ]);
        let error = self.unexpected();
        if hint.is_empty() {
            error
        } else {
            error.hint(hint)
        }
    }

    /// A table's name.
    pub(super) fn table(&mut self) -> Result<Name> {
        self.name("a table's name")
    }

    fn insert(&mut self) -> Result<Kind> {
        self.need_keyword("INTO")?;
        let table = self.table()?;
        Ok(Kind::Insert {
            table,
            documents: self.documents()?,
        })
    }

    fn upsert(&mut self) -> Result<Kind> {
        self.need_keyword("INTO")?;
        let table = self.table()?;
        Ok(Kind::Upsert {
            table,
            documents: self.documents()?,
        })
    }

    fn documents(&mut self) -> Result<Vec<crate::ql::ast::Term>> {
        let mut documents = Vec::new();
        loop {
            documents.push(self.document()?);
            if !self.eat_symbol(Symbol::Comma) {
                return Ok(documents);
            }
        }
    }

    fn patch(&mut self) -> Result<Kind> {
        let table = self.table()?;
        let key = self.key()?;
        self.need_keyword("SET")?;
        Ok(Kind::Patch {
            table,
            key,
            patch: self.document()?,
        })
    }

    fn soft_delete(&mut self) -> Result<Kind> {
        self.need_keyword("DELETE")?;
        self.need_keyword("FROM")?;
        let table = self.table()?;
        Ok(Kind::SoftDelete {
            table,
            key: self.key()?,
        })
    }

    fn create(&mut self) -> Result<Kind> {
        self.need_keyword("TABLE")?;
        let mut table = if self.at_keyword("IF") {
            Some(self.take_word())
        } else {
            None
        };
        let if_not_exists = table.is_some() && self.eat_keyword("NOT");
        if if_not_exists {
            self.need_keyword("EXISTS")?;
            table = None;
        }
        let table = match table {
            Some(table) => table,
            None => self.table()?,
        };
        limit_name(table.text.len(), table.span)?;
        let open = self.token.span;
        self.need_symbol(Symbol::LeftParen)?;
        let mut primary_key = None;
        let mut indexes: Vec<(Path, Span)> = Vec::new();
        loop {
            let start = self.token.span;
            if self.eat_keyword("PK") {
                self.need_symbol(Symbol::Equal)?;
                let name = self.name("the name of the key's member")?;
                limit_name(name.text.len(), name.span)?;
                if primary_key.replace(name).is_some() {
                    return Err(Error::syntax(
                        self.since(start),
                        "a table has one primary key",
                    ));
                }
            } else if self.eat_keyword("INDEX") {
                self.index_list(&mut indexes)?;
            } else {
                return Err(self.unexpected());
            }
            if !self.eat_symbol(Symbol::Comma) {
                break;
            }
        }
        self.need_symbol(Symbol::RightParen)?;
        let Some(primary_key) = primary_key else {
            let error = Error::syntax(self.since(open), "the table has no primary key");
            return Err(error.hint("name the member that holds it: (pk=id)"));
        };
        Ok(Kind::CreateTable(CreateTable {
            table,
            if_not_exists,
            primary_key,
            indexes,
        }))
    }

    /// `(a, b.c)` after INDEX.
    fn index_list(&mut self, indexes: &mut Vec<(Path, Span)>) -> Result<()> {
        self.need_symbol(Symbol::LeftParen)?;
        loop {
            let start = self.token.span;
            let path = self.path("a path to index")?;
            let span = self.since(start);
            limit_name(span.end - span.start, span)?;
            if indexes.iter().any(|(other, _)| *other == path) {
                return Err(
                    Error::new(Code::InvalidValue, format!("`{path}` is indexed twice")).at(span),
                );
            }
            indexes.push((path, span));
            if !self.eat_symbol(Symbol::Comma) {
                return self.need_symbol(Symbol::RightParen);
            }
        }
    }

    fn begin(&mut self) -> Result<Kind> {
        let meta = if self.eat_keyword("WITH") {
            Some(self.document()?)
        } else {
            None
        };
        Ok(Kind::Begin { meta })
    }

    fn show(&mut self) -> Result<Kind> {
        if self.eat_keyword("TABLES") {
            return Ok(Kind::ShowTables);
        }
        self.need_keyword("DRIFT")?;
        let table = self.table()?;
        let key = self.key()?;
        let at = self.as_of()?;
        Ok(Kind::ShowDrift { table, key, at })
    }

    fn describe(&mut self) -> Result<Kind> {
        Ok(Kind::Describe {
            table: self.table()?,
        })
    }

    fn diff(&mut self) -> Result<Kind> {
        let table = self.table()?;
        let key = if self.at_keyword("KEY") {
            Some(self.key()?)
        } else {
            None
        };
        self.need_keyword("FROM")?;
        let from = self.point()?;
        self.need_keyword("TO")?;
        Ok(Kind::Diff {
            table,
            key,
            from,
            to: self.point()?,
        })
    }

    fn restore(&mut self) -> Result<Kind> {
        let table = self.table()?;
        let key = self.key()?;
        match self.as_of()? {
            Some(at) => Ok(Kind::Restore { table, key, at }),
            None => Err(self.unexpected()),
        }
    }

    fn snapshot(&mut self) -> Result<Kind> {
        Ok(Kind::Snapshot {
            table: self.table()?,
        })
    }

    fn compact(&mut self) -> Result<Kind> {
        let table = self.table()?;
        let mut keep_since = None;
        if self.eat_keyword("KEEP") {
            self.need_keyword("SINCE")?;
            keep_since = Some(self.point()?);
        }
        Ok(Kind::Compact { table, keep_since })
    }
}

/// Names of a schema have a longest length.
fn limit_name(bytes: usize, span: Span) -> Result<()> {
    if bytes <= NAME_BYTES_MAX {
        return Ok(());
    }
    Err(Error::new(
        Code::Limit,
        format!("the name has {bytes} bytes; the limit is {NAME_BYTES_MAX}"),
    )
    .at(span))
}
