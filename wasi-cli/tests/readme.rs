//! The README's commands, run in order, answer what the README says. `UPDATE_README=1` writes the answers into it instead.
#![allow(missing_docs)]
#![cfg(unix)]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Place, driftdb};

/// A part of the README: a command with its answer, or the lines between.
enum Part {
    Text(String),
    Command { text: String, answer: String },
}

/// The README in parts. In a block of `console`, `$ ` begins a command and `> ` goes on with it.
fn parts(readme: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut console = false;
    for line in readme.lines() {
        match (console, line, parts.last_mut()) {
            (_, "```console", _) => {
                console = true;
                parts.push(Part::Text(format!("{line}\n")));
            }
            (true, "```", _) | (false, _, _) => {
                console = false;
                parts.push(Part::Text(format!("{line}\n")));
            }
            (true, _, last) => match (line.strip_prefix("$ "), line.strip_prefix("> "), last) {
                (Some(text), _, _) => {
                    parts.push(Part::Command {
                        text: text.into(),
                        answer: String::new(),
                    });
                }
                (_, Some(more), Some(Part::Command { text, answer })) if answer.is_empty() => {
                    *text = format!("{text}\n{more}");
                }
                (_, _, Some(Part::Command { answer, .. })) => *answer = format!("{answer}{line}\n"),
                _ => panic!("an answer without a command: {line}"),
            },
        }
    }
    parts
}

/// Runs a command in a shell, as on a terminal.
fn run(place: &Place, text: &str) -> String {
    let program = driftdb();
    let bin = program.parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("exec 2>&1\n{text}")])
        .current_dir(place.path());
    shell
        .env("PATH", path)
        .env("DRIFTDB_FORMAT", "table")
        .env_remove("DRIFTDB_DIR");
    String::from_utf8(shell.output().unwrap().stdout).unwrap()
}

/// Times of the clock differ from run to run.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("T").filter(|_| rest.len() >= 24) {
        let time = at
            .checked_sub(10)
            .and_then(|start| rest.get(start..start + 24));
        match time {
            Some(time) if time.ends_with('Z') && time.starts_with("20") => {
                // Those that were given are compared, this year's are not.
                let given = time.starts_with("2024") || time.starts_with("2025");
                out += &rest[..at - 10];
                out += if given { time } else { "(the clock's time)" };
                rest = &rest[at + 14..];
            }
            _ => {
                out += &rest[..=at];
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}

#[test]
fn the_commands_answer_what_it_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let place = Place::empty();
    let (mut updated, mut commands) = (String::new(), 0);
    for part in parts(&readme) {
        match part {
            Part::Text(text) => updated += &text,
            Part::Command { text, answer } => {
                commands += 1;
                let found = run(&place, &text);
                updated += &format!("$ {}\n{found}", text.replace('\n', "\n> "));
                if std::env::var_os("UPDATE_README").is_none() {
                    assert_eq!(without_times(&found), without_times(&answer), "$ {text}");
                }
            }
        }
    }
    assert!(commands > 15, "{commands} commands found");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path, updated).unwrap();
    }
}
