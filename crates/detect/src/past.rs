//! The last seven days of a series in buckets, for the components that compare with them.
//!
//! A bucket is max(step, 60 s) long and holds the mean of its samples, as f32; NaN stands for none.
//! The newest is unfinished and means what it has so far. Holes of up to three buckets are filled with the
//! value before them, so that a missed scrape silences nothing; longer gaps stay gaps.
//!
//! What an incident masks is left out of the past, so that the next incident isn't usual; the newest
//! hundred buckets are kept beside it as they were, for they are what is compared with the past.

use std::time::Duration;

use domain::{Sample, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Season;

/// Days that are looked back.
pub const DAYS: usize = 7;
/// The largest sensible amount; so that squares of differences are finite in single precision.
const VALUE_MAX: f64 = 1e18;
const BUCKET_SECONDS_MIN: i64 = 60;
const DAY_SECONDS: i64 = 86_400;
const DAY_MILLIS: i64 = DAY_SECONDS * 1_000;
/// Beyond seven days: windows, the minutes around the same time of day, a clock that was changed.
const SPARE_SECONDS: i64 = 2 * 3_600;
const SPARE_BUCKETS: usize = 32;
/// Series of long steps keep so many buckets, for comparisons with the recent past.
const BUCKETS_MIN: usize = 1_280;
const FILLED_BUCKETS_MAX: i64 = 3;
/// The longest window that is compared with the past.
pub const WINDOW_MAX: usize = 100;

/// The newest buckets of a series. Bounded: 41 KB for buckets of a minute.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PastBuckets {
    bucket_seconds: i64,
    /// A ring: the bucket of number n, counted from the epoch, lies at n modulo its length.
    values: Vec<f32>,
    /// A ring of the newest buckets, those that are masked among them.
    recent: Vec<f32>,
    /// The number of the newest bucket, and of the oldest that was ever filled.
    newest: i64,
    oldest: i64,
    /// The sum and count of the samples in the newest bucket.
    sum: f64,
    count: u32,
    /// One of these samples is masked, and so the bucket.
    masked: bool,
}

/// NaN is a value like any other here.
impl PartialEq for PastBuckets {
    fn eq(&self, other: &PastBuckets) -> bool {
        let mine = self.values.iter().map(|value| value.to_bits());
        let others = other.values.iter().map(|value| value.to_bits());
        self.bucket_seconds == other.bucket_seconds
            && (self.newest, self.oldest) == (other.newest, other.oldest)
            && (self.sum.to_bits(), self.count) == (other.sum.to_bits(), other.count)
            && self.masked == other.masked
            && mine.eq(others)
    }
}

/// The numbers of the buckets at this time of day by the wall clock, one to seven days ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SameTime(pub [i64; DAYS]);

impl PastBuckets {
    /// Takes a finite sample that is newer than all before it; a `masked` one is no past.
    pub fn push(&mut self, sample: Sample, step: Duration, masked: bool) {
        self.use_bucket(bucket_seconds(step));
        let number = self.number_of(sample.time);
        if self.count == 0 {
            (self.newest, self.oldest) = (number, number);
        } else if number > self.newest {
            self.open(number);
        }
        self.sum += sample.value.clamp(-VALUE_MAX, VALUE_MAX);
        self.count += 1;
        self.masked |= masked;
        self.set(self.newest, (self.sum / f64::from(self.count)) as f32);
    }

    /// The number of the newest bucket; meaningless while empty.
    pub fn newest(&self) -> i64 {
        self.newest
    }

    /// Buckets between the oldest ever filled and the newest, at most as many as are kept.
    pub fn span(&self) -> usize {
        if self.count == 0 {
            return 0;
        }
        usize::try_from(self.newest - self.oldest + 1)
            .unwrap_or(0)
            .min(self.values.len())
    }

    pub fn bucket(&self) -> Duration {
        Duration::from_secs(self.bucket_seconds.unsigned_abs())
    }

    /// Whole buckets in a day, at least one.
    pub fn buckets_a_day(&self) -> i64 {
        (DAY_SECONDS / self.bucket_seconds.max(1)).max(1)
    }

    /// The value of a bucket; NaN where there is none.
    pub fn value(&self, number: i64) -> f32 {
        if self.count == 0 || number > self.newest || self.newest - number >= self.length() {
            return f32::NAN;
        }
        self.values[self.slot(number)]
    }

    /// The values of `count` buckets from `first` on, oldest first: as they lie, or copied into
    /// `scratch` where the ring ends between them or they are not all kept.
    pub fn values<'a>(&'a self, first: i64, scratch: &'a mut [f32]) -> &'a [f32] {
        let count = scratch.len();
        let last = first + count as i64 - 1;
        let is_kept = self.count > 0 && last <= self.newest && self.newest - first < self.length();
        if !is_kept {
            for (offset, value) in scratch.iter_mut().enumerate() {
                *value = self.value(first + offset as i64);
            }
            return scratch;
        }
        let start = self.slot(first);
        if start + count <= self.values.len() {
            return &self.values[start..start + count];
        }
        let (head, tail) = scratch.split_at_mut(self.values.len() - start);
        head.copy_from_slice(&self.values[start..]);
        let rest = tail.len();
        tail.copy_from_slice(&self.values[..rest]);
        scratch
    }

    /// The newest buckets, oldest first, masked or not; at most [`WINDOW_MAX`] of them.
    pub fn newest_values<'a>(&self, scratch: &'a mut [f32]) -> &'a [f32] {
        let first = self.newest + 1 - scratch.len() as i64;
        for (number, value) in (first..).zip(scratch.iter_mut()) {
            *value = match self.recent.is_empty() {
                true => f32::NAN,
                false => self.recent[recent_slot(number)],
            };
        }
        scratch
    }

    /// Where the same time of day lies. After a change of clocks it is the same wall-clock time.
    pub fn same_time(&self, time: Timestamp, season: &Season) -> SameTime {
        let day = |days: i64| time - Duration::from_millis((days * DAY_MILLIS).unsigned_abs());
        // How far the wall clock was ahead of today's, between −12 and 12 hours.
        let ahead = |days: i64| {
            let ahead = millis(season.time_of_day(day(days))) - millis(season.time_of_day(time));
            (ahead + DAY_MILLIS / 2).rem_euclid(DAY_MILLIS) - DAY_MILLIS / 2
        };
        let is_steady = ahead(DAYS as i64) == 0;
        let bucket = self.bucket_seconds.max(1) * 1_000;
        let middle = self.newest * bucket + bucket / 2;
        SameTime(std::array::from_fn(|index| {
            let days = index as i64 + 1;
            let ahead = if is_steady { 0 } else { ahead(days) };
            (middle - days * DAY_MILLIS - ahead).div_euclid(bucket)
        }))
    }

    fn number_of(&self, time: Timestamp) -> i64 {
        time.as_millis().div_euclid(self.bucket_seconds * 1_000)
    }

    fn length(&self) -> i64 {
        self.values.len() as i64
    }

    fn slot(&self, number: i64) -> usize {
        number.rem_euclid(self.length()) as usize
    }

    /// Writes a bucket.
    fn set(&mut self, number: i64, value: f32) {
        let slot = self.slot(number);
        self.values[slot] = if self.masked { f32::NAN } else { value };
        self.recent[recent_slot(number)] = value;
    }

    /// Begins a later bucket, and fills or empties those in between.
    fn open(&mut self, number: i64) {
        let hole = number - self.newest - 1;
        let filler = if hole <= FILLED_BUCKETS_MAX {
            self.recent[recent_slot(self.newest)]
        } else {
            f32::NAN
        };
        let from = (number - self.length()).max(self.newest) + 1;
        for missed in from..number {
            self.set(missed, filler);
        }
        (self.newest, self.sum, self.count) = (number, 0.0, 0);
        self.masked = false;
    }

    /// Changes to buckets of another length, each of which takes what was there at its time.
    fn use_bucket(&mut self, seconds: i64) {
        if self.bucket_seconds == seconds {
            return;
        }
        let mut other = PastBuckets {
            bucket_seconds: seconds,
            values: vec![f32::NAN; capacity(seconds)],
            recent: vec![f32::NAN; WINDOW_MAX],
            ..PastBuckets::default()
        };
        let part = seconds.min(self.bucket_seconds).max(1);
        let parts = self.bucket_seconds / part;
        let first = self.newest + 1 - self.span() as i64;
        let kept = (other.length() * seconds).div_euclid(self.bucket_seconds.max(1));
        for number in first.max(self.newest - kept)..self.newest + 1 {
            let value = f64::from(self.value(number));
            for index in 0..if self.span() > 0 { parts } else { 0 } {
                let at = number * self.bucket_seconds + index * part;
                if value.is_finite() {
                    let time = Timestamp::from_millis(at * 1_000);
                    other.push(
                        Sample { time, value },
                        Duration::from_secs(seconds.unsigned_abs()),
                        false,
                    );
                }
            }
        }
        *self = other;
    }

    pub(crate) fn is_sound(&self) -> bool {
        let is_unused = *self == PastBuckets::default();
        let seconds = self.bucket_seconds;
        is_unused
            || ((BUCKET_SECONDS_MIN..=bucket_seconds(Duration::MAX)).contains(&seconds)
                && self.values.len() == capacity(seconds)
                && self.recent.len() == WINDOW_MAX
                && self
                    .values
                    .iter()
                    .chain(&self.recent)
                    .all(|value| !value.is_infinite())
                && self.sum.is_finite()
                && self.count > 0
                && self.oldest <= self.newest
                && self.newest.abs() < i64::MAX / 1_000_000_000
                && self.oldest.abs() < i64::MAX / 1_000_000_000)
    }
}

/// The means of samples in consecutive buckets, oldest first, as [`PastBuckets`] would hold them; NaN
/// where there is none, or none that is kept.
pub(crate) fn bucket_means(
    samples: &[Sample],
    is_kept: impl Fn(Timestamp) -> bool,
    step: Duration,
) -> Vec<f32> {
    let seconds = bucket_seconds(step);
    let number_of = |time: Timestamp| time.as_millis().div_euclid(seconds * 1_000);
    let mut means: Vec<f32> = Vec::new();
    let mut newest = None;
    let mut sums = (0.0, 0.0);
    for sample in samples.iter().filter(|sample| is_kept(sample.time)) {
        let number = number_of(sample.time);
        let hole = newest.map_or(0, |newest: i64| (number - newest - 1).max(0));
        if newest.is_none_or(|newest| number > newest) {
            let filler = if hole <= FILLED_BUCKETS_MAX {
                means.last().copied().unwrap_or(f32::NAN)
            } else {
                f32::NAN
            };
            // Of a longer gap it only matters that it is one.
            means.extend(std::iter::repeat_n(
                filler,
                hole.min(FILLED_BUCKETS_MAX) as usize,
            ));
            means.push(0.0);
            (newest, sums) = (Some(number), (0.0, 0.0));
        }
        sums = (
            sums.0 + sample.value.clamp(-VALUE_MAX, VALUE_MAX),
            sums.1 + 1.0,
        );
        if let Some(last) = means.last_mut() {
            *last = (sums.0 / sums.1) as f32;
        }
    }
    means
}

fn recent_slot(number: i64) -> usize {
    number.rem_euclid(WINDOW_MAX as i64) as usize
}

fn bucket_seconds(step: Duration) -> i64 {
    let rounded =
        step.as_secs().min(DAY_SECONDS.unsigned_abs()) + u64::from(step.subsec_millis() >= 500);
    (rounded.min(DAY_SECONDS.unsigned_abs()) as i64).max(BUCKET_SECONDS_MIN)
}

fn capacity(bucket_seconds: i64) -> usize {
    let seconds = DAYS as i64 * DAY_SECONDS + SPARE_SECONDS;
    ((seconds / bucket_seconds) as usize + SPARE_BUCKETS).max(BUCKETS_MIN)
}

fn millis(duration: Duration) -> i64 {
    duration.as_millis() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn sample(seconds: i64, value: f64) -> Sample {
        Sample {
            time: Timestamp::from_millis(seconds * 1_000),
            value,
        }
    }

    fn filled(seconds: impl Iterator<Item = i64>, step: Duration) -> PastBuckets {
        let mut past = PastBuckets::default();
        seconds.for_each(|at| past.push(sample(at, at as f64), step, false));
        past
    }

    #[test]
    fn a_bucket_is_the_mean_of_its_samples_so_far() {
        let past = filled((0..6).map(|i| i * 15), Duration::from_secs(15));
        assert_eq!((past.value(0), past.value(1)), (22.5, 67.5));
        assert!(past.value(2).is_nan() && past.value(-1).is_nan());
    }

    #[test]
    fn a_missed_scrape_is_filled_and_a_gap_is_not() {
        let past = filled([0, 60, 300, 600].into_iter(), MINUTE);
        assert_eq!(
            (past.value(2), past.value(4), past.value(5)),
            (60.0, 60.0, 300.0)
        );
        assert!(past.value(6).is_nan() && past.value(9).is_nan());
        assert_eq!(past.value(10), 600.0);
    }

    #[test]
    fn seven_days_are_kept_in_forty_two_kilobytes() {
        let past = filled((0..20_000).map(|i| i * 60), MINUTE);
        assert_eq!(
            past.value(19_999 - 7 * 1440 - 70),
            ((19_999 - 7 * 1440 - 70) * 60) as f32
        );
        assert!(past.value(19_999 - 8 * 1440).is_nan());
        assert!(postcard::to_stdvec(&past).unwrap().len() <= 42_000);
    }

    #[test]
    fn a_gap_of_months_empties_it() {
        let mut past = filled((0..20_000).map(|i| i * 60), MINUTE);
        past.push(sample(200_000 * 60, 1.0), MINUTE, false);
        assert!((1..10_200).all(|back| past.value(200_000 - back).is_nan()));
        assert_eq!(past.value(200_000), 1.0);
    }

    #[test]
    fn the_same_time_of_day_follows_the_wall_clock() {
        let berlin = Season::new("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut past = PastBuckets::default();
        let now = at("2026-10-27T08:00:30Z");
        past.push(
            Sample {
                time: now,
                value: 1.0,
            },
            MINUTE,
            false,
        );
        let numbers = past.same_time(now, &berlin).0;
        let minute = |text: &str| at(text).as_millis() / 60_000;
        assert_eq!(numbers[0], minute("2026-10-26T08:00:00Z"));
        assert_eq!(
            numbers[1],
            minute("2026-10-25T08:00:00Z"),
            "the clocks changed before"
        );
        assert_eq!(numbers[2], minute("2026-10-24T07:00:00Z"));
        assert_eq!(numbers[6], minute("2026-10-20T07:00:00Z"));
        let utc = past.same_time(now, &Season::utc()).0;
        assert_eq!(utc[6], minute("2026-10-20T08:00:00Z"));
    }

    #[test]
    fn another_step_keeps_what_was_there_at_each_time() {
        let mut past = filled((0..2_000).map(|i| i * 300), Duration::from_secs(300));
        past.push(sample(600_000, 5.0), MINUTE, false);
        assert_eq!(past.bucket(), MINUTE);
        assert_eq!(
            (past.value(9_999), past.value(9_995), past.value(9_994)),
            (599_700.0, 599_700.0, 599_400.0)
        );
        past.push(sample(600_300, 5.0), Duration::from_secs(300), false);
        assert_eq!(
            (past.value(1_999), past.value(1_998)),
            (599_700.0, 599_400.0)
        );
        assert!(past.is_sound());
    }

    #[test]
    fn what_is_masked_is_no_past_and_still_the_newest() {
        let mut past = filled((0..10).map(|i| i * 60), MINUTE);
        past.push(sample(600, 7.0), MINUTE, true);
        past.push(sample(615, 9.0), MINUTE, false);
        past.push(sample(660, 3.0), MINUTE, false);
        assert!(past.value(10).is_nan());
        assert_eq!((past.value(9), past.value(11)), (540.0, 3.0));
        assert_eq!(past.newest_values(&mut [0.0; 3]), [540.0, 8.0, 3.0]);
    }

    proptest! {
        #[test]
        fn it_holds_what_a_map_of_all_buckets_would(
            steps in prop::collection::vec((1i64..400, -1e6f64..1e6), 1..300),
            first in -3_000i64..3_000, count in 1usize..64,
        ) {
            let mut past = PastBuckets::default();
            let mut means = std::collections::BTreeMap::<i64, (f64, f64)>::new();
            let mut time = 0;
            for (distance, value) in steps {
                time += distance;
                past.push(sample(time, value), Duration::from_secs(15), false);
                let mean = means.entry(time / 60).or_default();
                *mean = (mean.0 + value, mean.1 + 1.0);
            }
            let expected = |number: i64| -> Option<f32> {
                let mean = |number: &i64| means.get(number).map(|(sum, n)| (sum / n) as f32);
                mean(&number).or_else(|| {
                    let (before, after) = (means.range(..number).next_back()?.0, means.range(number..).next()?.0);
                    mean(before).filter(|_| after - before <= 4)
                })
            };
            let mut scratch = vec![0.0; count];
            let read = past.values(first, &mut scratch).to_vec();
            for (offset, value) in read.iter().enumerate() {
                let number = first + offset as i64;
                prop_assert_eq!(Some(value.to_bits()), Some(expected(number).unwrap_or(f32::NAN).to_bits()));
                prop_assert_eq!(value.to_bits(), past.value(number).to_bits());
            }
            prop_assert!(past.is_sound());
            let bytes = postcard::to_stdvec(&past).unwrap();
            prop_assert_eq!(postcard::from_bytes::<PastBuckets>(&bytes).unwrap(), past);
        }
    }
}
