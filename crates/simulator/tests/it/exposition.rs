//! Scrapes look like those of a real service, add up to the truth, and depend on nothing but seed and time.

use std::collections::BTreeSet;

use proptest::prelude::*;
use simulator::{FaultKind, Fleet, Topology, TruthMetric};

use crate::prom_text::{Text, histogram_quantile};
use crate::{MINUTE_MS, NOON_MS, fault, shop};

fn scrape(fleet: &mut Fleet, service: &str, instance: usize, t_ms: i64) -> Text {
    fleet.advance(t_ms);
    Text::parse(
        &fleet
            .expose(service, instance, t_ms)
            .expect("the instance answers"),
    )
}

#[test]
fn every_family_type_and_label_set_is_one_a_real_service_has() {
    let real = [
        Text::parse(include_str!("../fixtures/orders.g1.prom")),
        Text::parse(include_str!("../fixtures/gateway.g1.prom")),
        Text::parse(include_str!("../fixtures/shop/orders.prom")),
    ];
    let faults = FaultKind::ALL
        .into_iter()
        .filter(|kind| *kind != FaultKind::Stopped)
        .map(|kind| fault("orders", kind, 1.5, "1m", "2h"))
        .chain([fault("payments", FaultKind::ErrorBurst, 3.0, "1m", "2h")])
        .chain([fault("inventory", FaultKind::Stopped, 1.0, "1m", "2h")]);
    let mut fleet = shop(faults.collect());
    for service in ["orders", "gateway"] {
        let ours = scrape(&mut fleet, service, 1, NOON_MS + 100 * MINUTE_MS);
        for (family, kind) in &ours.kinds {
            assert!(
                real.iter().any(|text| text.kinds.get(family) == Some(kind)),
                "{family} as {kind}"
            );
        }
        for (name, sets) in ours.label_sets() {
            for mut labels in sets {
                if name != "jvm_info" {
                    assert!(labels.remove("version"), "{name} lacks the version");
                }
                let known: BTreeSet<_> = real
                    .iter()
                    .filter_map(|text| text.label_sets().remove(&name))
                    .flatten()
                    .collect();
                assert!(
                    known.contains(&labels),
                    "{name} with {labels:?}; real: {known:?}"
                );
            }
        }
    }
}

#[test]
fn the_families_asked_for_are_there() {
    let mut fleet = shop(vec![]);
    let orders = scrape(&mut fleet, "orders", 2, NOON_MS + 10 * MINUTE_MS);
    for family in [
        "process_cpu_usage",
        "system_cpu_usage",
        "system_cpu_count",
        "process_start_time_seconds",
        "process_uptime_seconds",
        "process_files_open_files",
        "process_files_max_files",
        "jvm_memory_used_bytes",
        "jvm_memory_max_bytes",
        "jvm_memory_committed_bytes",
        "jvm_memory_usage_after_gc",
        "jvm_gc_overhead",
        "jvm_gc_pause_seconds",
        "jvm_threads_states_threads",
        "http_server_requests_seconds",
        "http_server_requests_seconds_max",
        "http_client_requests_seconds",
        "hikaricp_connections_pending",
        "executor_queued_tasks",
        "tomcat_threads_busy_threads",
        "logback_events_total",
        "application_ready_time_seconds",
        "jvm_info",
    ] {
        assert!(orders.kinds.contains_key(family), "{family}");
    }
    for pool in ["G1 Eden Space", "G1 Survivor Space"] {
        assert_eq!(orders.sum("jvm_memory_max_bytes", &[("id", pool)]), -1.0);
    }
    assert!(orders.sum("jvm_memory_max_bytes", &[("id", "G1 Old Gen")]) > 0.0);
    assert!(
        orders.sum(
            "http_server_requests_seconds_count",
            &[("uri", "/actuator/prometheus")]
        ) > 0.0
    );
    assert!(
        orders.sum(
            "http_client_requests_seconds_count",
            &[("client_name", "payments")]
        ) > 0.0
    );
    let gateway = scrape(&mut fleet, "gateway", 1, NOON_MS + 10 * MINUTE_MS);
    assert!(!gateway.kinds.contains_key("hikaricp_connections"));
}

#[test]
fn p99_from_buckets_is_the_truth_within_a_bucket() {
    for (buckets, magnitude, tolerance) in [
        ("slo", 0.0, 0.22),
        ("full", 0.0, 0.22),
        ("slo", 1.0, 0.2),
        ("full", 1.0, 0.2),
    ] {
        let yaml =
            format!("services: [{{name: payments, instances: 2, rps: 60, buckets: {buckets}}}]");
        let topology = Topology::parse(&yaml).expect("a topology");
        let faults = if magnitude > 0.0 {
            vec![fault(
                "payments",
                FaultKind::SlowDependency,
                magnitude,
                "0s",
                "1d",
            )]
        } else {
            vec![]
        };
        let mut fleet = Fleet::new(topology, faults, 3, NOON_MS).expect("a fleet");
        for window in [2, 6, 12, 24] {
            let end_ms = NOON_MS + window * 5 * MINUTE_MS;
            let mut before = Vec::new();
            let mut after = Vec::new();
            for (t_ms, into) in [(end_ms - 5 * MINUTE_MS, &mut before), (end_ms, &mut after)] {
                for instance in [1, 2] {
                    into.push(scrape(&mut fleet, "payments", instance, t_ms).server_buckets());
                }
            }
            let rates: Vec<(f64, f64)> = (0..after[0].len())
                .map(|i| {
                    (
                        after[0][i].0,
                        (0..2).map(|n| after[n][i].1 - before[n][i].1).sum(),
                    )
                })
                .collect();
            let p99 = histogram_quantile(0.99, &rates) * 1e3;
            let truth = fleet
                .truth("payments", TruthMetric::Lat, end_ms - 150_000)
                .expect("payments is known");
            assert!(
                (p99 / truth - 1.0).abs() < tolerance,
                "{buckets}: {p99} against {truth}"
            );
        }
    }
}

#[test]
fn gauges_stay_around_the_truth() {
    let mut fleet = shop(vec![]);
    for service in ["gateway", "orders", "payments"] {
        let (mut cpu, mut heap, mut n) = (0.0, 0.0, 0.0);
        for _ in 0..240 {
            let t_ms = fleet.now_ms() + 15_000;
            let text = scrape(&mut fleet, service, 1, t_ms);
            cpu += text.sum("process_cpu_usage", &[]) * 100.0;
            heap += heap_percent(&text);
            n += 1.0;
        }
        let truth = |metric| {
            fleet
                .truth(service, metric, fleet.now_ms() - 30 * MINUTE_MS)
                .expect("known")
        };
        assert!(
            (cpu / n - truth(TruthMetric::Cpu)).abs() < 1.0,
            "{service} cpu {}",
            cpu / n
        );
        assert!(
            (heap / n - truth(TruthMetric::Mem)).abs() < 1.5,
            "{service} heap {}",
            heap / n
        );
    }
}

fn heap_percent(text: &Text) -> f64 {
    let max: f64 = text
        .all("jvm_memory_max_bytes", &[("area", "heap")])
        .map(|s| s.value)
        .filter(|v| *v > 0.0)
        .sum();
    text.sum("jvm_memory_used_bytes", &[("area", "heap")]) / max * 100.0
}

#[test]
fn normal_noise_never_crosses_high() {
    for seed in [1, 2, 3] {
        let mut fleet =
            Fleet::new(Topology::generated(30, seed), vec![], seed, NOON_MS).expect("a fleet");
        let names: Vec<String> = fleet
            .topology()
            .services()
            .iter()
            .map(|service| service.name.clone())
            .collect();
        for step in 1..=72 {
            let t_ms = NOON_MS + step * 20 * MINUTE_MS;
            fleet.advance(t_ms);
            for name in &names {
                let text = Text::parse(&fleet.expose(name, 1, t_ms).expect("nothing is stopped"));
                let cpu = text.sum("process_cpu_usage", &[]) * 100.0;
                assert!((10.0..60.0).contains(&cpu), "{name} cpu {cpu}");
                let heap = heap_percent(&text);
                assert!((20.0..75.0).contains(&heap), "{name} heap {heap}");
                assert!(text.sum("jvm_threads_states_threads", &[("state", "blocked")]) < 5.0);
                assert_eq!(text.sum("hikaricp_connections_pending", &[]), 0.0);
                let lat = fleet.truth(name, TruthMetric::Lat, t_ms).expect("known");
                assert!((60.0..420.0).contains(&lat), "{name} lat {lat}");
                assert!(
                    fleet
                        .truth(name, TruthMetric::ErrorRatio, t_ms)
                        .expect("known")
                        < 1.0
                );
            }
        }
    }
}

#[test]
fn the_same_seed_says_the_same_and_another_seed_something_else() {
    let at = NOON_MS + 47 * MINUTE_MS + 321;
    let text = |seed, order: &[&str], step_ms: i64| {
        let faults = vec![fault("orders", FaultKind::BadRelease, 1.0, "20m33s", "1h")];
        let mut fleet = Fleet::new(Topology::shop(), faults, seed, NOON_MS).expect("a fleet");
        let mut t_ms = NOON_MS;
        while t_ms < at {
            t_ms = (t_ms + step_ms).min(at);
            fleet.advance(t_ms);
            for service in order {
                fleet.expose(service, 1, t_ms);
            }
        }
        fleet.expose("orders", 1, at).expect("orders answers")
    };
    let first = text(7, &["orders", "payments"], 60_000);
    assert_eq!(
        first,
        text(7, &["payments", "orders"], 60_000),
        "order of scrapes"
    );
    assert_eq!(first, text(7, &[], 7_001), "steps of advance");
    assert_ne!(first, text(8, &[], 60_000));
}

#[test]
fn counters_only_grow_until_a_release_restarts_the_process() {
    let mut fleet = shop(vec![fault(
        "orders",
        FaultKind::BadRelease,
        1.0,
        "30m",
        "20m",
    )]);
    let mut last: Option<Text> = None;
    let mut restarts = Vec::new();
    for step in 1..=240 {
        let t_ms = NOON_MS + step * 15_000;
        let text = scrape(&mut fleet, "orders", 1, t_ms);
        if let Some(last) = &last {
            let started = |text: &Text| text.sum("process_start_time_seconds", &[]);
            if started(last) != started(&text) {
                let version = text
                    .samples
                    .iter()
                    .find(|s| s.name == "process_cpu_usage")
                    .expect("it is there");
                restarts.push((step, version.labels["version"].clone()));
                let requests = |text: &Text| text.sum("http_server_requests_seconds_count", &[]);
                assert!(
                    requests(&text) < requests(last) / 10.0,
                    "counters start anew"
                );
            } else {
                assert_monotone(last, &text);
            }
        }
        last = Some(text);
    }
    assert_eq!(
        restarts,
        [(120, "1.1.0".to_owned()), (200, "1.0.0".to_owned())]
    );
}

fn assert_monotone(last: &Text, text: &Text) {
    let counts = |name: &str| {
        ["_total", "_count", "_sum", "_bucket"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
    };
    let now: std::collections::HashMap<_, _> = text
        .samples
        .iter()
        .map(|sample| ((&sample.name, &sample.labels), sample.value))
        .collect();
    for sample in last.samples.iter().filter(|sample| counts(&sample.name)) {
        let value = now
            .get(&(&sample.name, &sample.labels))
            .copied()
            .expect("a counter stays");
        assert!(value >= sample.value, "{} {:?}", sample.name, sample.labels);
    }
    for pair in text.server_buckets().windows(2) {
        assert!(pair[0].1 <= pair[1].1, "buckets are cumulative");
    }
}

#[test]
fn the_first_error_brings_its_series_into_being() {
    let yaml = "services: [{name: payments, rps: 20}]";
    let quiet_seed = (0..50)
        .find(|&seed| {
            let fleet =
                Fleet::new(Topology::parse(yaml).expect("ok"), vec![], seed, NOON_MS).expect("ok");
            fleet
                .truth("payments", TruthMetric::ErrorRatio, NOON_MS)
                .expect("known")
                == 0.0
        })
        .expect("some service has no errors at all");
    let faults = vec![fault("payments", FaultKind::ErrorBurst, 1.0, "30m", "10m")];
    let mut fleet = Fleet::new(
        Topology::parse(yaml).expect("ok"),
        faults,
        quiet_seed,
        NOON_MS,
    )
    .expect("ok");
    let errors = [("status", "500")];
    let before = scrape(&mut fleet, "payments", 1, NOON_MS + 29 * MINUTE_MS);
    assert_eq!(
        before
            .all("http_server_requests_seconds_count", &errors)
            .count(),
        0
    );
    let after = scrape(&mut fleet, "payments", 1, NOON_MS + 31 * MINUTE_MS);
    assert_eq!(
        after
            .all("http_server_requests_seconds_count", &errors)
            .count(),
        1
    );
}

#[test]
fn a_live_fault_cuts_in_without_a_jump_of_counters() {
    let mut fleet = shop(vec![]);
    let t_ms = NOON_MS + 10 * MINUTE_MS + 4_321;
    let before = scrape(&mut fleet, "payments", 1, t_ms);
    let started = fleet
        .start_fault(fault("payments", FaultKind::CpuBurn, 1.0, "0s", "5m"))
        .expect("a fault");
    assert_eq!(started.from_ms, t_ms);
    let after = scrape(&mut fleet, "payments", 1, t_ms);
    let requests = |text: &Text| text.sum("http_server_requests_seconds_count", &[]);
    assert_eq!(requests(&before), requests(&after));
    assert!(
        (fleet
            .truth("payments", TruthMetric::Cpu, t_ms)
            .expect("known")
            - 85.0)
            .abs()
            < 1e-6
    );
    fleet.advance(t_ms + MINUTE_MS);
    fleet.end_fault(started.id).expect("it is known");
    let truth = |t_ms| {
        fleet
            .truth("payments", TruthMetric::Cpu, t_ms)
            .expect("known")
    };
    assert!(truth(t_ms + MINUTE_MS) < 50.0);
    assert!(
        (truth(t_ms + 30_000) - 85.0).abs() < 1e-6,
        "the past stays as it was"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever faults overlap, an answer is well-formed and finite.
    #[test]
    fn any_mixture_of_faults_can_be_scraped(
        picks in prop::collection::vec((0..6usize, 0..8usize, 0.1f64..4.0, 0i64..50, 1i64..30), 0..8),
        seed in any::<u64>(),
    ) {
        let topology = Topology::shop();
        let names: Vec<String> = topology.services().iter().map(|s| s.name.clone()).collect();
        let faults = picks
            .into_iter()
            .map(|(service, kind, magnitude, at, length)| {
                fault(&names[service], FaultKind::ALL[kind], magnitude, &format!("{at}m"), &format!("{length}m"))
            })
            .filter(|fault| !(fault.service == "gateway" && fault.kind == FaultKind::PoolExhausted))
            .collect();
        let mut fleet = Fleet::new(topology, faults, seed, NOON_MS).expect("they fit");
        for step in 1..=12 {
            let t_ms = NOON_MS + step * 5 * MINUTE_MS + 77;
            fleet.advance(t_ms);
            for name in &names {
                let Some(text) = fleet.expose(name, 1, t_ms) else { continue };
                let text = Text::parse(&text);
                for sample in &text.samples {
                    prop_assert!(sample.value.is_finite() && sample.value >= -1.0, "{sample:?}");
                }
                for metric in TruthMetric::ALL {
                    let value = fleet.truth(name, metric, t_ms).expect("known");
                    prop_assert!(value.is_finite() && value >= 0.0, "{name} {metric} {value}");
                }
            }
        }
    }
}
