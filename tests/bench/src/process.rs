//! Fresh processes: how long one lives and how much memory it takes at most.
//!
//! A child's peak memory counts what its parent held when it was started, so a small process of our own (`child spawn`)
//! starts what is measured.

use crate::clock::median;
use crate::engines::Outcome;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What some runs of a program took.
#[derive(Debug, Clone, Copy)]
pub struct Lives {
    /// Median wall time in milliseconds.
    pub ms: f64,
    /// Median CPU time in milliseconds.
    pub cpu_ms: f64,
    /// Highest resident memory in megabytes.
    pub megabytes: f64,
}

/// Runs a command `times` times from a small process; every run has to succeed and to print `expect` somewhere.
pub fn lives(times: u32, command: &[&str], expect: &str) -> Outcome<Lives> {
    let output = Command::new(std::env::current_exe()?)
        .args(["child", "spawn", &times.to_string(), expect])
        .args(command)
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        return Err(format!("{command:?} failed: {text}").into());
    }
    let mut figures = text.split_whitespace().map(str::parse::<f64>);
    match (figures.next(), figures.next(), figures.next()) {
        (Some(Ok(ms)), Some(Ok(cpu_ms)), Some(Ok(megabytes))) => Ok(Lives {
            ms,
            cpu_ms,
            megabytes,
        }),
        _ => Err(format!("{command:?} was not measured: {text}").into()),
    }
}

/// The body of `child spawn TIMES EXPECT PROGRAM ARGUMENTS..`: prints milliseconds, those of CPU time, and megabytes.
pub fn spawn(arguments: &[String]) -> Outcome<()> {
    let [times, expect, program, rest @ ..] = arguments else {
        return Err("child spawn TIMES EXPECT PROGRAM ARGUMENTS..".into());
    };
    let (mut spent, mut worked) = (Vec::new(), Vec::new());
    let mut peak = 0.0f64;
    for _ in 0..times.parse::<u32>()? {
        let begin = Instant::now();
        let mut child = Command::new(program)
            .args(rest)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut printed = String::new();
        if let Some(mut pipe) = child.stdout.take() {
            use std::io::Read;
            pipe.read_to_string(&mut printed)?;
        }
        let (ok, cpu_ms, megabytes) = wait(child.id())?;
        worked.push(cpu_ms);
        spent.push(begin.elapsed().as_secs_f64() * 1e3);
        peak = peak.max(megabytes);
        if !ok || !printed.contains(expect.as_str()) {
            return Err(format!("{program} {rest:?} printed {printed:?}").into());
        }
    }
    println!("{} {} {peak}", median(spent), median(worked));
    Ok(())
}

/// Waits for a child; answers whether it succeeded, its CPU time in milliseconds, and its peak memory in megabytes.
#[allow(unsafe_code)]
fn wait(pid: u32) -> Outcome<(bool, f64, f64)> {
    let mut status = 0;
    // SAFETY: rusage is plain numbers, for which zeros are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live locals; the child is ours and nobody else waits for it.
    let waited = unsafe { libc::wait4(i32::try_from(pid)?, &raw mut status, 0, &raw mut usage) };
    if waited < 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    let ok = libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
    let ms = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    let cpu_ms = ms(usage.ru_utime) + ms(usage.ru_stime);
    Ok((ok, cpu_ms, usage.ru_maxrss as f64 / 1024.0))
}

/// A program that cargo built beside this one.
pub fn beside(name: &str) -> Outcome<PathBuf> {
    let mut path = std::env::current_exe()?;
    path.set_file_name(name);
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} is not built", path.display()).into())
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> Outcome<&str> {
    path.to_str()
        .ok_or_else(|| "a path that is not UTF-8".into())
}
