//! From a real Prometheus into a recording, and back into another as two days of past that live scrapes follow.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use simulator::recorded::{FAMILIES, Kind};
use simulator::{
    Discovery, Families, ServeOptions, Span, Topology, prometheus_config, serve, shared,
    system_clock, target_groups, write_openmetrics,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const JOB: &str = "spring";
const PAST_MS: i64 = 2 * 86_400_000;

struct Prometheus {
    child: Child,
    address: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// None where there is none to be started.
    async fn start(folder: &Path, data: &str) -> Option<Prometheus> {
        std::fs::write(folder.join("prometheus.yml"), "global: {}\n").expect("a file");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        let address = format!("127.0.0.1:{port}");
        let child = Command::new("prometheus")
            .args(["--config.file=prometheus.yml", "--web.enable-lifecycle"])
            .arg("--web.enable-remote-write-receiver")
            .arg(format!("--storage.tsdb.path={data}"))
            .arg(format!("--web.listen-address={address}"))
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let prometheus = Prometheus { child, address };
        for _ in 0..300 {
            let ready = prometheus.ask("GET", "/-/ready").await;
            if ready.is_some_and(|(status, _)| status == 200) {
                return Some(prometheus);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("Prometheus doesn't come up");
    }

    async fn ask(&self, method: &str, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).await.ok()?;
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nContent-Length: 0\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.get(9..12)?.parse().ok()?, body.to_owned()))
    }

    /// The values of an instant query.
    async fn values(&self, query: &str, t_ms: i64) -> Vec<f64> {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let path = format!("/api/v1/query?query={escaped}&time={}", t_ms as f64 / 1e3);
        let (status, body) = self.ask("GET", &path).await.expect("it answers");
        assert_eq!(status, 200, "{query}: {body}");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        let result = body["data"]["result"].as_array().expect("series").iter();
        result
            .map(|one| {
                one["value"][1]
                    .as_str()
                    .expect("a value")
                    .parse()
                    .expect("a number")
            })
            .collect()
    }

    async fn one(&self, query: &str, t_ms: i64) -> f64 {
        let values = self.values(query, t_ms).await;
        assert_eq!(values.len(), 1, "{query}");
        values[0]
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn simulator(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bellwether-simulator"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("it runs")
}

fn succeeded(output: &Output) -> String {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", said(&output.stderr));
    said(&output.stdout)
}

fn rfc3339(t_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(t_ms)
        .expect("a time")
        .to_string()
}

fn one_service() -> Topology {
    Topology::parse("services: [{name: payments, rps: 60}]").expect("a topology")
}

/// Twenty minutes of a service at noon of the day before, in blocks.
fn scraped(folder: &Path, to_ms: i64) -> bool {
    let from_ms = to_ms - 20 * 60_000;
    let mut fleet = simulator::Fleet::new(one_service(), vec![], 7, from_ms).expect("a fleet");
    let out = std::fs::File::create(folder.join("scraped.om")).expect("a file");
    let step = Span::from_secs(15);
    write_openmetrics(&mut fleet, from_ms, to_ms, step, Families::All, out, JOB)
        .expect("it is written");
    Command::new("promtool")
        .args([
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            "scraped.om",
            "source",
        ])
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_days_of_a_recording_go_into_a_real_prometheus_and_live_scrapes_follow() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let now_ms = system_clock()();
    let recorded_until_ms = now_ms - 86_400_000;
    if !scraped(folder, recorded_until_ms) {
        eprintln!("promtool is not installed; skipped");
        return;
    }
    let source = Prometheus::start(folder, "source")
        .await
        .expect("beside promtool there is prometheus");
    let until = rfc3339(recorded_until_ms);
    let arguments = [
        "record",
        "--prometheus",
        &source.url(),
        "--job",
        JOB,
        "--until",
        &until,
    ];
    succeeded(&simulator(
        folder,
        &[&arguments[..], &["--out", "quiet.txt.gz"]].concat(),
    ));
    let refused = simulator(
        folder,
        &[
            "record",
            "--prometheus",
            &source.url(),
            "--job",
            "sprung",
            "--out",
            "x.txt",
        ],
    );
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && told.contains("no up{job=\"sprung\"}"),
        "{told}"
    );
    drop(source);

    let curve: String = (0..24).map(|hour| format!("{hour},1\n")).collect();
    std::fs::write(folder.join("curve.csv"), format!("hour,factor\n{curve}")).expect("a file");
    let past = Prometheus::start(folder, "past")
        .await
        .expect("it started before");
    let until_ms = system_clock()();
    let tile = |until: &str| {
        let arguments = [
            "tile",
            "quiet.txt.gz",
            "--curve",
            "curve.csv",
            "--prometheus",
            &past.url(),
            "--until",
            until,
        ];
        simulator(folder, &arguments)
    };
    let said = succeeded(&tile(&rfc3339(until_ms)));
    assert!(
        said.starts_with("wrote ") && said.contains("2d made of 15m recorded at"),
        "{said}"
    );
    check_past(&past, until_ms, &said).await;

    let again = tile(&rfc3339(until_ms));
    let told = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        !again.status.success() && told.contains("into an empty Prometheus"),
        "{told}"
    );

    check_live_scrapes_follow(folder, &past).await;
}

async fn check_past(past: &Prometheus, until_ms: i64, said: &str) {
    let up = "up{job=\"spring\"}";
    let scrapes = past
        .one(&format!("count_over_time({up}[3d])"), until_ms)
        .await;
    assert_eq!(scrapes, 11_520.0);
    let last = past.one(&format!("timestamp({up})"), until_ms).await * 1e3;
    let before_ms = until_ms as f64 - last;
    assert!((30_000.0..=45_000.0).contains(&before_ms), "{before_ms}");
    let series = past.one("count({__name__=~\".+\"})", until_ms).await;
    let samples = series * scrapes;
    assert!(
        said.starts_with(&format!("wrote {samples} samples")),
        "{said}"
    );

    // Requests go on over every seam as they were recorded, and nothing seems to restart.
    let count = "http_server_requests_seconds_count{uri!~\"/actuator.*\"}";
    let start_ms = until_ms - PAST_MS;
    let mut rates = Vec::new();
    for hour in [3, 17, 31, 47] {
        let rate = format!("sum(rate({count}[1h]))");
        rates.push(past.one(&rate, start_ms + hour * 3_600_000).await);
    }
    for rate in &rates {
        assert!((rate / rates[0] - 1.0).abs() < 0.06, "{rates:?}");
        assert!(*rate > 10.0, "{rates:?}");
    }
    for counter in FAMILIES
        .iter()
        .filter(|family| family.kind == Kind::Counter)
    {
        let resets = past
            .values(&format!("max(resets({}[3d]))", counter.name), until_ms)
            .await;
        // It calls nobody.
        let is_there = !counter.name.starts_with("http_client");
        assert_eq!(resets, vec![0.0; usize::from(is_there)], "{}", counter.name);
    }
    let starts = "changes(process_start_time_seconds[3d])";
    assert_eq!(past.one(starts, until_ms).await, 0.0);
    let p99 = "histogram_quantile(0.99, sum by (le) (rate(http_server_requests_seconds_bucket{uri!~\"/actuator.*\"}[5m])))";
    let p99 = past.one(p99, until_ms - 60_000).await;
    assert!((0.03..0.5).contains(&p99), "{p99}");
    assert_eq!(
        past.one("bellwether_recorded_past_info", until_ms).await,
        1.0
    );
}

/// The same service, scraped at last: its counters begin anew, as those of a restarted process.
async fn check_live_scrapes_follow(folder: &Path, past: &Prometheus) {
    let clock = system_clock();
    let fleet = simulator::Fleet::new(one_service(), vec![], 7, clock() - 60_000).expect("a fleet");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let targets = Discovery::Static(target_groups(fleet.topology(), &address));
    let serving = tokio::spawn(serve(
        shared(fleet),
        listener,
        ServeOptions::default(),
        std::future::pending(),
    ));
    let config = prometheus_config(&targets, Span::from_secs(1), JOB);
    std::fs::write(folder.join("prometheus.yml"), config).expect("a file");
    let (status, body) = past.ask("POST", "/-/reload").await.expect("it answers");
    assert_eq!(status, 200, "{body}");
    let recent = "sum(count_over_time(up{job=\"spring\"}[10s]))";
    let mut scrapes = 0.0;
    for _ in 0..300 {
        scrapes = past
            .values(recent, clock())
            .await
            .first()
            .copied()
            .unwrap_or(0.0);
        if scrapes >= 3.0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(scrapes >= 3.0, "{scrapes}");
    let up = past.one("up{job=\"spring\"}", clock()).await;
    assert_eq!(up, 1.0, "what it answers is stored");
    let restarts = past
        .one("changes(process_start_time_seconds[5m])", clock())
        .await;
    assert_eq!(restarts, 1.0, "in one series with the past");
    serving.abort();
}
