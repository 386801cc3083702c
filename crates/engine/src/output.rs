//! Everything that a tick brings about.

use domain::{Finding, Part, Row, SeriesId, ServiceId, Timestamp};
use incident::DecideOutput;
use serde::{Deserialize, Serialize};

/// A row to write, and to which file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlacedRow {
    pub series: SeriesId,
    pub part: Part,
    pub row: Row,
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
    /// Services with anomalies but without a crossing or an incident.
    pub early_warnings: Vec<ServiceId>,
    /// Swaps whose bytes were refused, and why; the old model goes on.
    pub refused_swaps: Vec<(SeriesId, String)>,
}

impl TickOutput {
    /// The BLAKE3 hash of the output's stable encoding: equal outputs, equal hashes.
    pub fn hash(&self) -> [u8; 32] {
        let bytes = postcard::to_stdvec(self).expect("an output is plain data");
        *blake3::hash(&bytes).as_bytes()
    }
}
