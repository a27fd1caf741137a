//! On what the figures were measured.

use std::fs;
use std::path::Path;

/// One fact a line: processor, memory, kernel, versions.
pub fn facts() -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut facts = vec![format!(
        "{} x {}, {} of memory, Linux {}",
        cores,
        field("/proc/cpuinfo", "model name"),
        memory(),
        line("/proc/sys/kernel/osrelease"),
    )];
    facts.push(format!(
        "load at the start: {}",
        line("/proc/loadavg")
            .split(' ')
            .take(3)
            .collect::<Vec<_>>()
            .join(" ")
    ));
    facts.push(format!(
        "SQLite {}, redb 4, every cache {} MiB",
        rusqlite::version(),
        crate::engines::CACHE_BYTES >> 20
    ));
    facts
}

fn memory() -> String {
    let kilobytes: u64 = field("/proc/meminfo", "MemTotal")
        .trim_end_matches(" kB")
        .parse()
        .unwrap_or(0);
    format!("{} GB", kilobytes.div_ceil(1 << 20))
}

fn line(path: &str) -> String {
    fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn field(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let found = text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    });
    found.unwrap_or_else(|| "unknown".to_owned())
}

/// The bytes of all files under a directory.
pub fn bytes_under(dir: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += if meta.is_dir() {
            bytes_under(&entry.path())?
        } else {
            meta.len()
        };
    }
    Ok(bytes)
}

/// Copies a directory with all under it.
pub fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.metadata()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// An empty directory, whatever was there before.
pub fn fresh(dir: &Path) -> std::io::Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    fs::create_dir_all(dir)
}
