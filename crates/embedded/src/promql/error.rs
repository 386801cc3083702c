//! Why an expression is refused, or has no value.

use crate::MatcherError;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PromqlError {
    #[error("the expression is {length} bytes long, more than the {limit} that are read")]
    TooLong { length: usize, limit: usize },
    #[error("the expression nests or joins more than {limit} parts; split it up")]
    TooDeep { limit: usize },
    #[error("no PromQL: {0}")]
    Syntax(String),
    /// Prometheus may know it, this doesn't.
    #[error(
        "{construct} is not in the subset of PromQL that is evaluated here; there is {instead}"
    )]
    Refused { construct: String, instead: String },
    #[error(transparent)]
    Matcher(#[from] MatcherError),
    #[error("{0} is not above zero; give a step of at least a millisecond")]
    Step(i64),
    #[error("the end, {end_ms} ms, is before the start, {start_ms} ms")]
    Backwards { start_ms: i64, end_ms: i64 },
    #[error("the time {0} ms lies beyond what can be reckoned with")]
    Time(i64),
    /// As Prometheus says it.
    #[error(
        "exceeded maximum resolution of {limit} points per timeseries. Try decreasing the query resolution (?step=XX)"
    )]
    TooManySteps { limit: i64 },
    #[error("{kind} is no answer to a range query; it must be a scalar or an instant vector")]
    NoRange { kind: &'static str },
    #[error(
        "the expression needs more than {limit} points at a time; aggregate, or ask for fewer series or steps"
    )]
    TooManyPoints { limit: usize },
    /// As Prometheus says it.
    #[error("vector cannot contain metrics with the same labelset")]
    SameLabels,
    /// As Prometheus says it.
    #[error(
        "found duplicate series for the match group {group} on the {side} hand-side of the operation: [{one}, {other}];many-to-many matching not allowed: matching labels must be unique on one side"
    )]
    ManyToMany {
        group: String,
        side: &'static str,
        one: String,
        other: String,
    },
    /// As Prometheus says it.
    #[error(
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
    )]
    ManyToOne,
    /// As Prometheus says it.
    #[error("multiple matches for labels: grouping labels must ensure unique matches")]
    Grouping,
}

impl PromqlError {
    /// The `errorType` of Prometheus's API.
    pub fn kind(&self) -> &'static str {
        match self {
            PromqlError::TooManyPoints { .. }
            | PromqlError::SameLabels
            | PromqlError::ManyToMany { .. }
            | PromqlError::ManyToOne
            | PromqlError::Grouping => "execution",
            _ => "bad_data",
        }
    }
}
