//! How far the hunts go: bounded by default, long with `DRIFTDB_HUNT=long`.

/// Whether the long form is asked for.
pub fn is_long() -> bool {
    std::env::var("DRIFTDB_HUNT").is_ok_and(|value| value == "long")
}

/// The first in the bounded form, the second in the long one.
pub fn pick<T>(bounded: T, long: T) -> T {
    if is_long() { long } else { bounded }
}

/// The seeds of a hunt: a few fixed ones, or many. `DRIFTDB_SEED` chooses one alone.
pub fn seeds(bounded: u64, long: u64) -> Vec<u64> {
    match std::env::var("DRIFTDB_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        Some(seed) => vec![seed],
        None => (1..=pick(bounded, long)).collect(),
    }
}
