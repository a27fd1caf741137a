//! Reads, interleaved engine by engine and round by round; and the check before: every engine answers as the oracle does.

use crate::clock::{cpu, rate};
use crate::document::customer;
use crate::engines::memory::Memory;
use crate::engines::{Engine, Outcome};
use crate::random::Random;
use crate::report::Against::{Redb, Sqlite};
use crate::report::{Better, Goal, LIMIT, Report};
use crate::workload::{Spec, key};
use std::hint::black_box;
use std::time::Duration;

/// An open engine and its name.
pub struct Open {
    /// As the report calls it.
    pub name: &'static str,
    /// Loaded with the whole workload.
    pub engine: Box<dyn Engine>,
}

/// Asks every engine a sample of everything and compares with the oracle.
pub fn check(spec: &Spec, oracle: &Memory, engines: &mut [Open]) -> Outcome<()> {
    let mut random = Random::new(7);
    let points: Vec<Option<u64>> = (0..300)
        .map(|point| (point % 3 > 0).then(|| 1 + random.below(spec.events)))
        .collect();
    let half = spec.events / 2;
    for open in engines {
        let engine = open.engine.as_mut();
        let name = open.name;
        for at in &points {
            for _ in 0..7 {
                let key = key(random.below(spec.keys + 2));
                if !engine.holds(&key, *at, oracle.get(&key, *at))? {
                    return Err(format!("{name}: {key} as of {at:?} is wrong").into());
                }
            }
            let customer = customer(random.below(spec.customers));
            let (want, got) = (
                oracle.lookup(&customer, *at),
                engine.lookup(&customer, *at)?,
            );
            if !got.agrees(&want) {
                return Err(
                    format!("{name}: {customer} as of {at:?} is {got:?}, not {want:?}").into(),
                );
            }
            let key = key(random.below(spec.keys));
            let (want, got) = (oracle.history(&key), engine.history(&key)?);
            if !got.agrees(&want) {
                return Err(format!("{name}: history of {key} is {got:?}, not {want:?}").into());
            }
        }
        for at in [None, Some(half), Some(1), Some(half / 3)] {
            let (want, got) = (oracle.groups(at), engine.groups(at)?);
            if got != want {
                return Err(
                    format!("{name}: groups as of {at:?} are {got:?}, not {want:?}").into(),
                );
            }
        }
    }
    Ok(())
}

const LOOKUP: [Goal; 1] = [Goal(Sqlite, 1.0)];
const POINT: [Goal; 2] = [Goal(Sqlite, 2.0), Goal(Redb, 0.8)];

/// Point reads, index lookups, histories and scans, `rounds` times over all engines in turn.
pub fn measure(
    spec: &Spec,
    oracle: &Memory,
    engines: &mut [Open],
    rounds: u32,
    report: &mut Report,
) -> Outcome<()> {
    let budget = Duration::from_millis(150);
    for round in 0..=rounds {
        // Round 0 warms up caches and is not counted.
        let mut add = |title: &str, goals: &[Goal], name: &str, figure: f64| {
            if round > 0 {
                report
                    .measure(title, "/s", Better::More, goals)
                    .add(name, figure);
            }
        };
        for (title, history) in [("point read", false), ("point read AS OF", true)] {
            let mut random = Random::new(u64::from(round));
            let mut ask = || {
                let key = key(random.below(spec.keys));
                (key, history.then(|| 1 + random.below(spec.events)))
            };
            let asked: Vec<_> = (0..20_000).map(|_| ask()).collect();
            let mut turn = asked.iter().cycle();
            let figure = rate(budget, || {
                let (key, at) = turn.next().ok_or("nothing to ask")?;
                black_box(
                    oracle
                        .get(key, *at)
                        .and_then(crate::document::glance)
                        .map(|seen| seen.amount),
                );
                Ok(())
            })?;
            add(title, &POINT, LIMIT, figure);
            for open in engines.iter_mut() {
                let mut turn = asked.iter().cycle();
                let figure = rate(budget, || {
                    let (key, at) = turn.next().ok_or("nothing to ask")?;
                    black_box(open.engine.get(key, *at)?);
                    Ok(())
                })?;
                add(title, &POINT, open.name, figure);
            }
        }
        for (title, history) in [
            ("index lookup, about 10 rows", false),
            ("index lookup AS OF", true),
        ] {
            let mut random = Random::new(u64::from(round) + 100);
            let mut ask = || {
                let customer = customer(random.below(spec.customers));
                (customer, history.then(|| 1 + random.below(spec.events)))
            };
            let asked: Vec<_> = (0..5_000).map(|_| ask()).collect();
            for open in engines.iter_mut() {
                let mut turn = asked.iter().cycle();
                let figure = rate(budget, || {
                    let (customer, at) = turn.next().ok_or("nothing to ask")?;
                    black_box(open.engine.lookup(customer, *at)?);
                    Ok(())
                })?;
                add(title, &LOOKUP, open.name, figure);
            }
        }
        let mut random = Random::new(u64::from(round) + 200);
        let asked: Vec<_> = (0..5_000).map(|_| key(random.below(spec.keys))).collect();
        for open in engines.iter_mut() {
            let mut turn = asked.iter().cycle();
            let figure = rate(budget, || {
                black_box(open.engine.history(turn.next().ok_or("nothing to ask")?)?);
                Ok(())
            })?;
            add("history of a key", &LOOKUP, open.name, figure);
        }
        scans(spec, oracle, engines, round, report)?;
    }
    Ok(())
}

fn scans(
    spec: &Spec,
    oracle: &Memory,
    engines: &mut [Open],
    round: u32,
    report: &mut Report,
) -> Outcome<()> {
    for (title, at) in [
        ("scan + group", None),
        // The same again and again, as a page or a report asks.
        ("scan + group AS OF N/2", Some(spec.events / 2)),
        // Nothing is kept of a moment that was not asked for before.
        (
            "scan + group AS OF a new moment",
            Some(spec.events / 2 - 97 * u64::from(round) - 1),
        ),
    ] {
        let mut add = |name: &str, begin: Duration| {
            if round > 0 {
                report
                    .measure(title, "ms", Better::Less, &LOOKUP)
                    .add(name, cpu().saturating_sub(begin).as_secs_f64() * 1e3);
            }
        };
        let begin = cpu();
        black_box(oracle.groups(at));
        add(LIMIT, begin);
        for open in engines.iter_mut() {
            let begin = cpu();
            black_box(open.engine.groups(at)?);
            add(open.name, begin);
        }
    }
    Ok(())
}
