//! Tests of the log over the store in memory.

mod basics;
mod flips;
mod frame_bytes;
mod journals;
mod segments;
mod sharing;
mod steps;
mod tails;

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::error::Result;
use crate::storage::{Latch, MemoryStore, Store};
use crate::time::{Seq, Timestamp};
use crate::value::{Key, Object, Raw, msgpack};

/// The directory of the table under test.
const DIR: &str = "tables/t";

/// An event as a test thinks of it.
#[derive(Clone, Debug, PartialEq)]
struct Event {
    seq: u64,
    time: u64,
    op: Op,
    more: bool,
    key: i64,
    text: String,
}

fn event(seq: u64, more: bool) -> Event {
    let text = "x".repeat(usize::try_from(seq * 7 % 40).unwrap());
    Event {
        seq,
        time: 1000 + seq / 3,
        op: Op::Insert,
        more,
        key: i64::try_from(seq).unwrap(),
        text,
    }
}

/// The frames of events.
fn frames(events: &[Event]) -> Frames {
    let mut frames = Frames::new();
    for event in events {
        let (mut key, mut body) = (Vec::new(), Vec::new());
        Key::Int(event.key).encode_msgpack(&mut key);
        let mut object = Object::new();
        object.insert("text", event.text.as_str());
        msgpack::encode_object(&object, &mut body);
        let body = (event.op != Op::Delete).then(|| Raw::new(&body).unwrap());
        let key = Raw::new(&key).unwrap();
        let (seq, time) = (Seq(event.seq), Timestamp(event.time));
        frames
            .push(&EventRef {
                seq,
                time,
                op: event.op,
                more: event.more,
                key,
                body,
                meta: None,
            })
            .unwrap();
    }
    frames
}

/// One event of each seq in a range, each a transaction of its own.
fn singles(seqs: core::ops::RangeInclusive<u64>) -> Vec<Event> {
    seqs.map(|seq| event(seq, false)).collect()
}

/// A store with a log that is open for writing.
struct Home {
    store: MemoryStore,
    latch: Rc<Latch>,
}

const SMALL: LogOptions = LogOptions {
    segment_bytes: 400,
    reserve_bytes: 0,
};

impl Home {
    fn new(store: MemoryStore) -> Home {
        let latch = Rc::new(Latch::new(store.lock().unwrap()));
        Home { store, latch }
    }

    fn store(&self) -> Rc<dyn Store> {
        Rc::new(self.store.clone())
    }

    fn create(&self) -> Log {
        Log::create(self.store(), DIR, Rc::clone(&self.latch), SMALL).unwrap()
    }

    fn open(&self, hints: &LogHints) -> Result<(Log, Recovery)> {
        Log::open(
            self.store(),
            DIR,
            Mode::Write(Rc::clone(&self.latch)),
            SMALL,
            hints,
            &[],
        )
    }
}

/// Opens a copy of a store for writing: what comes after a crash.
fn reopen(store: &MemoryStore, hints: &LogHints) -> Result<(Log, Recovery)> {
    Home::new(store.copy()).open(hints)
}

/// Opens for reading.
fn open_reader(store: &MemoryStore, hints: &LogHints) -> Result<Log> {
    Log::open(Rc::new(store.clone()), DIR, Mode::Read, SMALL, hints, &[]).map(|(log, _)| log)
}

/// All events of a log, through the validating cursor.
fn events(log: &Log) -> Result<Vec<Event>> {
    let reader = log.reader();
    let mut cursor = reader.cursor(reader.start(), reader.end());
    let mut events = Vec::new();
    while let Some((_, event)) = cursor.next_event()? {
        let Key::Int(key) = Key::from_raw(event.key)? else {
            panic!("not a key of these tests")
        };
        let text = event.body.and_then(|body| {
            body.object()?
                .get("text")?
                .view()
                .as_str()
                .map(String::from)
        });
        let (seq, time, op, more) = (event.seq.0, event.time.0, event.op, event.more);
        events.push(Event {
            seq,
            time,
            op,
            more,
            key,
            text: text.unwrap_or_default(),
        });
    }
    Ok(events)
}

/// A blob of a store, for damage.
fn bytes(store: &MemoryStore, path: &str) -> Vec<u8> {
    store.read(path).unwrap().unwrap()
}
