//! What operators ask for. A command takes effect between ticks and is answered at once.

use std::sync::Arc;

use domain::{Actor, Incident, IncidentId, Severity, Timestamp};
use serde::{Deserialize, Serialize};

/// One request to change an incident. `number` pairs it with its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    pub number: u64,
    pub incident: IncidentId,
    pub actor: Actor,
    pub kind: CommandKind,
    pub note: Option<String>,
    /// The revision that the asker has seen; a command on a newer one is refused.
    pub expected: Option<u64>,
    /// The incident as it is stored, where the engine doesn't hold it any more.
    pub stored: Option<Arc<Incident>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandKind {
    Acknowledge,
    Resolve {
        /// Its service is gone for good: nothing opens until it is seen again.
        decommissioned: bool,
    },
    /// Takes an acknowledgement or a resolution back.
    Reopen,
    /// None: nobody.
    Assign {
        owner: Option<String>,
    },
    Snooze {
        until: SnoozeUntil,
    },
    /// The note is the comment.
    Comment,
    /// None gives the severity back to the thresholds.
    SetSeverity {
        severity: Option<Severity>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnoozeUntil {
    Time(Timestamp),
    /// Its severity rises, a metric joins, or it goes quiet.
    Change,
    /// Ends a snooze.
    Now,
}

/// What became of a command. A repeat is answered with the present state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub number: u64,
    pub result: Result<Arc<Incident>, Refusal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no such incident.
    Unknown,
    /// A resolved incident can't be acknowledged or snoozed.
    AlreadyResolved,
    /// The incident has changed since the asker saw it.
    Stale { revision: u64 },
    /// A service that answers is not decommissioned, and only its firing incident says that it is.
    NotGone,
    /// A snooze that is over before it begins.
    SnoozeInThePast,
}
