//! The robust level: how far a value lies from an exponentially weighted mean, in deviations.
//!
//! Level half-life max(10 samples, 150 s), variance half-life half a day; what a value moves them by is
//! clipped at 4 deviations. Statistic |x − level| / (sd + floor).

use std::time::Duration;

use domain::{Direction, Sample, Timestamp};
use serde::{Deserialize, Serialize};

use crate::residual_scale::keep_for;

const HALF_LIFE: Duration = Duration::from_secs(150);
const HALF_LIFE_SAMPLES: u32 = 10;
const VARIANCE_HALF_LIFE: Duration = Duration::from_secs(43_200);
const CLIP_DEVIATIONS: f64 = 4.0;
/// A level of fewer samples takes every value whole, and says nothing.
const WARM_UP: u32 = 20;

/// An exponentially weighted level and variance of one series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Level {
    mean: f64,
    variance: f64,
    /// Samples since the start or the last gap; and ever, for the variance.
    since_gap: u32,
    seen: u32,
    newest: Timestamp,
}

impl Level {
    /// The statistic of a sample, which is then learnt unless `masked`; none while there is no
    /// level yet, or no longer one because more than its half-life has passed.
    pub fn step(
        &mut self,
        sample: Sample,
        floor: f64,
        step: Duration,
        direction: Direction,
        masked: bool,
    ) -> Option<f64> {
        let half_life = HALF_LIFE.max(step * HALF_LIFE_SAMPLES);
        if sample.time.since(self.newest) > half_life {
            self.since_gap = 0;
        }
        self.newest = sample.time;
        let residual = sample.value - self.mean;
        let deviation = self.variance.sqrt() + floor;
        let is_settled = self.since_gap >= WARM_UP;
        let statistic = is_settled.then(|| bad_side(residual, direction).abs() / deviation);
        if !masked {
            self.learn(residual, deviation, half_life, step);
        }
        statistic.filter(|statistic| statistic.is_finite())
    }

    /// The expected value; none while there is none.
    pub fn expected(&self) -> Option<f64> {
        (self.since_gap >= WARM_UP).then_some(self.mean)
    }

    fn learn(&mut self, residual: f64, deviation: f64, half_life: Duration, step: Duration) {
        let clip = CLIP_DEVIATIONS * deviation;
        let is_settled = self.since_gap >= WARM_UP;
        let clipped = if self.seen >= WARM_UP {
            residual.clamp(-clip, clip)
        } else {
            residual
        };
        // The first samples after a start count alike; a plain mean is then the best guess.
        let share = (1.0 - keep_for_level(half_life, step))
            .max(1.0 / f64::from(self.since_gap.saturating_add(1)));
        self.mean += share * if is_settled { clipped } else { residual };
        if self.since_gap > 0 {
            let share = (1.0 - keep_for(VARIANCE_HALF_LIFE, step))
                .max(1.0 / f64::from(self.seen.saturating_add(1)));
            self.variance += share * (clipped * clipped - self.variance);
        }
        self.since_gap = self.since_gap.saturating_add(1);
        self.seen = self.seen.saturating_add(1);
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.mean.is_finite() && self.variance.is_finite() && self.variance >= 0.0
    }
}

fn keep_for_level(half_life: Duration, step: Duration) -> f64 {
    libm::exp2(-step.as_secs_f64().max(0.001) / half_life.as_secs_f64())
}

/// The signed distance from expected if it lies in the bad direction, else 0.
pub(crate) fn bad_side(distance: f64, direction: Direction) -> f64 {
    match direction {
        Direction::Up => distance.max(0.0),
        Direction::Down => distance.min(0.0),
        Direction::Both => distance,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STEP: Duration = Duration::from_secs(15);

    fn walk(level: &mut Level, from: i64, values: impl Iterator<Item = f64>) -> Vec<Option<f64>> {
        let sample = |(index, value)| Sample {
            time: Timestamp::from_millis((from + index as i64) * 15_000),
            value,
        };
        values
            .enumerate()
            .map(|v| level.step(sample(v), 0.01, STEP, Direction::Both, false))
            .collect()
    }

    fn noise(count: i32) -> impl Iterator<Item = f64> {
        (0..count).map(|i| f64::from(i * 7919 % 101) / 101.0)
    }

    #[test]
    fn a_jump_stands_out_and_becomes_the_level() {
        let mut level = Level::default();
        let calm = walk(&mut level, 0, noise(2000));
        assert!(calm[100..].iter().all(|s| s.unwrap() < 3.5));
        let jump = walk(&mut level, 2000, noise(2000).map(|x| x + 10.0));
        assert!(jump[0].unwrap() > 15.0);
        assert!(jump[1000].unwrap() < 3.5);
    }

    #[test]
    fn after_a_gap_it_is_silent_until_it_knows_the_level() {
        let mut level = Level::default();
        walk(&mut level, 0, noise(500));
        let after = walk(&mut level, 600, noise(500).map(|x| x + 100.0));
        assert!(after[..20].iter().all(Option::is_none));
        assert!(
            after[20..].iter().all(|s| s.unwrap() < 4.5),
            "{:?}",
            after.iter().flatten().fold(0.0f64, |a, b| a.max(*b))
        );
    }

    #[test]
    fn nothing_is_learnt_from_a_masked_sample() {
        let mut level = Level::default();
        walk(&mut level, 0, noise(500));
        let mut masked = level.clone();
        let sample = Sample {
            time: Timestamp::from_millis(500 * 15_000),
            value: 50.0,
        };
        masked.step(sample, 0.01, STEP, Direction::Up, true);
        assert_eq!((masked.mean, masked.variance), (level.mean, level.variance));
    }

    #[test]
    fn the_harmless_side_counts_nothing() {
        let mut level = Level::default();
        walk(&mut level, 0, noise(500));
        let sample = Sample {
            time: Timestamp::from_millis(500 * 15_000),
            value: 50.0,
        };
        let statistic = |direction| {
            level
                .clone()
                .step(sample, 0.01, STEP, direction, true)
                .unwrap()
        };
        assert_eq!(statistic(Direction::Down), 0.0);
        assert_eq!(statistic(Direction::Up), statistic(Direction::Both));
    }

    proptest! {
        #[test]
        fn any_series_leaves_a_sound_level(values in prop::collection::vec(-1e18f64..1e18, 0..200)) {
            let mut level = Level::default();
            walk(&mut level, 0, values.into_iter());
            prop_assert!(level.is_sound());
            let bytes = postcard::to_stdvec(&level).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Level>(&bytes).unwrap(), level);
        }
    }
}
