//! Opens SQLite, reads one row, prints it: `sqlite-select DIR KEY [SEQ]`.

use driftdb_bench::engines::Outcome;
use driftdb_bench::engines::sqlite_versioned::select_once;
use std::path::Path;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (dir, key, at) = match arguments.as_slice() {
        [dir, key] => (dir, key, None),
        [dir, key, at] => (dir, key, Some(at.parse()?)),
        _ => return Err("sqlite-select DIR KEY [SEQ]".into()),
    };
    let row = select_once(&Path::new(dir).join("orders.sqlite"), key, at)?;
    println!("{}", row.ok_or("no such row")?);
    Ok(())
}
