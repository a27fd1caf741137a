//! Orders of values: the total one that ORDER BY and keys use, and SQL's comparison, which knows no answer for null.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{ArrayRef, ObjectRef, ValueRef};
use crate::limits::NESTING_MAX;

/// The one order over all values: null, booleans, numbers, strings, arrays, objects. Numbers compare exactly by value, whether
/// integer or float; strings by their bytes; arrays item by item; objects as lists of their members sorted by name.
pub fn total(a: ValueRef<'_>, b: ValueRef<'_>) -> Ordering {
    compare(a, b, NESTING_MAX)
}

/// SQL's comparison: `None`, which is neither true nor false, if either value is null or their types differ.
pub fn sql(a: ValueRef<'_>, b: ValueRef<'_>) -> Option<Ordering> {
    if a.is_null() || rank(a) != rank(b) {
        None
    } else {
        Some(total(a, b))
    }
}

/// The place of a value's type in the total order.
fn rank(value: ValueRef<'_>) -> u8 {
    match value {
        ValueRef::Null => 0,
        ValueRef::Bool(_) => 1,
        ValueRef::Int(_) | ValueRef::UInt(_) | ValueRef::Float(_) => 2,
        ValueRef::Str(_) => 3,
        ValueRef::Array(_) => 4,
        ValueRef::Object(_) => 5,
    }
}

/// Levels deeper than a document may have count as equal, so that no bytes can exhaust the stack.
fn compare(a: ValueRef<'_>, b: ValueRef<'_>, levels: usize) -> Ordering {
    use ValueRef::{Array, Bool, Float, Int, Object, Str, UInt};
    match (a, b) {
        (Int(a), Int(b)) => a.cmp(&b),
        (Str(a), Str(b)) => a.cmp(b),
        (Float(a), Float(b)) => floats(a, b),
        (Bool(a), Bool(b)) => a.cmp(&b),
        (UInt(a), UInt(b)) => a.cmp(&b),
        (Int(_), UInt(_)) => Ordering::Less,
        (UInt(_), Int(_)) => Ordering::Greater,
        (Int(a), Float(b)) => exact(i128::from(a), a as f64, b),
        (UInt(a), Float(b)) => exact(i128::from(a), a as f64, b),
        (Float(a), Int(b)) => exact(i128::from(b), b as f64, a).reverse(),
        (Float(a), UInt(b)) => exact(i128::from(b), b as f64, a).reverse(),
        (Array(_), Array(_)) | (Object(_), Object(_)) if levels == 0 => Ordering::Equal,
        (Array(a), Array(b)) => arrays(a, b, levels - 1),
        (Object(a), Object(b)) => objects(a, b, levels - 1),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

/// Views never hold NaN; -0.0 equals 0.0.
fn floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// Compares an integer, given also as its nearest double, with a float. Rounding keeps the order, so that the doubles decide
/// unless they are equal.
fn exact(integer: i128, nearest: f64, float: f64) -> Ordering {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "equal to a double of at most 2^64: exact in i128"
    )]
    let whole = || integer.cmp(&(float as i128));
    floats(nearest, float).then_with(whole)
}

fn arrays(a: ArrayRef<'_>, b: ArrayRef<'_>, levels: usize) -> Ordering {
    let (mut a, mut b) = (a.iter(), b.iter());
    loop {
        let order = match (a.next(), b.next()) {
            (Some(a), Some(b)) => compare(a.view(), b.view(), levels),
            (a, b) => return a.is_some().cmp(&b.is_some()),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn objects(a: ObjectRef<'_>, b: ObjectRef<'_>, levels: usize) -> Ordering {
    let (a, b) = (sorted(a), sorted(b));
    for ((a_name, a), (b_name, b)) in a.iter().zip(&b) {
        let order = a_name
            .cmp(b_name)
            .then_with(|| compare(a.view(), b.view(), levels));
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// The members of an object in the order of their names: objects are equal whatever the order of their members.
pub(super) fn sorted(object: ObjectRef<'_>) -> Vec<(&str, super::Raw<'_>)> {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    members
}
