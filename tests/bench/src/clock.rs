//! Medians, percentiles and timed loops.

use crate::engines::Outcome;
use std::time::{Duration, Instant};

/// The median of some figures; 0 of none.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// The figure that `share` (0 to 1) of the sorted figures do not exceed.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted
        .get(place.saturating_sub(1).min(last))
        .copied()
        .unwrap_or(0.0)
}

/// Calls `work` again and again for about `budget`; answers calls a second.
pub fn rate(budget: Duration, mut work: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let begin = Instant::now();
    let mut calls = 0u32;
    // The clock is read once for each doubling up to 64 calls, so that it does not weigh on fast calls.
    let mut stride = 1;
    loop {
        for _ in 0..stride {
            work()?;
        }
        calls += stride;
        let spent = begin.elapsed();
        if spent >= budget {
            return Ok(f64::from(calls) / spent.as_secs_f64());
        }
        stride = (stride * 2).min(64);
    }
}
