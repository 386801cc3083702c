//! Pages of targets into the store.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use embedded::exposition::{Entry, Format, Parser};
use embedded::scrape::{Keep, PAGE_BYTES_MAX, ScrapeConfig, ScrapeView, Scraper};
use embedded::store::{Store, StoreSettings};
use embedded::{MatchOperator, Matcher, SeriesSource, is_stale};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::watch;

use crate::server::{Answer, Server};

const START: i64 = 1_795_348_800_000;
const STEP: i64 = 15_000;

/// A scraper whose time goes on by a step with each scrape.
struct Scraping {
    scraper: Scraper,
    view: ScrapeView,
    store: Arc<Store>,
    now: Arc<AtomicI64>,
}

impl Scraping {
    fn new(yaml: &str, keep: Keep) -> Scraping {
        Scraping::at(yaml, "prometheus.yml", keep)
    }

    fn at(yaml: &str, path: &str, keep: Keep) -> Scraping {
        let (config, _) = ScrapeConfig::parse(yaml, path).expect("a sound configuration");
        let opened = Store::open(StoreSettings::default(), START).expect("a store in memory");
        let store = Arc::new(opened.store);
        let now = Arc::new(AtomicI64::new(START));
        let clock = Arc::clone(&now);
        let clock = Arc::new(move || clock.load(Ordering::SeqCst));
        let scraper = Scraper::new(config, Arc::clone(&store), keep, clock).expect("no TLS");
        Scraping {
            view: scraper.view(),
            scraper,
            store,
            now,
        }
    }

    /// The time of the scrape.
    async fn scrape(&mut self) -> i64 {
        let time_ms = self.now.fetch_add(STEP, Ordering::SeqCst) + STEP;
        self.scraper.once().await;
        time_ms
    }

    /// What was stored for a time: series as text, with their values.
    fn stored(&self, time_ms: i64) -> BTreeMap<String, f64> {
        let mut stored = BTreeMap::new();
        self.store
            .select(&[], time_ms, time_ms, &mut |labels, samples| {
                let before = stored.insert(labels.to_string(), samples[0].value);
                assert!(before.is_none(), "{labels} comes twice");
            });
        stored
    }

    /// As [`Scraping::stored`], without what scrapes report of themselves but `up`.
    fn said(&self, time_ms: i64) -> Vec<String> {
        let stored = self.stored(time_ms).into_iter();
        let said = stored.filter(|(series, _)| !series.starts_with("scrape_"));
        let said = said.map(|(series, value)| match is_stale(value) {
            true => format!("{series} stale"),
            false => format!("{series} {value}"),
        });
        said.collect()
    }

    fn error(&self) -> String {
        let targets = self.view.targets();
        assert_eq!(targets.len(), 1, "{targets:?}");
        targets[0].error.clone().unwrap_or_default()
    }
}

/// One job of one target; its instance is `i`, so that ports don't matter.
fn job(server: &Server, more: &str) -> String {
    format!(
        "scrape_configs: [{{job_name: shop, {more} static_configs: [{{targets: ['{}'], labels: {{instance: i}}}}]}}]",
        server.address
    )
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text).expect("memory takes everything");
    packer.finish().expect("memory takes everything")
}

fn named(name: &str) -> Vec<Matcher> {
    vec![Matcher::new("__name__", MatchOperator::Equal, name).expect("no regex")]
}

#[tokio::test]
async fn every_value_of_a_real_page_arrives_under_its_labels() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../simulator/tests/fixtures/gateway.g1.prom"
    );
    let page = fs::read_to_string(path).expect("the fixture lies there");
    let server = Server::start(Answer::packed(packed(page.as_bytes()))).await;
    let mut scraping = Scraping::new(&job(&server, ""), Keep::everything());
    let first = scraping.scrape().await;
    let second = scraping.scrape().await;

    let mut expected = BTreeMap::new();
    for entry in Parser::new(&page, Format::Text) {
        if let Entry::Sample(line) = entry.expect("the page is sound") {
            let labels = line.to_labels([("job", "shop"), ("instance", "i")]);
            expected.insert(labels.to_string(), line.value);
        }
    }
    for (time_ms, added) in [(first, expected.len()), (second, 0)] {
        let mut stored = scraping.stored(time_ms);
        let mut report = |name: &str| {
            let series = format!("{name}{{instance=\"i\",job=\"shop\"}}");
            stored
                .remove(&series)
                .unwrap_or_else(|| panic!("{series} is missing"))
        };
        let count = expected.len() as f64;
        assert_eq!(report("up"), 1.0);
        assert_eq!(report("scrape_samples_scraped"), count);
        assert_eq!(report("scrape_samples_post_metric_relabeling"), count);
        assert_eq!(report("scrape_series_added"), added as f64);
        assert!((0.0..60.0).contains(&report("scrape_duration_seconds")));
        let equal = stored
            .iter()
            .zip(&expected)
            .all(|(one, other)| one.0 == other.0 && one.1.to_bits() == other.1.to_bits());
        assert!(
            equal && stored.len() == expected.len(),
            "{} of {count}",
            stored.len()
        );
    }
    let head = server.heads().remove(0);
    for header in [
        "GET /metrics HTTP/1.1",
        "accept: text/plain;version=0.0.4;q=1,",
        "x-prometheus-scrape-timeout-seconds: 10\r",
    ] {
        assert!(head.contains(header), "{head}");
    }
}

#[tokio::test]
async fn only_what_is_asked_for_is_kept() {
    let page = "# HELP a of a\n# TYPE a counter\na_total 1\n# HELP b of b\n# TYPE b gauge\nb 2\n# TYPE c gauge\nc{x=\"1\"} 3\nc{x=\"2\"} 4\n";
    let server = Server::start(Answer::page(page)).await;
    let two = Matcher::new("x", MatchOperator::Equal, "2").expect("no regex");
    let keep = Keep::new([
        named("up"),
        named("a_total"),
        [named("c"), vec![two]].concat(),
    ]);
    let mut scraping = Scraping::new(&job(&server, ""), keep);
    let time_ms = scraping.scrape().await;
    let expected = [
        r#"a_total{instance="i",job="shop"} 1"#,
        r#"c{instance="i",job="shop",x="2"} 4"#,
        r#"up{instance="i",job="shop"} 1"#,
    ];
    assert_eq!(scraping.said(time_ms), expected);
    assert_eq!(
        scraping.stored(time_ms).len(),
        3,
        "reports are kept only if asked for"
    );
    let status = scraping.view.targets().remove(0);
    assert_eq!((status.up, status.samples, status.kept), (Some(true), 4, 2));
    let metadata = scraping.view.metadata();
    let known: Vec<String> = metadata
        .iter()
        .map(|(name, all)| format!("{name} {} {:?}", all[0].kind.as_str(), all[0].help))
        .collect();
    assert_eq!(known, ["a counter \"of a\"", "c gauge \"\""]);
}

#[tokio::test]
async fn a_target_that_fails_is_down_and_its_series_end() {
    let server = Server::start(Answer::page("a 1\nb 2\n")).await;
    let mut scraping = Scraping::new(&job(&server, ""), Keep::everything());
    scraping.scrape().await;

    server.set(Answer::with("503 Service Unavailable", "", "a 5\n"));
    let down = scraping.scrape().await;
    let label = "{instance=\"i\",job=\"shop\"}";
    assert_eq!(
        scraping.said(down),
        [
            format!("a{label} stale"),
            format!("b{label} stale"),
            format!("up{label} 0"),
        ]
    );
    assert_eq!(scraping.error(), "it answered 503");
    let still = scraping.scrape().await;
    assert_eq!(scraping.said(still), [format!("up{label} 0")]);

    server.set(Answer::page("a 3\nc 4\n"));
    let back = scraping.scrape().await;
    assert_eq!(
        scraping.said(back),
        [
            format!("a{label} 3"),
            format!("c{label} 4"),
            format!("up{label} 1"),
        ]
    );
    // A series that a page no longer has ends, too.
    server.set(Answer::page("a 3\n"));
    let without = scraping.scrape().await;
    assert_eq!(scraping.said(without)[1], format!("c{label} stale"));
}

#[tokio::test]
async fn bad_answers_are_named_with_advice() {
    let huge = vec![b'\n'; usize::try_from(PAGE_BYTES_MAX).expect("64 bits") + 1];
    let cases = [
        (
            Answer::page("a 1\nb x\n"),
            "its page can't be read: line 2: \"x\" is no number: write e.g. 1, 2.5e-3, NaN, +Inf or -Inf",
        ),
        (
            Answer::with("404 Not Found", "", ""),
            "it answered 404; is metrics_path right?",
        ),
        (
            Answer::with("401 Unauthorized", "", ""),
            "it answered 401; give it basic_auth or authorization",
        ),
        (
            Answer::with("302 Found", "Location: https://a/login\r\n", ""),
            "it answered 302 and would redirect to \"https://a/login\"; scrape the address that answers itself",
        ),
        (
            Answer::with("200 OK", "Content-Type: text/html\r\n", ""),
            "it answered text/html, which is no page of metrics: are metrics_path and port right?",
        ),
        (
            Answer::page(" <!doctype html>"),
            "it answered something that begins as HTML or XML does, which is no page of metrics: are metrics_path and port right?",
        ),
        (
            Answer::packed(packed(&huge)),
            "its answer has more than 33554432 bytes, unpacked; raise body_size_limit (at most 33554432 bytes) or let it say less",
        ),
        (
            Answer::packed(b"no gzip at all".to_vec()),
            "its answer broke off: ",
        ),
        (
            Answer::Raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
            "its answer broke off: ",
        ),
    ];
    for (answer, expected) in cases {
        let server = Server::start(Answer::page("a 1\n")).await;
        let mut scraping = Scraping::new(&job(&server, ""), Keep::everything());
        scraping.scrape().await;
        server.set(answer);
        let down = scraping.scrape().await;
        let error = scraping.error();
        assert!(error.starts_with(expected), "{error} instead of {expected}");
        let said = scraping.said(down);
        assert!(
            said.len() == 2 && said[0].ends_with("stale") && said[1].ends_with(" 0"),
            "{said:?}"
        );
    }
}

#[tokio::test]
async fn limits_of_a_job_hold() {
    let server = Server::start(Answer::page("a 1\nb 2\nc 3\n")).await;
    let mut scraping = Scraping::new(&job(&server, "sample_limit: 2,"), Keep::everything());
    scraping.scrape().await;
    assert_eq!(
        scraping.error(),
        "its page has 3 samples, and 2 are allowed; raise sample_limit or let it say less"
    );
    let mut scraping = Scraping::new(&job(&server, "body_size_limit: 11B,"), Keep::everything());
    scraping.scrape().await;
    assert!(
        scraping
            .error()
            .starts_with("its answer has more than 11 bytes")
    );
    server.set(Answer::Silence);
    let timeout = "scrape_interval: 200ms, scrape_timeout: 100ms,";
    let mut scraping = Scraping::new(&job(&server, timeout), Keep::everything());
    scraping.scrape().await;
    assert_eq!(
        scraping.error(),
        "it didn't answer in full within the timeout of 100ms"
    );
}

#[tokio::test]
async fn a_failing_target_disturbs_no_other() {
    let silent = Server::start(Answer::Silence).await;
    let well = Server::start(Answer::page("a 1\n")).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let nobody = closed.local_addr().expect("a bound port");
    drop(closed);
    let yaml = format!(
        "scrape_configs: [{{job_name: shop, scrape_interval: 300ms, static_configs: [{{targets: ['{}', '{nobody}', '{}']}}]}}]",
        silent.address, well.address
    );
    let mut scraping = Scraping::new(&yaml, Keep::everything());
    let time_ms = scraping.scrape().await;
    let targets = scraping.view.targets();
    let up = |address: std::net::SocketAddr| {
        let target = targets
            .iter()
            .find(|target| target.instance == address.to_string());
        target.and_then(|target| target.up)
    };
    assert_eq!(
        [up(silent.address), up(nobody), up(well.address)],
        [Some(false), Some(false), Some(true)]
    );
    let said = scraping.said(time_ms);
    assert!(
        said.contains(&format!(
            "a{{instance=\"{}\",job=\"shop\"}} 1",
            well.address
        )),
        "{said:?}"
    );
    let error = targets
        .iter()
        .find(|target| target.instance == nobody.to_string());
    let error = error
        .and_then(|target| target.error.clone())
        .unwrap_or_default();
    assert!(
        error.starts_with(&format!("can't connect to {nobody}: ")),
        "{error}"
    );
}

#[tokio::test]
async fn labels_of_page_and_target_are_told_apart() {
    let page = "a{job=\"own\",exported_job=\"x\",service=\"s\",instance=\"\"} 1\n";
    let server = Server::start(Answer::page(page)).await;
    let mut scraping = Scraping::new(&job(&server, ""), Keep::new([named("a")]));
    let time_ms = scraping.scrape().await;
    assert_eq!(
        scraping.said(time_ms),
        [
            r#"a{exported_exported_job="own",exported_job="x",instance="i",job="shop",service="s"} 1"#
        ]
    );
    let mut scraping = Scraping::new(
        &job(&server, "honor_labels: true,"),
        Keep::new([named("a")]),
    );
    let time_ms = scraping.scrape().await;
    assert_eq!(
        scraping.said(time_ms),
        [r#"a{exported_job="x",job="own",service="s"} 1"#]
    );
}

#[tokio::test]
async fn openmetrics_and_a_line_that_comes_twice() {
    let body = "# TYPE a counter\na_total 1 1.5 # {trace_id=\"x\"} 1\na_total 2\n# EOF\n";
    let header = "Content-Type: application/openmetrics-text; version=1.0.0\r\n";
    let server = Server::start(Answer::with("200 OK", header, body)).await;
    let mut scraping = Scraping::new(&job(&server, ""), Keep::new([named("a_total")]));
    let time_ms = scraping.scrape().await;
    // The first of two counts, and the time is the scrape's.
    assert_eq!(
        scraping.said(time_ms),
        [r#"a_total{instance="i",job="shop"} 1"#]
    );
}

#[tokio::test]
async fn credentials_are_sent_and_followed_when_their_file_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    fs::write(&token, "first\n").expect("a writable folder");
    let server = Server::start(Answer::page("a 1\n")).await;
    let yaml = job(&server, "authorization: {credentials_file: token},");
    let path = folder.path().join("prometheus.yml").display().to_string();
    let mut scraping = Scraping::at(&yaml, &path, Keep::everything());
    scraping.scrape().await;
    fs::write(&token, "second").expect("a writable folder");
    scraping.scrape().await;
    let heads = server.heads();
    assert!(
        heads[0].contains("authorization: Bearer first\r\n"),
        "{heads:?}"
    );
    assert!(
        heads[1].contains("authorization: Bearer second\r\n"),
        "{heads:?}"
    );
    fs::remove_file(&token).expect("it is there");
    scraping.scrape().await;
    assert!(
        scraping
            .error()
            .starts_with("the credentials for it can't be used: ")
    );

    let yaml = job(&server, "basic_auth: {username: me, password: secret},");
    Scraping::new(&yaml, Keep::everything()).scrape().await;
    assert!(server.heads()[2].contains("authorization: Basic bWU6c2VjcmV0\r\n"));
}

#[tokio::test]
async fn a_target_that_is_taken_out_of_its_file_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let targets = folder.path().join("targets.json");
    let server = Server::start(Answer::page("a 1\n")).await;
    let named = format!(
        "[{{\"targets\": [\"{}\"], \"labels\": {{\"instance\": \"i\"}}}}]",
        server.address
    );
    fs::write(&targets, &named).expect("a writable folder");
    let yaml = "scrape_configs: [{job_name: shop, file_sd_configs: [{files: [targets.json]}]}]";
    let path = folder.path().join("prometheus.yml").display().to_string();
    let mut scraping = Scraping::at(yaml, &path, Keep::everything());
    scraping.scrape().await;
    fs::write(&targets, "[]").expect("a writable folder");
    let gone = scraping.scrape().await;
    let label = "{instance=\"i\",job=\"shop\"}";
    assert_eq!(
        scraping.said(gone),
        [format!("a{label} stale"), format!("up{label} stale")]
    );
    assert!(scraping.view.targets().is_empty());
    fs::write(&targets, &named).expect("a writable folder");
    let back = scraping.scrape().await;
    assert_eq!(
        scraping.said(back),
        [format!("a{label} 1"), format!("up{label} 1")]
    );
}

#[tokio::test]
async fn series_that_the_store_forgot_are_added_again() {
    let server = Server::start(Answer::page("a 1\n")).await;
    let mut scraping = Scraping::new(&job(&server, ""), Keep::everything());
    scraping.scrape().await;
    let month = 30 * 24 * 3_600_000;
    let now = scraping.now.fetch_add(month, Ordering::SeqCst) + month;
    scraping.store.expire(now);
    let back = scraping.scrape().await;
    let label = "{instance=\"i\",job=\"shop\"}";
    assert_eq!(
        scraping.said(back),
        [format!("a{label} 1"), format!("up{label} 1")]
    );
    assert_eq!(scraping.error(), "");
}

#[tokio::test]
async fn targets_are_scraped_at_their_interval_until_told_to_stop() {
    let server = Server::start(Answer::page("a 1\n")).await;
    let yaml = job(&server, "scrape_interval: 100ms,");
    let (config, _) = ScrapeConfig::parse(&yaml, "prometheus.yml").expect("a sound configuration");
    let opened = Store::open(StoreSettings::default(), START).expect("a store in memory");
    let store = Arc::new(opened.store);
    // Real time, so that the scraper's waits and its clock go together.
    let began = std::time::Instant::now();
    let clock =
        Arc::new(move || START + i64::try_from(began.elapsed().as_millis()).expect("not long"));
    let keep = Keep::new([named("a")]);
    let scraper = Scraper::new(config, Arc::clone(&store), keep, clock).expect("no TLS");
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(scraper.run(stopped));
    let times = || {
        let mut times = Vec::new();
        store.select(&[], START, i64::MAX, &mut |_, samples| {
            times = samples.iter().map(|sample| sample.time_ms).collect();
        });
        times
    };
    while times().len() < 4 {
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", times());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.send(true).expect("it runs");
    task.await.expect("it ended by itself");
    let times = times();
    // A busy machine may miss one, but none comes early.
    assert!(
        times.windows(2).all(|pair| pair[1] - pair[0] >= 50),
        "{times:?}"
    );
    let requests = server.heads().len();
    assert!(requests >= times.len(), "{requests} requests for {times:?}");
}
