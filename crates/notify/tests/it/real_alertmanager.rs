//! Alerts at a real Alertmanager: which of them it takes to fire, after each thing that happens.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use domain::{Severity, Timestamp};
use notify::{Alert, Delivery, Endpoint, Message, Notice, ReceiverKind};
use serde_json::Value;

use crate::desk::{Desk, HOUR, MINUTE, receiver};

struct Server {
    child: Child,
    url: String,
    delivery: Delivery,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    async fn start(folder: &Path) -> Server {
        let config = "route: { receiver: nobody }\nreceivers: [ { name: nobody } ]\n";
        std::fs::write(folder.join("alertmanager.yml"), config).expect("the folder is ours");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port is free")
            .port();
        let url = format!("http://127.0.0.1:{port}");
        let child = Command::new("prometheus-alertmanager")
            .args(["--config.file=alertmanager.yml", "--storage.path=data"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Debian's prometheus-alertmanager is installed");
        let delivery = Delivery::new(ReceiverKind::Alertmanager, Endpoint::at(url.clone()))
            .expect("the url can be used");
        let server = Server {
            child,
            url,
            delivery,
        };
        for _ in 0..200 {
            if server.take(&[]).await {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the Alertmanager did not start");
    }

    async fn take(&self, alerts: &[Alert]) -> bool {
        let sent = self.delivery.send(&Message::alerts(alerts), now()).await;
        sent.is_ok()
    }

    /// Severities and incidents of what fires there, in order.
    async fn firing(&self) -> Vec<String> {
        let url = format!("{}/api/v2/alerts", self.url);
        let answer = reqwest::get(url).await.expect("it answers");
        let answer = answer.bytes().await.expect("it answers whole");
        let alerts: Vec<Value> = serde_json::from_slice(&answer).expect("it answers with alerts");
        let word = |alert: &Value, name: &str| {
            let word = alert["labels"][name].as_str();
            word.unwrap_or_default().to_owned()
        };
        let mut words: Vec<String> = alerts
            .iter()
            .map(|alert| format!("{} {}", word(alert, "severity"), word(alert, "incident")))
            .collect();
        words.sort();
        words
    }
}

/// The Alertmanager has a clock of its own.
#[expect(
    clippy::disallowed_methods,
    reason = "it is held against another program's clock"
)]
fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = since_epoch.expect("it is after 1970").as_millis();
    Timestamp::from_millis(i64::try_from(millis).expect("it is before the year 9999"))
}

fn alerts(notices: Vec<Notice>) -> Vec<Alert> {
    let bodies: Vec<_> = notices.into_iter().map(|notice| notice.body).collect();
    Alert::of(&bodies)
}

#[tokio::test]
async fn an_alertmanager_takes_to_fire_what_fires() {
    let folder = tempfile::tempdir().expect("there is room");
    let server = Server::start(folder.path()).await;
    let mut desk = Desk::new(vec![receiver("am", ReceiverKind::Alertmanager)]);
    desk.now = now();
    let step = async |desk: &mut Desk| {
        desk.now = now().max(desk.now);
        let alerts = alerts(desk.step());
        assert!(server.take(&alerts).await, "{alerts:?}");
        server.firing().await
    };

    desk.open(1, Severity::High);
    desk.open(2, Severity::Critical);
    assert_eq!(step(&mut desk).await, ["critical 2", "high 1"]);
    desk.edit(1, |incident| incident.severity = Severity::Critical);
    assert_eq!(step(&mut desk).await, ["critical 1", "critical 2"]);
    desk.edit(1, |incident| incident.severity = Severity::High);
    assert_eq!(step(&mut desk).await, ["critical 2", "high 1"]);
    desk.go_quiet(2);
    assert_eq!(step(&mut desk).await, ["high 1"]);
    desk.mute();
    assert!(step(&mut desk).await.is_empty());
    desk.unmute();
    assert_eq!(step(&mut desk).await, ["high 1"]);
    desk.resolve(1);
    assert!(step(&mut desk).await.is_empty());

    let mut late = Desk::new(vec![receiver("am", ReceiverKind::Alertmanager)]);
    late.now = now() - HOUR;
    late.open(3, Severity::High);
    let old = alerts(late.step());
    assert!(server.take(&old).await);
    assert!(
        server.firing().await.is_empty(),
        "a notice of an hour ago wakes nothing"
    );
    late.now = now() - MINUTE;
    let incidents: Vec<_> = late
        .incidents
        .into_values()
        .map(std::sync::Arc::new)
        .collect();
    let seen = notify::Seen {
        now: now(),
        incidents: &incidents,
        source: notify::Source::Answers,
    };
    let again = late.pager.firing_alerts(&late.policy, "am", &seen);
    assert!(server.take(&again).await);
    assert_eq!(
        server.firing().await,
        ["high 3"],
        "what still fires is sent again"
    );
}
