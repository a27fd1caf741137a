//! Hints: the nearest of the names that would have been right.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

/// The candidate that `word` was probably meant to be: the nearest by single-character edits and swaps of neighbours, ignoring case, if it is near
/// enough. The first of several equally near ones.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word
        .chars()
        .take(64)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let allowed = match word.len() {
        0 => return None,
        1..=2 => 1,
        3..=7 => 2,
        _ => 3,
    };
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other: Vec<char> = candidate
            .chars()
            .take(64)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let edits = distance(&word, &other);
        // A distance that replaces everything says nothing.
        let near = edits <= allowed && edits < word.len().max(other.len());
        if near && best.is_none_or(|(least, _)| edits < least) {
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// "did you mean X?", if there is a near candidate.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean {candidate}?"))
}

/// Edits between two words: insert, remove, replace, swap neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut edits = (cell(&last, j) + usize::from(x != y))
                .min(cell(&last, j + 1) + 1)
                .min(cell(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                edits = edits.min(cell(&before, j - 1) + 1);
            }
            row.push(edits);
        }
        before = core::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far() {
        let keywords = ["SELECT", "FROM", "WHERE", "AND", "OR", "AS"];
        assert_eq!(nearest("SELCT", keywords), Some("SELECT"));
        assert_eq!(nearest("form", keywords), Some("FROM"));
        assert_eq!(nearest("adn", keywords), Some("AND"));
        assert_eq!(nearest("whree", keywords), Some("WHERE"));
        assert_eq!(nearest("banana", keywords), None);
        assert_eq!(nearest("x", keywords), None);
        assert_eq!(nearest("", keywords), None);
        assert_eq!(nearest("order", ["orders", "other"]), Some("orders"));
    }
}
