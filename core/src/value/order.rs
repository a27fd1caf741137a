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

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation
)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::super::{Raw, Value, json, keycode, testing};
    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        json::parse(text).unwrap().to_msgpack()
    }

    fn view(bytes: &[u8]) -> ValueRef<'_> {
        Raw::new(bytes).unwrap().view()
    }

    fn code(value: ValueRef<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        keycode::encode(value, &mut out);
        out
    }

    /// From the smallest to the largest; those on one line are equal.
    const ASCENDING: &[&[&str]] = &[
        &["null"],
        &["false"],
        &["true"],
        &["-1.7976931348623157e308"],
        &["-9223372036854775808", "-9223372036854775808.0"],
        &["-9223372036854775807"],
        &["-1", "-1.0"],
        &["-5e-324"],
        &["0", "0.0", "-0.0"],
        &["5e-324"],
        &["1", "1.0"],
        &["9007199254740992", "9007199254740992.0"],
        &["9007199254740993"],
        &["9223372036854775807"],
        &["9223372036854775808", "9223372036854775808.0"],
        &["18446744073709551614"],
        &["18446744073709551615"],
        &["18446744073709551616.0"],
        &["1e300"],
        &[r#""""#],
        &[r#""\u0000""#],
        &[r#""\u0000a""#],
        &[r#""\u0001""#],
        &[r#""10""#],
        &[r#""9""#],
        &[r#""a""#],
        &[r#""a\u0000""#],
        &[r#""aa""#],
        &[r#""é""#],
        &["[]"],
        &["[null]"],
        &["[null,null]"],
        &["[1]", "[1.0]"],
        &["[1,0]"],
        &["[[]]"],
        &["{}"],
        &[r#"{"a":1}"#],
        &[r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#],
        &[r#"{"a":2}"#],
        &[r#"{"b":0}"#],
    ];

    #[test]
    fn the_total_order_is_as_listed_and_keycodes_follow_it() {
        let all = ASCENDING.iter().enumerate();
        let all: Vec<_> = all
            .flat_map(|(place, equal)| equal.iter().map(move |text| (place, packed(text))))
            .collect();
        for (a_place, a) in &all {
            for (b_place, b) in &all {
                let expected = a_place.cmp(b_place);
                assert_eq!(total(view(a), view(b)), expected, "{} {}", view(a), view(b));
                assert_eq!(
                    code(view(a)).cmp(&code(view(b))),
                    expected,
                    "{} {}",
                    view(a),
                    view(b)
                );
            }
        }
    }

    #[test]
    fn sql_compares_within_a_type_only() {
        let sql = |a: &str, b: &str| sql(view(&packed(a)), view(&packed(b)));
        assert_eq!(sql("1", "1.5"), Some(Ordering::Less));
        assert_eq!(sql("18446744073709551615", "-1"), Some(Ordering::Greater));
        assert_eq!(sql("\"a\"", "\"a\""), Some(Ordering::Equal));
        assert_eq!(sql("true", "false"), Some(Ordering::Greater));
        assert_eq!(sql("[1]", "[1,2]"), Some(Ordering::Less));
        assert_eq!(sql("null", "null"), None);
        assert_eq!(sql("1", "null"), None);
        assert_eq!(sql("1", "\"1\""), None);
        assert_eq!(sql("1", "true"), None);
    }

    /// The order of numbers by exact arithmetic: the whole parts, then the fraction.
    fn exact_order(a: &Value, b: &Value) -> Ordering {
        let parts = |value: &Value| match *value {
            Value::Int(number) => (i128::from(number), 0.0),
            Value::UInt(number) => (i128::from(number), 0.0),
            Value::Float(number) if number.abs() > 1e30 => {
                (i128::MAX * number.signum() as i128, number)
            }
            Value::Float(number) => (number.trunc() as i128, number.fract()),
            _ => unreachable!(),
        };
        parts(a).partial_cmp(&parts(b)).unwrap()
    }

    proptest! {
        #[test]
        fn numbers_compare_exactly(a in testing::numbers(), b in testing::numbers()) {
            let (a_bytes, b_bytes) = (a.to_msgpack(), b.to_msgpack());
            prop_assert_eq!(total(view(&a_bytes), view(&b_bytes)), exact_order(&a, &b));
            prop_assert_eq!(code(view(&a_bytes)).cmp(&code(view(&b_bytes))), exact_order(&a, &b));
        }

        #[test]
        fn keycodes_have_the_order_of_the_values(a in testing::values(), b in testing::values()) {
            let (a, b) = (a.to_msgpack(), b.to_msgpack());
            let (a_code, b_code) = (code(view(&a)), code(view(&b)));
            let order = total(view(&a), view(&b));
            prop_assert_eq!(a_code.cmp(&b_code), order);
            prop_assert_eq!(total(view(&b), view(&a)), order.reverse());
            prop_assert!(a_code[0] >= keycode::TAG_MIN);
            if order.is_ne() {
                prop_assert!(!a_code.starts_with(&b_code) && !b_code.starts_with(&a_code));
            }
        }

        #[test]
        fn the_order_is_transitive(a in testing::values(), b in testing::values(), c in testing::values()) {
            let mut all = [a.to_msgpack(), b.to_msgpack(), c.to_msgpack()];
            all.sort_by(|a, b| total(view(a), view(b)));
            prop_assert!(total(view(&all[0]), view(&all[2])).is_le());
        }
    }
}
