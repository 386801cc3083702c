//! The seasonal component: how far a value lies from what is usual at this time of day.
//!
//! Expected is the median of the same time of day, by the wall clock, ±1 bucket over the last seven
//! days (Vallis et al., "A Novel Technique for Long-Term Anomaly Detection in the Cloud", 2014);
//! before there is a day of history, the median of the day so far. The distance is divided by its
//! usual size.

use std::time::Duration;

use domain::Direction;
use serde::{Deserialize, Serialize};

use crate::ResidualScale;
use crate::level::bad_side;
use crate::past::{DAYS, PastBuckets, SameTime};

/// Buckets to either side that count as the same time of day.
const AROUND: i64 = 1;
const USUAL_MAX: usize = DAYS * (2 * AROUND as usize + 1);
/// The median of a day is taken of so many of its buckets, evenly spaced.
const SPACED: i64 = 96;
/// The fewest values that make a median of a day.
const SPACED_MIN: usize = 8;

/// A distance from what was expected, in the metric's unit and in usual distances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// distance / usual; 0 on the harmless side.
    pub statistic: f64,
    pub distance: f64,
    /// How large such a distance usually is.
    pub usual: f64,
}

/// The usual distance from the seasonal median.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seasonal {
    scale: ResidualScale,
}

impl Seasonal {
    /// The expected value at the newest bucket, from those before it.
    pub fn expected(past: &PastBuckets, same_time: &SameTime) -> Option<f64> {
        let mut values = [0.0; USUAL_MAX];
        let mut count = 0;
        for number in same_time.0 {
            for neighbour in number - AROUND..=number + AROUND {
                let value = past.value(neighbour);
                if value.is_finite() && neighbour < past.newest() {
                    values[count] = value;
                    count += 1;
                }
            }
        }
        if count > 0 {
            return Some(median(&mut values[..count]));
        }
        median_of_the_day(past)
    }

    /// The distance of a value from `expected`, which is then learnt unless `masked`.
    pub fn step(
        &mut self,
        value: f64,
        expected: f64,
        floor: f64,
        step: Duration,
        direction: Direction,
        masked: bool,
    ) -> Option<Distance> {
        let residual = value - expected;
        let usual = self.scale.usual(floor);
        if !masked {
            self.scale.learn(residual.abs(), floor, step);
        }
        let distance = bad_side(residual, direction).abs();
        usual.map(|usual| Distance {
            statistic: distance / usual,
            distance,
            usual,
        })
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.scale.is_sound()
    }
}

/// The median of the day before the newest bucket, or of as much of it as there is.
fn median_of_the_day(past: &PastBuckets) -> Option<f64> {
    let day = past.buckets_a_day().min(past.span() as i64 - 1);
    let stride = (day / SPACED).max(1);
    let mut values = [0.0; SPACED as usize];
    let mut count = 0;
    for index in 0..SPACED.min(day / stride) {
        let value = past.value(past.newest() - 1 - index * stride);
        if value.is_finite() {
            values[count] = value;
            count += 1;
        }
    }
    (count >= SPACED_MIN).then(|| median(&mut values[..count]))
}

/// The median of at least one finite value; the mean of the middle two.
fn median(values: &mut [f32]) -> f64 {
    let middle = values.len() / 2;
    let is_even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    let upper = f64::from(*upper);
    if !is_even {
        return upper;
    }
    let lower = below.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    0.5 * (f64::from(lower) + upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Season;
    use domain::{Sample, Timestamp};

    const MINUTE: Duration = Duration::from_secs(60);

    fn past_of(values: impl Iterator<Item = f64>) -> (PastBuckets, SameTime) {
        let mut past = PastBuckets::default();
        let mut newest = Timestamp::EPOCH;
        for (minute, value) in values.enumerate() {
            newest = Timestamp::from_millis(minute as i64 * 60_000);
            let sample = Sample {
                time: newest,
                value,
            };
            past.push(sample, MINUTE, false);
        }
        let same_time = past.same_time(newest, &Season::utc());
        (past, same_time)
    }

    /// Ten, and fifty for the first half hour of each day.
    fn job(minute: i64) -> f64 {
        if minute % 1440 < 30 { 50.0 } else { 10.0 }
    }

    #[test]
    fn a_daily_job_is_expected_at_its_time_from_the_second_day_on() {
        for days in 1..9 {
            let (past, same) = past_of((0..days * 1440 + 10).map(job));
            assert_eq!(Seasonal::expected(&past, &same), Some(50.0), "{days} days");
            let (past, same) = past_of((0..days * 1440 + 100).map(job));
            assert_eq!(Seasonal::expected(&past, &same), Some(10.0), "{days} days");
        }
    }

    #[test]
    fn before_one_day_the_day_so_far_is_expected() {
        let (past, same) = past_of((0..600).map(job));
        assert_eq!(Seasonal::expected(&past, &same), Some(10.0));
        let (past, same) = past_of((0..8).map(job));
        assert_eq!(Seasonal::expected(&past, &same), None);
    }

    #[test]
    fn one_odd_day_of_seven_is_outvoted() {
        let odd = |minute: i64| if minute / 1440 == 3 { 1e3 } else { job(minute) };
        let (past, same) = past_of((0..7 * 1440 + 10).map(odd));
        assert_eq!(Seasonal::expected(&past, &same), Some(50.0));
    }

    #[test]
    fn the_bad_side_counts_in_usual_distances() {
        let mut seasonal = Seasonal::default();
        let mut step =
            |value, direction, masked| seasonal.step(value, 10.0, 0.01, MINUTE, direction, masked);
        for i in 0..200 {
            step(10.0 + f64::from(i % 5 - 2), Direction::Up, false);
        }
        let above = step(20.0, Direction::Up, true).unwrap();
        assert_eq!(above.distance, 10.0);
        assert!((above.usual / 1.4826 - 1.0).abs() < 0.11, "{above:?}");
        assert_eq!(step(0.0, Direction::Up, true).unwrap().statistic, 0.0);
        assert_eq!(step(0.0, Direction::Both, true), Some(above));
        assert_eq!(step(0.0, Direction::Down, true), Some(above));
    }
}
