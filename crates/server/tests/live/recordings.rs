//! Live equals replay: what was recorded is recomputed bit for bit, and the past is walked by the
//! same engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use domain::Timestamp;
use serde_json::{Value, json};
use simulator::{FaultKind, Span, Topology, system_clock};
use tempfile::TempDir;

use crate::harness::{
    Bellwether, PrometheusServer, SimulatedFleet, figure, folder, run, scaled, until,
};

const TICK: Duration = Duration::from_secs(1);
const OUTAGE_TICKS: u32 = 8;
/// How long is recorded unless BELLWETHER_RECORD_SECONDS says otherwise.
const RECORD_SECONDS: u64 = 60;
/// What fires in each round of the recording.
const FAULTS: [(FaultKind, &str); 3] = [
    (FaultKind::BadRelease, "inventory"),
    (FaultKind::HeapLeak, "catalog"),
    (FaultKind::SlowDependency, "ledger"),
];
/// Latency is a p99 over five minutes: shorter faults drown in it.
const FAULT_SECONDS: i64 = 60;

/// A fleet with a past, its Prometheus, and a Bellwether that records.
struct Recorded {
    fleet: SimulatedFleet,
    prometheus: PrometheusServer,
    bellwether: Bellwether,
    file: PathBuf,
    dir: TempDir,
}

impl Recorded {
    async fn start(seed: u64) -> Recorded {
        let dir = folder();
        let blocks = dir.path().join("prometheus");
        let history = (Span::from_secs(6 * 3_600), Span::from_secs(60), &*blocks);
        let fleet = SimulatedFleet::start(Topology::shop(), seed, dir.path(), Some(history));
        let prometheus = PrometheusServer::start(&fleet, dir.path(), Span::from_secs(1)).await;
        let config = format!(
            "prometheus: {{ url: '{}' }}\n{}logs: [ {{ path: '{}' }} ]\n",
            prometheus.url,
            scaled(TICK),
            fleet.log_template()
        );
        let file = dir.path().join("ticks.bwr");
        let record = ["--record", file.to_str().expect("a plain path")];
        let bellwether = Bellwether::start(dir.path(), &config, &record).await;
        bellwether.models(18, Duration::from_secs(90)).await;
        Recorded {
            fleet,
            prometheus,
            bellwether,
            file,
            dir,
        }
    }

    /// A fault with its incident and logs, a retrain, a resolve, an outage of Prometheus.
    async fn round(&mut self, kind: FaultKind, service: &str) {
        self.fleet.fault(kind, service, FAULT_SECONDS, 2.0);
        let bellwether = &self.bellwether;
        let incident = until("an incident", Duration::from_secs(90), || async {
            let incidents = bellwether.incidents().await;
            let open = |i: &Value| i["service"] == service && i["status"] == "OPEN";
            incidents.into_iter().find(open)
        })
        .await;
        let path = format!("/api/v1/incidents/{}", incident["id"]);
        until("attached logs", Duration::from_secs(60), || async {
            let (_, whole) = bellwether.get(&path).await;
            whole["logs"].is_object().then_some(())
        })
        .await;
        let (status, job) = bellwether.post("/retrain?wait=true", None).await;
        assert_eq!((status, &job["state"]), (200, &json!("done")), "{job}");
        let note = json!({ "note": "it is over" });
        let (status, resolved) = bellwether
            .post(&format!("{path}/resolve"), Some(note))
            .await;
        assert_eq!(
            (status, &resolved["status"]),
            (200, &json!("RESOLVED")),
            "{resolved}"
        );
        self.prometheus.stop();
        self.source_is("down").await;
        tokio::time::sleep(OUTAGE_TICKS * TICK).await;
        self.prometheus.restart().await;
        self.source_is("healthy").await;
    }

    async fn source_is(&self, state: &str) {
        until(state, Duration::from_secs(60), || async {
            let (_, status) = self.bellwether.get("/api/v1/status").await;
            (status["source"]["state"] == state).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_the_recording_finds_no_difference() {
    let length = Duration::from_secs(record_seconds());
    let mut recorded = Recorded::start(13).await;
    let began = Instant::now();
    for (kind, service) in FAULTS.into_iter().cycle() {
        recorded.round(kind, service).await;
        if began.elapsed() + Duration::from_secs(60) > length {
            break;
        }
    }
    tokio::time::sleep(length.saturating_sub(began.elapsed())).await;
    let recorded_seconds = began.elapsed().as_secs();
    let (status, _) = recorded.bellwether.terminate().await;
    assert!(status.success(), "{status}");

    let debug = Path::new(env!("CARGO_BIN_EXE_bellwether"));
    let replayed = replay(debug, &recorded.file);
    same_everywhere(&replayed);
    let opened = replayed["incidents_opened"].as_u64().unwrap();
    figure(
        "6",
        "replay of a recording with faults, retrains, resolves, outages: first difference",
        format!(
            "none in {} steps of {recorded_seconds} s, {opened} incidents",
            replayed["steps"]
        ),
        "none",
        true,
    );
    assert!(opened >= 1 && replayed["cut_short"] == false, "{replayed}");
    let evaluated = replayed["evaluated"].as_u64().unwrap();
    let steps = replayed["steps"].as_u64().unwrap();
    assert!(evaluated > recorded_seconds / 2, "{replayed}");
    assert!(steps > evaluated, "commands and logs are steps: {replayed}");

    // The same machine code may round alike by luck; another build is the harder proof.
    if let Some(release) = std::env::var_os("BELLWETHER_RELEASE_BINARY") {
        let again = replay(Path::new(&release), &recorded.file);
        figure(
            "6",
            "the same recording by a release build: first difference",
            format!("none in {} steps", again["steps"]),
            "none",
            again == replayed,
        );
        assert_eq!(again, replayed);
    }
    damage_is_found(debug, &recorded);
    cuts_are_said(debug, &recorded, steps);
}

/// One flipped bit anywhere is an error; in the length of a frame it may look like a cut, which is
/// said.
fn damage_is_found(binary: &Path, recorded: &Recorded) {
    let bytes = fs::read(&recorded.file).expect("there is a recording");
    let copy = recorded.dir.path().join("damaged.bwr");
    let last = bytes.len() - 1;
    let positions = [0, 4, 9, last / 3, last / 2, last - last / 50, last];
    for position in positions {
        let mut damaged = bytes.clone();
        damaged[position] ^= 0x10;
        fs::write(&copy, damaged).expect("a temporary folder is writable");
        let output = replay_output(binary, &copy);
        let why = String::from_utf8_lossy(&output.stderr);
        let refused = why.contains("damaged") || why.contains("not a recording");
        let said = String::from_utf8_lossy(&output.stdout);
        let cut = said.contains("\"cut_short\":true");
        assert!(
            (output.status.code() == Some(1) && refused) || cut,
            "byte {position} of {last}: {output:?}"
        );
    }
    figure(
        "6",
        "a recording with one bit flipped is found damaged, at so many places",
        positions.len(),
        "all",
        true,
    );
}

fn cuts_are_said(binary: &Path, recorded: &Recorded, steps: u64) {
    let bytes = fs::read(&recorded.file).expect("there is a recording");
    let copy = recorded.dir.path().join("cut.bwr");
    for missing in [1, 40, bytes.len() / 200] {
        fs::write(&copy, &bytes[..bytes.len() - missing]).expect("a temporary folder is writable");
        let replayed = replay(binary, &copy);
        same_everywhere(&replayed);
        assert_eq!(replayed["cut_short"], true, "{replayed}");
        assert!(replayed["steps"].as_u64().unwrap() < steps, "{replayed}");
    }
    let said = run(binary, &["replay", copy.to_str().expect("a plain path")]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("the recording ends inside a step"), "{said}");
    assert!(said.contains("no difference"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_recording_replays_up_to_its_end() {
    let mut recorded = Recorded::start(14).await;
    recorded
        .fleet
        .fault(FaultKind::BadRelease, "inventory", FAULT_SECONDS, 2.0);
    until("an incident", Duration::from_secs(90), || async {
        (!recorded.bellwether.incidents().await.is_empty()).then_some(())
    })
    .await;
    let (_, status) = recorded.bellwether.get("/api/v1/status").await;
    let evaluated_at = time(&status["evaluated_at"]);
    recorded.bellwether.kill();
    let debug = Path::new(env!("CARGO_BIN_EXE_bellwether"));
    let replayed = replay(debug, &recorded.file);
    same_everywhere(&replayed);
    assert!(replayed["incidents_opened"].as_u64().unwrap() >= 1);
    // What was published was recorded before.
    assert!(time(&replayed["last"]) >= evaluated_at, "{replayed}");
    figure(
        "6",
        "a recording ended by SIGKILL: first difference",
        format!("none in {} steps", replayed["steps"]),
        "none",
        true,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_free_hour_of_the_past_opens_nothing() {
    let dir = folder();
    let blocks = dir.path().join("prometheus");
    let history = (Span::from_secs(2 * 86_400), Span::from_secs(60), &*blocks);
    let fleet = SimulatedFleet::start(Topology::shop(), 15, dir.path(), Some(history));
    let prometheus = PrometheusServer::start(&fleet, dir.path(), Span::from_secs(15)).await;
    let file = dir.path().join("config.yaml");
    let config = format!("prometheus: {{ url: '{}' }}\n", prometheus.url);
    fs::write(&file, config).expect("a temporary folder is writable");
    let to = Timestamp::from_millis(system_clock()()).floor_to(Duration::from_secs(60))
        - Duration::from_secs(600);

    let hour = walk(&file, to - Duration::from_secs(3_600), to);
    let incidents = hour["incidents"].as_array().expect("a list").len();
    figure(
        "1",
        "fault-free hour walked: incidents",
        incidents,
        "0",
        incidents == 0,
    );
    assert_eq!(incidents, 0, "{hour}");
    assert_eq!(hour["instants"], 61);
    assert!(hour["models"].as_u64().unwrap() >= 18, "{hour}");
    let samples = hour["samples"].as_u64().unwrap();
    assert!(samples >= 61 * 18, "every series at every instant: {hour}");

    let began = Instant::now();
    let day = walk(&file, to - Duration::from_secs(86_400), to);
    let incidents = day["incidents"].as_array().expect("a list").len();
    figure(
        "1",
        "fault-free day walked, with a day to learn from: incidents",
        format!(
            "{incidents}; {} anomalies in {} samples, {:.0} s",
            day["anomalies"],
            day["samples"],
            began.elapsed().as_secs_f64()
        ),
        "0",
        incidents == 0,
    );
    assert_eq!(incidents, 0, "{day}");
}

fn walk(config: &Path, from: Timestamp, to: Timestamp) -> Value {
    let (from, to) = (from.to_string(), to.to_string());
    let config = config.to_str().expect("a plain path");
    let arguments = [
        "replay", "--from", &from, "--to", &to, "--step", "60s", "--json", "--config", config,
    ];
    let output = run(Path::new(env!("CARGO_BIN_EXE_bellwether")), &arguments);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn replay(binary: &Path, file: &Path) -> Value {
    let output = replay_output(binary, file);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn replay_output(binary: &Path, file: &Path) -> Output {
    let file = file.to_str().expect("a plain path");
    run(binary, &["replay", file, "--json"])
}

fn same_everywhere(replayed: &Value) {
    assert_eq!(replayed["first_difference"], Value::Null, "{replayed}");
    assert!(replayed["steps"].as_u64().unwrap() > 0, "{replayed}");
}

fn record_seconds() -> u64 {
    let set = std::env::var("BELLWETHER_RECORD_SECONDS").ok();
    set.map_or(RECORD_SECONDS, |text| {
        text.parse().expect("BELLWETHER_RECORD_SECONDS is a number")
    })
}

fn time(time: &Value) -> Timestamp {
    let text = time.as_str().expect("a time");
    text.parse().expect("RFC 3339")
}
