//! Everything that can influence a tick.

use std::sync::Arc;
use std::time::Duration;

use domain::{Catalogue, Collection, Gathered, IncidentId, PostedEvent, SeriesId, Timestamp};
use incident::Command;
use serde::{Deserialize, Serialize};

/// The part of the configuration that decisions depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub tick: Duration,
    pub catalogue: Catalogue,
    /// Predictions per series and day that may be wrong.
    pub alarm_budget: f64,
    pub decide: incident::Settings,
    /// IANA name of the zone in which days begin.
    pub timezone: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("season.timezone: {0}")]
pub struct ConfigError(#[from] pub(crate) detect::UnknownTimezone);

/// A new model, or a new memory, of one series: both as their bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Swap {
    pub series: SeriesId,
    /// None keeps the model.
    pub model: Option<Arc<[u8]>>,
    /// None keeps the memory.
    pub state: Option<Arc<[u8]>>,
}

/// What one tick is computed from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TickInput {
    /// The evaluation instant, or the instant of the commands where nothing is evaluated.
    pub at: Timestamp,
    /// What was collected at the evaluation instant. None between ticks: only configuration,
    /// swaps, commands, events and evidence take effect then, and no time passes for incidents.
    pub collection: Option<Collection>,
    /// A new configuration, in force from this tick on.
    pub config: Option<Config>,
    pub swaps: Vec<Swap>,
    pub commands: Vec<Command>,
    /// Evidence that was gathered for incidents.
    pub gathered: Vec<(IncidentId, Gathered)>,
    /// Changes that were posted.
    pub events: Vec<Arc<PostedEvent>>,
}

impl TickInput {
    /// A tick that evaluates a collection and nothing else.
    pub fn of(collection: Collection) -> TickInput {
        TickInput::between(collection.at).with(collection)
    }

    /// Nothing yet, between ticks.
    pub fn between(at: Timestamp) -> TickInput {
        TickInput {
            at,
            collection: None,
            config: None,
            swaps: Vec::new(),
            commands: Vec::new(),
            gathered: Vec::new(),
            events: Vec::new(),
        }
    }

    pub fn with(self, collection: Collection) -> TickInput {
        TickInput {
            at: collection.at,
            collection: Some(collection),
            ..self
        }
    }
}
