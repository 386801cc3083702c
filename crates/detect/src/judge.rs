//! Judging: one sample in, a prediction with its reasons out. The only path by which a sample is
//! judged: live, in replay, and while a training window is walked.

use std::time::Duration;

use domain::{
    Band, Component, ComponentScore, Direction, Features, MetricSpec, Prediction, Reason, Sample,
    ScoreLimits, Silence, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::calibrate::{keep_for_half_life, ln_of};
use crate::featurise::Featuriser;
use crate::limits::{Persistence, limits_of};
use crate::{Calibrator, Model, Season};

/// How long it takes a calibrator to forget half.
const HALF_LIFE: Duration = Duration::from_secs(14 * 86_400);

/// Nothing is learnt from the anomalies of an episode, nor from what is outside the band by the
/// minimum effect, so that it doesn't soon call itself usual; once the episode is older than this,
/// at least 20 samples, and no longer grows, it is a shift and is learnt. It ends when as long has
/// passed without such a sample.
const ADOPTED_AFTER: Duration = Duration::from_secs(3_600);
const ADOPTED_AFTER_SAMPLES: u32 = 20;

const STATE_MAGIC: &[u8; 8] = b"BWSTATE1";

/// What judging needs beside the sample.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub spec: &'a MetricSpec,
    pub season: &'a Season,
    /// The distance of the series' samples.
    pub step: Duration,
    /// Predictions per series and day that may be wrong.
    pub alarm_budget: f64,
    /// Nothing is learnt from the sample: an incident masks it.
    pub masked: bool,
}

/// What was judged about one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    pub prediction: Prediction,
    pub silence: Option<Silence>,
    pub reason: Option<Reason>,
    pub score: Option<f64>,
    pub limits: Option<ScoreLimits>,
    /// Nothing was learnt from the sample.
    pub held: bool,
    pub features: Option<Features>,
    pub band: Option<Band>,
    pub components: Vec<ComponentScore>,
    pub contributions: Option<[f64; 5]>,
}

/// The memory of one series: its newest samples, calibrators and persistence. Bounded (about 20 KB).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesState {
    featuriser: Featuriser,
    forest: Calibrator,
    band: Calibrator,
    combined: Calibrator,
    hits: Persistence,
    /// The newest sample was an anomaly.
    anomalous: bool,
    /// The first and the newest sample of the episode under way that was an anomaly, or outside the
    /// band by the minimum effect.
    episode: Option<(Timestamp, Timestamp)>,
}

/// Why bytes are not the state of a series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stored state is damaged or of another format; it is rebuilt from the dataset")]
pub struct StateError;

impl SeriesState {
    /// Judges a sample that is newer than all before it.
    pub fn step(
        &mut self,
        model: Option<&Model>,
        sample: Sample,
        context: Context<'_>,
    ) -> Judgement {
        let features = self.featuriser.push(sample, context.step);
        let Some(model) = model else {
            return Judgement::silent(Silence::NoModel, features, None);
        };
        let band = model.band.band(sample.time, context.season);
        let Some(row) = features else {
            return Judgement::silent(Silence::WarmingUp, None, Some(band));
        };
        let is_outside = is_outside(model, &row, band, context.spec);
        let context = Context {
            masked: context.masked || self.is_held(sample, is_outside, band, context),
            ..context
        };
        let components = self.components(model, &row, band, context);
        let score = self.combine(&components, context);
        let (prediction, reason) = self.decide(model, &row, band, &components, score, context);
        self.note_episode(sample.time, prediction, is_outside, context.step);
        let contributions = (prediction == Prediction::Anomaly)
            .then(|| model.forest.contributions(&row.as_array()))
            .and_then(|contributions| contributions.per_feature.try_into().ok());
        Judgement {
            prediction,
            silence: None,
            reason: Some(reason),
            score,
            limits: Some(limits_of(context.step, context.alarm_budget)),
            held: context.masked,
            features,
            band: Some(band),
            components,
            contributions,
        }
    }

    pub fn newest(&self) -> Option<Sample> {
        self.featuriser.newest()
    }

    /// The newest samples, oldest first, at most [`crate::featurise::RING_SAMPLES`].
    pub fn samples(&self) -> impl DoubleEndedIterator<Item = Sample> + ExactSizeIterator {
        self.featuriser.samples()
    }

    /// The samples after `time`, oldest first.
    pub fn samples_after(&self, time: Timestamp) -> Vec<Sample> {
        self.samples().filter(|sample| sample.time > time).collect()
    }

    /// Whether a sample belongs to an episode that is not, or not yet, a shift to be learnt: young,
    /// or still growing.
    fn is_held(&self, sample: Sample, is_outside: bool, band: Band, context: Context<'_>) -> bool {
        let since = self.episode.map_or(sample.time, |(first, _)| first);
        let adopted_after = adopted_after(context.step);
        (self.anomalous || is_outside)
            && (sample.time.since(since) < adopted_after
                || self.is_growing(sample.time, band, context.spec, adopted_after))
    }

    /// Whether the newest tenth of a stretch lies farther from expected than its first tenth, by
    /// half the minimum effect.
    fn is_growing(&self, now: Timestamp, band: Band, spec: &MetricSpec, stretch: Duration) -> bool {
        let mean = |from: Timestamp, to: Timestamp| {
            let within = |sample: &Sample| from <= sample.time && sample.time <= to;
            let distances = self
                .samples()
                .filter(within)
                .map(|sample| distance(sample.value, band, spec));
            let (sum, count) = distances.fold((0.0, 0.0), |(sum, n), d| (sum + d, n + 1.0));
            (count > 0.0).then_some(sum / count)
        };
        let (first, tenth) = (now - stretch, stretch / 10);
        match (mean(first, first + tenth), mean(now - tenth, now)) {
            (Some(before), Some(after)) => after - before >= 0.5 * spec.minimum_deviation,
            _ => false,
        }
    }

    fn note_episode(
        &mut self,
        time: Timestamp,
        prediction: Prediction,
        is_outside: bool,
        step: Duration,
    ) {
        self.anomalous = prediction == Prediction::Anomaly;
        let belongs = self.anomalous || is_outside;
        self.episode = match self.episode {
            Some((first, newest)) if time.since(newest) < adopted_after(step) => {
                Some((first, if belongs { time } else { newest }))
            }
            _ => belongs.then_some((time, time)),
        };
    }

    fn components(
        &mut self,
        model: &Model,
        row: &Features,
        band: Band,
        context: Context<'_>,
    ) -> Vec<ComponentScore> {
        let isolation = model.forest.score(&row.as_array());
        let deviations = model
            .band
            .statistic(row.value, &band, context.spec.direction);
        // Isolation scores lie in a narrow range: 20 nepers from 0 to 1 spread them over the bins.
        let ln_isolation = 20.0 * (isolation - 0.5);
        let (forest_threshold, band_threshold) =
            (model.forest_threshold, crate::band::BAND_DEVIATIONS);
        [
            (
                (Component::Forest, isolation, forest_threshold),
                ln_isolation,
                &mut self.forest,
            ),
            (
                (Component::Band, deviations, band_threshold),
                ln_of(deviations),
                &mut self.band,
            ),
        ]
        .into_iter()
        .map(
            |((component, statistic, threshold), ln_statistic, calibrator)| ComponentScore {
                component,
                statistic,
                threshold,
                rarity: rarity_of(calibrator, ln_statistic, context).unwrap_or(0.0),
            },
        )
        .collect()
    }

    /// The mean of the components' rarities, calibrated again.
    fn combine(&mut self, components: &[ComponentScore], context: Context<'_>) -> Option<f64> {
        let sum: f64 = components.iter().map(|c| c.rarity).sum();
        rarity_of(&mut self.combined, sum / components.len() as f64, context)
    }

    fn decide(
        &mut self,
        model: &Model,
        row: &Features,
        band: Band,
        components: &[ComponentScore],
        score: Option<f64>,
        context: Context<'_>,
    ) -> (Prediction, Reason) {
        let limits = limits_of(context.step, context.alarm_budget);
        let raw = components.iter().any(ComponentScore::speaks);
        let rarity = score.unwrap_or(0.0);
        let hit = raw && rarity >= limits.persistent;
        let hits = self.hits.push(hit, limits.of);

        let persistent = Reason::Persistent {
            hits,
            of: limits.of,
            limit: limits.persistent,
        };
        let rule =
            if let Some((low, high)) = outside_everything_seen(model, row.value, context.spec) {
                Ok(Reason::OutOfRange { low, high })
            } else if raw && rarity >= limits.single {
                Ok(Reason::VeryRare {
                    rarity,
                    limit: limits.single,
                })
            } else if hits >= limits.needed || (self.anomalous && hit) {
                Ok(persistent)
            } else if hits > 0 {
                Err(Reason::NotPersistent {
                    hits,
                    needed: limits.needed,
                    of: limits.of,
                })
            } else {
                Err(Reason::Usual)
            };
        let judged = rule.and_then(|reason| effect(row.value, band, context.spec).map(|()| reason));
        match judged {
            Ok(reason) => (Prediction::Anomaly, reason),
            Err(reason) => (Prediction::Normal, reason),
        }
    }

    /// The state's bytes: a magic, postcard and the BLAKE3 hash of both.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = STATE_MAGIC.to_vec();
        bytes.extend(postcard::to_stdvec(self).expect("a state is plain data"));
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        bytes
    }

    /// # Errors
    /// Damaged or of another format; it can be rebuilt.
    pub fn decode(bytes: &[u8]) -> Result<SeriesState, StateError> {
        let split = bytes.len().checked_sub(32).ok_or(StateError)?;
        let (content, hash) = bytes.split_at(split);
        if blake3::hash(content).as_bytes() != hash {
            return Err(StateError);
        }
        let body = content.strip_prefix(STATE_MAGIC).ok_or(StateError)?;
        let state: SeriesState = postcard::from_bytes(body).map_err(|_| StateError)?;
        let calibrators = [&state.forest, &state.band, &state.combined];
        let sound = calibrators.into_iter().all(Calibrator::is_sound)
            && state.samples().all(|sample| sample.value.is_finite());
        sound.then_some(state).ok_or(StateError)
    }
}

impl Judgement {
    pub fn silent(silence: Silence, features: Option<Features>, band: Option<Band>) -> Judgement {
        Judgement {
            prediction: Prediction::Unknown,
            silence: Some(silence),
            reason: None,
            score: None,
            limits: None,
            held: false,
            features,
            band,
            components: Vec::new(),
            contributions: None,
        }
    }
}

/// Outside the band by the minimum effect: what grows slowly is held from here on, before it is
/// rare enough to be an anomaly, for else its beginning would make the rest of it usual.
fn is_outside(model: &Model, row: &Features, band: Band, spec: &MetricSpec) -> bool {
    let deviations = model.band.statistic(row.value, &band, spec.direction);
    deviations >= crate::band::BAND_DEVIATIONS && effect(row.value, band, spec).is_ok()
}

fn adopted_after(step: Duration) -> Duration {
    ADOPTED_AFTER.max(step * ADOPTED_AFTER_SAMPLES)
}

fn rarity_of(calibrator: &mut Calibrator, ln_statistic: f64, context: Context<'_>) -> Option<f64> {
    if context.masked {
        return calibrator.rarity(ln_statistic);
    }
    let half_life = HALF_LIFE.as_secs_f64() / context.step.as_secs_f64().max(0.001);
    calibrator.observe(ln_statistic, keep_for_half_life(half_life))
}

/// The limits beyond which lies nothing like the training window: its extremes, widened by half
/// their distance and at least by the minimum deviation; none if the value is inside.
fn outside_everything_seen(model: &Model, value: f64, spec: &MetricSpec) -> Option<(f64, f64)> {
    let (low, high) = model.extremes;
    let margin = (0.5 * (high - low))
        .max(spec.minimum_deviation)
        .max(f64::MIN_POSITIVE);
    let above = value > high + margin;
    let below = value < low - margin;
    let outside = match spec.direction {
        Direction::Up => above,
        Direction::Down => below,
        Direction::Both => above || below,
    };
    outside.then_some((low, high))
}

/// How far a value lies from expected in the bad direction.
fn distance(value: f64, band: Band, spec: &MetricSpec) -> f64 {
    let signed = value - band.expected;
    match spec.direction {
        Direction::Up => signed,
        Direction::Down => -signed,
        Direction::Both => signed.abs(),
    }
}

/// Whether the distance from expected is large enough and in the bad direction.
fn effect(value: f64, band: Band, spec: &MetricSpec) -> Result<(), Reason> {
    let distance = distance(value, band, spec);
    if distance < 0.0 {
        Err(Reason::HarmlessDirection)
    } else if distance < spec.minimum_deviation {
        Err(Reason::BelowMinimumEffect {
            distance,
            minimum: spec.minimum_deviation,
        })
    } else {
        Ok(())
    }
}
