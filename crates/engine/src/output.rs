//! Everything that a tick brings about.

use std::time::Duration;

use domain::{Finding, Incident, IncidentId, Part, Row, SeriesId, ServiceId, Timestamp};
use incident::DecideOutput;
use serde::{Deserialize, Serialize};

/// A row to write, and to which file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlacedRow {
    pub series: SeriesId,
    pub part: Part,
    pub row: Row,
}

/// Logs that an incident wants: from `from` to `to`, again once `to` has passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogRequest {
    pub incident: IncidentId,
    pub service: ServiceId,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// What one tick decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TickOutput {
    /// The evaluation instant.
    pub at: Timestamp,
    /// Ordered by series.
    pub findings: Vec<Finding>,
    pub decided: DecideOutput,
    /// Rows for the datasets, after the moves of `decided`.
    pub rows: Vec<PlacedRow>,
    pub log_requests: Vec<LogRequest>,
    /// Services with anomalies but without a crossing or an incident.
    pub early_warnings: Vec<ServiceId>,
    /// Swaps whose bytes were refused, and why; the old model goes on.
    pub refused_swaps: Vec<(SeriesId, String)>,
}

impl LogRequest {
    /// An incident's logs begin so long before its onset, …
    const BEFORE_ONSET: Duration = Duration::from_secs(30);
    /// … and end so long after its opening.
    const AFTER_OPENING: Duration = Duration::from_secs(60);

    pub fn around(incident: &Incident) -> LogRequest {
        LogRequest {
            incident: incident.id,
            service: incident.service.clone(),
            from: incident.onset - LogRequest::BEFORE_ONSET,
            to: incident.opened + LogRequest::AFTER_OPENING,
        }
    }
}

impl TickOutput {
    /// The BLAKE3 hash of the output's stable encoding: equal outputs, equal hashes.
    pub fn hash(&self) -> [u8; 32] {
        let bytes = postcard::to_stdvec(self).expect("an output is plain data");
        *blake3::hash(&bytes).as_bytes()
    }
}
