//! Constraints: what a condition demands of single paths, for the choice of an access.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Bound;

use crate::error::Result;
use crate::ql::Params;
use crate::ql::ast::{Comparison, Expr, ExprKind, InList, Term};
use crate::ql::exec::like::Pattern;
use crate::ql::exec::node::Constant;
use crate::value::{Path, Value, order};

/// What must hold of the value at a path in every row that a condition accepts.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    pub(crate) path: Path,
    /// It is one of these: sorted, distinct, none NULL.
    pub(crate) points: Option<Vec<Value>>,
    /// It is not below this.
    pub(crate) lower: Bound<Value>,
    /// It is not above this.
    pub(crate) upper: Bound<Value>,
    /// Nothing can be so.
    never: bool,
}

impl Constraint {
    fn points(path: &Path, mut points: Vec<Value>) -> Self {
        points.retain(|point| !point.is_null());
        points.sort_by(compare);
        points.dedup_by(|a, b| compare(a, b).is_eq());
        Constraint {
            path: path.clone(),
            points: Some(points),
            lower: Bound::Unbounded,
            upper: Bound::Unbounded,
            never: false,
        }
    }

    /// A range. A comparison with NULL is never true.
    fn range(path: &Path, lower: Bound<Value>, upper: Bound<Value>) -> Self {
        let null = |bound: &Bound<Value>| {
            matches!(
                bound,
                Bound::Included(Value::Null) | Bound::Excluded(Value::Null)
            )
        };
        let never = null(&lower) || null(&upper);
        let mut constraint = Constraint {
            path: path.clone(),
            points: None,
            lower,
            upper,
            never,
        };
        constraint.settle();
        constraint
    }

    /// Whether nothing can meet it.
    pub(crate) fn is_empty(&self) -> bool {
        self.never || self.points.as_ref().is_some_and(Vec::is_empty)
    }

    /// Both this and another of the same path. Points win over a range.
    fn and(&mut self, other: Constraint) {
        self.never |= other.is_empty();
        self.points = match (self.points.take(), other.points) {
            (Some(mut mine), Some(others)) => {
                mine.retain(|point| others.iter().any(|other| compare(point, other).is_eq()));
                Some(mine)
            }
            (mine, others) => mine.or(others),
        };
        self.lower = tighter(
            core::mem::replace(&mut self.lower, Bound::Unbounded),
            other.lower,
            Ordering::Greater,
        );
        self.upper = tighter(
            core::mem::replace(&mut self.upper, Bound::Unbounded),
            other.upper,
            Ordering::Less,
        );
        self.settle();
    }

    /// A range between two types or from high to low is never met.
    fn settle(&mut self) {
        if let (Some(lower), Some(upper)) = (value_of(&self.lower), value_of(&self.upper)) {
            let order = sql_compare(lower, upper);
            let closed = matches!(
                (&self.lower, &self.upper),
                (Bound::Included(_), Bound::Included(_))
            );
            self.never |= match order {
                None | Some(Ordering::Greater) => true,
                Some(Ordering::Equal) => !closed,
                Some(Ordering::Less) => false,
            };
        }
    }
}

/// The constraints of a condition, one a path at most, in the order of the text.
pub(crate) fn constraints(filter: &Expr, params: &Params) -> Result<Vec<Constraint>> {
    let mut found: Vec<Constraint> = Vec::new();
    let mut pending = alloc::vec![filter];
    while let Some(expr) = pending.pop() {
        if let ExprKind::And(terms) = &expr.kind {
            pending.extend(terms.iter().rev());
        } else if let Some(constraint) = constraint_of(expr, params)? {
            match found.iter_mut().find(|other| other.path == constraint.path) {
                Some(other) => other.and(constraint),
                None => found.push(constraint),
            }
        }
    }
    Ok(found)
}

/// What one conjunct demands, if it is about one path and constants.
fn constraint_of(expr: &Expr, params: &Params) -> Result<Option<Constraint>> {
    match &expr.kind {
        ExprKind::Path(path) => Ok(Some(Constraint::points(
            path,
            alloc::vec![Value::Bool(true)],
        ))),
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::Path(path) => Ok(Some(Constraint::points(
                path,
                alloc::vec![Value::Bool(false)],
            ))),
            _ => Ok(None),
        },
        ExprKind::Compare {
            operator,
            left,
            right,
        } => match (&left.kind, &right.kind) {
            (ExprKind::Path(path), ExprKind::Constant(term)) => {
                comparison(path, *operator, term, params)
            }
            (ExprKind::Constant(term), ExprKind::Path(path)) => {
                comparison(path, operator.flipped(), term, params)
            }
            _ => Ok(None),
        },
        ExprKind::Between {
            value,
            low,
            high,
            negated: false,
        } => match (&value.kind, &low.kind, &high.kind) {
            (ExprKind::Path(path), ExprKind::Constant(low), ExprKind::Constant(high)) => {
                let (low, high) = (low.value(params)?, high.value(params)?);
                Ok(Some(Constraint::range(
                    path,
                    Bound::Included(low),
                    Bound::Included(high),
                )))
            }
            _ => Ok(None),
        },
        ExprKind::In {
            value,
            list,
            negated: false,
        } => match &value.kind {
            ExprKind::Path(path) => {
                Ok(in_points(list, params)?.map(|points| Constraint::points(path, points)))
            }
            _ => Ok(None),
        },
        ExprKind::Like {
            value,
            pattern,
            escape,
            negated: false,
        } => match (&value.kind, &pattern.kind) {
            (ExprKind::Path(path), ExprKind::Constant(pattern)) => {
                like(path, pattern, escape.as_ref(), params)
            }
            _ => Ok(None),
        },
        ExprKind::Or(terms) => either(terms, params),
        _ => Ok(None),
    }
}

fn comparison(
    path: &Path,
    operator: Comparison,
    term: &Term,
    params: &Params,
) -> Result<Option<Constraint>> {
    let value = term.value(params)?;
    Ok(match operator {
        Comparison::Equal => Some(Constraint::points(path, alloc::vec![value])),
        Comparison::NotEqual => None,
        Comparison::Less => Some(Constraint::range(
            path,
            Bound::Unbounded,
            Bound::Excluded(value),
        )),
        Comparison::LessEqual => Some(Constraint::range(
            path,
            Bound::Unbounded,
            Bound::Included(value),
        )),
        Comparison::Greater => Some(Constraint::range(
            path,
            Bound::Excluded(value),
            Bound::Unbounded,
        )),
        Comparison::GreaterEqual => Some(Constraint::range(
            path,
            Bound::Included(value),
            Bound::Unbounded,
        )),
    })
}

/// The values of a list, if all are constants.
fn in_points(list: &InList, params: &Params) -> Result<Option<Vec<Value>>> {
    match list {
        InList::Array(term) => match term.value(params)? {
            Value::Array(values) => Ok(Some(values)),
            _ => Ok(None),
        },
        InList::Items(items) => {
            let mut values = Vec::with_capacity(items.len());
            for item in items {
                let ExprKind::Constant(term) = &item.kind else {
                    return Ok(None);
                };
                values.push(term.value(params)?);
            }
            Ok(Some(values))
        }
    }
}

/// A pattern's fixed start bounds the text.
fn like(
    path: &Path,
    pattern: &Term,
    escape: Option<&Term>,
    params: &Params,
) -> Result<Option<Constraint>> {
    let escape = escape.map(|escape| escape.value(params)).transpose()?;
    let escape = escape
        .as_ref()
        .and_then(Value::as_str)
        .and_then(|text| text.chars().next());
    let pattern = pattern.value(params)?;
    let Some(Ok(pattern)) = pattern.as_str().map(|text| Pattern::new(text, escape)) else {
        return Ok(None);
    };
    let prefix = pattern.prefix();
    if prefix.is_empty() {
        return Ok(None);
    }
    let upper = match after_prefix(prefix) {
        Some(after) => Bound::Excluded(Value::Str(after)),
        None => Bound::Unbounded,
    };
    Ok(Some(Constraint::range(
        path,
        Bound::Included(Value::Str(prefix.into())),
        upper,
    )))
}

/// The least text above all that start with `prefix`: its last character that has a successor is replaced by that.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut text = String::from(prefix);
    while let Some(last) = text.pop() {
        // The surrogates between U+D7FF and U+E000 are no characters.
        let next = if last == '\u{D7FF}' {
            Some('\u{E000}')
        } else {
            char::from_u32(u32::from(last) + 1)
        };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

/// OR of points of one path.
fn either(terms: &[Expr], params: &Params) -> Result<Option<Constraint>> {
    let mut all: Option<(Path, Vec<Value>)> = None;
    for term in terms {
        let Some(Constraint {
            path,
            points: Some(mut points),
            ..
        }) = constraint_of(term, params)?
        else {
            return Ok(None);
        };
        match &mut all {
            None => all = Some((path, points)),
            Some((first, values)) if *first == path => values.append(&mut points),
            Some(_) => return Ok(None),
        }
    }
    Ok(all.map(|(path, values)| Constraint::points(&path, values)))
}

fn value_of(bound: &Bound<Value>) -> Option<&Value> {
    match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(value),
        Bound::Unbounded => None,
    }
}

/// The bound that leaves less; `inward` is the order of a tighter value to a looser one.
fn tighter(a: Bound<Value>, b: Bound<Value>, inward: Ordering) -> Bound<Value> {
    match (value_of(&a), value_of(&b)) {
        (_, None) => a,
        (None, _) => b,
        (Some(x), Some(y)) => match compare(x, y) {
            Ordering::Equal if matches!(a, Bound::Excluded(_)) => a,
            Ordering::Equal => b,
            order if order == inward => a,
            _ => b,
        },
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    order::total(Constant::new(a).view(), Constant::new(b).view())
}

fn sql_compare(a: &Value, b: &Value) -> Option<Ordering> {
    order::sql(Constant::new(a).view(), Constant::new(b).view())
}
