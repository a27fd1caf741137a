//! Medians, percentiles and timed loops.
//!
//! Reads from warm caches wait for nothing, so they are measured in CPU time of the thread, which other work on the machine
//! disturbs least; what syncs is measured in wall time.

use crate::engines::Outcome;
use std::time::Duration;

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
    let begin = cpu();
    let mut calls = 0u32;
    // The clock is read once for each doubling up to 64 calls, so that it does not weigh on fast calls.
    let mut stride = 1;
    loop {
        for _ in 0..stride {
            work()?;
        }
        calls += stride;
        let spent = cpu().saturating_sub(begin);
        if spent >= budget {
            return Ok(f64::from(calls) / spent.as_secs_f64());
        }
        stride = (stride * 2).min(64);
    }
}

/// The CPU time that this thread has used.
#[allow(unsafe_code)]
pub fn cpu() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a live local of the right type; this clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanoseconds)
}
