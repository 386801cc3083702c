//! Pieces of expressions about one service: templates of [`crate::selection::Selection::fill`].

pub(super) const SERVER_NAME: &str = "http_server_requests_seconds";
pub(super) const CLIENT_NAME: &str = "http_client_requests_seconds";

/// As in the catalogue: requests about the service itself are none of its work.
pub(super) const OWN_REQUESTS: &str = "uri!~\"/actuator.*\"";
pub(super) const ANSWERED_5XX: &str = "status=~\"5..\"";
/// A callee that answered 5xx, or that there was no answer from.
pub(super) const CALL_FAILED: &str = "outcome=~\"SERVER_ERROR|UNKNOWN\"";

/// `name{$service,…}`; empty conditions are none.
pub(super) fn selector(name: &str, conditions: &[&str]) -> String {
    let mut selector = format!("{name}{{$service");
    for condition in conditions.iter().filter(|c| !c.is_empty()) {
        selector.push(',');
        selector.push_str(condition);
    }
    selector + "}"
}

pub(super) fn gauge(name: &str, conditions: &[&str]) -> String {
    format!("(«{}»)", selector(name, conditions))
}

/// Events in a second.
pub(super) fn rate(name: &str, conditions: &[&str]) -> String {
    format!("(«rate({}[$range])»)", selector(name, conditions))
}

/// Events in the range. Counters are born at 1 and have no created timestamp, so that `increase`
/// takes the first event of a new one for its beginning: what wasn't there a range ago counts whole.
///
/// But not where Prometheus was away: the counters of a process that is older than the range, and
/// that wasn't seen a range ago either, are old ones.
pub(super) fn counted(name: &str, conditions: &[&str]) -> String {
    let counter = selector(name, conditions);
    let process = selector("process_start_time_seconds", &[]);
    let returned = format!(
        "timestamp({process}) - {process} > $seconds unless on (job, instance) {process} offset $range"
    );
    format!(
        "(«({counter} unless {counter} offset $range unless on (job, instance) ({returned})) or increase({counter}[$range])»)"
    )
}

/// The share in percent of the events with `conditions` that fulfil `failed`, too. Where none ever
/// did there is no such series, and the share is zero.
pub(super) fn percentage(name: &str, failed: &str, conditions: &[&str]) -> String {
    let all = counted(name, conditions);
    let failed = counted(name, &[conditions, &[failed]].concat());
    format!("100 * (sum {failed} or 0 * sum {all}) / sum {all}")
}

/// The quantile 0.99 in ms of a histogram in seconds.
pub(super) fn p99_ms(name: &str, conditions: &[&str]) -> String {
    let buckets = rate(&format!("{name}_bucket"), conditions);
    format!("1000 * histogram_quantile(0.99, sum by (le) {buckets})")
}

/// The mean in ms of a histogram or summary in seconds.
pub(super) fn mean_ms(name: &str, conditions: &[&str]) -> String {
    let sum = rate(&format!("{name}_sum"), conditions);
    let count = rate(&format!("{name}_count"), conditions);
    format!("1000 * sum {sum} / sum {count}")
}
