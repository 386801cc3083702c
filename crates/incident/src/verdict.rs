//! What was decided about a series, also when nothing was, and what is told of it.

use domain::{IncidentId, SeriesId, Timestamp};
use serde::{Deserialize, Serialize};

/// What was decided about one series at one tick.
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
    /// A member that is past its threshold, or not yet past its release level, keeps the incident
    /// firing.
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

impl Verdict {
    /// The name used in the API and in stories.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Calm => "calm",
            Verdict::NoSample => "no_sample",
            Verdict::Waiting { .. } => "waiting",
            Verdict::CrossingWithoutAnomaly { .. } => "crossing_without_anomaly",
            Verdict::AnomalyWithoutCrossing => "anomaly_without_crossing",
            Verdict::Opened { .. } => "opened",
            Verdict::Joined { .. } => "joined",
            Verdict::Extended { .. } => "extended",
            Verdict::CalmMember { .. } => "calm_member",
            Verdict::HeldByResolve { .. } => "held_by_resolve",
        }
    }

    /// The incident that the decision concerns.
    pub fn incident(self) -> Option<IncidentId> {
        match self {
            Verdict::Opened { incident }
            | Verdict::Joined { incident }
            | Verdict::Extended { incident }
            | Verdict::CalmMember { incident }
            | Verdict::HeldByResolve { incident } => Some(incident),
            _ => None,
        }
    }
}

/// Whether people are to be told of a change, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    Due,
    /// Snoozed; none: until it changes.
    Snoozed {
        until: Option<Timestamp>,
    },
    /// Somebody is at it already.
    Acknowledged,
}

impl Notice {
    /// The name used in the API and in stories.
    pub fn as_str(self) -> &'static str {
        match self {
            Notice::Due => "due",
            Notice::Snoozed { .. } => "snoozed",
            Notice::Acknowledged => "acknowledged",
        }
    }
}
