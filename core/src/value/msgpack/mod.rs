//! msgpack: the form of documents on disk and in the engine.

mod encode;
mod validate;

pub(super) use encode::map_head;
pub use encode::{
    encode, encode_array_head, encode_bool, encode_float, encode_int, encode_map_head, encode_null,
    encode_object, encode_ref, encode_str, encode_uint,
};
pub use validate::{check_object, validate, validate_first};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::error::Code;
    use crate::limits::NESTING_MAX;
    use crate::value::{Chain, Object, ObjectRef, Path, Raw, Value, ValueRef};
    use crate::value::{diff, keycode, order, patch, testing};

    fn flaw(bytes: &[u8]) -> String {
        validate(bytes).unwrap_err().message().to_string()
    }

    /// `levels` arrays, one in the other.
    fn nested(levels: usize) -> Vec<u8> {
        let mut bytes = vec![0x91; levels - 1];
        bytes.push(0x90);
        bytes
    }

    #[test]
    fn each_flaw_is_named() {
        assert!(flaw(&[]).contains("cut short"));
        assert!(flaw(&[0xcd, 1]).contains("cut short"));
        assert!(flaw(&[0xa2, b'a']).contains("cut short"));
        assert!(flaw(&[0x81, 0xa1]).contains("cut short"));
        assert!(flaw(&[0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0]).contains("cut short"));
        assert!(flaw(&[0xc4, 1, 0]).contains("of a kind"));
        assert!(flaw(&[0x91, 0xc1]).contains("of a kind"));
        assert!(flaw(&[0xa1, 0xff]).contains("UTF-8"));
        assert!(flaw(&[0x81, 0xa1, 0xff, 0xc0]).contains("UTF-8"));
        assert!(flaw(&[0x81, 1, 0xc0]).contains("name"));
        assert!(flaw(&[0xc0, 0xc0]).contains("follow"));
        assert!(flaw(&[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0]).contains("finite"));
        assert!(flaw(&[0x82, 0xa1, b'a', 1, 0xa1, b'a', 2]).contains("two members"));
    }

    #[test]
    fn an_object_is_checked_as_its_bytes_are() {
        let object = |value: Value| [("a", Value::Null), ("b", value)].into_iter().collect();
        let code = |value: Value| {
            let object: Object = object(value);
            let mut bytes = Vec::new();
            encode_object(&object, &mut bytes);
            let of = |result: crate::error::Result<()>| result.map_err(|error| error.code());
            assert_eq!(of(check_object(&object)), of(validate(&bytes)));
            of(check_object(&object)).err()
        };
        assert_eq!(code(Value::Float(f64::NAN)), Some(Code::InvalidValue));
        let list = Value::Array(vec![Value::from(1), Value::Float(f64::INFINITY)]);
        assert_eq!(code(list), Some(Code::InvalidValue));
        let (mut array, mut nested) = (Value::Null, Value::Null);
        for level in 2..NESTING_MAX + 3 {
            array = Value::Array(vec![array]);
            nested = Value::Object(object(nested));
            let expected = (level > NESTING_MAX).then_some(Code::Limit);
            assert_eq!(code(array.clone()), expected);
            assert_eq!(code(nested.clone()), expected);
        }
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(validate(&nested(NESTING_MAX)).is_ok());
        assert_eq!(
            validate(&nested(NESTING_MAX + 1)).unwrap_err().code(),
            Code::Limit
        );
        assert_eq!(
            validate(&nested(1_000_000)).unwrap_err().code(),
            Code::Limit
        );
    }

    #[test]
    fn deep_bytes_that_were_not_validated_are_walked_without_recursion_to_their_end() {
        let deep = nested(1_000_000);
        let raw = Raw::new(&deep).unwrap();
        assert!(raw.to_value().to_string().contains("null"));
        assert!(raw.to_string().contains("null"));
        keycode::encode(raw.view(), &mut Vec::new());
        assert!(order::total(raw.view(), raw.view()).is_eq());
    }

    #[test]
    fn a_name_twice_is_found_whatever_the_number_of_members() {
        for count in [2usize, 15, 16, 63, 64, 65, 300] {
            let mut bytes = Vec::new();
            encode_map_head(count, &mut bytes);
            for place in 0..count {
                encode_str(&format!("name{}", place % (count - 1)), &mut bytes);
                encode_null(&mut bytes);
            }
            assert!(flaw(&bytes).contains("two members"), "{count}");
        }
    }

    proptest! {
        #[test]
        fn encodes_as_rmp_serde_does(value in testing::values()) {
            let json: serde_json::Value = serde_json::from_str(&value.to_string()).unwrap();
            prop_assert_eq!(value.to_msgpack(), rmp_serde::to_vec_named(&json).unwrap());
        }

        #[test]
        fn integers_take_the_bytes_that_rmp_serde_gives_them(value in testing::numbers()) {
            let expected = match value {
                Value::Int(value) => rmp_serde::to_vec_named(&value),
                Value::UInt(value) => rmp_serde::to_vec_named(&value),
                Value::Float(value) => rmp_serde::to_vec_named(&value),
                _ => return Ok(()),
            };
            prop_assert_eq!(value.to_msgpack(), expected.unwrap());
        }

        #[test]
        fn what_is_encoded_is_valid_and_reads_back(value in testing::values(), tail: u8) {
            let mut bytes = value.to_msgpack();
            validate(&bytes).unwrap();
            prop_assert_eq!(Raw::new(&bytes).unwrap().to_value(), value.clone());
            prop_assert_eq!(Raw::new(&bytes).unwrap().to_string(), value.to_string());
            let length = bytes.len();
            bytes.push(tail);
            let (raw, rest) = validate_first(&bytes).unwrap();
            prop_assert_eq!((raw.as_bytes().len(), rest), (length, &[tail][..]));
            prop_assert!(validate(&bytes).is_err());
        }

        #[test]
        fn every_cut_is_found(value in testing::values()) {
            let bytes = value.to_msgpack();
            for (end, _) in bytes.iter().enumerate() {
                let cut = bytes.get(..end).unwrap();
                prop_assert!(validate(cut).is_err());
                prop_assert!(Raw::split(cut).is_none());
            }
        }

        #[test]
        fn a_copy_of_a_view_is_what_the_value_encodes_to(value in testing::values()) {
            let bytes = value.to_msgpack();
            let mut copy = Vec::new();
            encode_ref(Raw::new(&bytes).unwrap().view(), &mut copy);
            prop_assert_eq!(copy, bytes);
        }

        #[test]
        fn valid_means_what_rmp_serde_can_read(bytes in testing::broken_bytes()) {
            if validate(&bytes).is_ok() {
                let read: serde_json::Value = rmp_serde::from_slice(&bytes).unwrap();
                let value = Raw::new(&bytes).unwrap().to_value();
                let same: serde_json::Value = serde_json::from_str(&value.to_string()).unwrap();
                prop_assert_eq!(read, same);
            }
        }

        #[test]
        fn nothing_panics_on_any_bytes(a in testing::broken_bytes(), b in testing::broken_bytes()) {
            let _ = validate(&a);
            let _ = validate_first(&a);
            if let Some((raw, _)) = Raw::split(&a) {
                let other = Raw::split(&b).map_or(Raw::NULL, |(other, _)| other);
                let _ = (raw.to_value(), raw.to_string(), order::total(raw.view(), other.view()));
                keycode::encode(raw.view(), &mut Vec::new());
            }
            if let (Some(a), Some(b)) = (ObjectRef::new(&a), ObjectRef::new(&b)) {
                let _ = (a.get("a"), a.iter().count(), a.to_object());
                patch::merge(a, b, &mut Vec::new());
                diff::each(Some(a), Some(b), &mut |_, _, _| ());
                let _ = Path::parse("a.b[0]").unwrap().get(ValueRef::Object(a));
            }
            let patches = [b.clone(), a.clone(), b];
            let chain = Chain::new(&a, &patches);
            let _ = (chain.member("a"), chain.path(&Path::parse("a.b").unwrap()));
            let _ = chain.merged(&Path::parse("a.b").unwrap(), &mut Vec::new());
            chain.materialise(&mut Vec::new());
        }
    }
}
