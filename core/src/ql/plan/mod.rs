//! The plan of a SELECT: everything that is decided before its first row is read.

mod access;
mod compile;
mod constraint;
mod explain;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

pub(crate) use access::Access;
use compile::{Compiler, Scope};

use super::Params;
use super::ast::{Column, Expr, ExprKind, Items, Select};
use super::exec::aggregate::{Aggregate, Function};
use super::exec::node::Node;
use super::source::Source;
use crate::error::{Code, Error, Result};
use crate::value::{Path, Step};
pub use explain::explain;

/// How a SELECT is run.
pub(crate) struct Plan {
    pub(crate) access: Access,
    /// The members that are read, by slot.
    pub(crate) paths: Vec<Path>,
    pub(crate) filter: Option<Node>,
    /// Present if rows are grouped or aggregated.
    pub(crate) group: Option<Group>,
    /// `None` for whole documents.
    pub(crate) columns: Option<Columns>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: u64,
}

/// Grouping. A group's slots are its keys, then its aggregates.
pub(crate) struct Group {
    /// Over the slots of a row.
    pub(crate) keys: Vec<Node>,
    pub(crate) aggregates: Vec<Aggregate>,
}

/// The columns of the result.
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
    pub(crate) nodes: Vec<Node>,
}

/// A term of the order.
pub(crate) struct Order {
    pub(crate) node: Node,
    pub(crate) descending: bool,
}

impl Plan {
    /// Plans a SELECT over a table.
    pub(crate) fn new(source: &impl Source, select: &Select, params: &Params) -> Result<Plan> {
        let mut paths = Vec::new();
        let mut row = |exprs: &[&Expr], clause: &'static str| -> Result<Vec<Node>> {
            let mut compiler = Compiler {
                params,
                scope: Scope::Row {
                    paths: &mut paths,
                    clause,
                },
            };
            exprs.iter().map(|expr| compiler.expr(expr)).collect()
        };
        let filter = row(&select.filter.iter().collect::<Vec<_>>(), "WHERE")?.pop();
        let access = Access::choose(source, select.filter.as_ref(), params)?;
        let columns = match &select.items {
            Items::All => None,
            Items::Columns(columns) => Some(columns.as_slice()),
        };
        check_names(columns.unwrap_or_default())?;
        let group_by: Vec<&Expr> = select
            .group_by
            .iter()
            .map(|expr| aliased(expr, columns))
            .collect();
        let order_by: Vec<&Expr> = select
            .order_by
            .iter()
            .map(|order| aliased(&order.expr, columns))
            .collect();
        check_constants("GROUP BY", &group_by)?;
        check_constants("ORDER BY", &order_by)?;
        let shown: Vec<&Expr> = columns
            .unwrap_or_default()
            .iter()
            .map(|column| &column.expr)
            .collect();

        let grouped = !group_by.is_empty()
            || shown
                .iter()
                .chain(&order_by)
                .any(|expr| has_aggregate(expr));
        let (group, nodes, order) = if grouped {
            if columns.is_none() {
                let error = Error::new(
                    Code::InvalidValue,
                    "`*` cannot stand with GROUP BY or an aggregate",
                )
                .at(select.table.span);
                return Err(error.hint("name the columns"));
            }
            let keys = row(&group_by, "GROUP BY")?;
            let texts: Vec<String> = group_by.iter().map(|expr| expr.to_string()).collect();
            let mut aggregates = Vec::new();
            let scope = Scope::Group {
                keys: &texts,
                aggregates: &mut aggregates,
                paths: &mut paths,
            };
            let mut compiler = Compiler { params, scope };
            let nodes: Vec<Node> = shown
                .iter()
                .map(|expr| compiler.expr(expr))
                .collect::<Result<_>>()?;
            let order: Vec<Node> = order_by
                .iter()
                .map(|expr| compiler.expr(expr))
                .collect::<Result<_>>()?;
            let aggregates = aggregates
                .into_iter()
                .map(|(_, aggregate)| aggregate)
                .collect();
            (Some(Group { keys, aggregates }), nodes, order)
        } else {
            (
                None,
                row(&shown, "the columns")?,
                row(&order_by, "ORDER BY")?,
            )
        };

        let order = order
            .into_iter()
            .zip(&select.order_by)
            .map(|(node, by)| Order {
                node,
                descending: by.descending,
            })
            .collect();
        let names =
            columns.map(|columns| columns.iter().map(|column| column.name.clone()).collect());
        Ok(Plan {
            access,
            paths,
            filter,
            group,
            columns: names.map(|names| Columns { names, nodes }),
            order,
            limit: select
                .limit
                .as_ref()
                .map(|term| term.count(params, "LIMIT"))
                .transpose()?,
            offset: select
                .offset
                .as_ref()
                .map(|term| term.count(params, "OFFSET"))
                .transpose()?
                .unwrap_or(0),
        })
    }

    /// How many rows from the start of the order are asked for.
    pub(crate) fn wanted(&self) -> Option<u64> {
        self.limit.map(|limit| limit.saturating_add(self.offset))
    }
}

/// Two columns cannot have one name: rows are objects.
fn check_names(columns: &[Column]) -> Result<()> {
    for (at, column) in columns.iter().enumerate() {
        if columns
            .iter()
            .take(at)
            .any(|other| other.name == column.name)
        {
            let message = format!("two columns are named `{}`", column.name);
            let error = Error::new(Code::InvalidValue, message).at(column.expr.span);
            return Err(error.hint("give one of them another name with AS"));
        }
    }
    Ok(())
}

/// In ORDER BY and GROUP BY a column's alias stands for the column.
fn aliased<'a>(expr: &'a Expr, columns: Option<&'a [Column]>) -> &'a Expr {
    let ExprKind::Path(path) = &expr.kind else {
        return expr;
    };
    let [Step::Member(name)] = path.steps() else {
        return expr;
    };
    let column = columns
        .unwrap_or_default()
        .iter()
        .find(|column| column.aliased && column.name == *name);
    column.map_or(expr, |column| &column.expr)
}

/// A constant orders and groups nothing; people who write one mean the number of a column.
fn check_constants(clause: &str, exprs: &[&Expr]) -> Result<()> {
    for expr in exprs {
        if let ExprKind::Constant(_) = expr.kind {
            let error = Error::new(
                Code::InvalidValue,
                format!("{clause} takes a path or an expression, not a constant"),
            )
            .at(expr.span);
            return Err(error.hint("write the column itself or its name"));
        }
    }
    Ok(())
}

/// Whether an aggregate is somewhere in an expression.
fn has_aggregate(expr: &Expr) -> bool {
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        match &expr.kind {
            ExprKind::Call { function, .. } if Function::named(&function.text).is_some() => {
                return true;
            }
            _ => expr.push_parts(&mut pending),
        }
    }
    false
}
