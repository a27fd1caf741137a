//! Writes the golden databases anew, each with the dump of its history beside it.

use std::process::ExitCode;

use driftdb_tests::golden::{Golden, all, directory, dump};

fn main() -> ExitCode {
    for golden in all() {
        if let Err(what) = write(&golden) {
            eprintln!("{}: {what}", golden.name);
            return ExitCode::FAILURE;
        }
        println!("{}: {} files", golden.name, golden.files.len());
    }
    ExitCode::SUCCESS
}

fn write(golden: &Golden) -> Result<(), String> {
    let dir = directory().join(golden.name);
    let _ = std::fs::remove_dir_all(&dir);
    for (path, bytes) in golden.files.iter().filter(|(path, _)| *path != "LOCK") {
        let path = dir.join(path);
        let parent = path.parent().map(std::fs::create_dir_all);
        parent.transpose().map_err(|error| error.to_string())?;
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let lines = dump(&golden.files).map_err(|error| format!("{error:?}"))?;
    std::fs::write(dir.with_extension("jsonl"), lines).map_err(|error| error.to_string())
}
