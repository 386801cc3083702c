//! Decisions as they are answered: what was held against what, in numbers and in sentences.

use domain::{Features, Part, Prediction, Row, Severity, Timestamp};
use incident::Verdict;
use incident::ledger::Entry;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::incidents::{ComponentView, component};
use super::super::openapi::{GapWord, PartWord, PredictionWord, SeverityWord, Time, words};

words! {
    /// A decision in one word.
    VerdictWord: "calm", "no_sample", "waiting", "crossing_without_anomaly",
        "anomaly_without_crossing", "opened", "joined", "extended", "calm_member",
        "held_by_resolve", "not_watched";
    /// Whether people are to be told of a change, or why not.
    NoticeWord: "due", "snoozed", "acknowledged";
}

/// One decision, which holds from `from` on.
#[derive(Serialize, ToSchema)]
#[schema(as = Decision)]
pub struct DecisionView {
    #[schema(value_type = Time)]
    from: Timestamp,
    /// The next decision, or the last tick of the process; null if it still holds.
    #[schema(value_type = Option<Time>)]
    to: Option<Timestamp>,
    #[schema(value_type = VerdictWord)]
    verdict: &'static str,
    #[schema(value_type = Option<Time>)]
    since: Option<Timestamp>,
    incident: Option<u64>,
    /// Where the decision is one that people are told of.
    #[schema(value_type = Option<NoticeWord>)]
    notification: Option<&'static str>,
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    #[schema(value_type = PredictionWord)]
    prediction: Prediction,
    #[schema(value_type = Option<GapWord>)]
    gap: Option<&'static str>,
    value: Option<f64>,
    #[schema(value_type = Option<Time>)]
    sample_ts: Option<Timestamp>,
    high: Option<f64>,
    critical: Option<f64>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    #[schema(minimum = 0, maximum = 8)]
    score: Option<f64>,
    /// From which score on it is an anomaly.
    score_limit: Option<f64>,
    /// Of the sample at `components_ts`, the first of the decision; which of them speak up holds
    /// for all of it.
    components: Vec<ComponentView>,
    #[schema(value_type = Option<Time>)]
    components_ts: Option<Timestamp>,
    model: Option<String>,
    #[schema(value_type = Option<Time>)]
    model_trained_at: Option<Timestamp>,
    model_age_seconds: Option<u64>,
    learning_held: bool,
    /// The above in sentences.
    pub why: Vec<String>,
}

/// A row of a dataset.
#[derive(Serialize, ToSchema)]
#[schema(as = Row)]
pub struct RowView {
    #[schema(value_type = Time)]
    timestamp: Timestamp,
    #[schema(value_type = PartWord)]
    part: Part,
    value: f64,
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    #[schema(value_type = PredictionWord)]
    prediction: Prediction,
    score: Option<f64>,
    features: Option<FeaturesView>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
}

/// What the forest sees beside the value.
#[derive(Serialize, ToSchema)]
#[schema(as = Features)]
pub struct FeaturesView {
    delta: f64,
    rolling_mean: f64,
    rolling_std: f64,
    zscore: f64,
}

/// `at` is the instant from which the model's age is counted; `to` the end of the decision.
pub fn decision(entry: &Entry, unit: &str, to: Option<Timestamp>, at: Timestamp) -> DecisionView {
    let model = entry.model.as_ref();
    DecisionView {
        from: entry.from,
        to,
        verdict: verdict(entry),
        since: match entry.verdict {
            Verdict::Waiting { since } | Verdict::CrossingWithoutAnomaly { since } => Some(since),
            _ => None,
        },
        incident: entry.verdict.incident().map(|id| id.0),
        notification: entry.notice.map(|notice| notice.as_str()),
        severity: entry.severity,
        prediction: entry.prediction,
        gap: entry.gap.map(|gap| gap.as_str()),
        value: entry.sample.map(|sample| sample.value),
        sample_ts: entry.sample.map(|sample| sample.time),
        high: entry.thresholds.high,
        critical: entry.thresholds.critical,
        expected: entry.band.map(|band| band.expected),
        lower: entry.band.map(|band| band.lower),
        upper: entry.band.map(|band| band.upper),
        score: entry.score,
        score_limit: entry.limit,
        components: entry.components.iter().map(component).collect(),
        components_ts: entry.components_at,
        model: model.map(|model| model.hash.to_string()),
        model_trained_at: model.map(|model| model.trained_at),
        model_age_seconds: model.map(|model| at.since(model.trained_at).as_secs()),
        learning_held: entry.held,
        why: entry.sentences(unit),
    }
}

fn verdict(entry: &Entry) -> &'static str {
    if entry.is_watched() {
        entry.verdict.as_str()
    } else {
        "not_watched"
    }
}

pub fn row(row: Row, part: Part) -> RowView {
    let features = |features: Features| FeaturesView {
        delta: features.delta,
        rolling_mean: features.rolling_mean,
        rolling_std: features.rolling_std,
        zscore: features.zscore,
    };
    RowView {
        timestamp: row.timestamp,
        part,
        value: row.value,
        severity: row.severity,
        prediction: row.prediction,
        score: row.score,
        features: row.features.map(features),
        expected: row.band.map(|band| band.expected),
        lower: row.band.map(|band| band.lower),
        upper: row.band.map(|band| band.upper),
    }
}
