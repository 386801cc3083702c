//! Generated series, the same on every machine, and models of them.

use std::time::Duration;

use detect::{Context, Model, Outcome, Season, SeriesState, Settings, TrainingSet};
use domain::{Catalogue, Direction, MetricId, MetricSpec, Sample, SeriesId, ServiceId, Timestamp};

pub const STEP: Duration = Duration::from_secs(15);
/// One day of samples.
pub const DAY: usize = 5_760;
/// Samples before the first feature row.
pub const WARM_UP: usize = 5;

/// A linear congruential generator (Knuth's MMIX constants).
pub struct Random(pub u64);

impl Random {
    /// Uniform in (0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Gaussian, by Box and Muller.
    pub fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(self.uniform()));
        mean + deviation * radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }
}

pub fn at(index: usize) -> Timestamp {
    Timestamp::from_millis(index as i64 * 15_000)
}

/// One value for each step, from sample number `first` on.
pub fn samples(first: usize, values: impl IntoIterator<Item = f64>) -> Vec<Sample> {
    let values = values.into_iter().enumerate();
    values
        .map(|(index, value)| Sample {
            time: at(first + index),
            value,
        })
        .collect()
}

/// A stationary series: 30 ± 3.
pub fn stationary(seed: u64, first: usize, count: usize) -> Vec<Sample> {
    let mut random = Random(seed);
    samples(first, (0..count).map(|_| random.normal(30.0, 3.0)))
}

pub fn id(service: &str) -> SeriesId {
    SeriesId::new(
        ServiceId::new(service).unwrap(),
        MetricId::new("cpu").unwrap(),
    )
}

/// The default CPU metric, in another direction and with another minimum deviation.
pub fn spec(direction: Direction, minimum_deviation: f64) -> MetricSpec {
    let catalogue = Catalogue::default_three();
    let cpu = catalogue.get(&MetricId::new("cpu").unwrap()).unwrap();
    MetricSpec {
        direction,
        minimum_deviation,
        ..cpu.clone()
    }
}

pub fn cpu() -> MetricSpec {
    spec(Direction::Up, 10.0)
}

pub fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

pub fn settings() -> Settings {
    Settings {
        window: hours(7 * 24),
        window_min_samples: 1000,
        min_samples: 120,
        contamination: 0.01,
        max_age: hours(30 * 24),
        trees: 100,
        sample_size: 256,
        seed: 0,
        alarm_budget: 0.2,
    }
}

/// Trains at the instant of the newest sample.
pub fn train(
    samples: &[Sample],
    masks: &[(Timestamp, Timestamp)],
    settings: &Settings,
    previous: Option<&Model>,
) -> Outcome {
    let set = TrainingSet {
        series: &id("pay"),
        samples,
        masks,
        step: STEP,
    };
    let now = samples.last().map_or(Timestamp::EPOCH, |s| s.time);
    detect::train(set, &cpu(), settings, &Season::utc(), now, previous)
}

/// A model, and the memory that came with it; an empty one where the memory of before goes on.
#[derive(Clone, Debug)]
pub struct Learnt {
    pub model: Model,
    pub state: SeriesState,
}

pub fn trained(outcome: Outcome) -> Learnt {
    match outcome {
        Outcome::Trained(trained) => Learnt {
            model: trained.model,
            state: trained.state.unwrap_or_default(),
        },
        other => panic!("it is trained: {other:?}"),
    }
}

/// A model of one stationary day, and the state after it, for a metric.
pub fn a_day(seed: u64, spec: &MetricSpec) -> Learnt {
    let samples = stationary(seed, 0, DAY);
    let set = TrainingSet {
        series: &id("pay"),
        samples: &samples,
        masks: &[],
        step: STEP,
    };
    trained(detect::train(
        set,
        spec,
        &settings(),
        &Season::utc(),
        at(DAY),
        None,
    ))
}

/// Judges one sample.
pub fn judge(
    state: &mut SeriesState,
    model: Option<&Model>,
    sample: Sample,
    spec: &MetricSpec,
    masked: bool,
) -> detect::Judgement {
    let season = Season::utc();
    let context = Context {
        spec,
        season: &season,
        step: STEP,
        alarm_budget: 0.2,
        masked,
    };
    state.step(model, sample, context)
}
