//! Training a model from the past of one series. Deterministic: the same samples, masks, settings
//! and instant give the same bytes.

use std::time::Duration;

use domain::{FEATURE_NAMES, MetricSpec, Sample, SeriesId, Timestamp};
use forest::{Forest, Parameters};

use crate::components::Fitted;
use crate::featurise::{FEATURES_VERSION, Featuriser};
use crate::judge::{Context, SeriesState};
use crate::model::{Model, ModelHeader};
use crate::{Season, SeasonalBand};

/// Rows whose scores place the contamination quantile, evenly spaced over the window.
const QUANTILE_ROWS_MAX: usize = 6_000;
/// No forest grows from fewer rows.
const FOREST_ROWS_MIN: usize = 2;
/// A new model may miss the recent values by this factor more than the old one.
const ACCEPTED_LOSS_RATIO: f64 = 1.25;

/// How models are trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub window: Duration,
    /// A window with fewer samples grows back until it holds so many.
    pub window_min_samples: usize,
    /// The fewest distinct unmasked rows that make a model.
    pub min_samples: usize,
    /// The share of training rows that the forest labels raw anomalies; 0 to 0.5.
    pub contamination: f64,
    /// An old model of this age is replaced whatever the new one is like.
    pub max_age: Duration,
    pub trees: usize,
    pub sample_size: usize,
    pub seed: u64,
    pub alarm_budget: f64,
}

/// What is learnt from.
#[derive(Clone, Copy, Debug)]
pub struct TrainingSet<'a> {
    pub series: &'a SeriesId,
    /// Oldest first, times distinct.
    pub samples: &'a [Sample],
    /// Closed intervals of time in which an incident masks the series.
    pub masks: &'a [(Timestamp, Timestamp)],
    pub step: Duration,
}

/// A new model, and with the first one the state of the series after the last training sample.
#[derive(Clone, Debug)]
pub struct Trained {
    pub model: Model,
    /// None where there was a model: what the series' memory knows outlives it.
    pub state: Option<SeriesState>,
}

/// What became of a training. All are ordinary.
#[derive(Clone, Debug)]
pub enum Outcome {
    Trained(Box<Trained>),
    NotEnoughSamples {
        have: usize,
        need: usize,
    },
    /// The old model describes the recent, unmasked values better; both losses in the metric's unit.
    KeptOld {
        new_loss: f64,
        old_loss: f64,
    },
}

/// Trains on the rolling window that ends with the newest sample.
pub fn train(
    set: TrainingSet<'_>,
    spec: &MetricSpec,
    settings: &Settings,
    season: &Season,
    now: Timestamp,
    previous: Option<&Model>,
) -> Outcome {
    let window = rolling_window(set.samples, now, settings);
    let (rows, kept, masked_rows) = unmasked_rows(window, set);
    let have = rows.len() / FEATURE_NAMES.len();
    let need = settings.min_samples.max(FOREST_ROWS_MIN);
    if have < need {
        return Outcome::NotEnoughSamples { have, need };
    }
    let band = SeasonalBand::fit(&kept, season, spec.minimum_deviation);
    if let Some(kept_old) = kept_old(&band, previous, &kept, season, settings, now, spec) {
        return kept_old;
    }
    let parameters = Parameters {
        trees: settings.trees,
        sample_size: settings.sample_size,
        seed: seed_of(set.series, settings.seed),
    };
    let forest = Forest::fit(&rows, FEATURE_NAMES.len(), &parameters)
        .expect("rows are finite and parameters were checked with the configuration");
    let (forest_threshold, raw_share) =
        contamination_quantile(&forest, &rows, settings.contamination);
    let extremes = extremes_of(&kept);
    let model = Model {
        header: ModelHeader {
            series: set.series.clone(),
            trained_at: now,
            window_from: window.first().map_or(now, |s| s.time),
            window_to: window.last().map_or(now, |s| s.time),
            rows: have as u64,
            masked_rows,
            step: set.step,
            trees: settings.trees as u32,
            sample_size: settings.sample_size as u32,
            seed: settings.seed,
            contamination: settings.contamination,
            raw_share,
            features_version: FEATURES_VERSION,
            constant: extremes.0 == extremes.1,
        },
        forest,
        forest_threshold,
        band,
        fitted: Fitted::fit(window, |time| !set.masks(time), set.step),
        extremes,
    };
    let first = || walk(&model, window, set, spec, settings, season);
    let state = previous.is_none().then(first);
    Outcome::Trained(Box::new(Trained { model, state }))
}

/// The samples since `now − window`, or more of the older ones where those are too few.
fn rolling_window<'a>(samples: &'a [Sample], now: Timestamp, settings: &Settings) -> &'a [Sample] {
    let start = samples.partition_point(|s| s.time < now - settings.window);
    let grown = samples.len().saturating_sub(settings.window_min_samples);
    &samples[start.min(grown)..]
}

/// Featurises the whole window, then drops what an incident masks: the features next to a mask are
/// computed from what really was there. Gives row-major rows, their samples, and how many were
/// masked.
fn unmasked_rows(window: &[Sample], set: TrainingSet<'_>) -> (Vec<f64>, Vec<Sample>, u64) {
    let mut featuriser = Featuriser::default();
    let mut rows = Vec::with_capacity(window.len() * FEATURE_NAMES.len());
    let mut kept = Vec::with_capacity(window.len());
    let mut masked_rows = 0;
    for sample in window {
        let Some(features) = featuriser.push(*sample, set.step) else {
            continue;
        };
        if set.masks(sample.time) {
            masked_rows += 1;
        } else {
            rows.extend(features.as_array());
            kept.push(*sample);
        }
    }
    (rows, kept, masked_rows)
}

impl TrainingSet<'_> {
    fn masks(&self, time: Timestamp) -> bool {
        self.masks
            .iter()
            .any(|(from, to)| *from <= time && time <= *to)
    }
}

/// Refuses a new band that describes the newest fifth of the unmasked values worse than the old
/// model does, unless the old one is past its age.
fn kept_old(
    band: &SeasonalBand,
    previous: Option<&Model>,
    kept: &[Sample],
    season: &Season,
    settings: &Settings,
    now: Timestamp,
    spec: &MetricSpec,
) -> Option<Outcome> {
    let previous = previous.filter(|old| now.since(old.header.trained_at) < settings.max_age)?;
    let recent = &kept[kept.len() - kept.len() / 5..];
    let new_loss = median_loss(band, recent, season);
    let old_loss = median_loss(&previous.band, recent, season);
    let allowed = ACCEPTED_LOSS_RATIO * old_loss + spec.minimum_deviation;
    (new_loss > allowed).then_some(Outcome::KeptOld { new_loss, old_loss })
}

/// The median distance between value and expected.
fn median_loss(band: &SeasonalBand, samples: &[Sample], season: &Season) -> f64 {
    let mut losses: Vec<f64> = samples
        .iter()
        .map(|s| (s.value - band.expected(s.time, season)).abs())
        .collect();
    if losses.is_empty() {
        return 0.0;
    }
    let middle = losses.len() / 2;
    *losses.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// The isolation score above which lies the share `contamination` of the rows, and the share that
/// really lies there (ties make it smaller).
fn contamination_quantile(forest: &Forest, rows: &[f64], contamination: f64) -> (f64, f64) {
    let width = FEATURE_NAMES.len();
    let stride = (rows.len() / width).div_ceil(QUANTILE_ROWS_MAX).max(1);
    let spaced: Vec<f64> = rows
        .chunks_exact(width)
        .step_by(stride)
        .flatten()
        .copied()
        .collect();
    let mut scores = Vec::new();
    forest.score_batch(&spaced, &mut scores);
    scores.sort_by(f64::total_cmp);
    let below = ((1.0 - contamination) * scores.len() as f64).ceil() as usize;
    let threshold = scores[below.clamp(1, scores.len()) - 1];
    let share_above = |threshold: f64| {
        let above = scores.len() - scores.partition_point(|score| *score <= threshold);
        above as f64 / scores.len() as f64
    };
    // Rows with one score lie above all or none: of both, what comes closer.
    let first_equal = scores.partition_point(|score| *score < threshold);
    let lower = scores[first_equal.saturating_sub(1)];
    let away = |threshold: f64| (share_above(threshold) - contamination).abs();
    let is_closer = lower < threshold && away(lower) < away(threshold);
    let threshold = if is_closer { lower } else { threshold };
    (threshold, share_above(threshold))
}

fn extremes_of(kept: &[Sample]) -> (f64, f64) {
    kept.iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), sample| {
            (low.min(sample.value), high.max(sample.value))
        })
}

/// Walks the window through the very code that serves, so that the calibrators know the series.
fn walk(
    model: &Model,
    window: &[Sample],
    set: TrainingSet<'_>,
    spec: &MetricSpec,
    settings: &Settings,
    season: &Season,
) -> SeriesState {
    let context = Context {
        spec,
        season,
        step: set.step,
        alarm_budget: settings.alarm_budget,
        masked: false,
    };
    let mut state = SeriesState::default();
    state.follow(Some(model), window, context, |time| set.masks(time));
    state
}

/// The median distance of neighbouring samples.
pub fn median_spacing(samples: &[Sample]) -> Option<Duration> {
    let mut distances: Vec<Duration> = samples
        .windows(2)
        .map(|pair| pair[1].time.since(pair[0].time))
        .collect();
    if distances.is_empty() {
        return None;
    }
    let middle = distances.len() / 2;
    Some(*distances.select_nth_unstable(middle).1)
}

/// Every series has a forest of its own, the same at each training.
fn seed_of(series: &SeriesId, seed: u64) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(series.to_string().as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}
