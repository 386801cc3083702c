//! Samples, and where an evaluation finds them.

use crate::{Labels, Matcher};

/// A value at a time, in milliseconds since the epoch. NaN and infinities are values here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub time_ms: i64,
    pub value: f64,
}

/// The bits of the NaN by which Prometheus says that a series has ended.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// The value that says that a series has ended.
pub fn stale_marker() -> f64 {
    f64::from_bits(STALE)
}

/// Whether a value says that its series has ended; an ordinary NaN doesn't.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE
}

/// What an evaluation reads from.
pub trait SeriesSource {
    /// Shows every series that fulfils all `matchers` and has samples from `from_ms` to `to_ms`,
    /// both included, one after the other: its samples oldest first, stale markers among them. No
    /// order of series is promised; each comes once.
    fn select(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        visit: &mut dyn FnMut(&Labels, &[Sample]),
    );
}
