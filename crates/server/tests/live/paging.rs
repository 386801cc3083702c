//! Who is told of incidents, and when, over a real server and a receiver that remembers.

pub mod receiver;

mod alertmanager;
mod kills;
mod storm;
mod tested;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Bellwether, folder, until};
use crate::knobs::scripted::Scripted;
use receiver::Receiver;

const CALM: [(&str, f64); 3] = [("alpha", 20.0), ("beta", 30.0), ("gamma", 40.0)];
const HIGH: f64 = 90.0;
const CRITICAL: f64 = 98.0;
const SOON: Duration = Duration::from_secs(60);

fn config(prometheus: &str, notify: &str) -> String {
    format!(
        "prometheus: {{ url: '{prometheus}' }}\ntick: 1s\nevaluation_delay: 1s\n\
         decide: {{ open_after: 2s, critical_after: 4s, quiet_period: 5s, down_after: 4s }}\n\
         server: {{ external_url: 'https://bellwether.example/b' }}\nnotify:\n{notify}\n"
    )
}

async fn started(dir: &Path, config: &str) -> Bellwether {
    let bellwether = Bellwether::start(dir, config, &[]).await;
    until("the past and models", 2 * SOON, || async {
        let (_, status) = bellwether.get("/api/v1/status").await;
        let done = status["backfill"]["phase"] == "done";
        (done && status["models"] == CALM.len()).then_some(())
    })
    .await;
    bellwether
}

async fn told(receiver: &Receiver, service: &str, kinds: &[&str]) {
    until(&format!("{service}: {kinds:?}"), SOON, || async {
        (receiver.kinds(service) == kinds).then_some(())
    })
    .await;
}

async fn incident_of(bellwether: &Bellwether, service: &str) -> u64 {
    let path = format!("/api/v1/incidents?service={service}");
    until("an incident", SOON, || async {
        let (_, page) = bellwether.get(&path).await;
        page["items"][0]["id"].as_u64()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_is_told_of_opened_raised_repeated_and_resolved() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, Duration::from_secs(72 * 3600)).await;
    let receiver = Receiver::start().await;
    std::fs::write(dir.path().join("token"), "hunter2\n").unwrap();
    let notify = format!(
        "  receivers: [ {{ name: oncall, webhook: '{}/T0/hunter3', bearer_token_file: '{}' }} ]\n  repeat_interval: 6s\n  messages_per_minute: 600",
        receiver.url,
        dir.path().join("token").display()
    );
    let bellwether = started(dir.path(), &config(&prometheus.url, &notify)).await;
    let (_, status) = bellwether.get("/api/v1/status").await;
    assert_eq!(status["paging"]["state"], "on", "{status}");

    prometheus.shift("alpha", HIGH);
    told(&receiver, "alpha", &["opened"]).await;
    let first = &receiver.taken()[0];
    assert_eq!(first.path, "/T0/hunter3");
    assert_eq!(first.headers["authorization"], "Bearer hunter2");
    let notice = &first.body["notices"][0];
    let id = incident_of(&bellwether, "alpha").await;
    assert_eq!(
        notice["link"],
        format!("https://bellwether.example/b/ui/incidents/{id}")
    );
    assert_eq!(notice["severity"], "High");
    assert!(
        notice["summary"].as_str().unwrap().contains("CPU"),
        "{notice}"
    );

    prometheus.shift("alpha", CRITICAL);
    told(&receiver, "alpha", &["opened", "severity_raised"]).await;
    told(&receiver, "alpha", &["opened", "severity_raised", "repeat"]).await;
    let action = |action: &'static str| {
        let path = format!("/api/v1/incidents/{id}/{action}");
        let bellwether = &bellwether;
        async move { bellwether.post(&path, Some(json!({}))).await }
    };
    assert_eq!(action("ack").await.0, 200);
    let said = receiver.kinds("alpha");
    // What repeats would by now have repeated twice.
    let quiet_until = tokio::time::Instant::now() + Duration::from_secs(13);
    until("a while", SOON, || async {
        (tokio::time::Instant::now() > quiet_until).then_some(())
    })
    .await;
    assert_eq!(
        receiver.kinds("alpha"),
        said,
        "acknowledged, and still repeated"
    );
    assert_eq!(action("resolve").await.0, 200);
    let mut all = said.clone();
    all.push("resolved".to_owned());
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    told(&receiver, "alpha", &all).await;

    until("all is noted as delivered", SOON, || async {
        let path = format!("/api/v1/notices?incident={id}");
        let (_, notices) = bellwether.get(&path).await;
        let items = notices["items"].as_array()?;
        let delivered = items.iter().filter(|item| item["state"] == "delivered");
        (items.len() == all.len() && delivered.count() == all.len()).then_some(())
    })
    .await;
    let (_, receivers) = bellwether.get("/api/v1/receivers").await;
    let shown = receivers["items"][0]["address"].as_str().unwrap();
    assert!(
        shown.starts_with(&receiver.url) && !shown.contains("hunter"),
        "{shown}"
    );
    for secret in ["hunter2", "hunter3"] {
        assert!(!bellwether.log().contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mutes_and_shadow_mode_withhold_and_what_still_fires_is_told_after() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, Duration::from_secs(72 * 3600)).await;
    let receiver = Receiver::start().await;
    let notify = format!(
        "  receivers: [ {{ name: oncall, webhook: '{}' }} ]\n  messages_per_minute: 600",
        receiver.url
    );
    let bellwether = started(dir.path(), &config(&prometheus.url, &notify)).await;
    let mute = json!({"service": "alpha", "for": "1h", "note": "load test"});
    let (status, mute) = bellwether.post("/api/v1/mutes", Some(mute)).await;
    assert_eq!(status, 201, "{mute}");
    prometheus.shift("alpha", HIGH);
    prometheus.shift("beta", HIGH);
    told(&receiver, "beta", &["opened"]).await;
    let withheld = until("a withheld notice", SOON, || async {
        let (_, page) = bellwether.get("/api/v1/notices?state=withheld").await;
        page["items"][0]["why"].as_str().map(str::to_owned)
    })
    .await;
    assert!(
        withheld.contains("alpha") && withheld.contains("load test"),
        "{withheld}"
    );
    assert_eq!(receiver.kinds("alpha"), Vec::<String>::new());
    let (_, status) = bellwether.get("/api/v1/status").await;
    assert!(
        status["paging"]["because"]
            .to_string()
            .contains("muted: alpha"),
        "{status}"
    );

    let id = mute["id"].as_u64().unwrap();
    let client = crate::harness::client();
    let url = format!("{}/api/v1/mutes/{id}", bellwether.url);
    assert_eq!(client.delete(&url).send().await.unwrap().status(), 200);
    told(&receiver, "alpha", &["opened"]).await;

    let shadow = json!({"on": true, "note": "trial"});
    let (status, answer) = bellwether.post("/api/v1/shadow", Some(shadow)).await;
    assert_eq!(
        (status, &answer["on"]),
        (200, &Value::Bool(true)),
        "{answer}"
    );
    let (_, status) = bellwether.get("/api/v1/status").await;
    assert_eq!(status["paging"]["state"], "off", "{status}");
    prometheus.shift("gamma", HIGH);
    incident_of(&bellwether, "gamma").await;
    until("a withheld notice", SOON, || async {
        let (_, page) = bellwether.get("/api/v1/notices?state=withheld").await;
        (page["items"][0]["service"] == "gamma").then_some(())
    })
    .await;
    assert_eq!(receiver.kinds("gamma"), Vec::<String>::new());
    let (status, _) = bellwether
        .post("/api/v1/shadow", Some(json!({"on": false})))
        .await;
    assert_eq!(status, 200);
    told(&receiver, "gamma", &["opened"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_is_said_and_told_later_and_stops_no_other() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, Duration::from_secs(72 * 3600)).await;
    let (good, bad) = (Receiver::start().await, Receiver::start().await);
    bad.refuse(1000);
    let notify = format!(
        "  receivers: [ {{ name: good, webhook: '{}' }}, {{ name: bad, webhook: '{}' }} ]\n  messages_per_minute: 600\n  heartbeat: {{ url: '{}/beat', interval: 1s }}\n  blind_after: 3s",
        good.url, bad.url, good.url
    );
    let config = config(&prometheus.url, &notify);
    let mut bellwether = started(dir.path(), &config).await;
    prometheus.shift("alpha", HIGH);
    told(&good, "alpha", &["opened"]).await;
    until("the failure is said", SOON, || async {
        let (_, status) = bellwether.get("/api/v1/status").await;
        (status["paging"]["state"] == "failing").then_some(())
    })
    .await;
    // Killed while it waits: nothing is lost, nothing is told twice.
    bellwether.kill_and_restart(&config).await;
    bad.refuse(0);
    told(&bad, "alpha", &["opened"]).await;
    assert_eq!(good.kinds("alpha"), ["opened"]);

    let beats = |receiver: &Receiver| {
        let taken = receiver.taken();
        taken.iter().filter(|taken| taken.path == "/beat").count()
    };
    until("heartbeats", SOON, || async {
        (beats(&good) >= 3).then_some(())
    })
    .await;
    drop(prometheus);
    until("the page of a blind source", SOON, || async {
        let kinds: Vec<Value> = good.notices().iter().map(|n| n["kind"].clone()).collect();
        kinds.contains(&json!("source")).then_some(())
    })
    .await;
    let (_, status) = bellwether.get("/api/v1/status").await;
    assert_eq!(status["source"]["state"], "down");
    // Ticks go on while the source is blind, so the heart beats; killed, it doesn't.
    bellwether.kill();
    let last = beats(&good);
    let later = tokio::time::Instant::now() + Duration::from_secs(3);
    until("a while", SOON, || async {
        (tokio::time::Instant::now() > later).then_some(())
    })
    .await;
    assert!(
        beats(&good) <= last + 1,
        "the heart of a killed server beats"
    );
}
