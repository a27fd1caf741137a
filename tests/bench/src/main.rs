//! `make bench`: measures DriftDB beside SQLite, redb and the limits of the machine.

use driftdb_bench::engines::{self, Kind, Outcome};
use driftdb_bench::report::{OURS, Report};
use driftdb_bench::workload::Spec;
use driftdb_bench::{durable, fresh, growth, machine, process, standard, wasi};
use std::path::{Path, PathBuf};
use std::process::Command;

const USAGE: &str =
    "driftdb-bench [--quick | --long | --events N] [--part PART]... [--ours] [--dir DIR] [--write]

  --quick      100,000 events only
  --long       10,000,000 events too
  --events N   N events only
  --part PART  only this part: standard, commits, fresh, growth, wasi (may be given more than once)
  --ours       only DriftDB and the limits of the machine
  --dir DIR    where the databases are made (default: bench-data beside the build)
  --write      the report also goes to docs/BENCHMARKS.md";

struct Options {
    sizes: Vec<u64>,
    parts: Vec<String>,
    ours: bool,
    long: bool,
    dir: PathBuf,
    write: bool,
}

fn options(arguments: &[String]) -> Outcome<Options> {
    let mut options = Options {
        sizes: vec![100_000, 1_000_000],
        parts: Vec::new(),
        ours: false,
        long: false,
        dir: std::env::current_exe()?.with_file_name("bench-data"),
        write: false,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--quick" => options.sizes = vec![100_000],
            "--long" => options.long = true,
            "--events" => options.sizes = vec![rest.next().ok_or(USAGE)?.parse()?],
            "--part" => options.parts.push(rest.next().ok_or(USAGE)?.clone()),
            "--ours" => options.ours = true,
            "--dir" => options.dir = rest.next().ok_or(USAGE)?.into(),
            "--write" => options.write = true,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

impl Options {
    fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }

    fn kinds(&self) -> Vec<Kind> {
        let all = engines::all().into_iter();
        all.filter(|kind| !self.ours || kind.name == OURS).collect()
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Err(failure) = run(&arguments) {
        eprintln!("driftdb-bench: {failure}");
        std::process::exit(1);
    }
}

fn run(arguments: &[String]) -> Outcome<()> {
    if let [first, second, rest @ ..] = arguments
        && first == "child"
    {
        return match second.as_str() {
            "spawn" => process::spawn(rest),
            "read" => fresh::read_child(&engines::all(), rest),
            "load" => fresh::load_child(&engines::all(), rest),
            _ => Err(USAGE.into()),
        };
    }
    let options = options(arguments)?;
    let mut text = String::from("# Benchmarks\n\n");
    text.push_str("Written by `make bench`. All engines ran in turn in one run; figures are medians of its rounds.\n\n");
    for fact in machine::facts() {
        text.push_str(&format!("- {fact}\n"));
    }
    if options.wants("fresh") {
        build("driftdb")?;
    }
    for events in &options.sizes {
        let part = size(&options, &options.kinds(), *events)?;
        text.push_str(&part);
    }
    if options.wants("commits") {
        let mut report = Report::default();
        durable::run(&options.kinds(), &options.dir, 10, 200, &mut report)?;
        text.push_str(&section("Single commits", &report));
    }
    if options.wants("growth") {
        let mut report = Report::default();
        let base = 10_000;
        for kind in options.kinds().iter().filter(|kind| kind.name == OURS) {
            growth::run(*kind, &options.dir, base, options.long, &mut report)?;
        }
        text.push_str(&section("Longer histories and more rows", &report));
    }
    if options.wants("wasi") {
        build("driftdb")?;
        text.push_str(&wasi::run(100_000)?);
    }
    if options.long {
        // SQLite and redb take hours here: the machine's limit stands beside.
        let kinds: Vec<Kind> = engines::all()
            .into_iter()
            .filter(|kind| kind.name == OURS)
            .collect();
        text.push_str(&size(&options, &kinds, 10_000_000)?);
    }
    println!("{text}");
    if options.write {
        std::fs::write(Path::new("docs").join("BENCHMARKS.md"), &text)?;
    }
    Ok(())
}

/// Everything that is measured at one size.
fn size(options: &Options, kinds: &[Kind], events: u64) -> Outcome<String> {
    let mut report = Report::default();
    let dir = options.dir.join(events.to_string());
    let spec = Spec::standard(events);
    if options.wants("standard") {
        let loads = if events <= 100_000 { 3 } else { 1 };
        standard::run(kinds, &dir, &spec, loads, 5, &mut report)?;
    }
    if options.wants("fresh") {
        fresh::run(&dir, &spec, &mut report)?;
        fresh::killed(kinds, &dir, &spec, &mut report)?;
        fresh::load_memory(kinds, &dir, &spec, &mut report)?;
        fresh::thousand_tables(&dir, &mut report)?;
    }
    Ok(section(&format!("{events} events"), &report))
}

fn section(title: &str, report: &Report) -> String {
    if report.is_empty() {
        return String::new();
    }
    format!("\n## {title}\n\n{}", report.markdown())
}

/// Builds another program of the workspace beside this one.
fn build(package: &str) -> Outcome<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "-p", package])
        .status()?;
    if built.success() {
        Ok(())
    } else {
        Err(format!("{package} does not build").into())
    }
}
