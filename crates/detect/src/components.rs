//! The distance-like components of one series side by side: what they remember and what each says
//! about a sample. They know neither calibration nor decisions.

use std::time::Duration;

use domain::{Direction, Sample, Timestamp};
use serde::{Deserialize, Serialize};

use crate::nearest::{LONG, SHORT};
use crate::past::bucket_means;
use crate::seasonal::Distance;
use crate::{Level, Nearest, PastBuckets, Pattern, Season, Seasonal};

/// What training fits for the components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// No residual is usually smaller than this, in the metric's unit: 1e-6 of the median and 1e-3
    /// of the distance from the 1st to the 99th percentile.
    pub floor: f64,
    /// None where history is too short or constant.
    pub pattern: Option<Pattern>,
}

/// How one sample is to be judged.
#[derive(Clone, Copy, Debug)]
pub struct How<'a> {
    pub season: &'a Season,
    /// The distance of the series' samples.
    pub step: Duration,
    pub direction: Direction,
    /// Nothing is learnt from the sample; it enters the past all the same.
    pub masked: bool,
}

/// The memory of the components. Bounded: 43 KB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Components {
    past: PastBuckets,
    level: Level,
    seasonal: Seasonal,
    short: Nearest,
    long: Nearest,
}

/// What each component says; none where it has no ground to say anything.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    pub level: Option<f64>,
    pub seasonal: Option<Distance>,
    pub short: Option<Distance>,
    pub long: Option<Distance>,
    pub pattern: Option<f64>,
    /// What is usual at this time of day, in the metric's unit.
    pub expected: Option<f64>,
}

impl Fitted {
    /// Fits to the samples of a training window that are kept, oldest first.
    pub fn fit(samples: &[Sample], is_kept: impl Fn(Timestamp) -> bool, step: Duration) -> Fitted {
        let values = bucket_means(samples, is_kept, step);
        let mut sorted: Vec<f32> = values.iter().copied().filter(|x| x.is_finite()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let quantile = |share: f64| {
            let place = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
            sorted.get(place).copied().map_or(0.0, f64::from)
        };
        let floor = 1e-6 * quantile(0.5).abs() + 1e-3 * (quantile(0.99) - quantile(0.01));
        Fitted {
            floor: floor.max(1e-12),
            pattern: Pattern::fit(&values),
        }
    }

    pub fn is_sound(&self) -> bool {
        self.floor.is_finite()
            && self.floor > 0.0
            && self.pattern.as_ref().is_none_or(Pattern::is_sound)
    }
}

impl Components {
    /// Remembers a sample that nothing is said about.
    pub fn remember(&mut self, sample: Sample, step: Duration) {
        self.past.push(sample, step);
    }

    /// Takes a finite sample that is newer than all before it and says how odd it is.
    pub fn step(&mut self, sample: Sample, fitted: &Fitted, how: How<'_>) -> Statistics {
        let How {
            season,
            step,
            direction,
            masked,
        } = how;
        let floor = fitted.floor;
        self.past.push(sample, step);
        let past = &self.past;
        let same_time = past.same_time(sample.time, season);
        let expected = Seasonal::expected(past, &same_time);
        Statistics {
            level: self.level.step(sample, floor, step, direction, masked),
            seasonal: expected.and_then(|expected| {
                self.seasonal
                    .step(sample.value, expected, floor, step, direction, masked)
            }),
            short: self
                .short
                .step(SHORT, past, &same_time, floor, step, direction, masked),
            long: self
                .long
                .step(LONG, past, &same_time, floor, step, direction, masked),
            pattern: fitted
                .pattern
                .as_ref()
                .and_then(|pattern| pattern.statistic(past, direction)),
            expected,
        }
    }

    pub fn past(&self) -> &PastBuckets {
        &self.past
    }

    pub fn is_sound(&self) -> bool {
        self.past.is_sound()
            && self.level.is_sound()
            && self.seasonal.is_sound()
            && self.short.is_sound()
            && self.long.is_sound()
    }
}

impl Statistics {
    /// Level, seasonal, short, long, pattern.
    pub fn as_array(&self) -> [Option<f64>; 5] {
        let statistic = |distance: Distance| distance.statistic;
        [
            self.level,
            self.seasonal.map(statistic),
            self.short.map(statistic),
            self.long.map(statistic),
            self.pattern,
        ]
    }
}
