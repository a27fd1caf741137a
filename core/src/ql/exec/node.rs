//! The evaluator: compiled expressions over slots, in SQL's three-valued logic. NULL is the third truth value.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::like::Pattern;
use crate::ql::ast::Comparison;
use crate::value::{Raw, Value, ValueRef, order};

/// A compiled expression.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// A constant.
    Constant(Constant),
    /// A slot of the row or of the group.
    Slot(usize),
    /// `NOT a`
    Not(Box<Node>),
    /// `a AND b AND ..`
    And(Vec<Node>),
    /// `a OR b OR ..`
    Or(Vec<Node>),
    /// `slot = "text"`, which is decided on the bytes.
    SlotIsText(usize, Constant),
    /// `a < b` and its like.
    Compare(Comparison, Box<[Node; 2]>),
    /// `a LIKE pattern`
    Like(Box<Node>, Pattern),
    /// `a LIKE b` with a pattern that differs from row to row.
    LikeDynamic(Box<[Node; 2]>),
    /// `a IN (..)`
    In(Box<Node>, Vec<Node>),
    /// `a IN (..)` with many constants: sorted, without NULL, and whether there was a NULL.
    InSorted(Box<Node>, Vec<Constant>, bool),
    /// `a IS NULL`
    IsNull(Box<Node>),
}

/// A constant as msgpack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Constant(Vec<u8>);

impl Constant {
    pub(crate) fn new(value: &Value) -> Self {
        Constant(value.to_msgpack())
    }

    pub(crate) fn raw(&self) -> Raw<'_> {
        Raw::new(&self.0).unwrap_or(Raw::NULL)
    }

    pub(crate) fn view(&self) -> ValueRef<'_> {
        self.raw().view()
    }
}

/// What the slots hold.
pub(crate) trait Slots {
    /// The value of a slot; what is missing is null.
    fn slot(&self, slot: usize) -> Raw<'_>;

    /// A small number that stands for the slot's value in every row of one source, if there is one.
    fn code(&self, _slot: usize) -> Option<u32> {
        None
    }
}

impl Node {
    /// The value.
    pub(crate) fn value<'a>(&'a self, slots: &'a impl Slots) -> ValueRef<'a> {
        match self {
            Node::Constant(constant) => constant.view(),
            Node::Slot(slot) => slots.slot(*slot).view(),
            _ => self.truth(slots).map_or(ValueRef::Null, ValueRef::Bool),
        }
    }

    /// Whether it is true, false or, as `None`, neither. What is no boolean is neither.
    pub(crate) fn truth(&self, slots: &impl Slots) -> Option<bool> {
        match self {
            Node::Constant(_) | Node::Slot(_) => match self.value(slots) {
                ValueRef::Bool(value) => Some(value),
                _ => None,
            },
            Node::Not(inner) => inner.truth(slots).map(|truth| !truth),
            Node::And(terms) => all(terms.iter().map(|term| term.truth(slots))),
            Node::Or(terms) => any(terms.iter().map(|term| term.truth(slots))),
            Node::SlotIsText(slot, text) => is_text(slots.slot(*slot), text),
            Node::Compare(operator, sides) => {
                let [left, right] = &**sides;
                let order = order::sql(left.value(slots), right.value(slots))?;
                Some(decide(*operator, order))
            }
            Node::Like(value, pattern) => value
                .value(slots)
                .as_str()
                .map(|text| pattern.matches(text)),
            Node::LikeDynamic(sides) => {
                let [value, pattern] = &**sides;
                let (text, pattern) = value
                    .value(slots)
                    .as_str()
                    .zip(pattern.value(slots).as_str())?;
                Pattern::new(pattern, None)
                    .ok()
                    .map(|pattern| pattern.matches(text))
            }
            Node::In(value, items) => {
                let value = value.value(slots);
                any(items
                    .iter()
                    .map(|item| order::sql(value, item.value(slots)).map(Ordering::is_eq)))
            }
            Node::InSorted(value, items, has_null) => {
                is_in_sorted(value.value(slots), items, *has_null)
            }
            Node::IsNull(inner) => Some(inner.value(slots).is_null()),
        }
    }
}

/// Whether a comparison holds between values in this order.
fn decide(operator: Comparison, order: Ordering) -> bool {
    match operator {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterEqual => order.is_ge(),
    }
}

/// AND: false if one is false, else unknown if one is unknown.
fn all(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for truth in truths {
        match truth {
            Some(false) => return Some(false),
            Some(true) => {}
            None => result = None,
        }
    }
    result
}

/// OR: true if one is true, else unknown if one is unknown.
fn any(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for truth in truths {
        match truth {
            Some(true) => return Some(true),
            Some(false) => {}
            None => result = None,
        }
    }
    result
}

/// Short strings have one msgpack form, so that equal bytes decide; other forms are compared as values.
fn is_text(value: Raw<'_>, text: &Constant) -> Option<bool> {
    match value.as_bytes().first() {
        Some(0xa0..=0xbf) => Some(value.as_bytes() == text.0.as_slice()),
        _ => order::sql(value.view(), text.view()).map(Ordering::is_eq),
    }
}

/// IN over constants in total order. A value that is not among them is unknown if one of them was NULL or has another type than the value.
fn is_in_sorted(value: ValueRef<'_>, items: &[Constant], has_null: bool) -> Option<bool> {
    if value.is_null() {
        return if items.is_empty() && !has_null {
            Some(false)
        } else {
            None
        };
    }
    if items
        .binary_search_by(|item| order::total(item.view(), value))
        .is_ok()
    {
        return Some(true);
    }
    let other_type =
        |item: Option<&Constant>| item.is_some_and(|item| order::sql(item.view(), value).is_none());
    if has_null || other_type(items.first()) || other_type(items.last()) {
        None
    } else {
        Some(false)
    }
}
