//! Aggregates: COUNT, SUM, AVG, MIN, MAX over the rows of a group.

use alloc::format;
use alloc::vec::Vec;

use super::node::Node;
use crate::error::{Code, Error, Result, Span};
use crate::value::{Raw, ValueRef, msgpack, order};

/// An aggregate function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

impl Function {
    /// Every function's name.
    pub(crate) const NAMES: [&'static str; 5] = ["COUNT", "SUM", "AVG", "MIN", "MAX"];

    /// The function of a name, in any case.
    pub(crate) fn named(name: &str) -> Option<Function> {
        let functions = [
            Function::Count,
            Function::Sum,
            Function::Avg,
            Function::Min,
            Function::Max,
        ];
        functions
            .into_iter()
            .find(|function| function.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Function::Count => "COUNT",
            Function::Sum => "SUM",
            Function::Avg => "AVG",
            Function::Min => "MIN",
            Function::Max => "MAX",
        }
    }
}

/// A compiled aggregate.
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub(crate) function: Function,
    /// What it is of, over the slots of a row; `None` for `COUNT(*)`.
    pub(crate) argument: Option<Node>,
    /// Where it stands, for errors.
    pub(crate) span: Span,
}

impl Aggregate {
    /// The state before the first row.
    pub(crate) fn start(&self) -> State {
        match self.function {
            Function::Count => State::Count(0),
            Function::Sum | Function::Avg => State::Sum(Sum::default()),
            Function::Min | Function::Max => State::Extreme(Vec::new()),
        }
    }

    /// Takes one row's value in.
    pub(crate) fn add(&self, state: &mut State, value: ValueRef<'_>) -> Result<()> {
        match state {
            _ if value.is_null() => {}
            State::Count(count) => *count += 1,
            State::Sum(sum) => {
                if !sum.add(value) {
                    let message = format!(
                        "{} takes numbers, and one value is {}",
                        self.function.name(),
                        value.kind()
                    );
                    return Err(Error::new(Code::InvalidValue, message).at(self.span));
                }
            }
            State::Extreme(best) => {
                let beats = Raw::new(best).is_none_or(|best| {
                    let order = order::total(value, best.view());
                    if self.function == Function::Min {
                        order.is_lt()
                    } else {
                        order.is_gt()
                    }
                });
                if beats {
                    best.clear();
                    msgpack::encode_ref(value, best);
                }
            }
        }
        Ok(())
    }

    /// Appends the result.
    pub(crate) fn finish(&self, state: &State, out: &mut Vec<u8>) -> Result<()> {
        match state {
            State::Count(count) => msgpack::encode_uint(*count, out),
            State::Extreme(best) if best.is_empty() => msgpack::encode_null(out),
            State::Extreme(best) => out.extend_from_slice(best),
            State::Sum(sum) if sum.count == 0 => msgpack::encode_null(out),
            State::Sum(sum) => {
                let value = if self.function == Function::Avg {
                    sum.average()
                } else {
                    sum.total()
                };
                let value = value.ok_or_else(|| {
                    Error::new(
                        Code::OutOfRange,
                        format!("the result of {} is out of range", self.function.name()),
                    )
                    .at(self.span)
                })?;
                msgpack::encode_ref(value, out);
            }
        }
        Ok(())
    }
}

/// What an aggregate knows of the rows so far.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Count(u64),
    Sum(Sum),
    /// The least or greatest value in msgpack; empty before the first.
    Extreme(Vec<u8>),
}

/// A sum: integers exactly, floats with their rounding error carried along.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum {
    count: u64,
    integers: i128,
    floats: f64,
    /// What rounding took from `floats` (Neumaier).
    lost: f64,
    has_floats: bool,
}

impl Sum {
    /// Adds a number; false if it is none.
    fn add(&mut self, value: ValueRef<'_>) -> bool {
        match value {
            ValueRef::Int(value) => self.integers = self.integers.saturating_add(i128::from(value)),
            ValueRef::UInt(value) => {
                self.integers = self.integers.saturating_add(i128::from(value))
            }
            ValueRef::Float(value) => self.add_float(value),
            _ => return false,
        }
        self.count += 1;
        true
    }

    fn add_float(&mut self, value: f64) {
        self.has_floats = true;
        let sum = self.floats + value;
        if sum.is_finite() {
            let (large, small) = if self.floats.abs() >= value.abs() {
                (self.floats, value)
            } else {
                (value, self.floats)
            };
            self.lost += (large - sum) + small;
        }
        self.floats = sum;
    }

    /// The sum as a float.
    fn float(&self) -> f64 {
        self.integers as f64 + self.floats + self.lost
    }

    /// An integer if all were integers; `None` if it is out of range.
    fn total(&self) -> Option<ValueRef<'static>> {
        if self.has_floats {
            return Some(self.float())
                .filter(|sum| sum.is_finite())
                .map(ValueRef::Float);
        }
        match i64::try_from(self.integers) {
            Ok(sum) => Some(ValueRef::Int(sum)),
            Err(_) => u64::try_from(self.integers).ok().map(ValueRef::UInt),
        }
    }

    /// Always a float.
    fn average(&self) -> Option<ValueRef<'static>> {
        let average = self.float() / self.count as f64;
        Some(average)
            .filter(|average| average.is_finite())
            .map(ValueRef::Float)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn run(function: Function, values: &[ValueRef<'_>]) -> Result<alloc::string::String> {
        let aggregate = Aggregate {
            function,
            argument: None,
            span: Span::default(),
        };
        let mut state = aggregate.start();
        for value in values {
            aggregate.add(&mut state, *value)?;
        }
        let mut out = Vec::new();
        aggregate.finish(&state, &mut out)?;
        Ok(format!("{}", Raw::new(&out).unwrap()))
    }

    #[test]
    fn results() {
        use ValueRef::{Bool, Float, Int, Null, Str, UInt};
        let mixed = [Int(3), Null, Float(0.5), Int(-1)];
        for (function, expected) in [
            (Function::Count, "3"),
            (Function::Sum, "2.5"),
            (Function::Avg, "0.8333333333333334"),
            (Function::Min, "-1"),
            (Function::Max, "3"),
        ] {
            assert_eq!(run(function, &mixed).unwrap(), expected);
            let empty = if function == Function::Count {
                "0"
            } else {
                "null"
            };
            assert_eq!(run(function, &[Null, Null]).unwrap(), empty);
        }
        assert_eq!(
            run(Function::Sum, &[Int(i64::MAX), Int(1)]).unwrap(),
            "9223372036854775808"
        );
        assert_eq!(
            run(Function::Sum, &[UInt(u64::MAX), Int(1), Int(-1)]).unwrap(),
            "18446744073709551615"
        );
        assert_eq!(
            run(Function::Sum, &[UInt(u64::MAX), Int(1)])
                .unwrap_err()
                .code(),
            Code::OutOfRange
        );
        assert_eq!(
            run(Function::Sum, &[Float(f64::MAX), Float(f64::MAX)])
                .unwrap_err()
                .code(),
            Code::OutOfRange
        );
        assert_eq!(
            run(Function::Sum, &[Float(0.1), Float(0.2), Float(0.3)]).unwrap(),
            "0.6"
        );
        assert_eq!(run(Function::Avg, &[Int(1), Int(2)]).unwrap(), "1.5");
        assert_eq!(
            run(Function::Max, &[Int(1), Str("a"), Bool(true)]).unwrap(),
            "\"a\""
        );
        let error = run(Function::Sum, &[Str("a")]).unwrap_err();
        assert_eq!(
            error.message(),
            "SUM takes numbers, and one value is a string"
        );
    }
}
