//! Evidence: typed facts attached to an incident, stored with it, so that its page is the same a
//! month later. And what is gathered outside for it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Band, ChangeFact, ComponentScore, Direction, IncidentId, LogPatterns, LogWindow, MetricId,
    ModelRef, Prediction, Reason, Sample, ServiceId, Severity, Status, Thresholds, Timestamp,
    escape_label_value,
};

/// What explains an incident, apart from the lines of its logs. Every list is bounded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub changes: Option<Changes>,
    pub shifts: Option<Shifts>,
    /// Ordered by metric, then as gathered.
    pub breakdowns: Vec<Breakdown>,
    /// Ordered by metric.
    pub unusual: Vec<Unusual>,
    /// None until they were looked for.
    pub similar: Option<Vec<SimilarIncident>>,
    /// What the logs say; none until they were read.
    pub patterns: Option<LogPatterns>,
    /// What could not be gathered, and why.
    pub failed: Vec<String>,
}

/// The changes of a service in the window before an episode, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    pub from: Timestamp,
    pub to: Timestamp,
    pub facts: Vec<ChangeFact>,
    /// Facts in the window beyond the limit.
    pub omitted: u32,
    /// Since when changes of this service are known, where that is after `from`.
    pub known_from: Option<Timestamp>,
}

/// How the service's metrics moved: the window from onset to opening against the baseline before
/// it of four times its length, strongest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shifts {
    pub baseline_from: Timestamp,
    pub from: Timestamp,
    pub to: Timestamp,
    pub ranked: Vec<Shift>,
    /// Metrics that did not move.
    pub steady: Vec<String>,
    /// Metrics that too few samples exist of.
    pub too_few: Vec<String>,
}

/// One metric that moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// The metric's id.
    pub metric: String,
    pub title: String,
    pub unit: String,
    /// Difference of the medians in robust standard deviations of the baseline; positive: rose.
    pub effect: f64,
    /// Medians.
    pub before: f64,
    pub during: f64,
    /// 1.4826 · median absolute deviation of the baseline.
    pub spread: f64,
    pub samples_before: u32,
    pub samples_during: u32,
    /// PromQL that shows it.
    pub query: String,
    pub text: String,
}

/// Which values of one label carry a metric's anomaly, found by removing each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breakdown {
    pub metric: MetricId,
    /// What was broken down, where it is not the metric itself (outgoing calls).
    pub of: String,
    pub label: String,
    pub unit: String,
    pub at: Timestamp,
    /// The whole, over all values of the label.
    pub whole: Option<f64>,
    /// Below this it would not be an anomaly.
    pub limit: f64,
    /// Strongest first.
    pub parts: Vec<BreakdownPart>,
    pub omitted: u32,
    pub outcome: BreakdownOutcome,
    pub text: String,
}

/// What removal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakdownOutcome {
    /// Without the first part it would not be an anomaly.
    Carried,
    /// It goes on whichever single value is removed.
    Spread,
    /// The label has one value only, or one with nearly all requests.
    OneValue,
    /// No label, no traffic or no values to say anything.
    NotEnough,
}

/// One value of a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BreakdownPart {
    pub value: String,
    /// Its share of the requests, 0 to 1.
    pub share: f64,
    /// The metric of this value alone, and of everything but it.
    pub alone: Option<f64>,
    pub without: Option<f64>,
    pub carries: bool,
    /// PromQL of everything but it.
    pub query: String,
}

/// How unusual a member's value was when it opened or joined the incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unusual {
    pub metric: MetricId,
    pub title: String,
    pub unit: String,
    pub at: Timestamp,
    pub actual: f64,
    pub severity: Severity,
    pub thresholds: Thresholds,
    pub direction: Direction,
    pub minimum_deviation: f64,
    pub prediction: Prediction,
    pub reason: Option<Reason>,
    pub band: Option<Band>,
    /// Rarity, −log10 of the tail probability, and the limits it is held against.
    pub score: Option<f64>,
    pub limit: Option<f64>,
    pub components: Vec<ComponentScore>,
    /// Of the forest by feature, in the order of [`crate::FEATURE_NAMES`].
    pub contributions: Option<[f64; 5]>,
    pub model: Option<ModelRef>,
    pub precedent: Option<Precedent>,
    /// The above in sentences with numbers.
    pub text: Vec<String>,
}

/// How often the training window saw such a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Precedent {
    pub from: Timestamp,
    pub to: Timestamp,
    pub rows: u64,
    /// Rows at least as extreme in the metric's bad direction.
    pub as_extreme: u64,
    /// The most extreme row.
    pub most_extreme: Option<Sample>,
    /// Median and number of the rows within half an hour of the same time a week before.
    pub week_before: Option<(f64, u32)>,
}

/// A past incident of the same service that shares metrics or log patterns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimilarIncident {
    pub id: IncidentId,
    pub opened: Timestamp,
    /// From onset to its end; none while it fires.
    pub lasted: Option<Duration>,
    pub status: Status,
    pub shared: Vec<MetricId>,
    /// Templates of the log patterns that were new or risen in both.
    pub shared_patterns: Vec<String>,
    /// What both share as a share of all that either has, 0 to 1: metrics, and log patterns where
    /// the logs of both were read.
    pub similarity: f64,
    pub resolved_by: Option<String>,
    pub last_comment: Option<String>,
    pub summary: String,
}

/// What was gathered for an incident: an input of a later tick.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gathered {
    Logs(Arc<LogWindow>),
    Precedent {
        metric: MetricId,
        precedent: Precedent,
    },
    Similar(Vec<SimilarIncident>),
    /// Further series of the service over window and baseline.
    Series(Vec<GatheredSeries>),
    /// The label tables of one metric.
    Tables {
        metric: MetricId,
        tables: Vec<LabelTable>,
    },
    /// What could not be gathered, and why.
    Failed(String),
    Patterns(Box<LogPatterns>),
}

/// A series beside the catalogue's, for ranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatheredSeries {
    pub metric: String,
    pub title: String,
    pub unit: String,
    /// A move of less than this says nothing.
    pub minimum_deviation: f64,
    pub query: String,
    pub samples: Vec<Sample>,
}

/// A metric of a service by the values of one label at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelTable {
    /// `server requests`, `outgoing calls`.
    pub of: String,
    pub label: String,
    pub at: Timestamp,
    /// How rows become a value.
    pub statistic: TableStatistic,
    /// PromQL of the metric without one value: `$value` stands where the value, escaped, belongs.
    pub query_without: String,
    pub rows: Vec<TableRow>,
    pub omitted: u32,
}

impl LabelTable {
    /// `of` of tables of what a service answers, …
    pub const SERVER: &str = "server requests";
    /// … and of what it asks of others.
    pub const OUTGOING: &str = "outgoing calls";
    /// What the row is named that stands for all values beyond the bound.
    pub const OTHERS: &str = "(others)";

    /// PromQL of the metric without one value of the label.
    pub fn query_but(&self, value: &str) -> String {
        let value = escape_label_value(value);
        self.query_without.replace("$value", &value)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableStatistic {
    /// The quantile of merged buckets, times `scale`.
    Quantile { q: f64, scale: f64 },
    /// `scale` times the first of `numbers` over the second.
    Ratio { scale: f64 },
}

/// One value of a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRow {
    pub value: String,
    /// For a quantile: upper bounds, ascending, the last infinite, and cumulative rates. For a
    /// ratio: one entry, (failed, all).
    pub numbers: Vec<(f64, f64)>,
}

/// What an incident wants to be gathered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceRequest {
    pub incident: IncidentId,
    pub service: ServiceId,
    /// Logs from here to there, again once `logs_to` has passed.
    pub logs_from: Timestamp,
    pub logs_to: Timestamp,
    pub baseline_from: Timestamp,
    pub onset: Timestamp,
    pub at: Timestamp,
    /// The members that are new: all at the opening, then each that joins.
    pub members: Vec<RequestMember>,
    /// The incident has just opened: logs, series and similar incidents are wanted too.
    pub opening: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestMember {
    pub metric: MetricId,
    pub value: f64,
    pub direction: Direction,
}
