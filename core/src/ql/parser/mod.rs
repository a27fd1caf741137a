//! The parser: a script's text to statements, by recursive descent. This file owns the stream of tokens and its errors.
//!
//! Every look at the current token for something (a keyword, a symbol) that is not there is noted, so that the error, when nothing fits,
//! names all that would have.

mod document;
mod expression;
mod select;
mod statement;

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{borrow::ToOwned, format};

use super::ast::{Name, Parameter, Statement};
use super::hint;
use super::token::{self, Kind, Lexer, Symbol, Token};
use crate::error::{Code, Error, Result, Span};
use crate::limits::SCRIPT_BYTES_MAX;

/// Words that cannot be a name without backticks, but after a dot.
const RESERVED: [&str; 31] = [
    "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "AS", "AND", "OR", "NOT", "IN",
    "LIKE", "ESCAPE", "BETWEEN", "IS", "NULL", "TRUE", "FALSE", "ASC", "DESC", "HAVING", "JOIN",
    "ON", "UNION", "DISTINCT", "CASE", "WHEN", "THEN", "ELSE", "EXISTS",
];

/// Reads a script statement by statement, so that the first can run before the second is read.
pub struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The current token.
    token: Token,
    /// Where the token before it ended.
    last_end: usize,
    /// What was looked for at the current token and not found, with repetitions.
    expected: Vec<&'static str>,
    /// What is wrong with the text where the current token should be.
    broken: Option<Error>,
    /// Whether an error ended the script.
    ended: bool,
    /// The parameters of the current statement.
    parameters: Vec<(Parameter, Span)>,
    /// How many `?` the script had so far.
    questions: usize,
    /// Whether the script numbers a parameter (`?1`).
    numbered: bool,
    /// How deep the current expression is nested.
    depth: usize,
}

impl<'a> Parser<'a> {
    /// A parser at the start of a script.
    pub fn new(text: &'a str) -> Self {
        let token = Token {
            kind: Kind::End,
            span: Span::new(0, 0),
        };
        let mut parser = Parser {
            lexer: Lexer::new(text),
            token,
            last_end: 0,
            expected: Vec::new(),
            broken: None,
            ended: false,
            parameters: Vec::new(),
            questions: 0,
            numbered: false,
            depth: 0,
        };
        if text.len() > SCRIPT_BYTES_MAX {
            let message = format!(
                "the script has {} bytes; the limit is {SCRIPT_BYTES_MAX}",
                text.len()
            );
            parser.broken = Some(Error::new(Code::Limit, message));
        } else {
            parser.advance();
        }
        parser
    }

    /// The next statement, or `None` at the end of the script. After an error there are no more.
    pub fn next_statement(&mut self) -> Result<Option<Statement>> {
        if self.ended {
            return Ok(None);
        }
        let result = self.statement_or_end();
        self.ended = !matches!(result, Ok(Some(_)));
        result
    }

    fn statement_or_end(&mut self) -> Result<Option<Statement>> {
        while self.eat_symbol(Symbol::Semicolon) {}
        if self.at_end() {
            return Ok(None);
        }
        self.expected.clear();
        self.parameters.clear();
        let start = self.token.span;
        let kind = self.statement()?;
        let span = self.since(start);
        let parameters = core::mem::take(&mut self.parameters);
        if !self.eat_symbol(Symbol::Semicolon) && !self.at_end() {
            return Err(self.unexpected());
        }
        Ok(Some(Statement {
            span,
            kind,
            parameters,
        }))
    }

    /// Goes on to the next token. A wrong token is reported when it is looked at.
    fn advance(&mut self) {
        self.last_end = self.token.span.end;
        self.expected.clear();
        match self.lexer.next() {
            Ok(token) => self.token = token,
            Err(error) => {
                self.broken = Some(error);
                self.token = Token {
                    kind: Kind::End,
                    span: Span::new(self.last_end, self.last_end),
                };
            }
        }
    }

    /// The span from the start of `first` to the end of the last token that was taken.
    fn since(&self, first: Span) -> Span {
        Span::new(first.start, self.last_end.max(first.start))
    }

    /// The text of the current token.
    fn text(&self) -> &'a str {
        self.lexer.slice(self.token.span)
    }

    fn expect(&mut self, what: &'static str) {
        self.expected.push(what);
    }

    /// Whether the script ends here.
    fn at_end(&mut self) -> bool {
        let end = self.token.kind == Kind::End && self.broken.is_none();
        if !end {
            self.expect("the end");
        }
        end
    }

    fn at_symbol(&mut self, symbol: Symbol) -> bool {
        let there = self.token.kind == Kind::Symbol(symbol);
        if !there {
            self.expect(symbol.quoted());
        }
        there
    }

    fn eat_symbol(&mut self, symbol: Symbol) -> bool {
        let there = self.at_symbol(symbol);
        if there {
            self.advance();
        }
        there
    }

    fn need_symbol(&mut self, symbol: Symbol) -> Result<()> {
        if self.eat_symbol(symbol) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn at_keyword(&mut self, keyword: &'static str) -> bool {
        let there = self.token.kind == Kind::Word && self.text().eq_ignore_ascii_case(keyword);
        if !there {
            self.expect(keyword);
        }
        there
    }

    fn eat_keyword(&mut self, keyword: &'static str) -> bool {
        let there = self.at_keyword(keyword);
        if there {
            self.advance();
        }
        there
    }

    fn need_keyword(&mut self, keyword: &'static str) -> Result<()> {
        if self.eat_keyword(keyword) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// A name: a word that is not reserved, or anything in backticks.
    fn name(&mut self, what: &'static str) -> Result<Name> {
        match self.token.kind {
            Kind::Word if !is_reserved(self.text()) => Ok(self.take_word()),
            Kind::Quoted => self.take_quoted(),
            Kind::Word => {
                let word = self.text().to_owned();
                self.expect(what);
                Err(self.unexpected_here().hint(format!(
                    "`{word}` is a keyword: put it in backticks to use it as a name"
                )))
            }
            Kind::Text => {
                self.expect(what);
                Err(self
                    .unexpected()
                    .hint("quotes make a string; a name stands bare or in backticks"))
            }
            _ => {
                self.expect(what);
                Err(self.unexpected())
            }
        }
    }

    /// The current word as a name, whatever word it is.
    fn take_word(&mut self) -> Name {
        let name = Name {
            text: self.text().to_owned(),
            span: self.token.span,
        };
        self.advance();
        name
    }

    fn take_quoted(&mut self) -> Result<Name> {
        let span = self.token.span;
        let text = token::content(self.text(), span.start)?.into_owned();
        if text.is_empty() {
            return Err(Error::syntax(span, "a name cannot be empty"));
        }
        self.advance();
        Ok(Name { text, span })
    }

    /// The current string's content.
    fn take_text(&mut self) -> Result<String> {
        let text = token::content(self.text(), self.token.span.start)?.into_owned();
        self.advance();
        Ok(text)
    }

    /// Nothing that was looked for is here: the error, with a hint if the word here is near one of the keywords looked for.
    fn unexpected(&mut self) -> Error {
        let near = match self.token.kind {
            Kind::Word => hint::did_you_mean(
                self.text(),
                self.expected
                    .iter()
                    .copied()
                    .filter(|what| is_keyword(what)),
            ),
            _ => None,
        };
        let error = self.unexpected_here();
        match near {
            Some(near) => error.hint(near),
            None => error,
        }
    }

    fn unexpected_here(&mut self) -> Error {
        let mut seen: Vec<&str> = Vec::new();
        self.expected.retain(|what| {
            let new = !seen.contains(what);
            seen.extend(new.then_some(*what));
            new
        });
        if let Some(error) = self.broken.take() {
            return error;
        }
        let found = match self.token.kind {
            Kind::End => "the end of the script".to_owned(),
            Kind::Text => format!("the string {}", shortened(self.text())),
            Kind::Number => format!("the number {}", shortened(self.text())),
            _ => format!("`{}`", shortened(self.text())),
        };
        let message = match self.expected.split_last() {
            None => format!("{found} has no meaning here"),
            Some((only, [])) => format!("expected {only}, found {found}"),
            Some((last, others)) => {
                format!("expected {} or {last}, found {found}", others.join(", "))
            }
        };
        Error::syntax(self.token.span, message)
    }
}

fn is_reserved(word: &str) -> bool {
    RESERVED
        .iter()
        .any(|reserved| word.eq_ignore_ascii_case(reserved))
}

/// Whether something that was looked for is a keyword, and not a description.
fn is_keyword(what: &str) -> bool {
    what.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The first line of a token's text, cut to what fits a message.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// All statements of a script.
pub fn parse(text: &str) -> Result<Vec<Statement>> {
    let mut parser = Parser::new(text);
    let mut statements = Vec::new();
    while let Some(statement) = parser.next_statement()? {
        statements.push(statement);
    }
    Ok(statements)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]
mod tests;
