//! Terms: literals, documents, parameters, keys and points.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{borrow::ToOwned, format};

use super::Parser;
use crate::error::{Code, Error, Result, Span};
use crate::limits::NESTING_MAX;
use crate::ql::ast::{Parameter, Term, TermKind};
use crate::ql::token::{Kind, Symbol};
use crate::value::{Object, Value, json};

impl Parser<'_> {
    /// A document or a patch: an object, or a parameter for one.
    pub(super) fn document(&mut self) -> Result<Term> {
        let start = self.token.span;
        if self.at_symbol(Symbol::LeftBrace) {
            return self.object(start, 1);
        }
        match self.parameter()? {
            Some(term) => Ok(term),
            None => Err(self.unexpected()),
        }
    }

    /// `KEY k`
    pub(super) fn key(&mut self) -> Result<Term> {
        self.need_keyword("KEY")?;
        let start = self.token.span;
        let sign = self.token.kind == Kind::Symbol(Symbol::Minus);
        if sign || matches!(self.token.kind, Kind::Text | Kind::Number) {
            return self.term(1);
        }
        self.expect("a string");
        self.expect("an integer");
        if let Some(term) = self.parameter()? {
            return Ok(term);
        }
        let error = self.unexpected();
        Err(
            if self.token.kind == Kind::Word && self.token.span == start {
                error.hint("put a key that is text in quotes")
            } else {
                error
            },
        )
    }

    /// `AS OF p`, if it is here.
    pub(super) fn as_of(&mut self) -> Result<Option<Term>> {
        if !self.eat_keyword("AS") {
            return Ok(None);
        }
        self.need_keyword("OF")?;
        self.point().map(Some)
    }

    /// A point: a string, or a parameter.
    pub(super) fn point(&mut self) -> Result<Term> {
        if self.token.kind == Kind::Text {
            return self.term(1);
        }
        self.expect("a point in quotes");
        match self.parameter()? {
            Some(term) => Ok(term),
            None => Err(self.unexpected().hint(
                "a point is \"@seq:100\", \"2026-01-31\" or \"2026-01-31T12:00:00Z\", in quotes",
            )),
        }
    }

    /// A literal or a parameter, if one starts here. `depth` is the nesting it would have.
    pub(super) fn maybe_term(&mut self, depth: usize) -> Result<Option<Term>> {
        let start = self.token.span;
        let value = match self.token.kind {
            Kind::Text => Value::Str(self.take_text()?),
            Kind::Number => self.number(start)?,
            Kind::Symbol(Symbol::Minus) => {
                self.advance();
                if self.token.kind != Kind::Number {
                    self.expect("a number");
                    return Err(self.unexpected());
                }
                self.number(start)?
            }
            Kind::Symbol(Symbol::LeftBracket) => return self.array(start, depth).map(Some),
            Kind::Symbol(Symbol::LeftBrace) => return self.object(start, depth).map(Some),
            Kind::Word => match self.text() {
                word if word.eq_ignore_ascii_case("NULL") => self.word_value(Value::Null),
                word if word.eq_ignore_ascii_case("TRUE") => self.word_value(Value::Bool(true)),
                word if word.eq_ignore_ascii_case("FALSE") => self.word_value(Value::Bool(false)),
                _ => return Ok(None),
            },
            _ => return self.parameter(),
        };
        Ok(Some(Term {
            span: self.since(start),
            kind: TermKind::Value(value),
        }))
    }

    /// A literal or a parameter.
    pub(super) fn term(&mut self, depth: usize) -> Result<Term> {
        match self.maybe_term(depth)? {
            Some(term) => Ok(term),
            None => {
                self.expect("a value");
                let word = self.token.kind == Kind::Word;
                let error = self.unexpected();
                Err(if word {
                    error.hint("put text in quotes")
                } else {
                    error
                })
            }
        }
    }

    fn word_value(&mut self, value: Value) -> Value {
        self.advance();
        value
    }

    /// The number here, with the sign in front of it that `start` may stand at.
    fn number(&mut self, start: Span) -> Result<Value> {
        let span = start.to(self.token.span);
        let value = if start == self.token.span {
            json::number(self.text())
        } else {
            json::number(&format!("-{}", self.text()))
        };
        self.advance();
        value.map_err(|error| moved(error, span))
    }

    /// A parameter, if one is here.
    pub(super) fn parameter(&mut self) -> Result<Option<Term>> {
        let start = self.token.span;
        let parameter = match self.token.kind {
            Kind::Question => self.question(start)?,
            Kind::Symbol(Symbol::Colon) => {
                self.advance();
                if self.token.kind != Kind::Word || self.token.span.start != start.end {
                    return Err(Error::syntax(start, "a named parameter is written :name"));
                }
                let name = self.text().to_owned();
                self.advance();
                Parameter::Named(name)
            }
            _ => {
                self.expect("a parameter");
                return Ok(None);
            }
        };
        let span = self.since(start);
        self.parameters.push((parameter.clone(), span));
        Ok(Some(Term {
            span,
            kind: TermKind::Parameter(parameter),
        }))
    }

    /// `?` counts through the whole script; `?1` says its number. One script does not mix them.
    fn question(&mut self, span: Span) -> Result<Parameter> {
        let digits = self.text().trim_start_matches('?');
        let numbered = !digits.is_empty();
        let number = if numbered {
            digits.parse().unwrap_or(0)
        } else {
            self.questions + 1
        };
        if number == 0 {
            return Err(Error::syntax(span, "parameters are numbered from ?1"));
        }
        if self.questions > 0 && numbered != self.numbered {
            let message = "a script has either ? or numbered parameters like ?1, not both";
            return Err(Error::new(Code::Parameter, message).at(span));
        }
        self.numbered = numbered;
        self.questions += 1;
        self.advance();
        Ok(Parameter::Positional(number))
    }

    fn array(&mut self, start: Span, depth: usize) -> Result<Term> {
        check_depth(depth, start)?;
        self.need_symbol(Symbol::LeftBracket)?;
        let mut items = Vec::new();
        if !self.eat_symbol(Symbol::RightBracket) {
            loop {
                items.push(self.term(depth + 1)?);
                if self.eat_symbol(Symbol::RightBracket) {
                    break;
                }
                self.comma(Symbol::RightBracket)?;
            }
        }
        let span = self.since(start);
        let constant = items
            .iter()
            .all(|item| matches!(item.kind, TermKind::Value(_)));
        if !constant {
            return Ok(Term {
                span,
                kind: TermKind::Array(items),
            });
        }
        let values = items.into_iter().filter_map(constant_of).collect();
        Ok(Term {
            span,
            kind: TermKind::Value(Value::Array(values)),
        })
    }

    fn object(&mut self, start: Span, depth: usize) -> Result<Term> {
        check_depth(depth, start)?;
        self.need_symbol(Symbol::LeftBrace)?;
        let mut members = Members::default();
        if !self.eat_symbol(Symbol::RightBrace) {
            loop {
                let at = self.token.span;
                let name = self.member_name()?;
                let name_span = self.since(at);
                self.need_symbol(Symbol::Colon)?;
                let term = self.term(depth + 1)?;
                members.add(name, term, name_span)?;
                if self.eat_symbol(Symbol::RightBrace) {
                    break;
                }
                self.comma(Symbol::RightBrace)?;
            }
        }
        Ok(Term {
            span: self.since(start),
            kind: members.finish(),
        })
    }

    /// The comma between two members or items. One before the closing bracket is an error that says so.
    fn comma(&mut self, close: Symbol) -> Result<()> {
        let span = self.token.span;
        self.need_symbol(Symbol::Comma)?;
        if self.token.kind == Kind::Symbol(close) {
            return Err(
                Error::syntax(span, "a comma needs something after it").hint("remove the comma")
            );
        }
        Ok(())
    }

    /// A member's name: in quotes, in backticks or bare.
    fn member_name(&mut self) -> Result<String> {
        match self.token.kind {
            Kind::Text => self.take_text(),
            Kind::Word => Ok(self.take_word().text),
            Kind::Quoted => Ok(self.take_quoted()?.text),
            _ => {
                self.expect("a member's name");
                Err(self.unexpected())
            }
        }
    }
}

/// The members of an object while it is read: values as long as there is no parameter among them.
#[derive(Default)]
struct Members {
    values: Object,
    terms: Option<Vec<(String, Term)>>,
    spans: Vec<Span>,
}

impl Members {
    fn add(&mut self, name: String, term: Term, span: Span) -> Result<()> {
        let taken = match &self.terms {
            None => self.values.get(&name).is_some(),
            Some(terms) => terms.iter().any(|(other, _)| *other == name),
        };
        if taken {
            return Err(Error::syntax(
                span,
                format!("the member \"{name}\" is there twice"),
            ));
        }
        match (&mut self.terms, term.kind) {
            (None, TermKind::Value(value)) => {
                self.values.insert(name, value);
                self.spans.push(term.span);
            }
            (None, kind) => {
                let values = core::mem::take(&mut self.values);
                let term_of = |(value, span): (Value, Span)| Term {
                    span,
                    kind: TermKind::Value(value),
                };
                let spans = self.spans.iter().copied();
                let mut terms: Vec<(String, Term)> = values
                    .into_iter()
                    .zip(spans)
                    .map(|((name, value), span)| (name, term_of((value, span))))
                    .collect();
                terms.push((
                    name,
                    Term {
                        span: term.span,
                        kind,
                    },
                ));
                self.terms = Some(terms);
            }
            (Some(terms), kind) => terms.push((
                name,
                Term {
                    span: term.span,
                    kind,
                },
            )),
        }
        Ok(())
    }

    fn finish(self) -> TermKind {
        match self.terms {
            Some(terms) => TermKind::Object(terms),
            None => TermKind::Value(Value::Object(self.values)),
        }
    }
}

fn constant_of(term: Term) -> Option<Value> {
    match term.kind {
        TermKind::Value(value) => Some(value),
        _ => None,
    }
}

fn check_depth(depth: usize, span: Span) -> Result<()> {
    if depth <= NESTING_MAX {
        return Ok(());
    }
    Err(Error::new(
        Code::Limit,
        format!("this is nested more than {NESTING_MAX} levels deep"),
    )
    .at(span))
}

/// An error of another reader, placed at a span of the script.
fn moved(error: Error, span: Span) -> Error {
    let moved = Error::new(error.code(), error.message()).at(span);
    match error.hint_text() {
        Some(hint) => moved.hint(hint),
        None => moved,
    }
}
