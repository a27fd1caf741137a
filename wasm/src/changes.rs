//! Events of the history as rows for JavaScript: the names that SHOW DRIFT uses.

use driftdb_core::db::eventline::{Line, Op};
use driftdb_core::value::{Object, Value};

/// An event as a row; its `more` says whether the next one belongs to the same commit.
pub fn row(line: Line) -> Option<Object> {
    let Line::Event(event) = line else {
        return None;
    };
    let mut meta = event.meta.unwrap_or_default();
    let mut take = |name| meta.remove(name).unwrap_or(Value::Null);
    let (by, why) = (take("by"), take("why"));
    let (name, change) = match event.op {
        Op::Insert(row) | Op::Restore(row) => ("INSERT", Some(("row", row))),
        Op::Patch(patch) => ("PATCH", Some(("patch", patch))),
        Op::Delete => ("SOFT_DELETE", None),
    };
    let mut row = Object::new();
    row.insert("seq", event.seq.unwrap_or_default().0);
    row.insert("time", event.time.unwrap_or_default().to_string());
    row.insert("by", by);
    row.insert("why", why);
    row.insert(
        "meta",
        if meta.is_empty() {
            Value::Null
        } else {
            Value::Object(meta)
        },
    );
    row.insert("more", event.more);
    row.insert("table", event.table);
    row.insert("key", event.key.map_or(Value::Null, |key| key.to_value()));
    row.insert("event", name);
    if let Some((name, document)) = change {
        row.insert(name, Value::Object(document));
    }
    Some(row)
}
