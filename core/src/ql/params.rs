//! Parameters: the values that a host gives for `?`, `?1` and `:name`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::ast::{Parameter, Statement};
use super::hint;
use super::token::{Kind, Lexer, Symbol, Token};
use crate::error::{Code, Error, Result};
use crate::value::{Given, Value};

/// The values for the parameters of a script.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    /// For `?` in the order of the script, and for `?1`, `?2`, ...
    pub positional: Vec<Given>,
    /// For `:name`, by the name without its colon.
    pub named: Vec<(String, Given)>,
}

impl Params {
    /// No values.
    pub fn none() -> Self {
        Params::default()
    }

    /// Values for `?`.
    pub fn positional(values: impl Into<Vec<Value>>) -> Self {
        Params {
            positional: values.into().into_iter().map(Given::Value).collect(),
            named: Vec::new(),
        }
    }

    /// The same with one more named value.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.named.push((name.into(), Given::Value(value.into())));
        self
    }

    /// The value of a parameter.
    pub fn get(&self, parameter: &Parameter) -> Result<&Given> {
        match parameter {
            Parameter::Positional(number) => self.number(*number),
            Parameter::Named(name) => self.name(name),
        }
    }

    fn number(&self, number: usize) -> Result<&Given> {
        let value = number
            .checked_sub(1)
            .and_then(|index| self.positional.get(index));
        value.ok_or_else(|| {
            let given = match self.positional.len() {
                0 => String::from("no positional parameter was given"),
                1 => String::from("only 1 positional parameter was given"),
                given => format!("only {given} positional parameters were given"),
            };
            Error::new(
                Code::Parameter,
                format!("there is no value for ?{number}: {given}"),
            )
        })
    }

    fn name(&self, name: &str) -> Result<&Given> {
        let found = self.named.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value).ok_or_else(|| {
            let error = Error::new(Code::Parameter, format!("there is no value for :{name}"));
            match hint::nearest(name, self.named.iter().map(|(given, _)| given.as_str())) {
                Some(near) => error.hint(format!("did you mean :{near}?")),
                None => error,
            }
        })
    }

    /// Checks that these statements use every value and have every value they use.
    pub fn check(&self, statements: &[Statement]) -> Result<()> {
        let mut uses = Uses::default();
        for statement in statements {
            for (parameter, span) in &statement.parameters {
                self.get(parameter).map_err(|error| error.at(*span))?;
                uses.note(parameter);
            }
        }
        uses.all(self)
    }

    /// The same for the text of a script, before its first statement runs. A script that is not even made of tokens passes:
    /// running it gives the better error.
    pub fn check_text(&self, text: &str) -> Result<()> {
        let mut uses = Uses::default();
        let Some(found) = find(text) else {
            return Ok(());
        };
        for (parameter, token) in found {
            self.get(&parameter).map_err(|error| error.at(token.span))?;
            uses.note(&parameter);
        }
        uses.all(self)
    }
}

/// Which parameters a script names.
#[derive(Default)]
struct Uses {
    positional: Vec<usize>,
    named: Vec<String>,
}

impl Uses {
    fn note(&mut self, parameter: &Parameter) {
        match parameter {
            Parameter::Positional(number) => self.positional.push(*number),
            Parameter::Named(name) => self.named.push(name.clone()),
        }
    }

    /// Every value given must be used, and given once.
    fn all(mut self, params: &Params) -> Result<()> {
        self.positional.sort_unstable();
        for number in 1..=params.positional.len() {
            if self.positional.binary_search(&number).is_err() {
                let message = format!(
                    "the value for ?{number} is not used: the script has no such parameter"
                );
                return Err(Error::new(Code::Parameter, message));
            }
        }
        for (at, (name, _)) in params.named.iter().enumerate() {
            if !self.named.contains(name) {
                let error = Error::new(
                    Code::Parameter,
                    format!("the value for :{name} is not used: the script has no such parameter"),
                );
                return Err(
                    match hint::nearest(name, self.named.iter().map(String::as_str)) {
                        Some(near) => error.hint(format!("did you mean :{near}?")),
                        None => error,
                    },
                );
            }
            if params.named.iter().take(at).any(|(other, _)| other == name) {
                return Err(Error::new(
                    Code::Parameter,
                    format!("the parameter :{name} is given twice"),
                ));
            }
        }
        Ok(())
    }
}

/// All parameters of a script by its tokens alone; `None` if it has a wrong token.
///
/// `:name` is a parameter but where the colon follows a member's name inside braces, as in `{"a":true}`: a colon can follow a
/// string, a word or a quoted name in braces nowhere else.
fn find(text: &str) -> Option<Vec<(Parameter, Token)>> {
    let mut lexer = Lexer::new(text);
    let mut found = Vec::new();
    let mut braces = 0_usize;
    let mut count = 0_usize;
    let mut last = Kind::End;
    let mut token = lexer.next().ok()?;
    while token.kind != Kind::End {
        let next = lexer.next().ok()?;
        match token.kind {
            Kind::Symbol(Symbol::LeftBrace) => braces += 1,
            Kind::Symbol(Symbol::RightBrace) => braces = braces.saturating_sub(1),
            Kind::Question => {
                count += 1;
                let digits = lexer.slice(token.span).trim_start_matches('?');
                let number = if digits.is_empty() {
                    count
                } else {
                    digits.parse().ok()?
                };
                found.push((Parameter::Positional(number), token));
            }
            Kind::Symbol(Symbol::Colon) => {
                let names = matches!(last, Kind::Word | Kind::Quoted | Kind::Text);
                let adjacent = next.kind == Kind::Word && next.span.start == token.span.end;
                if adjacent && !(braces > 0 && names) {
                    found.push((Parameter::Named(lexer.slice(next.span).into()), token));
                }
            }
            _ => {}
        }
        last = token.kind;
        token = next;
    }
    Some(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_checked_as_a_whole() {
        let text =
            r#"INSERT INTO t {"id": :id, "a":true, "b": [:b, ?]}; SELECT * FROM t WHERE a = ?"#;
        let values = || {
            Params::positional([Value::Int(1), Value::Int(2)])
                .with("id", 1_i64)
                .with("b", 2_i64)
        };
        assert!(values().check_text(text).is_ok());
        let error = values().with("idd", 1_i64).check_text(text).unwrap_err();
        assert_eq!(
            (error.code(), error.hint_text()),
            (Code::Parameter, Some("did you mean :id?"))
        );
        let error = Params::positional([Value::Int(1)])
            .with("id", 1_i64)
            .with("b", 1_i64)
            .check_text(text)
            .unwrap_err();
        assert_eq!(
            error.message(),
            "there is no value for ?2: only 1 positional parameter was given"
        );
        let error = Params::positional([Value::Int(1)])
            .check_text("SHOW TABLES")
            .unwrap_err();
        assert_eq!(error.code(), Code::Parameter);
    }
}
