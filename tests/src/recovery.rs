//! What must be there after a failure: all that was acknowledged, the operation in flight whole or not at all, and a
//! database that goes on.

use driftdb_core::Code;

use crate::check::{Depth, Finding, check};
use crate::engine::{Engine, Settings};
use crate::fault::Mount;
use crate::oracle::Oracle;
use crate::random::Random;
use crate::session::{Script, Session, listing};
use crate::workload::{Mix, Workload, creates};

/// Opens the store, compares it with what may be there, then writes, reopens and compares again.
///
/// `acknowledged` must be there; `in_flight` is the other state that may be. Answers how many answers were compared.
pub fn recover<S: Mount + Clone>(
    store: &S,
    settings: &Settings,
    acknowledged: &Oracle,
    in_flight: Option<&Oracle>,
    depth: Depth,
    seed: u64,
) -> Result<u64, String> {
    let (mut engine, oracle) = open(store, settings, acknowledged, in_flight, seed)?;
    let mut count =
        check(&mut engine, &oracle, depth, seed).map_err(|finding| describe(&finding))?;
    engine
        .close()
        .map_err(|error| format!("closing after the recovery: {error:?}"))?;
    count += reader(store, settings, &oracle, seed)?;
    count += go_on(store, settings, oracle, seed)?;
    Ok(count)
}

/// A finding as text.
pub fn describe(finding: &Finding) -> String {
    match finding {
        Finding::Error(what, error) => format!("{what}\n  failed: {error:?}"),
        Finding::Wrong(what) => what.clone(),
    }
}

/// Opens the database and says which of the states it is in.
fn open(
    store: &impl Mount,
    settings: &Settings,
    acknowledged: &Oracle,
    in_flight: Option<&Oracle>,
    seed: u64,
) -> Result<(Engine, Oracle), String> {
    let mut engine = match Engine::open(store, settings) {
        Ok(engine) => engine,
        Err(error) if error.code() == Code::NotADatabase && acknowledged.tables.is_empty() => {
            Engine::create(store, 0).map_err(|error| format!("creating again: {error:?}"))?;
            Engine::open(store, settings)
                .map_err(|error| format!("opening the new database: {error:?}"))?
        }
        Err(error) => return Err(format!("opening: {error:?}")),
    };
    // A compaction shows only before its horizon.
    let horizons = |oracle: &Oracle| {
        oracle
            .tables
            .values()
            .map(|table| table.horizon)
            .collect::<Vec<_>>()
    };
    let compacting = in_flight.is_some_and(|oracle| horizons(oracle) != horizons(acknowledged));
    let depth = if compacting { Depth::All } else { Depth::Head };
    let first = match check(&mut engine, acknowledged, depth, seed) {
        Ok(_) => return Ok((engine, acknowledged.clone())),
        Err(finding) => describe(&finding),
    };
    let Some(oracle) = in_flight else {
        return Err(format!("against what was acknowledged: {first}"));
    };
    match check(&mut engine, oracle, depth, seed) {
        Ok(_) => Ok((engine, oracle.clone())),
        Err(finding) => {
            let second = describe(&finding);
            Err(format!(
                "against what was acknowledged: {first}\nagainst that and what was in flight: {second}"
            ))
        }
    }
}

fn reader(
    store: &impl Mount,
    settings: &Settings,
    oracle: &Oracle,
    seed: u64,
) -> Result<u64, String> {
    let mut reader = Engine::open_reader(store, settings)
        .map_err(|error| format!("opening a reader: {error:?}"))?;
    check(&mut reader, oracle, Depth::Some(1), seed)
        .map_err(|finding| format!("a reader: {}", describe(&finding)))
}

/// Some more operations, a reopening and a comparison.
fn go_on<S: Mount + Clone>(
    store: &S,
    settings: &Settings,
    oracle: Oracle,
    seed: u64,
) -> Result<u64, String> {
    let mut session = Session::resume(store.clone(), settings.clone(), oracle)
        .map_err(|error| format!("reopening after the recovery: {error:?}"))?;
    let mut workload = Workload::new(
        seed ^ 0xabcd,
        Mix {
            reopen: 0,
            ..Mix::default()
        },
    );
    let mut script = Script::new();
    let mut planned = session.oracle.clone();
    for op in creates() {
        if planned.apply(&op, 0).is_ok() {
            script.push((op, 0));
        }
    }
    for _ in 0..4 + Random::new(seed).below(4) {
        let op = workload.next(&planned);
        let clock = workload.tick();
        let _ = planned.apply(&op, clock);
        script.push((op, clock));
    }
    script.push((crate::oracle::Op::Reopen, 0));
    let context = |what: String| format!("going on with\n{}{what}", listing(&script));
    if !session.run(&script).map_err(context)? {
        return Err(context(format!("{:?}", session.error)));
    }
    let Some(engine) = &mut session.engine else {
        return Err(context("no database".to_string()));
    };
    check(engine, &session.oracle, Depth::Some(2), seed)
        .map_err(|finding| context(describe(&finding)))
}
