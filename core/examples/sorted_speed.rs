//! How fast sorted files are: build, seek, walk, probe, open. `cargo run --release --example sorted_speed [entries]`.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use driftdb_core::error::{Code, Error, Result};
use driftdb_core::sorted::{
    BlockCache, Builder, Identity, Kind, Merge, Options, Reading, SortedTable, Source,
};
use driftdb_core::storage::{Blob, Synced};

struct Plain(File);

fn failed(error: std::io::Error) -> Error {
    Error::new(Code::Io, error.to_string())
}

impl Blob for Plain {
    fn len(&self) -> Result<u64> {
        Ok(self.0.metadata().map_err(failed)?.len())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset + done as u64).map_err(failed)? {
                0 => break,
                count => done += count,
            }
        }
        Ok(done)
    }

    fn append(&mut self, end: u64, bytes: &[u8]) -> Result<()> {
        self.0.write_all_at(bytes, end).map_err(failed)
    }

    fn sync(&mut self) -> Result<Synced> {
        Ok(Synced::Durable)
    }

    fn truncate(&mut self, len: u64) -> Result<()> {
        self.0.set_len(len).map_err(failed)
    }
}

fn blob(path: &std::path::Path, new: bool) -> Box<Plain> {
    let mut options = File::options();
    options.read(true).write(true);
    if new {
        options.create(true).truncate(true);
    }
    Box::new(Plain(options.open(path).expect("the file opens")))
}

/// The key of version `version` of row `row`, as the primary-key index has it.
fn key(mut row: u64, version: u64) -> [u8; 22] {
    let mut key = *b"0order00000000........";
    for digit in (6..14).rev() {
        key[digit] = b'0' + (row % 10) as u8;
        row /= 10;
    }
    key[14..].copy_from_slice(&(!version).to_be_bytes());
    key
}

const FILTERED: usize = 14;

fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// A patch or a document of JSON-like words.
fn value(seed: &mut u64, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&[1, 2, 3, 4]);
    let long = next(seed).is_multiple_of(8);
    for word in 0..if long { 12 } else { 3 } {
        out.extend_from_slice(
            format!("\u{85}member{word}\u{a6}{:x}", next(seed) & 0xff_ffff).as_bytes(),
        );
    }
}

/// The time that this process was running, where the system tells it: other processes do not count.
struct Instant(u64);

impl Instant {
    fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
        let running = stat
            .split_whitespace()
            .next()
            .and_then(|nanos| nanos.parse().ok());
        Instant(running.expect("this measures on Linux"))
    }

    fn nanos(&self) -> f64 {
        (Instant::now().0 - self.0) as f64
    }
}

fn report(name: &str, count: u64, start: Instant) {
    let nanos = start.nanos();
    println!(
        "{name:<44} {:>10.1} ns each, {:>8.1} ms",
        nanos / count as f64,
        nanos / 1e6
    );
}

fn main() -> Result<()> {
    let entries: u64 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000);
    let path = std::env::temp_dir().join(format!("sorted_speed.{}", std::process::id()));
    for compress in [false, true] {
        println!(
            "-- {entries} entries, {}",
            if compress { "compressed" } else { "raw" }
        );
        run(&path, entries, compress)?;
    }
    std::fs::remove_file(path).map_err(failed)
}

fn run(path: &std::path::Path, entries: u64, compress: bool) -> Result<()> {
    const VERSIONS: u64 = 5;
    let rows = entries / VERSIONS;
    let mut seed = 88_172_645_463_325_252;
    let mut bytes = Vec::new();
    let values: Vec<Vec<u8>> = (0..entries)
        .map(|_| {
            value(&mut seed, &mut bytes);
            bytes.clone()
        })
        .collect();
    let total: u64 = values.iter().map(|value| value.len() as u64 + 22).sum();

    let identity = Identity {
        kind: Kind::PrimaryIndex,
        id: 1,
        generation: 1,
        min_seq: 1,
        max_seq: entries,
        entries: 0,
        extra: Vec::new(),
    };
    let start = Instant::now();
    let mut builder = Builder::new(
        blob(path, true),
        "speed",
        identity,
        Options::index(compress),
    );
    for (at, value) in (0..entries).zip(&values) {
        builder.add(
            &key(at / VERSIONS, VERSIONS - at % VERSIONS),
            FILTERED,
            value,
        )?;
    }
    let built = builder.finish()?;
    let seconds = start.nanos() / 1e9;
    report("build", entries, start);
    println!(
        "    {:.0} MB/s; {} bytes of {total}: {:.1} an entry",
        total as f64 / seconds / 1e6,
        built.bytes,
        built.bytes as f64 / entries as f64
    );
    drop(values);

    let cache = BlockCache::new(1 << 30);
    let start = Instant::now();
    for _ in 0..100 {
        black_box(SortedTable::open(
            blob(path, false),
            "speed",
            Rc::clone(&cache),
        )?);
    }
    report("open", 100, start);

    let table = SortedTable::open(blob(path, false), "speed", Rc::clone(&cache))?;
    for round in ["scan cold cache", "scan again"] {
        let start = Instant::now();
        let mut cursor = table.scan(b"")?;
        let (mut count, mut sum) = (0, 0);
        while cursor.valid() {
            count += 1;
            sum += cursor.value_ref().len() + cursor.key().len();
            cursor.advance()?;
        }
        assert_eq!((count, sum as u64), (entries, total));
        report(round, entries, start);
    }

    for probes in [10_000, 300_000] {
        let start = Instant::now();
        let mut found = 0;
        for _ in 0..probes {
            let row = next(&mut seed) % rows;
            let cursor = table.seek(&key(row, 3))?;
            found += u64::from(cursor.key().starts_with(&key(row, 3)[..FILTERED]));
        }
        assert_eq!(found, probes);
        report(
            if probes == 10_000 {
                "seek, cold at first"
            } else {
                "seek"
            },
            probes,
            start,
        );
    }
    let probes = 1_000_000;
    let start = Instant::now();
    let mut sum = 0;
    for _ in 0..probes {
        let row = next(&mut seed) % rows;
        sum += table.seek(&key(row, 3))?.value().len();
    }
    black_box(sum);
    report("seek, warm", probes, start);
    let start = Instant::now();
    let mut cursor = table.cursor(Reading::Point);
    for _ in 0..probes {
        let row = next(&mut seed) % rows;
        cursor.seek(&key(row, 3))?;
        sum += cursor.value_ref().len();
    }
    black_box(sum);
    report("seek, warm, same cursor", probes, start);
    let start = Instant::now();
    for _ in 0..probes {
        let row = next(&mut seed) % 64 + rows / 2;
        cursor.seek(&key(row, 3))?;
        sum += cursor.value_ref().len();
    }
    black_box(sum);
    report("seek, 64 hot rows, same cursor", probes, start);
    for (name, shift) in [("probe, there", 0), ("probe, not there", 1)] {
        let start = Instant::now();
        let mut hits = 0u64;
        for _ in 0..probes {
            let mut key = key(next(&mut seed) % rows, 3);
            key[13] += 30 * shift;
            hits += u64::from(table.may_contain(&key[..FILTERED])?);
        }
        report(name, probes, start);
        println!("    {:.2} % said yes", hits as f64 * 100.0 / probes as f64);
    }
    let start = Instant::now();
    let mut cursor = table.seek(b"")?;
    let mut count = 0;
    while cursor.valid() {
        count += cursor.value_ref().len() + cursor.key().len();
        cursor.advance()?;
    }
    assert_eq!(count as u64, total);
    report("walk, warming", entries, start);
    for scan in [false, true] {
        let start = Instant::now();
        let mut cursor = if scan {
            table.scan(b"")?
        } else {
            table.seek(b"")?
        };
        let mut count = 0;
        while cursor.valid() {
            count += cursor.value_ref().len() + cursor.key().len();
            cursor.advance()?;
        }
        assert_eq!(count as u64, total);
        report(
            if scan { "scan, warm" } else { "walk, warm" },
            entries,
            start,
        );
    }
    for ways in [2, 4, 8] {
        let sources = (0..ways)
            .map(|_| table.scan(b""))
            .collect::<Result<Vec<_>>>()?;
        let start = Instant::now();
        let mut merge = Merge::new(sources);
        let mut count = 0;
        while merge.valid() {
            count += 1;
            merge.advance()?;
        }
        assert_eq!(count, entries);
        report(
            &format!("merge of {ways} equal, an input entry"),
            entries * ways,
            start,
        );
    }
    println!("    cache holds {} KB", cache.held() / 1024);
    Ok(())
}
