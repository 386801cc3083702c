//! What one look at the source brought: services and, for each series, a sample or a gap.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Gap, Sample, SeriesId, ServiceId, Timestamp};

/// Whether the source sees a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// At least one instance answers its scrapes.
    Up,
    /// Known, but no instance answers.
    Gone,
}

/// One service at one evaluation instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceObservation {
    pub id: ServiceId,
    pub presence: Presence,
    /// Instances that answer.
    pub instances: u32,
    /// The start of the most recently started process, where the service says it.
    pub started: Option<Timestamp>,
    /// The version that its newest process says, where one does.
    pub version: Option<Arc<str>>,
    /// The distance of its samples: the larger of the tick and its scrape interval.
    pub step: Duration,
}

/// One series at one evaluation instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesObservation {
    pub series: SeriesId,
    pub outcome: Result<Sample, Gap>,
    /// The instance that carried the value, where the metric keeps it.
    pub instance: Option<Arc<str>>,
    /// The value comes from the metric's fallback query.
    pub proxy: bool,
}

/// How the source is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    Healthy,
    /// Some queries failed; the text names the first.
    Partial(String),
    /// Nothing could be asked; the text says why.
    Down(String),
}

impl SourceState {
    pub fn is_down(&self) -> bool {
        matches!(self, SourceState::Down(_))
    }

    pub fn is_healthy(&self) -> bool {
        matches!(self, SourceState::Healthy)
    }
}

/// Everything one look brought, ordered by service and series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Collection {
    /// The evaluation instant that was asked for.
    pub at: Timestamp,
    pub source: SourceState,
    pub services: Vec<ServiceObservation>,
    pub series: Vec<SeriesObservation>,
    /// What was odd and was put right: warnings of the source, series without a service name,
    /// names that collide, limits reached.
    pub remarks: Vec<String>,
}

/// The past of one series, oldest first, at most one sample for each `step`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Past {
    pub series: SeriesId,
    pub step: Duration,
    pub samples: Vec<Sample>,
}
