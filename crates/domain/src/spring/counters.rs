//! Metrics made of counters: requests, failed requests, logged errors.
//!
//! Counters are born at 1 and have no created timestamp, so that `increase` takes the first event of
//! a new one for its beginning. What wasn't there a range ago therefore counts whole; but not where
//! Prometheus was away, or the target is new to it: then the counters are old ones.

const REQUESTS: &str = "http_server_requests_seconds_count{uri!~\"/actuator.*\"}";
const FAILED: &str = "http_server_requests_seconds_count{uri!~\"/actuator.*\",status=~\"5..\"}";
const OTEL_REQUESTS: &str =
    "http_server_request_duration_seconds_count{http_route!~\"/actuator.*\"}";
const OTEL_FAILED: &str = "http_server_request_duration_seconds_count\
    {http_route!~\"/actuator.*\",http_response_status_code=~\"5..\"}";

/// What a JVM under OpenTelemetry always counts.
pub(super) const OTEL_PROCESS: &str = "jvm_cpu_time_seconds_total";

/// In percent. Where nothing ever failed there is no such series, and the share is zero.
pub(super) fn error_ratio() -> String {
    let sum = |of: &str| format!("sum by ($identity) {of}");
    let share = |failed: String, counter: &str, all: String| {
        // That there are requests costs much less to know than how many were counted.
        let none = format!("0 * {}", sum(&format!("({counter})")));
        format!("({} or {none}) / {}", sum(&failed), sum(&all))
    };
    let micrometer = share(counted(FAILED), REQUESTS, counted(REQUESTS));
    let otel = share(
        otel_counted(OTEL_FAILED),
        OTEL_REQUESTS,
        otel_counted(OTEL_REQUESTS),
    );
    format!("100 * ({micrometer} or {otel})")
}

/// In a second. A first request that isn't seen makes no difference here.
pub(super) fn request_rate() -> String {
    let rate = |counter: &str| format!("sum by ($identity) (rate({counter}[$range]))");
    format!("{} or {}", rate(REQUESTS), rate(OTEL_REQUESTS))
}

/// In a second.
pub(super) fn log_errors() -> String {
    let sum = |counter: &str| format!("sum by ($identity) {}", counted(counter));
    format!(
        "({} or {}) / $seconds",
        sum("logback_events_total{level=\"error\"}"),
        sum("log4j2_events_total{level=~\"error|fatal\"}"),
    )
}

/// Events in the range of a process that says when it started: its counters are old ones if it is
/// older than the range and wasn't seen a range ago.
fn counted(counter: &str) -> String {
    const STARTED: &str = "process_start_time_seconds";
    format!(
        "(({counter} unless {counter} offset $range unless on (job, instance) \
         (timestamp({STARTED}) - {STARTED} > $seconds unless on (job, instance) {STARTED} offset $range)) \
         or increase({counter}[$range]))"
    )
}

/// Events in the range of a process that doesn't say when it started: a counter is new if the process
/// was seen a range ago and the counter wasn't. So a first event within the first range after a start
/// is missed.
fn otel_counted(counter: &str) -> String {
    format!(
        "(({counter} unless {counter} offset $range and on (job, instance) {OTEL_PROCESS} offset $range) \
         or increase({counter}[$range]))"
    )
}
