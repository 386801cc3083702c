//! The distance-like components of one series side by side: what they remember and what each says
//! about a sample. They know neither calibration nor decisions.

use std::time::Duration;

use domain::{Component, Direction, Sample, Timestamp};
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
    /// Nothing is learnt from the sample, and it is no past for later ones.
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
    pub fn remember(&mut self, sample: Sample, step: Duration, masked: bool) {
        self.past.push(sample, step, masked);
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
        self.past.push(sample, step, masked);
        let past = &self.past;
        let same_time = past.same_time(sample.time, season);
        let expected = Seasonal::expected(past, &same_time);
        let pattern = fitted.pattern.as_ref();
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
            pattern: pattern.and_then(|pattern| pattern.judge(past, direction)),
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
    /// The statistic of a component; none of the forest's, which is no distance.
    pub fn of(&self, component: Component) -> Option<f64> {
        let statistic = |distance: Distance| distance.statistic;
        match component {
            Component::Forest => None,
            Component::Level => self.level,
            Component::Season => self.seasonal.map(statistic),
            Component::NearestShort => self.short.map(statistic),
            Component::NearestLong => self.long.map(statistic),
            Component::Pattern => self.pattern,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STEP: Duration = Duration::from_secs(15);

    fn how(season: &Season, direction: Direction, masked: bool) -> How<'_> {
        How {
            season,
            step: STEP,
            direction,
            masked,
        }
    }

    fn sample(index: i64) -> Sample {
        let noise = (index.wrapping_mul(2_654_435_761) >> 7).rem_euclid(1_009) as f64 / 1_009.0;
        let phase = (index % 5_760) as f64 / 5_760.0 * std::f64::consts::TAU;
        Sample {
            time: Timestamp::from_millis(index * 15_000),
            value: 50.0 + 20.0 * libm::sin(phase) + 3.0 * noise,
        }
    }

    impl Statistics {
        fn all(&self) -> [Option<f64>; 5] {
            let [_, rest @ ..] = Component::ALL;
            rest.map(|component| self.of(component))
        }
    }

    fn fitted() -> Fitted {
        let day: Vec<Sample> = (0..5_760).map(sample).collect();
        Fitted::fit(&day, |_| true, STEP)
    }

    fn walked(samples: i64, fitted: &Fitted) -> Components {
        let (mut components, season) = (Components::default(), Season::utc());
        for index in 0..samples {
            components.step(sample(index), fitted, how(&season, Direction::Both, false));
        }
        components
    }

    #[test]
    fn every_component_speaks_after_a_few_hours_and_sees_a_jump() {
        let fitted = fitted();
        let components = walked(2_000, &fitted);
        let season = Season::utc();
        let mut jump = sample(2_000);
        jump.value += 200.0;
        let said = |sample: Sample, direction| {
            let how = how(&season, direction, true);
            components.clone().step(sample, &fitted, how).all()
        };
        let usual = said(sample(2_000), Direction::Both);
        for (odd, usual) in said(jump, Direction::Both).iter().zip(usual) {
            assert!(odd.unwrap() > 3.0 * usual.unwrap(), "{odd:?} {usual:?}");
        }
        let odd = said(jump, Direction::Both);
        for (harmless, odd) in said(jump, Direction::Down).iter().zip(odd) {
            assert!(
                harmless.unwrap() < 0.2 * odd.unwrap(),
                "{harmless:?} {odd:?}"
            );
        }
    }

    #[test]
    fn a_gap_makes_silence_and_no_burst() {
        let fitted = fitted();
        let mut components = walked(4_000, &fitted);
        let season = Season::utc();
        let mut largest = [0.0f64; 5];
        for index in 5_000..5_600 {
            let said =
                components.step(sample(index), &fitted, how(&season, Direction::Both, false));
            for (largest, said) in largest.iter_mut().zip(said.all()) {
                *largest = largest.max(said.unwrap_or(0.0));
            }
        }
        // The season is that of another time of day: before one day of history it is the only one.
        assert!(largest[0] < 6.0 && largest[4] < 6.0, "{largest:?}");
    }

    #[test]
    fn masked_samples_are_remembered_and_not_learnt() {
        let fitted = fitted();
        let before = walked(3_000, &fitted);
        let mut after = before.clone();
        let season = Season::utc();
        for index in 3_000..3_100 {
            let mut odd = sample(index);
            odd.value += 500.0;
            after.step(odd, &fitted, how(&season, Direction::Both, true));
        }
        assert_ne!(after.past, before.past);
        assert_eq!(
            (&after.seasonal, &after.short, &after.long),
            (&before.seasonal, &before.short, &before.long)
        );
    }

    #[test]
    fn their_state_is_small_and_read_as_it_was_written() {
        let fitted = fitted();
        let components = walked(6_000, &fitted);
        let bytes = postcard::to_stdvec(&components).unwrap();
        assert!(bytes.len() <= 45_000, "{}", bytes.len());
        let mut read: Components = postcard::from_bytes(&bytes).unwrap();
        assert!(read.is_sound() && read == components);
        let season = Season::utc();
        let mut components = components;
        for index in 6_000..6_200 {
            let how = how(&season, Direction::Up, false);
            let said = components.step(sample(index), &fitted, how);
            assert_eq!(said, read.step(sample(index), &fitted, how));
        }
        let bytes = postcard::to_stdvec(&fitted).unwrap();
        let read: Fitted = postcard::from_bytes(&bytes).unwrap();
        assert!(read.is_sound() && read == fitted);
    }

    proptest! {
        #[test]
        fn any_series_leaves_a_sound_memory_and_finite_statistics(
            steps in prop::collection::vec((1i64..40, -1e18f64..1e18), 1..400), up in any::<bool>()
        ) {
            let season = Season::utc();
            let (mut time, mut components) = (0, Components::default());
            let direction = if up { Direction::Up } else { Direction::Both };
            let fitted = fitted();
            for (distance, value) in steps {
                time += if distance > 35 { distance * 100 } else { 1 };
                let sample = Sample { time: Timestamp::from_millis(time * 15_000), value };
                let said = components.step(sample, &fitted, how(&season, direction, false));
                prop_assert!(said.all().iter().flatten().all(|s| s.is_finite() && *s >= 0.0));
            }
            prop_assert!(components.is_sound());
        }
    }
}
