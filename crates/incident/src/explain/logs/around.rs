//! Which stretches of a log are compared for an incident.

use std::time::Duration;

use domain::{Breakdown, EvidenceRequest, Incident, LabelTable, Timestamp};

use super::failures::ExceptionLabel;
use super::windows::LogShiftWindows;

/// So much of the log before an incident tells what it usually says; as much as its window has,
/// where that is more.
const BASELINE: Duration = Duration::from_secs(3_600);
/// What belongs to a past incident: from so long before its onset, which is an estimate, …
const BEFORE_ONSET: Duration = Duration::from_secs(30);
/// … to so long after its last firing sample.
const AFTER_ENDING: Duration = Duration::from_secs(60);
/// What Micrometer writes where there was no exception.
const NO_EXCEPTION: &str = "none";

impl LogShiftWindows {
    /// The window of an incident, as far as it has passed at `now`, against the hour before it, or
    /// a longer time for a longer window. What past incidents of the service said in that time is
    /// left out: it isn't usual.
    pub fn of(request: &EvidenceRequest, past: &[Incident], now: Timestamp) -> LogShiftWindows {
        let from = request.logs_from;
        let to = request.logs_to.min(now).max(from);
        let baseline_from = from - BASELINE.max(to.since(from));
        let others = past.iter().filter(|one| {
            one.service == request.service && one.id != request.incident && one.onset < from
        });
        let stretches = others.map(|one| {
            let ended = one.ended.map_or(from, |ended| ended + AFTER_ENDING);
            (one.onset - BEFORE_ONSET, ended.min(from))
        });
        LogShiftWindows {
            baseline_from,
            from,
            onset: request.onset,
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
            let named =
                parts.filter(|part| part.value != NO_EXCEPTION && part.value != LabelTable::OTHERS);
            named.map(|part| ExceptionLabel {
                metric: breakdown.metric.clone(),
                label: breakdown.label.clone(),
                value: part.value.clone(),
            })
        })
        .collect()
}
