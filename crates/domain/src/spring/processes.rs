//! Metrics of processes and targets: restarts, and how many instances answer.
//!
//! Everything speaks of processes that say what `cpu` reads. So neither Prometheus itself nor an
//! exporter, which have a start time and an `up` as well, becomes a service by these.

use super::counters::OTEL_PROCESS;

const STARTED: &str = "process_start_time_seconds";
const CPU: &str = "process_cpu_usage";
const OTEL_CPU: &str = "jvm_cpu_recent_utilization_ratio";

/// Processes of a service that replaced another within the range: at the same instance label, or at
/// new ones beyond what the number of instances grew by. So a pod that takes over counts, scaling up
/// doesn't, nor does the first start of a service.
///
/// OpenTelemetry has no start time that Prometheus sees; there a restart is a reset of the
/// processor time used.
pub(super) fn restarts() -> String {
    let spoke = format!("on (job, instance) last_over_time({CPU}[$range])");
    let micrometer = replaced(&Processes {
        restarted: format!("changes({STARTED}[$range]) and {spoke}"),
        new: format!(
            "({STARTED} unless {STARTED} offset $range) \
             and timestamp({STARTED}) - {STARTED} <= $seconds and on (job, instance) {CPU}"
        ),
        now: format!("{STARTED} and on (job, instance) {CPU}"),
        before: format!("{STARTED} offset $range and on (job, instance) {CPU} offset $range"),
    });
    let otel = replaced(&Processes {
        restarted: format!("resets({OTEL_PROCESS}[$range])"),
        new: format!("{OTEL_PROCESS} unless {OTEL_PROCESS} offset $range"),
        now: OTEL_PROCESS.into(),
        before: format!("{OTEL_PROCESS} offset $range"),
    });
    format!("{micrometer} or {otel}")
}

/// Expressions with one series for each process.
struct Processes {
    /// How often an instance restarted within the range.
    restarted: String,
    /// Processes at instances that weren't there a range ago.
    new: String,
    now: String,
    /// A range ago.
    before: String,
}

/// A service that wasn't there a range ago has its restarts alone.
fn replaced(processes: &Processes) -> String {
    let Processes {
        restarted,
        new,
        now,
        before,
    } = processes;
    let restarted = format!("sum by ($identity) ({restarted})");
    let count = |of: &str| format!("count by ($identity) ({of})");
    // A restart as another version is a new series at the old place.
    let places = |of: &str| count(&format!("count by ($identity, job, instance) ({of})"));
    let grown = format!("clamp_min({} - {}, 0)", places(now), places(before));
    let new = format!("({} or 0 * {restarted})", count(new));
    format!("{restarted} + clamp_min({new} - {grown}, 0) or {restarted}")
}

/// The share of a service's targets that answer, in percent.
///
/// `up` has only the labels of the scrape configuration. So a target is that of the service whose
/// process was last seen there, for up to an hour, which isn't an average but a memory; after that,
/// or where none was ever seen, that of the known service which its own labels name. A target that
/// is no longer scraped at all isn't down: it isn't there.
pub(super) fn availability() -> String {
    let says = format!("({CPU} or {OTEL_CPU})");
    let said = format!("(last_over_time({CPU}[1h]) or last_over_time({OTEL_CPU}[1h]))");
    let known = format!(
        "count by ($identity, job, instance) ({says} or {said} unless on (job, instance) {says})"
    );
    let seen =
        format!("0 * {known} + on (job, instance) group_left () max by (job, instance) (up)");
    let named = format!(
        "max by ($identity, job, instance) (up) and on ($identity) {known} \
         unless on (job, instance) {known}"
    );
    format!("100 * avg by ($identity) ({seen} or {named})")
}
