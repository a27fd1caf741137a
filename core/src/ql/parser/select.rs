//! SELECT.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Parser;
use crate::error::{Error, Result};
use crate::ql::ast::{Column, Expr, ExprKind, Items, OrderBy, Select, Term};
use crate::ql::token::{Kind, Symbol};
use crate::value::Step;

impl Parser<'_> {
    /// A SELECT, from its keyword on.
    pub(super) fn select(&mut self) -> Result<Select> {
        self.need_keyword("SELECT")?;
        let items = self.items()?;
        self.need_keyword("FROM")?;
        let table = self.table()?;
        let mut at = self.as_of()?;
        let filter = if self.eat_keyword("WHERE") {
            Some(self.expression()?)
        } else {
            None
        };
        self.later_as_of(&mut at)?;
        let group_by = self.group_by()?;
        let order_by = self.order_by()?;
        let limit = if self.eat_keyword("LIMIT") {
            Some(self.count()?)
        } else {
            None
        };
        let offset = if limit.is_some() && self.eat_keyword("OFFSET") {
            Some(self.count()?)
        } else {
            None
        };
        self.later_as_of(&mut at)?;
        Ok(Select {
            items,
            table,
            at,
            filter,
            group_by,
            order_by,
            limit,
            offset,
        })
    }

    /// AS OF at one of its later places; it may stand once.
    fn later_as_of(&mut self, at: &mut Option<Term>) -> Result<()> {
        let start = self.token.span;
        let Some(point) = self.as_of()? else {
            return Ok(());
        };
        if at.replace(point).is_some() {
            return Err(Error::syntax(
                self.since(start),
                "AS OF stands in a SELECT only once",
            ));
        }
        Ok(())
    }

    fn items(&mut self) -> Result<Items> {
        let start = self.token.span;
        if self.eat_symbol(Symbol::Star) {
            if self.token.kind == Kind::Symbol(Symbol::Comma) {
                return Err(
                    Error::syntax(start, "`*` stands alone").hint("name the members instead")
                );
            }
            return Ok(Items::All);
        }
        let mut columns = Vec::new();
        loop {
            columns.push(self.column()?);
            if !self.eat_symbol(Symbol::Comma) {
                return Ok(Items::Columns(columns));
            }
            if self.token.kind == Kind::Symbol(Symbol::Star) {
                return Err(Error::syntax(self.token.span, "`*` stands alone")
                    .hint("name the members instead"));
            }
        }
    }

    fn column(&mut self) -> Result<Column> {
        let expr = self.expression()?;
        if self.eat_keyword("AS") {
            let name = self.name("a column's name")?.text;
            return Ok(Column {
                expr,
                name,
                aliased: true,
            });
        }
        let name = self.column_name(&expr);
        Ok(Column {
            expr,
            name,
            aliased: false,
        })
    }

    /// A column without an alias is named by its path, or by its text.
    fn column_name(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Path(path) => match path.steps() {
                [Step::Member(name)] => name.clone(),
                _ => path.to_string(),
            },
            _ => self.lexer.slice(expr.span).to_owned(),
        }
    }

    fn group_by(&mut self) -> Result<Vec<Expr>> {
        let mut list = Vec::new();
        if self.eat_keyword("GROUP") {
            self.need_keyword("BY")?;
            loop {
                list.push(self.expression()?);
                if !self.eat_symbol(Symbol::Comma) {
                    break;
                }
            }
        }
        Ok(list)
    }

    fn order_by(&mut self) -> Result<Vec<OrderBy>> {
        let mut list = Vec::new();
        if self.eat_keyword("ORDER") {
            self.need_keyword("BY")?;
            loop {
                let expr = self.expression()?;
                let descending = !self.eat_keyword("ASC") && self.eat_keyword("DESC");
                list.push(OrderBy { expr, descending });
                if !self.eat_symbol(Symbol::Comma) {
                    break;
                }
            }
        }
        Ok(list)
    }

    /// The number after LIMIT or OFFSET.
    fn count(&mut self) -> Result<Term> {
        if matches!(self.token.kind, Kind::Number | Kind::Symbol(Symbol::Minus)) {
            return self.term(1);
        }
        self.expect("a number");
        match self.parameter()? {
            Some(term) => Ok(term),
            None => Err(self.unexpected()),
        }
    }
}
