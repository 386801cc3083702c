//! Incidents: our record of an episode.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Evidence, LogWindow, MetricId, ServiceId, Severity, Thresholds, Timestamp};

/// The number of an incident: 12, shown as #12. Given by the engine's state, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub u64);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The operator's state of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Open,
    Acknowledged,
    Resolved,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Open => "OPEN",
            Status::Acknowledged => "ACKNOWLEDGED",
            Status::Resolved => "RESOLVED",
        }
    }
}

/// What kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// Metrics past their thresholds.
    Metrics,
    /// The service is gone while Prometheus is healthy.
    Availability,
}

/// Why an incident was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenedBecause {
    /// Past a threshold and anomalous for `open_after`.
    CrossingAndAnomaly,
    /// Critical for `critical_after`, whatever the model says: "threshold only".
    ThresholdOnly,
    /// Gone for `down_after`.
    Gone,
}

impl OpenedBecause {
    pub fn in_words(self) -> &'static str {
        match self {
            OpenedBecause::CrossingAndAnomaly => "past its threshold and anomalous",
            OpenedBecause::ThresholdOnly => "threshold only: Critical for long, without an anomaly",
            OpenedBecause::Gone => "the service is gone while Prometheus is healthy",
        }
    }
}

/// A metric that belongs to an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub metric: MetricId,
    /// The estimated start of its trouble, earlier than detection, and the instants between which
    /// it lies where the estimate is uncertain.
    pub onset: Timestamp,
    pub onset_between: (Timestamp, Timestamp),
    /// The first evaluated sample past the threshold in this episode.
    pub first_crossing: Timestamp,
    /// The newest sample past the threshold.
    pub last_firing: Timestamp,
    /// The worst value and when it was measured.
    pub worst: f64,
    pub worst_at: Timestamp,
    pub severity: Severity,
    pub thresholds: Thresholds,
}

/// Who did something: the tool itself, or a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    Bellwether,
    /// A written auto-resolution rule, by its name.
    Rule(String),
    /// A name given with the request, not verified.
    Unverified(String),
    /// A user or token that showed who it is.
    Verified(String),
}

impl Actor {
    /// Whether it is somebody outside, by a name verified or not.
    pub fn is_person(&self) -> bool {
        matches!(self, Actor::Unverified(_) | Actor::Verified(_))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Bellwether => f.write_str("Bellwether"),
            Actor::Rule(name) => write!(f, "rule {name}"),
            Actor::Unverified(name) | Actor::Verified(name) => f.write_str(name),
        }
    }
}

/// An operator's wish to hear nothing of an incident for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    pub by: Actor,
    /// None: until it changes.
    pub until: Option<Timestamp>,
}

/// How an incident was resolved last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    pub at: Timestamp,
    pub by: Actor,
    pub note: Option<String>,
    /// Its service is gone for good: it opens no incident until it is seen again.
    pub decommissioned: bool,
}

/// One thing that happened to an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimelineEvent {
    Opened {
        because: OpenedBecause,
        text: String,
    },
    MemberJoined {
        metric: MetricId,
        text: String,
    },
    SeverityChanged {
        from: Severity,
        to: Severity,
    },
    /// No member is past its threshold any more; not resolved.
    Quiet,
    Acknowledged {
        note: Option<String>,
    },
    Resolved {
        note: Option<String>,
    },
    Reopened {
        note: Option<String>,
    },
    /// None: nobody.
    Assigned {
        owner: Option<String>,
        note: Option<String>,
    },
    /// None: until it changes.
    Snoozed {
        until: Option<Timestamp>,
        note: Option<String>,
    },
    /// A snooze ended, and why.
    Woke {
        because: String,
    },
    Commented {
        text: String,
    },
    /// An operator's word on the severity; none gives it back to the thresholds.
    SeveritySet {
        severity: Option<Severity>,
        note: Option<String>,
    },
    /// Opened anew for the same service.
    FollowedBy {
        incident: IncidentId,
    },
    LogsAttached {
        lines: usize,
    },
}

/// An entry of an incident's append-only history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineEntry {
    pub at: Timestamp,
    pub actor: Actor,
    pub what: TimelineEvent,
}

/// One real episode of one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub service: ServiceId,
    pub kind: IncidentKind,
    pub status: Status,
    /// The world's state: true while firing, false once quiet.
    pub firing: bool,
    /// The worst severity of the members now; while quiet, the last one.
    pub severity: Severity,
    pub worst_severity: Severity,
    /// An operator's word, which is shown in place of `severity` and never overridden.
    pub operator_severity: Option<Severity>,
    pub owner: Option<String>,
    pub snooze: Option<Snooze>,
    pub resolution: Option<Resolution>,
    pub opened_because: OpenedBecause,
    /// One sentence with numbers that says why.
    pub summary: String,
    pub onset: Timestamp,
    pub first_crossing: Timestamp,
    pub opened: Timestamp,
    pub last_seen: Timestamp,
    pub ended: Option<Timestamp>,
    /// Ordered by metric; empty for [`IncidentKind::Availability`].
    pub members: Vec<Member>,
    /// The incident of the same service before this one, if it is near.
    pub follows: Option<IncidentId>,
    pub logs: Option<Arc<LogWindow>>,
    pub evidence: Arc<Evidence>,
    pub timeline: Vec<TimelineEntry>,
}

impl Incident {
    /// The operator's severity, else the computed one.
    pub fn shown_severity(&self) -> Severity {
        self.operator_severity.unwrap_or(self.severity)
    }

    /// Rises with everything that is told of it: a change that was made on an older one is stale.
    pub fn revision(&self) -> u64 {
        self.timeline.len() as u64
    }

    pub fn member(&self, metric: &MetricId) -> Option<&Member> {
        self.members.iter().find(|member| member.metric == *metric)
    }
}
