//! What is remembered of a service and its metrics between ticks, and the reasons that are given.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{
    Finding, IncidentId, MetricId, OpenedBecause, Prediction, SeriesId, Severity, Timestamp,
};
use serde::{Deserialize, Serialize};

/// When incidents open, and how long they last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Past a threshold and anomalous for so long opens an incident.
    pub open_after: Duration,
    /// Critical for so long opens one whatever the model says.
    pub critical_after: Duration,
    /// A calm shorter than this belongs to the same episode.
    pub quiet_period: Duration,
    /// A service gone for so long opens an availability incident.
    pub down_after: Duration,
    /// More than this share of the fleet gone within two ticks is a fault of the source.
    pub source_fault_share: f64,
}

/// The memory of one metric: since when each condition has held without a break.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MetricTracker {
    pub crossing_since: Option<Timestamp>,
    pub qualified_since: Option<Timestamp>,
    pub critical_since: Option<Timestamp>,
    /// Whether the newest sample is past the threshold; kept while there is none.
    pub crossing_now: bool,
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
}

impl MetricTracker {
    /// Takes a finding with a new sample; a gap changes nothing, for absence proves nothing. After
    /// an absence of more than `quiet_period` every "since" begins anew: what lay between is unknown.
    pub fn observe(&mut self, finding: &Finding, now: Timestamp, quiet_period: Duration) {
        if finding.sample.is_err() {
            return;
        }
        let judged_at = self.judged_at.replace(now);
        if judged_at.is_some_and(|judged_at| now.since(judged_at) > quiet_period) {
            *self = MetricTracker {
                judged_at: Some(now),
                ..MetricTracker::default()
            };
        }
        self.crossing_now = finding.severity >= Severity::High;
        let anomalous = finding.prediction == Prediction::Anomaly;
        let hold = |since: &mut Option<Timestamp>, holds: bool| {
            *since = holds.then(|| since.unwrap_or(now));
        };
        hold(&mut self.crossing_since, self.crossing_now);
        hold(&mut self.qualified_since, self.crossing_now && anomalous);
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

impl ServiceTracker {
    /// Since when the service is down: gone for `down_after`, and not with most of the fleet.
    pub fn down_since(&self, now: Timestamp, settings: &Settings) -> Option<Timestamp> {
        self.gone_since
            .filter(|since| !self.gone_with_the_fleet && now.since(*since) >= settings.down_after)
    }
}

/// What was decided about one series at one tick, also when nothing was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub series: SeriesId,
    pub verdict: Verdict,
}

/// Why something was or was not done.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is wrong.
    Calm,
    /// There is no new sample to decide on.
    NoSample,
    /// Past the threshold and anomalous, but not yet for `open_after`.
    Waiting {
        since: Timestamp,
    },
    /// Past the threshold, but the model sees nothing unusual (or can't say).
    CrossingWithoutAnomaly {
        since: Timestamp,
    },
    /// Anomalous, but not past a threshold: an early warning at most.
    AnomalyWithoutCrossing,
    Opened {
        incident: IncidentId,
    },
    Joined {
        incident: IncidentId,
    },
    /// A member that is past its threshold keeps the incident firing.
    Extended {
        incident: IncidentId,
    },
    /// A member that is calm; the incident goes quiet after `quiet_period`.
    CalmMember {
        incident: IncidentId,
    },
    /// Resolved by an operator; a new incident waits for `quiet_period`.
    HeldByResolve {
        incident: IncidentId,
    },
}
