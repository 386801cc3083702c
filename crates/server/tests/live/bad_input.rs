//! Bad input from every side: a clear message that names what and what to do, and the rest goes on.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fake::{Asked, FakePrometheus, FakeService, Reply, Series, Subject};
use crate::harness::{Bellwether, Process, client, figure, folder, free_port, until};

/// After a misbehaviour ends: one tick and two seconds.
const RESUMED_WITHIN: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(30);

const HOSTILE: &str = "../../x\"} or up{a=\"";

/// Quick decisions, and no models: what is judged here are values against thresholds.
const QUICK: &str = "tick: 1s
evaluation_delay: 1s
decide: { open_after: 1s, critical_after: 1s, quiet_period: 3s, down_after: 3s }
";
const NO_MODELS: &str = "training: { window: 1h, window_min_samples: 60, min_samples: 1000000, schedule: 30d, max_age: 60d }\n";

/// A Bellwether on a fake Prometheus, with one incident that fires.
struct World {
    dir: TempDir,
    fake: FakePrometheus,
    bellwether: Bellwether,
}

/// What must not change: number, status and firing of every incident.
type Incidents = Vec<(u64, String, bool)>;

impl World {
    async fn start() -> World {
        World::with("timeout: 2s", "", &[]).await
    }

    /// With further settings of `prometheus`, further settings, and further calm services.
    async fn with(prometheus: &str, settings: &str, services: &[&str]) -> World {
        let fake = FakePrometheus::start(fleet(services)).await;
        let dir = folder();
        let config = config(&fake.url, prometheus, settings);
        let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
        let world = World {
            dir,
            fake,
            bellwether,
        };
        world.settle().await;
        world
    }

    /// Everything is judged, and the sick service has its incident.
    async fn settle(&self) {
        until("judgement", PATIENCE, || async {
            for service in ["payments", "orders"] {
                for metric in ["cpu", "mem", "lat"] {
                    self.judged(service, metric).await?;
                }
            }
            (self.incidents().await.len() == 1 && self.status().await["ready"] == true)
                .then_some(())
        })
        .await;
    }

    async fn status(&self) -> Value {
        self.bellwether.get("/api/v1/status").await.1
    }

    async fn metric(&self, service: &str, metric: &str) -> Option<Value> {
        let path = format!("/metrics?service={}", encoded(service));
        let (_, answer) = self.bellwether.get(&path).await;
        let metrics = answer["metrics"].as_array()?;
        metrics.iter().find(|m| m["id"] == metric).cloned()
    }

    /// The judgement of a metric, if it has a value now.
    async fn judged(&self, service: &str, metric: &str) -> Option<Value> {
        let found = self.metric(service, metric).await?;
        let has_value = found["value"].is_f64() && found["severity"] != "Unavailable";
        let is_new = found["gap"].is_null() || found["gap"] == "repeated";
        (has_value && is_new).then_some(found)
    }

    async fn incidents(&self) -> Incidents {
        let seen = |incident: &Value| {
            let id = incident["id"].as_u64().expect("a number");
            let status = incident["status"].as_str().expect("a status").to_owned();
            (id, status, incident["firing"] == true)
        };
        self.bellwether.incidents().await.iter().map(seen).collect()
    }

    /// Waits until the state of the source says something.
    async fn source_says(&self, state: &str, texts: &[&str]) -> Value {
        let mut last = Value::Null;
        let began = Instant::now();
        loop {
            let status = self.status().await;
            let source = &status["source"];
            let why = source["why"].as_str().unwrap_or_default();
            if source["state"] == state && texts.iter().all(|text| why.contains(text)) {
                return status;
            }
            last.clone_from(source);
            assert!(
                began.elapsed() < PATIENCE,
                "the source is not {state} with {texts:?}: {last}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until a remark of the status says something.
    async fn remark_says(&self, texts: &[&str]) {
        let what = format!("a remark with {texts:?}");
        until(&what, PATIENCE, || async {
            let status = self.status().await;
            let remarks = status["remarks"].as_array()?.clone();
            let says = |remark: &Value| {
                let remark = remark.as_str().unwrap_or_default();
                texts.iter().all(|text| remark.contains(text))
            };
            remarks.iter().any(says).then_some(())
        })
        .await;
    }

    fn log_says(&self, texts: &[&str]) {
        let log = self.bellwether.log();
        let says = |line: &str| texts.iter().all(|text| line.contains(text));
        assert!(log.lines().any(says), "no line with {texts:?} in: {log}");
    }

    /// Instants go on being evaluated, and the API answers at once.
    async fn goes_on(&self) {
        let first = self.status().await["evaluated_at"].clone();
        let mut slowest = Duration::ZERO;
        let mut seen = vec![first];
        let began = Instant::now();
        while seen.len() < 3 {
            let asked = Instant::now();
            assert_eq!(self.bellwether.text("/healthz").await, "ok\n");
            let now = self.status().await["evaluated_at"].clone();
            slowest = slowest.max(asked.elapsed());
            if seen.last() != Some(&now) {
                seen.push(now);
            }
            assert!(began.elapsed() < PATIENCE, "no ticks since {seen:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(
            slowest < Duration::from_secs(2),
            "the API took {slowest:?} while the source was bad"
        );
        self.no_panic();
    }

    fn no_panic(&self) {
        let log = self.bellwether.log();
        assert!(!log.contains("panicked"), "{log}");
    }

    /// Waits until it isn't ready, for a reason.
    async fn unready_says(&self, texts: &[&str]) {
        let what = format!("/readyz with {texts:?}");
        until(&what, PATIENCE, || async {
            let (status, body) = self.bellwether.get("/readyz").await;
            let reasons = body["reasons"].to_string();
            (status == 503 && texts.iter().all(|text| reasons.contains(text))).then_some(())
        })
        .await;
    }

    /// After the misbehaviour's end: judgement is back soon, and nothing was opened or resolved.
    async fn resumes(&self, before: &Incidents) {
        let began = Instant::now();
        until("judgement again", PATIENCE, || async {
            let status = self.status().await;
            for service in ["payments", "orders"] {
                for metric in ["cpu", "mem", "lat"] {
                    self.judged(service, metric).await?;
                }
            }
            (status["source"]["state"] == "healthy" && status["ready"] == true).then_some(())
        })
        .await;
        let took = began.elapsed();
        assert!(
            took <= RESUMED_WITHIN,
            "judgement resumed after {took:?}, more than a tick and 2 s"
        );
        assert_eq!(&self.incidents().await, before);
        self.no_panic();
    }

    /// The source is down as a whole: said everywhere, the last state stays, and it comes back.
    async fn check_outage(&self, script: impl FnOnce(&FakePrometheus), says: &[&str]) {
        let before = self.incidents().await;
        script(&self.fake);
        self.source_says("down", says).await;
        self.unready_says(says).await;
        let log_says = [&["Prometheus can't be read", &*self.fake.url], says].concat();
        self.log_says(&log_says);
        self.goes_on().await;
        let cpu = self.metric("payments", "cpu").await.expect("still known");
        assert_eq!(cpu["gap"], "source_down");
        assert!(
            cpu["why"]
                .as_str()
                .expect("a text")
                .contains("/api/v1/status"),
            "{cpu}"
        );
        assert_eq!(self.incidents().await, before, "nothing opens or resolves");
        self.fake.behave();
        self.resumes(&before).await;
        self.log_says(&["Prometheus answers"]);
    }

    fn rss_kib(&self) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.bellwether.pid())).ok()?;
        let line = text.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

fn fleet(more: &[&str]) -> Vec<FakeService> {
    let sick = FakeService {
        cpu: 99.0,
        ..FakeService::calm("sick")
    };
    let calm = ["payments", "orders"].iter().chain(more);
    calm.map(|name| FakeService::calm(name))
        .chain([sick])
        .collect()
}

fn config(url: &str, prometheus: &str, settings: &str) -> String {
    let training = if settings.contains("training:") {
        ""
    } else {
        NO_MODELS
    };
    format!("prometheus: {{ url: '{url}', {prometheus} }}\n{QUICK}{training}{settings}")
}

/// Percent-encodes everything that isn't plain.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn fault(what: &str) {
    figure("2", what, "ok", "ok", true);
}

fn is_live(asked: &Asked) -> bool {
    asked.path == "/api/v1/query"
}

fn good(_: &Asked, series: Vec<Series>) -> Reply {
    Reply::Series(series)
}

/// Gives every answer the same bytes.
fn always(status: u16, headers: &'static str, body: &'static str) -> impl FnOnce(&FakePrometheus) {
    move |fake| fake.misbehave(move |_, _| Reply::of(status, headers, body))
}

// Prometheus.

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_down_at_start_is_named_and_judged_once_it_comes() {
    let fake = FakePrometheus::start(fleet(&[])).await;
    fake.go_down();
    let dir = folder();
    let began = Instant::now();
    let bellwether =
        Bellwether::start(dir.path(), &config(&fake.url, "timeout: 2s", ""), &[]).await;
    let up = began.elapsed();
    assert!(up < Duration::from_secs(5), "the API took {up:?}");
    let world = World {
        dir,
        fake,
        bellwether,
    };
    let says = [
        "can't connect to",
        "is Prometheus running, and is prometheus.url right?",
    ];
    world.unready_says(&says).await;
    world.log_says(&[&*world.fake.url, "Prometheus can't be read"]);
    world.goes_on().await;
    let (status, problem) = world.bellwether.get("/metrics?service=payments").await;
    assert_eq!(status, 404, "{problem}");
    world.fake.behave();
    world.resumes(&world.incidents().await).await;
    world.settle().await;
    fault("Prometheus down at start");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_going_down_is_named_and_the_last_state_stays() {
    let world = World::start().await;
    let says = ["can't connect to", "is Prometheus running"];
    world.check_outage(FakePrometheus::go_down, &says).await;
    fault("Prometheus down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_prometheus_is_cut_off_and_other_metrics_are_judged() {
    let world = World::with("timeout: 1s", "", &[]).await;
    let before = world.incidents().await;
    world.fake.misbehave(|asked, series| match asked.subject {
        Subject::Cpu => Reply::Hang,
        _ => good(asked, series),
    });
    let says = ["cpu: no whole answer within 1s", "raise prometheus.timeout"];
    world.source_says("partial", &says).await;
    world.log_says(&["a part of Prometheus' answers is missing", says[0]]);
    let cpu = world
        .metric("payments", "cpu")
        .await
        .expect("cpu is still known");
    assert_eq!(cpu["gap"], "query_failed", "{cpu}");
    assert!(world.judged("payments", "mem").await.is_some());
    assert!(world.judged("orders", "lat").await.is_some());
    world.goes_on().await;

    let hang = |fake: &FakePrometheus| fake.misbehave(|_, _| Reply::Hang);
    world.check_outage(hang, &["no whole answer within"]).await;
    assert_eq!(world.incidents().await, before);
    fault("Prometheus slow: no answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dripping_answer_is_cut_off_by_the_whole_deadline() {
    let world = World::with("timeout: 1s", "", &[]).await;
    let drip = |fake: &FakePrometheus| fake.misbehave(|_, _| Reply::Drip);
    world.check_outage(drip, &["no whole answer within"]).await;
    fault("Prometheus slow: a byte now and then");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_answering_500_is_named_and_the_last_state_stays() {
    let world = World::start().await;
    let says = ["status 500", "look at its log", "it burns"];
    world.check_outage(always(500, "", "it burns"), &says).await;
    fault("Prometheus answering 500");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_answering_html_is_named_and_the_last_state_stays() {
    let world = World::start().await;
    let page = "<!DOCTYPE html><title>Sign in</title>";
    let says = ["it is a web page", "check the url", "Sign in"];
    world
        .check_outage(always(200, "Content-Type: text/html\r\n", page), &says)
        .await;
    fault("Prometheus answering HTML");
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_json_is_refused_whole_and_the_last_state_stays() {
    let world = World::start().await;
    let cut = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"service":"payments"},"value":[1795348800,"9"#;
    world
        .check_outage(always(200, "", cut), &["it is cut off"])
        .await;
    let nothing = always(200, "", "");
    let says = ["it is empty", "is this address a Prometheus?"];
    world.check_outage(nothing, &says).await;
    fault("Prometheus answering truncated JSON, and nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn nan_and_infinities_become_gaps_that_are_named() {
    let world = World::start().await;
    let before = world.incidents().await;
    let values = [
        (Subject::Cpu, "NaN"),
        (Subject::Mem, "+Inf"),
        (Subject::Lat, "-Inf"),
    ];
    world.fake.misbehave(move |asked, mut series| {
        if let Some((_, value)) = values.iter().find(|(subject, _)| *subject == asked.subject) {
            let of_payments = series.iter_mut().filter(|s| s.is_of("payments"));
            of_payments.for_each(|series| series.set(value));
        }
        Reply::Series(series)
    });
    for (metric, gap, says) in [
        ("cpu", "idle", "no traffic"),
        (
            "mem",
            "non_finite",
            "does metrics.mem.query divide by zero?",
        ),
        (
            "lat",
            "non_finite",
            "does metrics.lat.query divide by zero?",
        ),
    ] {
        let found = until(gap, PATIENCE, || async {
            let found = world.metric("payments", metric).await?;
            (found["gap"] == gap).then_some(found)
        })
        .await;
        assert!(found["value"].is_null(), "{found}");
        assert!(found["why"].as_str().unwrap().contains(says), "{found}");
        assert!(
            world.judged("orders", metric).await.is_some(),
            "others are judged"
        );
    }
    world.goes_on().await;
    let telemetry = world.bellwether.text("/metrics").await;
    let counted = |line: &str| {
        line.strip_prefix("bellwether_gaps_total{reason=\"non_finite\"} ")
            .is_some_and(|count| count.trim() != "0")
    };
    assert!(telemetry.lines().any(counted), "{telemetry}");
    let rows = dataset(&world.bellwether, "payments", "mem");
    assert!(!rows.contains("inf") && !rows.contains("NaN"), "{rows}");
    assert_eq!(world.incidents().await, before);
    world.fake.behave();
    world.resumes(&before).await;
    fault("NaN and infinities");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_series_where_one_is_expected_are_named_and_not_judged() {
    let world = World::start().await;
    let before = world.incidents().await;
    world.fake.misbehave(|asked, mut series| {
        if asked.subject == Subject::Cpu && is_live(asked) {
            let mut twin = series.iter().find(|s| s.is_of("payments")).cloned();
            twin.iter_mut().for_each(|twin| twin.set("100"));
            series.extend(twin);
        }
        if asked.subject == Subject::Mem {
            let second = series.iter().find(|s| s.is_of("orders")).cloned();
            series.extend(second.map(|mut second| {
                second.labels.insert("instance".into(), "second".into());
                second.set("77");
                second
            }));
        }
        Reply::Series(series)
    });
    world
        .remark_says(&[
            "cpu: 1 service with the same labels twice",
            "\"payments\"",
            "make its query give one series",
        ])
        .await;
    let cpu = world
        .metric("payments", "cpu")
        .await
        .expect("cpu is still known");
    assert_eq!(cpu["gap"], "ambiguous");
    assert!(
        cpu["why"].as_str().unwrap().contains("metrics.cpu.query"),
        "{cpu}"
    );
    assert!(
        world.judged("orders", "cpu").await.is_some(),
        "others are judged"
    );
    // Two instances are no fault: the worst one carries the value.
    let mem = until("the second instance", PATIENCE, || async {
        let mem = world.judged("orders", "mem").await?;
        (mem["value"] == 77.0).then_some(mem)
    })
    .await;
    assert_eq!(mem["instance"], "second");
    world.goes_on().await;
    assert_eq!(world.incidents().await, before);
    world.fake.behave();
    world.resumes(&before).await;
    fault("two series where one is expected");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_clock_ten_minutes_ahead_is_named_and_followed() {
    clock_off(600, "s ahead of ours").await;
    fault("a clock ten minutes ahead");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_clock_ten_minutes_behind_is_named_and_followed() {
    clock_off(-600, "s behind ours").await;
    fault("a clock ten minutes behind");
}

/// The clock is off from the start, and then comes right while we run.
async fn clock_off(seconds: i64, says: &str) {
    let fake = FakePrometheus::start(fleet(&[])).await;
    fake.set_clock_off_by(seconds);
    let dir = folder();
    let bellwether =
        Bellwether::start(dir.path(), &config(&fake.url, "timeout: 2s", ""), &[]).await;
    let world = World {
        dir,
        fake,
        bellwether,
    };
    world.settle().await;
    let says = ["the clock of Prometheus is", says, "same time server"];
    world.remark_says(&says).await;
    world.log_says(&["the clock of Prometheus differs from ours"]);
    let status = world.status().await;
    let skew = status["source"]["skew_seconds"].as_f64().expect("a number");
    assert!((skew - seconds as f64).abs() < 3.0, "{status}");
    world.goes_on().await;
    let lag = instant(&status["evaluated_at"]) - instant(&status["now"]) - seconds as f64;
    assert!(lag.abs() < 10.0, "evaluation follows the source: {status}");
    assert_eq!(world.bellwether.get("/readyz").await.0, 200);

    let before = world.incidents().await;
    world.fake.set_clock_off_by(0);
    until("the clock to be followed back", PATIENCE, || async {
        let status = world.status().await;
        let lag = instant(&status["now"]) - instant(&status["evaluated_at"]);
        (lag.abs() < 10.0 && status["source"]["skew_seconds"] == 0.0).then_some(())
    })
    .await;
    world.goes_on().await;
    assert_eq!(world.incidents().await, before);
    assert_eq!(world.bellwether.get("/readyz").await.0, 200);
}

fn instant(time: &Value) -> f64 {
    let time: domain::Timestamp = time.as_str().expect("a time").parse().expect("RFC 3339");
    time.as_seconds()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_named_and_not_followed() {
    let elsewhere = FakePrometheus::start(fleet(&[])).await;
    let world = World::with("timeout: 2s, bearer_token: redirect-secret", "", &[]).await;
    let headers = format!("Location: {}/api/v1/query\r\n", elsewhere.url);
    let redirect = move |fake: &FakePrometheus| {
        fake.misbehave(move |_, _| Reply::of(307, &headers, ""));
    };
    let says = [
        "redirected (status 307)",
        "not followed",
        "give the final address as the url",
    ];
    world.check_outage(redirect, &says).await;
    assert_eq!(elsewhere.asked().len(), 0, "nobody went there");
    fault("a redirect to another host");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_sent_and_never_shown() {
    let prometheus = "timeout: 2s, basic_auth: { username: bell, password: hunter2-secret }, headers: { X-Scope-OrgID: tenant-secret }";
    let world = World::with(prometheus, "log: { level: trace }\n", &[]).await;
    let before = world.incidents().await;
    let asked = world.fake.asked();
    let last = &asked.last().expect("it was asked").headers.to_lowercase();
    assert!(
        last.contains("authorization: basic") && last.contains("tenant-secret"),
        "{last}"
    );
    world
        .fake
        .misbehave(|_, _| Reply::of(401, "", "who are you?"));
    let says = ["status 401", "check the credentials"];
    world.source_says("down", &says).await;
    world.unready_says(&says).await;
    let mut shown = world.bellwether.log();
    for path in ["/api/v1/status", "/readyz", "/metrics", "/services", "/"] {
        shown += &world.bellwether.text(path).await;
    }
    let checked = Command::new(env!("CARGO_BIN_EXE_bellwether"))
        .args(["check-config", "--config"])
        .arg(world.dir.path().join("bellwether.yaml"))
        .env_clear()
        .output()
        .expect("the binary was built");
    shown += &String::from_utf8_lossy(&checked.stdout);
    assert!(
        shown.contains("<secret>"),
        "check-config shows that one is set"
    );
    // bell:hunter2-secret in base64 begins so.
    for secret in ["hunter2-secret", "tenant-secret", "YmVsbDpodW50ZXIy"] {
        assert!(!shown.contains(secret), "{secret} is shown: {shown}");
    }
    world.fake.behave();
    world.resumes(&before).await;
    fault("wrong credentials, and none shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_obeyed_without_a_tight_loop() {
    let world = World::start().await;
    let before = world.incidents().await;
    let refusal = r#"{"status":"error","errorType":"execution","error":"query limit reached"}"#;
    for (status, body, says) in [
        (429, "slow down", "status 429 (too many queries)"),
        (422, refusal, "query limit reached"),
    ] {
        world
            .fake
            .misbehave(move |_, _| Reply::of(status, "Retry-After: 3\r\n", body));
        let refused_from = world.fake.asked().len();
        world
            .source_says("down", &[says, "it asks to be left alone for 3 s"])
            .await;
        // Every look asks about its own instant: between two that were refused lie the seconds
        // that were asked for, however late this machine is.
        tokio::time::sleep(Duration::from_millis(7_500)).await;
        assert_eq!(world.bellwether.text("/healthz").await, "ok\n");
        let looks: BTreeSet<i64> = world.fake.asked()[refused_from..]
            .iter()
            .filter_map(|asked| asked.form.get("time"))
            .map(|time| time.parse::<f64>().expect("seconds") as i64)
            .collect();
        let looks: Vec<i64> = looks.into_iter().collect();
        assert!(looks.len() >= 2, "it asks again: {looks:?}");
        assert!(
            looks.windows(2).all(|two| two[1] - two[0] >= 3),
            "asked while left alone: {looks:?}"
        );
        world.fake.behave();
        world.source_says("healthy", &[]).await;
        world.settle().await;
    }
    assert_eq!(world.incidents().await, before);
    world.log_says(&["Prometheus asked to be left alone"]);
    fault("429 and 422 with Retry-After");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_answer_is_cut_and_other_metrics_are_judged() {
    let world = World::with("timeout: 2s, answer_bytes_max: 1MiB", "", &[]).await;
    let before = world.incidents().await;
    let idle = world.rss_kib();
    world.fake.misbehave(|asked, series| match asked.subject {
        Subject::Cpu => Reply::Endless,
        Subject::Mem => Reply::of(200, "", &" ".repeat(3 << 20)),
        _ => good(asked, series),
    });
    let says = [
        "cpu: the answer is larger than 1048576 bytes",
        "raise prometheus.answer_bytes_max",
        "and 1 more",
    ];
    world.source_says("partial", &says).await;
    world.goes_on().await;
    assert!(world.judged("payments", "lat").await.is_some());
    if let (Some(idle), Some(now)) = (idle, world.rss_kib()) {
        assert!(now < idle + (64 << 10), "{idle} KiB rose to {now} KiB");
    }
    assert_eq!(world.incidents().await, before);
    world.fake.behave();
    world.resumes(&before).await;
    fault("an endless answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_of_prometheus_are_shown_and_the_answer_is_taken() {
    let world = World::start().await;
    world.fake.misbehave(|asked, series| match asked.subject {
        Subject::Mem => Reply::Warned(series, "a store was unreachable"),
        _ => good(asked, series),
    });
    world.remark_says(&["mem: a store was unreachable"]).await;
    assert!(world.judged("payments", "mem").await.is_some());
    world.goes_on().await;
    world.fake.behave();
    fault("a partial answer with a warning");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_fleet_is_a_fault_of_the_source_and_opens_nothing() {
    let world = World::start().await;
    let before = world.incidents().await;
    world
        .fake
        .misbehave(|asked, series| Reply::Series(if is_live(asked) { vec![] } else { series }));
    world.remark_says(&["the source is at fault"]).await;
    // Longer than down_after.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(world.incidents().await, before);
    world.goes_on().await;
    world.fake.behave();
    world.resumes(&before).await;
    fault("a Prometheus that lost all series");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_service_name_is_a_name_and_never_a_query_or_a_path() {
    let logs = folder();
    let settings = format!(
        "logs: [ {{ path: '{}/{{service}}/app.json' }} ]\n",
        logs.path().display()
    );
    let world = World::with("timeout: 2s", &settings, &[HOSTILE]).await;
    until("the hostile service is judged", PATIENCE, || async {
        world.judged(HOSTILE, "lat").await
    })
    .await;
    let path = format!("/logs?service={}&event_ts=1795348800", encoded(HOSTILE));
    let (status, answer) = world.bellwether.get(&path).await;
    assert_eq!((status, &answer["outcome"]), (200, &json!("unreadable")));
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains("..%2F..%2Fx"), "{detail}");
    let path = format!("/retrain?service={}&wait=true", encoded(HOSTILE));
    let (status, job) = world.bellwether.post(&path, None).await;
    assert_eq!(status, 200, "{job}");

    for asked in world.fake.asked() {
        assert!(!asked.query.contains("../"), "pasted: {}", asked.query);
        assert!(!asked.query.contains("or up{a="), "pasted: {}", asked.query);
    }
    let homes = names_in(&world.bellwether.data_dir().join("datasets"));
    assert!(
        homes.iter().any(|name| name.contains("x%22%7D%20or%20up")),
        "{homes:?}"
    );
    let beside = names_in(world.dir.path());
    assert!(
        !beside.iter().any(|name| name.starts_with('x')),
        "{beside:?}"
    );
    assert!(world.judged("payments", "cpu").await.is_some());
    world.goes_on().await;
    fault("a service named ../../x\"} or up{a=\"");
}

fn names_in(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

// Files.

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_unreadable_log_is_named_and_everything_else_goes_on() {
    let logs = folder();
    let settings = format!(
        "logs: [ {{ path: '{}/{{service}}/app.json' }} ]\n",
        logs.path().display()
    );
    fs::create_dir_all(logs.path().join("orders/app.json")).unwrap();
    fs::create_dir_all(logs.path().join("payments")).unwrap();
    let world = World::with("timeout: 2s", &settings, &["links"]).await;
    let before = world.incidents().await;
    std::os::unix::fs::symlink(world.dir.path(), logs.path().join("links")).unwrap();
    fs::write(world.dir.path().join("app.json"), "{}\n").unwrap();

    let detail = async |service: &str| {
        let path = format!("/logs?service={service}&event_ts=2026-11-22T12:00:00Z");
        let (status, answer) = world.bellwether.get(&path).await;
        assert_eq!((status, &answer["outcome"]), (200, &json!("unreadable")));
        answer["detail"].as_str().unwrap().to_owned()
    };
    for (service, path, says) in [
        (
            "payments",
            "payments/app.json",
            "there is no such file; check logs[].path",
        ),
        (
            "orders",
            "orders/app.json",
            "it is a folder; logs[].path must name a file",
        ),
        ("links", "links", "leads out of the log folder"),
    ] {
        let detail = detail(service).await;
        let path = logs.path().join(path);
        assert!(detail.contains(&*path.to_string_lossy()), "{detail}");
        assert!(detail.contains(says), "{detail}");
    }
    let fifo = Command::new("mkfifo")
        .arg(logs.path().join("payments/app.json"))
        .status();
    if fifo.is_ok_and(|status| status.success()) {
        let began = Instant::now();
        let detail = detail("payments").await;
        assert!(detail.contains("not a regular file"), "{detail}");
        assert!(began.elapsed() < Duration::from_secs(2), "a FIFO blocks");
    }
    // The incident on the sick service has no log either, and says so.
    let path = format!("/api/v1/incidents/{}", before[0].0);
    until("the incident's logs", PATIENCE, || async {
        let (_, incident) = world.bellwether.get(&path).await;
        (incident["logs"]["outcome"] == "unreadable").then_some(())
    })
    .await;
    world.goes_on().await;
    assert_eq!(world.incidents().await, before);
    fault("an unreadable or missing log");
}

fn dataset_file(bellwether: &Bellwether, service: &str, metric: &str) -> PathBuf {
    let file = format!("datasets/{service}/history/{metric}.csv");
    bellwether.data_dir().join(file)
}

fn dataset(bellwether: &Bellwether, service: &str, metric: &str) -> String {
    fs::read_to_string(dataset_file(bellwether, service, metric)).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_csv_line_is_cut_and_named_and_the_rows_stay() {
    let mut world = World::start().await;
    until("rows", PATIENCE, || async {
        let rows = dataset(&world.bellwether, "payments", "cpu")
            .lines()
            .count();
        (rows > 5).then_some(())
    })
    .await;
    world.bellwether.kill();
    let rows = dataset(&world.bellwether, "payments", "cpu");
    let file = dataset_file(&world.bellwether, "payments", "cpu");
    let mut torn = File::options().append(true).open(&file).unwrap();
    torn.write_all(b"2026-11-22T12:00:00.000Z,41.5,Norm")
        .unwrap();
    let edited = dataset_file(&world.bellwether, "orders", "mem");
    let mut edited = File::options().append(true).open(edited).unwrap();
    edited.write_all(b"this is no row\n").unwrap();

    let config = config(&world.fake.url, "timeout: 2s", "");
    world.bellwether.start_again(&config).await;
    world.log_says(&[
        "put right at start",
        "payments/history/cpu.csv",
        "cut 34 bytes of an unfinished last line",
    ]);
    world.log_says(&[
        "put right at start",
        "orders/history/mem.csv:",
        "1 columns instead of 12",
        "correct or delete the line",
    ]);
    world.settle().await;
    let now = until("new rows", PATIENCE, || async {
        let now = dataset(&world.bellwether, "payments", "cpu");
        (now.lines().count() > rows.lines().count()).then_some(now)
    })
    .await;
    let whole_rows = rows.lines().filter(|line| !line.is_empty());
    for row in whole_rows {
        assert!(now.contains(row), "the row {row} is lost");
    }
    assert!(!now.contains("41.5,Norm"));
    let (status, job) = world
        .bellwether
        .post("/retrain?service=orders&wait=true", None)
        .await;
    assert_eq!(status, 200, "{job}");
    world.no_panic();
    fault("a torn CSV line, and one that is no row");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_garbage_model_is_set_aside_by_name_and_made_anew() {
    let settings = "training: { window: 1h, window_min_samples: 60, min_samples: 20, schedule: 30d, max_age: 60d }\n";
    let mut world = World::with("timeout: 2s", settings, &[]).await;
    world.bellwether.models(9, PATIENCE).await;
    let before = world.incidents().await;
    world.bellwether.kill();
    let models = world.bellwether.data_dir().join("models");
    fs::write(models.join("payments/cpu.model"), b"\x80\x04garbage").unwrap();
    let mut flipped = fs::read(models.join("payments/mem.model")).unwrap();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    fs::write(models.join("payments/mem.model"), flipped).unwrap();
    // Another series' model is as wrong as garbage.
    fs::copy(
        models.join("orders/lat.model"),
        models.join("payments/lat.model"),
    )
    .unwrap();
    fs::write(models.join("orders/cpu.state"), b"garbage").unwrap();

    let config = config(&world.fake.url, "timeout: 2s", settings);
    world.bellwether.start_again(&config).await;
    for series in ["payments:cpu", "payments:mem", "payments:lat"] {
        let model = format!("the model of {series} is set aside in");
        world.log_says(&["put right at start", &model, "it is made anew"]);
    }
    world.log_says(&["the memory of orders:cpu is set aside in", "quarantine"]);
    world.settle().await;
    world.bellwether.models(9, PATIENCE).await;
    assert!(models.join("payments/cpu.model").exists(), "trained anew");
    let quarantine = names_in(&world.bellwether.data_dir().join("quarantine"));
    assert!(quarantine.len() >= 4, "{quarantine:?}");
    assert_eq!(world.incidents().await, before);
    world.no_panic();
    fault("a garbage model");
}

// Starts that are refused.

/// Runs the binary until it ends; its exit code and what it said.
async fn refused(dir: &Path, config: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let file = dir.join("refused.yaml");
    fs::write(&file, config).expect("a temporary folder is writable");
    let said = dir.join("refused.log");
    let child = Command::new(env!("CARGO_BIN_EXE_bellwether"))
        .args(["serve", "--config"])
        .arg(&file)
        .args(arguments)
        .env_clear()
        .current_dir(dir)
        .stdout(Stdio::null())
        .stderr(File::create(&said).expect("a temporary folder is writable"))
        .spawn()
        .expect("the binary was built");
    let mut process = Process(child);
    let began = Instant::now();
    let status = loop {
        if let Some(status) = process.0.try_wait().expect("a child can be waited for") {
            break status;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "it was not refused: {}",
            fs::read_to_string(&said).unwrap_or_default()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    (
        status.code(),
        fs::read_to_string(&said).expect("it is text"),
    )
}

/// The lines that are not from its log.
fn last_words(said: &str) -> Vec<&str> {
    let of_log = |line: &&str| {
        [" INFO ", " WARN ", " ERROR "]
            .iter()
            .any(|l| line.contains(l))
    };
    said.lines().filter(|line| !of_log(line)).collect()
}

fn check_one_line(said: &str, texts: &[&str]) {
    let words = last_words(said);
    assert_eq!(words.len(), 1, "not one line: {said}");
    assert!(words[0].starts_with("bellwether: "), "{said}");
    for text in texts {
        assert!(words[0].contains(text), "no {text:?} in {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_or_data_dir_in_use_is_named_and_the_holder_goes_on() {
    let world = World::start().await;
    let other = folder();
    let listen = world.bellwether.url.trim_start_matches("http://");
    let taken = format!(
        "listen: {listen}\ndata_dir: {}\n",
        other.path().join("data").display()
    );
    let (code, said) = refused(other.path(), &taken, &[]).await;
    assert_eq!(code, Some(1));
    check_one_line(&said, &[listen, "another address with --listen", "in use"]);

    let data_dir = world.bellwether.data_dir().display().to_string();
    let taken = format!("listen: 127.0.0.1:{}\ndata_dir: {data_dir}\n", free_port());
    let (code, said) = refused(other.path(), &taken, &[]).await;
    assert_eq!(code, Some(1));
    let holder = format!("already used by process {}", world.bellwether.pid());
    check_one_line(&said, &[&data_dir, &holder, "another data_dir"]);
    world.goes_on().await;
    world.settle().await;
    fault("a port in use");
    fault("a data_dir already used");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_data_dir_is_named_and_refused() {
    let dir = folder();
    let data = dir.path().join("data");
    let shown = data.display().to_string();
    let config = format!("listen: 127.0.0.1:{}\ndata_dir: {shown}\n", free_port());

    fs::write(&data, "a file").unwrap();
    let (code, said) = refused(dir.path(), &config, &[]).await;
    assert_eq!(code, Some(1));
    check_one_line(
        &said,
        &[&shown, "not a directory", "set data_dir to another place"],
    );
    fs::remove_file(&data).unwrap();

    fs::create_dir(&data).unwrap();
    fs::write(data.join("thesis.doc"), "mine").unwrap();
    let (code, said) = refused(dir.path(), &config, &[]).await;
    assert_eq!(code, Some(1));
    check_one_line(
        &said,
        &[&shown, "thesis.doc", "set data_dir to an empty place"],
    );
    assert_eq!(names_in(&data).len(), 2, "nothing but the lock was added");
    fs::remove_dir_all(&data).unwrap();

    // Nobody can write there, not even root.
    if cfg!(target_os = "linux") {
        std::os::unix::fs::symlink("/proc/self", &data).unwrap();
        let (code, said) = refused(dir.path(), &config, &[]).await;
        assert_eq!(code, Some(1));
        let says = [&*shown, "write to data directory", "make it writable"];
        check_one_line(&said, &says);
    }
    fault("an unwritable data_dir");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_configuration_is_named_with_its_place_and_exit_code_2() {
    let dir = folder();
    let ca_file = dir.path().join("ca.pem");
    fs::write(&ca_file, "no certificate\n").unwrap();
    let ca = format!("prometheus: {{ ca_file: '{}' }}\n", ca_file.display());
    for (config, says) in [
        (
            "tick: 15s\ntikc: 1s\n",
            &["`tikc`", "refused.yaml line 2", "did you mean `tick`?"][..],
        ),
        ("tick: soon\n", &["`tick`", "refused.yaml line 1", "15s"]),
        ("tick: [1s\n", &["refused.yaml line"]),
        (
            "prometheus: { url: 'ftp://x' }\n",
            &["prometheus.url", "http://127.0.0.1:9090"],
        ),
        (
            "prometheus: { url: 'http://u:pw-secret@h' }\n",
            &["use `basic_auth`"],
        ),
        (
            "listen: 0.0.0.0:0\n",
            &["not loopback", "server.unsafe_listen"],
        ),
        (
            "logs: [ { path: '/var/log/{service}/../app.json' } ]\n",
            &["log source 0", "'..'"],
        ),
        ("metrics: { cpu: { query: 'up' } }\n", &["cpu", "$identity"]),
        (&*ca, &["ca.pem", "no PEM certificate"]),
    ] {
        let (code, said) = refused(dir.path(), config, &[]).await;
        assert_eq!(code, Some(2), "{config}: {said}");
        for text in says {
            assert!(said.contains(text), "{config}: no {text:?} in {said}");
        }
        assert!(
            !said.contains("pw-secret") && !said.contains("panicked"),
            "{said}"
        );
        assert!(!dir.path().join("data").exists(), "{config}: half a start");
    }
    let arguments = ["--config", "nowhere.yaml"];
    let (code, said) = refused(dir.path(), "", &arguments).await;
    assert_eq!(code, Some(2), "{said}");
    fault("a bad configuration: exit code 2");
}

// Requests.

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_as_problems_that_say_what_to_do() {
    let world = World::start().await;
    let before = world.incidents().await;
    let ack = format!("/api/v1/incidents/{}/ack", before[0].0);
    let ack = ack.as_str();
    let get = async |path: &str| send(&world, "GET", path, &[], None).await;
    for event_ts in ["soon", "", "NaN", "1e999", "2026-13-45T99:00:00Z", "-9e18"] {
        let path = format!("/logs?service=payments&event_ts={event_ts}");
        check_problem(&path, get(&path).await, 400, &["event_ts", "RFC 3339"]);
    }
    fault("event_ts that is no time");

    for service in [
        "../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e%2f%2e%2e",
        "..%5c..%5cetc",
        "payments%00",
        "....//....//etc",
        "/etc/passwd",
        "svc%22%7D%20or%20up%7Bjob%3D%22",
        &"x".repeat(5_000),
    ] {
        let logs = format!("/logs?service={service}&event_ts=1795348800");
        let answer = get(&logs).await;
        assert!(!answer.1.to_string().contains("root:"), "{answer:?}");
        check_problem(&logs, answer, 404, &["GET /services lists them"]);
        let metrics = format!("/metrics?service={service}");
        check_problem(&metrics, get(&metrics).await, 404, &["no service is named"]);
        let path = format!("/retrain?service={service}");
        let answer = send(&world, "POST", &path, &[], None).await;
        check_problem(&path, answer, 404, &["no service is named"]);
    }
    fault("path traversal in service=");

    for path in [
        "/api/v1/incidents?limit=4294967296000000000000",
        "/api/v1/incidents?limit=0",
        "/api/v1/incidents?nonsense=1",
        "/api/v1/incidents?from=2026-11-22T12:00:00Z&to=2026-11-21T12:00:00Z",
        "/api/v1/incidents/x",
        "/logs?service=payments&event_ts=1795348800&before=10y",
        "/logs?service=payments&event_ts=1795348800&limit=1e9",
        "/api/v1/logs?service=payments&from=soon",
        "/api/v1/logs?service=payments&from=1795348800&to=1795348700",
        "/api/v1/logs?service=payments&level=loud",
        "/api/v1/logs?service=payments&cursor=mine",
        "/api/v1/logs?service=payments&order=sideways",
        "/api/v1/logs?service=payments&limit=0",
        "/api/v1/logs?service=payments&colour=red",
        "/api/v1/logs",
        "/api/v1/logs/patterns?service=payments&baseline=99y",
        "/api/v1/logs/patterns?service=payments&baseline=0s",
        "/api/v1/logs/patterns?service=payments&from=1795348800&to=1795348800",
        "/api/v1/logs/patterns",
        "/logs?service=payments",
    ] {
        check_problem(path, get(path).await, 400, &[]);
    }
    let too_many = get("/api/v1/incidents/99999").await;
    check_problem(
        "an incident",
        too_many,
        404,
        &["GET /api/v1/incidents lists"],
    );
    let nowhere = get("/static/../../etc/passwd").await;
    check_problem("no route", nowhere, 404, &["is not a route"]);
    fault("parameters that are none");

    for (method, path) in [
        ("GET", "/retrain"),
        ("GET", ack),
        ("PUT", "/retrain"),
        ("DELETE", "/api/v1/incidents"),
        ("TRACE", "/services"),
    ] {
        let answer = send(&world, method, path, &[], None).await;
        check_problem(path, answer, 405, &["does not take"]);
    }
    fault("a wrong method");

    let json = ("content-type", "application/json");
    for body in [
        "[1, 2]",
        "{\"note\": 5}",
        "{\"note\": ",
        "{\"nope\": 1}",
        "1e999",
        "null,",
    ] {
        let answer = send(&world, "POST", ack, &[json], Some(body.to_owned())).await;
        check_problem(body, answer, 400, &["the body must be like"]);
    }
    let deep = "[".repeat(60_000);
    let answer = send(&world, "POST", ack, &[json], Some(deep)).await;
    check_problem("deep JSON", answer, 400, &["the body must be like"]);
    let plain = ("content-type", "text/plain");
    let answer = send(&world, "POST", ack, &[plain], Some("{}".into())).await;
    check_problem("plain text", answer, 415, &["application/json"]);
    fault("JSON of a wrong type");

    let large = format!("{{\"note\": \"{}\"}}", "x".repeat(70_000));
    for path in [ack, "/retrain"] {
        let answer = send(&world, "POST", path, &[json], Some(large.clone())).await;
        check_problem(path, answer, 413, &["65536 bytes"]);
    }
    fault("an oversized body");

    assert_eq!(world.incidents().await, before, "nothing was acknowledged");
    assert!(world.judged("payments", "cpu").await.is_some());
    world.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_pages_and_foreign_names_are_refused() {
    let world = World::start().await;
    let evil = ("host", "evil.example");
    for path in ["/services", "/healthz", "/metrics", "/api/v1/status"] {
        let answer = send(&world, "GET", path, &[evil], None).await;
        check_problem(path, answer, 403, &["evil.example", "server.hosts"]);
    }
    let answer = send(&world, "POST", "/retrain", &[evil], None).await;
    check_problem("a foreign Host", answer, 403, &["server.hosts"]);
    fault("a foreign Host header");

    for header in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let answer = send(&world, "POST", "/retrain", &[header], None).await;
        check_problem(header.1, answer, 403, &["another origin"]);
    }
    let proxied = ("x-forwarded-for", "10.0.0.1");
    let answer = send(&world, "GET", "/services", &[proxied], None).await;
    check_problem("a proxy", answer, 403, &["server.unsafe_listen"]);
    let trigger = |job: &Value| job["trigger"] == "request";
    let (_, jobs) = world.bellwether.get("/api/v1/jobs").await;
    assert!(
        !jobs["items"].as_array().unwrap().iter().any(trigger),
        "{jobs}"
    );
    let own = ("origin", &*world.bellwether.url);
    let (status, job) = send(&world, "POST", "/retrain", &[own], None).await;
    assert_eq!(status, 202, "our own page may: {job}");
    world.goes_on().await;
    fault("a cross-site POST");
}

async fn send(
    world: &World,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<String>,
) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
    let url = format!("{}{path}", world.bellwether.url);
    let mut request = client().request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.body(body);
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").cloned();
    let text = answer.text().await.unwrap_or_default();
    let mut body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    if let (Some(kind), Some(fields)) = (kind, body.as_object_mut()) {
        let kind = kind.to_str().unwrap_or_default().to_owned();
        fields.insert("content_type".into(), kind.into());
    }
    (status, body)
}

fn check_problem(what: &str, (status, body): (u16, Value), expected: u16, says: &[&str]) {
    let what: String = what.chars().take(80).collect();
    assert_eq!(status, expected, "{what}: {body}");
    assert_eq!(
        body["content_type"], "application/problem+json",
        "{what}: {body}"
    );
    assert_eq!(body["status"], expected, "{what}: {body}");
    let detail = body["detail"].as_str().unwrap_or_default();
    assert!(!detail.is_empty() && detail.len() < 2_000, "{what}: {body}");
    for text in says {
        assert!(detail.contains(text), "{what}: no {text:?} in {detail}");
    }
}

// Ending.

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_it_soon_even_while_prometheus_hangs() {
    let mut world = World::with("timeout: 60s", "", &[]).await;
    world.fake.misbehave(|_, _| Reply::Hang);
    let asked = world.fake.asked().len();
    until("a query that hangs", PATIENCE, || async {
        (world.fake.asked().len() > asked + 2).then_some(())
    })
    .await;
    let (status, took) = world.bellwether.terminate().await;
    assert_eq!(status.code(), Some(0), "{}", world.bellwether.log());
    assert!(took < Duration::from_secs(5), "{took:?}");
    world.log_says(&["stopped"]);
    world.no_panic();

    world.fake.behave();
    let config = config(&world.fake.url, "timeout: 60s", "");
    world.bellwether.start_again(&config).await;
    world.settle().await;
    let (status, took) = world.bellwether.terminate().await;
    assert_eq!(status.code(), Some(0), "{}", world.bellwether.log());
    assert!(took < Duration::from_secs(5), "{took:?}");
    fault("SIGTERM, also while Prometheus hangs");
}
