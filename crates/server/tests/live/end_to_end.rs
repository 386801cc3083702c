//! The main job on real parts.

use std::time::{Duration, Instant};

use domain::Catalogue;
use serde_json::{Value, json};
use simulator::{FaultKind, Span, Topology};

use crate::harness::{Bellwether, PrometheusServer, SimulatedFleet, figure, folder, scaled, until};

const TICK: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_becomes_one_incident_with_its_logs() {
    let dir = folder();
    let history = (
        Span::from_secs(2 * 86_400),
        Span::from_secs(60),
        &*dir.path().join("prometheus"),
    );
    let fleet = SimulatedFleet::start(Topology::shop(), 11, dir.path(), Some(history));
    let prometheus = PrometheusServer::start(&fleet, dir.path(), Span::from_secs(1)).await;
    let config = format!(
        "prometheus: {{ url: '{}' }}\npacks: [spring]\n{}logs: [ {{ path: '{}' }} ]\n",
        prometheus.url,
        scaled(TICK),
        fleet.log_template()
    );
    let began = Instant::now();
    let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    bellwether.models(18, Duration::from_secs(60)).await;
    let first_models = began.elapsed();
    figure(
        "1",
        "first models of 6 services after start",
        format!("{:.1} s", first_models.as_secs_f64()),
        "≤ 60 s",
        first_models.as_secs() <= 60,
    );
    // The others, too: what is learnt in the middle of a fault takes it for usual.
    bellwether.models(77, Duration::from_secs(180)).await;

    let incident = fault(&fleet, &bellwether).await;
    judgement(&bellwether).await;
    logs(&bellwether, &incident).await;
    resolve(&bellwether, &incident).await;
}

/// One fault, one incident on the affected service, soon.
async fn fault(fleet: &SimulatedFleet, bellwether: &Bellwether) -> Value {
    assert_eq!(
        bellwether.incidents().await,
        Vec::<Value>::new(),
        "nothing is wrong yet"
    );
    fleet.fault(FaultKind::BadRelease, "inventory", 120, 2.0);
    let incident = until("an incident", Duration::from_secs(90), || async {
        bellwether
            .incidents()
            .await
            .into_iter()
            .find(|i| i["service"] == "inventory")
    })
    .await;
    assert_eq!(incident["status"], "OPEN");
    let delay = seconds(&incident["opened_ts"]) - seconds(&incident["first_crossing_ts"]);
    let ticks = delay / TICK.as_secs_f64();
    figure(
        "1",
        "delay of the incident",
        format!("{ticks} ticks"),
        "≤ 4 ticks",
        ticks <= 4.0,
    );
    assert!(ticks <= 4.0, "{incident}");
    incident
}

/// The five things and why.
async fn judgement(bellwether: &Bellwether) {
    let (status, answer) = bellwether.get("/metrics?service=inventory").await;
    assert_eq!(status, 200);
    let metrics = answer["metrics"].as_array().expect("a list");
    let catalogue = Catalogue::default_three().len() + Catalogue::spring_pack().len();
    assert_eq!(metrics.len(), catalogue);
    for metric in metrics {
        let why = metric["why"].as_str().expect("a reason");
        assert!(!why.is_empty(), "{metric}");
    }
    let three = ["cpu", "mem", "lat"].map(|id| metrics.iter().find(|m| m["id"] == id));
    for metric in three {
        let metric = metric.expect("a metric of the mission");
        assert!(metric["value"].is_f64(), "{metric}");
        assert!(
            ["%", "ms"].contains(&metric["unit"].as_str().unwrap()),
            "{metric}"
        );
        assert!(
            ["Normal", "High", "Critical"].contains(&metric["severity"].as_str().unwrap()),
            "{metric}"
        );
        assert!(
            ["Normal", "Anomaly"].contains(&metric["prediction"].as_str().unwrap()),
            "{metric}"
        );
        assert!(
            metric["event_ts"].as_str().unwrap().ends_with('Z'),
            "{metric}"
        );
        assert!(
            metric["why"].as_str().unwrap().contains("expected"),
            "{metric}"
        );
    }
    let lat = metrics.iter().find(|m| m["id"] == "lat").expect("lat");
    assert_eq!(
        (&lat["severity"], &lat["prediction"]),
        (&json!("High"), &json!("Anomaly"))
    );
}

/// Logs come with the incident, and `event_ts` is taken as it is.
async fn logs(bellwether: &Bellwether, incident: &Value) {
    let path = format!("/api/v1/incidents/{}", incident["id"]);
    let attached = until("attached logs", Duration::from_secs(30), || async {
        let (_, whole) = bellwether.get(&path).await;
        let lines = whole["logs"]["items"].as_array()?.clone();
        (!lines.is_empty()).then_some(lines)
    })
    .await;
    assert!(
        attached
            .iter()
            .any(|line| line["level"] == "ERROR" || line["level"] == "WARN"),
        "{attached:?}"
    );
    figure("1", "log lines attached", attached.len(), "≥ 1", true);

    let (_, answer) = bellwether.get("/metrics?service=inventory").await;
    let lat = answer["metrics"]
        .as_array()
        .and_then(|m| m.iter().find(|m| m["id"] == "lat"))
        .cloned();
    let event_ts = lat.expect("lat")["event_ts"]
        .as_str()
        .expect("a time")
        .to_owned();
    assert_eq!(
        event_ts,
        incident["event_ts"].as_str().unwrap(),
        "the first crossing of the episode"
    );
    let (status, logs) = bellwether
        .get(&format!("/logs?service=inventory&event_ts={event_ts}"))
        .await;
    assert_eq!(status, 200, "{logs}");
    assert!(
        ["found", "none_in_window"].contains(&logs["outcome"].as_str().unwrap()),
        "{logs}"
    );
}

async fn resolve(bellwether: &Bellwether, incident: &Value) {
    let path = format!("/api/v1/incidents/{}", incident["id"]);
    let note = json!({ "note": "rolled back" });
    let (status, resolved) = bellwether
        .post(&format!("{path}/resolve"), Some(note.clone()))
        .await;
    assert_eq!(
        (status, &resolved["status"]),
        (200, &json!("RESOLVED")),
        "{resolved}"
    );
    let (status, again) = bellwether
        .post(&format!("{path}/resolve"), Some(note))
        .await;
    assert_eq!(
        (status, &again["status"]),
        (200, &json!("RESOLVED")),
        "a repeat is answered"
    );
    let (status, refused) = bellwether.post(&format!("{path}/ack"), None).await;
    assert_eq!(status, 409, "{refused}");
    figure("1", "resolve works and repeats", "yes", "yes", true);
}

fn seconds(time: &Value) -> f64 {
    let time: domain::Timestamp = time.as_str().expect("a time").parse().expect("RFC 3339");
    time.as_seconds()
}
