//! What the API reads: one immutable picture of the newest tick. Reading it starts nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Finding, Incident, ServiceId, ServiceObservation, SourceState, Timestamp};
use jiff::SignedDuration;

/// The newest tick as the API shows it.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The evaluation instant; none before the first tick.
    pub at: Option<Timestamp>,
    pub source: Option<SourceState>,
    /// Since when the source has been as it is.
    pub source_since: Option<Timestamp>,
    /// The last evaluation instant at which the source answered.
    pub answered_at: Option<Timestamp>,
    /// The source's clock minus ours; zero up to five seconds.
    pub skew: SignedDuration,
    pub remarks: Vec<String>,
    pub services: Arc<BTreeMap<ServiceId, ServiceView>>,
    /// Incidents that are not both resolved and quiet, by number.
    pub incidents: Arc<Vec<Arc<Incident>>>,
    /// What could not be stored yet, and why.
    pub unsaved: Option<String>,
    pub models: usize,
}

/// One service as the API shows it.
#[derive(Clone, Debug)]
pub struct ServiceView {
    pub observation: ServiceObservation,
    /// The newest instant at which an instance answered or a sample came.
    pub last_seen: Option<Timestamp>,
    /// Ordered by metric.
    pub findings: Vec<Finding>,
    pub early_warning: bool,
}

impl Snapshot {
    /// The incident that fires on a service.
    pub fn firing(&self, service: &ServiceId) -> Option<&Arc<Incident>> {
        self.incidents
            .iter()
            .find(|incident| incident.firing && incident.service == *service)
    }
}
