//! Log files hold JSON as Spring Boot writes it, speak of the faults, and rotate.

use std::fs;
use std::path::Path;

use serde_json::Value;
use simulator::{Fault, FaultKind, LogOptions, LogWriter};

use crate::{MINUTE_MS, NOON_MS, fault, shop};

/// Twenty minutes of logs, of which the fault holds the second ten.
fn write(faults: Vec<Fault>, dir: &Path, options: LogOptions, steps: i64) {
    let fleet = shop(faults);
    let mut logs = LogWriter::new(dir, &fleet, NOON_MS, options).expect("a folder");
    for step in 1..=steps {
        logs.write_until(&fleet, NOON_MS + 20 * MINUTE_MS * step / steps)
            .expect("it is written");
    }
}

fn lines(dir: &Path, service: &str) -> Vec<Value> {
    fs::read_to_string(dir.join(service).join("app.json"))
        .expect("a log")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

fn level(line: &Value) -> &str {
    line["log"]["level"]
        .as_str()
        .or(line["level"].as_str())
        .expect("a level")
}

#[test]
fn lines_have_the_shape_of_the_real_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        vec![fault("payments", FaultKind::ErrorBurst, 2.0, "10m", "10m")],
        folder.path(),
        LogOptions::default(),
        3,
    );
    let real_ecs: Vec<Value> = parse(include_str!("../fixtures/ecs.jsonl"));
    let real_logstash: Vec<Value> = parse(include_str!("../fixtures/logstash.jsonl"));
    // By the order of names: catalog and inventory and orders are ECS, gateway and ledger and payments Logstash.
    for (service, real) in [("orders", &real_ecs), ("payments", &real_logstash)] {
        let ours = lines(folder.path(), service);
        for line in &ours {
            for key in line.as_object().expect("an object").keys() {
                assert!(
                    real.iter().any(|known| known.get(key).is_some()),
                    "{key} in {line}"
                );
            }
            assert_eq!(line["traceId"].as_str().expect("a trace id").len(), 32);
            assert_eq!(line["spanId"].as_str().expect("a span id").len(), 16);
        }
        let errors: Vec<&Value> = ours.iter().filter(|line| level(line) == "ERROR").collect();
        assert!(errors.len() > 50, "{service}");
        for error in errors {
            let trace = error["error"]["stack_trace"]
                .as_str()
                .or(error["stack_trace"].as_str())
                .expect("a trace");
            assert!(trace.contains("\n\tat "), "{trace}");
        }
        let times: Vec<&str> = ours
            .iter()
            .map(|line| line["@timestamp"].as_str().expect("a time"))
            .collect();
        assert!(
            times.windows(2).all(|pair| pair[0] <= pair[1]),
            "{service} goes forward"
        );
    }
}

fn parse(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

#[test]
fn callers_name_the_dependency_that_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        vec![fault("payments", FaultKind::Stopped, 1.0, "10m", "5m")],
        folder.path(),
        LogOptions::default(),
        1,
    );
    let orders = lines(folder.path(), "orders");
    let failed = orders
        .iter()
        .filter(|line| line["message"] == "payments call failed")
        .filter(|line| {
            ("2026-11-22T12:10".."2026-11-22T12:15")
                .contains(&line["@timestamp"].as_str().expect("a time"))
        })
        .collect::<Vec<_>>();
    assert!(failed.len() > 100);
    assert!(failed.iter().all(|line| {
        line["error"]["message"]
            .as_str()
            .expect("text")
            .ends_with("Connection refused")
    }));
    let restarted = lines(folder.path(), "payments");
    assert!(restarted.iter().any(|line| {
        line["message"]
            .as_str()
            .expect("text")
            .starts_with("Starting PaymentsApplication v1.0.0")
    }));
}

#[test]
fn a_failure_has_one_trace_id_in_callee_and_caller() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        vec![fault("payments", FaultKind::ErrorBurst, 2.0, "10m", "10m")],
        folder.path(),
        LogOptions::default(),
        1,
    );
    let traces = |service: &str| {
        lines(folder.path(), service)
            .into_iter()
            .filter(|line| level(line) == "ERROR")
            .map(|line| line["traceId"].as_str().expect("a trace").to_owned())
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert!(traces("orders").intersection(&traces("payments")).count() > 50);
}

#[test]
fn every_fault_leaves_words() {
    for kind in FaultKind::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        write(
            vec![fault("orders", kind, 1.2, "10m", "10m")],
            folder.path(),
            LogOptions::default(),
            1,
        );
        let who = if kind == FaultKind::Stopped {
            "gateway"
        } else {
            "orders"
        };
        let trouble = |since: &str, until: &str| {
            lines(folder.path(), who)
                .iter()
                .filter(|line| {
                    level(line) != "INFO"
                        || line["message"]
                            .as_str()
                            .is_some_and(|m| m.starts_with("Start"))
                })
                .filter(|line| {
                    (since..until).contains(&line["@timestamp"].as_str().expect("a time"))
                })
                .count()
        };
        let (before, during) = (
            trouble("2026-11-22T12:00", "2026-11-22T12:10"),
            trouble("2026-11-22T12:10", "2026-11-22T12:20"),
        );
        assert!(during > before + 10, "{kind}: {before} to {during}");
        if kind == FaultKind::BadRelease {
            let started = lines(folder.path(), "orders")
                .iter()
                .filter(|line| line["service"]["version"] == "1.1.0")
                .any(|line| {
                    line["message"]
                        .as_str()
                        .expect("text")
                        .starts_with("Starting OrdersApplication v1.1.0")
                });
            assert!(started);
        }
    }
}

#[test]
fn content_depends_on_seed_and_time_only() {
    let faults = || vec![fault("orders", FaultKind::ErrorBurst, 1.0, "3m", "3m")];
    let [once, often] = [1, 171].map(|steps| {
        let folder = tempfile::tempdir().expect("a folder");
        write(faults(), folder.path(), LogOptions::default(), steps);
        fs::read_to_string(folder.path().join("orders/app.json")).expect("a log")
    });
    assert_eq!(once, often);
}

#[test]
fn full_files_are_put_aside_and_the_oldest_dropped() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = LogOptions {
        max_bytes: 40_000,
        keep: 3,
    };
    write(
        vec![fault("orders", FaultKind::ErrorBurst, 3.0, "1m", "19m")],
        folder.path(),
        options,
        1,
    );
    let mut names: Vec<String> = fs::read_dir(folder.path().join("orders"))
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["app.json", "app.json.1", "app.json.2", "app.json.3"]
    );
    let text: String = ["app.json.3", "app.json.2", "app.json.1", "app.json"]
        .map(|name| fs::read_to_string(folder.path().join("orders").join(name)).expect("a file"))
        .concat();
    assert!(parse(&text).len() > 10, "no line is torn");
    assert!(
        fs::metadata(folder.path().join("orders/app.json.1"))
            .expect("a file")
            .len()
            <= 40_000
    );
}
