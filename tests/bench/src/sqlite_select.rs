//! Opens SQLite, reads one row, prints it: `sqlite-select DIR TABLE KEY [SEQ]`.

use driftdb_bench::engines::Outcome;
use driftdb_bench::engines::sqlite_versioned::select_once;
use std::path::Path;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (dir, table, key, at) = match arguments.as_slice() {
        [dir, table, key] => (dir, table, key, None),
        [dir, table, key, at] => (dir, table, key, Some(at.parse()?)),
        _ => return Err("sqlite-select DIR TABLE KEY [SEQ]".into()),
    };
    let row = select_once(&Path::new(dir).join("orders.sqlite"), table, key, at)?;
    println!("{}", row.ok_or("no such row")?);
    Ok(())
}
