//! How much a series rose within a range, of whose edges no samples are known.
//!
//! Source: Prometheus 3, `rate`, `increase` and `delta`: the rise between first and last sample is
//! stretched to the edges of the range where samples are as near to them as to each other, else by
//! half the mean distance between samples; a counter isn't stretched to before it was zero.

use super::Window;

/// Times the mean distance between samples: nearer edges are reached.
const NEAR: f64 = 1.1;

/// A rise and by what it is to be multiplied.
pub(super) struct Rise {
    rise: f64,
    factor: f64,
}

impl Rise {
    pub(super) fn whole(&self) -> f64 {
        self.rise * self.factor
    }

    pub(super) fn per(&self, seconds: f64) -> f64 {
        self.rise * (self.factor / seconds)
    }
}

impl Window<'_> {
    /// Of a counter, that begins anew at zero wherever it falls. None of fewer than two samples.
    pub(super) fn increase(&self) -> Option<Rise> {
        let [first, .., last] = self.samples else {
            return None;
        };
        let pairs = self.samples.windows(2);
        let falls = pairs.filter(|pair| pair[1].value < pair[0].value);
        let rise = falls.fold(last.value - first.value, |rise, pair| rise + pair[0].value);
        let (sampled, to_start, to_end) = self.distances()?;
        let mut before = to_start;
        if rise > 0.0 && first.value >= 0.0 {
            before = before.min(sampled * (first.value / rise));
        }
        Some(stretched(rise, sampled, before + to_end))
    }

    /// Of a gauge. None of fewer than two samples.
    pub(super) fn difference(&self) -> Option<Rise> {
        let [first, .., last] = self.samples else {
            return None;
        };
        let (sampled, to_start, to_end) = self.distances()?;
        Some(stretched(
            last.value - first.value,
            sampled,
            to_start + to_end,
        ))
    }

    /// Between the two newest samples, for each second.
    pub(super) fn instant_rate(&self) -> Option<f64> {
        let [.., before, last] = self.samples else {
            return None;
        };
        let seconds = (last.time_ms - before.time_ms) as f64 / 1000.0;
        let rise = match last.value < before.value {
            true => last.value,
            false => last.value - before.value,
        };
        (seconds != 0.0).then_some(rise / seconds)
    }

    pub(super) fn instant_delta(&self) -> Option<f64> {
        let [.., before, last] = self.samples else {
            return None;
        };
        (last.time_ms != before.time_ms).then_some(last.value - before.value)
    }

    /// In seconds: from the first to the last sample, and how far to stretch that to either side.
    fn distances(&self) -> Option<(f64, f64, f64)> {
        let [first, .., last] = self.samples else {
            return None;
        };
        let seconds = |from_ms: i64, to_ms: i64| (to_ms - from_ms) as f64 / 1000.0;
        let sampled = seconds(first.time_ms, last.time_ms);
        let mean = sampled / (self.samples.len() - 1) as f64;
        let reached = |distance: f64| match distance >= mean * NEAR {
            true => mean / 2.0,
            false => distance,
        };
        let to_start = reached(seconds(self.start_ms, first.time_ms));
        let to_end = reached(seconds(last.time_ms, self.end_ms));
        Some((sampled, to_start, to_end))
    }
}

fn stretched(rise: f64, sampled: f64, more: f64) -> Rise {
    let factor = match sampled == 0.0 {
        true => 1.0,
        false => (sampled + more) / sampled,
    };
    Rise { rise, factor }
}
