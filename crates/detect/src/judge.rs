//! Judging: one sample in, a prediction with its reasons out. The only path by which a sample is
//! judged: live, in replay, and while a training window is walked.

use std::time::Duration;

use domain::{
    Band, Component, ComponentScore, Direction, Features, MetricSpec, Prediction, Reason, Sample,
    Silence, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::calibrate::{keep_for_half_life, ln_of};
use crate::components::{Components, How, Statistics};
use crate::featurise::Featuriser;
use crate::limits::limit_of;
use crate::{Calibrator, Model, Season};

/// How long it takes a calibrator to forget half.
const HALF_LIFE: Duration = Duration::from_secs(14 * 86_400);
/// What a sample's own oddness counts in the score; the rest is the score before it.
const SHARE_OF_NEWEST: f64 = 0.6;

/// An anomaly that stays outside its band goes on for so long; then it is a shift, and usual.
const ADOPTED_AFTER: Duration = Duration::from_secs(3_600);
const ADOPTED_AFTER_SAMPLES: u32 = 20;
/// An episode ends when so long has passed within the band and without an anomaly.
const EPISODE_GAP: Duration = Duration::from_secs(300);
const EPISODE_GAP_SAMPLES: u32 = 2;

/// The newest samples of a past that are judged.
const JUDGED_SAMPLES_MAX: usize = 20_000;

/// What is no rarer than this for its time of day, as every third sample is, is usual.
const ODD_FROM: f64 = 0.5;

/// What is so rare for its time of day, smoothed over minutes and samples, is an anomaly outside its
/// band though all else finds it usual.
const OFF_SEASON: f64 = 2.5;
const OFF_SEASON_HALF_LIFE: Duration = Duration::from_secs(180);
const OFF_SEASON_HALF_LIFE_SAMPLES: u32 = 3;

const STATE_MAGIC: &[u8; 8] = b"BWSTATE2";

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
    /// How odd the sample and those right before it are, in the units of a rarity, 0 to 8; none
    /// while no component is calibrated.
    pub score: Option<f64>,
    /// From which score on a sample is an anomaly.
    pub limit: Option<f64>,
    /// Nothing was learnt from the sample.
    pub held: bool,
    pub features: Option<Features>,
    pub band: Option<Band>,
    pub components: Vec<ComponentScore>,
    pub contributions: Option<[f64; 5]>,
}

/// The memory of one series: its newest samples, its last seven days, calibrators and the score.
/// Bounded (63 KB).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesState {
    featuriser: Featuriser,
    components: Components,
    /// One for each of [`Component::ALL`].
    calibrators: [Calibrator; Component::ALL.len()],
    /// Of the newest sample.
    score: f64,
    /// The rarity for the time of day, smoothed.
    off_season: f64,
    /// The first anomaly of the episode under way, and the newest sample that was one or outside its
    /// band.
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
            self.pass_over(sample, context);
            return Judgement::silent(Silence::NoModel, features, None);
        };
        let band = model.band.band(sample.time, context.season);
        let Some(row) = features else {
            self.pass_over(sample, context);
            return Judgement::silent(Silence::WarmingUp, None, Some(band));
        };
        let statistics = self.components.step(sample, &model.fitted, how(context));
        let components = self.calibrated(model, &row, &statistics, context);
        let score = self.score_of(&components);
        let limit = limit_of(context.step, context.alarm_budget);
        self.note_season(&components, context.step);
        let oddness = (score.unwrap_or(0.0), is_odd_now(&components));
        let (prediction, reason) = self.decide(model, sample, band, oddness, context);
        let contributions = (prediction == Prediction::Anomaly)
            .then(|| model.forest.contributions(&row.as_array()))
            .and_then(|contributions| contributions.per_feature.try_into().ok());
        Judgement {
            prediction,
            silence: None,
            reason: Some(reason),
            score,
            limit: Some(limit),
            held: context.masked,
            features,
            band: Some(band),
            components,
            contributions,
        }
    }

    /// Follows the past of a series, oldest first, to where it ends: the newest 20,000 samples are
    /// judged, so that the calibrators know the series; older ones are only remembered.
    pub fn follow(
        &mut self,
        model: Option<&Model>,
        past: &[Sample],
        context: Context<'_>,
        is_masked: impl Fn(Timestamp) -> bool,
    ) {
        let first_judged = past.len().saturating_sub(JUDGED_SAMPLES_MAX);
        for (index, sample) in past.iter().enumerate() {
            let masked = is_masked(sample.time);
            let context = Context { masked, ..context };
            self.step(model.filter(|_| index >= first_judged), *sample, context);
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

    /// The score against its limit, while the sample itself is odd; or far outside everything seen,
    /// which a forest can't tell from mildly odd; or an anomaly that goes on. Either way it must be an
    /// effect in the bad direction.
    fn decide(
        &mut self,
        model: &Model,
        sample: Sample,
        band: Band,
        (score, is_odd_now): (f64, bool),
        context: Context<'_>,
    ) -> (Prediction, Reason) {
        let Sample { time, value } = sample;
        let spec = context.spec;
        let limit = limit_of(context.step, context.alarm_budget);
        let reason = if let Some((low, high)) = outside_everything_seen(model, value, spec) {
            Err(Reason::OutOfRange { low, high })
        } else if score >= limit && is_odd_now {
            Err(Reason::Unusual { score, limit })
        } else if self.off_season >= OFF_SEASON && is_outside(sample, band) {
            Err(Reason::OffSeason { limit: OFF_SEASON })
        } else if let Some(since) = self.goes_on_since(sample, band, context) {
            Err(Reason::GoesOn { since })
        } else if score >= limit {
            Ok(Reason::BackToUsual)
        } else {
            Ok(Reason::Usual)
        };
        let (prediction, reason) = match (reason, effect(value, band, spec)) {
            (Ok(reason), _) | (Err(_), Err(reason)) => (Prediction::Normal, reason),
            (Err(reason), Ok(())) => (Prediction::Anomaly, reason),
        };
        let is_anomaly = prediction == Prediction::Anomaly;
        self.note_episode(time, is_anomaly, is_outside(sample, band), context.step);
        (prediction, reason)
    }

    /// What is usual but for its time, as a job that doesn't come, is odd to one judge alone, and for
    /// long.
    fn note_season(&mut self, components: &[ComponentScore], step: Duration) {
        let half_life = OFF_SEASON_HALF_LIFE.max(step * OFF_SEASON_HALF_LIFE_SAMPLES);
        let kept = libm::exp2(-step.as_secs_f64() / half_life.as_secs_f64());
        let rarity = season_rarity(components).unwrap_or(0.0);
        self.off_season += (1.0 - kept) * (rarity - self.off_season);
    }

    fn note_episode(
        &mut self,
        time: Timestamp,
        is_anomaly: bool,
        is_outside: bool,
        step: Duration,
    ) {
        let gap = EPISODE_GAP.max(step * EPISODE_GAP_SAMPLES);
        let under_way = self
            .episode
            .filter(|(_, newest)| time.since(*newest) <= gap);
        self.episode = match under_way {
            Some((first, _)) if is_anomaly || is_outside => Some((first, time)),
            None if is_anomaly => Some((time, time)),
            _ => under_way,
        };
    }

    /// Since when a sample that is outside its band has been part of an episode that is too young to
    /// be a shift.
    fn goes_on_since(&self, sample: Sample, band: Band, context: Context<'_>) -> Option<Timestamp> {
        let (since, _) = self.episode?;
        let adopted_after = ADOPTED_AFTER.max(context.step * ADOPTED_AFTER_SAMPLES);
        let is_young = sample.time.since(since) < adopted_after;
        (is_young && is_outside(sample, band)).then_some(since)
    }

    /// Remembers a sample that can't be judged.
    fn pass_over(&mut self, sample: Sample, context: Context<'_>) {
        self.components
            .remember(sample, context.step, context.masked);
        self.score = 0.0;
        self.off_season = 0.0;
    }

    /// What each component that has ground to speak says, and how rare that is on this series.
    fn calibrated(
        &mut self,
        model: &Model,
        row: &Features,
        statistics: &Statistics,
        context: Context<'_>,
    ) -> Vec<ComponentScore> {
        let isolation = model.forest.score(&row.as_array());
        let calibrators = Component::ALL.into_iter().zip(&mut self.calibrators);
        let score = |(component, calibrator): (Component, &mut Calibrator)| {
            let (statistic, ln_statistic) = match component {
                // Isolation scores lie in a narrow range: 20 nepers from 0 to 1 spread them over the bins.
                Component::Forest => (isolation, 20.0 * (isolation - 0.5)),
                _ => statistics.of(component).map(|s| (s, ln_of(s)))?,
            };
            let rarity = rarity_of(calibrator, ln_statistic, context)?;
            Some(ComponentScore {
                component,
                statistic,
                threshold: (component == Component::Forest).then_some(model.forest_threshold),
                rarity,
            })
        };
        calibrators.filter_map(score).collect()
    }

    /// The mean of the components' rarities, smoothed over the samples: one that is very odd moves
    /// it past its limit at once, several that are odd in a row do so together.
    fn score_of(&mut self, components: &[ComponentScore]) -> Option<f64> {
        if components.is_empty() {
            return None;
        }
        let sum: f64 = components.iter().map(|c| c.rarity).sum();
        let mean = sum / components.len() as f64;
        self.score += SHARE_OF_NEWEST * (mean - self.score);
        Some(self.score)
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
        let sound = state.calibrators.iter().all(Calibrator::is_sound)
            && state.components.is_sound()
            && state.score.is_finite()
            && state.off_season.is_finite()
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
            limit: None,
            held: false,
            features,
            band,
            components: Vec::new(),
            contributions: None,
        }
    }
}

fn how<'a>(context: Context<'a>) -> How<'a> {
    How {
        season: context.season,
        step: context.step,
        direction: context.spec.direction,
        masked: context.masked,
    }
}

fn rarity_of(calibrator: &mut Calibrator, ln_statistic: f64, context: Context<'_>) -> Option<f64> {
    if context.masked {
        return calibrator.rarity(ln_statistic);
    }
    let half_life = HALF_LIFE.as_secs_f64() / context.step.as_secs_f64().max(0.001);
    calibrator.observe(ln_statistic, keep_for_half_life(half_life))
}

fn season_rarity(components: &[ComponentScore]) -> Option<f64> {
    let season = components.iter().find(|c| c.component == Component::Season);
    season.map(|season| season.rarity)
}

/// Whether a sample is itself odd for its time of day, and not only those before it, which the score
/// and the windows of the judges remember; if nothing is known of the time of day, it is.
pub fn is_odd_now(components: &[ComponentScore]) -> bool {
    season_rarity(components).is_none_or(|rarity| rarity >= ODD_FROM)
}

fn is_outside(sample: Sample, band: Band) -> bool {
    sample.value < band.lower || sample.value > band.upper
}

/// The limits beyond which lies nothing like the training window: its extremes, widened by half
/// their distance and at least by the minimum deviation; none if the value is inside.
fn outside_everything_seen(model: &Model, value: f64, spec: &MetricSpec) -> Option<(f64, f64)> {
    let (low, high) = model.extremes;
    let header = &model.header;
    let span = header.window_to.since(header.window_from).as_secs_f64();
    let young = (86_400.0 / span.max(1.0)).max(1.0);
    let margin = (0.5 * young * (high - low))
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
///
/// # Errors
/// Why it is no effect.
pub fn effect(value: f64, band: Band, spec: &MetricSpec) -> Result<(), Reason> {
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
