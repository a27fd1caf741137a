//! Live queries: what each of them reads, to tell after a commit which have to be asked again.

use std::rc::Rc;

use driftdb_core::Result;
use driftdb_core::db::{Database, Reads};
use driftdb_core::ql::Params;

use crate::script::{Script, at_point};

/// The scripts that are watched, with their numbers.
#[derive(Default)]
pub struct Watches {
    last: u32,
    list: Vec<(u32, Vec<Reads>)>,
}

impl Watches {
    /// Watches what a script reads, which names its point itself or is read at this one; its number.
    pub fn add(
        &mut self,
        db: &mut Database,
        script: &Rc<Script>,
        params: &Params,
        at: Option<&str>,
    ) -> Result<u32> {
        script.check(params)?;
        let mut reads = Vec::new();
        for statement in &script.statements {
            let pinned = at.map(|at| at_point(statement, at));
            reads.push(db.reads(pinned.as_ref().unwrap_or(statement), params)?);
        }
        if self.list.is_empty() {
            db.note_touched(true);
        }
        self.last += 1;
        self.list.push((self.last, reads));
        Ok(self.last)
    }

    /// Watches a script no longer.
    pub fn remove(&mut self, db: &mut Database, number: u32) {
        self.list.retain(|(other, _)| *other != number);
        if self.list.is_empty() {
            db.note_touched(false);
        }
    }

    /// Those whose answers may be other ones since this was asked last.
    pub fn touched(&self, db: &mut Database) -> Vec<u32> {
        let touched = db.take_touched();
        let meets = |reads: &Vec<Reads>| reads.iter().any(|reads| touched.meets(reads));
        let watches = self.list.iter().filter(|(_, reads)| meets(reads));
        watches.map(|(number, _)| *number).collect()
    }
}
