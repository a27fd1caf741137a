//! Grouping: rows with equal grouping values, and the state of each group's aggregates.

use alloc::boxed::Box;
use alloc::vec::{self, Vec};

use hashbrown::HashMap;

use super::aggregate::State;
use super::node::{Node, Slots};
use crate::error::Result;
use crate::ql::plan::Group;
use crate::value::{ValueRef, keycode, msgpack};

/// The groups so far. The map finds them; their order is that of their first rows, and results are sorted.
pub(crate) struct Groups {
    places: HashMap<Box<[u8]>, usize>,
    /// The place of the group of each code, where rows are grouped by one slot that has codes.
    by_code: Vec<Option<usize>>,
    groups: Vec<OneGroup>,
    /// The key of the row at hand, kept to be filled again.
    key: Vec<u8>,
    by_value: bool,
}

struct OneGroup {
    /// The grouping values' keycodes: 1 and 1.0 are one group, and so are all NULLs.
    key: Box<[u8]>,
    /// The grouping values of its first row, in msgpack.
    cells: Vec<Vec<u8>>,
    states: Vec<State>,
}

impl Groups {
    /// No rows yet. Without GROUP BY there is one group, even if there are no rows.
    pub(crate) fn new(group: &Group) -> Self {
        let mut groups = Groups {
            places: HashMap::new(),
            by_code: Vec::new(),
            groups: Vec::new(),
            key: Vec::new(),
            by_value: !group.keys.is_empty(),
        };
        if !groups.by_value {
            groups.groups.push(OneGroup::new(group, &[], Vec::new()));
        }
        groups
    }

    /// Takes a row in.
    #[inline]
    pub(crate) fn add(&mut self, group: &Group, slots: &impl Slots) -> Result<()> {
        let place = if self.by_value {
            self.place(group, slots)
        } else {
            0
        };
        let Some(one) = self.groups.get_mut(place) else {
            return Ok(());
        };
        for (aggregate, state) in group.aggregates.iter().zip(&mut one.states) {
            let value = match &aggregate.argument {
                None => ValueRef::Bool(true),
                Some(node) => node.value(slots),
            };
            aggregate.add(state, value)?;
        }
        Ok(())
    }

    /// The place of the row's group, a new one if it is the first of its group.
    #[inline]
    fn place(&mut self, group: &Group, slots: &impl Slots) -> usize {
        let code = match group.keys.as_slice() {
            [Node::Slot(slot)] => slots.code(*slot),
            _ => None,
        };
        let Some(code) = code.map(|code| code as usize) else {
            return self.find_place(group, slots);
        };
        if let Some(Some(place)) = self.by_code.get(code) {
            return *place;
        }
        let place = self.find_place(group, slots);
        if self.by_code.len() <= code {
            self.by_code.resize(code + 1, None);
        }
        if let Some(slot) = self.by_code.get_mut(code) {
            *slot = Some(place);
        }
        place
    }

    fn find_place(&mut self, group: &Group, slots: &impl Slots) -> usize {
        self.key.clear();
        for node in &group.keys {
            keycode::encode(node.value(slots), &mut self.key);
        }
        if let Some(place) = self.places.get(self.key.as_slice()) {
            return *place;
        }
        let mut cells = Vec::with_capacity(group.keys.len() + group.aggregates.len());
        for node in &group.keys {
            let mut cell = Vec::new();
            msgpack::encode_ref(node.value(slots), &mut cell);
            cells.push(cell);
        }
        self.groups.push(OneGroup::new(group, &self.key, cells));
        let place = self.groups.len() - 1;
        self.places.insert(self.key.as_slice().into(), place);
        place
    }

    /// All rows are in.
    pub(crate) fn finish(self) -> Finished {
        Finished(self.groups.into_iter())
    }
}

impl OneGroup {
    fn new(group: &Group, key: &[u8], cells: Vec<Vec<u8>>) -> Self {
        OneGroup {
            key: key.into(),
            cells,
            states: group
                .aggregates
                .iter()
                .map(super::aggregate::Aggregate::start)
                .collect(),
        }
    }
}

/// Gives finished groups out, in no order that matters.
pub(crate) struct Finished(vec::IntoIter<OneGroup>);

impl Finished {
    /// A group's key and its cells: grouping values, then aggregates.
    #[expect(clippy::type_complexity, reason = "a pair")]
    pub(crate) fn next(&mut self, group: &Group) -> Result<Option<(Box<[u8]>, Vec<Vec<u8>>)>> {
        let Some(OneGroup {
            key,
            mut cells,
            states,
        }) = self.0.next()
        else {
            return Ok(None);
        };
        for (aggregate, state) in group.aggregates.iter().zip(&states) {
            let mut cell = Vec::new();
            aggregate.finish(state, &mut cell)?;
            cells.push(cell);
        }
        Ok(Some((key, cells)))
    }
}
