//! `make bench`: measures DriftDB beside SQLite, redb and the limits of the machine.

use driftdb_bench::engines::{self, Outcome};
use driftdb_bench::report::Report;
use driftdb_bench::workload::Spec;
use driftdb_bench::{durable, machine, process, standard};
use std::path::PathBuf;

const USAGE: &str = "driftdb-bench [--quick | --long | --events N] [--dir DIR] [--write]

  --quick      100,000 events only
  --long       10,000,000 events too
  --events N   N events only
  --dir DIR    where the databases are made (default: bench-data beside the build)
  --write      the report also goes to docs/BENCHMARKS.md";

struct Options {
    sizes: Vec<u64>,
    dir: PathBuf,
    write: bool,
}

fn options(arguments: &[String]) -> Outcome<Options> {
    let mut options = Options {
        sizes: vec![100_000, 1_000_000],
        dir: std::env::current_exe()?.with_file_name("bench-data"),
        write: false,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--quick" => options.sizes = vec![100_000],
            "--long" => options.sizes.push(10_000_000),
            "--events" => options.sizes = vec![rest.next().ok_or(USAGE)?.parse()?],
            "--dir" => options.dir = rest.next().ok_or(USAGE)?.into(),
            "--write" => options.write = true,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, second, rest @ ..] = arguments.as_slice()
        && first == "child"
    {
        return match second.as_str() {
            "spawn" => process::spawn(rest),
            _ => Err(USAGE.into()),
        };
    }
    let options = options(&arguments)?;
    let mut text = String::new();
    for fact in machine::facts() {
        text.push_str(&format!("- {fact}\n"));
    }
    let kinds = engines::all();
    for events in &options.sizes {
        let mut report = Report::default();
        let dir = options.dir.join(events.to_string());
        let loads = if *events <= 100_000 { 3 } else { 1 };
        standard::run(
            &kinds,
            &dir,
            &Spec::standard(*events),
            loads,
            5,
            &mut report,
        )?;
        text.push_str(&format!("\n## {events} events\n\n{}", report.markdown()));
    }
    let mut report = Report::default();
    durable::run(&kinds, &options.dir, 10, 200, &mut report)?;
    text.push_str(&format!("\n## Commits\n\n{}", report.markdown()));
    println!("{text}");
    Ok(())
}
