//! What `bellwether doctor` says of the sample services, of the smallest application that follows
//! the page about one's own services, of one that leaves histograms out, and of a scrape
//! configuration that names services by their job alone.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Bellwether, Process, client, figure, folder, free_port, run, until};
use crate::node::{Node, SERVICES, root};

const PATIENCE: Duration = Duration::from_secs(120);
const LINE: &str = "spring 3";
const PROPERTY: &str = "management.metrics.distribution.percentiles-histogram.http.server.requests";

pub async fn doctor_finds_everything(node: &Node, dir: &Path) -> Vec<String> {
    let mut wrong = of_the_shop(node, dir);
    let other = folder();
    let (minimal, plain) = (Minimal::start(15, &[]), {
        let without = format!("--{PROPERTY}=false");
        Minimal::start(16, &["--spring.application.name=plain", &without])
    });
    let prometheus = Prometheus::start(other.path());
    for service in [&minimal, &plain] {
        service.answers().await;
    }
    let jobs = SERVICES.map(|service| format!("{service}-service"));
    prometheus.knows(6).await;
    wrong.extend(of_the_minimal(&prometheus));
    wrong.extend(of_the_plain(&prometheus));
    wrong.extend(of_jobs(&prometheus, &jobs));
    wrong.extend(jobs_are_judged(&prometheus, other.path(), &jobs).await);
    wrong
}

/// The four services as they are scraped: nothing but notes.
fn of_the_shop(node: &Node, dir: &Path) -> Vec<String> {
    let config = dir.join("bellwether.yaml");
    let (code, report) = doctor(&["--config", config.to_str().unwrap(), "--strict"]);
    let found: Vec<&str> = SERVICES
        .into_iter()
        .filter(|service| report["services"].to_string().contains(service))
        .collect();
    let judge = Judge::new("sample services: problems and warnings", "0 of 4 services");
    judge.is(
        code == 0 && found.len() == 4,
        format!("{}; {}", serious(&report).join(", "), node.prometheus),
        format!("{} of {} services", serious(&report).len(), found.len()),
    )
}

fn of_the_minimal(prometheus: &Prometheus) -> Vec<String> {
    let (code, report) = prometheus.doctor("minimal");
    Judge::new(
        "an application of the ten lines: problems and warnings",
        "0",
    )
    .is(
        code == 0,
        format!("{report:#}"),
        serious(&report).len().to_string(),
    )
}

fn of_the_plain(prometheus: &Prometheus) -> Vec<String> {
    let (code, report) = prometheus.doctor("plain");
    let findings = report["findings"].as_array().unwrap();
    let missing = findings
        .iter()
        .find(|finding| finding["id"] == "latency-buckets-missing");
    let names = missing.is_some_and(|finding| finding.to_string().contains(PROPERTY));
    Judge::new("without histograms: the property is named", "yes").is(
        code == 4 && names,
        format!("{report:#}"),
        if names { "yes" } else { "no" }.to_owned(),
    )
}

/// One job for each service and no other name: found, and not taken for trouble.
fn of_jobs(prometheus: &Prometheus, jobs: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    for job in jobs {
        let (_, report) = prometheus.doctor(job);
        let findings = report["findings"].as_array().unwrap().clone();
        problems.extend(findings.into_iter().filter(|f| f["level"] == "problem"));
    }
    Judge::new("services named by their job alone: problems", "0").is(
        problems.is_empty(),
        format!("{problems:#?}"),
        problems.len().to_string(),
    )
}

/// Bellwether on such a Prometheus has the services with the values of the mission's metrics.
async fn jobs_are_judged(prometheus: &Prometheus, dir: &Path, jobs: &[String]) -> Vec<String> {
    let config = format!("prometheus: {{ url: '{}' }}\n", prometheus.url);
    let bellwether = Bellwether::start(dir, &config, &[]).await;
    let mut valued = 0;
    for job in jobs {
        until("values of a job's metrics", PATIENCE, || async {
            let (status, answer) = bellwether.get(&format!("/metrics?service={job}")).await;
            let metrics = answer["metrics"].as_array().filter(|_| status == 200)?;
            let has = |id: &str| metrics.iter().any(|m| m["id"] == id && m["value"].is_f64());
            ["cpu", "mem", "lat"].into_iter().all(has).then_some(())
        })
        .await;
        valued += 1;
    }
    Judge::new("services named by their job alone: judged", "4").is(
        valued == 4,
        String::new(),
        valued.to_string(),
    )
}

/// A figure, and what is wrong where it isn't as it should be.
struct Judge {
    what: &'static str,
    bar: &'static str,
}

impl Judge {
    fn new(what: &'static str, bar: &'static str) -> Judge {
        Judge { what, bar }
    }

    fn is(&self, right: bool, detail: String, value: String) -> Vec<String> {
        figure(LINE, self.what, value, self.bar, right);
        if right {
            Vec::new()
        } else {
            vec![format!("{}: {detail}", self.what)]
        }
    }
}

fn serious(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["level"] != "note")
        .map(ToString::to_string)
        .collect()
}

fn doctor(arguments: &[&str]) -> (i32, Value) {
    let all: Vec<&str> = ["doctor", "--json"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let output = run(Path::new(env!("CARGO_BIN_EXE_bellwether")), &all);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        panic!("doctor {arguments:?}: {error}: {said}")
    });
    (output.status.code().unwrap(), report)
}

/// The smallest application, on a loopback address of its own.
struct Minimal {
    address: String,
    _process: Process,
}

impl Minimal {
    fn start(last: u8, arguments: &[&str]) -> Minimal {
        let jars = root().join("services/minimal/target");
        let is_jar = |name: &str| name.starts_with("minimal") && name.ends_with(".jar");
        let jar = fs::read_dir(&jars)
            .unwrap_or_else(|error| panic!("{}: {error}; run services/shop build", jars.display()))
            .map(|entry| entry.unwrap().path())
            .find(|path| is_jar(path.file_name().unwrap().to_str().unwrap()))
            .expect("services/shop build makes the jar");
        let host = format!("127.0.0.{last}");
        let child: Child = Command::new("java")
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx96m"])
            .arg("-jar")
            .arg(jar)
            .arg(format!("--server.address={host}"))
            .arg("--server.port=8480")
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("java is installed");
        Minimal {
            address: format!("http://{host}:8480"),
            _process: Process(child),
        }
    }

    /// Waits until it does, and gives it requests that can be measured.
    async fn answers(&self) {
        let client = client();
        until("the minimal application", PATIENCE, || async {
            client.get(&self.address).send().await.ok()
        })
        .await;
        for _ in 0..50 {
            client.get(&self.address).send().await.unwrap();
        }
    }
}

/// A second Prometheus, which scrapes the same services as spring-petclinic-microservices does: a
/// job for each, and no label of their own.
struct Prometheus {
    url: String,
    _process: Process,
}

impl Prometheus {
    fn start(dir: &Path) -> Prometheus {
        let file = dir.join("prometheus.yml");
        fs::write(&file, jobs()).unwrap();
        let port = free_port();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                dir.join("prometheus").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(File::create(dir.join("prometheus.log")).unwrap())
            .spawn()
            .expect("prometheus is installed (apt-get install prometheus)");
        Prometheus {
            url: format!("http://127.0.0.1:{port}"),
            _process: Process(child),
        }
    }

    /// Until so many targets were scraped often enough for a rate.
    async fn knows(&self, targets: usize) {
        let (client, url) = (client(), format!("{}/api/v1/query", self.url));
        until("scrapes", PATIENCE, || async {
            let query = [("query", "sum_over_time(up[5m]) >= 6")];
            let answer = client.get(&url).query(&query).send().await.ok()?;
            let answer: Value = answer.json().await.ok()?;
            let series = answer["data"]["result"].as_array()?.len();
            (series == targets).then_some(())
        })
        .await;
    }

    fn doctor(&self, service: &str) -> (i32, Value) {
        doctor(&["--prometheus", &self.url, "--service", service, "--strict"])
    }
}

fn jobs() -> String {
    let mut config =
        "global: { scrape_interval: 5s, scrape_timeout: 4s }\nscrape_configs:\n".to_owned();
    let job = |name: &str, address: &str, more: &str| {
        format!(
            "  - {{ job_name: {name}, metrics_path: /actuator/prometheus, static_configs: [{{ targets: ['{address}'] }}]{more} }}\n"
        )
    };
    for service in SERVICES {
        let nameless = ", metric_relabel_configs: [{ action: labeldrop, regex: service|version }]";
        config += &job(
            &format!("{service}-service"),
            &Node::address(service),
            nameless,
        );
    }
    config += &job("minimal", "127.0.0.15:8480", "");
    config + &job("plain", "127.0.0.16:8480", "")
}
