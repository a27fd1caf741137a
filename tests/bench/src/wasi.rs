//! The program under WASI beside the native one: the same commands on the same rows, and how soon a fresh process answers.
//!
//! What a command takes is its CPU time less that of `--version`, so that an engine's own start is not counted twice. The engine is the one
//! that `tools/wasi-run` finds.

use crate::engines::Outcome;
use crate::process::{Lives, beside, lives, text};
use crate::random::Random;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "dist/driftdb.wasm";
const POINTS: usize = 20_000;
const SCANS: usize = 10;
const RUNS: u32 = 5;

/// A home of the program.
struct Home {
    name: String,
    program: PathBuf,
    /// Milliseconds of CPU time that it takes to say its version.
    start: f64,
}

/// Measures, and answers a section of the report. The files lie in the directory for temporary ones, which a program under WASI is given.
pub fn run(events: usize) -> Outcome<String> {
    let dir = &Path::new("/tmp").join(format!("driftdb-bench-{}", std::process::id()));
    let section = measure(dir, events);
    let _ = std::fs::remove_dir_all(dir);
    section
}

fn measure(dir: &Path, events: usize) -> Outcome<String> {
    if !Command::new("tools/build-wasi").status()?.success() {
        return Err("dist/driftdb.wasm does not build".into());
    }
    let which = Command::new("tools/wasi-run").arg("--which").output()?;
    if !which.status.success() {
        return Ok("\n## Under WASI\n\nNot measured: there is no wasmtime here.\n".into());
    }
    let homes = [
        Home::new("native".into(), beside("driftdb")?)?,
        Home::new(
            String::from_utf8_lossy(&which.stdout).trim().into(),
            "tools/wasi/driftdb".into(),
        )?,
    ];
    std::fs::create_dir_all(dir)?;
    let files = Files::write(dir, events)?;
    let mut out = String::from("\n## Under WASI\n\n");
    let _ = write!(
        out,
        "{}, {events} events; CPU time less that of a start.\n\n| measure | native | wasmtime | ratio |\n|---|---|---|---|\n",
        homes[1].name
    );
    let load = both(&homes, |home| files.load(home))?;
    line(&mut out, "load, an event", load, 1e3 / events as f64, "us");
    let points = both(&homes, |home| home.spent(&files.ask(&files.points), "k1"))?;
    line(
        &mut out,
        "point read with its statement",
        points,
        1e3 / POINTS as f64,
        "us",
    );
    let scans = both(&homes, |home| home.spent(&files.ask(&files.scans), "paid"))?;
    line(&mut out, "scan + group", scans, 1.0 / SCANS as f64, "ms");
    let past = both(&homes, |home| home.spent(&files.ask(&files.past), "paid"))?;
    line(
        &mut out,
        "scan + group AS OF N/2",
        past,
        1.0 / SCANS as f64,
        "ms",
    );
    out.push_str(&starts(&homes, &files)?);
    Ok(out)
}

impl Home {
    fn new(name: String, program: PathBuf) -> Outcome<Home> {
        let start = lives(RUNS, &[text(&program)?, "--version"], "driftdb")?.cpu_ms;
        Ok(Home {
            name,
            program,
            start,
        })
    }

    fn lives(&self, runs: u32, arguments: &[&str], expect: &str) -> Outcome<Lives> {
        let mut command = vec![text(&self.program)?];
        command.extend(arguments);
        lives(runs, &command, expect)
    }

    /// Milliseconds of CPU time without the start.
    fn spent(&self, arguments: &[&str], expect: &str) -> Outcome<f64> {
        let lived = self.lives(RUNS, arguments, expect)?;
        Ok((lived.cpu_ms - self.start).max(0.0))
    }
}

/// Native and wasmtime.
fn both(homes: &[Home; 2], measure: impl Fn(&Home) -> Outcome<f64>) -> Outcome<[f64; 2]> {
    Ok([measure(&homes[0])?, measure(&homes[1])?])
}

fn line(out: &mut String, title: &str, spent: [f64; 2], scale: f64, unit: &str) {
    let [native, wasi] = spent.map(|ms| ms * scale);
    let _ = writeln!(
        out,
        "| {title} | {native:.2} {unit} | {wasi:.2} {unit} | {:.2} |",
        wasi / native
    );
}

/// Rows, scripts and databases.
struct Files {
    database: String,
    rows: String,
    points: String,
    scans: String,
    past: String,
}

impl Files {
    fn write(dir: &Path, events: usize) -> Outcome<Files> {
        let (mut rows, mut points, mut random) = (String::new(), String::new(), Random::new(7));
        let keys = events / 2;
        for event in 0..events {
            // Each key twice: the second time over the first.
            let status = ["pending", "paid", "sent"][(random.bits() % 3) as usize];
            let _ = writeln!(
                rows,
                "{{\"id\":\"k{}\",\"status\":\"{status}\",\"amount\":{},\"customer\":\"cust{}\",\"note\":\"some words about order {event}\"}}",
                event % keys,
                event % 977,
                event % 1000
            );
        }
        for _ in 0..POINTS {
            let _ = writeln!(
                points,
                "SELECT * FROM t WHERE id = \"k{}\";",
                random.bits() % keys as u64
            );
        }
        let scan = "SELECT status, COUNT(*) AS n, SUM(amount) AS sum FROM t GROUP BY status";
        std::fs::write(dir.join("rows.jsonl"), rows)?;
        std::fs::write(dir.join("points.sql"), points)?;
        std::fs::write(dir.join("scans.sql"), format!("{scan};\n").repeat(SCANS))?;
        let past = format!("{scan} AS OF \"@seq:{}\";\n", keys);
        std::fs::write(dir.join("past.sql"), past.repeat(SCANS))?;
        Ok(Files {
            database: text(&dir.join("db"))?.into(),
            rows: text(&dir.join("rows.jsonl"))?.into(),
            points: text(&dir.join("points.sql"))?.into(),
            scans: text(&dir.join("scans.sql"))?.into(),
            past: text(&dir.join("past.sql"))?.into(),
        })
    }

    /// Loads in a fresh directory, some times.
    fn load(&self, home: &Home) -> Outcome<f64> {
        let mut spent = Vec::new();
        for _ in 0..3 {
            let _ = std::fs::remove_dir_all(&self.database);
            home.lives(1, &["init", &self.database], "made")?;
            let arguments = [
                "import",
                "-d",
                &self.database,
                "-t",
                "t",
                "--create",
                "id",
                "--index",
                "status",
                "--batch",
                "1000",
                "--upsert",
                "--durability",
                "batch",
                &self.rows,
            ];
            spent.push(home.lives(1, &arguments, "rows into t")?.cpu_ms - home.start);
        }
        Ok(crate::clock::median(spent))
    }

    fn ask<'a>(&'a self, script: &'a str) -> [&'a str; 7] {
        ["sql", "-d", &self.database, "-F", "jsonl", "-f", script]
    }
}

/// A fresh process that reads one row: the whole wall time.
fn starts(homes: &[Home; 2], files: &Files) -> Outcome<String> {
    let ask = [
        "select",
        "-d",
        &files.database,
        "-t",
        "t",
        "-w",
        "id = \"k17\"",
    ];
    let mut out = String::from(
        "\nA fresh process, from its start to its end with one row read (wall time, the runner's own included):\n\n| | ms |\n|---|---|\n",
    );
    for home in homes {
        let lived = home.lives(15, &ask, "k17")?;
        let _ = writeln!(out, "| {} | {:.1} |", home.name, lived.ms);
    }
    let mut spent = Vec::new();
    for _ in 0..3 {
        for entry in std::fs::read_dir("dist")? {
            let path = entry?.path();
            if text(&path)?.contains(".wasm.wasmtime") {
                std::fs::remove_file(path)?;
            }
        }
        spent.push(homes[1].lives(1, &ask, "k17")?.ms);
    }
    let _ = writeln!(
        out,
        "| the same, {PROGRAM} compiled first | {:.1} |",
        crate::clock::median(spent)
    );
    Ok(out)
}
