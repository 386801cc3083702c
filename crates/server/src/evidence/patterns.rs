//! What the logs say around an incident: both windows are read line by line into patterns.

use domain::{LogOutcome, LogPatterns, ServiceId};
use incident::{ExceptionLabel, LogShift, LogShiftWindows};
use sources::LogReader;
use std::time::Duration;

/// Of each window at most so much is read, evenly spread: about a second of work for both.
const READ_BYTES_MAX: u64 = 48 << 20;

/// Reads both windows of a service's log. Blocking.
pub fn read(
    logs: &LogReader,
    service: &ServiceId,
    windows: LogShiftWindows,
    labels: &[ExceptionLabel],
) -> LogPatterns {
    let (baseline_from, from, to) = (windows.baseline_from, windows.from, windows.to);
    let before = from - Duration::from_millis(1);
    let mut shift = LogShift::new(windows);
    let mut take = |line: &domain::LogLine| shift.line(service, line);
    let baseline = logs.visit(service, baseline_from, before, READ_BYTES_MAX, &mut take);
    let window = logs.visit(service, from, to, READ_BYTES_MAX, &mut take);
    let outcome = match (window.outcome, baseline.outcome) {
        (LogOutcome::Found, _) | (LogOutcome::NoneInWindow(_), LogOutcome::Found) => {
            LogOutcome::Found
        }
        (outcome, _) => outcome,
    };
    if outcome != LogOutcome::Found {
        return LogPatterns::without_any(outcome, baseline_from, from, to);
    }
    shift.reach(baseline.share, window.share);
    shift.finish(labels)
}
