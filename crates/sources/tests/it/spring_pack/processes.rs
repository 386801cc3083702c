//! Restarts, instances that don't answer, and a Prometheus that was away.

use domain::Gap;

use super::scrape::{Series, times};
use super::telling::in_otel_names;
use super::{Found, TO, up};

/// A process at an instance from `from` to `to`, which started at `started(time)`; `up` all the time.
fn process(
    service: &str,
    instance: &str,
    (from, to): (i64, i64),
    started: impl Fn(i64) -> i64,
) -> Vec<Series> {
    let own = [
        ("service", service),
        ("job", "spring"),
        ("instance", instance),
    ];
    let times = times(from, to);
    let cpu = times.clone().map(|time| (time, 0.5)).collect();
    let start = times
        .clone()
        .map(|time| (time, started(time) as f64))
        .collect();
    vec![
        Series::new("process_cpu_usage", &own, cpu),
        Series::new("process_start_time_seconds", &own, start),
        up(instance, |_| 1.0, times),
    ]
}

/// What isn't a service: Prometheus itself, and a target where nobody was ever seen.
fn bystanders(to: i64) -> Vec<Series> {
    let prometheus = [("job", "prometheus"), ("instance", "localhost:9090")];
    let points = |value: f64| times(to - 1800, to).map(|time| (time, value)).collect();
    vec![
        Series::new("up", &prometheus, points(1.0)),
        Series::new("process_start_time_seconds", &prometheus, points(1e9)),
        up("ghost:1", |_| 0.0, times(to - 1800, to)),
    ]
}

/// The same again by OpenTelemetry's names, at instances and for services of their own.
fn and_in_otel(all: Vec<Series>) -> Vec<Series> {
    let renamed: Vec<Series> = all
        .iter()
        .cloned()
        .map(|mut series| {
            for label in ["service", "instance"] {
                if let Some(value) = series.labels.get_mut(label) {
                    value.push_str("-otel");
                }
            }
            series
        })
        .collect();
    [all, in_otel_names(&renamed)].concat()
}

#[tokio::test]
async fn restarts_are_processes_that_replaced_another() {
    let to = TO;
    let (long_ago, from, of_late) = (to - 7200, to - 1800, to - 200);
    let always = (from, to);
    let restarted_once = |time: i64| if time < to - 100 { long_ago } else { to - 110 };
    let crashing = |time: i64| match to - time {
        250.. => long_ago,
        150..250 => to - 255,
        80..150 => to - 155,
        _ => to - 85,
    };
    let all = [
        process("rolling", "r1:1", always, restarted_once),
        // Blocks have no staleness markers: it is gone five minutes after its last sample.
        process("rolling", "r2:1", (from, to - 302), |_| long_ago),
        process("rolling", "r3:1", (of_late, to), |_| of_late - 5),
        process("crashing", "c1:1", always, crashing),
        process("scaled", "s1:1", always, |_| long_ago),
        process("scaled", "s2:1", (of_late, to), |_| of_late - 5),
        process("fresh", "f1:1", (of_late, to), |_| of_late - 5),
    ]
    .concat();
    let mut all = and_in_otel(all);
    // An old process that Prometheus sees for the first time, beside one that it lost.
    all.extend(process("moved", "m1:1", (from, to - 302), |_| long_ago));
    all.extend(process("moved", "m2:1", (of_late, to), |_| long_ago));
    all.extend(bystanders(to));
    let Some(found) = Found::in_series(&all, to).await else {
        return;
    };
    for (service, restarts) in [
        ("rolling", 2.0),
        ("crashing", 3.0),
        ("scaled", 0.0),
        ("fresh", 0.0),
    ] {
        found.assert(service, "restarts", Ok(restarts));
        found.assert(&format!("{service}-otel"), "restarts", Ok(restarts));
    }
    found.assert("moved", "restarts", Ok(0.0));
    assert_eq!(found.services().len(), 9, "{:?}", found.services());
}

#[tokio::test]
async fn availability_is_the_share_of_targets_that_answer() {
    let to = TO;
    let (long_ago, from) = (to - 7200, to - 1800);
    let died = to - 900;
    let dead = |service: &str, instance: &str| {
        let mut all = process(service, instance, (from, died), |_| long_ago);
        all.pop();
        all.push(up(
            instance,
            |time| f64::from(time <= died),
            times(from, to),
        ));
        all
    };
    let alive = |service, instance| process(service, instance, (from, to), |_| long_ago);
    let all = [
        alive("half", "h1:1"),
        dead("half", "h2:1"),
        alive("third", "t1:1"),
        dead("third", "t2:1"),
        dead("third", "t3:1"),
        // Its target is gone, too.
        alive("shrunk", "w1:1"),
        process("shrunk", "w2:1", (from, died), |_| long_ago),
    ]
    .concat();
    let mut all = and_in_otel(all);
    // The targets themselves name the service; one never answered.
    let labelled = [("service", "named")];
    all.extend(
        alive("named", "n1:1")
            .into_iter()
            .map(|s| s.with(&labelled)),
    );
    all.push(up("n2:1", |_| 0.0, times(from, to)).with(&labelled));
    // Two jobs scrape one instance, and one of them gets no answer any more.
    all.extend(alive("watched", "d1:1"));
    let also = alive("watched", "d1:1").into_iter();
    all.extend(also.map(|s| s.with(&[("job", "spring-too")])));
    // A place that another service took over.
    all.extend(
        dead("before", "p1:1")
            .into_iter()
            .filter(|s| s.name != "up"),
    );
    let after = process("after", "p1:1", (died + 15, to), |_| died);
    all.extend(after.into_iter().filter(|s| s.name != "up"));
    all.push(up("p1:1", |_| 1.0, times(from, to)));
    all.extend(bystanders(to));
    let Some(found) = Found::in_series(&all, to).await else {
        return;
    };
    for (service, share) in [("half", 0.5), ("third", 1.0 / 3.0), ("shrunk", 1.0)] {
        found.assert(service, "availability", Ok(100.0 * share));
        found.assert(
            &format!("{service}-otel"),
            "availability",
            Ok(100.0 * share),
        );
    }
    found.assert("named", "availability", Ok(50.0));
    found.assert("watched", "availability", Ok(100.0));
    found.assert("after", "availability", Ok(100.0));
    let known = [
        "after",
        "half",
        "half-otel",
        "named",
        "shrunk",
        "shrunk-otel",
        "third",
        "third-otel",
        "watched",
    ];
    assert_eq!(found.services(), known);
}

#[tokio::test]
async fn old_counters_are_not_new_after_prometheus_was_away() {
    let to = TO;
    let (long_ago, back) = (to - 7200, to - 60);
    let began = to - 1800;
    let seen = |time: i64| time <= to - 900 || time >= back;
    let counters = |service: &str, instance: &str| {
        let own = [
            ("service", service),
            ("job", "spring"),
            ("instance", instance),
        ];
        let mut all = process(service, instance, (began, to), |_| long_ago);
        let points = |slope: i64| -> Vec<(i64, f64)> {
            times(began, to)
                .map(|time| (time, 1e6 + (slope * (time - began)) as f64))
                .collect()
        };
        let error = [("level", "error")];
        let count = "http_server_requests_seconds_count";
        let ok = [("uri", "/a"), ("status", "200")];
        let failed = [("uri", "/a"), ("status", "500")];
        all.push(Series::new("logback_events_total", &error, points(1)).with(&own));
        all.push(Series::new(count, &ok, points(9)).with(&own));
        all.push(Series::new(count, &failed, points(1)).with(&own));
        for series in &mut all {
            series.points.retain(|(time, _)| seen(*time));
        }
        all
    };
    let all = and_in_otel(counters("away", "a:1"));
    let Some(found) = Found::in_series(&all, to).await else {
        return;
    };
    // One error in ten requests, one line in a second: by the minute that was seen of five.
    for service in ["away", "away-otel"] {
        let ratio = found.of(service, "error_ratio").unwrap();
        assert!((ratio - 10.0).abs() < 1e-6, "{service}: {ratio}");
        let rate = found.of(service, "request_rate").unwrap();
        assert!((2.0..=2.5).contains(&rate), "{service}: {rate}");
    }
    let errors = found.of("away", "log_errors").unwrap();
    assert!((0.2..=0.25).contains(&errors), "{errors}");
    assert_eq!(found.of("away-otel", "log_errors"), Err(Gap::NoData));
}

#[tokio::test]
async fn a_pool_that_is_scraped_every_ninety_seconds_has_its_last_sample() {
    let to = TO;
    let own = [("service", "slow"), ("job", "spring"), ("instance", "s:1")];
    let points = |value: fn(f64) -> f64| -> Vec<(i64, f64)> {
        let newest_last = (0..10).rev();
        newest_last
            .map(|i| (to - 75 - 90 * i, value(i as f64)))
            .collect()
    };
    let all = [
        Series::new("hikaricp_connections_pending", &own, points(|i| 9.0 - i)),
        Series::new("jvm_cpu_time_seconds_total", &own, points(|i| 100.0 - i)),
        up("s:1", |_| 1.0, times(to - 900, to)),
    ];
    let Some(found) = Found::in_series(&all, to).await else {
        return;
    };
    found.assert("slow", "pool_pending", Ok(9.0));
}
