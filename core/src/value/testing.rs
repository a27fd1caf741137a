//! Random values for the tests of this layer, with the edges that matter made likely.

use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{Object, Value};

/// Integers near the places where doubles lose them.
fn integers() -> impl Strategy<Value = Value> {
    let near_powers = (0u32..64, -3i128..=3, any::<bool>()).prop_map(|(power, off, negative)| {
        let number = (1i128 << power) + off;
        let number = if negative { -number } else { number };
        match (i64::try_from(number), u64::try_from(number)) {
            (Ok(number), _) => Value::Int(number),
            (_, Ok(number)) => Value::UInt(number),
            _ => Value::Int(i64::MIN),
        }
    });
    prop_oneof![
        (-200i64..200).prop_map(Value::Int),
        any::<i64>().prop_map(Value::Int),
        any::<u64>().prop_map(Value::from),
        near_powers,
        Just(Value::UInt(u64::MAX)),
    ]
}

fn floats() -> impl Strategy<Value = Value> {
    let whole = integers().prop_map(|value| match value {
        Value::Int(number) => Value::Float(number as f64),
        Value::UInt(number) => Value::Float(number as f64),
        other => other,
    });
    let any_float = any::<f64>().prop_filter("finite", |float| float.is_finite());
    let small = (-40i32..40).prop_map(|n| Value::Float(f64::from(n) / 4.0));
    prop_oneof![whole, small, any_float.prop_map(Value::Float)]
}

/// Numbers of all kinds.
pub(super) fn numbers() -> impl Strategy<Value = Value> {
    prop_oneof![integers(), floats()]
}

/// Names that often meet and that share starts.
pub(super) fn names() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[abc]{1,2}", 1 => "[\\PC\0]{0,5}", 1 => "x{30,34}"]
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[ab\0\u{1}é\u{ff}\\\\\"\n\u{1f600}]{0,6}", 1 => "\\PC{0,40}", 1 => "y{250,260}"]
}

/// Values without levels.
pub(super) fn scalars() -> impl Strategy<Value = Value> {
    let words = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::Bool)];
    prop_oneof![1 => words, 2 => numbers(), 2 => texts().prop_map(Value::Str)]
}

fn object_of(value: impl Strategy<Value = Value>, most: usize) -> impl Strategy<Value = Object> {
    prop::collection::vec((names(), value), 0..most)
        .prop_map(|members| members.into_iter().collect())
}

/// Values of a few levels.
pub(super) fn values() -> impl Strategy<Value = Value> {
    scalars().prop_recursive(3, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..18).prop_map(Value::Array),
            object_of(inner, 6).prop_map(Value::Object),
        ]
    })
}

/// Objects of a few levels; now and then one of many members.
pub(super) fn objects() -> impl Strategy<Value = Object> {
    let wide = prop::collection::vec((0u32..120, scalars()), 0..100);
    let wide = wide.prop_map(|members| {
        members
            .into_iter()
            .map(|(n, value)| (alloc::format!("m{n}"), value))
            .collect()
    });
    prop_oneof![6 => object_of(values(), 8), 1 => wide]
}

/// The msgpack form of an object.
pub(super) fn packed(object: &Object) -> Vec<u8> {
    let mut out = Vec::new();
    super::msgpack::encode_object(object, &mut out);
    out
}

/// Bytes that are nearly values: the form of an object with a few bytes changed, or any bytes.
pub(super) fn broken_bytes() -> impl Strategy<Value = Vec<u8>> {
    let places = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4);
    let changed = (objects(), places).prop_map(|(object, places)| {
        let mut bytes = packed(&object);
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    });
    prop_oneof![3 => changed, 1 => prop::collection::vec(any::<u8>(), 0..60)]
}
