//! What is recorded: the names that the default metrics, the Spring pack, discovery and the search for evidence read of
//! a service that speaks Micrometer.

use super::series::Kind;

/// How a tile's values follow the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaling {
    /// Increments of a counter, or the values of a gauge, are multiplied by the load.
    WithLoad,
    AsRecorded,
    /// One value for all the past: the recorded process would seem to restart with every tile.
    Constant,
}

/// One name of samples, not of a family: `_bucket`, `_count` and `_sum` have rows of their own.
#[derive(Debug)]
pub struct RecordedFamily {
    pub name: &'static str,
    /// Conditions of a selector, without braces.
    pub conditions: &'static str,
    pub kind: Kind,
    pub scaling: Scaling,
}

impl RecordedFamily {
    pub fn of(name: &str) -> Option<&'static RecordedFamily> {
        FAMILIES.iter().find(|family| family.name == name)
    }
}

const fn counter(name: &'static str) -> RecordedFamily {
    RecordedFamily {
        name,
        conditions: "",
        kind: Kind::Counter,
        scaling: Scaling::WithLoad,
    }
}

const fn gauge(name: &'static str) -> RecordedFamily {
    RecordedFamily {
        name,
        conditions: "",
        kind: Kind::Gauge,
        scaling: Scaling::AsRecorded,
    }
}

pub const FAMILIES: &[RecordedFamily] = &[
    gauge("up"),
    RecordedFamily {
        scaling: Scaling::Constant,
        ..gauge("process_start_time_seconds")
    },
    RecordedFamily {
        scaling: Scaling::WithLoad,
        ..gauge("process_cpu_usage")
    },
    RecordedFamily {
        conditions: "area=\"heap\"",
        ..gauge("jvm_memory_used_bytes")
    },
    RecordedFamily {
        conditions: "area=\"heap\"",
        ..gauge("jvm_memory_max_bytes")
    },
    gauge("jvm_memory_usage_after_gc"),
    gauge("jvm_gc_overhead"),
    gauge("jvm_threads_states_threads"),
    gauge("hikaricp_connections_pending"),
    gauge("executor_queued_tasks"),
    counter("logback_events_total"),
    counter("http_server_requests_seconds_bucket"),
    counter("http_server_requests_seconds_count"),
    counter("http_server_requests_seconds_sum"),
    gauge("http_server_requests_seconds_max"),
    counter("http_client_requests_seconds_bucket"),
    counter("http_client_requests_seconds_count"),
    counter("http_client_requests_seconds_sum"),
];
