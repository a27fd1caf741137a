//! JSON text: reading into owned values, writing from either kind.

#[cfg(any(test, all(target_family = "wasm", target_os = "unknown")))]
mod double;
mod number;
mod read;
mod string;
mod write;

pub use number::number;
pub use read::parse;
pub use string::unescape;
pub(super) use write::{format, format_object, format_value};
pub use write::{write, write_str, write_value};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString};

    use proptest::prelude::*;

    use super::*;
    use crate::error::{Code, Place, Span};
    use crate::limits::NESTING_MAX;
    use crate::value::{Value, testing};

    fn refused(text: &str, code: Code, span: (usize, usize)) {
        let error = parse(text).unwrap_err();
        assert_eq!(error.code(), code, "{text}: {error}");
        assert_eq!(
            *error.place(),
            Place::Text(Span::new(span.0, span.1)),
            "{text}: {error}"
        );
    }

    #[test]
    fn numbers_keep_their_kind() {
        let reads = |text: &str, value: Value| assert_eq!(parse(text).unwrap(), value, "{text}");
        reads("0", Value::Int(0));
        reads("-9223372036854775808", Value::Int(i64::MIN));
        reads("9223372036854775807", Value::Int(i64::MAX));
        reads("9223372036854775808", Value::UInt(1 << 63));
        reads("18446744073709551615", Value::UInt(u64::MAX));
        reads("1.0", Value::Float(1.0));
        reads("1e2", Value::Float(100.0));
        reads("-0.5E-1", Value::Float(-0.05));
        reads("1e-400", Value::Float(0.0));
    }

    #[test]
    fn numbers_that_cannot_be_held_are_refused() {
        refused("[18446744073709551616]", Code::OutOfRange, (1, 21));
        refused("-9223372036854775809", Code::OutOfRange, (0, 20));
        refused("1e309", Code::OutOfRange, (0, 5));
        refused(&"9".repeat(100), Code::OutOfRange, (0, 100));
        assert_eq!(number("-").unwrap_err().code(), Code::Syntax);
    }

    #[test]
    fn flaws_are_named_with_their_place() {
        for text in [
            "01", "1.", ".5", "-", "+1", "1e", "1.e3", "0x1", "1a", "--1", "1_0", "Infinity", "NaN",
        ] {
            assert_eq!(parse(text).unwrap_err().code(), Code::Syntax, "{text}");
        }
        refused("", Code::Syntax, (0, 0));
        refused("[1,]", Code::Syntax, (3, 4));
        refused("[1 2]", Code::Syntax, (3, 4));
        refused(r#"{"a" 1}"#, Code::Syntax, (5, 6));
        refused("{a:1}", Code::Syntax, (1, 2));
        refused(r#"{"a":1,}"#, Code::Syntax, (7, 8));
        refused(r#"{"a":1,"b":{"a":2,"a":3}}"#, Code::Syntax, (18, 21));
        refused("\"ab", Code::Syntax, (0, 3));
        refused("\"a\nb\"", Code::Syntax, (2, 3));
        refused(r#"["a\qb"]"#, Code::Syntax, (3, 5));
        refused(r#""\ud800""#, Code::Syntax, (1, 7));
        refused(r#""\udc00x""#, Code::Syntax, (1, 7));
        refused(r#""\u12g4""#, Code::Syntax, (1, 5));
        refused(r#""\u12é""#, Code::Syntax, (1, 5));
        refused("nul", Code::Syntax, (0, 1));
        refused("1 é", Code::Syntax, (2, 4));
        refused("'a'", Code::Syntax, (0, 1));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
        assert!(parse(&nested(NESTING_MAX)).is_ok());
        refused(
            &nested(NESTING_MAX + 1),
            Code::Limit,
            (NESTING_MAX, NESTING_MAX + 1),
        );
        assert_eq!(
            parse(&"[".repeat(1_000_000)).unwrap_err().code(),
            Code::Limit
        );
    }

    #[test]
    fn strings_are_escaped_where_they_must_be() {
        let text = "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}é\u{2028}\u{1f600}";
        let written = Value::from(text).to_string();
        let expected = format!(
            r#""\"\\/\b\f\n\r\t\u0000\u001f{}é{}{}""#,
            '\u{7f}', '\u{2028}', '\u{1f600}'
        );
        assert_eq!(written, expected);
        assert_eq!(
            parse(r#""\u00e9\ud83d\ude00\/""#).unwrap(),
            Value::from("é\u{1f600}/")
        );
        assert_eq!(unescape(r"it\'s", '\'').unwrap(), "it's");
        assert!(unescape(r"it\'s", '"').is_err());
    }

    #[test]
    fn floats_stay_floats() {
        for (value, text) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e21, "1e21"),
            (0.1, "0.1"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(Value::Float(value).to_string(), text);
        }
    }

    #[test]
    fn many_members_are_read_in_time_that_grows_with_them() {
        let members: alloc::vec::Vec<String> =
            (0..100_000).map(|n| format!("\"{n}\":{n}")).collect();
        let text = format!("{{{}}}", members.join(","));
        assert_eq!(parse(&text).unwrap().to_string(), text);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in testing::values()) {
            prop_assert_eq!(parse(&value.to_string()).unwrap(), value);
        }

        #[test]
        fn reads_what_serde_json_reads(value in testing::values(), places in prop::collection::vec((any::<prop::sample::Index>(), "[ -~é]"), 1..3)) {
            let mut text = serde_json::to_string_pretty(
                &serde_json::from_str::<serde_json::Value>(&value.to_string()).unwrap()).unwrap();
            for (place, with) in places {
                let at = place.index(text.len());
                if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
                    text.replace_range(at..=at, &with);
                }
            }
            let oracle = serde_json::from_str::<serde_json::Value>(&text);
            match parse(&text) {
                Ok(read) if !text.contains("-0") => {
                    prop_assert_eq!(read.to_msgpack(), rmp_serde::to_vec_named(&oracle.unwrap()).unwrap());
                }
                Ok(_) => prop_assert!(oracle.is_ok()),
                Err(error) if error.code() == Code::Syntax && !error.message().contains("twice") => {
                    prop_assert!(oracle.is_err(), "{}: {}", text, error);
                }
                Err(_) => {}
            }
        }

        #[test]
        fn floats_are_written_as_debug_has_them(bits in any::<u64>(), small in -1e6..1e6_f64, exponent in -8..20_i32) {
            for float in [f64::from_bits(bits), small, small.round(), 10_f64.powi(exponent), -0.0] {
                if float.is_finite() {
                    prop_assert_eq!(Value::from(float).to_string(), alloc::format!("{float:?}"));
                }
            }
        }

        #[test]
        fn spans_lie_in_the_text(text in "[\\[\\]{}:,\"\\\\ue0-9a-f.é\\- ]{0,20}") {
            if let Err(error) = parse(&text) {
                let Place::Text(span) = *error.place() else { panic!("{error}") };
                prop_assert!(text.get(span.start..span.end).is_some(), "{} {:?}", text, span);
            }
        }
    }
}
