//! Walking forward as the product does: history, a model, then sample by sample, with a new model a
//! day. Every judgement is made by `detect`, along the path that serves.

use std::collections::BTreeMap;
use std::time::Duration;

use detect::{
    Context, MetricScore, Model, Outcome, Season, SeriesState, ServiceState, TrainingSet,
    is_odd_now, limit_of, median_spacing, train,
};
use domain::{
    Combine, Direction, MetricId, MetricSpec, Prediction, Sample, SeriesId, ServiceId, Thresholds,
    Timestamp,
};

use crate::settings::Settings;

/// What is known of a file's samples beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The distance of samples; the tick is as long.
    pub interval: Duration,
    /// So many rows are history: learnt from and not judged.
    pub history_rows: usize,
}

/// What a row of the answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scored {
    /// What is held against the limit, in the units of a rarity, 0 to 8; 0 where nothing was judged.
    pub score: f64,
    /// The prediction, or for a whole that it is odd: the score has reached its limit, the value is out
    /// of range, or an anomaly goes on.
    pub is_anomaly: bool,
}

/// One metric, walked from its first row to its last.
pub(crate) struct Metric {
    /// By row, what the service level hears.
    said: Vec<MetricScore>,
    /// Usable values.
    pub samples: usize,
}

impl Metric {
    /// `number` tells the metrics of a file apart. Names don't matter: whatever a file and its
    /// columns are called, its figures are the same.
    pub fn walked(number: usize, times: &[Timestamp], values: &[f64], pace: Pace) -> Metric {
        let mut walker = Walker::new(number, pace);
        let mut said = vec![MetricScore::default(); times.len()];
        for (row, (time, value)) in times.iter().zip(values).enumerate() {
            let is_history = row < pace.history_rows;
            if !is_history {
                walker.train_if_due(*time);
            }
            let Some(sample) = walker.admit(*time, *value) else {
                continue;
            };
            if !is_history {
                said[row] = walker.judge(sample);
            }
            walker.samples.push(sample);
        }
        let samples = walker.samples.len();
        Metric { said, samples }
    }

    pub fn rows(&self) -> Vec<Scored> {
        let scored = |said: &MetricScore| Scored {
            score: said.score,
            is_anomaly: said.is_anomaly,
        };
        self.said.iter().map(scored).collect()
    }
}

struct Walker {
    settings: Settings,
    series: SeriesId,
    spec: MetricSpec,
    season: Season,
    interval: Duration,
    state: SeriesState,
    model: Option<Model>,
    trained_at: Option<Timestamp>,
    samples: Vec<Sample>,
}

impl Walker {
    fn new(number: usize, pace: Pace) -> Walker {
        let metric = MetricId::new(&format!("m{number}")).expect("a letter and digits are an id");
        let service = ServiceId::new("recorded").expect("a word is a name");
        Walker {
            settings: Settings::product(),
            series: SeriesId::new(service, metric.clone()),
            spec: unknown_metric(metric),
            season: Season::utc(),
            interval: pace.interval,
            state: SeriesState::default(),
            model: None,
            trained_at: None,
            samples: Vec::new(),
        }
    }

    /// A sample, unless there is none, or not a newer one.
    fn admit(&self, time: Timestamp, value: f64) -> Option<Sample> {
        let sample = Sample::admit(time, value, self.spec.valid).ok()?;
        let is_newer = self.samples.last().is_none_or(|last| last.time < time);
        is_newer.then_some(sample)
    }

    fn judge(&mut self, sample: Sample) -> MetricScore {
        let context = Context {
            spec: &self.spec,
            season: &self.season,
            step: self.interval,
            alarm_budget: self.settings.engine.alarm_budget,
            masked: false,
        };
        let judged = self.state.step(self.model.as_ref(), sample, context);
        MetricScore {
            score: judged.score.unwrap_or(0.0),
            is_odd_now: is_odd_now(&judged.components),
            is_anomaly: judged.prediction == Prediction::Anomaly,
        }
    }

    /// As scheduled: a day after the training before, whatever came of that.
    fn train_if_due(&mut self, now: Timestamp) {
        let every = self.settings.retrain_every;
        if self.trained_at.is_some_and(|last| now < last + every) {
            return;
        }
        self.trained_at = Some(now);
        let samples = self.read(now);
        let set = TrainingSet {
            series: &self.series,
            samples,
            // Without thresholds no incident opens, so none masks.
            masks: &[],
            step: median_spacing(samples)
                .unwrap_or(self.interval)
                .max(self.interval),
        };
        let previous = self.model.as_ref();
        let recipe = &self.settings.training;
        let outcome = train(set, &self.spec, recipe, &self.season, now, previous);
        if let Outcome::Trained(trained) = outcome {
            self.model = Some(trained.model);
            self.state = trained
                .state
                .unwrap_or_else(|| std::mem::take(&mut self.state));
        }
    }

    /// What training reads of the samples: the rolling window, or all where that holds too few.
    fn read(&self, now: Timestamp) -> &[Sample] {
        let recipe = &self.settings.training;
        let from = now - recipe.window;
        let start = self.samples.partition_point(|sample| sample.time < from);
        let newest = &self.samples[start..];
        if newest.len() < recipe.window_min_samples {
            &self.samples
        } else {
            newest
        }
    }
}

/// A metric of which nothing is said but that both directions are bad: what `config.yaml` gives to
/// one with a query alone, and `direction: both`.
pub fn unknown_metric(id: MetricId) -> MetricSpec {
    MetricSpec {
        title: id.to_string(),
        unit: String::new(),
        query: format!("max by ($identity, instance) ({id})"),
        id,
        fallback: None,
        direction: Direction::Both,
        thresholds: Thresholds::default(),
        minimum_deviation: 0.0,
        valid: (f64::MIN, f64::MAX),
        combine: Combine::Max,
        at_least_from: None,
        of_service: BTreeMap::new(),
    }
}

/// The whole of a file: its series, or its metrics taken together.
pub(crate) struct Whole {
    pub rows: Vec<Scored>,
    /// In each row the metric of the greatest score.
    pub strongest: Vec<usize>,
}

impl Whole {
    pub fn of_series(only: &Metric) -> Whole {
        Whole {
            rows: only.rows(),
            strongest: vec![0; only.said.len()],
        }
    }

    /// The service level, row by row, over metrics of one length.
    pub fn of_service(metrics: &[Metric], pace: Pace) -> Whole {
        let limit = limit_of(pace.interval, Settings::product().engine.alarm_budget);
        let count = metrics.first().map_or(0, |metric| metric.said.len());
        let mut service = ServiceState::default();
        let scored = |row: usize| {
            let said = metrics.iter().map(|metric| metric.said[row]);
            let judged = service.step(said, limit);
            Scored {
                score: judged.score,
                is_anomaly: judged.is_anomaly,
            }
        };
        Whole {
            rows: (0..count).map(scored).collect(),
            strongest: (0..count).map(|row| strongest(metrics, row)).collect(),
        }
    }
}

/// The metric of the greatest score; of equals the first.
fn strongest(metrics: &[Metric], row: usize) -> usize {
    (0..metrics.len()).fold(0, |best, number| {
        if metrics[number].said[row].score > metrics[best].said[row].score {
            number
        } else {
            best
        }
    })
}
