//! Without a Prometheus: targets that are scraped here, asked under `/prometheus/api/v1/`, through
//! a kill.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{
    DEFAULT_JOB, Discovery, FaultKind, Span, Topology, prometheus_config, target_groups,
};

use crate::harness::{Bellwether, SimulatedFleet, client, folder, run, scaled, until};

const TICK: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(30);
const ROOT: &str = "/prometheus/api/v1";
const INSTANCES: f64 = 10.0;

/// A shop with its targets written out, and a configuration that scrapes them.
fn shop(dir: &Path) -> (SimulatedFleet, String) {
    let topology = Topology::shop();
    let fleet = SimulatedFleet::start(topology.clone(), 5, dir, None);
    let address = fleet.address.trim_start_matches("http://");
    let targets = Discovery::Static(target_groups(&topology, address));
    let targets = prometheus_config(&targets, Span::from_secs(1), DEFAULT_JOB);
    std::fs::write(dir.join("targets.yml"), targets).unwrap();
    let config = format!(
        "scrape: '{}'\npacks: [spring]\n{}logs: [ {{ path: '{}' }} ]\n",
        dir.join("targets.yml").display(),
        scaled(TICK),
        fleet.log_template()
    );
    (fleet, config)
}

fn numbers(answer: &Value) -> Vec<(f64, f64)> {
    let values = answer["data"]["result"][0]["values"].as_array();
    let point = |point: &Value| Some((point[0].as_f64()?, point[1].as_str()?.parse().ok()?));
    values.into_iter().flatten().filter_map(point).collect()
}

async fn up(bellwether: &Bellwether) -> Option<f64> {
    let (_, answer) = bellwether.get(&format!("{ROOT}/query?query=sum(up)")).await;
    answer["data"]["result"][0]["value"][1]
        .as_str()?
        .parse()
        .ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_are_scraped_judged_and_answered_through_a_kill() {
    let dir = folder();
    let (fleet, config) = shop(dir.path());
    let mut bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    until("every target up", PATIENCE, || async {
        (up(&bellwether).await? == INSTANCES).then_some(())
    })
    .await;
    until("six services", PATIENCE, || async {
        let (_, services) = bellwether.get("/services").await;
        (services["items"].as_array()?.len() == 6).then_some(())
    })
    .await;
    targets_are_shown(&bellwether).await;
    names_are_listed(&bellwether).await;
    queries_are_answered_and_refused(&bellwether).await;

    let time = || async {
        let (_, now) = bellwether.get(&format!("{ROOT}/query?query=time()")).await;
        now["data"]["result"][0].as_f64().unwrap().floor()
    };
    let first = time().await;
    // Every target is scraped once more after the last of them.
    until("five more seconds", PATIENCE, || async {
        (time().await >= first + 5.0).then_some(())
    })
    .await;
    let query = format!(
        "{ROOT}/query_range?query=sum(jvm_memory_used_bytes)&start={first}&end={}&step=1",
        first + 3.0
    );
    let (_, before) = bellwether.get(&query).await;
    assert_eq!(numbers(&before).len(), 4, "{before}");
    bellwether.kill_and_restart(&config).await;
    let (_, after) = bellwether.get(&query).await;
    assert_eq!(before, after, "a kill lost samples");
    until("scrapes again", PATIENCE, || async {
        (up(&bellwether).await? == INSTANCES).then_some(())
    })
    .await;

    fleet.fault(FaultKind::Stopped, "ledger", 60, 1.0);
    until("an incident", PATIENCE * 2, || async {
        let open = bellwether.incidents().await;
        open.into_iter().find(|i| i["service"] == "ledger")
    })
    .await;
}

async fn targets_are_shown(bellwether: &Bellwether) {
    let (_, status) = bellwether.get("/api/v1/status").await;
    assert_eq!(status["source"]["url"], "the embedded store");
    let targets = status["embedded"]["targets"].as_array().unwrap();
    assert_eq!(targets.len(), INSTANCES as usize);
    for target in targets {
        assert_eq!(
            (&target["up"], &target["error"]),
            (&json!(true), &Value::Null)
        );
        let (samples, kept) = (target["samples"].as_u64(), target["kept"].as_u64());
        assert!(kept > Some(50) && kept < samples, "{target}");
    }
    assert!(
        status["embedded"]["memory_bytes"].as_u64() > Some(0),
        "{status}"
    );
}

async fn names_are_listed(bellwether: &Bellwether) {
    let (_, services) = bellwether
        .get(&format!("{ROOT}/label/service/values"))
        .await;
    let shop = json!([
        "catalog",
        "gateway",
        "inventory",
        "ledger",
        "orders",
        "payments"
    ]);
    assert_eq!(services["data"], shop);
    let (_, labels) = bellwether.get(&format!("{ROOT}/labels?match[]=up")).await;
    assert_eq!(labels["data"], json!(["__name__", "instance", "job"]));
    let (_, series) = bellwether
        .get(&format!(
            "{ROOT}/series?match[]=up%7Binstance%3D%22ledger-1%22%7D"
        ))
        .await;
    let ledger = json!([{ "__name__": "up", "instance": "ledger-1", "job": DEFAULT_JOB }]);
    assert_eq!(series["data"], ledger);
    let (status, none) = bellwether.get(&format!("{ROOT}/series")).await;
    assert_eq!((status, &none["errorType"]), (400, &json!("bad_data")));
    let (_, metadata) = bellwether.get(&format!("{ROOT}/metadata")).await;
    assert_eq!(metadata["data"]["process_cpu_usage"][0]["type"], "gauge");
    let (_, built) = bellwether.get(&format!("{ROOT}/status/buildinfo")).await;
    assert_eq!(built["status"], "success");
}

async fn queries_are_answered_and_refused(bellwether: &Bellwether) {
    // As Grafana asks.
    let form = client()
        .post(format!("{}{ROOT}/query", bellwether.url))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "http://grafana.example")
        .body("query=count+by+%28job%29+%28up%29")
        .send()
        .await
        .unwrap();
    assert_eq!(form.status(), 200);
    let answer: Value = form.json().await.unwrap();
    assert_eq!(answer["data"]["resultType"], "vector");
    assert_eq!(
        answer["data"]["result"][0]["metric"],
        json!({ "job": DEFAULT_JOB })
    );
    assert_eq!(answer["data"]["result"][0]["value"][1], "10");
    for (query, status, says) in [
        ("query?query=topk(3,up)", 400, "topk"),
        ("query?query=sum(", 400, ""),
        ("query", 400, "query is missing"),
        ("query?query=up&time=soon", 400, "time"),
        (
            "query_range?query=up&start=2&end=1&step=1",
            400,
            "before start",
        ),
        ("query_range?query=up&start=1&end=2&step=0", 400, "step"),
        (
            "query_range?query=up&start=0&end=99999999&step=1",
            400,
            "11000 points",
        ),
        ("query?query=up%2Bon(job)up", 422, "many-to-many"),
    ] {
        let (answered, refusal) = bellwether.get(&format!("{ROOT}/{query}")).await;
        assert_eq!(answered, status, "{query}: {refusal}");
        assert_eq!(refusal["status"], "error", "{query}: {refusal}");
        let why = refusal["error"].as_str().unwrap();
        assert!(why.contains(says), "{query}: {why}");
    }
}

#[test]
fn what_is_kept_is_listed_and_what_cannot_be_evaluated_is_refused() {
    let dir = folder();
    let file = dir.path().join("config.yaml");
    let targets = "scrape_configs: [{ job_name: a, static_configs: [{ targets: ['a:80'] }] }]\n";
    std::fs::write(dir.path().join("targets.yml"), targets).unwrap();
    let scrape = format!("scrape: '{}'\n", dir.path().join("targets.yml").display());
    let check = |more: &str| {
        std::fs::write(&file, format!("{scrape}{more}")).unwrap();
        let arguments = ["check-config", "--config", file.to_str().unwrap()];
        let checked = run(Path::new(env!("CARGO_BIN_EXE_bellwether")), &arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            checked.status.code(),
            text(&checked.stdout),
            text(&checked.stderr),
        )
    };
    let added = "metrics: { q: { query: 'max by ($identity) (my_queue_depth)' } }\n";
    let (code, kept, _) = check(added);
    assert_eq!(code, Some(0), "{kept}");
    for line in [
        "# 1 targets",
        "#   my_queue_depth\n",
        "#   process_cpu_usage\n",
    ] {
        assert!(kept.contains(line), "{line:?} is not in\n{kept}");
    }
    let odd = "metrics: { q: { query: 'max by ($identity) (predict_linear(x[1h], 60))' } }\n";
    let (code, _, why) = check(odd);
    assert_eq!(code, Some(2));
    assert!(
        why.contains("metric q") && why.contains("predict_linear"),
        "{why}"
    );
    std::fs::write(dir.path().join("targets.yml"), "scrape_configs: 7\n").unwrap();
    let (code, _, why) = check("");
    assert_eq!(code, Some(2));
    assert!(why.contains("targets.yml"), "{why}");
}

#[test]
fn expressions_over_a_file_are_answered_line_by_line() {
    let dir = folder();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let samples = "# TYPE up gauge\nup{job=\"a\"} 1 1000\nup{job=\"a\"} 0 1015.5\n# EOF\n";
    std::fs::write(path("samples.om"), samples).unwrap();
    let queries = "# the state\n1001 1031 15 up\n1001 1016 15s topk(1, up)\n";
    std::fs::write(path("queries.txt"), queries).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_bellwether"));
    let arguments = [
        "lab",
        "promql",
        &path("samples.om"),
        "--queries",
        &path("queries.txt"),
    ];
    let answered = run(binary, &arguments);
    assert!(answered.status.success(), "{answered:?}");
    let lines: Vec<Value> = String::from_utf8_lossy(&answered.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let values = json!([[1001, "1"], [1016, "0"], [1031, "0"]]);
    assert_eq!(lines[0]["data"]["result"][0]["values"], values);
    assert_eq!(
        (lines.len(), &lines[1]["errorType"]),
        (2, &json!("bad_data"))
    );
    assert!(
        lines[1]["error"].as_str().unwrap().contains("topk"),
        "{}",
        lines[1]
    );

    std::fs::write(path("queries.txt"), "1 2 15 up\nyesterday 2 1 up\n").unwrap();
    let refused = run(binary, &arguments);
    let why = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        why.contains("queries.txt") && why.contains("line 2"),
        "{why}"
    );
}
