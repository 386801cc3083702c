//! From a statistic to a tail probability on the series' own recent history.
//!
//! A histogram of ln(statistic) with exponential forgetting gives the body of the distribution;
//! above its upper 2 % a Pareto tail continues it (Hill's estimator with a weak prior of 0.25, so
//! that a young tail is neither endless nor cut). Values judged rarer than 1 in 10,000 enter with
//! weight 0.3, so that an episode doesn't soon call itself usual. The result is the *rarity*:
//! −log10 of the probability of a value at least as extreme, 0 to 8.

use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;

/// Nothing is called rarer than one in 10^8.
pub const RARITY_MAX: f64 = 8.0;

const BINS: usize = 320;
const LOWEST: f64 = -9.2;
const BIN_WIDTH: f64 = 0.075;
const TAIL_SHARE: f64 = 0.02;
const HILL_PRIOR: f64 = 0.25;
const HILL_PRIOR_WEIGHT: f64 = 5.0;
const HILL_MIN: f64 = 0.03;
const EXTREME_RARITY: f64 = 4.0;
const EXTREME_WEIGHT: f64 = 0.3;
const WARM_UP: u32 = 60;

/// A streaming estimate of how rare a value of one statistic is. State is bounded: 320 bins, 1.4 KB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibrator {
    histogram: Histogram,
    seen: u32,
}

impl Default for Calibrator {
    fn default() -> Calibrator {
        Calibrator {
            histogram: Histogram::new(BINS),
            seen: 0,
        }
    }
}

impl Calibrator {
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

/// The natural logarithm of a statistic that may be 0.
pub fn ln_of(statistic: f64) -> f64 {
    libm::log(statistic.max(1e-4))
}

/// The `keep` of [`Calibrator::observe`] for a half-life in samples.
pub fn keep_for_half_life(samples: f64) -> f64 {
    libm::pow(0.5, 1.0 / samples.max(200.0))
}

fn bin_of(ln_statistic: f64) -> usize {
    (((ln_statistic - LOWEST) / BIN_WIDTH).max(0.0) as usize).min(BINS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream of exponential variates from a small generator.
    fn exponential(count: usize) -> Vec<f64> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        (0..count)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let uniform = ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
                -libm::log(uniform)
            })
            .collect()
    }

    fn learnt(values: &[f64]) -> Calibrator {
        let mut calibrator = Calibrator::default();
        for value in values {
            calibrator.observe(ln_of(*value), keep_for_half_life(1e6));
        }
        calibrator
    }

    #[test]
    fn one_in_a_thousand_means_one_in_a_thousand() {
        let calibrator = learnt(&exponential(50_000));
        for rarity in [1.0_f64, 2.0, 3.0] {
            let quantile = rarity * std::f64::consts::LN_10;
            let estimate = calibrator.rarity(ln_of(quantile)).unwrap();
            assert!((estimate - rarity).abs() < 0.25, "{rarity}: {estimate}");
        }
    }

    #[test]
    fn it_is_silent_while_warming_up() {
        let values = exponential(60);
        assert_eq!(learnt(&values[..59]).rarity(0.0), None);
        assert!(learnt(&values).rarity(0.0).is_some());
    }

    #[test]
    fn more_extreme_is_never_less_rare() {
        let calibrator = learnt(&exponential(5_000));
        let rarities: Vec<f64> = (-90..150)
            .map(|x| calibrator.rarity(f64::from(x) * 0.1).unwrap())
            .collect();
        for pair in rarities.windows(2) {
            assert!(pair[1] >= pair[0] - 0.05, "{pair:?}");
        }
    }
}
