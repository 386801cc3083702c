//! The five features of a sample, written once: training, serving and replay all come here.
//!
//! For a sample (t, x) and the samples *before* it within the rolling window W = max(5 minutes,
//! 20 steps), oldest first:
//!
//! | feature | formula | unit |
//! | --- | --- | --- |
//! | `value` | x | the metric's |
//! | `delta` | x − previous | the metric's |
//! | `rolling_mean` | m = mean of W | the metric's |
//! | `rolling_std` | s = population standard deviation of W | the metric's |
//! | `zscore` | (x − m) / max(s, 0.001·max(\|m\|, 0.001)), clamped to ±50 | 1 |
//!
//! The window excludes the sample itself, so that a jump isn't hidden by itself. There is no row
//! for the first sample after a gap of more than 2.5 steps (no delta across a gap), nor while W
//! holds fewer than 5 samples. A step is the series' own or, where the three distances of samples
//! before are longer, their median: so a history at 60 s followed by live samples at 15 s has rows
//! throughout.

use std::collections::VecDeque;
use std::time::Duration;

use domain::{Features, Sample, Timestamp};
use serde::{Deserialize, Serialize};

/// Raised whenever a formula above changes; a model of another version is trained anew.
pub const FEATURES_VERSION: u32 = 1;

/// The rolling window as a duration, and the least number of steps it spans.
pub const WINDOW: Duration = Duration::from_secs(300);
pub const WINDOW_STEPS: u32 = 20;
/// The fewest samples in the window that make a feature row.
pub const WINDOW_MIN_SAMPLES: usize = 5;
/// The samples that are kept, for features, the onset of an episode and model swaps.
pub const RING_SAMPLES: usize = 720;

const ZSCORE_MAX: f64 = 50.0;

/// The newest samples of a series, oldest first, and the features of each that is pushed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Featuriser {
    ring: VecDeque<Sample>,
}

impl Featuriser {
    /// Takes a sample that is newer than all before it and gives its features; none while warming
    /// up or right after a gap.
    pub fn push(&mut self, sample: Sample, step: Duration) -> Option<Features> {
        debug_assert!(sample.value.is_finite(), "samples pass the gate first");
        let features = self.features_of(sample, step);
        if self.ring.len() == RING_SAMPLES {
            self.ring.pop_front();
        }
        if self.ring.len() == self.ring.capacity() {
            // Doubled, it would end with room for samples that are never kept.
            let more = self.ring.len().max(16).min(RING_SAMPLES - self.ring.len());
            self.ring.reserve_exact(more);
        }
        self.ring.push_back(sample);
        features
    }

    pub fn newest(&self) -> Option<Sample> {
        self.ring.back().copied()
    }

    /// The kept samples, oldest first.
    pub fn samples(&self) -> impl DoubleEndedIterator<Item = Sample> + ExactSizeIterator {
        self.ring.iter().copied()
    }

    fn features_of(&self, sample: Sample, step: Duration) -> Option<Features> {
        let previous = self.ring.back()?;
        let step = step.max(self.spacing());
        if sample.time.since(previous.time) > gap_after(step) {
            return None;
        }
        let window = self.window_before(sample.time, step);
        if window.len() < WINDOW_MIN_SAMPLES {
            return None;
        }
        let count = window.len() as f64;
        let mean = window.clone().map(|s| s.value).sum::<f64>() / count;
        let variance = window
            .map(|s| (s.value - mean) * (s.value - mean))
            .sum::<f64>()
            / count;
        let std = variance.sqrt();
        let scale = std.max(0.001 * mean.abs().max(0.001));
        Some(Features {
            value: sample.value,
            delta: sample.value - previous.value,
            rolling_mean: mean,
            rolling_std: std,
            zscore: ((sample.value - mean) / scale).clamp(-ZSCORE_MAX, ZSCORE_MAX),
        })
    }

    /// The median of the newest three distances; zero while there are fewer.
    fn spacing(&self) -> Duration {
        let newest = |back: usize| self.ring.get(self.ring.len().wrapping_sub(back));
        let distance = |back: usize| Some(newest(back)?.time.since(newest(back + 1)?.time));
        match (distance(1), distance(2), distance(3)) {
            (Some(a), Some(b), Some(c)) => a.max(b).min(a.min(b).max(c)),
            _ => Duration::ZERO,
        }
    }

    fn window_before(
        &self,
        time: Timestamp,
        step: Duration,
    ) -> impl ExactSizeIterator<Item = &Sample> + Clone {
        let from = time - WINDOW.max(step * WINDOW_STEPS);
        let start = self.ring.partition_point(|s| s.time < from);
        self.ring.range(start..)
    }
}

/// Two samples further apart than this have a gap between them: 2.5 steps.
pub fn gap_after(step: Duration) -> Duration {
    step * 5 / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STEP: Duration = Duration::from_secs(15);

    fn sample(index: i64, value: f64) -> Sample {
        Sample {
            time: Timestamp::from_millis(index * 15_000),
            value,
        }
    }

    #[test]
    fn the_formulas_hold_on_a_worked_example() {
        let mut featuriser = Featuriser::default();
        for (index, value) in [1.0, 2.0, 3.0, 4.0, 5.0].into_iter().enumerate() {
            assert_eq!(featuriser.push(sample(index as i64, value), STEP), None);
        }
        let row = featuriser.push(sample(5, 9.0), STEP).unwrap();
        assert_eq!((row.value, row.delta, row.rolling_mean), (9.0, 4.0, 3.0));
        assert!((row.rolling_std - 2.0_f64.sqrt()).abs() < 1e-15);
        assert!((row.zscore - 6.0 / 2.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn there_is_no_delta_across_a_gap() {
        let mut featuriser = Featuriser::default();
        for index in 0..10 {
            featuriser.push(sample(index, 1.0), STEP);
        }
        assert!(
            featuriser.clone().push(sample(11, 1.0), STEP).is_some(),
            "two steps are no gap"
        );
        assert_eq!(
            featuriser.push(sample(12, 1.0), STEP),
            None,
            "three steps are one"
        );
        assert!(featuriser.push(sample(13, 1.0), STEP).is_some());
    }

    #[test]
    fn a_constant_series_has_finite_features() {
        let mut featuriser = Featuriser::default();
        for index in 0..30 {
            featuriser.push(sample(index, 0.0), STEP);
        }
        let row = featuriser.push(sample(30, 1.0), STEP).unwrap();
        assert_eq!(row.zscore, ZSCORE_MAX);
    }

    #[test]
    fn a_history_at_longer_steps_has_rows_too() {
        let mut featuriser = Featuriser::default();
        let rows = (0..40)
            .filter(|i| featuriser.push(sample(i * 4, 1.0), STEP).is_some())
            .count();
        assert_eq!(rows, 35);
    }

    /// Features straight from the table above, over the whole series at once.
    fn batch(samples: &[Sample], step: Duration) -> Vec<Option<Features>> {
        let row = |i: usize| {
            let mut step = step;
            if i >= 4 {
                let mut spacing: Vec<Duration> = (i - 3..i)
                    .map(|k| samples[k].time.since(samples[k - 1].time))
                    .collect();
                spacing.sort();
                step = step.max(spacing[1]);
            }
            let sample = samples[i];
            let previous = samples.get(i.checked_sub(1)?)?;
            if sample.time.since(previous.time) > gap_after(step) {
                return None;
            }
            let from = sample.time - WINDOW.max(step * WINDOW_STEPS);
            let kept = &samples[i.saturating_sub(RING_SAMPLES)..i];
            let window: Vec<f64> = kept
                .iter()
                .filter(|s| s.time >= from)
                .map(|s| s.value)
                .collect();
            if window.len() < WINDOW_MIN_SAMPLES {
                return None;
            }
            let n = window.len() as f64;
            let mean = window.iter().sum::<f64>() / n;
            let std = (window.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
            let scale = std.max(0.001 * mean.abs().max(0.001));
            Some(Features {
                value: sample.value,
                delta: sample.value - previous.value,
                rolling_mean: mean,
                rolling_std: std,
                zscore: ((sample.value - mean) / scale).clamp(-50.0, 50.0),
            })
        };
        (0..samples.len()).map(row).collect()
    }

    proptest! {
        #[test]
        fn streaming_equals_batch_bit_for_bit(
            steps in prop::collection::vec((1i64..6, -1e6f64..1e6), 1..900)
        ) {
            let mut time = 0;
            let samples: Vec<Sample> = steps.into_iter().map(|(gap, value)| {
                time += if gap == 5 { 4 } else { 1 };
                sample(time, value)
            }).collect();
            let mut featuriser = Featuriser::default();
            let streamed: Vec<_> = samples.iter().map(|s| featuriser.push(*s, STEP)).collect();
            prop_assert_eq!(streamed, batch(&samples, STEP));
        }
    }
}
