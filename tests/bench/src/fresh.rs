//! A fresh `driftdb select` beside a process that opens SQLite and reads one row: warm, AS OF, after a kill, among many tables.

use crate::clock::rate;
use crate::document::customer;
use crate::engines::{Kind, Outcome, driftdb, sqlite_versioned};
use crate::machine;
use crate::process::{beside, lives, text};
use crate::random::Random;
use crate::report::Against::{Figure, Sqlite};
use crate::report::{Better, Goal, LIMIT, OURS, Report};
use crate::standard;
use crate::workload::{Spec, key};
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const SQLITE: &str = "sqlite versioned";
const RUNS: u32 = 40;

/// What one process is asked.
struct Ask<'a> {
    dir: &'a Path,
    table: &'a str,
    key: &'a str,
    at: Option<u64>,
}

/// A program that answers, by its name in the report.
type Program = (&'static str, PathBuf);

fn programs() -> Outcome<[Program; 2]> {
    Ok([
        (OURS, beside("driftdb")?),
        (SQLITE, beside("sqlite-select")?),
    ])
}

fn arguments(name: &str, ask: &Ask<'_>) -> Outcome<Vec<String>> {
    let dir = text(ask.dir)?.to_owned();
    let mut all = if name == OURS {
        let condition = format!("id=\"{}\"", ask.key);
        [
            "select", "-d", &dir, "--table", ask.table, "--where", &condition,
        ]
        .map(str::to_owned)
        .to_vec()
    } else {
        vec![dir, ask.table.to_owned(), ask.key.to_owned()]
    };
    match ask.at {
        Some(at) if name == OURS => all.extend(["--as-of".to_owned(), format!("@seq:{at}")]),
        Some(at) => all.push(at.to_string()),
        None => {}
    }
    Ok(all)
}

/// Runs a program `runs` times and adds what its life took.
fn add(
    report: &mut Report,
    title: &str,
    goals: &[Goal],
    program: &Program,
    ask: &Ask<'_>,
    runs: u32,
) -> Outcome<()> {
    let (name, path) = program;
    let arguments = arguments(name, ask)?;
    let mut command = vec![text(path)?];
    command.extend(arguments.iter().map(String::as_str));
    let life = lives(runs, &command, ask.key)?;
    report
        .measure(title, "ms", Better::Less, goals)
        .add(name, life.ms);
    let title = format!("{title}: peak memory");
    report
        .measure(&title, "MB", Better::Less, &[Goal(Figure, 12.0)])
        .add(name, life.megabytes);
    Ok(())
}

/// Fresh processes on the databases that `standard::run` made below `dir`.
pub fn run(dir: &Path, spec: &Spec, report: &mut Report) -> Outcome<()> {
    let programs = programs()?;
    let oracle_key = live_key(spec)?;
    let equal = [Goal(Sqlite, 1.0)];
    for _ in 0..3 {
        for (title, at) in [
            ("fresh process: select by key", None),
            ("fresh process: select by key AS OF", Some(spec.events / 2)),
        ] {
            let empty = lives(RUNS, &["/bin/true"], "")?;
            report
                .measure(title, "ms", Better::Less, &equal)
                .add(LIMIT, empty.ms);
            for program in &programs {
                let dir = dir.join(program.0.replace(' ', "-"));
                let ask = Ask {
                    dir: &dir,
                    table: "orders",
                    key: &oracle_key,
                    at,
                };
                add(report, title, &equal, program, &ask, RUNS)?;
            }
        }
    }
    Ok(())
}

/// A key that is live at N/2 and at the end.
fn live_key(spec: &Spec) -> Outcome<String> {
    let mut deleted = std::collections::HashSet::new();
    for event in spec.stream() {
        if matches!(event.change, crate::workload::Change::Delete) {
            deleted.insert(event.key);
        }
    }
    let all = (0..spec.keys).map(key);
    all.into_iter()
        .find(|key| !deleted.contains(key))
        .ok_or_else(|| "every key is deleted once".into())
}

/// Kills a load past its middle, several copies of what it left are opened by fresh processes.
pub fn killed(kinds: &[Kind], dir: &Path, spec: &Spec, report: &mut Report) -> Outcome<()> {
    let key = live_key(spec)?;
    for program in &programs()? {
        let Some(kind) = kinds.iter().find(|kind| kind.name == program.0) else {
            continue;
        };
        let made = dir.join(format!("killed-{}", kind.name.replace(' ', "-")));
        machine::fresh(&made)?;
        eprintln!("killing a load of {}", kind.name);
        kill_a_load(kind, &made, spec)?;
        for round in 0..5 {
            let copy = dir.join(format!("killed-copy-{round}"));
            if copy.exists() {
                std::fs::remove_dir_all(&copy)?;
            }
            machine::copy(&made, &copy)?;
            let ask = Ask {
                dir: &copy,
                table: "orders",
                key: &key,
                at: Some(spec.events / 2),
            };
            add(
                report,
                "fresh process after kill -9 in a load",
                &[Goal(Figure, 50.0)],
                program,
                &ask,
                1,
            )?;
            std::fs::remove_dir_all(&copy)?;
        }
    }
    Ok(())
}

fn kill_a_load(kind: &Kind, dir: &Path, spec: &Spec) -> Outcome<()> {
    let events = spec.events.to_string();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["child", "load", kind.name, text(dir)?, &events])
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(child.stdout.take().ok_or("no pipe")?).lines();
    let until = spec.events * 6 / 10 + 7000;
    for line in lines {
        if line?.parse::<u64>()? >= until {
            break;
        }
    }
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// The body of `child load ENGINE DIR EVENTS`: loads and says after every batch up to where.
pub fn load_child(kinds: &[Kind], arguments: &[String]) -> Outcome<()> {
    let [name, dir, events] = arguments else {
        return Err("child load ENGINE DIR EVENTS".into());
    };
    let kind = kinds
        .iter()
        .find(|kind| kind.name == name)
        .ok_or("no such engine")?;
    let spec = Spec::standard(events.parse()?);
    let mut engine = (kind.open)(Path::new(dir))?;
    standard::stream(&spec, |batch| {
        let spent = standard::load_batch(engine.as_mut(), batch)?;
        println!("{}", batch.last().map_or(0, |event| event.seq));
        Ok(spent)
    })?;
    engine.close()?;
    println!("closed");
    Ok(())
}

/// Peak memory of a process that loads and closes.
pub fn load_memory(kinds: &[Kind], dir: &Path, spec: &Spec, report: &mut Report) -> Outcome<()> {
    let me = std::env::current_exe()?;
    let events = spec.events.to_string();
    for kind in kinds {
        let dir = dir.join("load-memory");
        machine::fresh(&dir)?;
        eprintln!("weighing a load of {}", kind.name);
        let life = lives(
            1,
            &[text(&me)?, "child", "load", kind.name, text(&dir)?, &events],
            "closed",
        )?;
        let title = format!("peak memory of a load of {events} events");
        report
            .measure(&title, "MB", Better::Less, &[Goal(Figure, 256.0)])
            .add(kind.name, life.megabytes);
        std::fs::remove_dir_all(&dir)?;
    }
    Ok(())
}

/// A database of a thousand tables, one row of one of them.
pub fn thousand_tables(dir: &Path, report: &mut Report) -> Outcome<()> {
    let programs = programs()?;
    let batch = Spec::with_keys(100, 100).stream().batch(100);
    let places = programs
        .each_ref()
        .map(|(name, _)| dir.join(format!("tables-{}", name.replace(' ', "-"))));
    for ((name, _), place) in programs.iter().zip(&places) {
        machine::fresh(place)?;
        eprintln!("making 1,000 tables in {name}");
        if *name == OURS {
            driftdb::many(place, 1000, &batch)?;
        } else {
            sqlite_versioned::many(place, 1000, &batch)?;
        }
    }
    for _ in 0..3 {
        for (program, place) in programs.iter().zip(&places) {
            let ask = Ask {
                dir: place,
                table: "t567",
                key: &key(42),
                at: None,
            };
            add(
                report,
                "fresh process among 1,000 tables",
                &[Goal(Sqlite, 1.0)],
                program,
                &ask,
                RUNS,
            )?;
        }
    }
    Ok(())
}

/// The body of `child read ENGINE DIR EVENTS MEASURE SECONDS`: one kind of read again and again, for a profiler.
pub fn read_child(kinds: &[Kind], arguments: &[String]) -> Outcome<()> {
    let [name, dir, events, measure, seconds] = arguments else {
        return Err("child read ENGINE DIR EVENTS MEASURE SECONDS".into());
    };
    let kind = kinds
        .iter()
        .find(|kind| kind.name == name)
        .ok_or("no such engine")?;
    let spec = Spec::standard(events.parse()?);
    let mut engine = (kind.open)(Path::new(dir))?;
    let mut random = Random::new(1);
    let budget = Duration::from_secs(seconds.parse()?);
    let rate = rate(budget, || {
        let at = measure
            .ends_with("-at")
            .then(|| 1 + random.below(spec.events));
        match measure.trim_end_matches("-at") {
            "get" => {
                black_box(engine.get(&key(random.below(spec.keys)), at)?);
            }
            "lookup" => {
                black_box(engine.lookup(&customer(random.below(spec.customers)), at)?);
            }
            "history" => {
                black_box(engine.history(&key(random.below(spec.keys)))?);
            }
            "groups" => {
                black_box(engine.groups(at.map(|_| spec.events / 2))?);
            }
            _ => return Err("get, get-at, lookup, lookup-at, history, groups or groups-at".into()),
        }
        Ok(())
    })?;
    println!("{rate:.1}/s");
    engine.close()
}
