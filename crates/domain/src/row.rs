//! Dataset rows: a judged sample as it is kept for people and for training.

use serde::{Deserialize, Serialize};

use crate::{Band, Features, Finding, Prediction, Severity, Timestamp};

/// Which file of a series a row lies in; a row is in exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    History,
    Anomaly,
}

impl Part {
    pub const BOTH: [Part; 2] = [Part::History, Part::Anomaly];

    pub fn as_str(self) -> &'static str {
        match self {
            Part::History => "history",
            Part::Anomaly => "anomaly",
        }
    }
}

/// One judged sample. What could not be computed is absent, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub timestamp: Timestamp,
    pub value: f64,
    pub severity: Severity,
    pub prediction: Prediction,
    pub score: Option<f64>,
    pub features: Option<Features>,
    pub band: Option<Band>,
}

impl Row {
    /// The row of a finding; none where the finding has no new sample.
    pub fn of(finding: &Finding) -> Option<Row> {
        let sample = finding.sample.ok()?;
        Some(Row {
            timestamp: sample.time,
            value: sample.value,
            severity: finding.severity,
            prediction: finding.prediction,
            score: finding.score,
            features: finding.features,
            band: finding.band,
        })
    }
}
