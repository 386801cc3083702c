//! Walking forward as the product does: history, a first model, then sample by sample with a new
//! model a day, the memory kept.

use std::time::Duration;

use detect::{Context, Judgement, Model, Outcome, Season, SeriesState, TrainingSet};
use domain::{MetricSpec, Prediction, Sample, Timestamp};

use crate::series::{Random, hours, id, settings};

pub const MINUTE: Duration = Duration::from_secs(60);
pub const QUARTER: Duration = Duration::from_secs(15);
pub const A_DAY: Duration = Duration::from_secs(86_400);
/// Anomalies closer together than this are one alarm.
const ONE_ALARM: Duration = Duration::from_secs(600);

/// One series on its way.
#[derive(Clone)]
pub struct Walk {
    spec: MetricSpec,
    season: Season,
    step: Duration,
    pub budget: f64,
    pub model: Option<Model>,
    pub state: SeriesState,
    past: Vec<Sample>,
    trained_at: Option<Timestamp>,
}

impl Walk {
    /// Without any history, and without a model.
    pub fn new(spec: MetricSpec, season: Season, step: Duration) -> Walk {
        Walk {
            spec,
            season,
            step,
            budget: 0.2,
            model: None,
            state: SeriesState::default(),
            past: Vec::new(),
            trained_at: None,
        }
    }

    /// Trained on a history.
    pub fn after(history: &[Sample], spec: MetricSpec, season: Season, step: Duration) -> Walk {
        let mut walk = Walk::new(spec, season, step);
        walk.past = history.to_vec();
        assert!(walk.train(), "the history makes a model");
        walk
    }

    /// Trains on what has passed; whether there is a new model.
    pub fn train(&mut self) -> bool {
        let now = self.past.last().map_or(Timestamp::EPOCH, |s| s.time);
        self.trained_at = Some(now);
        let start = self.past.partition_point(|s| s.time < now - hours(7 * 24));
        let set = TrainingSet {
            series: &id("walked"),
            samples: &self.past[start..],
            masks: &[],
            step: self.step,
        };
        let previous = self.model.as_ref();
        let outcome = detect::train(set, &self.spec, &settings(), &self.season, now, previous);
        let Outcome::Trained(trained) = outcome else {
            return false;
        };
        self.model = Some(trained.model);
        if let Some(state) = trained.state {
            self.state = state;
        }
        true
    }

    pub fn judge(&mut self, sample: Sample) -> Judgement {
        let context = Context {
            spec: &self.spec,
            season: &self.season,
            step: self.step,
            alarm_budget: self.budget,
            masked: false,
        };
        self.past.push(sample);
        self.state.step(self.model.as_ref(), sample, context)
    }

    /// Judges samples, and trains a day after the training before.
    pub fn go(&mut self, samples: &[Sample]) -> Vec<(Timestamp, Judgement)> {
        let mut judged = Vec::with_capacity(samples.len());
        for sample in samples {
            if self
                .trained_at
                .is_some_and(|last| sample.time >= last + A_DAY)
            {
                self.train();
            }
            judged.push((sample.time, self.judge(*sample)));
        }
        judged
    }
}

pub fn is_anomaly(judgement: &Judgement) -> bool {
    judgement.prediction == Prediction::Anomaly
}

/// When alarms begin.
pub fn alarms(judged: &[(Timestamp, Judgement)]) -> Vec<Timestamp> {
    let mut newest = None;
    let mut begun = Vec::new();
    for (time, _) in judged.iter().filter(|(_, judged)| is_anomaly(judged)) {
        if newest.is_none_or(|newest| time.since(newest) > ONE_ALARM) {
            begun.push(*time);
        }
        newest = Some(*time);
    }
    begun
}

pub fn anomalies(judged: &[(Timestamp, Judgement)]) -> usize {
    judged
        .iter()
        .filter(|(_, judged)| is_anomaly(judged))
        .count()
}

/// What a series is like that stays as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Gaussian, 30 ± 3.
    White,
    /// 30 ± 3, and each value this much like the one before it.
    Autoregressive(f64),
    /// Around 30, with this deviation of the logarithm.
    LogNormal(f64),
    /// Poisson, with this mean.
    Counts(f64),
    /// 30 ± 1 on a daily curve of this amplitude.
    Daily(f64),
}

/// Its values one after another.
pub struct Values {
    kind: Kind,
    random: Random,
    last: f64,
}

impl Values {
    pub fn new(kind: Kind, seed: u64) -> Values {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for _ in 0..4 {
            random.uniform();
        }
        Values {
            kind,
            random,
            last: 0.0,
        }
    }

    pub fn next(&mut self, time: Timestamp) -> f64 {
        let random = &mut self.random;
        match self.kind {
            Kind::White => random.normal(30.0, 3.0),
            Kind::Autoregressive(like) => {
                let fresh = (1.0 - like * like).sqrt();
                self.last = like * self.last + fresh * random.normal(0.0, 3.0);
                30.0 + self.last
            }
            Kind::LogNormal(deviation) => 30.0 * libm::exp(random.normal(0.0, deviation)),
            Kind::Counts(mean) => poisson(random, mean),
            Kind::Daily(amplitude) => {
                let day = time.as_millis().rem_euclid(86_400_000) as f64 / 86_400_000.0;
                let curve = -libm::cos(std::f64::consts::TAU * day);
                random.normal(30.0 + amplitude * curve, 1.0)
            }
        }
    }

    /// Samples from `from` on.
    pub fn take(&mut self, from: Timestamp, step: Duration, count: usize) -> Vec<Sample> {
        let times = (0..count).map(|index| from + step * index as u32);
        times
            .map(|time| Sample {
                time,
                value: self.next(time),
            })
            .collect()
    }
}

/// Knuth's.
pub fn poisson(random: &mut Random, mean: f64) -> f64 {
    let limit = libm::exp(-mean);
    let (mut count, mut product) = (0.0, random.uniform());
    while product > limit {
        count += 1.0;
        product *= random.uniform();
    }
    count
}

pub fn in_a_day(step: Duration) -> usize {
    (86_400 / step.as_secs()) as usize
}

/// A Monday, at midnight in UTC.
pub fn monday() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}
