//! Whether a read costs more when the history is longer or the rows are more.

use crate::clock::{median, rate};
use crate::engines::{Engine, Kind, Outcome};
use crate::random::Random;
use crate::report::Against::Figure;
use crate::report::{Better, Goal, Report};
use crate::standard::load;
use crate::workload::{Spec, key};
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

/// One database of a series, its reads in microseconds by round.
struct Member {
    title: String,
    spec: Spec,
    engine: Box<dyn Engine>,
    now: Vec<f64>,
    past: Vec<f64>,
}

/// Loads and measures both series with one engine; `long` adds ten million events over the same keys.
pub fn run(kind: Kind, dir: &Path, base: u64, long: bool, report: &mut Report) -> Outcome<()> {
    let keys = 1000;
    let mut shapes = vec![
        (
            format!("{keys} keys, {} events", base),
            Spec::with_keys(base, keys),
        ),
        (
            format!("{keys} keys, {} events", base * 10),
            Spec::with_keys(base * 10, keys),
        ),
        (
            format!("{keys} keys, {} events", base * 100),
            Spec::with_keys(base * 100, keys),
        ),
        (
            format!("{} rows, never changed", base),
            Spec::with_keys(base, base),
        ),
        (
            format!("{} rows, never changed", base * 100),
            Spec::with_keys(base * 100, base * 100),
        ),
        (
            format!("one key, {} patches", base * 100),
            Spec::with_keys(base * 100, 1),
        ),
    ];
    if long {
        let title = format!("{keys} keys, {} events", base * 1000);
        shapes.push((title, Spec::with_keys(base * 1000, keys)));
    }
    let mut members = Vec::new();
    for (place, (title, spec)) in shapes.into_iter().enumerate() {
        eprintln!("{title}: loading into {}", kind.name);
        let dir = dir.join(format!("growth-{}-{place}", kind.name.replace(' ', "-")));
        load(kind, &dir, &spec)?;
        members.push(Member {
            title,
            spec,
            engine: (kind.open)(&dir)?,
            now: Vec::new(),
            past: Vec::new(),
        });
    }
    for round in 0..=5 {
        for member in &mut members {
            let (now, past) = (member.cost(round, false)?, member.cost(round + 100, true)?);
            if round > 0 {
                member.now.push(now);
                member.past.push(past);
            }
        }
    }
    compare(&members, kind.name, report);
    for member in members {
        member.engine.close()?;
    }
    Ok(())
}

impl Member {
    /// Microseconds of a point read.
    fn cost(&mut self, seed: u64, past: bool) -> Outcome<f64> {
        let mut random = Random::new(seed);
        let spec = self.spec;
        let mut ask = || {
            let key = key(random.below(spec.keys));
            (key, past.then(|| 1 + random.below(spec.events)))
        };
        let asked: Vec<_> = (0..20_000).map(|_| ask()).collect();
        let mut turn = asked.iter().cycle();
        let rate = rate(Duration::from_millis(100), || {
            let (key, at) = turn.next().ok_or("nothing to ask")?;
            black_box(self.engine.get(key, *at)?);
            Ok(())
        })?;
        Ok(1e6 / rate)
    }
}

fn compare(members: &[Member], name: &str, report: &mut Report) {
    let mut text =
        format!("A point read of {name}, microseconds:\n\n| | now | AS OF |\n|---|---|---|\n");
    for member in members {
        let (now, past) = (median(member.now.clone()), median(member.past.clone()));
        let _ = writeln!(text, "| {} | {now:.2} | {past:.2} |", member.title);
    }
    report.note(text);
    let [base, _, hundredfold, rows, many_rows, one_key, ..] = members else {
        return;
    };
    for (title, few, many, most) in [
        (
            "the same keys with 100x the history",
            base,
            hundredfold,
            1.5,
        ),
        ("100x the rows", rows, many_rows, 4.0),
        (
            "one key with a million patches, against 1,000 keys of 10",
            base,
            one_key,
            1.5,
        ),
    ] {
        for (when, few, many) in [
            ("now", &few.now, &many.now),
            ("AS OF", &few.past, &many.past),
        ] {
            let cost = median(many.clone()) / median(few.clone());
            let title = format!("cost of a read, {title}, {when}");
            report
                .measure(&title, "x", Better::Less, &[Goal(Figure, most)])
                .add(name, cost);
        }
    }
}
