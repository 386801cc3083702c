//! What is remembered of a service and its metrics between ticks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Direction, Finding, IncidentId, MetricId, OpenedBecause, Prediction, Severity, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// The memory of one metric: since when each condition has held without a break.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MetricTracker {
    pub crossing_since: Option<Timestamp>,
    pub qualified_since: Option<Timestamp>,
    pub critical_since: Option<Timestamp>,
    /// Whether the newest sample is past the release level, which lies short of the threshold by
    /// the hysteresis, and not usual for a series that lives there; kept while there is none.
    pub unreleased: bool,
    /// When the newest sample was judged.
    pub judged_at: Option<Timestamp>,
}

/// The memory of one service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceTracker {
    pub metrics: BTreeMap<MetricId, MetricTracker>,
    /// The incident that fires now.
    pub firing: Option<IncidentId>,
    /// The newest incident, firing or not.
    pub newest: Option<IncidentId>,
    /// When the newest incident that ended did so: what lay before belongs to it.
    pub ended: Option<Timestamp>,
    /// Since when all members have been calm, by samples.
    pub calm_since: Option<Timestamp>,
    pub was_up: bool,
    pub gone_since: Option<Timestamp>,
    /// It went with most of the fleet: the source's fault until it is back.
    pub gone_with_the_fleet: bool,
    /// What was last seen of its processes.
    pub processes: Option<Processes>,
}

/// What a service's processes were at the newest look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Processes {
    pub known_from: Timestamp,
    pub instances: u32,
    pub started: Option<Timestamp>,
    pub version: Option<Arc<str>>,
}

impl MetricTracker {
    /// Takes a finding with a new sample; a gap changes nothing, for absence proves nothing. After
    /// an absence of more than `quiet_period` every "since" begins anew: what lay between is unknown.
    pub fn observe(
        &mut self,
        finding: &Finding,
        direction: Direction,
        now: Timestamp,
        settings: &Settings,
    ) {
        let Ok(sample) = finding.sample else { return };
        let judged_at = self.judged_at.replace(now);
        if judged_at.is_some_and(|judged_at| now.since(judged_at) > settings.quiet_period) {
            *self = MetricTracker {
                judged_at: Some(now),
                ..MetricTracker::default()
            };
        }
        let crossing = finding.severity >= Severity::High;
        self.unreleased = !is_usual(finding, sample.value)
            && (crossing || is_unreleased(finding, sample.value, direction, settings));
        let anomalous = finding.prediction == Prediction::Anomaly;
        let hold = |since: &mut Option<Timestamp>, holds: bool| {
            *since = holds.then(|| since.unwrap_or(now));
        };
        hold(&mut self.crossing_since, crossing);
        hold(&mut self.qualified_since, crossing && anomalous);
        hold(
            &mut self.critical_since,
            finding.severity == Severity::Critical,
        );
    }

    /// The first crossing of the episode: that of the threshold, unless the metric had lived past it
    /// for more than `quiet_period` before anything was wrong with it; then when that began.
    pub fn first_crossing(&self, now: Timestamp, quiet_period: Duration) -> Timestamp {
        let crossing = self.crossing_since.unwrap_or(now);
        let wrong = self
            .qualified_since
            .or(self.critical_since)
            .unwrap_or(crossing);
        if wrong.since(crossing) > quiet_period {
            wrong
        } else {
            crossing
        }
    }

    /// Why an incident may open on this metric now.
    pub fn opens(&self, now: Timestamp, settings: &Settings) -> Option<OpenedBecause> {
        let lasts = |since: Option<Timestamp>, least: Duration| {
            since.is_some_and(|since| now.since(since) >= least)
        };
        if lasts(self.qualified_since, settings.open_after) {
            Some(OpenedBecause::CrossingAndAnomaly)
        } else if lasts(self.critical_since, settings.critical_after) {
            Some(OpenedBecause::ThresholdOnly)
        } else {
            None
        }
    }
}

/// Whether a value past High is what the series usually does: the model sees no anomaly, and it lies
/// within the band. A Critical is trouble whatever is usual.
fn is_usual(finding: &Finding, value: f64) -> bool {
    finding.severity < Severity::Critical
        && finding.prediction == Prediction::Normal
        && finding
            .band
            .is_some_and(|band| band.lower <= value && value <= band.upper)
}

/// Whether a value is still past the release level of its threshold.
fn is_unreleased(finding: &Finding, value: f64, direction: Direction, settings: &Settings) -> bool {
    let thresholds = finding.thresholds;
    let threshold = thresholds.high.or(thresholds.critical);
    threshold.is_some_and(|threshold| is_past_release(threshold, value, direction, settings))
}

/// The severity of a member whose incident fires: High at least, and Critical once it was, until the
/// value is past the release level of that threshold no more.
pub(crate) fn held_severity(
    before: Severity,
    finding: &Finding,
    value: f64,
    direction: Direction,
    settings: &Settings,
) -> Severity {
    let critical = finding.thresholds.critical;
    let still = |threshold| is_past_release(threshold, value, direction, settings);
    if before == Severity::Critical && critical.is_some_and(still) {
        Severity::Critical
    } else {
        finding.severity.max(Severity::High)
    }
}

/// The release level is the threshold, moved towards calm by the share `hysteresis` of it.
fn is_past_release(threshold: f64, value: f64, direction: Direction, settings: &Settings) -> bool {
    let margin = settings.hysteresis * threshold.abs();
    match direction {
        Direction::Down => value <= threshold + margin,
        Direction::Up | Direction::Both => value >= threshold - margin,
    }
}

impl ServiceTracker {
    /// Since when the service is down: gone for `down_after`, and not with most of the fleet.
    pub fn down_since(&self, now: Timestamp, settings: &Settings) -> Option<Timestamp> {
        self.gone_since
            .filter(|since| !self.gone_with_the_fleet && now.since(*since) >= settings.down_after)
    }

    /// The service is gone for good: nothing opens until it is seen again.
    pub fn decommission(&mut self) {
        self.was_up = false;
        self.gone_since = None;
        self.gone_with_the_fleet = false;
    }
}
