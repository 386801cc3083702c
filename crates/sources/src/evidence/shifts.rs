//! Further series of a Spring Boot service, beside the catalogue's: what else moved when an episode
//! began.
//!
//! The names are Micrometer's under Spring Boot 4.1. Gauges show the worst instance, rates the sum
//! over all.

use std::time::Duration;

use domain::{GatheredSeries, MetricId, MetricSpec, Sample, Timestamp};

use super::questions::{Question, Round};
use super::templates::{
    ANSWERED_5XX, CALL_FAILED, CLIENT_NAME, OWN_REQUESTS, counted, gauge, mean_ms, p99_ms,
    percentage, rate,
};
use super::{EvidenceAnswer, EvidenceQueries};
use crate::prometheus::RangeSeries;

/// The most points of one series; a smaller step is widened to this.
const POINTS_MAX: u32 = 1_000;

/// One further metric.
struct FurtherMetric {
    id: &'static str,
    title: &'static str,
    unit: &'static str,
    /// In `unit`.
    minimum_deviation: f64,
    /// A template of [`crate::selection::Selection::fill`].
    expression: String,
}

fn further_metrics() -> Vec<FurtherMetric> {
    let metric = |id, title, (unit, minimum_deviation), expression| FurtherMetric {
        id,
        title,
        unit,
        minimum_deviation,
        expression,
    };
    let worst = |name, conditions: &[&str]| format!("max {}", gauge(name, conditions));
    let worst_share = |name| format!("100 * {}", worst(name, &[]));
    let per_second = |name, conditions: &[&str]| format!("sum {}", rate(name, conditions));
    let requests = "http_server_requests_seconds_count";
    let calls = "http_client_requests_seconds_count";
    vec![
        metric(
            "request_rate",
            "Request rate",
            ("1/s", 0.5),
            per_second(requests, &[OWN_REQUESTS]),
        ),
        metric(
            "error_ratio",
            "Failed requests",
            ("%", 1.0),
            percentage(requests, ANSWERED_5XX, &[OWN_REQUESTS]),
        ),
        metric(
            "heap_after_gc",
            "Heap after GC",
            ("%", 5.0),
            worst_share("jvm_memory_usage_after_gc"),
        ),
        metric(
            "gc_overhead",
            "GC overhead",
            ("%", 2.0),
            worst_share("jvm_gc_overhead"),
        ),
        metric(
            "threads_live",
            "Live threads",
            ("threads", 10.0),
            worst("jvm_threads_live_threads", &[]),
        ),
        metric(
            "blocked_threads",
            "Blocked threads",
            ("threads", 2.0),
            worst("jvm_threads_states_threads", &["state=\"blocked\""]),
        ),
        metric(
            "pool_pending",
            "Waiting for a connection",
            ("threads", 1.0),
            worst("hikaricp_connections_pending", &[]),
        ),
        metric(
            "pool_active",
            "Connections in use",
            ("connections", 2.0),
            worst("hikaricp_connections_active", &[]),
        ),
        metric(
            "executor_queue",
            "Executor queue",
            ("tasks", 10.0),
            worst("executor_queued_tasks", &[]),
        ),
        metric(
            "log_errors",
            "Errors logged",
            ("1/s", 0.05),
            format!(
                "sum {} / $seconds",
                counted("logback_events_total", &["level=\"error\""])
            ),
        ),
        metric(
            "calls_rate",
            "Outgoing calls",
            ("1/s", 0.5),
            per_second(calls, &[]),
        ),
        metric(
            "calls_error_ratio",
            "Failed outgoing calls",
            ("%", 1.0),
            percentage(calls, CALL_FAILED, &[]),
        ),
        metric(
            "calls_p99",
            "Outgoing calls p99",
            ("ms", 100.0),
            p99_ms(CLIENT_NAME, &[]),
        ),
        metric(
            "calls_mean",
            "Outgoing calls, mean",
            ("ms", 50.0),
            mean_ms(CLIENT_NAME, &[]),
        ),
        metric(
            "tomcat_busy",
            "Busy request threads",
            ("threads", 10.0),
            worst("tomcat_threads_busy_threads", &[]),
        ),
        metric(
            "tomcat_connections",
            "Open HTTP connections",
            ("connections", 20.0),
            worst("tomcat_connections_current_connections", &[]),
        ),
        metric(
            "files_open",
            "Open files and sockets",
            ("files", 20.0),
            worst("process_files_open_files", &[]),
        ),
    ]
}

/// The templates of all further metrics, with their titles.
pub(super) fn templates() -> impl Iterator<Item = (String, String)> {
    let metrics = further_metrics().into_iter();
    metrics.map(|metric| (metric.title.to_owned(), metric.expression))
}

impl EvidenceQueries {
    /// The further series of the service from `from` to `to`, both included, on the epoch's grid of
    /// `step`. What the catalogue has, and what the service doesn't expose, is not among them.
    ///
    /// One range query for each of 17 expressions, two in flight, each within the deadline of a
    /// metric and all within four of them. Points that are no numbers are left out.
    ///
    /// Sources: the meters that Spring Boot 4.1 exposes by Micrometer 1.17, as in the simulator's
    /// fixtures.
    pub async fn shift_series(
        &self,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> EvidenceAnswer<GatheredSeries> {
        let mut round = Round::new(self);
        let step = whole_step(step.max(to.since(from) / POINTS_MAX));
        let floor = from.floor_to(step);
        let first = if floor < from { floor + step } else { floor };
        if first > to {
            return round.finish(Vec::new());
        }
        let wanted: Vec<(FurtherMetric, String)> = further_metrics()
            .into_iter()
            .filter(|metric| !self.is_in_catalogue(metric.id))
            .map(|metric| {
                let query = self.selection.fill(&metric.expression);
                (metric, query)
            })
            .collect();
        let questions = wanted.iter().map(|(metric, query)| Question {
            purpose: metric.title.to_owned(),
            query: query.clone(),
        });
        let ask = |query: String, deadline| async move {
            self.prometheus
                .range_within(&query, first, to, step, deadline)
                .await
        };
        let answers = round.ask(questions.collect(), ask).await;
        let found = wanted.into_iter().zip(answers);
        let series = found.filter_map(|((metric, query), answer)| {
            let samples = samples(answer?.into_iter().next()?);
            (!samples.is_empty()).then(|| GatheredSeries {
                metric: metric.id.to_owned(),
                title: metric.title.to_owned(),
                unit: metric.unit.to_owned(),
                minimum_deviation: metric.minimum_deviation,
                query,
                samples,
            })
        });
        let series = series.collect();
        round.finish(series)
    }

    /// PromQL of a metric of the catalogue for the service alone, to be copied: the answer for all
    /// services, of which those remain that a process of the service names likewise.
    pub fn catalogue_query(&self, spec: &MetricSpec) -> String {
        let range = self.selection.range();
        let all = crate::expression::filled(&spec.query, &self.by, range);
        let own = self
            .selection
            .fill("«process_start_time_seconds{$service} or jvm_cpu_time_seconds_total{$service}»");
        let by = &self.by;
        format!("({all}) and on ({by}) count by ({by}) ({own})")
    }

    fn is_in_catalogue(&self, id: &str) -> bool {
        MetricId::new(id).is_ok_and(|id| self.catalogue.get(&id).is_some())
    }
}

/// Whole seconds, so that the grid is one that people know.
fn whole_step(step: Duration) -> Duration {
    Duration::from_secs(step.as_secs_f64().ceil().max(1.0) as u64)
}

/// Through the gate: finite numbers only.
fn samples(series: RangeSeries) -> Vec<Sample> {
    let points = series.points.into_iter();
    points
        .filter_map(|(time, value)| Sample::admit(time, value, (f64::MIN, f64::MAX)).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn further_metrics_have_distinct_ids_and_name_the_service_in_each_selector() {
        let all = further_metrics();
        let ids: BTreeSet<&str> = all.iter().map(|metric| metric.id).collect();
        assert_eq!(ids.len(), all.len());
        for FurtherMetric { id, expression, .. } in &all {
            assert!(MetricId::new(id).is_ok(), "{id}");
            let selectors = expression.matches('{').count();
            assert_eq!(expression.matches("{$service").count(), selectors, "{id}");
        }
    }
}
