//! What was seen of Bellwether: its incidents, notices, decisions and warnings so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Incident, IncidentId, SeriesId, ServiceId, Timestamp};
use engine::TickOutput;
use incident::ledger::{Entry, Ledger};
use incident::{Change, Notice};

#[derive(Default)]
pub(crate) struct Witness {
    /// Every incident so far, as it last was.
    pub incidents: BTreeMap<IncidentId, Arc<Incident>>,
    pub notices: Vec<(Timestamp, Change, Notice)>,
    pub early_warnings: Vec<(Timestamp, ServiceId)>,
    pub source_faults: Vec<(Timestamp, String)>,
    /// The decision that holds for each series.
    pub holding: BTreeMap<SeriesId, Entry>,
    ledger: Ledger,
}

impl Witness {
    pub fn see(&mut self, output: &TickOutput) {
        let decided = &output.decided;
        for incident in &decided.incidents {
            self.incidents.insert(incident.id, Arc::clone(incident));
        }
        let notices = decided.changes.iter().zip(&decided.notices);
        self.notices
            .extend(notices.map(|(change, (_, notice))| (output.at, *change, *notice)));
        let warnings = output.early_warnings.iter();
        self.early_warnings
            .extend(warnings.map(|service| (output.at, service.clone())));
        let fault = decided.source_fault.iter();
        self.source_faults
            .extend(fault.map(|text| (output.at, text.clone())));
        for entry in self.ledger.note(&output.findings, decided) {
            self.holding.insert(entry.series.clone(), entry);
        }
    }
}
