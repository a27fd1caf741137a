//! A process of the test `processes`: writes transfers between accounts in three tables, or reads and checks them.
//!
//! `transfer write DIR COUNT` and `transfer read DIR NUMBER`. The writer puts the number of the newest acknowledged
//! transaction into the file `acknowledged` beside DIR; the readers stop once the file `done` is there.
//! What always holds: all balances together are what they were at first, and the row `last` is the same in all tables.

use std::path::Path;
use std::process::ExitCode;

use driftdb_core::time::Timestamp;
use driftdb_core::{Code, Error};
use driftdb_tests::backup::{backup, in_place};
use driftdb_tests::engine::{Engine, Settings, small};
use driftdb_tests::random::Random;

const TABLES: [&str; 3] = ["cash", "bank", "loans"];
const ACCOUNTS: u64 = 8;
const BALANCE: i64 = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["write", dir, count] => write(Path::new(dir), count.parse().unwrap_or(0)),
        ["read", dir, number] => read(Path::new(dir), number.parse().unwrap_or(0)),
        _ => Err("usage: transfer write DIR COUNT | transfer read DIR NUMBER".to_string()),
    };
    match outcome {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}

fn settings() -> Settings {
    Settings {
        segment_bytes: 16 << 10,
        memtable_events: 50,
        snapshot_events: 200,
        ..small()
    }
}

fn text(what: &str) -> impl Fn(Error) -> String + '_ {
    move |error| format!("{what}: {error:?}")
}

fn open(dir: &Path) -> Result<Engine, String> {
    Engine::open_dir(dir, &settings()).map_err(text("opening for writing"))
}

fn write(dir: &Path, count: u64) -> Result<String, String> {
    let mut engine = open(dir)?;
    let mut balances = [[BALANCE; ACCOUNTS as usize]; 3];
    let mut random = Random::new(count);
    for table in TABLES {
        engine
            .statement(&format!("CREATE TABLE {table} (pk=id)"), 0)
            .map_err(text("creating"))?;
    }
    let mut first = Vec::new();
    for table in TABLES {
        first.extend(
            (0..ACCOUNTS)
                .map(|id| format!("INSERT INTO {table} {{\"id\": {id}, \"balance\": {BALANCE}}}")),
        );
        first.push(format!(
            "INSERT INTO {table} {{\"id\": \"last\", \"number\": 0}}"
        ));
    }
    commit(&mut engine, &first, 1)?;
    acknowledge(dir, 0)?;
    for number in 1..=count {
        let statements = transfer(&mut balances, &mut random, number);
        commit(&mut engine, &statements, number)?;
        acknowledge(dir, number)?;
        engine = housekeeping(engine, dir, &mut random, number)?;
    }
    engine.close().map_err(text("closing"))?;
    Ok(format!("{count} transactions"))
}

/// Moves money between two accounts of different tables, and numbers the transaction in all three.
fn transfer(
    balances: &mut [[i64; ACCOUNTS as usize]; 3],
    random: &mut Random,
    number: u64,
) -> Vec<String> {
    let (from, amount) = (random.index(3), random.below(50) as i64);
    let to = (from + 1 + random.index(2)) % 3;
    let mut statements = Vec::new();
    for (table, change) in [(from, -amount), (to, amount)] {
        let account = random.index(ACCOUNTS as usize);
        balances[table][account] += change;
        let balance = balances[table][account];
        statements.push(format!(
            "PATCH {} KEY {account} SET {{\"balance\": {balance}}}",
            TABLES[table]
        ));
    }
    let filler = "x".repeat(random.index(300));
    for table in TABLES {
        statements.push(format!(
            "PATCH {table} KEY \"last\" SET {{\"number\": {number}, \"filler\": \"{filler}\"}}"
        ));
    }
    statements
}

fn commit(engine: &mut Engine, statements: &[String], clock: u64) -> Result<(), String> {
    engine.statement("BEGIN", clock).map_err(text("BEGIN"))?;
    for statement in statements {
        engine
            .statement(statement, clock)
            .map_err(text(statement))?;
    }
    engine.statement("COMMIT", clock).map_err(text("COMMIT"))?;
    Ok(())
}

fn acknowledge(dir: &Path, number: u64) -> Result<(), String> {
    let file = dir.with_extension("acknowledged");
    let fresh = dir.with_extension("fresh");
    std::fs::write(&fresh, number.to_string())
        .and_then(|()| std::fs::rename(&fresh, &file))
        .map_err(|e| e.to_string())
}

/// Compaction, snapshots, maintenance and reopening, each now and then.
fn housekeeping(
    mut engine: Engine,
    dir: &Path,
    random: &mut Random,
    number: u64,
) -> Result<Engine, String> {
    let table = *random.pick(&TABLES);
    if number.is_multiple_of(37) {
        engine
            .statement(&format!("SNAPSHOT {table}"), number)
            .map_err(text("SNAPSHOT"))?;
    }
    if number.is_multiple_of(23) {
        engine.maintain().map_err(text("maintaining"))?;
    }
    if number.is_multiple_of(101) {
        let since = engine
            .head()
            .map_err(text("the head"))?
            .0
            .saturating_sub(200)
            .max(1);
        let statement = format!("COMPACT {table} KEEP SINCE \"@seq:{since}\"");
        match engine.statement(&statement, number) {
            Err(error) if error.code() == Code::BeforeHorizon => {}
            other => drop(other.map_err(text(&statement))?),
        }
    }
    if number.is_multiple_of(150) {
        engine.close().map_err(text("closing"))?;
        return open(dir);
    }
    Ok(engine)
}

fn read(dir: &Path, number: u64) -> Result<String, String> {
    let mut random = Random::new(number);
    let (mut rounds, mut past, mut newest, mut backups) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut engine = None;
    loop {
        let done = dir.with_extension("done").exists();
        let acknowledged =
            std::fs::read_to_string(dir.with_extension("acknowledged")).unwrap_or_default();
        let Ok(acknowledged) = acknowledged.trim().parse::<u64>() else {
            if done {
                return Err("the writer is gone before its first commit".to_string());
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
            continue;
        };
        let mut reader = match engine.take() {
            Some(reader) if !random.chance(5) => reader,
            _ => Engine::open_reader_dir(dir, &settings()).map_err(text("opening a reader"))?,
        };
        let head = reader.head().map_err(text("refreshing"))?.0;
        match balanced(&mut reader, &format!("@seq:{head}"))? {
            Some(seen) if seen < acknowledged.max(newest) => {
                return Err(format!(
                    "at seq {head} transaction {seen}, after {newest} and {acknowledged} were there"
                ));
            }
            Some(seen) => newest = seen,
            None => {}
        }
        // Transaction N is committed at time N.
        let earlier = newest.saturating_sub(random.below(80)).max(1);
        if let Some(seen) =
            balanced(&mut reader, &Timestamp(earlier).to_string())?.filter(|_| newest > 0)
        {
            if seen != earlier {
                return Err(format!(
                    "at the time of transaction {earlier} there is {seen}"
                ));
            }
            past += 1;
        }
        if rounds.is_multiple_of(5) {
            let (head, seen) = backed_up(&mut reader)?;
            if seen < newest {
                return Err(format!(
                    "a backup up to seq {head} ends with transaction {seen}, after {newest} was there"
                ));
            }
            backups += 1;
        }
        rounds += 1;
        engine = Some(reader);
        if done {
            return Ok(format!(
                "{rounds} rounds, {past} past states, {backups} backups, up to transaction {newest}"
            ));
        }
    }
}

/// Backs the database up and checks the copy; the last seq in it and its last transaction.
fn backed_up(reader: &mut Engine) -> Result<(u64, u64), String> {
    let bytes = backup(&mut reader.db).map_err(text("backing up"))?;
    let mut copy = in_place(&bytes, &settings()).map_err(text("opening a backup"))?;
    let head = copy.head().map_err(text("the backup's head"))?.0;
    let seen = balanced(&mut copy, &format!("@seq:{head}"))?;
    let seen = seen.ok_or("a backup that ends before a horizon of its own")?;
    Ok((head, seen))
}

/// Checks all tables at a point, which is the end of a transaction; answers the number of the newest transaction there, or nothing before a horizon.
fn balanced(reader: &mut Engine, point: &str) -> Result<Option<u64>, String> {
    let mut sum = 0;
    let mut numbers = Vec::new();
    for table in TABLES {
        let query = format!("SELECT * FROM {table} AS OF \"{point}\"");
        let rows = match reader.rows(&query) {
            Err(error) if error.code() == Code::BeforeHorizon => return Ok(None),
            rows => rows.map_err(text(&query))?,
        };
        if rows.len() as u64 != ACCOUNTS + 1 {
            return Err(format!("{query}: {} rows", rows.len()));
        }
        sum += rows
            .iter()
            .filter_map(|row| row.get("balance")?.as_i64())
            .sum::<i64>();
        numbers.extend(rows.iter().filter_map(|row| row.get("number")?.as_u64()));
    }
    let expected = BALANCE * ACCOUNTS as i64 * TABLES.len() as i64;
    let whole = numbers.len() == TABLES.len()
        && numbers.iter().all(|number| Some(number) == numbers.first());
    match numbers.first() {
        Some(number) if whole && sum == expected => Ok(Some(*number)),
        _ => Err(format!(
            "at {point}: transactions {numbers:?}, sum {sum} of {expected}"
        )),
    }
}
