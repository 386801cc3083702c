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
        let first = past.newest() + 1 - search.window as i64;
        let newest = past.values(first, &mut scratch[..search.window]);
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
        // Not `>=`: NaN ends it too.
        if !(sum < limit) {
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
