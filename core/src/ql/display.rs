//! Expressions and terms as text: what EXPLAIN and messages show.

use core::fmt::{self, Display};

use super::ast::{Arguments, Expr, ExprKind, InList, Parameter, Term, TermKind};
use crate::value::Value;

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Parameter::Positional(number) => write!(f, "?{number}"),
            Parameter::Named(name) => write!(f, ":{name}"),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TermKind::Value(value) => value.fmt(f),
            TermKind::Document(document) => document.view().raw().fmt(f),
            TermKind::Parameter(parameter) => parameter.fmt(f),
            TermKind::Array(items) => {
                f.write_str("[")?;
                list(items, ", ", f)?;
                f.write_str("]")
            }
            TermKind::Object(members) => {
                f.write_str("{")?;
                for (at, (name, term)) in members.iter().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    write!(f, "{}: {term}", Value::from(name.as_str()))?;
                }
                f.write_str("}")
            }
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Constant(term) => term.fmt(f),
            ExprKind::Path(path) => path.fmt(f),
            ExprKind::Not(inner) => write!(f, "NOT {}", Nested(inner)),
            ExprKind::And(terms) => joined(terms, " AND ", f),
            ExprKind::Or(terms) => joined(terms, " OR ", f),
            ExprKind::Compare {
                operator,
                left,
                right,
            } => {
                write!(
                    f,
                    "{} {} {}",
                    Operand(left),
                    operator.as_str(),
                    Operand(right)
                )
            }
            ExprKind::Like {
                value,
                pattern,
                escape,
                negated,
            } => {
                write!(
                    f,
                    "{}{} LIKE {}",
                    Operand(value),
                    not(*negated),
                    Operand(pattern)
                )?;
                escape
                    .iter()
                    .try_for_each(|escape| write!(f, " ESCAPE {escape}"))
            }
            ExprKind::Between {
                value,
                low,
                high,
                negated,
            } => {
                write!(
                    f,
                    "{}{} BETWEEN {} AND {}",
                    Operand(value),
                    not(*negated),
                    Operand(low),
                    Operand(high)
                )
            }
            ExprKind::In {
                value,
                list: items,
                negated,
            } => {
                write!(f, "{}{} IN ", Operand(value), not(*negated))?;
                match items {
                    InList::Array(term) => term.fmt(f),
                    InList::Items(items) => {
                        f.write_str("(")?;
                        list(items, ", ", f)?;
                        f.write_str(")")
                    }
                }
            }
            ExprKind::IsNull { value, negated } => {
                write!(f, "{} IS{} NULL", Operand(value), not(*negated))
            }
            ExprKind::Call {
                function,
                arguments,
            } => {
                write!(f, "{}(", function.text.to_ascii_uppercase())?;
                match arguments {
                    Arguments::Star => f.write_str("*")?,
                    Arguments::List(items) => list(items, ", ", f)?,
                }
                f.write_str(")")
            }
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { " NOT" } else { "" }
}

fn list<T: fmt::Display>(items: &[T], between: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        f.write_str(if at > 0 { between } else { "" })?;
        item.fmt(f)?;
    }
    Ok(())
}

fn joined(terms: &[Expr], between: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, term) in terms.iter().enumerate() {
        f.write_str(if at > 0 { between } else { "" })?;
        Nested(term).fmt(f)?;
    }
    Ok(())
}

/// An expression beside AND, OR or NOT.
struct Nested<'a>(&'a Expr);

impl fmt::Display for Nested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind {
            ExprKind::And(_) | ExprKind::Or(_) => write!(f, "({})", self.0),
            _ => self.0.fmt(f),
        }
    }
}

/// An expression beside an operator that binds more tightly than AND, OR and NOT.
struct Operand<'a>(&'a Expr);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind {
            ExprKind::Constant(_) | ExprKind::Path(_) | ExprKind::Call { .. } => self.0.fmt(f),
            _ => write!(f, "({})", self.0),
        }
    }
}
