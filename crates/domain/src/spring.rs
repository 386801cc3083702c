//! The Spring pack: what a Spring Boot service says of itself beside the three metrics of the
//! mission, whether by Micrometer's names, old or new, or by OpenTelemetry's.
//!
//! Each metric is one query for all services. The ways of telling it are joined by `or` after each
//! is aggregated, so that a service that tells it twice isn't counted twice; Micrometer comes first.

mod counters;
mod processes;

use std::collections::BTreeMap;

use crate::metric::id;
use crate::{Catalogue, Combine, Direction, MetricSpec, Thresholds};

/// The heap pools in which objects grow old, as Micrometer's `JvmMemory.isLongLivedPool` has them, so
/// that OpenTelemetry's pools give the number that Micrometer gives.
const LONG_LIVED: &str = "jvm_memory_type=\"heap\",jvm_memory_pool_name=~\"\
    .*Old Gen|.*Tenured Gen|ZHeap|ZGC Old Generation|Shenandoah|.*balanced-old|.*tenured.*|JavaHeap\"";

/// Collections beside which the application goes on (`JvmMemory.isConcurrentPhase`).
const CONCURRENT: &str = "ZGC.*Cycles|Shenandoah Cycles|G1 Concurrent GC";

impl Catalogue {
    /// The ten metrics of the Spring pack: `error_ratio`, `request_rate`, `heap_after_gc`,
    /// `gc_overhead`, `blocked_threads`, `pool_pending`, `executor_queue`, `log_errors`, `restarts`,
    /// `availability`.
    ///
    /// A metric that no service exposes simply has no series.
    ///
    /// ```
    /// let pack = domain::Catalogue::spring_pack();
    /// assert_eq!(pack.len(), 10);
    /// assert!(pack.iter().all(|spec| spec.query.contains("$identity")));
    /// ```
    pub fn spring_pack() -> Catalogue {
        let specs = [
            error_ratio(),
            request_rate(),
            heap_after_gc(),
            gc_overhead(),
            blocked_threads(),
            pool_pending(),
            executor_queue(),
            log_errors(),
            restarts(),
            availability(),
        ];
        Catalogue::new(specs).expect("the Spring pack is valid")
    }
}

/// 5xx of all requests but those of actuator. A service without any error has 0 %, one without
/// requests is idle.
fn error_ratio() -> MetricSpec {
    MetricSpec {
        title: "Error ratio".into(),
        query: counters::error_ratio(),
        ..percent("error_ratio", 1.0, both(5.0, 20.0))
    }
}

/// No thresholds: how much is too much, or too little, only the service itself knows. No requests
/// are a rate of zero, not a gap.
fn request_rate() -> MetricSpec {
    MetricSpec {
        title: "Request rate".into(),
        query: counters::request_rate(),
        direction: Direction::Both,
        ..amount("request_rate", "1/s", 0.5, NONE)
    }
}

/// 90 %: what is left is less than many services allocate between two collections, so that
/// collecting begins to fill the time; 97 %: an `OutOfMemoryError` is a matter of seconds (one was
/// seen at 97.3 %).
fn heap_after_gc() -> MetricSpec {
    let after = format!(
        "sum by ($identity, instance) (jvm_memory_used_after_last_gc_bytes{{{LONG_LIVED}}}) \
         / sum by ($identity, instance) (jvm_memory_limit_bytes{{{LONG_LIVED}}} > 0)"
    );
    MetricSpec {
        title: "Heap after GC".into(),
        query: format!(
            "100 * ({} or {} or {after})",
            worst("jvm_memory_usage_after_gc"),
            worst("jvm_memory_usage_after_gc_percent"),
        ),
        ..percent("heap_after_gc", 5.0, both(90.0, 97.0))
    }
}

/// The share of time in which the application stood still for collections.
fn gc_overhead() -> MetricSpec {
    let paused = format!("jvm_gc_duration_seconds_sum{{jvm_gc_name!~\"{CONCURRENT}\"}}");
    MetricSpec {
        title: "GC overhead".into(),
        query: format!(
            "100 * ({} or {} or clamp_max(sum by ($identity, instance) (rate({paused}[$range])), 1))",
            worst("jvm_gc_overhead"),
            worst("jvm_gc_overhead_percent"),
        ),
        ..percent("gc_overhead", 5.0, both(20.0, 50.0))
    }
}

/// OpenTelemetry has series only of the states in which there is a thread.
fn blocked_threads() -> MetricSpec {
    MetricSpec {
        title: "Blocked threads".into(),
        query: format!(
            "{} or sum by ($identity, instance) (jvm_thread_count{{jvm_thread_state=\"blocked\"}}) \
             or 0 * sum by ($identity, instance) (jvm_thread_count)",
            worst("jvm_threads_states_threads{state=\"blocked\"}"),
        ),
        ..amount("blocked_threads", "threads", 2.0, both(5.0, 20.0))
    }
}

/// The fewest that waited within a minute, so that a burst which the pool serves isn't trouble.
/// Where a minute has no sample, because scrapes are further apart, the last one speaks.
fn pool_pending() -> MetricSpec {
    let minute = |name: &str| worst(&format!("min_over_time({name}[1m]) or {name}"));
    MetricSpec {
        title: "Connection pool pending".into(),
        query: format!(
            "{} or {} or {}",
            minute("hikaricp_connections_pending"),
            minute("db_client_connection_pending_requests"),
            minute("db_client_connections_pending_requests"),
        ),
        ..amount("pool_pending", "requests", 2.0, both(5.0, 20.0))
    }
}

/// OpenTelemetry has no name for it.
fn executor_queue() -> MetricSpec {
    MetricSpec {
        title: "Executor queue".into(),
        query: worst("executor_queued_tasks"),
        ..amount("executor_queue", "tasks", 20.0, both(100.0, 1_000.0))
    }
}

/// Lines of level ERROR by the logging library's own counter, also where logs can't be read.
/// OpenTelemetry has no name for it. No thresholds: what one service logs in a second, another does
/// in a year.
fn log_errors() -> MetricSpec {
    MetricSpec {
        title: "Errors logged".into(),
        query: counters::log_errors(),
        ..amount("log_errors", "1/s", 0.05, NONE)
    }
}

/// No thresholds: a deployment restarts everything, and means it.
fn restarts() -> MetricSpec {
    MetricSpec {
        title: "Restarts".into(),
        query: processes::restarts(),
        ..amount("restarts", "restarts", 1.0, NONE)
    }
}

/// No thresholds: a service that is gone opens an incident by the rule of presence, and a rolling
/// restart is none.
fn availability() -> MetricSpec {
    MetricSpec {
        title: "Instances up".into(),
        query: processes::availability(),
        direction: Direction::Down,
        combine: Combine::Avg,
        ..percent("availability", 1.0, NONE)
    }
}

/// The worst of an instance's series.
fn worst(series: &str) -> String {
    format!("max by ($identity, instance) ({series})")
}

const NONE: Thresholds = Thresholds {
    high: None,
    critical: None,
};

fn both(high: f64, critical: f64) -> Thresholds {
    Thresholds {
        high: Some(high),
        critical: Some(critical),
    }
}

fn percent(name: &str, minimum_deviation: f64, thresholds: Thresholds) -> MetricSpec {
    MetricSpec {
        valid: (0.0, 100.0),
        ..amount(name, "%", minimum_deviation, thresholds)
    }
}

fn amount(name: &str, unit: &str, minimum_deviation: f64, thresholds: Thresholds) -> MetricSpec {
    MetricSpec {
        id: id(name),
        title: String::new(),
        unit: unit.into(),
        query: String::new(),
        fallback: None,
        direction: Direction::Up,
        thresholds,
        minimum_deviation,
        valid: (0.0, 1e9),
        combine: Combine::Max,
        at_least_from: None,
        of_service: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pack_has_the_thresholds_it_promises() {
        let pack = Catalogue::spring_pack();
        let thresholds: Vec<_> = pack
            .iter()
            .map(|spec| {
                let Thresholds { high, critical } = spec.thresholds;
                (spec.id.as_str(), high, critical)
            })
            .collect();
        let promised = [
            ("availability", None, None),
            ("blocked_threads", Some(5.0), Some(20.0)),
            ("error_ratio", Some(5.0), Some(20.0)),
            ("executor_queue", Some(100.0), Some(1_000.0)),
            ("gc_overhead", Some(20.0), Some(50.0)),
            ("heap_after_gc", Some(90.0), Some(97.0)),
            ("log_errors", None, None),
            ("pool_pending", Some(5.0), Some(20.0)),
            ("request_rate", None, None),
            ("restarts", None, None),
        ];
        assert_eq!(thresholds, promised);
    }

    #[test]
    fn ranges_of_counters_and_offsets_are_left_to_the_collector() {
        for spec in Catalogue::spring_pack().iter() {
            let query = &spec.query;
            assert!(!query.contains("5m"), "{query}");
            for (at, _) in query.match_indices("offset ") {
                assert!(query[at..].starts_with("offset $range"), "{query}");
            }
            for function in ["rate(", "increase(", "changes(", "resets("] {
                for (at, _) in query.match_indices(function) {
                    let argument = query[at..].split(')').next().unwrap();
                    assert!(argument.ends_with("[$range]"), "{argument}");
                }
            }
        }
    }

    #[test]
    fn brackets_are_balanced_and_labels_are_never_rewritten() {
        let three = Catalogue::default_three();
        for spec in three.iter().chain(Catalogue::spring_pack().iter()) {
            let count = |c: char| spec.query.matches(c).count();
            assert_eq!(count('('), count(')'), "{}", spec.query);
            assert_eq!(count('{'), count('}'), "{}", spec.query);
            assert!(!spec.query.contains("label_"), "{}", spec.query);
        }
    }
}
