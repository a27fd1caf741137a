//! A table of the model: its state after every event, and the versions of every key.

use std::collections::BTreeMap;
use std::rc::Rc;

use driftdb_core::Code;

use super::{Doc, Key, merge_patch};

/// The live rows of a table at some seq.
pub type State = BTreeMap<Key, Rc<Doc>>;

/// What an event does to a row.
#[derive(Clone, Debug)]
pub enum Kind {
    /// The row is now this document.
    Insert(Rc<Doc>),
    /// The row is merged with this patch.
    Patch(Rc<Doc>),
    /// The row is deleted.
    Delete,
}

/// One event of one key.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Event {
    pub seq: u64,
    pub time: u64,
    pub kind: Kind,
    pub meta: Option<Rc<Doc>>,
}

/// One table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The member that holds the key.
    pub key: String,
    /// The members with an index.
    pub indexes: Vec<String>,
    /// The events of each key that are left, oldest first.
    pub events: BTreeMap<Key, Vec<Event>>,
    /// The earliest point left, as seq and time; zeros if nothing was compacted.
    pub horizon: (u64, u64),
    /// The state from a seq on, ascending; the first is that of seq 0.
    states: Vec<(u64, Rc<State>)>,
}

impl Table {
    /// An empty table.
    pub fn new(key: &str, indexes: &[String]) -> Self {
        let states = vec![(0, Rc::default())];
        Table {
            key: key.to_string(),
            indexes: indexes.to_vec(),
            states,
            ..Table::default()
        }
    }

    /// The key of a document.
    pub fn key_of(&self, doc: &Doc) -> Result<Key, Code> {
        Key::of(doc.get(&self.key))
    }

    /// The newest state.
    pub fn head(&self) -> Rc<State> {
        self.states
            .last()
            .map(|(_, state)| state.clone())
            .unwrap_or_default()
    }

    /// The live row of a key.
    pub fn row(&self, key: &Key) -> Option<Rc<Doc>> {
        self.head().get(key).cloned()
    }

    /// The state at a seq; nothing before the horizon.
    pub fn state(&self, seq: u64) -> Option<Rc<State>> {
        if seq < self.horizon.0 {
            return None;
        }
        let after = self.states.partition_point(|(from, _)| *from <= seq);
        after
            .checked_sub(1)
            .and_then(|index| self.states.get(index))
            .map(|(_, state)| state.clone())
    }

    /// The seq of the last event at or before a seq; 0 if there is none.
    pub fn last_event(&self, seq: u64) -> u64 {
        let after = self.states.partition_point(|(from, _)| *from <= seq);
        let last = after
            .checked_sub(1)
            .and_then(|index| self.states.get(index));
        last.map_or(0, |(from, _)| *from)
    }

    /// Adds an event.
    pub fn apply(&mut self, key: &Key, event: Event) {
        let mut state = (*self.head()).clone();
        match &event.kind {
            Kind::Insert(doc) => {
                state.insert(key.clone(), doc.clone());
            }
            Kind::Patch(patch) => {
                let mut doc = state
                    .get(key)
                    .map(|doc| (**doc).clone())
                    .unwrap_or_default();
                merge_patch(&mut doc, patch);
                state.insert(key.clone(), Rc::new(doc));
            }
            Kind::Delete => {
                state.remove(key);
            }
        }
        self.states.push((event.seq, Rc::new(state)));
        self.events.entry(key.clone()).or_default().push(event);
    }

    /// Drops what led to the state at the horizon: of each key its newest event up to there stays, as an insert of the
    /// row it gave, and for a deleted row its last document and the deletion.
    pub fn compact(&mut self, seq: u64, time: u64) {
        if (seq, time) <= self.horizon {
            return;
        }
        for (key, events) in &mut self.events {
            let old = events.iter().take_while(|event| event.seq <= seq).count();
            let newer = events.split_off(old);
            let kept = kept_events(events);
            debug_assert!(kept.len() <= 2, "{key:?}");
            *events = kept;
            events.extend(newer);
        }
        self.horizon = (seq, time);
    }
}

/// What a compaction keeps of the events of one key up to the horizon.
fn kept_events(events: &[Event]) -> Vec<Event> {
    let mut doc = Doc::new();
    let mut last_live = None;
    for event in events {
        match &event.kind {
            Kind::Insert(new) => doc = (**new).clone(),
            Kind::Patch(patch) => merge_patch(&mut doc, patch),
            Kind::Delete => continue,
        }
        last_live = Some(Event {
            kind: Kind::Insert(Rc::new(doc.clone())),
            ..event.clone()
        });
    }
    let deletion = events
        .last()
        .filter(|event| matches!(event.kind, Kind::Delete))
        .cloned();
    last_live.into_iter().chain(deletion).collect()
}
