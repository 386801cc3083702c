//! From a statistic to a tail probability on the series' own recent history.
//!
//! A histogram of ln(statistic) with exponential forgetting gives the body of the distribution;
//! above its upper 2 % a Pareto tail continues it (Hill's estimator with a weak prior of 0.25, so
//! that a young tail is neither endless nor cut). Values judged rarer than 1 in 10,000 enter with
//! weight 0.3, so that an episode doesn't soon call itself usual. The result is the *rarity*:
//! −log10 of the probability of a value at least as extreme, 0 to 8.

use serde::{Deserialize, Serialize};

/// Nothing is called rarer than one in 10^8.
pub const RARITY_MAX: f64 = 8.0;

pub(crate) const BINS: usize = 320;
pub(crate) const LOWEST: f64 = -9.2;
pub(crate) const BIN_WIDTH: f64 = 0.075;
pub(crate) const TAIL_SHARE: f64 = 0.02;
pub(crate) const HILL_PRIOR: f64 = 0.25;
pub(crate) const HILL_PRIOR_WEIGHT: f64 = 5.0;
pub(crate) const HILL_MIN: f64 = 0.03;
pub(crate) const EXTREME_RARITY: f64 = 4.0;
pub(crate) const EXTREME_WEIGHT: f64 = 0.3;
pub(crate) const WARM_UP: u32 = 60;
const RESCALE_ABOVE: f64 = 1e12;

/// A streaming estimate of how rare a value of one statistic is. State is bounded: 320 bins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibrator {
    bins: Vec<f64>,
    total: f64,
    /// The weight of the next sample; grows instead of all bins shrinking.
    weight: f64,
    seen: u32,
}

impl Default for Calibrator {
    fn default() -> Calibrator {
        Calibrator {
            bins: vec![0.0; BINS],
            total: 0.0,
            weight: 1.0,
            seen: 0,
        }
    }
}

impl Calibrator {
    /// The rarity of a statistic given by its natural logarithm; none while warming up (60 values).
    pub fn rarity(&self, ln_statistic: f64) -> Option<f64> {
        if self.seen < WARM_UP {
            return None;
        }
        let bin = bin_of(ln_statistic);
        let tail_start = self.tail_start();
        let probability = if bin <= tail_start {
            let above: f64 = self.bins[bin + 1..].iter().sum();
            (above + 0.5 * self.bins[bin] + 0.5 * self.weight) / (self.total + self.weight)
        } else {
            self.tail_probability(ln_statistic, tail_start)
        };
        Some((-libm::log10(probability.max(1e-30))).clamp(0.0, RARITY_MAX))
    }

    /// Gives the rarity of a value and then learns it. `keep` is the share of weight that a sample
    /// has after one more sample.
    pub fn observe(&mut self, ln_statistic: f64, keep: f64) -> Option<f64> {
        let rarity = self.rarity(ln_statistic);
        let extreme = rarity.is_some_and(|rarity| rarity > EXTREME_RARITY);
        let weight = if extreme {
            EXTREME_WEIGHT * self.weight
        } else {
            self.weight
        };
        self.bins[bin_of(ln_statistic)] += weight;
        self.total += weight;
        self.seen = self.seen.saturating_add(1);
        self.weight /= keep;
        if self.weight > RESCALE_ABOVE {
            self.rescale();
        }
        rarity
    }

    /// The highest bin of the body: at and above it lie 2 % of the weight.
    fn tail_start(&self) -> usize {
        let target = TAIL_SHARE * self.total;
        let mut above = 0.0;
        for bin in (0..BINS).rev() {
            above += self.bins[bin];
            if above >= target {
                return bin;
            }
        }
        0
    }

    fn tail_probability(&self, ln_statistic: f64, tail_start: usize) -> f64 {
        let edge = LOWEST + (tail_start + 1) as f64 * BIN_WIDTH;
        let (mut mass, mut excess) = (0.0, 0.0);
        for (bin, weight) in self.bins.iter().enumerate().skip(tail_start + 1) {
            mass += weight;
            excess += weight * (LOWEST + (bin as f64 + 0.5) * BIN_WIDTH - edge);
        }
        let at_edge = (mass + 0.5 * self.weight) / (self.total + self.weight);
        let hill = (excess / self.weight + HILL_PRIOR_WEIGHT * HILL_PRIOR)
            / (mass / self.weight + HILL_PRIOR_WEIGHT);
        at_edge * libm::exp(-(ln_statistic - edge).max(0.0) / hill.max(HILL_MIN))
    }

    fn rescale(&mut self) {
        for bin in &mut self.bins {
            *bin /= self.weight;
        }
        self.total /= self.weight;
        self.weight = 1.0;
    }

    pub(crate) fn is_sound(&self) -> bool {
        let amounts = self.bins.iter().chain([&self.total, &self.weight]);
        self.bins.len() == BINS
            && self.weight > 0.0
            && amounts.into_iter().all(|x| x.is_finite() && *x >= 0.0)
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

pub(crate) fn bin_of(ln_statistic: f64) -> usize {
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

    #[test]
    fn rescaling_changes_no_rarity() {
        let mut calibrator = learnt(&exponential(2_000));
        let before = calibrator.rarity(1.5).unwrap();
        calibrator.rescale();
        assert!((calibrator.rarity(1.5).unwrap() - before).abs() < 1e-9);
    }
}
