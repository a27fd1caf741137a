//! The lexer: script text to tokens, one at a time, with a span on each.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use crate::error::{Error, Place, Result, Span};
use crate::value::json;

/// What kind of token it is. The text is found through the token's span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bare word: a keyword or a name.
    Word,
    /// A name in backticks.
    Quoted,
    /// A string in single or double quotes.
    Text,
    /// A number without a sign.
    Number,
    /// `?` or `?` with digits.
    Question,
    /// Punctuation or an operator.
    Symbol(Symbol),
    /// The end of the script.
    End,
}

macro_rules! symbols {
    ($($name:ident = $text:literal,)*) => {
        /// Punctuation and operators.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub(super) enum Symbol { $($name,)* }

        impl Symbol {
            /// The symbol as it is quoted in messages.
            pub(super) fn quoted(self) -> &'static str {
                match self { $(Symbol::$name => concat!("`", $text, "`"),)* }
            }
        }
    };
}

symbols! {
    LeftParen = "(", RightParen = ")", LeftBracket = "[", RightBracket = "]", LeftBrace = "{", RightBrace = "}",
    Comma = ",", Semicolon = ";", Colon = ":", Dot = ".", Star = "*", Plus = "+", Minus = "-", Slash = "/", Percent = "%",
    Equal = "=", NotEqual = "!=", Less = "<", LessEqual = "<=", Greater = ">", GreaterEqual = ">=",
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// Reads tokens from a script.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Lexer { text, at: 0 }
    }

    /// The text of a span of this script.
    pub(super) fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The byte at `offset` from where the lexer stands.
    fn byte(&self, offset: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + offset).copied()
    }

    /// The next token; `Kind::End` for ever at the end.
    pub(super) fn next(&mut self) -> Result<Token> {
        self.skip_blank()?;
        let start = self.at;
        let Some(byte) = self.byte(0) else {
            return Ok(Token {
                kind: Kind::End,
                span: Span::new(start, start),
            });
        };
        let kind = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => self.word(),
            b'0'..=b'9' => self.number()?,
            b'"' | b'\'' => self.quoted(byte, Kind::Text)?,
            b'`' => self.quoted(byte, Kind::Quoted)?,
            b'?' => self.question(),
            0x80.. => self.other_script()?,
            _ => self.symbol(byte)?,
        };
        Ok(Token {
            kind,
            span: Span::new(start, self.at),
        })
    }

    /// Skips white space and comments.
    fn skip_blank(&mut self) -> Result<()> {
        loop {
            match (self.byte(0), self.byte(1)) {
                (Some(b' ' | b'\t' | b'\r' | b'\n' | 0x0C), _) => self.at += 1,
                (Some(b'-'), Some(b'-')) => self.skip_line(),
                (Some(b'/'), Some(b'*')) => self.skip_comment()?,
                (Some(0xEF), _) if self.rest().starts_with('\u{FEFF}') => self.at += 3,
                (Some(0xC2), _) if self.rest().starts_with('\u{A0}') => self.at += 2,
                _ => return Ok(()),
            }
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_line(&mut self) {
        let length = self.rest().find('\n').unwrap_or(self.rest().len());
        self.at += length;
    }

    fn skip_comment(&mut self) -> Result<()> {
        let body = self.rest().get(2..).unwrap_or_default();
        match body.find("*/") {
            Some(length) => {
                self.at += length + 4;
                Ok(())
            }
            None => Err(Error::syntax(
                Span::new(self.at, self.at + 2),
                "this comment is not closed",
            )
            .hint("end it with */")),
        }
    }

    fn word(&mut self) -> Kind {
        self.skip_name();
        Kind::Word
    }

    /// Skips all characters that may stand in a name.
    fn skip_name(&mut self) {
        loop {
            match self.byte(0) {
                Some(b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'$') => self.at += 1,
                Some(0x80..) => match self.rest().chars().next() {
                    Some(c) if c.is_alphanumeric() => self.at += c.len_utf8(),
                    _ => return,
                },
                _ => return,
            }
        }
    }

    /// A word of letters beyond ASCII, or an error for a character that cannot start a token.
    fn other_script(&mut self) -> Result<Kind> {
        match self.rest().chars().next() {
            Some(c) if c.is_alphabetic() => Ok(self.word()),
            Some(c) => Err(self.stray(c)),
            None => Ok(Kind::End),
        }
    }

    fn number(&mut self) -> Result<Kind> {
        let start = self.at;
        self.skip_digits();
        if self.byte(0) == Some(b'.') && matches!(self.byte(1), Some(b'0'..=b'9')) {
            self.at += 1;
            self.skip_digits();
        }
        if matches!(self.byte(0), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.byte(1), Some(b'+' | b'-')));
            if matches!(self.byte(1 + sign), Some(b'0'..=b'9')) {
                self.at += 1 + sign;
                self.skip_digits();
            }
        }
        let end = self.at;
        self.skip_name();
        let span = Span::new(start, self.at);
        if self.at > end {
            let message = format!("`{}` is neither a number nor a name", self.slice(span));
            return Err(Error::syntax(span, message)
                .hint("put a name that starts with a digit in backticks, text in quotes"));
        }
        Ok(Kind::Number)
    }

    fn skip_digits(&mut self) {
        while matches!(self.byte(0), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn question(&mut self) -> Kind {
        self.at += 1;
        self.skip_digits();
        Kind::Question
    }

    /// A string or a name in quotes. A doubled quote stands for itself in single quotes and backticks; a backslash escapes in strings.
    fn quoted(&mut self, quote: u8, kind: Kind) -> Result<Kind> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.byte(0) {
                None => return Err(self.unterminated(start, kind)),
                Some(b'\\') if kind == Kind::Text => self.at += 2,
                Some(byte) if byte == quote => {
                    self.at += 1;
                    if quote == b'"' || self.byte(0) != Some(quote) {
                        return Ok(kind);
                    }
                    self.at += 1;
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn unterminated(&self, start: usize, kind: Kind) -> Error {
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let what = if kind == Kind::Text {
            "this string is not closed"
        } else {
            "this name in backticks is not closed"
        };
        let quote = rest.chars().next().unwrap_or('"');
        Error::syntax(Span::new(start, start + line.len()), what)
            .hint(format!("end it with {quote}"))
    }

    fn symbol(&mut self, byte: u8) -> Result<Kind> {
        let next = self.byte(1);
        let (symbol, length) = match (byte, next) {
            (b'!', Some(b'=')) => (Symbol::NotEqual, 2),
            (b'<', Some(b'>')) => (Symbol::NotEqual, 2),
            (b'<', Some(b'=')) => (Symbol::LessEqual, 2),
            (b'>', Some(b'=')) => (Symbol::GreaterEqual, 2),
            (b'=', Some(b'=')) => {
                return Err(self.wrong(2, "`==` is no operator", "use = to compare"));
            }
            (b'&', Some(b'&')) => return Err(self.wrong(2, "`&&` is no operator", "use AND")),
            (b'|', Some(b'|')) => {
                return Err(self.wrong(
                    2,
                    "`||` is no operator",
                    "use OR for the logical operator",
                ));
            }
            (b'!', _) => {
                return Err(self.wrong(1, "`!` is no operator", "use NOT, or != for not equal"));
            }
            (b'<', _) => (Symbol::Less, 1),
            (b'>', _) => (Symbol::Greater, 1),
            (b'=', _) => (Symbol::Equal, 1),
            (b'(', _) => (Symbol::LeftParen, 1),
            (b')', _) => (Symbol::RightParen, 1),
            (b'[', _) => (Symbol::LeftBracket, 1),
            (b']', _) => (Symbol::RightBracket, 1),
            (b'{', _) => (Symbol::LeftBrace, 1),
            (b'}', _) => (Symbol::RightBrace, 1),
            (b',', _) => (Symbol::Comma, 1),
            (b';', _) => (Symbol::Semicolon, 1),
            (b':', _) => (Symbol::Colon, 1),
            (b'.', _) => (Symbol::Dot, 1),
            (b'*', _) => (Symbol::Star, 1),
            (b'+', _) => (Symbol::Plus, 1),
            (b'-', _) => (Symbol::Minus, 1),
            (b'/', _) => (Symbol::Slash, 1),
            (b'%', _) => (Symbol::Percent, 1),
            _ => return Err(self.stray(char::from(byte))),
        };
        self.at += length;
        Ok(Kind::Symbol(symbol))
    }

    fn wrong(&self, length: usize, message: &str, hint: &str) -> Error {
        Error::syntax(Span::new(self.at, self.at + length), message).hint(hint)
    }

    fn stray(&self, c: char) -> Error {
        let span = Span::new(self.at, self.at + c.len_utf8());
        let shown = if c.is_control() {
            format!("U+{:04X}", u32::from(c))
        } else {
            format!("`{c}`")
        };
        let error = Error::syntax(span, format!("the character {shown} has no meaning here"));
        match c {
            '\u{2018}'..='\u{201F}' | '\u{AB}' | '\u{BB}' => {
                error.hint("use straight quotes: \" or '")
            }
            '@' => error.hint("a point is a string: \"@seq:100\""),
            '#' => error.hint("a comment starts with --"),
            _ => error,
        }
    }
}

/// The content of a string or a quoted name: `raw` includes its quotes, `start` is where it stands.
pub(super) fn content(raw: &str, start: usize) -> Result<Cow<'_, str>> {
    let quote = raw.chars().next().unwrap_or('"');
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    let escapes = quote != '`' && inner.contains('\\');
    if !escapes && (quote == '"' || !inner.contains(quote)) {
        return Ok(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    loop {
        let at = start + 1 + inner.len() - rest.len();
        let (part, behind) = split_doubled(rest, quote, escapes);
        if escapes {
            out.push_str(&json::unescape(part, quote).map_err(|error| moved_by(error, at))?);
        } else {
            out.push_str(part);
        }
        let Some(behind) = behind else {
            return Ok(Cow::Owned(out));
        };
        out.push(quote);
        rest = behind;
    }
}

/// What comes before the first doubled quote that no backslash escapes, and what comes after it.
fn split_doubled(text: &str, quote: char, escapes: bool) -> (&str, Option<&str>) {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && escapes {
            chars.next();
        } else if c == quote {
            let behind = text.get(at + 2..).unwrap_or_default();
            return (text.get(..at).unwrap_or_default(), Some(behind));
        }
    }
    (text, None)
}

/// An error whose span counts from `at`.
fn moved_by(error: Error, at: usize) -> Error {
    let span = match error.place() {
        Place::Text(span) => Span::new(span.start + at, span.end + at),
        _ => Span::new(at, at),
    };
    Error::new(error.code(), error.message())
        .at(span)
        .hint("write \\\\ for a backslash")
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let mut lexer = Lexer::new(text);
        let mut out = Vec::new();
        loop {
            let token = lexer.next().unwrap();
            if token.kind == Kind::End {
                return out;
            }
            out.push((token.kind, lexer.slice(token.span)));
        }
    }

    fn error(text: &str) -> (String, Span) {
        let mut lexer = Lexer::new(text);
        loop {
            match lexer.next() {
                Ok(token) if token.kind == Kind::End => panic!("no error in {text}"),
                Ok(_) => {}
                Err(error) => {
                    let crate::error::Place::Text(span) = *error.place() else {
                        panic!()
                    };
                    return (error.message().to_string(), span);
                }
            }
        }
    }

    #[test]
    fn tokens_and_blanks() {
        use Symbol::*;
        let found = kinds("a-- x\n/* y */ ?1 ? <> != 1.5e3 1.a 'it''s' \"q\\\"\" `b``c` é");
        let expected = [
            (Kind::Word, "a"),
            (Kind::Question, "?1"),
            (Kind::Question, "?"),
            (Kind::Symbol(NotEqual), "<>"),
            (Kind::Symbol(NotEqual), "!="),
            (Kind::Number, "1.5e3"),
            (Kind::Number, "1"),
            (Kind::Symbol(Dot), "."),
            (Kind::Word, "a"),
            (Kind::Text, "'it''s'"),
            (Kind::Text, "\"q\\\"\""),
            (Kind::Quoted, "`b``c`"),
            (Kind::Word, "é"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_wrong_and_where() {
        assert_eq!(
            error("a 'b\nc"),
            ("this string is not closed".into(), Span::new(2, 4))
        );
        assert_eq!(error("a /* b").1, Span::new(2, 4));
        assert_eq!(error("`a").0, "this name in backticks is not closed");
        assert_eq!(error("a == b").1, Span::new(2, 4));
        assert_eq!(error("12ab").1, Span::new(0, 4));
        assert_eq!(error("a “b”").1, Span::new(2, 5));
        assert_eq!(error("\u{1}").0, "the character U+0001 has no meaning here");
    }

    #[test]
    fn contents() {
        assert_eq!(content("'it''s'", 0).unwrap(), "it's");
        assert_eq!(
            content(r#""a\n\u00e9\ud83d\ude00\"""#, 0).unwrap(),
            "a\né😀\""
        );
        assert_eq!(content(r"'\''", 0).unwrap(), "'");
        assert_eq!(content(r"'a\'''\n''b'", 0).unwrap(), "a''\n'b");
        assert_eq!(content(r"`a\b`", 0).unwrap(), r"a\b");
        for bad in [
            r"'\x'",
            r"'\u12'",
            r"'\ud800'",
            r"'\ud800A'",
            r"'\udc00\udc00'",
        ] {
            assert!(content(bad, 0).is_err(), "{bad}");
        }
    }
}
