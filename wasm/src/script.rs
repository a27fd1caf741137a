//! Statements to run: read from text, or made of a table's everyday operations.

use driftdb_core::ql::ast::{Kind, Name, Statement, Term, TermKind};
use driftdb_core::ql::{Params, Parser};
use driftdb_core::value::{Given, Value};
use driftdb_core::{Code, Error, Result, Span};

/// The statements of a script, and the error that ends it where it cannot be read: what stands before that runs.
#[derive(Debug, Default)]
pub struct Script {
    /// The text; empty where there is none.
    pub text: String,
    /// The statements.
    pub statements: Vec<Statement>,
    /// Why there are no more.
    pub broken: Option<Error>,
}

impl Script {
    /// Reads a text.
    pub fn parse(text: &str) -> Script {
        let mut parser = Parser::new(text);
        let mut script = Script {
            text: text.into(),
            ..Script::default()
        };
        loop {
            match parser.next_statement() {
                Ok(Some(statement)) => script.statements.push(statement),
                Ok(None) => return script,
                Err(error) => {
                    script.broken = Some(error);
                    return script;
                }
            }
        }
    }

    /// An operation on a table: its name, and the values that it takes.
    ///
    /// # Errors
    /// `Code::Unsupported` for one that there is not, or with other values than it takes.
    pub fn of_table(operation: &str, table: &str, values: Vec<Given>) -> Result<Script> {
        let table = Name {
            text: table.into(),
            span: Span::default(),
        };
        if operation == "migrate" {
            return Script::migration(table, values);
        }
        let mut terms = values.into_iter().map(given);
        let mut next = || {
            terms
                .next()
                .ok_or_else(|| Error::new(Code::Unsupported, format!("{operation} lacks a value")))
        };
        let kind = match operation {
            "insert" => Kind::Insert {
                table,
                documents: terms.collect(),
            },
            "upsert" => Kind::Upsert {
                table,
                documents: terms.collect(),
            },
            "patch" => Kind::Patch {
                table,
                key: next()?,
                patch: next()?,
            },
            "delete" => Kind::SoftDelete {
                table,
                key: next()?,
            },
            "restore" => Kind::Restore {
                table,
                key: next()?,
                at: next()?,
            },
            "history" => Kind::ShowDrift {
                table,
                key: next()?,
                at: None,
            },
            "diff" => Kind::Diff {
                table,
                from: next()?,
                to: next()?,
                key: terms.next(),
            },
            _ => {
                let message = format!("there is no operation {operation}");
                return Err(Error::new(Code::Unsupported, message));
            }
        };
        Ok(Script {
            statements: vec![Statement {
                span: Span::default(),
                kind,
                parameters: Vec::new(),
            }],
            ..Script::default()
        })
    }

    /// A script that runs as one transaction, together with a record of it. Its tables are made before: making one is no part of a transaction, and to be done again
    /// does no harm.
    fn migration(table: Name, values: Vec<Given>) -> Result<Script> {
        let Ok([record, Given::Value(Value::Str(text))]) = <[Given; 2]>::try_from(values) else {
            return Err(Error::new(
                Code::Unsupported,
                "migrate takes a record and a script",
            ));
        };
        let mut script = Script::parse(&text);
        if let Some(error) = script.broken.take() {
            return Err(error);
        }
        if script.controls() {
            let message = "BEGIN, COMMIT and ROLLBACK cannot stand in a migration";
            return Err(Error::new(Code::Transaction, message));
        }
        let at = |kind| Statement {
            span: Span::default(),
            kind,
            parameters: Vec::new(),
        };
        let (mut tables, others): (Vec<_>, Vec<_>) = core::mem::take(&mut script.statements)
            .into_iter()
            .partition(|statement| matches!(statement.kind, Kind::CreateTable(_)));
        for statement in &mut tables {
            if let Kind::CreateTable(create) = &mut statement.kind {
                create.if_not_exists = true;
            }
        }
        let insert = Kind::Insert {
            table,
            documents: vec![given(record)],
        };
        tables.extend([at(Kind::Begin { meta: None }), at(insert)]);
        tables.extend(others);
        tables.push(at(Kind::Commit));
        script.statements = tables;
        Ok(script)
    }

    /// Whether all statements only read.
    pub fn reads(&self) -> bool {
        self.statements
            .iter()
            .all(|statement| statement.kind.is_read())
    }

    /// Whether it begins or ends a transaction.
    pub fn controls(&self) -> bool {
        self.statements.iter().any(|statement| {
            matches!(
                statement.kind,
                Kind::Begin { .. } | Kind::Commit | Kind::Rollback
            )
        })
    }

    /// Checks that the parameters are those that the script has.
    pub fn check(&self, params: &Params) -> Result<()> {
        match self.broken {
            None => params.check(&self.statements),
            Some(_) => params.check_text(&self.text),
        }
    }
}

/// The statement read at a point, if it reads and names none itself.
pub fn at_point(statement: &Statement, point: &str) -> Statement {
    let mut statement = statement.clone();
    let at = match &mut statement.kind {
        Kind::Select(select) | Kind::Explain(select) => &mut select.at,
        Kind::ShowDrift { at, .. } => at,
        _ => return statement,
    };
    at.get_or_insert_with(|| given(Value::from(point).into()));
    statement
}

fn given(given: Given) -> Term {
    Term {
        span: Span::default(),
        kind: match given {
            Given::Value(value) => TermKind::Value(value),
            Given::Document(document) => TermKind::Document(document),
        },
    }
}
