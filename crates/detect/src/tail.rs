//! From a statistic to a tail probability: the estimates of [`crate::Calibrator`] in half its
//! memory and a fraction of its additions.
//!
//! A histogram of ln(statistic) with exponential forgetting gives the body of the distribution;
//! above its upper 2 % a Pareto tail continues it (Hill's estimator with a weak prior of 0.25, so
//! that a young tail is neither endless nor cut). Values judged rarer than 1 in 10,000 enter with
//! weight 0.3, so that an episode doesn't soon call itself usual.

use serde::{Deserialize, Serialize};

use crate::calibrate::{
    BIN_WIDTH, BINS, EXTREME_RARITY, EXTREME_WEIGHT, HILL_MIN, HILL_PRIOR, HILL_PRIOR_WEIGHT,
    LOWEST, RARITY_MAX, TAIL_SHARE, WARM_UP, bin_of,
};
use crate::histogram::Histogram;

/// A streaming estimate of how rare a value of one statistic is. State is bounded: 320 bins, 1.4 KB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TailCalibrator {
    histogram: Histogram,
    seen: u32,
}

impl Default for TailCalibrator {
    fn default() -> TailCalibrator {
        TailCalibrator {
            histogram: Histogram::new(BINS),
            seen: 0,
        }
    }
}

impl TailCalibrator {
    /// The rarity, −log10 of the probability of a value at least as extreme (0 to 8), of a statistic
    /// given by its natural logarithm; none while warming up (60 values).
    pub fn rarity(&self, ln_statistic: f64) -> Option<f64> {
        if self.seen < WARM_UP {
            return None;
        }
        let histogram = &self.histogram;
        let bin = bin_of(ln_statistic);
        let total = histogram.total() + histogram.weight();
        let (tail_start, tail_mass) = histogram.highest_with(TAIL_SHARE);
        let probability = if bin <= tail_start {
            let half_of_own = 0.5 * (histogram.bin(bin) + histogram.weight());
            (histogram.above(bin) + half_of_own) / total
        } else {
            let edge = LOWEST + (tail_start + 1) as f64 * BIN_WIDTH;
            let at_edge = (tail_mass + 0.5 * histogram.weight()) / total;
            let beyond = (ln_statistic - edge).max(0.0);
            at_edge * libm::exp(-beyond / self.hill(tail_start, tail_mass))
        };
        Some((-libm::log10(probability.max(1e-30))).clamp(0.0, RARITY_MAX))
    }

    /// Gives the rarity of a value and then learns it. `keep` is the share of weight that a sample
    /// has after one more sample.
    pub fn observe(&mut self, ln_statistic: f64, keep: f64) -> Option<f64> {
        let rarity = self.rarity(ln_statistic);
        let is_extreme = rarity.is_some_and(|rarity| rarity > EXTREME_RARITY);
        let share = if is_extreme { EXTREME_WEIGHT } else { 1.0 };
        self.histogram.add(bin_of(ln_statistic), share, keep);
        self.seen = self.seen.saturating_add(1);
        rarity
    }

    /// Hill's estimate of the tail above a bin, of so much weight, with its prior.
    fn hill(&self, tail_start: usize, tail_mass: f64) -> f64 {
        let weight = self.histogram.weight();
        let excess: f64 = self
            .histogram
            .from(tail_start + 1)
            .map(|(bin, mass)| mass * ((bin - tail_start) as f64 - 0.5) * BIN_WIDTH)
            .sum();
        let hill = (excess / weight + HILL_PRIOR_WEIGHT * HILL_PRIOR)
            / (tail_mass / weight + HILL_PRIOR_WEIGHT);
        hill.max(HILL_MIN)
    }

    pub fn is_sound(&self) -> bool {
        self.histogram.is_sound(BINS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Calibrator;
    use crate::calibrate::{keep_for_half_life, ln_of};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_says_what_the_calibrator_of_double_precision_says(
            values in prop::collection::vec(0.0f64..1.0, 100..1500),
            half_life in 200.0f64..5000.0,
        ) {
            let keep = keep_for_half_life(half_life);
            let (mut single, mut double) = (TailCalibrator::default(), Calibrator::default());
            for value in values {
                let ln = ln_of(-libm::log(value.max(1e-9)) * 3.0);
                match (single.observe(ln, keep), double.observe(ln, keep)) {
                    (Some(single), Some(double)) => {
                        prop_assert!((single - double).abs() < 1e-3, "{single} {double}");
                    }
                    (single, double) => prop_assert_eq!(single, double),
                }
            }
            prop_assert!(single.is_sound());
            let bytes = postcard::to_stdvec(&single).unwrap();
            prop_assert_eq!(postcard::from_bytes::<TailCalibrator>(&bytes).unwrap(), single);
        }
    }
}
