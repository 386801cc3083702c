//! Walking forward as the product does: history, a model, then sample by sample, with a new model a
//! day. Every judgement is made by `detect`, along the path that serves.

use std::collections::BTreeMap;
use std::time::Duration;

use detect::{
    Context, Model, Outcome, Season, SeriesState, ServiceContext, ServiceState, TrainingSet,
    median_spacing, train,
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
    /// The combined rarity: −log10 of a probability, 0 to 8; 0 where nothing was judged.
    pub score: f64,
    pub is_anomaly: bool,
}

/// What was judged of one metric in one row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Judged {
    rarity: Option<f64>,
    is_anomaly: bool,
    /// Judged afterwards, with a model that had seen it: for a service to learn from, not to answer.
    is_rehearsed: bool,
}

/// One metric, walked from its first row to its last.
pub(crate) struct Metric {
    rows: Vec<Judged>,
    /// Usable values.
    pub samples: usize,
}

impl Metric {
    /// `number` tells the metrics of a file apart. Names don't matter: whatever a file and its
    /// columns are called, its figures are the same.
    pub fn walked(number: usize, times: &[Timestamp], values: &[f64], pace: Pace) -> Metric {
        let mut walker = Walker::new(number, pace);
        let mut rows = vec![Judged::default(); times.len()];
        for (row, (time, value)) in times.iter().zip(values).enumerate() {
            let is_history = row < pace.history_rows;
            if !is_history {
                let had_model = walker.model.is_some();
                walker.train_if_due(*time);
                if row == pace.history_rows && !had_model {
                    walker.rehearse(&mut rows);
                }
            }
            let Some(sample) = walker.admit(*time, *value) else {
                continue;
            };
            if !is_history {
                rows[row] = walker.judge(sample);
            }
            walker.remember(row, sample);
        }
        let samples = walker.samples.len();
        Metric { rows, samples }
    }

    pub fn scored(&self) -> Vec<Scored> {
        self.rows.iter().map(Judged::scored).collect()
    }

    pub fn rarity(&self, row: usize) -> Option<f64> {
        self.rows[row].rarity
    }
}

impl Judged {
    fn scored(&self) -> Scored {
        if self.is_rehearsed {
            return Scored::default();
        }
        Scored {
            score: self.rarity.unwrap_or(0.0),
            is_anomaly: self.is_anomaly,
        }
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
    /// The row of each sample.
    row_of: Vec<usize>,
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
            row_of: Vec::new(),
        }
    }

    /// A sample, unless there is none, or not a newer one.
    fn admit(&self, time: Timestamp, value: f64) -> Option<Sample> {
        let sample = Sample::admit(time, value, self.spec.valid).ok()?;
        let is_newer = self.samples.last().is_none_or(|last| last.time < time);
        is_newer.then_some(sample)
    }

    fn remember(&mut self, row: usize, sample: Sample) {
        self.samples.push(sample);
        self.row_of.push(row);
    }

    fn judge(&mut self, sample: Sample) -> Judged {
        let context = context(&self.spec, &self.season, self.interval, &self.settings);
        let judged = self.state.step(self.model.as_ref(), sample, context);
        Judged {
            rarity: judged.score,
            is_anomaly: judged.prediction == Prediction::Anomaly,
            is_rehearsed: false,
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
            (self.model, self.state) = (Some(trained.model), trained.state);
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

    /// Judges the window that the first model learnt from, so that a service is known from its
    /// history on, not only after its calibrator has warmed up.
    fn rehearse(&self, rows: &mut [Judged]) {
        let Some(model) = &self.model else { return };
        let context = context(&self.spec, &self.season, self.interval, &self.settings);
        let mut state = SeriesState::default();
        for (row, sample) in self.row_of.iter().zip(&self.samples) {
            if sample.time < model.header.window_from {
                continue;
            }
            rows[*row] = Judged {
                rarity: state.step(Some(model), *sample, context).score,
                is_anomaly: false,
                is_rehearsed: true,
            };
        }
    }
}

fn context<'a>(
    spec: &'a MetricSpec,
    season: &'a Season,
    step: Duration,
    settings: &Settings,
) -> Context<'a> {
    Context {
        spec,
        season,
        step,
        alarm_budget: settings.engine.alarm_budget,
        masked: false,
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
    /// In each row the metric of the greatest rarity.
    pub strongest: Vec<usize>,
}

impl Whole {
    pub fn of_series(only: &Metric) -> Whole {
        Whole {
            rows: only.scored(),
            strongest: vec![0; only.rows.len()],
        }
    }

    /// The service level, row by row, over metrics of one length.
    pub fn of_service(metrics: &[Metric], pace: Pace) -> Whole {
        let settings = Settings::product();
        let context = ServiceContext {
            step: pace.interval,
            alarm_budget: settings.engine.alarm_budget,
            masked: false,
        };
        let mut state = ServiceState::default();
        let count = metrics.first().map_or(0, |metric| metric.rows.len());
        let mut whole = Whole {
            rows: Vec::with_capacity(count),
            strongest: Vec::with_capacity(count),
        };
        for row in 0..count {
            let rarities = metrics.iter().filter_map(|metric| metric.rarity(row));
            let judged = state.step(rarities, context);
            let scored = if row < pace.history_rows {
                Scored::default()
            } else {
                Scored {
                    score: judged.score.unwrap_or(0.0),
                    is_anomaly: judged.prediction == Prediction::Anomaly,
                }
            };
            whole.rows.push(scored);
            whole.strongest.push(strongest(metrics, row));
        }
        whole
    }
}

/// The metric of the greatest rarity; of equals the first.
fn strongest(metrics: &[Metric], row: usize) -> usize {
    let rarity = |number: usize| metrics[number].rarity(row).unwrap_or(-1.0);
    (0..metrics.len()).fold(0, |best, number| {
        if rarity(number) > rarity(best) {
            number
        } else {
            best
        }
    })
}
