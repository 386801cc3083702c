//! `bellwether demo` as a newcomer runs it: the real binary, with nothing beside it.
//!
//! `BELLWETHER_DEMO_STORIES=all` tells every kind of fault on three services, and a quarter of an
//! hour without any; without it one fault is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use domain::{Catalogue, MetricId, Timestamp};
use serde_json::Value;
use simulator::{FaultKind, TruthMetric};
use tokio::task::JoinSet;

use crate::harness::{Process, client, figure, folder, free_port, until};

/// Until the fault begins: history, models, and the calm before it.
const BEGINS_WITHIN: Duration = Duration::from_secs(180);
const CALM: Duration = Duration::from_secs(900);
/// Truth that stood so long before the end must have been found.
const STANDING: Duration = Duration::from_secs(60);
/// What is judged of ratios and CPU is the mean over this.
const MEAN_OVER: Duration = Duration::from_secs(300);
/// Truth nearer to High than this may be found or not.
const EDGE: f64 = 0.05;
/// Stories that are told at the same time.
const TOGETHER: usize = 6;

/// A demo that runs.
struct Demo {
    process: Process,
    client: reqwest::Client,
    address: String,
    fleet: String,
    told: std::path::PathBuf,
}

impl Demo {
    fn start(dir: &Path, arguments: &[&str]) -> Demo {
        let port = free_port();
        let told = dir.join("told.txt");
        let listen = format!("127.0.0.1:{port}");
        let child = Command::new(env!("CARGO_BIN_EXE_bellwether"))
            .args(["demo", "--fault-after", "5", "--listen", &listen, "--dir"])
            .arg(dir.join("demo"))
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(File::create(&told).unwrap())
            .stderr(File::create(dir.join("errors.txt")).unwrap())
            .spawn()
            .unwrap();
        Demo {
            process: Process(child),
            client: client(),
            address: format!("http://{listen}"),
            fleet: String::new(),
            told,
        }
    }

    fn told(&self) -> String {
        std::fs::read_to_string(&self.told).unwrap_or_default()
    }

    async fn told_of(&self, text: &str, within: Duration) {
        until(text, within, || async {
            self.told().contains(text).then_some(())
        })
        .await;
    }

    /// Where the shop answers, from the targets that were written out.
    fn find_fleet(&mut self, dir: &Path) {
        let targets = std::fs::read_to_string(dir.join("demo/run/prometheus.yml")).unwrap();
        let (_, rest) = targets.split_once("127.0.0.1:").unwrap();
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        self.fleet = format!("http://127.0.0.1:{port}");
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.address)).send();
        answer.await.unwrap().json().await.unwrap()
    }

    async fn services(&self) -> Vec<String> {
        let answer = self.get("/services").await;
        let items = answer["items"].as_array().unwrap().iter();
        items
            .map(|s| s["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The OPEN incidents of each service, with how many lines of logs each has.
    async fn open(&self) -> BTreeMap<String, Vec<usize>> {
        let list = self.get("/api/v1/incidents?status=OPEN&limit=100").await;
        let mut open: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for item in list["items"].as_array().unwrap() {
            let incident = self.get(&format!("/api/v1/incidents/{}", item["id"])).await;
            let lines = incident["logs"]["items"].as_array().map_or(0, Vec::len);
            let of = item["service"].as_str().unwrap().to_owned();
            open.entry(of).or_default().push(lines);
        }
        open
    }

    async fn truth(&self, service: &str, metric: TruthMetric, at: Timestamp) -> Option<f64> {
        let query = format!(
            "service={service}&metric={}&at={}",
            metric.id(),
            at.as_seconds()
        );
        let url = format!("{}/truth?{query}", self.fleet);
        let answer: Value = self
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        answer["value"].as_f64()
    }

    /// How far past High the worst metric of a service is, by the noise-free truth as it would be
    /// measured at `at`: 1 is just High.
    async fn trouble(&self, service: &str, at: Timestamp) -> f64 {
        let mut worst: f64 = 0.0;
        if self.truth(service, TruthMetric::Up, at).await == Some(0.0) {
            return f64::INFINITY;
        }
        for (metric, high) in thresholds() {
            let is_mean = matches!(metric, TruthMetric::Cpu | TruthMetric::ErrorRatio);
            let over = if is_mean { MEAN_OVER } else { Duration::ZERO };
            let (mut sum, mut count) = (0.0, 0.0);
            let mut back = Duration::ZERO;
            while back <= over {
                if let Some(value) = self.truth(service, metric, at - back).await {
                    (sum, count) = (sum + value, count + 1.0);
                }
                back += Duration::from_secs(10);
            }
            if count > 0.0 {
                worst = worst.max(sum / count / high);
            }
        }
        worst
    }
}

/// What the simulator knows the truth of and what has a threshold, with High.
fn thresholds() -> Vec<(TruthMetric, f64)> {
    let (default, pack) = (Catalogue::default_three(), Catalogue::spring_pack());
    let high = |id: &str| {
        let id = MetricId::new(id).ok()?;
        default.get(&id).or(pack.get(&id))?.thresholds.high
    };
    let known = TruthMetric::ALL.into_iter();
    known
        .filter_map(|metric| Some((metric, high(metric.id())?)))
        .collect()
}

fn now() -> Timestamp {
    Timestamp::from_millis(simulator::system_clock()())
}

/// What came of a story.
struct Outcome {
    story: String,
    /// From the beginning of the fault until the incidents stood as they should, seconds.
    after: Option<f64>,
    wrong: Vec<String>,
}

/// Tells one story and looks what stands at the end of the time it has.
async fn tell(kind: FaultKind, service: &'static str) -> Outcome {
    let dir = folder();
    let mut demo = Demo::start(dir.path(), &["--fault", kind.name(), "--service", service]);
    demo.told_of("FAULT ", BEGINS_WITHIN).await;
    let (began, began_at) = (Instant::now(), now());
    demo.find_fleet(dir.path());
    let has = Duration::from_secs(if kind == FaultKind::CpuBurn { 360 } else { 180 });

    let mut seen: BTreeMap<String, f64> = BTreeMap::new();
    let mut after = None;
    let services = demo.services().await;
    while began.elapsed() < has {
        let open = demo.open().await;
        for (service, incidents) in &open {
            if incidents.iter().all(|lines| *lines > 0) {
                seen.entry(service.clone())
                    .or_insert(began.elapsed().as_secs_f64());
            }
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let mut wrong = Vec::new();
    let open = demo.open().await;
    let (mut must, mut may) = (BTreeSet::new(), BTreeSet::new());
    for service in &services {
        let mut worst = (0.0_f64, 0.0_f64);
        let mut at = began_at + Duration::from_secs(10);
        while at < began_at + has {
            let trouble = demo.trouble(service, at).await;
            worst.1 = worst.1.max(trouble);
            if at <= began_at + (has - STANDING) {
                worst.0 = worst.0.max(trouble);
            }
            at = at + Duration::from_secs(10);
        }
        if worst.0 >= 1.0 + EDGE {
            must.insert(service.clone());
        } else if worst.1 >= 1.0 - EDGE {
            may.insert(service.clone());
        }
    }
    if services.len() != 6 {
        wrong.push(format!("/services lists {services:?}"));
    }
    for service in &must {
        match open.get(service).map(Vec::as_slice) {
            None => wrong.push(format!("no incident on {service}")),
            Some([0]) => wrong.push(format!("no logs with the incident on {service}")),
            Some([_]) => {}
            Some(several) => wrong.push(format!("{} incidents on {service}", several.len())),
        }
    }
    for service in open
        .keys()
        .filter(|of| !must.contains(*of) && !may.contains(*of))
    {
        wrong.push(format!("an incident on {service}, which is well"));
    }
    if !must.contains(service) && !may.contains(service) {
        wrong.push(format!("the fault has no effect on {service}"));
    }
    if wrong.is_empty() {
        after = must
            .iter()
            .filter_map(|of| seen.get(of))
            .copied()
            .reduce(f64::max);
    }
    wrong.extend(answers_in_full(&demo, service).await);
    ends_cleanly(&mut demo.process, &mut wrong);
    Outcome {
        story: format!("{kind} on {service}"),
        after,
        wrong,
    }
}

/// Whether every metric of a service is answered with what it is and why.
async fn answers_in_full(demo: &Demo, service: &str) -> Vec<String> {
    let answer = demo.get(&format!("/metrics?service={service}")).await;
    let metrics = answer["metrics"].as_array().cloned().unwrap_or_default();
    let mut wrong = Vec::new();
    for wanted in ["cpu", "mem", "lat"] {
        let Some(metric) = metrics.iter().find(|metric| metric["id"] == wanted) else {
            wrong.push(format!("/metrics has no {wanted}"));
            continue;
        };
        for key in ["unit", "severity", "prediction", "event_ts", "why"] {
            if metric[key].is_null() {
                wrong.push(format!("/metrics: {wanted} has no {key}"));
            }
        }
    }
    wrong
}

fn ends_cleanly(process: &mut Process, wrong: &mut Vec<String>) {
    let pid = process.0.id().to_string();
    let told = Command::new("kill").args(["-INT", &pid]).status();
    assert!(told.is_ok_and(|status| status.success()));
    let asked = Instant::now();
    loop {
        match process.0.try_wait().unwrap() {
            Some(status) if status.success() => return,
            Some(status) => return wrong.push(format!("it ended with {status}")),
            None if asked.elapsed() > Duration::from_secs(15) => {
                return wrong.push("it did not end within 15 s of Ctrl-C".to_owned());
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// The first alone, or every kind of fault on three services.
fn stories() -> Vec<(FaultKind, &'static str)> {
    if !tells_all() {
        return vec![(FaultKind::SlowDependency, "payments")];
    }
    let kinds = FaultKind::ALL.into_iter();
    let services = ["payments", "catalog", "ledger"];
    kinds
        .flat_map(|kind| services.map(|service| (kind, service)))
        .collect()
}

fn tells_all() -> bool {
    std::env::var("BELLWETHER_DEMO_STORIES").is_ok_and(|which| which == "all")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_sees_faults_become_incidents_and_nothing_else() {
    let stories = stories();
    let told = stories.len();
    let mut waiting = stories.into_iter();
    let mut running: JoinSet<Outcome> = JoinSet::new();
    let (mut wrong, mut slowest, mut right) = (Vec::new(), 0.0_f64, 0);
    loop {
        while running.len() < TOGETHER
            && let Some((kind, service)) = waiting.next()
        {
            running.spawn(tell(kind, service));
        }
        let Some(outcome) = running.join_next().await else {
            break;
        };
        let outcome = outcome.unwrap();
        println!("{}: {:?} {:?}", outcome.story, outcome.after, outcome.wrong);
        if outcome.wrong.is_empty() {
            right += 1;
            slowest = slowest.max(outcome.after.unwrap_or_default());
        } else {
            wrong.push((outcome.story, outcome.wrong));
        }
    }
    figure(
        "embedded 1",
        "demo: one incident with logs on each affected service, none elsewhere",
        format!("{right} of {told} faults, the slowest after {slowest:.0} s"),
        "all, ≤ 180 s (cpu-burn 360 s)",
        right == told,
    );
    assert!(wrong.is_empty(), "{wrong:?}");
    if tells_all() {
        let calm = calm().await;
        figure(
            "embedded 1",
            "demo: 15 minutes without a fault",
            format!("{} incidents", calm.len()),
            "none",
            calm.is_empty(),
        );
        assert_eq!(calm, Vec::<String>::new());
    }
}

/// A quarter of an hour in which nothing is wrong.
async fn calm() -> Vec<String> {
    let dir = folder();
    let mut demo = Demo::start(dir.path(), &["--faults", "none"]);
    demo.told_of("No fault is started", BEGINS_WITHIN).await;
    tokio::time::sleep(CALM).await;
    let list = demo.get("/api/v1/incidents?limit=100").await;
    let opened = list["items"].as_array().unwrap().iter();
    let mut wrong: Vec<String> = opened.map(|i| i["summary"].to_string()).collect();
    ends_cleanly(&mut demo.process, &mut wrong);
    wrong
}
