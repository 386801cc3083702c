//! The collector against a real Prometheus on laid-down blocks.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::{Catalogue, Gap, Presence, SourceState, Timestamp};
use sources::{BackfillRequest, CollectSettings, Collector, Prometheus, PrometheusSettings};

use crate::mock::clock;

const SCRAPE: i64 = 30;
const HOURS: i64 = 2;

pub struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `pay` with two instances and buckets; `plain` without buckets; `idle` without traffic; `dead`,
/// whose target went down ten minutes before the end.
fn openmetrics(from: i64, to: i64) -> String {
    let mut text = String::new();
    let mut series = |labels: &str, value: &dyn Fn(i64) -> Option<f64>| {
        for time in (from..=to).step_by(SCRAPE as usize) {
            if let Some(value) = value(time) {
                writeln!(text, "{labels} {value} {time}").unwrap();
            }
        }
    };
    let since = move |time: i64| (time - from) as f64;
    for (service, instance) in [
        ("pay", "a:1"),
        ("pay", "b:1"),
        ("plain", "c:1"),
        ("idle", "d:1"),
        ("dead", "e:1"),
    ] {
        let last = if service == "dead" { to - 600 } else { to };
        let alive = move |value: f64| move |time: i64| (time <= last).then_some(value);
        let target = format!("job=\"spring\",instance=\"{instance}\"");
        let own = format!("service=\"{service}\",{target}");
        series(&format!("up{{{target}}}"), &|time| {
            Some(f64::from(time <= last))
        });
        series(
            &format!("process_start_time_seconds{{{own}}}"),
            &alive(from as f64),
        );
        let cpu = if instance == "b:1" { 0.75 } else { 0.25 };
        series(&format!("process_cpu_usage{{{own}}}"), &alive(cpu));
        for (pool, max) in [("eden", -1.0), ("old", 1000.0)] {
            let heap = format!("{{area=\"heap\",id=\"{pool}\",{own}}}");
            series(&format!("jvm_memory_used_bytes{heap}"), &alive(200.0));
            series(&format!("jvm_memory_max_bytes{heap}"), &alive(max));
        }
        if service == "plain" {
            series(
                &format!("http_server_requests_seconds_max{{uri=\"/a\",{own}}}"),
                &alive(0.5),
            );
            continue;
        }
        let busy = if service == "idle" { 0.0 } else { 1.0 };
        for (le, share) in [("0.1", 0.9), ("0.2", 1.0), ("+Inf", 1.0)] {
            let name =
                format!("http_server_requests_seconds_bucket{{uri=\"/a\",le=\"{le}\",{own}}}");
            series(&name, &|time| {
                (time <= last).then(|| busy * share * since(time))
            });
        }
    }
    text.push_str("# EOF\n");
    text
}

fn run(folder: &Path, command: &str, arguments: &[&str]) -> bool {
    Command::new(command)
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// None where there is no Prometheus to be started.
async fn start(folder: &Path, from: i64, to: i64) -> Option<(Server, Prometheus)> {
    serve(folder, openmetrics(from, to).as_bytes(), to).await
}

/// A Prometheus on OpenMetrics that end at `to`, in epoch seconds, with `up` among them. None where
/// there is none to be started.
pub async fn serve(folder: &Path, openmetrics: &[u8], to: i64) -> Option<(Server, Prometheus)> {
    std::fs::write(folder.join("data.om"), openmetrics).unwrap();
    std::fs::write(folder.join("prometheus.yml"), "global: {}\n").unwrap();
    let made = [
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        "data.om",
        "tsdb",
    ];
    if !run(folder, "promtool", &made) {
        eprintln!("no promtool here");
        return None;
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let child = Command::new("prometheus")
        .arg("--config.file=prometheus.yml")
        .arg("--storage.tsdb.path=tsdb")
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let server = Server(child);
    let settings = PrometheusSettings::at(format!("http://127.0.0.1:{port}"));
    let client = Prometheus::new(settings, clock()).unwrap();
    for _ in 0..300 {
        let found = client
            .instant("up", Timestamp::from_millis(to * 1000))
            .await;
        if found.is_ok_and(|answer| !answer.data.is_empty()) {
            return Some((server, client));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("Prometheus doesn't come up");
}

#[tokio::test]
async fn a_fleet_is_discovered_collected_and_backfilled() {
    let folder = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now().as_second();
    let to = (now - 120) / SCRAPE * SCRAPE;
    let from = to - HOURS * 3600;
    let Some((_server, client)) = start(folder.path(), from, to).await else {
        return;
    };
    let mut collector =
        Collector::new(client, CollectSettings::of(Catalogue::default_three())).unwrap();
    let tick = Duration::from_secs(15);
    let at = Timestamp::from_millis(to * 1000 + 5_000).floor_to(tick);
    let before = at - Duration::from_secs(60);

    let first = collector.collect(before).await;
    assert_eq!(
        first.collection.source,
        SourceState::Healthy,
        "{:?}",
        first.timings
    );
    let second = collector.collect(at).await;
    assert!(second.queries <= 7, "{:?}", second.timings);
    let third = collector.collect(at + tick / 3).await;
    assert!(third.queries <= 7, "{:?}", third.timings);
    assert_eq!(third.gaps.get(&Gap::Repeated), Some(&8), "{:?}", third.gaps);

    let presence: Vec<(&str, Presence, u32)> = second
        .collection
        .services
        .iter()
        .map(|s| (s.id.as_str(), s.presence, s.instances))
        .collect();
    // The dead one's values are gone after five minutes, but its target says nothing by name:
    // it was never seen up by this collector.
    assert_eq!(
        presence,
        [
            ("idle", Presence::Up, 1),
            ("pay", Presence::Up, 2),
            ("plain", Presence::Up, 1)
        ]
    );
    for service in &second.collection.services {
        assert_eq!(service.step, Duration::from_secs(30), "{}", service.id);
        assert_eq!(service.started, Some(Timestamp::from_millis(from * 1000)));
    }
    let value = |service: &str, metric: &str| {
        let mut all = second.collection.series.iter();
        let found = all
            .find(|s| s.series.service.as_str() == service && s.series.metric.as_str() == metric)
            .unwrap();
        (
            found
                .outcome
                .map(|s| (s.time, (s.value * 10.0).round() / 10.0)),
            found.instance.as_deref(),
            found.proxy,
        )
    };
    let time = Timestamp::from_millis(to * 1000);
    assert_eq!(value("pay", "cpu"), (Ok((time, 75.0)), Some("b:1"), false));
    assert_eq!(value("pay", "mem"), (Ok((time, 40.0)), Some("a:1"), false));
    assert_eq!(value("pay", "lat"), (Ok((time, 190.0)), None, false));
    assert_eq!(
        value("plain", "lat"),
        (Ok((time, 500.0)), Some("c:1"), true)
    );
    assert_eq!(value("idle", "lat").0, Err(Gap::Idle));

    let request = BackfillRequest {
        from: Timestamp::from_millis(from * 1000),
        to: at,
        step: tick,
        series: None,
    };
    let mut series = std::collections::BTreeMap::new();
    let report = collector
        .backfill(request)
        .run(|slice| {
            for past in slice.pasts.unwrap() {
                assert_eq!(past.step, Duration::from_secs(30));
                let all: &mut Vec<_> = series.entry(past.series.to_string()).or_default();
                all.extend(past.samples);
            }
        })
        .await;
    assert_eq!(report.slices_failed, 0, "{report:?}");
    let names: Vec<&str> = series.keys().map(String::as_str).collect();
    assert_eq!(names.len(), 8, "{names:?}");
    for (name, samples) in &series {
        assert!(samples.len() >= 235, "{name}: {}", samples.len());
        assert!(
            samples.windows(2).all(|pair| pair[0].time < pair[1].time),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_service_that_dies_is_gone_while_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now().as_second();
    let to = (now - 120) / SCRAPE * SCRAPE;
    let Some((_server, client)) = start(folder.path(), to - 3600, to).await else {
        return;
    };
    let mut collector =
        Collector::new(client, CollectSettings::of(Catalogue::default_three())).unwrap();
    let died = Timestamp::from_millis((to - 600) * 1000);
    let dead = |collected: &sources::Collected| {
        let mut services = collected.collection.services.iter();
        services.find(|s| s.id.as_str() == "dead").unwrap().presence
    };
    let alive = collector.collect(died).await;
    assert_eq!(dead(&alive), Presence::Up);
    // Blocks have no staleness markers, so its last samples are found for five minutes; up says it.
    let gone = collector.collect(died + Duration::from_secs(45)).await;
    assert_eq!(dead(&gone), Presence::Gone);
    let later = collector.collect(died + Duration::from_secs(590)).await;
    assert_eq!(dead(&later), Presence::Gone);
}
