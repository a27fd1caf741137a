//! EXPLAIN: a plan in words, one step a row.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::ops::Bound;

use super::{Access, Plan};
use crate::error::Result;
use crate::ql::Params;
use crate::ql::ast::{Items, Select};
use crate::ql::source::Source;
use crate::value::{Object, Value};

/// The steps of a SELECT, as rows with the columns `step` and `detail`.
pub fn explain(source: &impl Source, select: &Select, params: &Params) -> Result<Vec<Object>> {
    let plan = Plan::new(source, select, params)?;
    let mut steps: Vec<(&str, String)> = Vec::new();
    if let Some(at) = &select.at {
        steps.push(("at", at.point(params)?.to_string()));
    }
    steps.push(access(source, &plan.access));
    if let Some(filter) = &select.filter {
        steps.push(("filter", filter.to_string()));
    }
    if plan.group.is_some() {
        let keys: Vec<String> = select.group_by.iter().map(ToString::to_string).collect();
        steps.push((
            "group",
            if keys.is_empty() {
                "all rows as one group".into()
            } else {
                format!("by {}", keys.join(", "))
            },
        ));
    }
    if !plan.order.is_empty() {
        let direction = |descending| if descending { " DESC" } else { "" };
        let terms: Vec<String> = select
            .order_by
            .iter()
            .map(|by| format!("{}{}", by.expr, direction(by.descending)))
            .collect();
        let kept = plan.wanted().map_or(String::new(), |wanted| {
            format!(", keeping the first {wanted}")
        });
        steps.push(("sort", format!("by {}{kept}", terms.join(", "))));
    }
    if plan.limit.is_some() || plan.offset > 0 {
        let limit = plan.limit.map_or("all".into(), |limit| limit.to_string());
        let skipped = if plan.offset > 0 {
            format!(" after the first {}", plan.offset)
        } else {
            String::new()
        };
        steps.push(("limit", format!("{limit}{skipped}")));
    }
    let shown = match (&select.items, &plan.columns) {
        (Items::Columns(_), Some(columns)) => columns.names.join(", "),
        _ => "whole documents".into(),
    };
    steps.push(("project", shown));
    let row = |(step, detail): (&str, String)| {
        vec![("step", Value::from(step)), ("detail", Value::from(detail))]
            .into_iter()
            .collect()
    };
    Ok(steps.into_iter().map(row).collect())
}

fn access(source: &impl Source, access: &Access) -> (&'static str, String) {
    let (table, primary_key) = (source.table(), source.primary_key());
    match access {
        Access::Nothing => (
            "nothing",
            format!("no row of {table} can meet the condition"),
        ),
        Access::Keys(keys) => {
            let shown: Vec<String> = keys.iter().take(3).map(ToString::to_string).collect();
            let more = if keys.len() > 3 {
                format!(", .. ({} keys)", keys.len())
            } else {
                String::new()
            };
            (
                "get",
                format!(
                    "{table} by primary key {primary_key} = {}{more}",
                    shown.join(", ")
                ),
            )
        }
        Access::Scan(range) => match (&range.lower, &range.upper) {
            (Bound::Unbounded, Bound::Unbounded) => ("scan", format!("all rows of {table}")),
            _ => {
                let range = bounds(primary_key, &range.lower, &range.upper);
                ("scan", format!("{table} by primary key {range}"))
            }
        },
        Access::Value { path, value, .. } => {
            ("lookup", format!("{table} by index {path} = {value}"))
        }
        Access::Values { path, ranges, .. } => match ranges.as_slice() {
            [range] => (
                "lookup",
                format!(
                    "{table} by index {}",
                    bounds(&path.to_string(), &range.lower, &range.upper)
                ),
            ),
            ranges => (
                "lookup",
                format!("{table} by index {path}, {} values", ranges.len()),
            ),
        },
    }
}

/// A range as a condition.
fn bounds<T: ToString>(name: &str, lower: &Bound<T>, upper: &Bound<T>) -> String {
    let lower = match lower {
        Bound::Included(value) => Some(format!("{name} >= {}", value.to_string())),
        Bound::Excluded(value) => Some(format!("{name} > {}", value.to_string())),
        Bound::Unbounded => None,
    };
    let upper = match upper {
        Bound::Included(value) => Some(format!("{name} <= {}", value.to_string())),
        Bound::Excluded(value) => Some(format!("{name} < {}", value.to_string())),
        Bound::Unbounded => None,
    };
    let parts: Vec<String> = lower.into_iter().chain(upper).collect();
    parts.join(" AND ")
}
