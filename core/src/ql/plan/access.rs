//! Access: which rows a SELECT has to look at, by what its condition says of the primary key and of indexed members. The condition is checked on
//! every row all the same, so that an access may give too many rows and never too few.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Bound;

use super::constraint::{Constraint, constraints};
use crate::error::Result;
use crate::limits::KEY_BYTES_MAX;
use crate::ql::Params;
use crate::ql::ast::Expr;
use crate::ql::source::{KeyRange, Source, ValueRange};
use crate::value::{Key, Path, Step, Value};

/// Which rows to look at.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// None: the condition cannot be true.
    Nothing,
    /// The rows with these keys, ascending and distinct.
    Keys(Vec<Key>),
    /// The rows in a range of keys.
    Scan(KeyRange),
    /// The rows with one value in an index: they come in key order.
    Value {
        index: usize,
        path: Path,
        value: Value,
    },
    /// The rows with values in ranges of an index.
    Values {
        index: usize,
        path: Path,
        ranges: Vec<ValueRange>,
    },
}

impl Access {
    /// Every row, in key order.
    pub(crate) const ALL: Access = Access::Scan(KeyRange {
        lower: Bound::Unbounded,
        upper: Bound::Unbounded,
    });

    /// The best access for a condition.
    pub(crate) fn choose(
        source: &impl Source,
        filter: Option<&Expr>,
        params: &Params,
    ) -> Result<Access> {
        let Some(filter) = filter else {
            return Ok(Access::ALL);
        };
        let mut best = (usize::MAX, Access::ALL);
        for constraint in constraints(filter, params)? {
            let (cost, access) = Access::of(source, constraint);
            if cost < best.0 {
                best = (cost, access);
            }
        }
        Ok(best.1)
    }

    /// The access that a constraint allows, and its rank: the least is best, `usize::MAX` is none.
    fn of(source: &impl Source, constraint: Constraint) -> (usize, Access) {
        if constraint.is_empty() {
            return (0, Access::Nothing);
        }
        if matches!(constraint.path.steps(), [Step::Member(name)] if name == source.primary_key()) {
            return match key_access(&constraint) {
                Access::Nothing => (0, Access::Nothing),
                Access::Keys(keys) if keys.len() == 1 => (1, Access::Keys(keys)),
                Access::Keys(keys) => (3, Access::Keys(keys)),
                scan => (5, scan),
            };
        }
        let Some(index) = source.index_on(&constraint.path) else {
            return (usize::MAX, Access::ALL);
        };
        let Constraint {
            path,
            points,
            lower,
            upper,
            ..
        } = constraint;
        match points {
            Some(mut points) if points.len() == 1 => match points.pop() {
                Some(value) => (2, Access::Value { index, path, value }),
                None => (0, Access::Nothing),
            },
            Some(points) => (
                4,
                Access::Values {
                    index,
                    path,
                    ranges: points.into_iter().map(ValueRange::exactly).collect(),
                },
            ),
            None => (
                6,
                Access::Values {
                    index,
                    path,
                    ranges: alloc::vec![ValueRange { lower, upper }],
                },
            ),
        }
    }
}

/// The access by a constraint on the primary key.
fn key_access(constraint: &Constraint) -> Access {
    if let Some(points) = &constraint.points {
        let mut keys: Vec<Key> = points.iter().filter_map(exact_key).collect();
        keys.sort_unstable();
        keys.dedup();
        return if keys.is_empty() {
            Access::Nothing
        } else {
            Access::Keys(keys)
        };
    }
    let strings = Key::Str("".into());
    let range = match (&constraint.lower, &constraint.upper) {
        (Bound::Included(Value::Str(_)) | Bound::Excluded(Value::Str(_)), upper) => KeyRange {
            lower: text_bound(&constraint.lower),
            upper: text_bound(upper),
        },
        (lower, Bound::Included(Value::Str(_)) | Bound::Excluded(Value::Str(_))) => match lower {
            Bound::Unbounded => KeyRange {
                lower: Bound::Included(strings),
                upper: text_bound(&constraint.upper),
            },
            _ => return Access::Nothing,
        },
        (lower, upper) => {
            let upper = match upper {
                Bound::Unbounded => Bound::Excluded(strings),
                bound => number_bound(bound, false),
            };
            KeyRange {
                lower: number_bound(lower, true),
                upper,
            }
        }
    };
    if is_void(&range) {
        Access::Nothing
    } else {
        Access::Scan(range)
    }
}

/// The key that is equal to a value, if there can be one.
fn exact_key(value: &Value) -> Option<Key> {
    match value {
        Value::Int(number) => Some(Key::Int(*number)),
        Value::UInt(number) => Some(Key::from(*number)),
        Value::Str(text) if text.len() <= KEY_BYTES_MAX => Some(Key::Str(text.clone())),
        Value::Float(number) => {
            whole(*number).filter(|key| number.is_finite() && as_float(key) == *number)
        }
        _ => None,
    }
}

/// The integer key at or nearest below a float, clamped to what keys can be.
#[expect(
    clippy::cast_possible_truncation,
    reason = "casts of floats saturate, and the range is checked"
)]
fn whole(number: f64) -> Option<Key> {
    let floor = (number as i128).saturating_sub(i128::from((number as i128 as f64) > number));
    match i64::try_from(floor) {
        Ok(key) => Some(Key::Int(key)),
        Err(_) if floor < 0 => None,
        Err(_) => u64::try_from(floor).ok().map(Key::from),
    }
}

fn as_float(key: &Key) -> f64 {
    match key {
        Key::Int(number) => *number as f64,
        Key::UInt(number) => *number as f64,
        Key::Str(_) => f64::NAN,
    }
}

/// A bound that is text as a bound of keys; any other value bounds nothing here.
fn text_bound(bound: &Bound<Value>) -> Bound<Key> {
    match bound {
        Bound::Included(Value::Str(text)) => Bound::Included(Key::Str(text.clone())),
        Bound::Excluded(Value::Str(text)) => Bound::Excluded(Key::Str(text.clone())),
        _ => Bound::Unbounded,
    }
}

/// A bound that is a number as a bound of keys, generously: what lies between integers is rounded outward.
fn number_bound(bound: &Bound<Value>, lower: bool) -> Bound<Key> {
    let (value, included) = match bound {
        Bound::Included(value) => (value, true),
        Bound::Excluded(value) => (value, false),
        Bound::Unbounded => return Bound::Unbounded,
    };
    match (value, exact_key(value)) {
        (_, Some(key)) if included => Bound::Included(key),
        (_, Some(key)) => Bound::Excluded(key),
        // An upper bound is met by what is at or below its floor, a lower one by what is above it.
        (Value::Float(number), None) => match whole(*number) {
            Some(key) if lower => Bound::Excluded(key),
            Some(key) => Bound::Included(key),
            None => far_bound(*number < 0.0, lower),
        },
        _ => Bound::Unbounded,
    }
}

/// The bound for a number beyond all integer keys.
fn far_bound(below: bool, lower: bool) -> Bound<Key> {
    match (below, lower) {
        (true, true) => Bound::Unbounded,
        (true, false) => Bound::Excluded(Key::Int(i64::MIN)),
        (false, true) => Bound::Excluded(Key::from(u64::MAX)),
        (false, false) => Bound::Included(Key::from(u64::MAX)),
    }
}

/// Whether no key can be in a range.
fn is_void(range: &KeyRange) -> bool {
    match (&range.lower, &range.upper) {
        (Bound::Included(lower), Bound::Included(upper)) => lower > upper,
        (
            Bound::Included(lower) | Bound::Excluded(lower),
            Bound::Included(upper) | Bound::Excluded(upper),
        ) => lower.cmp(upper) != Ordering::Less,
        _ => false,
    }
}
