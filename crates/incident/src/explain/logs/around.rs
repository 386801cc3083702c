//! Which stretches of a log are compared for an incident.

use std::time::Duration;

use domain::{Breakdown, EvidenceRequest, Incident, LabelTable, Timestamp};

use super::failures::ExceptionLabel;
use super::shift::LogShiftWindows;

/// So much of the log before an incident tells what it usually says.
const BASELINE: Duration = Duration::from_secs(3_600);
/// What Micrometer writes where there was no exception.
const NO_EXCEPTION: &str = "none";

impl LogShiftWindows {
    /// The window of an incident, as far as it has passed at `now`, against the hour before it.
    /// What past incidents of the service said in that hour is left out: it isn't usual.
    pub fn of(request: &EvidenceRequest, past: &[Incident], now: Timestamp) -> LogShiftWindows {
        let from = request.logs_from;
        let to = request.logs_to.min(now).max(from);
        let baseline_from = from - BASELINE;
        let others = past.iter().filter(|one| {
            one.service == request.service && one.id != request.incident && one.onset < from
        });
        let stretches = others.map(|one| (one.onset, one.ended.unwrap_or(from).min(from)));
        LogShiftWindows {
            baseline_from,
            from,
            to,
            left_out: stretches.filter(|(_, end)| *end > baseline_from).collect(),
        }
    }
}

/// The values of `exception` labels among the breakdowns of an incident: names under which metrics
/// tell of failures.
pub fn exception_labels(breakdowns: &[Breakdown]) -> Vec<ExceptionLabel> {
    let by_exception = breakdowns.iter().filter(|one| one.label == "exception");
    by_exception
        .flat_map(|breakdown| {
            let parts = breakdown.parts.iter();
            let named = parts.filter(|part| part.value != NO_EXCEPTION && part.value != LabelTable::OTHERS);
            named.map(|part| ExceptionLabel {
                metric: breakdown.metric.clone(),
                label: breakdown.label.clone(),
                value: part.value.clone(),
            })
        })
        .collect()
}
