//! Compiling expressions: paths become slots, parameters become constants, aggregates become slots of their group.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::{Code, Error, Result, Span};
use crate::ql::Params;
use crate::ql::ast::{Arguments, Comparison, Expr, ExprKind, InList, Name, Term};
use crate::ql::exec::aggregate::{Aggregate, Function};
use crate::ql::exec::like::Pattern;
use crate::ql::exec::node::{Constant, Node};
use crate::ql::hint;
use crate::value::{Path, Value, ValueRef, order};

/// From this many constants on, IN searches a sorted list.
const SORTED_IN_MIN: usize = 8;

/// What the names in an expression mean.
pub(crate) enum Scope<'a> {
    /// Members of a row. The clause is named in errors.
    Row {
        paths: &'a mut Vec<Path>,
        clause: &'static str,
    },
    /// Results of a group: the grouping expressions by their text, and aggregates over rows.
    Group {
        keys: &'a [String],
        aggregates: &'a mut Vec<(String, Aggregate)>,
        paths: &'a mut Vec<Path>,
    },
}

/// Compiles expressions in one scope.
pub(crate) struct Compiler<'a> {
    pub(crate) params: &'a Params,
    pub(crate) scope: Scope<'a>,
}

impl Compiler<'_> {
    pub(crate) fn expr(&mut self, expr: &Expr) -> Result<Node> {
        if let Some(slot) = self.group_key(expr) {
            return Ok(Node::Slot(slot));
        }
        Ok(match &expr.kind {
            ExprKind::Constant(term) => Node::Constant(self.constant(term)?),
            ExprKind::Path(path) => self.path(path, expr.span)?,
            ExprKind::Not(inner) => negated(true, self.expr(inner)?),
            ExprKind::And(terms) => Node::And(self.list(terms)?),
            ExprKind::Or(terms) => Node::Or(self.list(terms)?),
            ExprKind::Compare {
                operator,
                left,
                right,
            } => self.compare(*operator, left, right)?,
            ExprKind::Like {
                value,
                pattern,
                escape,
                negated: not,
            } => {
                let value = self.expr(value)?;
                negated(*not, self.like(value, pattern, escape.as_ref())?)
            }
            ExprKind::Between {
                value,
                low,
                high,
                negated: not,
            } => {
                let value = self.expr(value)?;
                let least = Node::Compare(
                    Comparison::GreaterEqual,
                    Box::new([value.clone(), self.expr(low)?]),
                );
                let most =
                    Node::Compare(Comparison::LessEqual, Box::new([value, self.expr(high)?]));
                negated(*not, Node::And(alloc::vec![least, most]))
            }
            ExprKind::In {
                value,
                list,
                negated: not,
            } => {
                let value = Box::new(self.expr(value)?);
                negated(*not, self.in_list(value, list)?)
            }
            ExprKind::IsNull {
                value,
                negated: not,
            } => negated(*not, Node::IsNull(Box::new(self.expr(value)?))),
            ExprKind::Call {
                function,
                arguments,
            } => self.call(function, arguments, expr)?,
        })
    }

    fn list(&mut self, exprs: &[Expr]) -> Result<Vec<Node>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn constant(&self, term: &Term) -> Result<Constant> {
        Ok(Constant::new(&term.value(self.params)?))
    }

    /// The slot of a grouping expression.
    fn group_key(&self, expr: &Expr) -> Option<usize> {
        match &self.scope {
            Scope::Group { keys, .. } if !keys.is_empty() => {
                let text = expr.to_string();
                keys.iter().position(|key| *key == text)
            }
            _ => None,
        }
    }

    fn path(&mut self, path: &Path, span: Span) -> Result<Node> {
        match &mut self.scope {
            Scope::Row { paths, .. } => Ok(Node::Slot(slot_of(path, paths))),
            Scope::Group { keys, .. } => {
                let message = format!("`{path}` is neither grouped by nor inside an aggregate");
                let hint = if keys.is_empty() {
                    format!("add GROUP BY {path}, or put it into MIN or MAX")
                } else {
                    String::from("add it to GROUP BY, or put it into MIN or MAX")
                };
                Err(Error::new(Code::InvalidValue, message).at(span).hint(hint))
            }
        }
    }

    fn compare(&mut self, operator: Comparison, left: &Expr, right: &Expr) -> Result<Node> {
        let (left, right) = (self.expr(left)?, self.expr(right)?);
        Ok(match (operator, left, right) {
            (Comparison::Equal, Node::Slot(slot), Node::Constant(text))
            | (Comparison::Equal, Node::Constant(text), Node::Slot(slot))
                if matches!(text.view(), ValueRef::Str(_)) =>
            {
                Node::SlotIsText(slot, text)
            }
            (operator, left, right) => Node::Compare(operator, Box::new([left, right])),
        })
    }

    fn like(&mut self, value: Node, pattern: &Expr, escape: Option<&Term>) -> Result<Node> {
        let escape = escape.map(|term| self.escape(term)).transpose()?;
        match self.expr(pattern)? {
            Node::Constant(constant) => match constant.view() {
                ValueRef::Str(text) => Pattern::new(text, escape)
                    .map(|pattern| Node::Like(Box::new(value), pattern))
                    .map_err(|error| error.at(pattern.span)),
                _ => Ok(Node::Constant(Constant::new(&Value::Null))),
            },
            _ if escape.is_some() => {
                let message = "LIKE with ESCAPE takes a pattern that is the same for all rows";
                Err(Error::new(Code::Unsupported, message).at(pattern.span))
            }
            pattern => Ok(Node::LikeDynamic(Box::new([value, pattern]))),
        }
    }

    fn escape(&self, term: &Term) -> Result<char> {
        let value = term.value(self.params)?;
        let mut chars = value.as_str().unwrap_or_default().chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(c),
            _ => Err(Error::new(Code::InvalidValue, "ESCAPE takes one character").at(term.span)),
        }
    }

    fn in_list(&mut self, value: Box<Node>, list: &InList) -> Result<Node> {
        let items = match list {
            InList::Items(items) => self.list(items)?,
            InList::Array(term) => match term.value(self.params)? {
                Value::Array(items) => items
                    .iter()
                    .map(|item| Node::Constant(Constant::new(item)))
                    .collect(),
                other => {
                    let message = format!("IN takes an array, not {}", other.kind());
                    return Err(Error::new(Code::InvalidValue, message).at(term.span));
                }
            },
        };
        let constants: Vec<&Constant> = items
            .iter()
            .filter_map(|item| {
                if let Node::Constant(constant) = item {
                    Some(constant)
                } else {
                    None
                }
            })
            .collect();
        if constants.len() < items.len() || items.len() < SORTED_IN_MIN {
            return Ok(Node::In(value, items));
        }
        let mut sorted: Vec<Constant> = constants
            .into_iter()
            .filter(|constant| !constant.raw().is_null())
            .cloned()
            .collect();
        let has_null = sorted.len() < items.len();
        sorted.sort_by(|a, b| order::total(a.view(), b.view()));
        Ok(Node::InSorted(value, sorted, has_null))
    }

    fn call(&mut self, name: &Name, arguments: &Arguments, expr: &Expr) -> Result<Node> {
        let Some(function) = Function::named(&name.text) else {
            let error = Error::new(
                Code::UnknownName,
                format!("there is no function `{}`", name.text),
            )
            .at(name.span);
            return Err(match hint::did_you_mean(&name.text, Function::NAMES) {
                Some(hint) => error.hint(hint),
                None => error.hint(format!("the functions are {}", Function::NAMES.join(", "))),
            });
        };
        match &mut self.scope {
            Scope::Row { clause, .. } => {
                let message = format!("{} cannot stand in {clause}", function.name());
                Err(Error::new(Code::InvalidValue, message).at(expr.span))
            }
            Scope::Group {
                keys,
                aggregates,
                paths,
            } => {
                let text = expr.to_string();
                let place = match aggregates.iter().position(|(other, _)| *other == text) {
                    Some(place) => place,
                    None => {
                        let argument = argument_of(function, arguments, expr.span)?;
                        let scope = Scope::Row {
                            paths,
                            clause: "another aggregate",
                        };
                        let argument = argument
                            .map(|argument| {
                                Compiler {
                                    params: self.params,
                                    scope,
                                }
                                .expr(argument)
                            })
                            .transpose()?;
                        aggregates.push((
                            text,
                            Aggregate {
                                function,
                                argument,
                                span: expr.span,
                            },
                        ));
                        aggregates.len() - 1
                    }
                };
                Ok(Node::Slot(keys.len() + place))
            }
        }
    }
}

/// An aggregate's argument; `None` for `COUNT(*)`.
fn argument_of(function: Function, arguments: &Arguments, span: Span) -> Result<Option<&Expr>> {
    match arguments {
        Arguments::Star if function == Function::Count => Ok(None),
        Arguments::Star => {
            let message = format!("{}(*) has no meaning", function.name());
            Err(Error::new(Code::InvalidValue, message)
                .at(span)
                .hint("name a member; only COUNT takes `*`"))
        }
        Arguments::List(list) => match list.as_slice() {
            [argument] => Ok(Some(argument)),
            list => {
                let message = format!("{} takes one argument, not {}", function.name(), list.len());
                Err(Error::new(Code::InvalidValue, message).at(span))
            }
        },
    }
}

/// The slot of a path, a new one if it has none.
pub(crate) fn slot_of(path: &Path, paths: &mut Vec<Path>) -> usize {
    match paths.iter().position(|other| other == path) {
        Some(slot) => slot,
        None => {
            paths.push(path.clone());
            paths.len() - 1
        }
    }
}

fn negated(negated: bool, node: Node) -> Node {
    if negated {
        Node::Not(Box::new(node))
    } else {
        node
    }
}
