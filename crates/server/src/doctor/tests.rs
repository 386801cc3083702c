//! What the doctor says of real pages, asked as if a Prometheus had scraped them.

mod pages;

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use embedded::exposition::Format;
use sources::Prometheus;
use sources::prometheus::{Target, TargetHealth};

use super::findings::findings;
use super::looking::{Asked, at_prometheus, look};
use super::observed::{Observed, Origin, Reading};
use super::report::{Kind, Level, Report};
use super::scraping::Answering;
use crate::config::Config;
use pages::Pages;

const AT: Timestamp = Timestamp::from_millis(1_795_353_600_000);
const GATEWAY: &str = include_str!("../../../simulator/tests/fixtures/gateway.g1.prom");
const ORDERS: &str = include_str!("../../../simulator/tests/fixtures/orders.g1.prom");
const WITHOUT_BUCKETS: &str = include_str!("../../../simulator/tests/fixtures/gateway.nohist.prom");
const OUT_OF_MEMORY: &[u8] =
    include_bytes!("../../../embedded/tests/fixtures/spring/orders.oom.prom.gz");
const OPENMETRICS: &[u8] =
    include_bytes!("../../../embedded/tests/fixtures/spring/orders.g1.om.gz");
const ZGC: &[u8] = include_bytes!("../../../embedded/tests/fixtures/spring/gateway.zgc.prom.gz");

/// A page and the labels of its target beside job and instance.
struct Scraped<'a> {
    page: String,
    format: Format,
    labels: Vec<(&'a str, &'a str)>,
    honor_labels: bool,
}

fn page(page: impl Into<String>) -> Scraped<'static> {
    Scraped {
        page: page.into(),
        format: Format::Text,
        labels: Vec::new(),
        honor_labels: false,
    }
}

fn unpacked(packed: &[u8]) -> String {
    let mut page = String::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_string(&mut page)
        .unwrap();
    page
}

impl<'a> Scraped<'a> {
    fn labelled(mut self, label: &'a str, value: &'a str) -> Scraped<'a> {
        self.labels.push((label, value));
        self
    }

    fn target(&self, number: usize) -> Target {
        let instance = format!("10.0.0.{number}:8080");
        let mut labels = BTreeMap::from([("job".to_owned(), "spring".to_owned())]);
        labels.insert("instance".into(), instance.clone());
        labels.extend(
            self.labels
                .iter()
                .map(|(n, v)| (n.to_string(), v.to_string())),
        );
        Target {
            labels,
            url: format!("http://{instance}/actuator/prometheus"),
            health: TargetHealth::Up,
            error: String::new(),
            interval: Some(Duration::from_secs(15)),
            timeout: Some(Duration::from_secs(10)),
            took: Some(Duration::from_millis(40)),
            scraped: Some(AT),
        }
    }
}

/// Later by fifteen seconds: the clock and the requests of a page go on.
fn later(page: &str) -> String {
    let moved = |line: &str| -> Option<String> {
        let (series, value) = line.rsplit_once(' ')?;
        let by = match series.split('{').next()? {
            "process_uptime_seconds" => 15.0,
            name if name.starts_with("http_server_requests_seconds_")
                && (name.ends_with("_count") || name.ends_with("_bucket")) =>
            {
                10.0
            }
            _ => return None,
        };
        Some(format!("{series} {}", value.parse::<f64>().ok()? + by))
    };
    let line = |line: &str| moved(line).unwrap_or_else(|| line.to_owned()) + "\n";
    page.lines().map(line).collect()
}

/// Each page is scraped twice, 20 and 5 s before [`AT`]; `moving` says whether it goes on in between.
fn stored(pages: &[Scraped<'_>], moving: bool) -> (Pages, Vec<Target>) {
    let mut store = Pages::default();
    let mut targets = Vec::new();
    for (number, scraped) in pages.iter().enumerate() {
        let target = scraped.target(number);
        for (second, page) in [(0, scraped.page.clone()), (15, later(&scraped.page))] {
            let page = if moving { &page } else { &scraped.page };
            let time = AT.as_millis() - 20_000 + second * 1_000;
            let (labels, honor) = (&target.labels, scraped.honor_labels);
            store
                .add(page, scraped.format, labels, honor, time)
                .unwrap();
            store.add_up(labels, true, time);
        }
        targets.push(target);
    }
    (store, targets)
}

fn answering(store: Pages) -> Prometheus {
    let answering = Arc::new(Answering::of(Arc::new(store)));
    Prometheus::within(answering, "pages", Duration::from_secs(60))
}

async fn seen(pages: &[Scraped<'_>], moving: bool, config: &Config) -> Observed {
    let (store, targets) = stored(pages, moving);
    let asked = Asked {
        at: AT,
        origin: Origin::Pages {
            file: "prometheus.yml".into(),
        },
        targets,
        not_seen: Vec::new(),
        skew: None,
    };
    look(&answering(store), config, asked).await.unwrap()
}

async fn told(pages: &[Scraped<'_>], config: &Config) -> Report {
    findings(&seen(pages, true, config).await, config)
}

/// Level, id, and service or metric, of all findings that are more than notes.
fn wrong(report: &Report) -> Vec<String> {
    let more = report.findings.iter().filter(|f| f.level < Level::Note);
    more.map(|finding| {
        let of = |text: Option<&str>| text.map(|t| format!(" {t}")).unwrap_or_default();
        format!(
            "{} {}{}{}",
            finding.level.as_str(),
            finding.kind.as_str(),
            of(finding.service.as_ref().map(|id| id.as_str())),
            of(finding.metric.as_ref().map(|id| id.as_str()))
        )
    })
    .collect()
}

fn config(yaml: &str) -> Config {
    Config::from_yaml(yaml).unwrap().config
}

fn snippets(report: &Report, kind: Kind) -> String {
    let finding = report.findings.iter().find(|finding| finding.kind == kind);
    let cures = finding
        .map(|finding| finding.cures.as_slice())
        .unwrap_or_default();
    let snippets = cures.iter().filter_map(|cure| cure.snippet.as_ref());
    snippets
        .map(|snippet| snippet.text.as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

fn whole(observed: &Observed, report: &Report, config: &Config) -> String {
    super::text::Page {
        observed,
        report,
        config,
    }
    .to_string()
}

#[tokio::test]
async fn nothing_is_wrong_with_two_healthy_services() {
    let config = config("packs: [spring]");
    let observed = seen(&[page(GATEWAY), page(ORDERS)], true, &config).await;
    let report = findings(&observed, &config);
    let text = whole(&observed, &report, &config);
    assert_eq!(wrong(&report), Vec::<String>::new(), "{text}");
    assert!(!report.fails(true));
    let names: Vec<&str> = observed.services.keys().map(|id| id.as_str()).collect();
    assert_eq!(names, ["gateway", "orders"]);
    for (id, service) in &observed.services {
        // The gateway has SLOs of its own beside those of percentiles-histogram.
        let bounds = if id.as_str() == "gateway" { 68 } else { 56 };
        assert_eq!(service.bounds.len(), bounds, "{id}");
        assert_eq!(service.interval(), Some(Duration::from_secs(15)));
        for metric in ["cpu", "mem", "lat"] {
            let reading = service
                .readings
                .iter()
                .find(|(known, _)| known.as_str() == metric);
            assert!(
                matches!(reading, Some((_, Reading::Value(_)))),
                "{id} {metric} {reading:?}"
            );
        }
    }
    // The gateway has no connection pool, which is nothing wrong.
    let pool = report.findings.iter().find(|f| {
        f.metric
            .as_ref()
            .is_some_and(|m| m.as_str() == "pool_pending")
    });
    assert_eq!(
        pool.map(|f| (f.level, f.kind)),
        Some((Level::Note, Kind::MetricMissing))
    );
}

/// Used over all pools, by the maximum of those that have one: not 9 % but what is true.
#[tokio::test]
async fn heap_is_read_right_although_some_pools_have_no_maximum() {
    let config = config("packs: [spring]");
    let observed = seen(
        &[page(GATEWAY), page(unpacked(ZGC)).labelled("env", "zgc")],
        true,
        &config,
    )
    .await;
    let service = observed.services.values().next().unwrap();
    assert!(service.heap_has_maximum);
    let heap = GATEWAY
        .lines()
        .filter(|line| line.starts_with("jvm_memory_used_bytes{area=\"heap\""));
    let used: f64 = heap
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum();
    let zgc = unpacked(ZGC);
    let zgc = |name: &str| -> f64 {
        let lines = zgc.lines().filter(|line| line.starts_with(name));
        lines
            .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
            .sum()
    };
    let zgc = 100.0 * zgc("jvm_memory_used_bytes{area=\"heap\"")
        / zgc("jvm_memory_max_bytes{area=\"heap\"");
    let expected = (100.0 * used / 268_435_456.0).max(zgc);
    let mem = service
        .readings
        .iter()
        .find(|(metric, _)| metric.as_str() == "mem");
    match mem {
        Some((_, Reading::Value(value))) => {
            assert!((value - expected).abs() < 1e-9, "{value} {expected}")
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_buckets_the_property_is_given() {
    let config =
        config("services: { gateway: { metrics: { lat: { high: 400, critical: 20000 } } } }");
    let report = told(&[page(WITHOUT_BUCKETS)], &config).await;
    assert_eq!(
        wrong(&report),
        ["problem latency-buckets-missing gateway lat"]
    );
    assert!(report.fails(false));
    assert_eq!(
        snippets(&report, Kind::LatencyBucketsMissing),
        "management.metrics.distribution.percentiles-histogram.http.server.requests: true\n\
         management.metrics.distribution.minimum-expected-value.http.server.requests: 5ms\n\
         management.metrics.distribution.maximum-expected-value.http.server.requests: 60000ms\n\
         management.metrics.distribution.slo.http.server.requests: 100ms,400ms,500ms,1s,3s,20s"
    );
    let finding = &report.findings[0];
    assert!(finding.what.contains("as a proxy"), "{}", finding.what);
    assert!(
        finding.evidence[0].contains("none of http_server_requests_seconds_bucket"),
        "{:?}",
        finding.evidence
    );
}

#[tokio::test]
async fn an_exhausted_heap_is_a_note_because_the_set_up_is_in_order() {
    let config = config("packs: [spring]");
    let report = told(&[page(unpacked(OUT_OF_MEMORY))], &config).await;
    assert_eq!(wrong(&report), Vec::<String>::new());
    let past: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.kind == Kind::PastThreshold)
        .filter_map(|finding| finding.metric.as_ref().map(|metric| metric.as_str()))
        .collect();
    assert!(
        past.contains(&"mem") && past.contains(&"heap_after_gc"),
        "{past:?}"
    );
    assert!(!report.fails(true));
}

#[tokio::test]
async fn a_page_of_openmetrics_says_the_same() {
    let config = config("packs: [spring]");
    let mut scraped = page(unpacked(OPENMETRICS));
    scraped.format = Format::OpenMetrics;
    let report = told(&[scraped], &config).await;
    assert_eq!(wrong(&report), Vec::<String>::new());
}

#[tokio::test]
async fn a_page_that_stands_still_is_noticed() {
    let config = config("packs: [spring]");
    let report = findings(&seen(&[page(ORDERS)], false, &config).await, &config);
    assert_eq!(wrong(&report), ["problem page-frozen orders"]);
    let idle = |f: &&super::report::Finding| f.kind == Kind::MetricIdle && f.level == Level::Note;
    assert!(report.findings.iter().any(|f| idle(&f)), "p99 is idle");
}

#[tokio::test]
async fn a_label_that_the_scrape_pushed_aside_is_named_with_its_cure() {
    let config = config("packs: [spring]");
    let report = told(&[page(ORDERS).labelled("service", "shop")], &config).await;
    assert_eq!(wrong(&report), ["problem label-renamed shop"]);
    assert!(snippets(&report, Kind::LabelRenamed).contains("honor_labels: true"));
    let what = &report.findings[0].what;
    assert!(what.contains("orders") && what.contains("shop"), "{what}");

    let agreeing = told(&[page(ORDERS).labelled("service", "orders")], &config).await;
    assert_eq!(wrong(&agreeing), Vec::<String>::new());
    let honoured = Scraped {
        honor_labels: true,
        ..page(ORDERS).labelled("service", "shop")
    };
    assert_eq!(
        wrong(&told(&[honoured], &config).await),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn a_page_without_a_service_label_falls_to_its_job() {
    let config = config("packs: [spring]");
    let bare = ORDERS
        .replace(",service=\"orders\"", "")
        .replace("service=\"orders\",", "")
        .replace("{service=\"orders\"}", "");
    assert!(!bare.contains("service=\"orders\""));
    let report = told(&[page(bare)], &config).await;
    assert_eq!(wrong(&report), ["warning no-service-label spring"]);
    assert!(
        snippets(&report, Kind::NoServiceLabel)
            .starts_with("management.metrics.tags.service: ${spring.application.name}")
    );
    assert!(!report.fails(false) && report.fails(true));
}

#[tokio::test]
async fn staging_and_production_in_one_service_want_a_scope() {
    let both = || {
        [
            page(ORDERS).labelled("env", "production"),
            page(ORDERS).labelled("env", "staging"),
        ]
    };
    let report = told(&both(), &config("packs: [spring]")).await;
    assert_eq!(wrong(&report), ["problem environments-mixed orders"]);
    assert_eq!(snippets(&report, Kind::EnvironmentsMixed), "scope: [env]");
    let scoped = config("scope: [env]");
    let report = told(&both(), &scoped).await;
    assert_eq!(wrong(&report), Vec::<String>::new());
}

#[tokio::test]
async fn two_jobs_of_one_name_are_told() {
    let report = told(
        &[page(ORDERS), page(ORDERS).labelled("job", "batch")],
        &config("packs: [spring]"),
    )
    .await;
    assert_eq!(wrong(&report), ["warning jobs-mixed orders"]);
    let twice = [
        page(ORDERS).labelled("instance", "h:1"),
        page(ORDERS)
            .labelled("instance", "h:1")
            .labelled("job", "batch"),
    ];
    let report = told(&twice, &config("packs: [spring]")).await;
    assert_eq!(wrong(&report), ["problem scraped-twice orders"]);
}

#[tokio::test]
async fn raw_paths_are_a_problem() {
    let line = ORDERS.lines().find(|line| {
        line.starts_with("http_server_requests_seconds_count") && line.contains("/orders/{id}")
    });
    let line = line.unwrap();
    let raw: String = (0..250)
        .map(|i| line.replace("/orders/{id}", &format!("/orders/{i}")) + "\n")
        .collect();
    let report = told(
        &[page(format!("{ORDERS}{raw}"))],
        &config("packs: [spring]"),
    )
    .await;
    assert_eq!(wrong(&report), ["problem uri-cardinality orders"]);
}

#[tokio::test]
async fn metrics_of_the_jvm_that_are_switched_off_are_a_problem() {
    let without: String = ORDERS
        .lines()
        .filter(|line| !line.contains("process_cpu_usage") && !line.contains("jvm_memory_"))
        .map(|line| format!("{line}\n"))
        .collect();
    let report = told(&[page(without)], &config("packs: [spring]")).await;
    let wrong = wrong(&report);
    assert!(
        wrong.contains(&"problem metric-missing orders cpu".into()),
        "{wrong:?}"
    );
    assert!(
        wrong.contains(&"problem metric-missing orders mem".into()),
        "{wrong:?}"
    );
    assert!(
        snippets(&report, Kind::MetricMissing).contains("management.metrics.enable.process: true")
    );
}

#[tokio::test]
async fn pools_without_a_maximum_leave_no_heap() {
    let without: String = ORDERS
        .lines()
        .map(|line| match line.rsplit_once(' ') {
            Some((series, _)) if series.starts_with("jvm_memory_max_bytes{area=\"heap\"") => {
                format!("{series} -1.0\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let report = told(&[page(without)], &config("packs: [spring]")).await;
    assert_eq!(wrong(&report), ["problem heap-max-missing orders mem"]);
}

/// Only the buckets that `keep` accepts.
fn with_buckets(keep: impl Fn(f64) -> bool) -> String {
    let kept = |line: &&str| {
        let le = line
            .split("le=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let bound = le.and_then(|le| le.parse::<f64>().ok());
        !line.starts_with("http_server_requests_seconds_bucket")
            || bound.is_none_or(|b| b.is_infinite() || keep(b))
    };
    ORDERS
        .lines()
        .filter(kept)
        .map(|line| format!("{line}\n"))
        .collect()
}

#[tokio::test]
async fn buckets_that_end_below_a_threshold_are_a_problem() {
    let report = told(
        &[page(with_buckets(|b| b <= 2.0))],
        &config("packs: [spring]"),
    )
    .await;
    assert_eq!(wrong(&report), ["problem buckets-too-low orders lat"]);
    let what = &report.findings[0].what;
    assert!(
        what.contains("critical (3s)") && !what.contains("high (1s)") && what.contains("2s"),
        "{what}"
    );
    // At the highest bound a threshold is still reached.
    let own = config("services: { orders: { metrics: { lat: { high: 1000, critical: 2000 } } } }");
    let report = told(&[page(with_buckets(|b| b <= 2.0))], &own).await;
    assert_eq!(wrong(&report), Vec::<String>::new());
}

#[tokio::test]
async fn a_threshold_between_distant_buckets_wants_its_own() {
    let few = [0.1, 0.5, 1.0, 3.0];
    let own = config("services: { orders: { metrics: { lat: { high: 250, critical: 1000 } } } }");
    let report = told(&[page(with_buckets(|b| few.contains(&b)))], &own).await;
    assert_eq!(wrong(&report), ["warning buckets-coarse orders lat"]);
    assert!(
        report.findings[0]
            .what
            .contains("high (250ms) lies between the buckets 100ms and 500ms, 160 % apart"),
        "{}",
        report.findings[0].what
    );
    assert_eq!(
        snippets(&report, Kind::BucketsCoarse),
        "management.metrics.distribution.slo.http.server.requests: 100ms,250ms,500ms,1s,3s"
    );
}

#[tokio::test]
async fn instances_with_other_buckets_are_told() {
    let pages = [page(ORDERS), page(with_buckets(|b| b != 0.05))];
    let report = told(&pages, &config("packs: [spring]")).await;
    assert_eq!(wrong(&report), ["warning buckets-differ orders"]);
}

#[tokio::test]
async fn more_services_than_the_limit_are_a_problem() {
    let small = config("limits: { services: 1 }");
    let report = told(&[page(GATEWAY), page(ORDERS)], &small).await;
    assert_eq!(wrong(&report), ["problem over-limits"]);
    assert!(snippets(&report, Kind::OverLimits).starts_with("limits: { services: 100"));
}

#[tokio::test]
async fn a_query_that_fails_is_said_once() {
    let broken = config(
        "metrics: { odd: { title: O, unit: x, query: 'sum by ($identity) (label_join(up, \"a\", \"b\"))' } }",
    );
    let report = told(&[page(GATEWAY), page(ORDERS)], &broken).await;
    assert_eq!(wrong(&report), ["problem metric-not-asked odd"]);
    assert!(
        report.findings[0].evidence[0].contains("label_join"),
        "{:?}",
        report.findings[0].evidence
    );
}

#[tokio::test]
async fn nothing_at_all_is_a_problem_with_a_way_to_begin() {
    let report = told(&[page("node_load1 0.5\n")], &config("packs: [spring]")).await;
    assert_eq!(wrong(&report), ["problem nothing-to-watch"]);
    assert!(
        snippets(&report, Kind::NothingToWatch)
            .contains("management.endpoints.web.exposure.include: health,prometheus")
    );
}

#[tokio::test]
async fn an_exporter_beside_services_is_said_and_no_service() {
    let observed = seen(
        &[
            page(ORDERS),
            page("node_load1 0.5\nprocess_start_time_seconds 1\n"),
        ],
        true,
        &config("packs: [spring]"),
    )
    .await;
    assert_eq!(observed.services.len(), 1);
    let report = findings(&observed, &config("packs: [spring]"));
    assert_eq!(wrong(&report), ["warning target-unknown"]);
}

/// Changes what was seen of a healthy service, and says what is wrong then.
async fn changed(change: impl FnOnce(&mut Observed)) -> Report {
    let mut observed = seen(&[page(ORDERS)], true, &config("packs: [spring]")).await;
    change(&mut observed);
    findings(&observed, &config("packs: [spring]"))
}

#[tokio::test]
async fn intervals_are_held_against_windows() {
    for (seconds, expected) in [
        (15, None),
        (30, Some((Level::Note, Kind::IntervalOverTick))),
        (75, Some((Level::Note, Kind::IntervalOverTick))),
        (76, Some((Level::Warning, Kind::IntervalOverWindow))),
        (300, Some((Level::Warning, Kind::IntervalOverWindow))),
        (301, Some((Level::Problem, Kind::IntervalOverLookback))),
    ] {
        let report = changed(|observed| {
            for service in observed.services.values_mut() {
                service.intervals =
                    BTreeMap::from([("h:1".to_owned(), Duration::from_secs(seconds))]);
            }
        })
        .await;
        let about = |kind: &Kind| kind.as_str().starts_with("interval");
        let found = report
            .findings
            .iter()
            .find(|f| about(&f.kind))
            .map(|f| (f.level, f.kind));
        assert_eq!(found, expected, "{seconds}");
    }
    let report = changed(|observed| {
        for service in observed.services.values_mut() {
            service
                .intervals
                .insert("h:2".into(), Duration::from_secs(5));
        }
    })
    .await;
    assert_eq!(wrong(&report), ["warning intervals-differ orders"]);
}

#[tokio::test]
async fn a_target_that_an_old_prometheus_refuses_has_two_cures() {
    let report = changed(|observed| {
        observed.origin = Origin::Prometheus {
            address: "http://p".into(),
            version: Some("2.42.0+ds".into()),
            application: None,
        };
        observed.targets[0].target.health = TargetHealth::Down;
        observed.targets[0].target.error =
            "metric name hikaricp_connections_acquire_seconds_count does not support exemplars"
                .into();
    })
    .await;
    assert_eq!(wrong(&report), ["problem exemplars-refused orders"]);
    let finding = &report.findings[0];
    assert!(finding.cures[0].text.contains("2.43"));
    assert!(
        finding.cures[1]
            .text
            .contains("management.tracing.exemplars.include: none")
    );
    assert_eq!(
        snippets(&report, Kind::ExemplarsRefused),
        "management.prometheus.metrics.export.properties.io.prometheus.exporter.exemplarsOnAllMetricTypes: false"
    );
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.kind == Kind::OldPrometheus && f.level == Level::Note)
    );
}

/// What answers queries alone, as some relatives of Prometheus do.
#[tokio::test]
async fn what_cannot_be_asked_is_said_and_up_tells_of_targets() {
    let config = config("packs: [spring]");
    let (mut store, _) = stored(&[page(ORDERS)], true);
    let down = page("").labelled("service", "payments").target(7);
    store.add_up(&down.labels, false, AT.as_millis() - 5_000);
    let now = AT + config.evaluation_delay;
    let observed = at_prometheus(answering(store), &config, now).await.unwrap();
    let report = findings(&observed, &config);
    assert_eq!(wrong(&report), ["problem target-down payments"]);
    let not_seen = report.findings.iter().filter(|f| f.kind == Kind::NotSeen);
    let not_seen: Vec<&str> = not_seen.map(|f| f.what.as_str()).collect();
    assert_eq!(not_seen.len(), 2, "{not_seen:?}");
    assert!(
        not_seen
            .iter()
            .any(|what| what.starts_with("why targets are down"))
    );
}

#[tokio::test]
async fn clocks_and_slow_scrapes_are_told() {
    let report = changed(|observed| {
        observed.skew = Some(jiff::SignedDuration::from_secs(-42));
        observed.targets[0].target.took = Some(Duration::from_secs(8));
        for service in observed.services.values_mut() {
            service.ahead = Duration::from_secs(90);
        }
    })
    .await;
    assert_eq!(
        wrong(&report),
        [
            "problem samples-in-the-future orders",
            "warning clock-skew",
            "warning scrape-slow orders"
        ]
    );
}

#[tokio::test]
async fn alike_findings_are_shown_together_and_listed_apart_in_json() {
    let config = config("packs: [spring]");
    let pages = [
        page(WITHOUT_BUCKETS),
        page(WITHOUT_BUCKETS.replace("service=\"gateway\"", "service=\"edge\"")),
    ];
    let observed = seen(&pages, true, &config).await;
    let report = findings(&observed, &config);
    let text = whole(&observed, &report, &config);
    assert_eq!(
        text.matches("PROBLEM latency-buckets-missing").count(),
        1,
        "{text}"
    );
    assert_eq!(text.matches("percentiles-histogram").count(), 1, "{text}");
    assert!(
        text.contains("  edge: lat has") && text.contains("  gateway: lat has"),
        "{text}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&super::json::report(&observed, &report, &config).unwrap()).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["counts"]["problem"], 2);
    assert_eq!(json["findings"][0]["id"], "latency-buckets-missing");
    assert_eq!(json["findings"][0]["service"], "edge");
    assert_eq!(json["services"].as_array().unwrap().len(), 2);
    assert_eq!(
        json["services"][0]["metrics"].as_array().unwrap().len(),
        config.metrics.len()
    );
}
