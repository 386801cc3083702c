//! Log patterns around an incident: which templates are new, risen, fallen or gone.

use serde::{Deserialize, Serialize};

use crate::{LogLevel, LogLine, LogOutcome, ServiceId, Timestamp};

/// How a service's log moved: the window of the incident against the baseline before it, strongest
/// first. Every list is bounded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogPatterns {
    /// Of reading both windows together; anything but `Found` comes without patterns.
    pub outcome: LogOutcome,
    pub baseline_from: Timestamp,
    /// The window begins here, where the baseline ends.
    pub from: Timestamp,
    pub to: Timestamp,
    pub baseline: LogReach,
    pub window: LogReach,
    /// Patterns that moved, strongest first; then, to fill up, those that didn't.
    pub ranked: Vec<LogPattern>,
    /// Patterns that did not move.
    pub steady: u32,
    /// Patterns that moved and are not in `ranked`.
    pub omitted: u32,
    /// What the answer hangs on, in words: how the rates were compared, what could not be.
    pub text: String,
    /// What the service's own counter of log lines says, where its logs could not be read.
    pub counted: Option<String>,
}

impl LogPatterns {
    /// Nothing of the windows, which are given as they are for patterns.
    pub fn without_any(
        outcome: LogOutcome,
        baseline_from: Timestamp,
        from: Timestamp,
        to: Timestamp,
    ) -> LogPatterns {
        LogPatterns {
            outcome,
            baseline_from,
            from,
            to,
            baseline: LogReach::default(),
            window: LogReach::default(),
            ranked: Vec::new(),
            steady: 0,
            omitted: 0,
            text: String::new(),
            counted: None,
        }
    }
}

/// What was read of a stretch of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogReach {
    /// Seconds of the stretch that were looked at, without what was left out as another incident's.
    pub seconds: f64,
    pub lines: u64,
    /// Distinct traces among them; rates are per trace where both stretches have enough.
    pub traces: u64,
    /// The share of the stretch's bytes that was read, 0 to 1: below 1 where a bound was met.
    pub share: f64,
}

/// How a pattern moved from baseline to window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternChange {
    /// Not once in the baseline.
    New,
    Risen,
    Fallen,
    /// Not once in the window.
    Gone,
    Steady,
}

impl PatternChange {
    /// As it is shown and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            PatternChange::New => "new",
            PatternChange::Risen => "risen",
            PatternChange::Fallen => "fallen",
            PatternChange::Gone => "gone",
            PatternChange::Steady => "steady",
        }
    }
}

/// What a pattern was counted against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternBasis {
    /// Lines per minute.
    PerMinute,
    /// Lines per distinct trace of the service.
    PerTrace,
    /// Lines within one call: one service, one span, beginning with the same pattern.
    WithinCall {
        /// The template that such calls begin with.
        begins_with: String,
        calls_before: u64,
        calls_during: u64,
    },
}

/// One log template of a service, and how it moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogPattern {
    /// The same for the same service, logger and template, in every incident: 16 hex digits.
    pub id: String,
    pub service: ServiceId,
    /// The message with `<*>` where it varies.
    pub template: String,
    pub level: LogLevel,
    pub logger: Option<String>,
    /// The class of its most frequent exception.
    pub exception: Option<String>,
    pub change: PatternChange,
    /// Lines in baseline and window.
    pub before: u64,
    pub during: u64,
    /// Per unit of `basis`.
    pub rate_before: f64,
    pub rate_during: f64,
    pub basis: PatternBasis,
    /// Standard deviations by which the rate moved; positive: risen.
    pub effect: f64,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// At most three lines, of the window where it has any.
    pub samples: Vec<LogLine>,
    /// At most five.
    pub trace_ids: Vec<String>,
    /// Other names under which the same failure is told: what a container logged, the value of a
    /// metric's `exception` label.
    pub also: Vec<AlsoTold>,
    pub text: String,
}

/// Another name of a failure that a pattern tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlsoTold {
    /// The logger that told it, or the label of a metric.
    pub by: String,
    /// The class or the label's value.
    pub name: String,
    /// How it was recognised: `trace id`, `time and class`, `class`.
    pub by_means_of: String,
    /// The id of the other pattern, where it is one.
    pub pattern: Option<String>,
}
