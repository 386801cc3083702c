//! `bellwether doctor` before a real Prometheus and real pages: what is found, and what a script
//! learns from the exit code.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Process, client, folder, free_port, run, until};

const PATIENCE: Duration = Duration::from_secs(60);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

const ORDERS: &str = include_str!("../../../simulator/tests/fixtures/orders.g1.prom");
const WITHOUT_BUCKETS: &str = include_str!("../../../simulator/tests/fixtures/gateway.nohist.prom");
const TRACED: &[u8] = include_bytes!("../../../embedded/tests/fixtures/spring/gateway.g1.om.gz");

/// Type and text of the page at each path. Other paths are not there.
type Pages = BTreeMap<&'static str, (&'static str, String)>;

/// Answers for as long as the process lives; gives the address.
fn serve(pages: Pages) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (pages, asked) = (Arc::new(pages), Arc::new(AtomicU64::new(0)));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (pages, asked) = (Arc::clone(&pages), Arc::clone(&asked));
            std::thread::spawn(move || {
                answer(stream, &pages, asked.fetch_add(1, Ordering::Relaxed))
            });
        }
    });
    address
}

/// One request, one answer; who hangs up early is no concern of ours.
fn answer(mut stream: TcpStream, pages: &Pages, asked: u64) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (status, kind, body) = match pages.get(path) {
        Some((kind, page)) => ("200 OK", *kind, living(page, asked)),
        None => ("404 Not Found", "application/json", "{}".to_owned()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body.as_bytes());
}

/// The page of a process whose clock goes on.
fn living(page: &str, asked: u64) -> String {
    let line = |line: &str| match line.rsplit_once(' ') {
        Some((series, _)) if series.starts_with("process_uptime_seconds") => {
            format!("{series} {}\n", 1_000 + asked)
        }
        _ => format!("{line}\n"),
    };
    page.lines().map(line).collect()
}

fn pages() -> Pages {
    let mut traced = String::new();
    flate2::read::GzDecoder::new(TRACED)
        .read_to_string(&mut traced)
        .unwrap();
    let nameless = ORDERS
        .replace(",service=\"orders\"", "")
        .replace("service=\"orders\",", "")
        .replace("{service=\"orders\"}", "");
    BTreeMap::from([
        ("/traced", (OPENMETRICS, traced)),
        ("/plain", (TEXT, WITHOUT_BUCKETS.to_owned())),
        ("/healthy", (TEXT, ORDERS.to_owned())),
        ("/nameless", (TEXT, nameless)),
    ])
}

/// A job for each page, one for a page that isn't there, and one where nobody listens.
fn scrape_config(address: &str) -> String {
    let mut config =
        "global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n".to_owned();
    for job in ["traced", "plain", "healthy", "nameless", "missing"] {
        config += &format!(
            "  - {{ job_name: {job}, metrics_path: /{job}, static_configs: [{{ targets: ['{address}'] }}] }}\n"
        );
    }
    let nobody = free_port();
    config
        + &format!(
            "  - {{ job_name: nobody, static_configs: [{{ targets: ['127.0.0.1:{nobody}'] }}] }}\n"
        )
}

/// A Prometheus on the configuration in `dir`.
fn prometheus(dir: &Path) -> (Process, String) {
    let port = free_port();
    let log = File::create(dir.join("prometheus.log")).unwrap();
    let child = Command::new("prometheus")
        .arg(format!(
            "--config.file={}",
            dir.join("prometheus.yml").display()
        ))
        .arg(format!(
            "--storage.tsdb.path={}",
            dir.join("prometheus").display()
        ))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("prometheus is installed (apt-get install prometheus)");
    (Process(child), format!("http://127.0.0.1:{port}"))
}

/// Until every target was asked a few times, and what it said can be queried.
async fn scraped(url: &str) {
    let (client, query) = (
        client(),
        format!("{url}/api/v1/query?query=count_over_time(up[1m])"),
    );
    until("scrapes", PATIENCE, || async {
        let answer = client.get(&query).send().await.ok()?;
        let answer: Value = answer.json().await.ok()?;
        let series = answer["data"]["result"].as_array()?.clone();
        let often = |series: &Value| {
            let count = series["value"][1]
                .as_str()
                .and_then(|count| count.parse::<f64>().ok());
            count.is_some_and(|count| count >= 5.0)
        };
        (series.len() == 6 && series.iter().all(often)).then_some(())
    })
    .await;
}

fn doctor(arguments: &[&str]) -> Output {
    let mut all = vec!["doctor", "--set", "evaluation_delay=1s"];
    all.extend(arguments);
    run(Path::new(env!("CARGO_BIN_EXE_bellwether")), &all)
}

fn code(arguments: &[&str]) -> Option<i32> {
    doctor(arguments).status.code()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {} {}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// The finding of an id, in whose text or evidence is `word`.
fn finding(report: &Value, id: &str, word: &str) -> Value {
    let findings = report["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|f| f["id"] == id && f.to_string().contains(word));
    found
        .cloned()
        .unwrap_or_else(|| panic!("no {id} with {word:?} in {report:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_reads_what_a_real_prometheus_says_of_its_targets() {
    let dir = folder();
    let config = dir.path().join("prometheus.yml");
    fs::write(&config, scrape_config(&serve(pages()))).unwrap();
    let (_running, url) = prometheus(dir.path());
    scraped(&url).await;

    let output = doctor(&["--prometheus", &url, "--json"]);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "",
        "no progress where there is no terminal"
    );
    let report = report(&output);
    assert_eq!(
        (&report["version"], &report["source"]["kind"]),
        (&1.into(), &"prometheus".into())
    );
    let version = report["source"]["version"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if version.starts_with("2.42") {
        let refused = finding(&report, "exemplars-refused", "traced");
        assert!(
            refused["evidence"][0]
                .as_str()
                .unwrap()
                .ends_with("does not support exemplars"),
            "{refused}"
        );
        assert!(
            refused["cures"][1]["snippet"]
                .as_str()
                .unwrap()
                .ends_with("exemplarsOnAllMetricTypes: false")
        );
        finding(&report, "old-prometheus", "2.43");
    }
    finding(&report, "endpoint-missing", "missing");
    finding(&report, "connection-refused", "nobody");
    let buckets = finding(&report, "latency-buckets-missing", "percentiles-histogram");
    assert_eq!(
        (&buckets["service"], &buckets["level"]),
        (&"gateway".into(), &"problem".into())
    );
    finding(&report, "no-service-label", "nameless");

    exit_codes(&url);
    let text = String::from_utf8(doctor(&["--prometheus", &url]).stdout).unwrap();
    let first = text.find("PROBLEM").unwrap();
    let (warning, services) = (
        text.find("WARNING").unwrap(),
        text.find("SERVICES").unwrap(),
    );
    assert!(first < warning && warning < services, "{text}");

    scraped_by_itself(&config);
}

fn exit_codes(url: &str) {
    assert_eq!(code(&["--prometheus", url, "--service", "orders"]), Some(0));
    assert_eq!(
        code(&["--prometheus", url, "--service", "gateway"]),
        Some(4)
    );
    assert_eq!(
        code(&["--prometheus", url, "--service", "nameless"]),
        Some(0),
        "only a warning"
    );
    assert_eq!(
        code(&["--prometheus", url, "--service", "nameless", "--strict"]),
        Some(4)
    );
    assert_eq!(
        code(&["--prometheus", url, "--service", "nobody-knows"]),
        Some(2)
    );
    assert_eq!(code(&["--prometheus", "no address"]), Some(2));
    assert_eq!(code(&["--no-such-flag"]), Some(2));
    let nobody = format!("http://127.0.0.1:{}", free_port());
    assert_eq!(code(&["--prometheus", &nobody]), Some(1));
}

/// The same targets without a Prometheus: what an old one refuses is read, the rest is said alike.
fn scraped_by_itself(config: &Path) {
    let path = config.display().to_string();
    let output = doctor(&["--scrape", &path, "--json"]);
    assert_eq!(output.status.code(), Some(4));
    let report = report(&output);
    assert_eq!(report["source"]["kind"], "scrape");
    finding(&report, "endpoint-missing", "missing");
    finding(&report, "connection-refused", "nobody");
    finding(&report, "no-service-label", "nameless");
    let refused = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .any(|f| f["id"] == "exemplars-refused");
    assert!(!refused, "{report:#}");
    let orders = report["services"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["id"] == "orders");
    let metrics = orders.unwrap()["metrics"].as_array().unwrap().clone();
    let cpu = metrics.iter().find(|metric| metric["id"] == "cpu").unwrap();
    assert_eq!(cpu["state"], "found");
    assert_eq!(code(&["--scrape", "no-such-file.yml"]), Some(2));
}
