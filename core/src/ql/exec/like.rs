//! LIKE: patterns with `%`, any characters, and `_`, one character. Case matters.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{Code, Error, Result};

/// A pattern, read once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// This text.
    Text(String),
    /// `_`
    One,
    /// `%`
    Any,
}

impl Pattern {
    /// Reads a pattern. `escape` takes the next character its meaning; one at the end of the pattern is an error.
    pub(crate) fn new(pattern: &str, escape: Option<char>) -> Result<Pattern> {
        let mut parts: Vec<Part> = Vec::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            let literal = if Some(c) == escape {
                chars.next().ok_or_else(|| {
                    Error::new(
                        Code::InvalidValue,
                        "the pattern ends in its escape character",
                    )
                })?
            } else if c == '%' {
                if parts.last() != Some(&Part::Any) {
                    parts.push(Part::Any);
                }
                continue;
            } else if c == '_' {
                parts.push(Part::One);
                continue;
            } else {
                c
            };
            match parts.last_mut() {
                Some(Part::Text(text)) => text.push(literal),
                _ => parts.push(Part::Text(literal.into())),
            }
        }
        Ok(Pattern(parts))
    }

    /// The text that every match starts with, and whether nothing but `%` follows.
    pub(crate) fn prefix(&self) -> &str {
        match self.0.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// Whether the pattern matches the whole text. Goes back to the last `%` only, so that no pattern takes more than
    /// pattern times text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.as_slice();
        let mut rest = text;
        let mut retry: Option<(&[Part], &str)> = None;
        loop {
            let matched = match parts.split_first() {
                None if rest.is_empty() => return true,
                None => None,
                Some((Part::Any, [])) => return true,
                Some((Part::Any, after)) => {
                    retry = Some((after, rest));
                    parts = after;
                    continue;
                }
                Some((Part::One, after)) => without_first(rest).map(|rest| (after, rest)),
                Some((Part::Text(text), after)) => {
                    rest.strip_prefix(text.as_str()).map(|rest| (after, rest))
                }
            };
            match (matched, retry) {
                (Some(next), _) => (parts, rest) = next,
                (None, None) => return false,
                (None, Some((after, from))) => {
                    let Some(from) = without_first(from) else {
                        return false;
                    };
                    retry = Some((after, from));
                    (parts, rest) = (after, from);
                }
            }
        }
    }
}

fn without_first(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().map(|_| chars.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let like =
            |text: &str, pattern: &str| Pattern::new(pattern, Some('!')).unwrap().matches(text);
        for (text, pattern) in [
            ("", ""),
            ("", "%"),
            ("abc", "abc"),
            ("abc", "a%"),
            ("abc", "%c"),
            ("abc", "a_c"),
            ("abc", "%b%"),
            ("héé", "h__"),
            ("a%c", "a!%c"),
            ("a!c", "a!!c"),
            ("aab", "%ab"),
            ("mississippi", "%iss%ip%"),
            ("a\nb", "a_b"),
            ("abc", "%%_%"),
        ] {
            assert!(like(text, pattern), "{text} LIKE {pattern}");
        }
        for (text, pattern) in [
            ("", "_"),
            ("abc", "ABC"),
            ("abc", "ab"),
            ("abc", "bc"),
            ("abc", "a!%"),
            ("é", "__"),
            ("aaa", "%b"),
        ] {
            assert!(!like(text, pattern), "{text} NOT LIKE {pattern}");
        }
        assert!(Pattern::new("a!", Some('!')).is_err());
        assert_eq!(Pattern::new("ab%c", None).unwrap().prefix(), "ab");
    }

    #[test]
    fn no_pattern_takes_exponential_time() {
        let pattern = Pattern::new(&"a%".repeat(200), None).unwrap();
        assert!(!pattern.matches(&("a".repeat(199) + &"b".repeat(20_000))));
    }
}
