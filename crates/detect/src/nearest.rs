//! The nearest component: how far the newest window lies from the most similar one of the past.
//!
//! Looked through are the windows at the same time of day ±10 minutes over the last seven days, and
//! of the recent past every few buckets, none overlapping the newest. The distance is the root mean
//! square of differences, without rescaling, divided by its usual size (a discord against the left
//! matrix profile, Yeh et al. 2016, over a sparse choice of windows). If only one direction is bad,
//! the parts of the newest window that lie on that side of the nearest one count.

use std::time::Duration;

use domain::Direction;
use serde::{Deserialize, Serialize};

use crate::ResidualScale;
use crate::level::bad_side;
use crate::past::{PastBuckets, SameTime};
use crate::seasonal::Distance;

const AROUND: Duration = Duration::from_secs(600);
const AROUND_BUCKETS_MAX: usize = 10;
/// Differences are summed in groups, after each of which a window may already be too far.
const GROUP: usize = 4;

/// Which windows are compared, in buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// The length of a window; a multiple of four.
    window: usize,
    /// Windows of the recent past, and the distance of their ends.
    recent: usize,
    stride: usize,
}

pub const SHORT: Search = Search {
    window: 4,
    recent: 400,
    stride: 3,
};
pub const LONG: Search = Search {
    window: 24,
    recent: 300,
    stride: 4,
};

const WINDOW_MAX: usize = 24;
const RECENT_MAX: usize = 1_280;

/// The usual distance to the nearest window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Nearest {
    scale: ResidualScale,
}

impl Nearest {
    /// The distance of the newest window, which is then learnt unless `masked`; none where the
    /// window has a gap or nothing to be compared with.
    #[expect(clippy::too_many_arguments, reason = "all are of one sample")]
    pub fn step(
        &mut self,
        search: Search,
        past: &PastBuckets,
        same_time: &SameTime,
        floor: f64,
        step: Duration,
        direction: Direction,
        masked: bool,
    ) -> Option<Distance> {
        let mut scratch = [0.0; WINDOW_MAX];
        let newest = past.newest_values(&mut scratch[..search.window]);
        if newest.iter().any(|value| value.is_nan()) {
            return None;
        }
        let (squares, end) = search.nearest(newest, past, same_time)?;
        let residual = (f64::from(squares) / search.window as f64).sqrt();
        let usual = self.scale.usual(floor);
        if !masked {
            self.scale.learn(residual, floor, step);
        }
        let distance = match direction {
            Direction::Both => residual,
            _ => one_sided(newest, past, end, direction),
        };
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

impl Search {
    /// The smallest sum of squared differences, and the bucket with which that window ends.
    fn nearest(
        self,
        newest: &[f32],
        past: &PastBuckets,
        same_time: &SameTime,
    ) -> Option<(f32, i64)> {
        let mut best = (f32::INFINITY, i64::MIN);
        let mut compare = |window: &[f32], end: i64| {
            let squares = squares_below(newest, window, best.0);
            if squares < best.0 {
                best = (squares, end);
            }
        };
        let last_end = past.newest() - self.window as i64;
        let around = (AROUND.as_secs() / past.bucket().as_secs().max(1)).max(1) as i64;
        let length = self.window + 2 * around as usize;
        let mut scratch = [0.0; WINDOW_MAX + 2 * AROUND_BUCKETS_MAX];
        for number in same_time.0 {
            let first_end = number - around;
            let first = first_end + 1 - self.window as i64;
            let then = past.values(first, &mut scratch[..length]);
            for (window, end) in then.windows(self.window).zip(first_end..=last_end) {
                compare(window, end);
            }
        }
        let reach = self.window + (self.recent - 1) * self.stride;
        let reach = reach.min(past.span().saturating_sub(self.window));
        let mut scratch = [0.0; RECENT_MAX];
        let recent = past.values(last_end + 1 - reach as i64, &mut scratch[..reach]);
        for to in (self.window..=reach).rev().step_by(self.stride) {
            let end = last_end - (reach - to) as i64;
            compare(&recent[to - self.window..to], end);
        }
        best.0.is_finite().then_some(best)
    }
}

/// The sum of squared differences of two windows, or of as many of the newest as reach `limit`.
/// NaN, which is not below anything, where one has a gap.
fn squares_below(newest: &[f32], window: &[f32], limit: f32) -> f32 {
    let mut sum = 0.0;
    for (a, b) in newest.rchunks_exact(GROUP).zip(window.rchunks_exact(GROUP)) {
        let square = |i: usize| (a[i] - b[i]) * (a[i] - b[i]);
        sum += (square(0) + square(1)) + (square(2) + square(3));
        // NaN is below nothing: a gap ends it too.
        let is_below = sum < limit;
        if !is_below {
            return sum;
        }
    }
    sum
}

/// The root mean square of the differences from the window ending at `end` that are bad.
fn one_sided(newest: &[f32], past: &PastBuckets, end: i64, direction: Direction) -> f64 {
    let first = end + 1 - newest.len() as i64;
    let squares: f64 = (first..)
        .zip(newest)
        .map(|(number, value)| {
            let bad = bad_side(f64::from(*value) - f64::from(past.value(number)), direction);
            bad * bad
        })
        .sum();
    (squares / newest.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Season;
    use domain::{Sample, Timestamp};
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn past_of(values: impl Iterator<Item = f64>, every: i64) -> (PastBuckets, SameTime) {
        let mut past = PastBuckets::default();
        let mut newest = Timestamp::EPOCH;
        for (index, value) in values.enumerate() {
            newest = Timestamp::from_millis(index as i64 * every * 1_000);
            let sample = Sample {
                time: newest,
                value,
            };
            past.push(sample, Duration::from_secs(every.unsigned_abs()), false);
        }
        let same_time = past.same_time(newest, &Season::utc());
        (past, same_time)
    }

    /// The smallest sum of squares over all candidates, straight from the description.
    fn naive(search: Search, past: &PastBuckets, same_time: &SameTime) -> Option<f32> {
        let newest = past.newest();
        let window = search.window as i64;
        let around = (600 / past.bucket().as_secs() as i64).max(1);
        let same = same_time
            .0
            .into_iter()
            .flat_map(|n| n - around..=n + around);
        let recent = (0..search.recent as i64).map(|k| newest - window - k * search.stride as i64);
        let squares = |end: i64| -> f32 {
            let square = |back: i64| {
                let difference = past.value(newest - back) - past.value(end - back);
                difference * difference
            };
            let group = |i: i64| (square(i + 3) + square(i + 2)) + (square(i + 1) + square(i));
            (0..window).step_by(4).map(group).fold(0.0, |a, b| a + b)
        };
        same.chain(recent)
            .filter(|end| *end <= newest - window)
            .map(squares)
            .filter(|squares| squares.is_finite())
            .min_by(f32::total_cmp)
    }

    proptest! {
        #[test]
        fn it_finds_what_comparing_with_every_candidate_finds(
            seed in 0u32..1000, count in 1usize..12_000, hole in 0usize..12_000, every in prop_oneof![Just(60i64), Just(300), Just(3600)],
        ) {
            let value = |i: usize| f64::from((i as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 20);
            let kept = (0..count).filter(|i| !(hole..hole + 30).contains(i));
            let mut past = PastBuckets::default();
            let mut newest = Timestamp::EPOCH;
            for i in kept {
                newest = Timestamp::from_millis(i as i64 * every * 1_000);
                past.push(Sample { time: newest, value: value(i) }, Duration::from_secs(every.unsigned_abs()), false);
            }
            prop_assume!(past.span() > 0);
            let same_time = past.same_time(newest, &Season::utc());
            for search in [SHORT, LONG] {
                let mut scratch = [0.0; WINDOW_MAX];
                let first = past.newest() + 1 - search.window as i64;
                let window = past.values(first, &mut scratch[..search.window]).to_vec();
                let found = search.nearest(&window, &past, &same_time);
                if window.iter().all(|x| x.is_finite()) {
                    prop_assert_eq!(found.map(|found| found.0), naive(search, &past, &same_time));
                }
            }
        }
    }

    #[test]
    fn what_came_yesterday_is_near_and_what_never_came_is_far() {
        let shape = |minute: i64| f64::from((minute % 1440) as i32 * 37 % 101);
        let mut values: Vec<f64> = (0..3 * 1440).map(shape).collect();
        let (past, same) = past_of(values.iter().copied(), 60);
        let mut nearest = Nearest::default();
        let mut step = |past: &PastBuckets, same: &SameTime, direction, masked| {
            nearest.step(SHORT, past, same, 0.1, MINUTE, direction, masked)
        };
        for _ in 0..20 {
            assert_eq!(step(&past, &same, Direction::Both, false), None);
        }
        let near = step(&past, &same, Direction::Both, true).unwrap();
        assert_eq!((near.distance, near.usual), (0.0, 0.1));
        values[3 * 1440 - 1] += 1_000.0;
        let (past, same) = past_of(values.iter().copied(), 60);
        let far = step(&past, &same, Direction::Both, true).unwrap();
        assert!(far.distance > 400.0, "{far:?}");
        let up = step(&past, &same, Direction::Up, true).unwrap();
        assert!(up.distance > 400.0, "{up:?}");
        let down = step(&past, &same, Direction::Down, true).unwrap();
        assert!(down.statistic < 0.1 * up.statistic, "{down:?}");
    }

    #[test]
    fn after_a_gap_it_is_silent_for_a_window() {
        let mut past = PastBuckets::default();
        let mut nearest = Nearest::default();
        let mut spoke = Vec::new();
        for minute in (0..600).chain(700..760) {
            let time = Timestamp::from_millis(minute * 60_000);
            let value = (minute % 7) as f64;
            past.push(Sample { time, value }, MINUTE, false);
            let same = past.same_time(time, &Season::utc());
            let said = nearest.step(LONG, &past, &same, 0.1, MINUTE, Direction::Both, false);
            if said.is_some() && minute >= 700 {
                spoke.push(minute);
            }
        }
        assert_eq!(spoke.first(), Some(&723));
    }
}
