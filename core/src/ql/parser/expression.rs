//! Expressions and paths, by precedence climbing: OR, AND, NOT, then comparisons and their like, which do not chain.

use alloc::boxed::Box;
use alloc::vec::Vec;
use alloc::{format, vec};

use super::{Parser, is_reserved};
use crate::error::{Code, Error, Result, Span};
use crate::limits::EXPRESSION_DEPTH_MAX;
use crate::ql::ast::{Arguments, Comparison, Expr, ExprKind, InList, Name, Term};
use crate::ql::token::{Kind, Symbol};
use crate::value::{Path, Step};
use crate::value::{Value, json};

impl Parser<'_> {
    /// An expression.
    pub(super) fn expression(&mut self) -> Result<Expr> {
        // The expression around all parentheses is level 0.
        if self.depth > EXPRESSION_DEPTH_MAX {
            let message =
                format!("the expression is nested more than {EXPRESSION_DEPTH_MAX} levels deep");
            return Err(Error::new(Code::Limit, message).at(self.token.span));
        }
        self.depth += 1;
        let result = self.disjunction();
        self.depth -= 1;
        result
    }

    fn disjunction(&mut self) -> Result<Expr> {
        let first = self.conjunction()?;
        if !self.at_keyword("OR") {
            return Ok(first);
        }
        let start = first.span;
        let mut terms = vec![first];
        while self.eat_keyword("OR") {
            terms.push(self.conjunction()?);
        }
        Ok(Expr {
            span: self.since(start),
            kind: ExprKind::Or(terms),
        })
    }

    fn conjunction(&mut self) -> Result<Expr> {
        let first = self.negation()?;
        if !self.at_keyword("AND") {
            return Ok(first);
        }
        let start = first.span;
        let mut terms = vec![first];
        while self.eat_keyword("AND") {
            terms.push(self.negation()?);
        }
        Ok(Expr {
            span: self.since(start),
            kind: ExprKind::And(terms),
        })
    }

    /// Any number of NOTs before a predicate. Two of them are none, in three-valued logic too, so that a chain has no depth.
    fn negation(&mut self) -> Result<Expr> {
        let start = self.token.span;
        let mut negations = 0_usize;
        while self.eat_keyword("NOT") {
            negations += 1;
        }
        let inner = self.predicate()?;
        let negate = |inner: Expr, span: Span| Expr {
            span,
            kind: ExprKind::Not(Box::new(inner)),
        };
        let span = self.since(start);
        Ok(match negations {
            0 => inner,
            odd if odd % 2 == 1 => negate(inner, span),
            _ => negate(negate(inner, span), span),
        })
    }

    /// An operand, and at most one comparison, LIKE, BETWEEN, IN or IS NULL.
    fn predicate(&mut self) -> Result<Expr> {
        let start = self.token.span;
        let left = self.operand()?;
        let Some(kind) = self.predicate_tail(left)? else {
            return Err(self.unexpected());
        };
        let (kind, tail) = kind;
        let expr = Expr {
            span: self.since(start),
            kind,
        };
        if tail && self.comparison().is_some() {
            let error = Error::syntax(self.token.span, "comparisons do not chain");
            return Err(error.hint("use parentheses, or AND between two comparisons"));
        }
        Ok(expr)
    }

    /// What follows an operand, and whether anything does.
    fn predicate_tail(&mut self, left: Expr) -> Result<Option<(ExprKind, bool)>> {
        let value = Box::new(left);
        if let Some(operator) = self.comparison() {
            self.advance();
            let right = Box::new(self.operand()?);
            return Ok(Some((
                ExprKind::Compare {
                    operator,
                    left: value,
                    right,
                },
                true,
            )));
        }
        self.expect("a comparison");
        if self.eat_keyword("IS") {
            let negated = self.eat_keyword("NOT");
            self.need_keyword("NULL")?;
            return Ok(Some((ExprKind::IsNull { value, negated }, true)));
        }
        let negated = self.eat_keyword("NOT");
        let kind = if self.eat_keyword("LIKE") {
            self.like(value, negated)?
        } else if self.eat_keyword("BETWEEN") {
            let low = Box::new(self.operand()?);
            self.need_keyword("AND")?;
            let high = Box::new(self.operand()?);
            ExprKind::Between {
                value,
                low,
                high,
                negated,
            }
        } else if self.eat_keyword("IN") {
            ExprKind::In {
                value,
                list: self.in_list()?,
                negated,
            }
        } else if negated {
            return Ok(None);
        } else {
            return Ok(Some((value.kind, false)));
        };
        Ok(Some((kind, true)))
    }

    /// The comparison operator here, not taken.
    fn comparison(&self) -> Option<Comparison> {
        Some(match self.token.kind {
            Kind::Symbol(Symbol::Equal) => Comparison::Equal,
            Kind::Symbol(Symbol::NotEqual) => Comparison::NotEqual,
            Kind::Symbol(Symbol::Less) => Comparison::Less,
            Kind::Symbol(Symbol::LessEqual) => Comparison::LessEqual,
            Kind::Symbol(Symbol::Greater) => Comparison::Greater,
            Kind::Symbol(Symbol::GreaterEqual) => Comparison::GreaterEqual,
            _ => return None,
        })
    }

    fn like(&mut self, value: Box<Expr>, negated: bool) -> Result<ExprKind> {
        let pattern = Box::new(self.operand()?);
        let escape = if self.eat_keyword("ESCAPE") {
            Some(self.text_term("one character in quotes")?)
        } else {
            None
        };
        Ok(ExprKind::Like {
            value,
            pattern,
            escape,
            negated,
        })
    }

    /// A string or a parameter.
    fn text_term(&mut self, what: &'static str) -> Result<Term> {
        if self.token.kind == Kind::Text {
            return self.term(1);
        }
        self.expect(what);
        match self.parameter()? {
            Some(term) => Ok(term),
            None => Err(self.unexpected()),
        }
    }

    fn in_list(&mut self) -> Result<InList> {
        if self.eat_symbol(Symbol::LeftParen) {
            let mut items = Vec::new();
            loop {
                items.push(self.expression()?);
                if !self.eat_symbol(Symbol::Comma) {
                    break;
                }
            }
            self.need_symbol(Symbol::RightParen)?;
            return Ok(InList::Items(items));
        }
        if self.at_symbol(Symbol::LeftBracket) {
            return Ok(InList::Array(self.term(1)?));
        }
        match self.parameter()? {
            Some(term) => Ok(InList::Array(term)),
            None => Err(self.unexpected()),
        }
    }

    /// A literal, a parameter, a path, a call or an expression in parentheses.
    fn operand(&mut self) -> Result<Expr> {
        let start = self.token.span;
        if self.eat_symbol(Symbol::LeftParen) {
            let inner = self.expression()?;
            self.need_symbol(Symbol::RightParen)?;
            return Ok(Expr {
                span: self.since(start),
                kind: inner.kind,
            });
        }
        if let Some(term) = self.maybe_term(1)? {
            return Ok(Expr {
                span: term.span,
                kind: ExprKind::Constant(term),
            });
        }
        let bare = self.token.kind == Kind::Word && !is_reserved(self.text());
        if !bare && self.token.kind != Kind::Quoted {
            return Err(self.no_operand());
        }
        let name = self.name("a value")?;
        let kind = if bare && self.token.kind == Kind::Symbol(Symbol::LeftParen) {
            self.call(name)?
        } else {
            ExprKind::Path(self.path_after(name)?)
        };
        Ok(Expr {
            span: self.since(start),
            kind,
        })
    }

    fn no_operand(&mut self) -> Error {
        self.expected.clear();
        self.expect("a path");
        self.expect("a value");
        self.expect("a parameter");
        self.expect("`(`");
        self.unexpected()
    }

    fn call(&mut self, function: Name) -> Result<ExprKind> {
        self.need_symbol(Symbol::LeftParen)?;
        if self.eat_symbol(Symbol::Star) {
            self.need_symbol(Symbol::RightParen)?;
            return Ok(ExprKind::Call {
                function,
                arguments: Arguments::Star,
            });
        }
        let mut list = Vec::new();
        if !self.eat_symbol(Symbol::RightParen) {
            loop {
                list.push(self.expression()?);
                if !self.eat_symbol(Symbol::Comma) {
                    break;
                }
            }
            self.need_symbol(Symbol::RightParen)?;
        }
        Ok(ExprKind::Call {
            function,
            arguments: Arguments::List(list),
        })
    }

    /// A path: `a.b[0]`.
    pub(super) fn path(&mut self, what: &'static str) -> Result<Path> {
        let name = self.name(what)?;
        self.path_after(name)
    }

    /// The rest of a path after its first member.
    fn path_after(&mut self, first: Name) -> Result<Path> {
        let mut steps = vec![Step::Member(first.text)];
        loop {
            if self.eat_symbol(Symbol::Dot) {
                let name = match self.token.kind {
                    Kind::Word => self.take_word(),
                    Kind::Quoted => self.take_quoted()?,
                    _ => {
                        self.expect("a member's name");
                        return Err(self.unexpected());
                    }
                };
                steps.push(Step::Member(name.text));
            } else if self.eat_symbol(Symbol::LeftBracket) {
                steps.push(Step::Index(self.array_index()?));
                self.need_symbol(Symbol::RightBracket)?;
            } else {
                return Ok(Path::new(steps));
            }
        }
    }

    /// The number in `[0]`.
    fn array_index(&mut self) -> Result<u64> {
        let span = self.token.span;
        if self.token.kind != Kind::Number {
            self.expect("an index from 0");
            return Err(self.unexpected());
        }
        let value = json::number(self.text()).ok();
        self.advance();
        match value {
            Some(Value::Int(index)) if index >= 0 => Ok(index.unsigned_abs()),
            Some(Value::UInt(index)) => Ok(index),
            _ => Err(Error::syntax(span, "an index is a whole number from 0")),
        }
    }
}
