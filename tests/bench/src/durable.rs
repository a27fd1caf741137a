//! Single durable commits, beside a bare loop of write and fdatasync of the same bytes.

use crate::engines::{Engine, Kind, Outcome};
use crate::machine::fresh;
use crate::raw::{Log, frame};
use crate::report::Against::Limit;
use crate::report::{Better, Goal, LIMIT, Report, latencies};
use crate::standard::load_batch;
use crate::workload::{Event, Spec};
use std::path::Path;
use std::time::Instant;

enum Contender {
    Log(Log),
    Engine(Box<dyn Engine>),
}

/// `rounds` rounds of `commits` single commits by each contender in turn, all on rows that exist.
pub fn run(
    kinds: &[Kind],
    dir: &Path,
    rounds: usize,
    commits: usize,
    report: &mut Report,
) -> Outcome<()> {
    let keys = 1000;
    let spec = Spec::with_keys(keys + (rounds * commits) as u64, keys);
    let place = |name: &str| -> Outcome<std::path::PathBuf> {
        let dir = dir.join(format!("durable-{}", name.replace(' ', "-")));
        fresh(&dir)?;
        Ok(dir)
    };
    let room = 256 * (rounds * commits + keys as usize) + (1 << 20);
    let mut contenders = vec![
        (LIMIT, Contender::Log(Log::create(&place(LIMIT)?)?)),
        (
            "preallocated",
            Contender::Log(Log::preallocated(&place("preallocated")?, room)?),
        ),
    ];
    for kind in kinds {
        contenders.push((
            kind.name,
            Contender::Engine((kind.open)(&place(kind.name)?)?),
        ));
    }
    let mut stream = spec.stream();
    let first = stream.batch(keys as usize);
    for (_, contender) in &mut contenders {
        match contender {
            Contender::Log(log) => log.load(&first)?,
            Contender::Engine(engine) => {
                load_batch(engine.as_mut(), &first)?;
            }
        }
    }
    let mut all: Vec<(String, Vec<f64>)> = contenders
        .iter()
        .map(|(name, _)| ((*name).to_owned(), Vec::new()))
        .collect();
    for _ in 0..rounds {
        let batch = stream.batch(commits);
        for ((name, contender), (_, times)) in contenders.iter_mut().zip(&mut all) {
            let mut spent = 0.0;
            for event in &batch {
                let time = commit(contender, event)?;
                times.push(time);
                spent += time / 1e6;
            }
            let rate = batch.len() as f64 / spent;
            let title = "durable single commits";
            report
                .measure(title, "/s", Better::More, &[Goal(Limit, 0.9)])
                .add(name, rate);
        }
    }
    for (_, contender) in contenders {
        if let Contender::Engine(engine) = contender {
            engine.close()?;
        }
    }
    report.note(latencies(
        "Durable single commits (limit: write + fdatasync on a growing file)",
        &all,
    ));
    Ok(())
}

/// Microseconds of one commit.
fn commit(contender: &mut Contender, event: &Event) -> Outcome<f64> {
    let begin;
    match contender {
        Contender::Log(log) => {
            let mut bytes = Vec::with_capacity(256);
            frame(event, &mut bytes)?;
            begin = Instant::now();
            log.append(&bytes)?;
        }
        Contender::Engine(engine) => {
            let spent = load_batch(engine.as_mut(), std::slice::from_ref(event))?;
            return Ok(spent.as_secs_f64() * 1e6);
        }
    }
    Ok(begin.elapsed().as_secs_f64() * 1e6)
}
