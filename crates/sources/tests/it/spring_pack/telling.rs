//! One service told in three ways: by Micrometer's names, by its old ones, by OpenTelemetry's.

use super::scrape::{Labels, Series};

/// By Micrometer's names before 1.13.
pub fn in_old_names(all: &[Series]) -> Vec<Series> {
    let renamed = all.iter().cloned().map(|mut series| {
        if ["jvm_gc_overhead", "jvm_memory_usage_after_gc"].contains(&series.name.as_str()) {
            series.name += "_percent";
        }
        series
    });
    renamed.collect()
}

/// As a Prometheus sees the semantic conventions; what these have no name for is left out.
pub fn in_otel_names(all: &[Series]) -> Vec<Series> {
    let old_max = |of: &Series| {
        let old = all.iter().find(|s| {
            s.name == "jvm_memory_max_bytes"
                && s.label("id") == "G1 Old Gen"
                && s.label("instance") == of.label("instance")
        });
        old.unwrap().last()
    };
    all.iter()
        .flat_map(|series| told(series, old_max))
        .collect()
}

fn told(series: &Series, old_max: impl Fn(&Series) -> f64) -> Vec<Series> {
    match series.name.as_str() {
        "process_cpu_usage" => vec![renamed(
            series,
            "jvm_cpu_recent_utilization_ratio",
            &[],
            |v| v,
        )],
        "jvm_memory_used_bytes" => vec![pool(series, "jvm_memory_used_bytes")],
        // A pool without a limit has no series.
        "jvm_memory_max_bytes" if series.last() > 0.0 => {
            vec![pool(series, "jvm_memory_limit_bytes")]
        }
        "jvm_memory_usage_after_gc" => after_gc(series, old_max(series)),
        "jvm_gc_overhead" => collections(series),
        "jvm_threads_states_threads" => threads(series),
        "hikaricp_connections_pending" => {
            let name = "db_client_connections_pending_requests";
            vec![renamed(series, name, &[("pool", "pool_name")], |v| v)]
        }
        "http_server_requests_seconds_count" => vec![requests(series, "count")],
        "http_server_requests_seconds_bucket" => vec![requests(series, "bucket")],
        "process_start_time_seconds" => vec![cpu_time(series)],
        "up" => vec![series.clone()],
        _ => Vec::new(),
    }
}

/// With the service, and the labels that `kept` names anew.
fn renamed(
    series: &Series,
    name: &str,
    kept: &[(&str, &str)],
    value: impl Fn(f64) -> f64,
) -> Series {
    let always = [
        ("job", "job"),
        ("instance", "instance"),
        ("service", "service_name"),
    ];
    let labels: Labels = always
        .iter()
        .chain(kept)
        .filter_map(|(old, new)| Some((new.to_string(), series.labels.get(*old)?.clone())))
        .collect();
    let points = series.points.iter().map(|(time, v)| (*time, value(*v)));
    Series {
        name: name.into(),
        labels,
        points: points.collect(),
    }
}

fn pool(series: &Series, name: &str) -> Series {
    let kind = match series.label("area") {
        "nonheap" => "non_heap",
        area => area,
    };
    let told = renamed(series, name, &[("id", "jvm_memory_pool_name")], |v| v);
    told.with(&[("jvm_memory_type", kind)])
}

/// The old generation's share in bytes; and the young pools, which are no sign of anything.
fn after_gc(series: &Series, old_max: f64) -> Vec<Series> {
    let name = "jvm_memory_used_after_last_gc_bytes";
    let of = |pool, value: f64| {
        let told = renamed(series, name, &[], |share| share * old_max * value);
        told.with(&[("jvm_memory_type", "heap"), ("jvm_memory_pool_name", pool)])
    };
    vec![of("G1 Old Gen", 1.0), of("G1 Survivor Space", 0.5)]
}

/// Pauses that take the share of time, half of them in each of two collectors; and a concurrent
/// collector that never rests.
fn collections(series: &Series) -> Vec<Series> {
    let from = series.points[0].0;
    let of = |collector: &str, seconds: &dyn Fn(f64) -> f64| {
        let mut told = renamed(series, "jvm_gc_duration_seconds_sum", &[], |v| v);
        for (time, value) in &mut told.points {
            *value = seconds(*value) * (*time - from) as f64;
        }
        told.with(&[("jvm_gc_name", collector)])
    };
    vec![
        of("G1 Young Generation", &|share| share / 2.0),
        of("G1 Old Generation", &|share| share / 2.0),
        of("G1 Concurrent GC", &|_| 0.9),
    ]
}

/// One thread of each state is no daemon; a state without threads has no series.
fn threads(series: &Series) -> Vec<Series> {
    let state = [("state", "jvm_thread_state")];
    let of = |daemon: &str, value: &dyn Fn(f64) -> f64| {
        let told = renamed(series, "jvm_thread_count", &state, value);
        told.with(&[("jvm_thread_daemon", daemon)])
    };
    let all = [of("true", &|v| v - 1.0), of("false", &|_| 1.0)];
    all.into_iter().filter(|_| series.last() > 0.0).collect()
}

fn requests(series: &Series, what: &str) -> Series {
    let name = format!("http_server_request_duration_seconds_{what}");
    let kept = [
        ("uri", "http_route"),
        ("status", "http_response_status_code"),
        ("method", "http_request_method"),
        ("exception", "error_type"),
        ("le", "le"),
    ];
    renamed(series, &name, &kept, |v| v)
}

/// A processor that is a tenth busy since the process started.
fn cpu_time(series: &Series) -> Series {
    let mut told = renamed(series, "jvm_cpu_time_seconds_total", &[], |v| v);
    for (time, value) in &mut told.points {
        *value = 0.1 * (*time as f64 - *value);
    }
    told
}
