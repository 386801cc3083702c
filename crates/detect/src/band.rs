//! The robust component: how far a value lies from the seasonal median, in robust deviations.
//!
//! Expected is the median of the training window at this time of day, in buckets of 15 minutes
//! smoothed over their neighbours (Hampel's median and MAD; the seasonal median of Vallis et al.,
//! "A Novel Technique for Long-Term Anomaly Detection in the Cloud", 2014). With less than two
//! days of history, or a season that explains nothing, it is the median of all. A season explains
//! something if it makes the scale smaller, as a daily curve does, or if days are told by the other
//! days, as a job of half an hour is that comes every night and leaves the scale as it is. The scale
//! is 1.4826 · MAD of what remains, at least a third of the metric's minimum deviation, so that a
//! very quiet series doesn't cry over trifles.

use domain::{Band, Sample, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Season;

const BUCKETS: usize = 96;
const BUCKET_SECONDS: u64 = 86_400 / BUCKETS as u64;
/// The fewest samples in a bucket and its neighbours that make a median of their own.
const BUCKET_MIN_SAMPLES: usize = 12;
/// The band reaches this many robust deviations to either side.
pub const BAND_DEVIATIONS: f64 = 3.0;
/// A season must leave less than this share of what is left without one.
const EXPLAINS: f64 = 0.9;

/// The expected value by time of day, and the spread around it, in the metric's unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeasonalBand {
    /// One median for each quarter of an hour; a single one where there is no season.
    medians: Vec<f32>,
    scale: f64,
}

impl SeasonalBand {
    /// Fits to unmasked samples, at least one.
    pub fn fit(samples: &[Sample], season: &Season, minimum_deviation: f64) -> SeasonalBand {
        let flat = SeasonalBand::with_medians(vec![median_of(samples) as f32], samples, season);
        let overall = f64::from(flat.medians[0]);
        let seasonal = spans_two_days(samples)
            .then(|| seasonal_medians(samples.iter(), season, overall))
            .map(|medians| SeasonalBand::with_medians(medians, samples, season))
            .filter(|seasonal| {
                seasonal.scale < EXPLAINS * flat.scale
                    || is_told_by_other_days(samples, season, overall)
            });
        let mut band = seasonal.unwrap_or(flat);
        band.scale = band
            .scale
            .max(minimum_deviation / BAND_DEVIATIONS)
            .max(1e-9);
        band
    }

    fn with_medians(medians: Vec<f32>, samples: &[Sample], season: &Season) -> SeasonalBand {
        let mut band = SeasonalBand {
            medians,
            scale: 0.0,
        };
        let mut residuals: Vec<f64> = samples
            .iter()
            .map(|s| (s.value - band.expected(s.time, season)).abs())
            .collect();
        band.scale = 1.4826 * median(&mut residuals);
        band
    }

    pub fn is_seasonal(&self) -> bool {
        self.medians.len() > 1
    }

    /// One robust deviation, in the metric's unit.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The expected value at `time`, interpolated between the middles of the buckets.
    pub fn expected(&self, time: Timestamp, season: &Season) -> f64 {
        if self.medians.len() == 1 {
            return f64::from(self.medians[0]);
        }
        let (below, above, share) = self.around(time, season);
        below * (1.0 - share) + above * share
    }

    /// The band at `time`. Where one bucket's usual passes into the next one's, both are inside it:
    /// what comes every day at two is no anomaly a minute before.
    pub fn band(&self, time: Timestamp, season: &Season) -> Band {
        let expected = self.expected(time, season);
        let (low, high) = self.usual(time, season);
        let reach = BAND_DEVIATIONS * self.scale;
        Band {
            expected,
            lower: low - reach,
            upper: high + reach,
        }
    }

    /// The medians between which `expected` lies at `time`.
    fn usual(&self, time: Timestamp, season: &Season) -> (f64, f64) {
        if self.medians.len() == 1 {
            let median = f64::from(self.medians[0]);
            return (median, median);
        }
        let (below, above, _) = self.around(time, season);
        (below.min(above), below.max(above))
    }

    /// The medians of the two buckets whose middles lie around `time`, and how far it is between
    /// them, 0 to 1.
    fn around(&self, time: Timestamp, season: &Season) -> (f64, f64, f64) {
        let position = season.time_of_day(time).as_secs_f64() / BUCKET_SECONDS as f64 - 0.5;
        let below = position.floor();
        let at = |bucket: f64| f64::from(self.medians[bucket.rem_euclid(BUCKETS as f64) as usize]);
        (at(below), at(below + 1.0), position - below)
    }

    pub(crate) fn is_sound(&self) -> bool {
        matches!(self.medians.len(), 1 | BUCKETS)
            && self.medians.iter().all(|m| m.is_finite())
            && self.scale.is_finite()
            && self.scale > 0.0
    }
}

fn spans_two_days(samples: &[Sample]) -> bool {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return false;
    };
    last.time.since(first.time).as_secs() >= 2 * 86_400 - 3_600
}

/// Whether a season found in every other day leaves less in the days between, by the sum of
/// distances, than none does. What happened once is not told by other days.
fn is_told_by_other_days(samples: &[Sample], season: &Season, overall: f64) -> bool {
    let origin = samples.first().map_or(Timestamp::EPOCH, |s| s.time);
    let is_even = |s: &&Sample| (s.time.since(origin).as_secs() / 86_400).is_multiple_of(2);
    let (even, odd): (Vec<&Sample>, Vec<&Sample>) = samples.iter().partition(is_even);
    let left = |learnt: &[&Sample], told: &[&Sample]| -> f64 {
        let band = SeasonalBand {
            medians: seasonal_medians(learnt.iter().copied(), season, overall),
            scale: 1.0,
        };
        let distance = |s: &&Sample| (s.value - band.expected(s.time, season)).abs();
        told.iter().map(distance).sum()
    };
    let with = left(&even, &odd) + left(&odd, &even);
    let without: f64 = samples.iter().map(|s| (s.value - overall).abs()).sum();
    with < EXPLAINS * without
}

fn seasonal_medians<'a>(
    samples: impl Iterator<Item = &'a Sample>,
    season: &Season,
    overall: f64,
) -> Vec<f32> {
    let mut buckets: Vec<Vec<f64>> = vec![Vec::new(); BUCKETS];
    for sample in samples {
        let bucket = season.time_of_day(sample.time).as_secs() / BUCKET_SECONDS;
        buckets[bucket as usize % BUCKETS].push(sample.value);
    }
    let smoothed = |bucket: usize| {
        let mut values = Vec::new();
        for neighbour in [bucket + BUCKETS - 1, bucket, bucket + 1] {
            values.extend_from_slice(&buckets[neighbour % BUCKETS]);
        }
        if values.len() < BUCKET_MIN_SAMPLES {
            overall
        } else {
            median(&mut values)
        }
    };
    (0..BUCKETS).map(|bucket| smoothed(bucket) as f32).collect()
}

fn median_of(samples: &[Sample]) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(|s| s.value).collect();
    median(&mut values)
}

/// The lower median; 0 of nothing.
fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = (values.len() - 1) / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daily(days: i64, amplitude: f64) -> Vec<Sample> {
        (0..days * 1440)
            .map(|minute| {
                let phase = (minute % 1440) as f64 / 1440.0 * std::f64::consts::TAU;
                let noise = ((minute * 7919) % 101) as f64 / 101.0 - 0.5;
                Sample {
                    time: Timestamp::from_millis(minute * 60_000),
                    value: 50.0 + amplitude * libm::sin(phase) + noise,
                }
            })
            .collect()
    }

    #[test]
    fn two_days_of_a_daily_curve_are_learnt() {
        let season = Season::utc();
        let band = SeasonalBand::fit(&daily(2, 20.0), &season, 1.0);
        assert!(band.is_seasonal());
        let at = |hour: i64| band.expected(Timestamp::from_millis(hour * 3_600_000), &season);
        assert!((at(30) - 70.0).abs() < 1.0, "{}", at(30));
        assert!((at(42) - 30.0).abs() < 1.0, "{}", at(42));
    }

    #[test]
    fn without_a_season_one_median_serves_all_day() {
        let season = Season::utc();
        assert!(
            !SeasonalBand::fit(&daily(1, 20.0), &season, 1.0).is_seasonal(),
            "one day only"
        );
        assert!(
            !SeasonalBand::fit(&daily(3, 0.0), &season, 1.0).is_seasonal(),
            "only noise"
        );
    }

    #[test]
    fn a_quiet_series_keeps_the_minimum_deviation() {
        let band = SeasonalBand::fit(&daily(1, 0.0)[..5], &Season::utc(), 10.0);
        let now = band.band(Timestamp::EPOCH, &Season::utc());
        assert!((now.upper - now.expected - 10.0).abs() < 1e-9);
    }

    /// Noise, and forty more from two to half past two on some days.
    fn nightly(days: i64, on: impl Fn(i64) -> bool) -> Vec<Sample> {
        let mut samples = daily(days, 0.0);
        for sample in &mut samples {
            let minute = sample.time.as_millis() / 60_000;
            if (120..150).contains(&(minute % 1440)) && on(minute / 1440) {
                sample.value += 40.0;
            }
        }
        samples
    }

    #[test]
    fn a_short_job_that_comes_every_night_is_a_season() {
        let season = Season::utc();
        let band = SeasonalBand::fit(&nightly(5, |_| true), &season, 1.0);
        assert!(band.is_seasonal());
        let at = |minute: i64| {
            let time = Timestamp::from_millis((6 * 1440 + minute) * 60_000);
            band.band(time, &season).upper
        };
        assert!(at(135) > 90.0, "in the middle of it: {}", at(135));
        assert!(at(120) > 90.0, "as it begins: {}", at(120));
        assert!(at(149) > 90.0, "before it ends: {}", at(149));
        assert!(at(170) < 60.0, "not at another time: {}", at(170));
    }

    #[test]
    fn what_happened_once_is_no_season() {
        let season = Season::utc();
        for days in 2..6 {
            let band = SeasonalBand::fit(&nightly(days, |day| day == 1), &season, 1.0);
            assert!(!band.is_seasonal(), "{days} days");
        }
    }
}
