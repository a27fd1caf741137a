//! Derived files change no answer: delete any of them, or put back copies from an earlier moment.

use driftdb_tests::budget::{pick, seeds};
use driftdb_tests::check::Depth;
use driftdb_tests::fault::FaultStore;
use driftdb_tests::random::Random;
use driftdb_tests::recovery::recover;
use driftdb_tests::small::{Files, Small, database, is_derived};

/// The database of these files answers as before, goes on, and answers again.
fn same_answers(small: &Small, files: Files, what: &str, seed: u64) -> u64 {
    let store = FaultStore::from_files(files);
    recover(
        &store,
        &small.settings,
        &small.oracle,
        None,
        Depth::Some(6),
        seed,
    )
    .unwrap_or_else(|wrong| panic!("{what}\n{wrong}"))
}

#[test]
fn every_subset_deleted() {
    let (mut cases, mut answers) = (0, 0);
    for seed in seeds(2, 20) {
        let small = database(seed, 50);
        let derived: Vec<&String> = small.files.keys().filter(|path| is_derived(path)).collect();
        for (number, subset) in subsets(derived.len(), pick(150, 4096), seed)
            .into_iter()
            .enumerate()
        {
            let gone: Vec<&String> = derived
                .iter()
                .zip(&subset)
                .filter(|(_, gone)| **gone)
                .map(|(path, _)| *path)
                .collect();
            let mut files = small.files.clone();
            files.retain(|path, _| !gone.contains(&path));
            let what = format!("seed {seed}: without {gone:?}");
            answers += same_answers(&small, files, &what, number as u64);
            cases += 1;
        }
    }
    println!("derived files: {cases} subsets deleted, {answers} answers compared");
}

/// Every subset if they are few; else each alone, all but each, all, and random ones up to the count.
fn subsets(len: usize, count: usize, seed: u64) -> Vec<Vec<bool>> {
    if len < 20 && 1 << len <= count {
        return (0..1_usize << len)
            .map(|bits| (0..len).map(|index| bits >> index & 1 == 1).collect())
            .collect();
    }
    let mut random = Random::new(seed);
    let mut all = vec![vec![true; len]];
    for one in 0..len {
        all.push((0..len).map(|index| index == one).collect());
        all.push((0..len).map(|index| index != one).collect());
    }
    while all.len() < count {
        let percent = [20, 50, 80][random.index(3)];
        all.push((0..len).map(|_| random.chance(percent)).collect());
    }
    all
}

#[test]
fn stale_copies_put_back() {
    let (mut cases, mut answers) = (0, 0);
    for seed in seeds(2, 20) {
        let small = database(seed, 50);
        for (number, stale) in stale_sets(&small, pick(120, 2000), seed)
            .into_iter()
            .enumerate()
        {
            let mut files = small.files.clone();
            let names: Vec<&String> = stale.keys().collect();
            let what = format!("seed {seed}, case {number}: stale {names:?}");
            files.extend(stale);
            answers += same_answers(&small, files, &what, number as u64);
            cases += 1;
        }
    }
    println!("derived files: {cases} sets of stale copies put back, {answers} answers compared");
}

/// Copies from before: each earlier moment's files together, each different copy alone, and random mixtures.
fn stale_sets(small: &Small, count: usize, seed: u64) -> Vec<Files> {
    let mut copies: Vec<(String, Vec<u8>)> = Vec::new();
    let mut sets = Vec::new();
    for moment in &small.earlier {
        let derived: Files = moment
            .iter()
            .filter(|(path, _)| is_derived(path))
            .map(|(p, b)| (p.clone(), b.clone()))
            .collect();
        copies.extend(
            derived
                .iter()
                .map(|(path, bytes)| (path.clone(), bytes.clone())),
        );
        sets.push(derived);
    }
    copies.sort();
    copies.dedup();
    copies.retain(|(path, bytes)| small.files.get(path) != Some(bytes));
    let mut random = Random::new(seed);
    let step = copies.len().div_ceil(count / 2).max(1);
    sets.extend(
        copies
            .iter()
            .step_by(step)
            .map(|copy| Files::from([copy.clone()])),
    );
    while sets.len() < count && !copies.is_empty() {
        sets.push(
            (0..1 + random.below(6))
                .map(|_| random.pick(&copies).clone())
                .collect(),
        );
    }
    sets
}
