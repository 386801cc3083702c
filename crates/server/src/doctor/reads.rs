//! Which series a metric reads.

use domain::MetricSpec;
use embedded::promql::Expression;

/// What stands for `$range` and `$identity` where only the names matter.
const IDENTITY: &str = "service";
const RANGE: std::time::Duration = std::time::Duration::from_secs(300);

/// The names of the series that a metric's queries read, each once, in their order. None of a query
/// that lies outside of the subset of PromQL that we understand.
pub(super) fn names(spec: &MetricSpec) -> Vec<String> {
    let mut names = Vec::new();
    for query in std::iter::once(&spec.query).chain(&spec.fallback) {
        let query = sources::filled(query, IDENTITY, RANGE);
        let Ok(expression) = Expression::parse(&query) else {
            continue;
        };
        for selector in expression.selectors() {
            let name = selector
                .matchers
                .iter()
                .find(|matcher| matcher.name == "__name__");
            if let Some(name) = name.map(|matcher| matcher.value.clone())
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
    }
    names
}

/// Whether series of that name are buckets of the requests that a service answers.
pub(super) fn is_request_bucket(name: &str) -> bool {
    REQUEST_BUCKETS.contains(&name)
}

/// As Micrometer and OpenTelemetry name them.
pub(super) const REQUEST_BUCKETS: [&str; 2] = [
    "http_server_requests_seconds_bucket",
    "http_server_request_duration_seconds_bucket",
];
