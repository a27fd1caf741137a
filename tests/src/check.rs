//! Compares a database with the oracle: every past seq, every table, by every way of reading.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use driftdb_core::{Code, Error};
use serde_json::Value;

use crate::engine::Engine;
use crate::oracle::{Doc, Event, Key, Kind, Oracle, Table, compare, merge_patch, name, text};
use crate::random::Random;

/// What a comparison found.
#[derive(Debug)]
pub enum Finding {
    /// The database answered with an error where the oracle has an answer.
    Error(String, Error),
    /// The database answered, and wrongly.
    Wrong(String),
}

/// The number of answers compared, or the first that differs.
pub type Checked = Result<u64, Finding>;

/// Which reads are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything at every seq.
    All,
    /// Scans, point reads and lookups at some seqs, and the head.
    Some(u64),
    /// The head alone.
    Head,
}

/// Compares to a depth; the seed chooses what is sampled.
pub fn check(engine: &mut Engine, oracle: &Oracle, depth: Depth, seed: u64) -> Checked {
    let mut check = Check {
        engine,
        oracle,
        random: Random::new(seed),
        count: 0,
    };
    check.heads()?;
    check.points(None, true)?;
    let seqs: Vec<u64> = match depth {
        Depth::All => (0..=oracle.seq + 1).collect(),
        Depth::Some(count) => (0..count)
            .map(|_| check.random.below(oracle.seq + 2))
            .collect(),
        Depth::Head => Vec::new(),
    };
    for seq in &seqs {
        check.points(Some(At::Seq(*seq)), depth == Depth::All)?;
        check.times(*seq)?;
    }
    if depth != Depth::Head {
        check.histories(depth == Depth::All)?;
    }
    Ok(check.count)
}

#[derive(Clone, Copy, Debug)]
enum At {
    Seq(u64),
    Time(u64),
}

impl At {
    fn text(self) -> String {
        match self {
            At::Seq(seq) => format!("@seq:{seq}"),
            At::Time(time) => driftdb_core::time::Timestamp(time).to_string(),
        }
    }
}

struct Check<'a> {
    engine: &'a mut Engine,
    oracle: &'a Oracle,
    random: Random,
    count: u64,
}

/// The values that lookups ask for, over all types.
fn probes() -> Vec<Value> {
    use serde_json::json;
    vec![
        json!("paid"),
        json!("new"),
        json!("new\u{0}x"),
        json!(""),
        json!("Bern"),
        json!("Köln"),
        json!(1),
        json!(2.0),
        json!(0.5),
        json!(7),
        json!("12"),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(true),
    ]
}

impl Check<'_> {
    fn heads(&mut self) -> Result<(), Finding> {
        let (seq, time) = self
            .engine
            .head()
            .map_err(|error| Finding::Error("the head".into(), error))?;
        if (seq, time) != (self.oracle.seq, self.oracle.time) {
            let expected = (self.oracle.seq, self.oracle.time);
            return wrong(format!(
                "the head is {:?}, expected {expected:?}",
                (seq, time)
            ));
        }
        let names = self
            .engine
            .tables()
            .map_err(|error| Finding::Error("the tables".into(), error))?;
        let names: BTreeSet<String> = names.into_iter().collect();
        let expected: BTreeSet<String> = self.oracle.tables.keys().cloned().collect();
        if names != expected {
            return wrong(format!("the tables are {names:?}, expected {expected:?}"));
        }
        Ok(())
    }

    /// All tables at one point; `None` is the present.
    fn points(&mut self, at: Option<At>, deep: bool) -> Result<(), Finding> {
        let seq = match at {
            None => self.oracle.seq,
            Some(At::Seq(seq)) => seq.min(self.oracle.seq),
            Some(At::Time(time)) => self.oracle.seq_at(time),
        };
        let oracle = self.oracle;
        for (table_name, table) in &oracle.tables {
            self.scan(table_name, table, at, seq)?;
            self.point_reads(table_name, table, at, seq, deep)?;
            self.lookups(table_name, table, at, seq, deep)?;
        }
        Ok(())
    }

    /// The times around that of a seq.
    fn times(&mut self, seq: u64) -> Result<(), Finding> {
        let Some(time) = (seq as usize)
            .checked_sub(1)
            .and_then(|index| self.oracle.times.get(index))
            .copied()
        else {
            return Ok(());
        };
        let oracle = self.oracle;
        for time in [time - 1, time, time + 1] {
            for (table_name, table) in &oracle.tables {
                self.scan(table_name, table, Some(At::Time(time)), oracle.seq_at(time))?;
            }
        }
        Ok(())
    }

    fn scan(
        &mut self,
        table_name: &str,
        table: &Table,
        at: Option<At>,
        seq: u64,
    ) -> Result<(), Finding> {
        let query = format!("SELECT * FROM {}{}", name(table_name), as_of(at));
        let expected = expected_rows(table, seq, |_| true);
        self.compare_rows(&query, expected, false)
    }

    fn point_reads(
        &mut self,
        table_name: &str,
        table: &Table,
        at: Option<At>,
        seq: u64,
        deep: bool,
    ) -> Result<(), Finding> {
        let mut keys: Vec<Key> = table.events.keys().cloned().collect();
        if !deep {
            keys = (0..3.min(keys.len()))
                .map(|_| self.random.pick(&keys).clone())
                .collect();
        }
        keys.push(Key::Str("never there".to_string()));
        for key in keys {
            let what = format!("get {} of {table_name}{}", key.json(), as_of(at));
            let expected = table
                .state(seq)
                .map(|state| state.get(&key).map(|doc| text(doc)));
            let answer = self
                .engine
                .get(table_name, &key, at.map(At::text).as_deref());
            let answer = answer.map(|row| row.map(|doc| text(&doc)));
            self.compare_answer(what, answer, expected)?;
        }
        Ok(())
    }

    fn lookups(
        &mut self,
        table_name: &str,
        table: &Table,
        at: Option<At>,
        seq: u64,
        deep: bool,
    ) -> Result<(), Finding> {
        let probes = probes();
        for index in &table.indexes {
            let count = if deep { 4 } else { 1 };
            for _ in 0..count {
                let probe = self.random.pick(&probes).clone();
                let (operator, wanted): (&str, fn(Ordering) -> bool) = match self.random.below(6) {
                    0 => ("<", Ordering::is_lt),
                    1 => ("<=", Ordering::is_le),
                    2 => (">", Ordering::is_gt),
                    3 => (">=", Ordering::is_ge),
                    _ => ("=", Ordering::is_eq),
                };
                let query = format!(
                    "SELECT * FROM {} WHERE {index} {operator} {probe}{}",
                    name(table_name),
                    as_of(at)
                );
                let matches = |doc: &Doc| {
                    member(doc, index)
                        .and_then(|value| compare(value, &probe))
                        .is_some_and(wanted)
                };
                self.compare_rows(&query, expected_rows(table, seq, matches), true)?;
            }
        }
        Ok(())
    }

    fn histories(&mut self, deep: bool) -> Result<(), Finding> {
        let oracle = self.oracle;
        for (table_name, table) in &oracle.tables {
            for (key, events) in &table.events {
                if !deep && self.random.chance(70) {
                    continue;
                }
                let expected = describe(events);
                let what = format!("SHOW DRIFT {} KEY {}", name(table_name), key.json());
                let answer = self.engine.history(&what);
                self.compare_answer(what, answer, Some(expected))?;
            }
        }
        Ok(())
    }

    fn compare_rows(
        &mut self,
        query: &str,
        expected: Option<Vec<String>>,
        any_order: bool,
    ) -> Result<(), Finding> {
        let answer = self
            .engine
            .rows(query)
            .map(|rows| rows.iter().map(text).collect::<Vec<_>>());
        if !any_order {
            return self.compare_answer(query.to_string(), answer, expected);
        }
        let sorted = |mut rows: Vec<String>| {
            rows.sort();
            rows
        };
        self.compare_answer(query.to_string(), answer.map(sorted), expected.map(sorted))
    }

    /// `expected` is nothing where the point lies before the horizon.
    fn compare_answer<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: String,
        answer: Result<T, Error>,
        expected: Option<T>,
    ) -> Result<(), Finding> {
        self.count += 1;
        match (answer, expected) {
            (Ok(answer), Some(expected)) if answer == expected => Ok(()),
            (Ok(answer), Some(expected)) => wrong(format!(
                "{what}\n  got      {answer:?}\n  expected {expected:?}"
            )),
            (Ok(answer), None) => wrong(format!(
                "{what}\n  is before the horizon and got {answer:?}"
            )),
            (Err(error), None) if error.code() == Code::BeforeHorizon => Ok(()),
            (Err(error), _) => Err(Finding::Error(what, error)),
        }
    }
}

fn expected_rows(table: &Table, seq: u64, matches: impl Fn(&Doc) -> bool) -> Option<Vec<String>> {
    let state = table.state(seq)?;
    Some(
        state
            .values()
            .filter(|doc| matches(doc))
            .map(|doc| text(doc))
            .collect(),
    )
}

/// The member at a dotted path.
fn member<'a>(doc: &'a Doc, path: &str) -> Option<&'a Value> {
    let mut names = path.split('.');
    let first = doc.get(names.next()?);
    names.fold(first, |value, name| value?.as_object()?.get(name))
}

fn as_of(at: Option<At>) -> String {
    at.map_or_else(String::new, |at| format!(" AS OF \"{}\"", at.text()))
}

fn wrong<T>(what: String) -> Result<T, Finding> {
    Err(Finding::Wrong(what))
}

/// The events of a key as `Engine::history` shows them.
fn describe(events: &[Event]) -> Vec<String> {
    let mut row: Option<Doc> = None;
    let mut lines = Vec::new();
    for event in events {
        let name = match &event.kind {
            Kind::Insert(doc) => {
                row = Some((**doc).clone());
                "INSERT"
            }
            Kind::Patch(patch) => {
                merge_patch(row.get_or_insert_default(), patch);
                "PATCH"
            }
            Kind::Delete => {
                row = None;
                "SOFT_DELETE"
            }
        };
        let meta = |member: &str| {
            event
                .meta
                .as_ref()
                .and_then(|meta| meta.get(member))
                .unwrap_or(&Value::Null)
        };
        let time = driftdb_core::time::Timestamp(event.time);
        let after = row.as_ref().map_or("null".to_string(), text);
        let (seq, by, why) = (event.seq, meta("by"), meta("why"));
        lines.push(format!(
            "{seq} \"{time}\" \"{name}\" {by} {why} null {after}"
        ));
    }
    lines
}
