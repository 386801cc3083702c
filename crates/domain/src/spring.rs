//! The Spring pack: what Micrometer says of a service beside the three metrics of the mission.

use std::collections::BTreeMap;

use crate::metric::id;
use crate::{Catalogue, Combine, Direction, MetricSpec, Thresholds};

impl Catalogue {
    /// The metrics of the Spring pack that have thresholds: `error_ratio`, `pool_pending`,
    /// `blocked_threads`, `gc_overhead`, `executor_queue`.
    ///
    /// ```
    /// let pack = domain::Catalogue::spring_pack();
    /// assert_eq!(pack.len(), 5);
    /// assert!(pack.iter().all(|spec| spec.thresholds.high.is_some()));
    /// ```
    pub fn spring_pack() -> Catalogue {
        let specs = [
            error_ratio(),
            pool_pending(),
            blocked_threads(),
            gc_overhead(),
            executor_queue(),
        ];
        Catalogue::new(specs).expect("the Spring pack is valid")
    }
}

/// 5xx of all requests but those of actuator. A series that is born with its first error counts
/// from zero; a service without any error has 0 %, one without requests is idle.
fn error_ratio() -> MetricSpec {
    const ALL: &str = "http_server_requests_seconds_count{uri!~\"/actuator.*\"}";
    const FAILED: &str = "http_server_requests_seconds_count{uri!~\"/actuator.*\",status=~\"5..\"}";
    let counted = |series: &str| {
        format!(
            "sum by ($identity) (({series} unless {series} offset $range) or increase({series}[$range]))"
        )
    };
    let (all, failed) = (counted(ALL), counted(FAILED));
    MetricSpec {
        title: "Error ratio".into(),
        query: format!("100 * ({failed} or 0 * {all}) / {all}"),
        ..percent("error_ratio", 1.0, (5.0, 20.0))
    }
}

fn pool_pending() -> MetricSpec {
    MetricSpec {
        title: "Connection pool pending".into(),
        query: "max by ($identity, instance) (hikaricp_connections_pending)".into(),
        ..count("pool_pending", "requests", 2.0, (5.0, 20.0))
    }
}

fn blocked_threads() -> MetricSpec {
    MetricSpec {
        title: "Blocked threads".into(),
        query: "max by ($identity, instance) (jvm_threads_states_threads{state=\"blocked\"})"
            .into(),
        ..count("blocked_threads", "threads", 2.0, (5.0, 20.0))
    }
}

fn gc_overhead() -> MetricSpec {
    MetricSpec {
        title: "GC overhead".into(),
        query: "100 * max by ($identity, instance) (jvm_gc_overhead)".into(),
        ..percent("gc_overhead", 5.0, (20.0, 50.0))
    }
}

fn executor_queue() -> MetricSpec {
    MetricSpec {
        title: "Executor queue".into(),
        query: "max by ($identity, instance) (executor_queued_tasks)".into(),
        ..count("executor_queue", "tasks", 20.0, (100.0, 1_000.0))
    }
}

fn percent(name: &str, minimum_deviation: f64, thresholds: (f64, f64)) -> MetricSpec {
    MetricSpec {
        valid: (0.0, 100.0),
        ..count(name, "%", minimum_deviation, thresholds)
    }
}

fn count(
    name: &str,
    unit: &str,
    minimum_deviation: f64,
    (high, critical): (f64, f64),
) -> MetricSpec {
    MetricSpec {
        id: id(name),
        title: String::new(),
        unit: unit.into(),
        query: String::new(),
        fallback: None,
        direction: Direction::Up,
        thresholds: Thresholds {
            high: Some(high),
            critical: Some(critical),
        },
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
                (spec.id.as_str(), high.unwrap(), critical.unwrap())
            })
            .collect();
        let promised = [
            ("blocked_threads", 5.0, 20.0),
            ("error_ratio", 5.0, 20.0),
            ("executor_queue", 100.0, 1_000.0),
            ("gc_overhead", 20.0, 50.0),
            ("pool_pending", 5.0, 20.0),
        ];
        assert_eq!(thresholds, promised);
    }

    #[test]
    fn ranges_and_offsets_are_left_to_the_collector() {
        let pack = Catalogue::spring_pack();
        let ratio = pack.get(&id("error_ratio")).unwrap();
        assert!(ratio.query.contains("offset $range"), "{}", ratio.query);
        assert!(!ratio.query.contains("5m"), "{}", ratio.query);
    }
}
