//! One sample through the components but the forest, their calibrators included: one series after
//! another, and 6,000 series in turn whose state lies cold. And fitting them to a day at 15 s. The
//! whole detector is measured by the example `whole_detector`.

use std::time::Duration;

use detect::{Calibrator, Components, Fitted, How, Season, ln_of};
use divan::{Bencher, black_box};
use domain::{Component, Direction, Sample, Timestamp};

fn main() {
    divan::main();
}

struct Series {
    components: Components,
    calibrators: [Calibrator; Component::ALL.len()],
    fitted: Fitted,
}

impl Series {
    fn step(&mut self, sample: Sample, season: &Season, step: Duration) -> f64 {
        let how = How {
            season,
            step,
            direction: Direction::Both,
            masked: false,
        };
        let statistics = self.components.step(sample, &self.fitted, how);
        let mut sum = 0.0;
        for (component, calibrator) in Component::ALL.into_iter().zip(&mut self.calibrators) {
            if let Some(statistic) = statistics.of(component) {
                sum += calibrator.observe(ln_of(statistic), 0.9999).unwrap_or(0.0);
            }
        }
        sum
    }
}

/// A daily wave with noise.
fn sample(index: i64, step: Duration) -> Sample {
    let seconds = index * step.as_secs() as i64;
    let phase = (seconds % 86_400) as f64 / 86_400.0 * std::f64::consts::TAU;
    let noise = (index.wrapping_mul(2_654_435_761) >> 7).rem_euclid(1_009) as f64 / 1_009.0;
    Sample {
        time: Timestamp::from_millis(seconds * 1_000),
        value: 50.0 + 20.0 * libm::sin(phase) + 3.0 * noise,
    }
}

fn walked(samples: i64, step: Duration) -> Series {
    let day: Vec<Sample> = (0..86_400 / step.as_secs() as i64)
        .map(|index| sample(index, step))
        .collect();
    let mut series = Series {
        components: Components::default(),
        calibrators: Default::default(),
        fitted: Fitted::fit(&day, |_| true, step),
    };
    let season = Season::utc();
    (0..samples).for_each(|index| {
        series.step(sample(index, step), &season, step);
    });
    series
}

#[divan::bench(args = [15, 60])]
fn one_warm_series(bencher: Bencher, seconds: u64) {
    let step = Duration::from_secs(seconds);
    let mut next = 8 * 86_400 / seconds as i64;
    let mut series = walked(next, step);
    let season = Season::new("Europe/Berlin").unwrap_or(Season::utc());
    bencher.bench_local(|| {
        next += 1;
        series.step(black_box(sample(next, step)), &season, step)
    });
}

#[divan::bench(args = [15, 60])]
fn one_of_6000_cold_series(bencher: Bencher, seconds: u64) {
    let step = Duration::from_secs(seconds);
    let first = 8 * 86_400 / seconds as i64;
    let one = walked(first, step);
    let mut all: Vec<Series> = (0..6_000)
        .map(|_| Series {
            components: one.components.clone(),
            calibrators: one.calibrators.clone(),
            fitted: one.fitted.clone(),
        })
        .collect();
    let season = Season::new("Europe/Berlin").unwrap_or(Season::utc());
    let mut turn = 0;
    bencher.bench_local(|| {
        turn += 1;
        let number = all.len();
        let tick = first + (turn / number) as i64 + 1;
        all[turn % number].step(black_box(sample(tick, step)), &season, step)
    });
}

#[divan::bench]
fn fit_a_day_at_15_seconds(bencher: Bencher) {
    let step = Duration::from_secs(15);
    let day: Vec<Sample> = (0..5_760).map(|index| sample(index, step)).collect();
    bencher.bench(|| Fitted::fit(black_box(&day), |_| true, step));
}

#[divan::bench]
fn fit_seven_days_at_60_seconds(bencher: Bencher) {
    let step = Duration::from_secs(60);
    let days: Vec<Sample> = (0..10_080).map(|index| sample(index, step)).collect();
    bencher.bench(|| Fitted::fit(black_box(&days), |_| true, step));
}
