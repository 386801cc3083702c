//! Queries for evidence against a real Prometheus with the past of a simulated fleet.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Catalogue, LabelTable, MetricId, MetricSpec, ServiceId, TableStatistic, Timestamp};
use simulator::{Families, Fault, Fleet, Span, Topology, write_openmetrics};
use sources::{CollectSettings, Collector, Prometheus};

use crate::real_prometheus::serve;

/// The slow one, renamed after the simulator has written it; and as OpenMetrics writes it.
const SLOW: &str = "pay\"me\\nts\n$value";
const SLOW_WRITTEN: &str = "pay\\\"me\\\\nts\\n$value";
const TOPOLOGY: &str = "
services:
  - {name: gateway, instances: 1, rps: 60, calls: [payments, ledger]}
  - {name: payments, instances: 2, rps: 40, calls: [ledger]}
  - {name: ledger, instances: 1, rps: 30, pool: true}
";
const FAULTS: &str = "
- {at: 14m, for: 20m, service: payments, kind: slow-dependency}
- {at: 14m, for: 20m, service: payments, kind: error-burst, magnitude: 3}
- {at: 20m, for: 20m, service: ledger, kind: bad-release}
";
const MINUTES: i64 = 24;

/// The gateway has no buckets of its calls.
fn openmetrics(from: i64, to: i64) -> Vec<u8> {
    let topology = Topology::parse(TOPOLOGY).unwrap();
    let faults = Fault::parse_list(FAULTS).unwrap();
    let mut fleet = Fleet::new(topology, faults, 7, from * 1000).unwrap();
    let mut text = Vec::new();
    write_openmetrics(
        &mut fleet,
        from * 1000,
        to * 1000,
        Span::from_millis(30_000),
        Families::All,
        &mut text,
        "fleet",
    )
    .unwrap();
    let text = String::from_utf8(text).unwrap();
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let bucket = line.starts_with("http_client_requests_seconds_bucket");
        if bucket && line.contains("service=\"gateway\"") {
            continue;
        }
        let line = line
            .replace(
                "service=\"payments\"",
                &format!("service=\"{SLOW_WRITTEN}\""),
            )
            .replace("uri=\"/payments", "uri=\"/pay\\\"me\\\\nts\\n$value");
        kept.push_str(&line);
        kept.push('\n');
    }
    kept.into_bytes()
}

fn lat() -> MetricSpec {
    let catalogue = Catalogue::default_three();
    let id = MetricId::new("lat").unwrap();
    catalogue.get(&id).unwrap().clone()
}

fn error_ratio() -> MetricSpec {
    MetricSpec {
        id: MetricId::new("error_ratio").unwrap(),
        query:
            "sum by ($identity) (rate(http_server_requests_seconds_count{status=~\"5..\"}[$range]))"
                .into(),
        fallback: None,
        ..lat()
    }
}

async fn value(client: &Prometheus, query: &str, at: Timestamp) -> Option<f64> {
    let answer = client.instant(query, at).await;
    let answer = answer.unwrap_or_else(|error| panic!("{query}: {error}"));
    assert!(answer.data.len() <= 1, "{query}");
    answer.data.first().map(|sample| sample.value)
}

/// Histogram quantile as Prometheus computes it.
fn quantile(q: f64, buckets: &[(f64, f64)]) -> f64 {
    let mut buckets = buckets.to_vec();
    for i in 1..buckets.len() {
        buckets[i].1 = buckets[i].1.max(buckets[i - 1].1);
    }
    let all = buckets.last().unwrap().1;
    if all <= 0.0 {
        return f64::NAN;
    }
    let rank = q * all;
    let found = buckets
        .iter()
        .position(|(_, count)| *count >= rank)
        .unwrap();
    if found == buckets.len() - 1 {
        return buckets[buckets.len() - 2].0;
    }
    let (start, before) = if found == 0 {
        (0.0, 0.0)
    } else {
        buckets[found - 1]
    };
    let (end, count) = buckets[found];
    start + (end - start) * (rank - before) / (count - before)
}

/// The value of numbers by bound, or of one pair.
fn statistic(statistic: TableStatistic, numbers: &[(f64, f64)]) -> f64 {
    match statistic {
        TableStatistic::Quantile { q, scale } => scale * quantile(q, numbers),
        TableStatistic::Ratio { scale } => scale * numbers[0].0 / numbers[0].1,
    }
}

fn sum(table: &LabelTable) -> Vec<(f64, f64)> {
    let mut sum: Vec<(f64, f64)> = Vec::new();
    for row in &table.rows {
        combine(table.statistic, &mut sum, &row.numbers, 1.0);
    }
    sum
}

/// Adds `sign` times `numbers`.
fn combine(
    statistic: TableStatistic,
    sum: &mut Vec<(f64, f64)>,
    numbers: &[(f64, f64)],
    sign: f64,
) {
    if let TableStatistic::Ratio { .. } = statistic {
        let (a, b) = sum.first().copied().unwrap_or_default();
        *sum = vec![(a + sign * numbers[0].0, b + sign * numbers[0].1)];
        return;
    }
    for (bound, rate) in numbers {
        match sum.iter_mut().find(|(b, _)| b == bound) {
            Some((_, all)) => *all += sign * rate,
            None => sum.push((*bound, sign * rate)),
        }
    }
    sum.sort_by(|a, b| a.0.total_cmp(&b.0));
}

fn assert_near(ours: f64, theirs: Option<f64>, what: &str) {
    let theirs = theirs.unwrap_or(f64::NAN);
    let near = (ours.is_nan() && theirs.is_nan())
        || (ours - theirs).abs() <= 1e-6 * theirs.abs().max(1e-9);
    assert!(near, "{what}: {ours} here, {theirs} in Prometheus");
}

/// The rows give the whole, and the whole without each value, as Prometheus computes them; how many
/// values were removed.
async fn check(client: &Prometheus, table: &LabelTable, whole: Option<f64>) -> usize {
    let all = sum(table);
    let name = format!("{} by {}", table.of, table.label);
    let nothing_removed = table
        .query_without
        .replace("$value", "no such value \\\" \\\\ \\n");
    let theirs = value(client, &nothing_removed, table.at).await;
    assert_near(statistic(table.statistic, &all), theirs, &name);
    if let Some(whole) = whole {
        assert_near(statistic(table.statistic, &all), Some(whole), &name);
    }
    for row in &table.rows {
        let mut rest = all.clone();
        combine(table.statistic, &mut rest, &row.numbers, -1.0);
        // What subtraction leaves of nothing is no traffic.
        let scale = all.last().unwrap().1.abs();
        for number in &mut rest {
            if number.1.abs() < 1e-12 * scale {
                number.1 = 0.0;
            }
        }
        let ours = statistic(table.statistic, &rest);
        let query = table.query_but(&row.value);
        let theirs = value(client, &query, table.at).await;
        let ours = if rest.last().unwrap().1 == 0.0 {
            f64::NAN
        } else {
            ours
        };
        assert_near(ours, theirs, &format!("{name} without {:?}", row.value));
    }
    table.rows.len()
}

#[tokio::test]
async fn what_is_removed_here_is_removed_there() {
    let folder = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now().as_second();
    let to = (now - 120) / 30 * 30;
    let from = to - MINUTES * 60;
    let Some((_server, client)) = serve(folder.path(), &openmetrics(from, to), to).await else {
        return;
    };
    let settings = CollectSettings::of(Catalogue::default_three());
    let unseen = Collector::new(client.clone(), settings.clone()).unwrap();
    let mut collector = Collector::new(client.clone(), settings).unwrap();
    let minute = |minute: i64| Timestamp::from_millis((from + minute * 60) * 1000);

    let before = collector.collect(minute(18)).await.collection;
    let at = Timestamp::from_millis(to * 1000 + 5_000);
    let during = collector.collect(at).await.collection;
    let version = |collection: &domain::Collection, service: &str| {
        let mut services = collection.services.iter();
        let found = services.find(|s| s.id.as_str() == service).unwrap();
        found.version.clone().unwrap()
    };
    assert_ne!(version(&before, "ledger"), version(&during, "ledger"));
    assert_eq!(version(&before, SLOW), version(&during, SLOW));
    // Blocks have no staleness markers: both versions are seen for five minutes after 20 m.
    let both = "count(count by (version) (process_start_time_seconds{service=\"ledger\"}))";
    assert_eq!(value(&client, both, minute(23)).await, Some(2.0));
    assert_eq!(
        version(&collector.collect(minute(23)).await.collection, "ledger"),
        version(&during, "ledger")
    );

    let mut removed = BTreeMap::new();
    for service in ["gateway", SLOW, "ledger"] {
        let id = ServiceId::new(service).unwrap();
        let judged = during
            .series
            .iter()
            .find(|s| s.series.service == id && s.series.metric.as_str() == "lat");
        let whole = judged.unwrap().outcome.unwrap().value;
        let queries = collector.evidence(&id);
        let own = value(&client, &queries.catalogue_query(&lat()), at).await;
        assert_near(whole, own, "the catalogue's query for one service");
        for metric in [lat(), error_ratio()] {
            let begun = std::time::Instant::now();
            let answer = queries.label_tables(&metric, at).await;
            println!(
                "{service:?} {}: {} queries in {:?}",
                metric.id,
                answer.queries,
                begun.elapsed()
            );
            assert_eq!(answer.failures, [], "{service}");
            assert_eq!(answer.warnings, Vec::<String>::new());
            assert!(answer.queries <= 8, "{service}: {}", answer.queries);
            let guessed = unseen.evidence(&id).label_tables(&metric, at).await;
            assert_eq!(guessed.found.len(), answer.found.len(), "{service}");
            for (table, guessed) in answer.found.iter().zip(&guessed.found) {
                assert_eq!(table.rows, guessed.rows, "{service}");
                let is_lat = metric.id.as_str() == "lat" && table.of == "server requests";
                let count = check(&client, table, is_lat.then_some(whole)).await;
                let key = format!("{service} {} {} {}", metric.id, table.of, table.label);
                removed.insert(key, count);
                check(&client, guessed, None).await;
            }
        }
    }
    println!("{removed:#?}");
    for (key, rows) in [
        (format!("{SLOW} lat server requests uri"), 2),
        (format!("{SLOW} lat server requests instance"), 2),
        (format!("{SLOW} lat outgoing calls client_name"), 1),
        ("gateway lat outgoing calls client_name".to_owned(), 2),
        (format!("{SLOW} error_ratio server requests exception"), 2),
        (
            "gateway error_ratio outgoing calls client_name".to_owned(),
            2,
        ),
    ] {
        let found = removed.get(&key).copied();
        assert!(found.is_some_and(|found| found >= rows), "{key}: {found:?}");
    }
}

#[tokio::test]
async fn every_further_series_is_understood_and_moves_when_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now().as_second();
    let to = (now - 120) / 30 * 30;
    let from = to - MINUTES * 60;
    let Some((_server, client)) = serve(folder.path(), &openmetrics(from, to), to).await else {
        return;
    };
    let settings = CollectSettings::of(Catalogue::default_three());
    let mut collector = Collector::new(client.clone(), settings).unwrap();
    let at = Timestamp::from_millis(to * 1000);
    collector.collect(at).await;
    let start = Timestamp::from_millis(from * 1000) + Duration::from_secs(300);
    let onset = Timestamp::from_millis((from + 14 * 60) * 1000);
    let mut moved: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, service) in [("gateway", "gateway"), ("slow", SLOW), ("ledger", "ledger")] {
        let queries = collector.evidence(&ServiceId::new(service).unwrap());
        let begun = std::time::Instant::now();
        let answer = queries
            .shift_series(start, at, Duration::from_secs(30))
            .await;
        println!(
            "{name}: {} queries in {:?}",
            answer.queries,
            begun.elapsed()
        );
        assert_eq!(answer.failures, [], "{name}");
        assert_eq!(answer.queries, 17);
        let ids: Vec<&str> = answer.found.iter().map(|s| s.metric.as_str()).collect();
        println!("{name}: {ids:?}");
        for series in &answer.found {
            assert!(series.samples.len() > 10, "{name} {}", series.metric);
            let last = series.samples.last().unwrap();
            // The query is one to be copied.
            let copied = value(&client, &series.query, last.time).await;
            assert_near(last.value, copied, &series.query);
            let mean = |after: bool| {
                let values = series.samples.iter().filter(|s| (s.time > onset) == after);
                let values: Vec<f64> = values.map(|s| s.value).collect();
                values.iter().sum::<f64>() / values.len() as f64
            };
            if mean(true) > mean(false) + series.minimum_deviation {
                moved.entry(name).or_default().push(series.metric.clone());
            }
        }
        assert!(
            ids.contains(&"request_rate") && ids.contains(&"heap_after_gc"),
            "{ids:?}"
        );
        assert_eq!(
            ids.contains(&"pool_active"),
            service == "ledger" || ids.contains(&"pool_pending")
        );
        assert_eq!(ids.contains(&"calls_rate"), service != "ledger", "{ids:?}");
        assert_eq!(ids.contains(&"calls_p99"), service == SLOW, "{ids:?}");
    }
    println!("{moved:#?}");
    let has = |name: &str, metric: &str| moved[name].iter().any(|m| m == metric);
    assert!(has("slow", "error_ratio") && has("gateway", "calls_mean"));
    assert!(has("gateway", "calls_error_ratio"));
}

/// Errors counted by instances of `pay`, in five minutes before the end: `steady` logged 1,000 long
/// ago, `first` its first one two minutes before the end, `new` started four minutes before the end
/// and logged seven before it was first seen. Where `away`, Prometheus saw nothing from 30 to 4
/// minutes before the end.
fn errors(to: i64, away: bool) -> String {
    let mut text = String::new();
    let mut series = |name: &str, instance: &str, begins: i64, value: i64| {
        for time in (to - 3_600..=to).step_by(30) {
            let unseen = away && (to - 1_800..to - 240).contains(&time);
            if time >= begins && !unseen {
                let labels = format!("service=\"pay\",job=\"spring\",instance=\"{instance}\"");
                let level = if name.starts_with("log") {
                    ",level=\"error\""
                } else {
                    ""
                };
                text.push_str(&format!("{name}{{{labels}{level}}} {value} {time}\n"));
            }
        }
    };
    for (instance, started, begins, errors) in [
        ("steady", to - 86_400, to - 3_600, 1_000),
        ("first", to - 86_400, to - 120, 1),
        ("new", to - 240, to - 210, 7),
    ] {
        series("up", instance, started, 1);
        series("process_start_time_seconds", instance, started, started);
        series("logback_events_total", instance, begins, errors);
    }
    text + "# EOF\n"
}

#[tokio::test]
async fn first_errors_count_and_old_ones_that_are_seen_again_do_not() {
    let now = jiff::Timestamp::now().as_second();
    let to = (now - 120) / 30 * 30;
    let at = Timestamp::from_millis(to * 1000);
    // What a process logged first while Prometheus was away can't be told from what is old.
    for (away, counted) in [(false, 1.0 + 7.0), (true, 7.0)] {
        let folder = tempfile::tempdir().unwrap();
        let Some((_server, client)) = serve(folder.path(), errors(to, away).as_bytes(), to).await
        else {
            return;
        };
        let settings = CollectSettings::of(Catalogue::default_three());
        let mut collector = Collector::new(client, settings).unwrap();
        collector.collect(at).await;
        let answer = collector
            .evidence(&ServiceId::new("pay").unwrap())
            .shift_series(at, at, Duration::from_secs(30))
            .await;
        assert_eq!(answer.failures, []);
        let logged = answer
            .found
            .iter()
            .find(|s| s.metric == "log_errors")
            .unwrap();
        let per_second = logged.samples.last().unwrap().value;
        assert_near(per_second, Some(counted / 300.0), &logged.query);
    }
}
