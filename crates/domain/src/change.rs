//! What changes around services: restarts, versions, replicas, Bellwether's own doing, and what
//! people post.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{MetricId, ServiceId, Timestamp};

/// One change at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeFact {
    pub at: Timestamp,
    /// None where it concerns the whole fleet.
    pub service: Option<ServiceId>,
    pub kind: ChangeKind,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A process started (`process_start_time_seconds` rose).
    Restarted,
    Version {
        from: Arc<str>,
        to: Arc<str>,
    },
    /// The number of instances that answer.
    Replicas {
        from: u32,
        to: u32,
    },
    /// Bellwether took over another configuration.
    ConfigReloaded,
    /// Bellwether took over a new model.
    Retrained {
        metric: MetricId,
        model: Arc<str>,
    },
    /// Told by a person or a pipeline.
    Posted(Arc<PostedEvent>),
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChangeKind::Restarted => f.write_str("restarted"),
            ChangeKind::Version { from, to } => write!(f, "version went from {from} to {to}"),
            ChangeKind::Replicas { from, to } => {
                write!(f, "instances went from {from} to {to}")
            }
            ChangeKind::ConfigReloaded => f.write_str("Bellwether's configuration was reloaded"),
            ChangeKind::Retrained { metric, .. } => {
                write!(f, "Bellwether's model of {metric} was retrained")
            }
            ChangeKind::Posted(event) => write!(f, "{event}"),
        }
    }
}

/// A change that was posted: a deployment, a feature flag, a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedEvent {
    /// Given by the store, never reused.
    pub id: u64,
    /// The sender's own name for it: a second event with the same key is the first one again.
    pub key: Option<String>,
    pub at: Timestamp,
    /// `deploy`, `feature_flag`, `migration`, or another word.
    pub kind: String,
    /// None concerns the whole fleet.
    pub service: Option<ServiceId>,
    pub title: Option<String>,
    pub version: Option<String>,
    /// http or https.
    pub link: Option<String>,
    /// Who posted it, unverified.
    pub by: Option<String>,
}

impl fmt::Display for PostedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if let Some(version) = &self.version {
            write!(f, " of {version}")?;
        }
        if let Some(title) = &self.title {
            write!(f, ": {title}")?;
        }
        Ok(())
    }
}
