//! The Spring pack and the default three against a real Prometheus: real scrapes, and one service told
//! in three languages. What is expected is computed here, from the samples.

mod fleet;
mod processes;
mod scrape;
mod telling;

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Catalogue, Gap, SeriesId, Timestamp};
use sources::{CollectSettings, Collector, Prometheus};

use crate::real_prometheus::serve;
use scrape::{SCRAPE, Series, openmetrics, scrape, times};
use telling::{in_old_names, in_otel_names};

const RANGE: i64 = 300;
/// The end of all that is told, 2026-11-22T12:00:00Z.
const TO: i64 = 1_795_348_800;
const READS: [&str; 12] = [
    "process_cpu_usage",
    "process_start_time_seconds",
    "jvm_memory_used_bytes",
    "jvm_memory_max_bytes",
    "jvm_memory_usage_after_gc",
    "jvm_gc_overhead",
    "jvm_threads_states_threads",
    "hikaricp_connections_pending",
    "executor_queued_tasks",
    "http_server_requests_seconds_count",
    "http_server_requests_seconds_max",
    "logback_events_total",
];

type Values = BTreeMap<(String, String), Result<f64, Gap>>;

/// What the collector found in these series: the values by service and metric.
struct Found(Values);

impl Found {
    /// None where there is no Prometheus to be started.
    async fn in_series(all: &[Series], to: i64) -> Option<Found> {
        Found::in_openmetrics(openmetrics(all).as_bytes(), to).await
    }

    async fn in_openmetrics(text: &[u8], to: i64) -> Option<Found> {
        let folder = tempfile::tempdir().unwrap();
        let (_server, client) = serve(folder.path(), text, to).await?;
        let mut settings = CollectSettings::of(catalogue());
        settings.services_max = 100;
        let mut collector = Collector::new(client.clone(), settings).unwrap();
        let at = Timestamp::from_millis(to * 1000);
        collector.collect(at - Duration::from_secs(60)).await;
        let collected = collector.collect(at).await;
        let failed = collected.timings.iter().filter(|t| t.failure.is_some());
        assert_eq!(failed.count(), 0, "{:?}", collected.timings);
        let all = collected.collection.series;
        for series in all
            .iter()
            .filter(|series| series.outcome.is_ok() && !series.proxy)
        {
            copied(&collector, &client, &series.series, at).await;
        }
        let series = all.into_iter().map(|series| {
            let id = (
                series.series.service.to_string(),
                series.series.metric.to_string(),
            );
            (id, series.outcome.map(|sample| sample.value))
        });
        Some(Found(series.collect()))
    }

    fn of(&self, service: &str, metric: &str) -> Result<f64, Gap> {
        self.0[&(service.to_owned(), metric.to_owned())]
    }

    fn services(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.0.keys().map(|(service, _)| service.as_str()).collect();
        all.dedup();
        all
    }

    /// All metrics of the service are these, but for the last digits.
    fn assert_all(&self, service: &str, expected: &[(&str, Result<f64, Gap>)]) {
        for (metric, expected) in expected {
            self.assert(service, metric, *expected);
        }
        let own = self.0.keys().filter(|(name, _)| name == service);
        assert_eq!(own.count(), expected.len(), "{service}");
    }

    fn assert(&self, service: &str, metric: &str, expected: Result<f64, Gap>) {
        let found = self.of(service, metric);
        let is_near = match (found, expected) {
            (Ok(found), Ok(expected)) => (found - expected).abs() <= 1e-9 * expected.abs(),
            (found, expected) => found == expected,
        };
        assert!(is_near, "{service} {metric}: {found:?}, not {expected:?}");
    }
}

fn catalogue() -> Catalogue {
    let specs = [Catalogue::default_three(), Catalogue::spring_pack()];
    Catalogue::new(specs.iter().flat_map(Catalogue::iter).cloned()).unwrap()
}

/// What an operator copies answers with the service's series alone.
async fn copied(collector: &Collector, client: &Prometheus, series: &SeriesId, at: Timestamp) {
    let spec = catalogue().get(&series.metric).unwrap().clone();
    let query = collector.evidence(&series.service).catalogue_query(&spec);
    let answer = client.instant(&query, at).await.unwrap().data;
    let service = series.service.as_str();
    let own = answer
        .iter()
        .filter(|s| s.labels.values().any(|v| v == service));
    let own = own.count();
    assert!(own > 0 && own == answer.len(), "{series}: {query}");
}

fn up(instance: &str, value: impl Fn(i64) -> f64, times: impl Iterator<Item = i64>) -> Series {
    let labels = [("job", "spring"), ("instance", instance)];
    Series::new(
        "up",
        &labels,
        times.map(|time| (time, value(time))).collect(),
    )
}

/// The worst instance of what `of` says of the series of each.
fn worst(all: &[Series], of: impl Fn(&[&Series]) -> Option<f64>) -> Option<f64> {
    let mut instances: BTreeMap<&str, Vec<&Series>> = BTreeMap::new();
    for series in all {
        instances
            .entry(series.label("instance"))
            .or_default()
            .push(series);
    }
    instances
        .values()
        .filter_map(|all| of(all))
        .reduce(f64::max)
}

/// The largest last value among the series of the name, times `scale`.
fn largest(all: &[Series], name: &str, scale: f64) -> Result<f64, Gap> {
    let named = all.iter().filter(|s| s.name == name);
    let named = named.filter(|s| ["", "blocked"].contains(&s.label("state")));
    let named = named.filter(|s| !s.label("uri").starts_with("/actuator"));
    let largest = named.map(Series::last).reduce(f64::max);
    largest.map(|value| scale * value).ok_or(Gap::NoData)
}

/// Used over all heap pools, by the largest sizes of those that have one.
fn heap(all: &[Series]) -> Result<f64, Gap> {
    let share = worst(all, |instance| {
        let heap = instance.iter().filter(|s| s.label("area") == "heap");
        let sum = |name: &str| -> f64 {
            let of = heap.clone().filter(|s| s.name == name);
            of.map(|s| s.last().max(0.0)).sum()
        };
        Some(100.0 * sum("jvm_memory_used_bytes") / sum("jvm_memory_max_bytes"))
    });
    share.ok_or(Gap::NoData)
}

/// Requests that were counted in the range, those that failed and all.
fn requests(all: &[Series], to: i64) -> (f64, f64) {
    let requests = all.iter().filter(|s| {
        s.name == "http_server_requests_seconds_count" && !s.label("uri").starts_with("/actuator")
    });
    let failed = requests
        .clone()
        .filter(|s| s.label("status").starts_with('5'));
    let sum = |counted: &mut dyn Iterator<Item = &Series>| -> f64 {
        counted.map(|s| s.counted(to, RANGE)).sum()
    };
    (sum(&mut failed.clone()), sum(&mut requests.clone()))
}

#[tokio::test]
async fn real_scrapes_give_the_values_that_they_hold() {
    let to = TO;
    let times = times(to - 1200, to);
    let files = [
        "gateway.g1.prom",
        "gateway.nohist.prom",
        "orders.g1.prom",
        "orders.oom.prom.gz",
        "orders.parallel.prom.gz",
        "orders.serial.prom.gz",
        "orders.zgc.prom.gz",
    ];
    let resting = files.map(|file| {
        let instance = format!("{file}:8080");
        let own = [
            ("service", file),
            ("job", "spring"),
            ("instance", &*instance),
        ];
        let mut all: Vec<Series> = scrape(file, &READS)
            .into_iter()
            .map(|series| {
                let is_start = series.name == "process_start_time_seconds";
                let value = if is_start {
                    (to - 7200) as f64
                } else {
                    series.last()
                };
                let points = times.clone().map(|time| (time, value)).collect();
                Series { points, ..series }.with(&own)
            })
            .collect();
        all.push(up(&instance, |_| 1.0, times.clone()));
        (file, all)
    });
    let all: Vec<Series> = resting.iter().flat_map(|(_, all)| all.clone()).collect();
    let Some(found) = Found::in_series(&all, to).await else {
        return;
    };
    assert_eq!(found.services(), files);
    for (service, all) in &resting {
        let expected = [
            ("cpu", largest(all, "process_cpu_usage", 100.0)),
            ("mem", heap(all)),
            // Without buckets, and those of a service at rest are none, the longest request speaks.
            (
                "lat",
                largest(all, "http_server_requests_seconds_max", 1000.0),
            ),
            ("error_ratio", Err(Gap::Idle)),
            ("request_rate", Ok(0.0)),
            (
                "heap_after_gc",
                largest(all, "jvm_memory_usage_after_gc", 100.0),
            ),
            ("gc_overhead", largest(all, "jvm_gc_overhead", 100.0)),
            (
                "blocked_threads",
                largest(all, "jvm_threads_states_threads", 1.0),
            ),
            (
                "pool_pending",
                largest(all, "hikaricp_connections_pending", 1.0),
            ),
            ("executor_queue", largest(all, "executor_queued_tasks", 1.0)),
            ("log_errors", Ok(0.0)),
            ("restarts", Ok(0.0)),
            ("availability", Ok(100.0)),
        ];
        found.assert_all(service, &expected);
    }
    // What the fixtures are known for.
    let tenths = |service, metric| (found.of(service, metric).unwrap() * 10.0).round() / 10.0;
    assert_eq!(tenths("orders.oom.prom.gz", "heap_after_gc"), 97.3);
    assert_eq!(tenths("orders.oom.prom.gz", "mem"), 97.3);
    assert_eq!(tenths("orders.oom.prom.gz", "gc_overhead"), 6.4);
    assert_eq!(tenths("orders.zgc.prom.gz", "mem"), 39.1);
}

/// Two instances under load, as Micrometer tells it: the real gauges, and counters that move, of which
/// one of failed requests and one of logged errors are born at 1 a minute before the end.
fn shop(service: &str, to: i64) -> Vec<Series> {
    let times = times(to - 1800, to);
    let mut all = Vec::new();
    for instance in ["a", "b"] {
        let is_b = instance == "b";
        let target = format!("{service}-{instance}:8080");
        let own = [
            ("service", service),
            ("job", "spring"),
            ("instance", &*target),
        ];
        let late = |time: i64| time > to - RANGE - 60;
        for (i, series) in scrape("orders.g1.prom", &READS).into_iter().enumerate() {
            let value = series.last();
            let moving = |time: i64| value + (i + 1) as f64 * ((time - to + 1800) / SCRAPE) as f64;
            let at = |time: i64| match series.name.as_str() {
                "process_cpu_usage" if late(time) => {
                    if is_b {
                        0.75
                    } else {
                        0.25
                    }
                }
                "process_start_time_seconds" => (to - 7200) as f64,
                "jvm_threads_states_threads" if is_b => value + 3.0,
                "hikaricp_connections_pending" if is_b => {
                    if time == to {
                        40.0
                    } else {
                        7.0
                    }
                }
                "http_server_requests_seconds_count" | "logback_events_total" => moving(time),
                _ => value,
            };
            let is_born = is_b && series.label("level") == "error";
            let points = times.clone().filter(|time| !is_born || *time >= to - 60);
            let points = points.map(|time| (time, if is_born { 1.0 } else { at(time) }));
            let points = points.collect();
            all.push(Series { points, ..series }.with(&own));
        }
        let born = [
            ("uri", "/orders"),
            ("method", "POST"),
            ("status", "503"),
            ("outcome", "SERVER_ERROR"),
            ("exception", "FirstOneEver"),
        ];
        let points = times
            .clone()
            .filter(|time| *time >= to - 60)
            .map(|time| (time, 1.0));
        let count = "http_server_requests_seconds_count";
        all.push(Series::new(count, &born, points.collect()).with(&own));
        for (le, share) in [
            ("0.1", 50.0),
            ("0.5", 98.5),
            ("1.0", 100.0),
            ("+Inf", 100.0),
        ] {
            for (uri, times_slower) in [("/orders/{id}", 1.0), ("/actuator/health", 100.0)] {
                let share = if le == "+Inf" {
                    100.0
                } else {
                    share / times_slower
                };
                let points = times
                    .clone()
                    .map(|time| (time, share * (time - to + 1800) as f64));
                let labels = [("uri", uri), ("le", le)];
                let bucket = "http_server_requests_seconds_bucket";
                all.push(Series::new(bucket, &labels, points.collect()).with(&own));
            }
        }
        all.push(up(&target, |_| 1.0, times.clone()));
    }
    all
}

fn of_shop(all: &[Series], to: i64) -> Vec<(&'static str, Result<f64, Gap>)> {
    let (failed, requested) = requests(all, to);
    let minute = worst(all, |instance| {
        let pending = instance
            .iter()
            .find(|s| s.name == "hikaricp_connections_pending")?;
        let points = pending.points.iter().filter(|(time, _)| *time > to - 60);
        points.map(|(_, value)| *value).reduce(f64::min)
    });
    let born = all
        .iter()
        .filter(|s| s.label("exception") == "FirstOneEver");
    let unseen_by_rate: f64 = born.map(Series::last).sum();
    let errors = all.iter().filter(|s| s.label("level") == "error");
    let errors: f64 = errors.map(|s| s.counted(to, RANGE)).sum();
    vec![
        ("cpu", Ok(75.0)),
        ("mem", heap(all)),
        // Of 100 requests, 98.5 took less than 500 ms, and 1.5 between that and 1 s.
        ("lat", Ok(500.0 + 500.0 * (99.0 - 98.5) / 1.5)),
        ("error_ratio", Ok(100.0 * failed / requested)),
        (
            "request_rate",
            Ok((requested - unseen_by_rate) / RANGE as f64),
        ),
        (
            "heap_after_gc",
            largest(all, "jvm_memory_usage_after_gc", 100.0),
        ),
        ("gc_overhead", largest(all, "jvm_gc_overhead", 100.0)),
        ("blocked_threads", Ok(3.0)),
        ("pool_pending", minute.ok_or(Gap::NoData)),
        ("executor_queue", largest(all, "executor_queued_tasks", 1.0)),
        ("log_errors", Ok(errors / RANGE as f64)),
        ("restarts", Ok(0.0)),
        ("availability", Ok(100.0)),
    ]
}

#[tokio::test]
async fn one_service_gives_the_same_numbers_in_every_language() {
    let to = TO;
    let told = |service: &str| shop(service, to);
    let both = told("both");
    let twice: Vec<Series> = in_otel_names(&told("twice"))
        .into_iter()
        .filter(|series| series.name != "up")
        .map(|mut series| {
            let service = series.labels.remove("service_name").unwrap();
            series.with(&[("service", &service)])
        })
        .collect();
    let both_in_otel = in_otel_names(&both);
    let both_in_otel = both_in_otel.into_iter().filter(|s| s.name != "up");
    let all: Vec<Series> = [
        told("micrometer"),
        in_old_names(&told("old")),
        in_otel_names(&told("otel")),
        both.iter().cloned().chain(both_in_otel).collect(),
        told("twice").into_iter().chain(twice).collect(),
    ]
    .concat();
    let Some(found) = Found::in_series(&all, to).await else {
        return;
    };
    assert_eq!(
        found.services(),
        ["both", "micrometer", "old", "otel", "twice"]
    );
    let expected = of_shop(&told("micrometer"), to);
    for service in ["micrometer", "old", "both", "twice"] {
        found.assert_all(service, &expected);
    }
    let nameless = ["executor_queue", "log_errors"];
    let in_otel: Vec<(&str, Result<f64, Gap>)> = expected
        .iter()
        .map(|(metric, value)| match nameless.contains(metric) {
            true => (*metric, Err(Gap::NoData)),
            false => (*metric, *value),
        })
        .collect();
    found.assert_all("otel", &in_otel);
}
