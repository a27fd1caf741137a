//! How fast the engine reads and writes in memory: `cargo run --release -p driftdb-core --example engine_speed [EVENTS]`.
//! A short loop for profilers; the figures that count are those of `make bench`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic,
    missing_docs
)]

use std::rc::Rc;
use std::time::Instant;

use driftdb_core::db::{Context, Database, Options, Outcome, drive};
use driftdb_core::ql::{self, Params};
use driftdb_core::storage::MemoryStore;
use driftdb_core::table::ValueRange;
use driftdb_core::time::{Point, Seq, Timestamp};
use driftdb_core::value::{Key, Object, Value};

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }
}

fn document(key: &str, random: &mut Random) -> Object {
    let mut object = Object::new();
    object.insert("id", key);
    object.insert(
        "customer_id",
        format!("customer-{:06}", random.below(1_000)),
    );
    object.insert(
        "status",
        ["new", "paid", "sent", "done"][random.below(4) as usize],
    );
    object.insert("amount", random.below(100_000));
    object.insert("currency", "EUR");
    object.insert("note", "a note of some forty characters, about this");
    object.insert("created", "2026-01-01T00:00:00Z");
    object.insert("items", random.below(9));
    object
}

fn timed(what: &str, times: u64, mut work: impl FnMut(u64)) {
    let begin = Instant::now();
    for at in 0..times {
        work(at);
    }
    let each = begin.elapsed().as_secs_f64() / times as f64;
    println!("{what:24} {:10.3} us  {:12.0} /s", each * 1e6, 1.0 / each);
}

fn main() {
    let events: u64 = std::env::args()
        .nth(1)
        .map_or(100_000, |text| text.parse().unwrap());
    let only = std::env::args().nth(2).unwrap_or_default();
    let keys = events / 10;
    let store = Rc::new(MemoryStore::default());
    Database::create(&*store, Timestamp(0)).unwrap();
    let mut db = Database::open(store, Options::default()).unwrap();
    let create = &ql::parse("CREATE TABLE t (pk=id, INDEX(customer_id))").unwrap()[0];
    db.run(create, &Params::none(), &Context::at(Timestamp(1)))
        .unwrap();
    let mut random = Random(1);
    let mut live = vec![false; keys as usize];
    let name = |key: u64| format!("order-{key:08}");
    let mut plan = Vec::new();
    for event in 0..events {
        let key = if event < keys {
            event
        } else {
            random.below(keys)
        };
        let slot = &mut live[key as usize];
        let dice = random.below(100);
        let document = if !*slot {
            *slot = true;
            Some(Some(document(&name(key), &mut random)))
        } else if dice < 8 {
            *slot = false;
            None
        } else {
            let mut patch = Object::new();
            patch.insert(
                "status",
                ["new", "paid", "sent", "done"][random.below(4) as usize],
            );
            patch.insert("amount", random.below(100_000));
            Some(Some(patch))
        };
        plan.push((key, document));
    }
    let mut exists = vec![false; keys as usize];
    let begin = Instant::now();
    for batch in plan.chunks(1_000) {
        db.begin(None).unwrap();
        for (key, document) in batch {
            let slot = &mut exists[*key as usize];
            match document {
                Some(Some(document)) if !*slot => {
                    *slot = true;
                    db.insert("t", document, Timestamp(2)).unwrap();
                }
                Some(Some(patch)) => {
                    db.patch("t", &Key::Str(name(*key)), patch, Timestamp(2))
                        .unwrap();
                }
                _ => {
                    *slot = false;
                    db.delete("t", &Key::Str(name(*key)), Timestamp(2)).unwrap();
                }
            }
        }
        db.commit(Timestamp(2)).unwrap();
    }
    println!(
        "{:24} {:10.3} us",
        "load",
        begin.elapsed().as_secs_f64() / events as f64 * 1e6
    );
    let wanted = |what: &str| only.is_empty() || only == what;
    let times = 400_000;
    for at in [None, Some(Point::Seq(Seq(events / 2)))] {
        if wanted("get") {
            timed("get", times, |_| {
                let key = Key::Str(name(random.below(keys)));
                if let Some(row) = db.get("t", &key, at).unwrap() {
                    std::hint::black_box(row.document());
                }
            });
        }
        if wanted("lookup") {
            timed("lookup", times / 20, |_| {
                let view = db.view("t", at).unwrap();
                let customer = format!("customer-{:06}", random.below(1_000));
                let mut lookup =
                    view.lookup(0, ValueRange::exactly(Value::from(customer.as_str())));
                while let Some(row) = drive(|| lookup.step()).unwrap() {
                    std::hint::black_box(row.document());
                }
            });
        }
        if wanted("scan") {
            let text = match at {
                None => "SELECT status, COUNT(*) AS n, SUM(amount) AS total FROM t GROUP BY status"
                    .to_owned(),
                Some(_) => format!(
                    "SELECT status, COUNT(*) AS n, SUM(amount) AS total FROM t GROUP BY status AS OF '@seq:{}'",
                    events / 2
                ),
            };
            let select = &ql::parse(&text).unwrap()[0];
            for _ in 0..2 {
                timed("scan + group", 10, |_| {
                    let Outcome::Rows(mut rows) = db
                        .run(select, &Params::none(), &Context::at(Timestamp(3)))
                        .unwrap()
                    else {
                        panic!()
                    };
                    while rows.next().unwrap().is_some() {}
                });
            }
        }
    }
}
