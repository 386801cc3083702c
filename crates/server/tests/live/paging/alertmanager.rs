//! A real Alertmanager in between: what fires arrives as firing for as long as it fires, and its end
//! says what kind of end it is. `BELLWETHER_ALERTMANAGER_MINUTES` says how long an incident is left
//! open; with it, Bellwether is killed afterwards, too.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::receiver::Receiver;
use super::{CALM, HIGH, SOON, config, incident_of, started};
use crate::harness::{Process, client, figure, folder, free_port, from_environment, until};
use crate::knobs::scripted::Scripted;

/// Alerts that are not sent again end so long after they were sent last.
const FIRING_FOR: Duration = Duration::from_secs(240);
/// Ends are flushed by groups, once a second; and a machine may be busy.
const LEEWAY: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_secs(5);

struct Alertmanager {
    url: String,
    _process: Process,
}

impl Alertmanager {
    /// Each incident is a group, told to the receiver within a second.
    async fn start(dir: &Path, receiver: &Receiver) -> Alertmanager {
        let config = format!(
            "route: {{ receiver: hook, group_by: [incident], group_wait: 1s, group_interval: 1s, repeat_interval: 1h }}\n\
             receivers: [ {{ name: hook, webhook_configs: [ {{ url: '{}/am', send_resolved: true }} ] }} ]\n",
            receiver.url
        );
        std::fs::write(dir.join("alertmanager.yml"), config).unwrap();
        let port = free_port();
        let child = Command::new("prometheus-alertmanager")
            .args([
                "--config.file=alertmanager.yml",
                "--storage.path=alertmanager",
            ])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .current_dir(dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Debian's prometheus-alertmanager is installed");
        let alertmanager = Alertmanager {
            url: format!("http://127.0.0.1:{port}"),
            _process: Process(child),
        };
        let (client, url) = (client(), format!("{}/-/ready", alertmanager.url));
        until("an Alertmanager", SOON, || async {
            let answer = client.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        alertmanager
    }

    /// Whether it holds a service's alert for active.
    async fn is_active(&self, service: &str) -> bool {
        let url = format!("{}/api/v2/alerts?active=true", self.url);
        let alerts: Value = client()
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let alerts = alerts.as_array().unwrap();
        alerts
            .iter()
            .any(|alert| alert["labels"]["service"] == service)
    }
}

/// The alerts about a service that came out of the Alertmanager, in order.
fn heard(receiver: &Receiver, service: &str) -> Vec<Value> {
    let taken = receiver.taken();
    let of_alertmanager = taken.iter().filter(|taken| taken.path == "/am");
    of_alertmanager
        .flat_map(|taken| taken.body["alerts"].as_array().cloned().unwrap_or_default())
        .filter(|alert| alert["labels"]["service"] == service)
        .collect()
}

/// Status and annotated state of each.
fn states(alerts: &[Value]) -> Vec<(&str, &str)> {
    let state = |alert| {
        let alert: &Value = alert;
        let status = alert["status"].as_str().unwrap_or_default();
        let annotated = alert["annotations"]["state"].as_str().unwrap_or_default();
        (status, annotated)
    };
    alerts.iter().map(state).collect()
}

async fn hears(receiver: &Receiver, service: &str, expected: &[(&str, &str)]) {
    until(&format!("{service}: {expected:?}"), SOON, || async {
        (states(&heard(receiver, service)) == expected).then_some(())
    })
    .await;
}

fn beats(receiver: &Receiver) -> usize {
    let taken = receiver.taken();
    taken.iter().filter(|taken| taken.path == "/beat").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_an_alertmanager_what_fires_fires_and_every_end_says_what_it_is() {
    let minutes = from_environment("BELLWETHER_ALERTMANAGER_MINUTES", 0);
    let dir = folder();
    let prometheus = Scripted::start(&CALM, Duration::from_secs(72 * 3600)).await;
    let receiver = Receiver::start().await;
    let alertmanager = Alertmanager::start(dir.path(), &receiver).await;
    let notify = format!(
        "  receivers: [ {{ name: am, alertmanager: '{}' }} ]\n  heartbeat: {{ url: '{}/beat', interval: 1s }}",
        alertmanager.url, receiver.url
    );
    let mut bellwether = started(dir.path(), &config(&prometheus.url, &notify)).await;

    prometheus.shift("gamma", HIGH);
    hears(&receiver, "gamma", &[("firing", "firing")]).await;
    let opened = Instant::now();
    let id = incident_of(&bellwether, "gamma").await;
    let alert = &heard(&receiver, "gamma")[0];
    let labels = json!({
        "alertname": "BellwetherIncident", "incident": id.to_string(), "kind": "metrics",
        "service": "gamma", "severity": "high",
    });
    assert_eq!(alert["labels"], labels);
    let link = format!("https://bellwether.example/b/ui/incidents/{id}");
    assert_eq!(alert["generatorURL"], link);
    assert_eq!(alert["annotations"]["link"], link);
    let summary = alert["annotations"]["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("gamma: ") && summary.contains("past High"),
        "{summary}"
    );

    prometheus.shift("alpha", HIGH);
    hears(&receiver, "alpha", &[("firing", "firing")]).await;
    prometheus.shift("alpha", CALM[0].1);
    let quiet = [("firing", "firing"), ("resolved", "quiet")];
    hears(&receiver, "alpha", &quiet).await;

    prometheus.shift("beta", HIGH);
    hears(&receiver, "beta", &[("firing", "firing")]).await;
    let path = format!(
        "/api/v1/incidents/{}/resolve",
        incident_of(&bellwether, "beta").await
    );
    assert_eq!(bellwether.post(&path, Some(json!({}))).await.0, 200);
    let resolved = [("firing", "firing"), ("resolved", "resolved")];
    hears(&receiver, "beta", &resolved).await;

    let left_open = Duration::from_secs(60 * minutes);
    let looks = watch_it_fire(&alertmanager, opened, left_open).await;
    let heard_of_it = heard(&receiver, "gamma");
    assert_eq!(states(&heard_of_it), [("firing", "firing")]);
    let (_, incident) = bellwether.get(&format!("/api/v1/incidents/{id}")).await;
    assert_eq!(incident["firing"], true);
    if minutes == 0 {
        return;
    }
    figure(
        "api 3",
        "an incident left open behind a real Alertmanager",
        format!("{minutes} minutes, {looks} looks, told as resolved 0 times"),
        "12 minutes, never resolved",
        minutes >= 12,
    );
    bellwether.kill();
    silence_is_noticed(&receiver).await;
}

/// Looks until an incident has been open for so long, and must find it active each time.
async fn watch_it_fire(alertmanager: &Alertmanager, opened: Instant, left_open: Duration) -> u32 {
    let mut looks = 0;
    loop {
        looks += 1;
        assert!(alertmanager.is_active("gamma").await, "look {looks}");
        if opened.elapsed() >= left_open {
            return looks;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Of a Bellwether that was killed just now: its beats end, and its alerts as long after as they
/// were said to last.
async fn silence_is_noticed(receiver: &Receiver) {
    let killed = Instant::now();
    let last = beats(receiver);
    assert!(last > 0, "it beat while it lived");
    let resolved = [("firing", "firing"), ("resolved", "firing")];
    until("the end of the alert", FIRING_FOR + LEEWAY, || async {
        (states(&heard(receiver, "gamma")) == resolved).then_some(())
    })
    .await;
    let after = killed.elapsed();
    // One may have been on its way.
    let further = beats(receiver) - last;
    let passes = further <= 1 && after >= FIRING_FOR / 2;
    figure(
        "api 3",
        "Bellwether killed: beats a second before, beats after; its alert ends by itself",
        format!(
            "1, {further} on its way; after {:.0} s",
            after.as_secs_f64()
        ),
        "no beats; within 240 s",
        passes,
    );
    assert!(passes, "{further} beats, {after:?}");
}
