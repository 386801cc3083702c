//! A notice: one thing that one receiver is to be told, or why it is not.

use std::fmt;

use domain::{IncidentId, ServiceId, Severity};
use serde::{Deserialize, Serialize};

use crate::body::NoticeBody;

/// One thing for one receiver. `key` names it for ever: the outbox takes each key once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// `i12/opened/1795348800250/oncall`; the number rises with every notice of a pager.
    pub key: String,
    pub receiver: String,
    pub kind: NoticeKind,
    /// None: it concerns the source, or is a test.
    pub incident: Option<IncidentId>,
    pub service: Option<ServiceId>,
    pub severity: Severity,
    pub state: NoticeState,
    pub body: NoticeBody,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// To be sent.
    Due,
    /// Not sent; should it still hold when the reason is gone, it becomes a notice that is due.
    Withheld { because: String },
}

/// What a notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Told for the first time.
    Opened,
    /// More severe than told before.
    SeverityRaised,
    /// Less severe than told before; to an Alertmanager only, whose alerts carry it as a label.
    SeverityLowered,
    /// Still firing, and nobody has acknowledged it.
    Repeat,
    /// Fires no more, unresolved; to an Alertmanager only, whose alert ends.
    Quiet,
    Resolved,
    /// Told again after its end: reopened, or no longer muted.
    Reopened,
    /// Withheld from now on; to an Alertmanager only, whose alert ends.
    Muted,
    /// The source has not answered for long: nothing is watched.
    Source,
    /// The source answers again.
    SourceRecovered,
    /// Asked for by hand.
    Test,
}

impl NoticeKind {
    /// The name used in keys, in the API and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeKind::Opened => "opened",
            NoticeKind::SeverityRaised => "severity_raised",
            NoticeKind::SeverityLowered => "severity_lowered",
            NoticeKind::Repeat => "repeat",
            NoticeKind::Quiet => "quiet",
            NoticeKind::Resolved => "resolved",
            NoticeKind::Reopened => "reopened",
            NoticeKind::Muted => "muted",
            NoticeKind::Source => "source",
            NoticeKind::SourceRecovered => "source_recovered",
            NoticeKind::Test => "test",
        }
    }

    /// Whether it ends what was told: nothing is left to be done.
    pub fn is_end(self) -> bool {
        matches!(
            self,
            NoticeKind::Quiet
                | NoticeKind::Resolved
                | NoticeKind::Muted
                | NoticeKind::SourceRecovered
        )
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
