//! The workload: a deterministic stream of events over orders, from a seed.
//!
//! N events over N/10 keys. All keys are inserted first, in random order; then 85% patches of two members (nine of
//! ten: status and amount; one of ten: customer_id and amount), 8% soft deletes and 7% inserts of deleted keys. Nothing
//! is held but one bit and one slot a key, so ten million events stream in little memory.

use crate::document::{Doc, Patch, STATUSES, customer};
use crate::random::Random;

/// What happens to one row.
pub enum Change {
    /// The row begins, or begins again after a deletion.
    Insert(Doc),
    /// Two members change.
    Patch(Patch),
    /// The row is deleted.
    Delete,
}

/// One event, as every engine is given it.
pub struct Event {
    /// Counts from 1 over the whole stream.
    pub seq: u64,
    /// The row.
    pub key: String,
    /// What happens to it.
    pub change: Change,
}

/// The size and shape of a stream.
#[derive(Clone, Copy)]
pub struct Spec {
    /// How many events in all.
    pub events: u64,
    /// Over how many keys.
    pub keys: u64,
    /// Over how many customers.
    pub customers: u64,
    /// Where the random numbers begin.
    pub seed: u64,
}

impl Spec {
    /// Ten events a key and ten keys a customer.
    pub fn standard(events: u64) -> Spec {
        Spec::with_keys(events, (events / 10).max(1))
    }

    /// A stream over as many keys as asked.
    pub fn with_keys(events: u64, keys: u64) -> Spec {
        Spec {
            events,
            keys,
            customers: (keys / 10).max(1),
            seed: 0x0d71_f7db,
        }
    }

    /// The stream itself.
    pub fn stream(&self) -> Stream {
        Stream::new(*self)
    }
}

/// The key of order `number`.
pub fn key(number: u64) -> String {
    format!("order-{number:08}")
}

/// Events in order of seq.
pub struct Stream {
    spec: Spec,
    random: Random,
    seq: u64,
    /// Live keys and deleted keys; a key stands in exactly one of them once it was inserted.
    live: Vec<u32>,
    dead: Vec<u32>,
    /// Keys not inserted yet.
    fresh: Vec<u32>,
}

impl Stream {
    fn new(spec: Spec) -> Stream {
        let mut random = Random::new(spec.seed);
        let mut fresh: Vec<u32> = (0..spec.keys as u32).collect();
        random.shuffle(&mut fresh);
        Stream {
            spec,
            random,
            seq: 0,
            live: Vec::with_capacity(spec.keys as usize),
            dead: Vec::new(),
            fresh,
        }
    }

    /// The next `count` events, or fewer at the end.
    pub fn batch(&mut self, count: usize) -> Vec<Event> {
        self.by_ref().take(count).collect()
    }

    fn insert(&mut self, number: u32) -> Change {
        self.live.push(number);
        let customers = self.spec.customers;
        Change::Insert(Doc::random(
            key(u64::from(number)),
            customers,
            &mut self.random,
        ))
    }

    fn patch(&mut self) -> Change {
        let amount = self.random.below(100_000) as i64;
        if self.random.below(10) == 0 {
            let number = self.random.below(self.spec.customers);
            return Change::Patch(Patch::Customer(customer(number), amount));
        }
        let status = STATUSES[self.random.below(STATUSES.len() as u64) as usize];
        Change::Patch(Patch::Status(status, amount))
    }
}

impl Iterator for Stream {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.seq == self.spec.events {
            return None;
        }
        self.seq += 1;
        let (number, change) = if let Some(number) = self.fresh.pop() {
            (number, self.insert(number))
        } else {
            let dice = self.random.below(100);
            if (dice < 7 || self.live.is_empty()) && !self.dead.is_empty() {
                let slot = self.random.below(self.dead.len() as u64) as usize;
                let number = self.dead.swap_remove(slot);
                (number, self.insert(number))
            } else {
                let slot = self.random.below(self.live.len() as u64) as usize;
                // Longer histories must not die out: at most a quarter of the keys is deleted at once.
                let deletes = (self.dead.len() as u64) < self.spec.keys / 4;
                if (7..15).contains(&dice) && deletes {
                    let number = self.live.swap_remove(slot);
                    self.dead.push(number);
                    (number, Change::Delete)
                } else {
                    (self.live[slot], self.patch())
                }
            }
        };
        Some(Event {
            seq: self.seq,
            key: key(u64::from(number)),
            change,
        })
    }
}
