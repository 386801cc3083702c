//! How large a residual usually is: 1.4826 times the trailing median of its absolute value, as the
//! standard deviation of a normal one (Hampel), plus a floor that a flat series can't go below.
//!
//! The median comes from a log histogram with forgetting (half-life 1.5 days), 0.1 wide in ln and
//! interpolated within; bins are counted from the floor of the day it was fitted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;

const BINS: usize = 160;
const BIN_WIDTH: f64 = 0.1;
/// Bins below the floor: there the floor decides.
const BINS_BELOW_FLOOR: i64 = 20;
const HALF_LIFE: Duration = Duration::from_secs(36 * 3_600);
const WARM_UP: u32 = 20;

/// A streaming robust scale of absolute residuals, in the metric's unit. Bounded: 0.7 KB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResidualScale {
    histogram: Histogram,
    /// The number of the lowest bin, of all that are 0.1 wide in ln.
    lowest: Option<i64>,
    seen: u32,
}

impl Default for ResidualScale {
    fn default() -> ResidualScale {
        ResidualScale {
            histogram: Histogram::new(BINS),
            lowest: None,
            seen: 0,
        }
    }
}

impl ResidualScale {
    /// The usual size of a residual, at least `floor` (> 0); none before 20 were learnt.
    pub fn usual(&self, floor: f64) -> Option<f64> {
        let lowest = self.lowest.filter(|_| self.seen >= WARM_UP)?;
        let (bin, above) = self.histogram.highest_with(0.5);
        let share = (0.5 * self.histogram.total() - above) / self.histogram.bin(bin).max(1e-30);
        if bin == 0 {
            return Some(floor);
        }
        let position = (lowest + bin as i64 + 1) as f64 - share.clamp(0.0, 1.0);
        Some(1.4826 * libm::exp(position * BIN_WIDTH) + floor)
    }

    /// Learns an absolute residual of a series with this distance of samples.
    pub fn learn(&mut self, residual: f64, floor: f64, step: Duration) {
        let lowest = self.lowest_for(floor);
        let number = number_of(residual.max(1e-300));
        let bin = (number - lowest).clamp(0, BINS as i64 - 1) as usize;
        self.histogram.add(bin, 1.0, keep_for(HALF_LIFE, step));
        self.seen = self.seen.saturating_add(1);
    }

    /// The lowest bin; moves with a floor that has changed by more than a factor of e.
    fn lowest_for(&mut self, floor: f64) -> i64 {
        let wanted = number_of(floor) - BINS_BELOW_FLOOR;
        match self.lowest {
            Some(lowest) if (lowest - wanted).abs() <= 10 => lowest,
            Some(lowest) => {
                self.histogram.shift(lowest - wanted);
                *self.lowest.insert(wanted)
            }
            None => *self.lowest.insert(wanted),
        }
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.histogram.is_sound(BINS) && self.lowest.is_none_or(|lowest| lowest.abs() < 10_000)
    }
}

fn number_of(residual: f64) -> i64 {
    (libm::log(residual) / BIN_WIDTH).floor() as i64
}

/// The share of weight a sample keeps after one more, for a half-life of at least 20 samples.
pub(crate) fn keep_for(half_life: Duration, step: Duration) -> f64 {
    let samples = half_life.as_secs_f64() / step.as_secs_f64().max(0.001);
    libm::exp2(-1.0 / samples.max(20.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn learnt(residuals: impl Iterator<Item = f64>, floor: f64) -> ResidualScale {
        let mut scale = ResidualScale::default();
        residuals.for_each(|residual| scale.learn(residual, floor, MINUTE));
        scale
    }

    #[test]
    fn it_is_the_median_times_1_4826() {
        let scale = learnt((0..2000).map(|i| f64::from(i * 7919 % 1000) / 100.0), 0.01);
        let usual = scale.usual(0.01).unwrap();
        assert!((usual / (1.4826 * 5.0) - 1.0).abs() < 0.03, "{usual}");
    }

    #[test]
    fn a_flat_series_has_the_floor() {
        assert_eq!(learnt((0..50).map(|_| 0.0), 0.5).usual(0.5), Some(0.5));
        assert_eq!(learnt((0..19).map(|_| 1.0), 0.5).usual(0.5), None);
    }

    #[test]
    fn a_tenth_of_wild_residuals_moves_it_little() {
        let calm = |i: i32| f64::from(i * 7919 % 1000) / 100.0;
        let clean = learnt((0..2000).map(calm), 0.01).usual(0.01).unwrap();
        let wild = |i: i32| if i % 10 == 0 { 1e6 } else { calm(i) };
        let polluted = learnt((0..2000).map(wild), 0.01).usual(0.01).unwrap();
        assert!(polluted / clean < 1.2, "{clean} {polluted}");
    }

    #[test]
    fn another_floor_keeps_what_was_learnt() {
        let mut scale = learnt((0..2000).map(|_| 3.0), 0.001);
        let before = scale.usual(0.001).unwrap();
        scale.learn(3.0, 0.1, MINUTE);
        let after = scale.usual(0.1).unwrap() - 0.1 + 0.001;
        assert!((after / before - 1.0).abs() < 0.01, "{before} {after}");
    }

    proptest! {
        #[test]
        fn any_residuals_give_a_sound_scale_that_is_read_as_written(
            residuals in prop::collection::vec((0.0f64..1e18, 1e-12f64..1e6), 0..200)
        ) {
            let mut scale = ResidualScale::default();
            for (residual, floor) in residuals {
                scale.learn(residual, floor, MINUTE);
                if let Some(usual) = scale.usual(floor) {
                    prop_assert!(usual.is_finite() && usual >= floor);
                }
            }
            prop_assert!(scale.is_sound());
            let bytes = postcard::to_stdvec(&scale).unwrap();
            prop_assert_eq!(postcard::from_bytes::<ResidualScale>(&bytes).unwrap(), scale);
        }
    }
}
