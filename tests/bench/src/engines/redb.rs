//! redb: the present by key, all versions by (key, seq), and an index that says from when to when a row was a customer's.

use super::{CACHE_BYTES, Engine, Groups, Outcome, Tally};
use crate::document::{Patch, glance};
use crate::engines::memory::Counts;
use crate::workload::{Change, Event};
use redb::{
    Database, Durability, ReadOnlyTable, ReadableDatabase, ReadableTable, Table, TableDefinition,
};
use std::path::Path;

/// key -> seq, document.
type NowRow = (u64, &'static [u8]);
const NOW: TableDefinition<&str, NowRow> = TableDefinition::new("now");
/// (key, seq) -> document after it; empty for a deletion.
const VERSIONS: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("versions");
/// (customer, key, since) -> until; the row is the customer's for since <= seq < until.
const CUSTOMERS: TableDefinition<(&str, &str, u64), u64> = TableDefinition::new("customers");

const FOREVER: u64 = u64::MAX;

struct Redb {
    database: Database,
    /// Opened after the last commit, for reads.
    tables: Option<Tables>,
}

struct Tables {
    now: ReadOnlyTable<&'static str, NowRow>,
    versions: ReadOnlyTable<(&'static str, u64), &'static [u8]>,
    customers: ReadOnlyTable<(&'static str, &'static str, u64), u64>,
}

/// Opens or makes the database.
pub fn open(dir: &Path) -> Outcome<Box<dyn Engine>> {
    let database = Database::builder()
        .set_cache_size(CACHE_BYTES)
        .create(dir.join("orders.redb"))?;
    let transaction = database.begin_write()?;
    transaction.open_table(NOW)?;
    transaction.open_table(VERSIONS)?;
    transaction.open_table(CUSTOMERS)?;
    transaction.commit()?;
    Ok(Box::new(Redb {
        database,
        tables: None,
    }))
}

struct Writer<'txn> {
    now: Table<'txn, &'static str, NowRow>,
    versions: Table<'txn, (&'static str, u64), &'static [u8]>,
    customers: Table<'txn, (&'static str, &'static str, u64), u64>,
    /// The row before the event, and the row after it.
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Writer<'_> {
    fn apply(&mut self, event: &Event) -> Outcome<()> {
        let key = event.key.as_str();
        self.after.clear();
        match &event.change {
            Change::Insert(doc) => {
                doc.msgpack(&mut self.after);
                self.customers
                    .insert((doc.customer_id.as_str(), key, event.seq), FOREVER)?;
            }
            Change::Patch(patch) => {
                self.read_before(key)?;
                merge(&self.before, patch, &mut self.after).ok_or("a document does not merge")?;
                if let Patch::Customer(customer, _) = patch {
                    self.leave(key, event.seq)?;
                    self.customers
                        .insert((customer.as_str(), key, event.seq), FOREVER)?;
                }
            }
            Change::Delete => {
                self.read_before(key)?;
                self.leave(key, event.seq)?;
                self.now.remove(key)?;
                self.versions.insert((key, event.seq), &[][..])?;
                return Ok(());
            }
        }
        self.now.insert(key, (event.seq, self.after.as_slice()))?;
        self.versions
            .insert((key, event.seq), self.after.as_slice())?;
        Ok(())
    }

    fn read_before(&mut self, key: &str) -> Outcome<()> {
        self.before.clear();
        let row = self
            .now
            .get(key)?
            .ok_or("a missing row is patched or deleted")?;
        self.before.extend_from_slice(row.value().1);
        Ok(())
    }

    /// The row is no longer its customer's.
    fn leave(&mut self, key: &str, seq: u64) -> Outcome<()> {
        let customer = glance(&self.before).ok_or("no order")?.customer_id;
        let since = {
            let mut range = self
                .customers
                .range((customer, key, 0)..=(customer, key, FOREVER))?;
            let last = range.next_back().ok_or("a row without its index entry")??;
            last.0.value().2
        };
        self.customers.insert((customer, key, since), seq)?;
        Ok(())
    }
}

/// The document with two members replaced: all four come first, in a known order.
fn merge(before: &[u8], patch: &Patch, out: &mut Vec<u8>) -> Option<()> {
    use rmp::encode as mp;
    let seen = glance(before)?;
    let mut rest = before;
    let members = rmp::decode::read_map_len(&mut rest).ok()?;
    let (_, rest) = rmp::decode::read_str_from_slice(rest).ok()?;
    let (id, mut rest) = rmp::decode::read_str_from_slice(rest).ok()?;
    for _ in 0..2 {
        (_, rest) = rmp::decode::read_str_from_slice(rest).ok()?;
        (_, rest) = rmp::decode::read_str_from_slice(rest).ok()?;
    }
    (_, rest) = rmp::decode::read_str_from_slice(rest).ok()?;
    let _: i64 = rmp::decode::read_int(&mut rest).ok()?;
    let (customer, status, amount) = match patch {
        Patch::Status(status, amount) => (seen.customer_id, *status, *amount),
        Patch::Customer(customer, amount) => (customer.as_str(), seen.status, *amount),
    };
    mp::write_map_len(out, members).ok()?;
    for (name, value) in [("id", id), ("customer_id", customer), ("status", status)] {
        mp::write_str(out, name).ok()?;
        mp::write_str(out, value).ok()?;
    }
    mp::write_str(out, "amount").ok()?;
    mp::write_sint(out, amount).ok()?;
    out.extend_from_slice(rest);
    Some(())
}

impl Redb {
    fn tables(&mut self) -> Outcome<&Tables> {
        if self.tables.is_none() {
            let transaction = self.database.begin_read()?;
            self.tables = Some(Tables {
                now: transaction.open_table(NOW)?,
                versions: transaction.open_table(VERSIONS)?,
                customers: transaction.open_table(CUSTOMERS)?,
            });
        }
        self.tables.as_ref().ok_or_else(|| "no tables".into())
    }
}

impl Tables {
    /// Calls `visit` with the document of the row, if it is live.
    fn row<T>(
        &self,
        key: &str,
        at: Option<u64>,
        visit: impl FnOnce(&[u8]) -> T,
    ) -> Outcome<Option<T>> {
        let Some(at) = at else {
            let row = self.now.get(key)?;
            return Ok(row.map(|row| visit(row.value().1)));
        };
        match self.versions.range((key, 0)..=(key, at))?.next_back() {
            None => Ok(None),
            Some(row) => {
                let row = row?;
                let document = row.1.value();
                Ok((!document.is_empty()).then(|| visit(document)))
            }
        }
    }
}

impl Engine for Redb {
    fn load(&mut self, batch: &[Event]) -> Outcome<()> {
        self.tables = None;
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        {
            let mut writer = Writer {
                now: transaction.open_table(NOW)?,
                versions: transaction.open_table(VERSIONS)?,
                customers: transaction.open_table(CUSTOMERS)?,
                before: Vec::new(),
                after: Vec::new(),
            };
            for event in batch {
                writer.apply(event)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn get(&mut self, key: &str, at: Option<u64>) -> Outcome<Option<i64>> {
        let found = self
            .tables()?
            .row(key, at, |bytes| glance(bytes).map(|seen| seen.amount))?;
        Ok(found.flatten())
    }

    fn holds(&mut self, key: &str, at: Option<u64>, document: Option<&[u8]>) -> Outcome<bool> {
        let found = self.tables()?.row(key, at, <[u8]>::to_vec)?;
        Ok(found.as_deref() == document)
    }

    fn lookup(&mut self, customer: &str, at: Option<u64>) -> Outcome<Tally> {
        let tables = self.tables()?;
        let mut tally = Tally::default();
        for entry in tables
            .customers
            .range((customer, "", 0)..=(customer, "\u{10ffff}", FOREVER))?
        {
            let (from, until) = entry?;
            let ((_, key, since), until) = (from.value(), until.value());
            let live = match at {
                None => until == FOREVER,
                Some(at) => since <= at && at < until,
            };
            if live {
                let seen = tables.row(key, at, |bytes| {
                    glance(bytes).map(|seen| (seen.amount, bytes.len()))
                })?;
                let (amount, bytes) = seen.flatten().ok_or("the index names a missing row")?;
                tally.add(amount, bytes);
            }
        }
        Ok(tally)
    }

    fn history(&mut self, key: &str) -> Outcome<Tally> {
        let tables = self.tables()?;
        let mut tally = Tally::default();
        for entry in tables.versions.range((key, 0)..=(key, FOREVER))? {
            let (_, document) = entry?;
            let bytes = document.value();
            if let Some(seen) = glance(bytes) {
                tally.add(seen.amount, bytes.len());
            }
        }
        Ok(tally)
    }

    fn groups(&mut self, at: Option<u64>) -> Outcome<Groups> {
        let tables = self.tables()?;
        let mut counts = Counts::default();
        let Some(at) = at else {
            for entry in tables.now.iter()? {
                let (_, row) = entry?;
                let seen = glance(row.value().1).ok_or("no order")?;
                counts.add(seen.status, seen.amount);
            }
            return Ok(counts.groups());
        };
        // All versions in order; the last one at or before `at` of each key counts.
        let mut last: Option<(String, redb::AccessGuard<'_, &[u8]>)> = None;
        let mut count = |document: &[u8]| {
            if let Some(seen) = glance(document) {
                counts.add(seen.status, seen.amount);
            }
        };
        for entry in tables.versions.iter()? {
            let (from, document) = entry?;
            let (key, seq) = from.value();
            if seq > at {
                continue;
            }
            match &mut last {
                Some((name, held)) if name == key => *held = document,
                Some((name, held)) => {
                    count(held.value());
                    key.clone_into(name);
                    *held = document;
                }
                None => last = Some((key.to_owned(), document)),
            }
        }
        if let Some((_, held)) = last {
            count(held.value());
        }
        Ok(counts.groups())
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(())
    }
}
