//! Random operations from a seed, chosen against the state of the oracle so that most of them do something.

use serde_json::{Value, json};

use crate::oracle::{Doc, Key, Op, Oracle, Write};
use crate::random::Random;

/// How often each kind of operation comes, in weights, and how large things are.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Mix {
    pub single: u64,
    pub transaction: u64,
    /// Transactions of dozens of statements, as an import makes them.
    pub bulk: u64,
    pub snapshot: u64,
    pub compact: u64,
    pub maintain: u64,
    pub reopen: u64,
    /// Different keys a table.
    pub keys: u64,
    /// Longest filler text, in bytes.
    pub filler: u64,
    /// Percent of statements that take a key without looking whether it is live.
    pub careless: u64,
}

impl Default for Mix {
    fn default() -> Self {
        Mix {
            single: 60,
            transaction: 25,
            bulk: 0,
            snapshot: 3,
            compact: 2,
            maintain: 5,
            reopen: 5,
            keys: 12,
            filler: 60,
            careless: 15,
        }
    }
}

/// A stream of operations.
pub struct Workload {
    random: Random,
    mix: Mix,
    clock: u64,
}

/// The tables of all workloads.
pub fn creates() -> Vec<Op> {
    let create = |table: &str, key: &str, indexes: &[&str]| Op::Create {
        table: table.to_string(),
        key: key.to_string(),
        indexes: indexes.iter().map(|index| index.to_string()).collect(),
    };
    vec![
        create("orders", "id", &["status", "amount"]),
        create("items", "sku", &["address.city"]),
        create("Ä log", "id", &[]),
    ]
}

const STATES: [&str; 6] = ["new", "paid", "shipped", "", "日本", "new\u{0}x"];
const CITIES: [&str; 3] = ["Bern", "Köln", "Bernau"];

impl Workload {
    /// The stream of a seed.
    pub fn new(seed: u64, mix: Mix) -> Self {
        Workload {
            random: Random::new(seed),
            mix,
            clock: 1_700_000_000_000,
        }
    }

    /// The stream's own generator.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// The time of the clock, which mostly advances, sometimes stands still and sometimes jumps back.
    pub fn tick(&mut self) -> u64 {
        match self.random.below(10) {
            0 => self.clock = self.clock.saturating_sub(5000),
            1..=3 => {}
            4 => self.clock += 86_400_000,
            _ => self.clock += self.random.below(2000),
        }
        self.clock
    }

    /// The next operation.
    pub fn next(&mut self, oracle: &Oracle) -> Op {
        let mix = self.mix;
        let kinds = [
            mix.single,
            mix.transaction,
            mix.snapshot,
            mix.compact,
            mix.maintain,
            mix.bulk,
            mix.reopen,
        ];
        let mut at = self.random.below(kinds.iter().sum());
        let mut kind = 0;
        while at >= kinds[kind] {
            at -= kinds[kind];
            kind += 1;
        }
        match kind {
            0 => Op::Write(self.write(oracle)),
            1 => self.transaction(oracle, 7),
            2 => Op::Snapshot {
                table: self.table(oracle),
            },
            3 => self.compact(oracle),
            4 => Op::Maintain,
            5 => self.transaction(oracle, 70),
            _ => Op::Reopen,
        }
    }

    fn table(&mut self, oracle: &Oracle) -> String {
        let names: Vec<&String> = oracle.tables.keys().collect();
        self.random.pick(&names).to_string()
    }

    fn transaction(&mut self, oracle: &Oracle, most: u64) -> Op {
        let count = 1 + self.random.below(most);
        let writes = (0..count).map(|_| self.write(oracle)).collect();
        let meta = match self.random.below(3) {
            0 => Some(object(
                json!({"by": "ann", "why": format!("ticket {}", self.random.below(99))}),
            )),
            1 => Some(object(json!({"by": "bob"}))),
            _ => None,
        };
        Op::Transaction {
            writes,
            meta,
            commit: self.random.chance(90),
        }
    }

    fn compact(&mut self, oracle: &Oracle) -> Op {
        let table = self.table(oracle);
        let horizon = oracle.tables.get(&table).map_or(0, |table| table.horizon.0);
        let since = self
            .random
            .chance(60)
            .then(|| horizon + self.random.below(oracle.seq + 1 - horizon.min(oracle.seq)));
        Op::Compact {
            table,
            since: since.filter(|since| *since > 0),
        }
    }

    /// One statement that writes.
    pub fn write(&mut self, oracle: &Oracle) -> Write {
        let table = self.table(oracle);
        let careless = self.random.chance(self.mix.careless);
        let live: Vec<Key> = oracle.tables[&table].head().keys().cloned().collect();
        let key = self.key();
        let is_live = live.contains(&key);
        if careless || live.is_empty() {
            return match self.random.below(5) {
                0 => Write::Insert {
                    doc: self.doc(oracle, &table, &key),
                    table,
                },
                1 => Write::Upsert {
                    doc: self.doc(oracle, &table, &key),
                    table,
                },
                2 => Write::Patch {
                    patch: self.patch(),
                    table,
                    key,
                },
                3 => Write::Delete { table, key },
                _ => Write::Restore {
                    at: self.past(oracle),
                    table,
                    key,
                },
            };
        }
        let some_live = self.random.pick(&live).clone();
        match self.random.below(10) {
            0..=2 if !is_live => Write::Insert {
                doc: self.doc(oracle, &table, &key),
                table,
            },
            0..=2 => Write::Upsert {
                doc: self.doc(oracle, &table, &key),
                table,
            },
            3 => Write::Delete {
                table,
                key: some_live,
            },
            4 => Write::Restore {
                at: self.past(oracle),
                table,
                key: some_live,
            },
            _ => Write::Patch {
                patch: self.patch(),
                table,
                key: some_live,
            },
        }
    }

    fn past(&mut self, oracle: &Oracle) -> u64 {
        self.random.below(oracle.seq + 2)
    }

    /// A key out of the pool: integers of both signs and both widths, and strings that look like them.
    pub fn key(&mut self) -> Key {
        let number = self.random.below(self.mix.keys);
        match number % 4 {
            0 => Key::Int(number.into()),
            1 => Key::Str(number.to_string()),
            2 => Key::Str(format!("ключ/{number}\u{0}\"")),
            _ if number % 8 == 3 => Key::Int(-i128::from(number)),
            _ => Key::Int(i128::from(u64::MAX) - i128::from(number)),
        }
    }

    fn doc(&mut self, oracle: &Oracle, table: &str, key: &Key) -> Doc {
        let member = oracle.tables[table].key.clone();
        let mut doc = Doc::new();
        let value = match key {
            Key::Int(number) => u64::try_from(*number)
                .map_or_else(|_| json!(*number as i64), |number| json!(number)),
            Key::Str(text) => json!(text),
        };
        if self.random.chance(80) {
            doc.insert(member.clone(), value.clone());
        }
        for (name, value) in self.members() {
            doc.insert(name, value);
        }
        doc.entry(member).or_insert(value);
        doc
    }

    fn patch(&mut self) -> Doc {
        let mut patch: Doc = self
            .members()
            .into_iter()
            .filter(|_| self.random.chance(50))
            .collect();
        if self.random.chance(20) {
            patch.insert("status".into(), Value::Null);
        }
        if self.random.chance(10) {
            patch.insert(
                "address".into(),
                json!({"city": null, "deep": {"x": {"y": self.random.below(9)}}}),
            );
        }
        patch
    }

    fn members(&mut self) -> Vec<(String, Value)> {
        let mut members = Vec::new();
        let mut put = |name: &str, value: Value| members.push((name.to_string(), value));
        let random = &mut self.random;
        match random.below(12) {
            0 => put("status", json!(random.below(3))),
            1 => put("status", Value::Null),
            2 => put("status", json!(random.chance(50))),
            3 => {}
            _ => put("status", json!(random.pick(&STATES))),
        }
        match random.below(12) {
            0 => put("amount", json!(i64::MIN)),
            1 => put("amount", json!(u64::MAX)),
            2 => put("amount", json!([0.5, -2.25, 3.0, 1e300][random.index(4)])),
            3 => put("amount", json!("12")),
            4 => {}
            _ => put("amount", json!(random.below(20))),
        }
        match random.below(6) {
            0 => put(
                "address",
                json!({"city": random.pick(&CITIES), "zip": random.below(10_000)}),
            ),
            1 => put("address", json!({"city": random.pick(&CITIES)})),
            2 => put("address", json!("nowhere")),
            3 => put(
                "tags",
                json!(["a", random.below(3), {"deep": [null, true]}]),
            ),
            _ => {}
        }
        let length = random.below(self.mix.filler + 1);
        if random.chance(50) {
            put("note", json!(filler(random, length)));
        }
        members
    }
}

/// Text that does not compress to nothing.
fn filler(random: &mut Random, length: u64) -> String {
    (0..length)
        .map(|_| char::from(b'a' + random.below(26) as u8))
        .collect()
}

/// The object in a literal.
pub fn object(value: Value) -> Doc {
    match value {
        Value::Object(doc) => doc,
        _ => Doc::new(),
    }
}
