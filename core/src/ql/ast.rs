//! The statements of DriftQL as data. Spans are byte offsets into the script.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::Span;
use crate::value::{Document, Path, Value};

/// One statement of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Where it stands in the script, without its semicolon.
    pub span: Span,
    /// What it says.
    pub kind: Kind,
    /// The parameters that it names, in the order of the text.
    pub parameters: Vec<(Parameter, Span)>,
}

/// What a statement says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// `CREATE TABLE t (pk=id, INDEX(a, b))`
    CreateTable(CreateTable),
    /// `INSERT INTO t {..}, {..}`
    Insert {
        /// The table.
        table: Name,
        /// The documents, at least one.
        documents: Vec<Term>,
    },
    /// `UPSERT INTO t {..}, {..}`
    Upsert {
        /// The table.
        table: Name,
        /// The documents, at least one.
        documents: Vec<Term>,
    },
    /// `PATCH t KEY k SET {..}`
    Patch {
        /// The table.
        table: Name,
        /// The row's key.
        key: Term,
        /// The merge patch.
        patch: Term,
    },
    /// `SOFT DELETE FROM t KEY k`
    SoftDelete {
        /// The table.
        table: Name,
        /// The row's key.
        key: Term,
    },
    /// `RESTORE t KEY k AS OF p`
    Restore {
        /// The table.
        table: Name,
        /// The row's key.
        key: Term,
        /// The point whose state comes back.
        at: Term,
    },
    /// `BEGIN [WITH {..}]`
    Begin {
        /// Metadata of the transaction.
        meta: Option<Term>,
    },
    /// `COMMIT`
    Commit,
    /// `ROLLBACK`
    Rollback,
    /// `SELECT ..`
    Select(Box<Select>),
    /// `EXPLAIN SELECT ..`
    Explain(Box<Select>),
    /// `SHOW DRIFT t KEY k [AS OF p]`
    ShowDrift {
        /// The table.
        table: Name,
        /// The row's key.
        key: Term,
        /// The point up to which, if not the present.
        at: Option<Term>,
    },
    /// `DIFF t [KEY k] FROM p TO p`
    Diff {
        /// The table.
        table: Name,
        /// The row's key, if only one row is compared.
        key: Option<Term>,
        /// The earlier point.
        from: Term,
        /// The later point.
        to: Term,
    },
    /// `SHOW TABLES`
    ShowTables,
    /// `DESCRIBE t`
    Describe {
        /// The table.
        table: Name,
    },
    /// `SNAPSHOT t`
    Snapshot {
        /// The table.
        table: Name,
    },
    /// `COMPACT t [KEEP SINCE p]`
    Compact {
        /// The table.
        table: Name,
        /// The point since which all history is kept.
        keep_since: Option<Term>,
    },
}

impl Kind {
    /// The statement's keywords, for messages: `INSERT`, `SHOW DRIFT`, ...
    pub fn name(&self) -> &'static str {
        match self {
            Kind::CreateTable(_) => "CREATE TABLE",
            Kind::Insert { .. } => "INSERT",
            Kind::Upsert { .. } => "UPSERT",
            Kind::Patch { .. } => "PATCH",
            Kind::SoftDelete { .. } => "SOFT DELETE",
            Kind::Restore { .. } => "RESTORE",
            Kind::Begin { .. } => "BEGIN",
            Kind::Commit => "COMMIT",
            Kind::Rollback => "ROLLBACK",
            Kind::Select(_) => "SELECT",
            Kind::Explain(_) => "EXPLAIN",
            Kind::ShowDrift { .. } => "SHOW DRIFT",
            Kind::Diff { .. } => "DIFF",
            Kind::ShowTables => "SHOW TABLES",
            Kind::Describe { .. } => "DESCRIBE",
            Kind::Snapshot { .. } => "SNAPSHOT",
            Kind::Compact { .. } => "COMPACT",
        }
    }

    /// The table it names, if it names one.
    pub fn table(&self) -> Option<&Name> {
        match self {
            Kind::CreateTable(create) => Some(&create.table),
            Kind::Select(select) | Kind::Explain(select) => Some(&select.table),
            Kind::Insert { table, .. }
            | Kind::Upsert { table, .. }
            | Kind::Patch { table, .. }
            | Kind::SoftDelete { table, .. }
            | Kind::Restore { table, .. }
            | Kind::ShowDrift { table, .. }
            | Kind::Diff { table, .. }
            | Kind::Describe { table }
            | Kind::Snapshot { table }
            | Kind::Compact { table, .. } => Some(table),
            Kind::Begin { .. } | Kind::Commit | Kind::Rollback | Kind::ShowTables => None,
        }
    }

    /// Whether it only reads, so that a reader can run it.
    pub fn is_read(&self) -> bool {
        matches!(
            self,
            Kind::Select(_)
                | Kind::Explain(_)
                | Kind::ShowDrift { .. }
                | Kind::Diff { .. }
                | Kind::ShowTables
                | Kind::Describe { .. }
        )
    }
}

/// `CREATE TABLE`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    /// The new table.
    pub table: Name,
    /// Whether a table that exists is left as it is.
    pub if_not_exists: bool,
    /// The member that holds the primary key.
    pub primary_key: Name,
    /// The paths to index, distinct.
    pub indexes: Vec<(Path, Span)>,
}

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name, without quotes.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// `?` or `?1`, counted from 1.
    Positional(usize),
    /// `:name`
    Named(String),
}

/// A value known before a statement runs: a literal, a parameter, or a literal with parameters inside.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: TermKind,
}

/// What a term is.
#[derive(Clone, Debug, PartialEq)]
pub enum TermKind {
    /// A literal without parameters.
    Value(Value),
    /// An object that the host gives, encoded; no text has one.
    Document(Document),
    /// A parameter.
    Parameter(Parameter),
    /// An array with a parameter somewhere inside.
    Array(Vec<Term>),
    /// An object with a parameter somewhere inside; names are distinct.
    Object(Vec<(String, Term)>),
}

/// `SELECT`
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// What to show.
    pub items: Items,
    /// The table.
    pub table: Name,
    /// The point to read it at, if not the present.
    pub at: Option<Term>,
    /// The condition on rows.
    pub filter: Option<Expr>,
    /// The grouping expressions.
    pub group_by: Vec<Expr>,
    /// The order of the result.
    pub order_by: Vec<OrderBy>,
    /// How many rows at most.
    pub limit: Option<Term>,
    /// How many rows to leave out first.
    pub offset: Option<Term>,
}

/// What SELECT shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Items {
    /// `*`: the documents themselves.
    All,
    /// Columns, at least one.
    Columns(Vec<Column>),
}

/// One column of a SELECT.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What it shows.
    pub expr: Expr,
    /// Its name in the result: the alias, or the path, or the text of the expression.
    pub name: String,
    /// Whether the name is an alias.
    pub aliased: bool,
}

/// One term of ORDER BY.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderBy {
    /// What to order by.
    pub expr: Expr,
    /// Whether large comes first.
    pub descending: bool,
}

/// An expression over a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

impl Expr {
    /// Pushes the expressions that this one is made of.
    pub(super) fn push_parts<'a>(&'a self, out: &mut Vec<&'a Expr>) {
        match &self.kind {
            ExprKind::Constant(_) | ExprKind::Path(_) => {}
            ExprKind::Not(inner) => out.push(inner),
            ExprKind::And(terms) | ExprKind::Or(terms) => out.extend(terms),
            ExprKind::Compare { left, right, .. } => out.extend([&**left, &**right]),
            ExprKind::Like { value, pattern, .. } => out.extend([&**value, &**pattern]),
            ExprKind::Between {
                value, low, high, ..
            } => out.extend([&**value, &**low, &**high]),
            ExprKind::In { value, list, .. } => {
                out.push(value);
                if let InList::Items(items) = list {
                    out.extend(items);
                }
            }
            ExprKind::IsNull { value, .. } => out.push(value),
            ExprKind::Call { arguments, .. } => {
                if let Arguments::List(list) = arguments {
                    out.extend(list);
                }
            }
        }
    }
}

/// What an expression is. Chains of AND and OR are flat, so that their length is no depth.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ExprKind {
    /// A value known before the statement runs.
    Constant(Term),
    /// A member of the row.
    Path(Path),
    /// `NOT a`
    Not(Box<Expr>),
    /// `a AND b AND ..`
    And(Vec<Expr>),
    /// `a OR b OR ..`
    Or(Vec<Expr>),
    /// `a < b` and its like
    Compare {
        /// The operator.
        operator: Comparison,
        /// Left of it.
        left: Box<Expr>,
        /// Right of it.
        right: Box<Expr>,
    },
    /// `a [NOT] LIKE b [ESCAPE c]`
    Like {
        /// What is looked at.
        value: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// The character that takes `%` and `_` their meaning.
        escape: Option<Term>,
        /// Whether NOT stands before LIKE.
        negated: bool,
    },
    /// `a [NOT] BETWEEN b AND c`
    Between {
        /// What is looked at.
        value: Box<Expr>,
        /// The lower bound, inclusive.
        low: Box<Expr>,
        /// The upper bound, inclusive.
        high: Box<Expr>,
        /// Whether NOT stands before BETWEEN.
        negated: bool,
    },
    /// `a [NOT] IN (..)`
    In {
        /// What is looked for.
        value: Box<Expr>,
        /// Where it is looked for.
        list: InList,
        /// Whether NOT stands before IN.
        negated: bool,
    },
    /// `a IS [NOT] NULL`
    IsNull {
        /// What is looked at.
        value: Box<Expr>,
        /// Whether NOT stands before NULL.
        negated: bool,
    },
    /// `f(a, b)` or `f(*)`; whether there is such a function is found when the statement is planned.
    Call {
        /// The function.
        function: Name,
        /// What it is called with.
        arguments: Arguments,
    },
}

/// The right side of IN.
#[derive(Clone, Debug, PartialEq)]
pub enum InList {
    /// `(a, b, ..)`
    Items(Vec<Expr>),
    /// An array: a literal or a parameter.
    Array(Term),
}

/// What a function is called with.
#[derive(Clone, Debug, PartialEq)]
pub enum Arguments {
    /// `(*)`
    Star,
    /// `(a, b)`
    List(Vec<Expr>),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`, `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

impl Comparison {
    /// The operator as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterEqual => ">=",
        }
    }

    /// The operator with its sides exchanged: `a < b` is `b > a`.
    pub fn flipped(self) -> Self {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessEqual => Comparison::GreaterEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterEqual => Comparison::LessEqual,
            Comparison::Equal | Comparison::NotEqual => self,
        }
    }
}
