//! The main run at one size: loads, bytes on disk, and reads.

use crate::clock;
use crate::engines::memory::Memory;
use crate::engines::{Engine, Kind, Outcome};
use crate::machine::{bytes_under, fresh};
use crate::raw::Log;
use crate::reads::{self, Open};
use crate::report::Against::{Figure, Limit};
use crate::report::{Better, Goal, LIMIT, Report};
use crate::workload::{Event, Spec};
use std::path::Path;
use std::time::{Duration, Instant};

/// How many events a transaction of a load holds.
pub const BATCH: usize = 1000;

/// Streams the workload into `load` by batches; answers the time that `load` says it took.
pub fn stream(
    spec: &Spec,
    mut load: impl FnMut(&[Event]) -> Outcome<Duration>,
) -> Outcome<Duration> {
    let mut stream = spec.stream();
    let mut spent = Duration::ZERO;
    loop {
        let batch = stream.batch(BATCH);
        if batch.is_empty() {
            return Ok(spent);
        }
        spent += load(&batch)?;
    }
}

/// Prepares a batch and loads it; answers the time of the load alone.
pub fn load_batch(engine: &mut dyn Engine, batch: &[Event]) -> Outcome<Duration> {
    engine.prepare(batch)?;
    let begin = Instant::now();
    engine.load(batch)?;
    Ok(begin.elapsed())
}

/// Loads an engine in an empty directory and closes it; answers the time of both.
pub fn load(kind: Kind, dir: &Path, spec: &Spec) -> Outcome<Duration> {
    fresh(dir)?;
    let mut engine = (kind.open)(dir)?;
    let mut spent = stream(spec, |batch| load_batch(engine.as_mut(), batch))?;
    let begin = Instant::now();
    engine.close()?;
    spent += begin.elapsed();
    Ok(spent)
}

/// Loads all engines `loads` times in turn, weighs them, checks them, and measures their reads.
pub fn run(
    kinds: &[Kind],
    dir: &Path,
    spec: &Spec,
    loads: u32,
    rounds: u32,
    report: &mut Report,
) -> Outcome<()> {
    let place = |kind: &Kind| dir.join(kind.name.replace(' ', "-"));
    for _ in 0..loads {
        let mut add = |name: &str, begin: Duration, spent: Duration| {
            let cpu = clock::cpu().saturating_sub(begin);
            report
                .measure("bulk load: CPU time an event", "us", Better::Less, &[])
                .add(name, cpu.as_secs_f64() * 1e6 / spec.events as f64);
            let rate = spec.events as f64 / spent.as_secs_f64();
            let goals = [Goal(Limit, 0.4)];
            report
                .measure("bulk load, a sync per 1,000", "/s", Better::More, &goals)
                .add(name, rate);
        };
        let raw = dir.join("raw");
        fresh(&raw)?;
        let mut log = Log::create(&raw)?;
        let begin = clock::cpu();
        let spent = stream(spec, |batch| {
            let begin = Instant::now();
            log.load(batch)?;
            Ok(begin.elapsed())
        })?;
        add(LIMIT, begin, spent);
        for kind in kinds {
            eprintln!("loading {} events into {}", spec.events, kind.name);
            let begin = clock::cpu();
            let spent = load(*kind, &place(kind), spec)?;
            add(kind.name, begin, spent);
        }
    }
    for (name, dir) in kinds
        .iter()
        .map(|kind| (kind.name, place(kind)))
        .chain([(LIMIT, dir.join("raw"))])
    {
        let bytes = bytes_under(&dir)? as f64 / spec.events as f64;
        report
            .measure(
                "bytes on disk an event",
                "B",
                Better::Less,
                &[Goal(Figure, 150.0)],
            )
            .add(name, bytes);
    }
    eprintln!("checking answers");
    let mut oracle = Memory::default();
    stream(spec, |batch| {
        oracle.apply(batch);
        Ok(Duration::ZERO)
    })?;
    oracle.seal();
    let mut engines = Vec::new();
    for kind in kinds {
        engines.push(Open {
            name: kind.name,
            engine: (kind.open)(&place(kind))?,
        });
    }
    reads::check(spec, &oracle, &mut engines)?;
    eprintln!("reading");
    reads::measure(spec, &oracle, &mut engines, rounds, report)?;
    for open in engines {
        open.engine.close()?;
    }
    Ok(())
}
