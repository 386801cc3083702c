//! Samples and gaps: the one gate through which numbers enter.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A usable observation: a finite value and the time it was measured at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    pub time: Timestamp,
    pub value: f64,
}

impl Sample {
    /// The gate: NaN and infinities, and values outside `valid`, become gaps. Minus zero becomes
    /// zero and subnormal numbers become zero, so that equal values have equal bits.
    ///
    /// # Errors
    /// [`Gap::NonFinite`] or [`Gap::OutOfRange`].
    pub fn admit(time: Timestamp, value: f64, valid: (f64, f64)) -> Result<Sample, Gap> {
        if !value.is_finite() {
            return Err(Gap::NonFinite);
        }
        if value < valid.0 || value > valid.1 {
            return Err(Gap::OutOfRange);
        }
        let value = if value.is_normal() { value } else { 0.0 };
        Ok(Sample { time, value })
    }
}

/// Why there is no usable sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// The source answered and knows no such series.
    NoData,
    /// The service had no traffic, so there is nothing to measure.
    Idle,
    /// The newest sample is too old.
    Stale,
    /// The newest sample was judged before; it isn't a new observation.
    Repeated,
    /// NaN or an infinity.
    NonFinite,
    /// Outside the metric's valid range.
    OutOfRange,
    /// Several series answered where one was expected.
    Ambiguous,
    /// The query failed; other metrics may have answered.
    QueryFailed,
    /// The source could not be asked at all.
    SourceDown,
}

impl Gap {
    pub const ALL: [Gap; 9] = [
        Gap::NoData,
        Gap::Idle,
        Gap::Stale,
        Gap::Repeated,
        Gap::NonFinite,
        Gap::OutOfRange,
        Gap::Ambiguous,
        Gap::QueryFailed,
        Gap::SourceDown,
    ];

    /// The name used in the API, in telemetry and in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Gap::NoData => "no_data",
            Gap::Idle => "idle",
            Gap::Stale => "stale",
            Gap::Repeated => "repeated",
            Gap::NonFinite => "non_finite",
            Gap::OutOfRange => "out_of_range",
            Gap::Ambiguous => "ambiguous",
            Gap::QueryFailed => "query_failed",
            Gap::SourceDown => "source_down",
        }
    }

    /// The reason in an operator's words.
    pub fn in_words(self) -> &'static str {
        match self {
            Gap::NoData => "Prometheus has no such series for this service",
            Gap::Idle => "idle: no traffic, so there is nothing to measure",
            Gap::Stale => "the newest sample is too old",
            Gap::Repeated => "no new sample since the last evaluation",
            Gap::NonFinite => "the value is not a finite number",
            Gap::OutOfRange => "the value is outside the metric's valid range",
            Gap::Ambiguous => "several series answered where one was expected",
            Gap::QueryFailed => "the query failed",
            Gap::SourceDown => "Prometheus could not be asked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_values_pass_the_gate() {
        let admit = |value| Sample::admit(Timestamp::EPOCH, value, (0.0, 100.0));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(admit(bad), Err(Gap::NonFinite));
        }
        assert_eq!(admit(1e308), Err(Gap::OutOfRange));
        assert_eq!(admit(-0.5), Err(Gap::OutOfRange));
        for zero in [-0.0, 5e-324] {
            assert_eq!(admit(zero).unwrap().value.to_bits(), 0.0_f64.to_bits());
        }
    }
}
