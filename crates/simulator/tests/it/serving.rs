//! The fleet over HTTP, started in-process as other crates' tests do it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use simulator::{ServeOptions, SharedFleet, serve, shared};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{NOON_MS, shop};

struct Served {
    address: String,
    now_ms: Arc<AtomicI64>,
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
    fleet: SharedFleet,
}

async fn start() -> Served {
    let fleet = shared(shop(vec![]));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let now_ms = Arc::new(AtomicI64::new(NOON_MS + 60_000));
    let clock = now_ms.clone();
    let options = ServeOptions {
        clock: Arc::new(move || clock.load(Ordering::Relaxed)),
        ..ServeOptions::default()
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let task = tokio::spawn(serve(fleet.clone(), listener, options, async {
        let _ = stopped.await;
    }));
    Served {
        address,
        now_ms,
        stop,
        task,
        fleet,
    }
}

impl Served {
    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).await.expect("it listens");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: fleet\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it reads");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .await
            .expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status");
        (status, body.to_owned())
    }

    async fn json(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (status, text) = self.ask(method, path, body).await;
        (
            status,
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")),
        )
    }
}

#[tokio::test]
async fn targets_of_discovery_answer_scrapes() {
    let served = start().await;
    let (_, targets) = served.json("GET", "/sd", "").await;
    let targets = targets.as_array().expect("a list");
    assert_eq!(targets.len(), 10);
    assert_eq!(targets[2]["labels"]["instance"], "orders-1");
    for target in targets {
        assert_eq!(target["targets"], json!([served.address]));
        let path = target["labels"]["__metrics_path__"]
            .as_str()
            .expect("a path");
        let (status, text) = served.ask("GET", path, "").await;
        assert_eq!(status, 200);
        assert!(text.contains("process_cpu_usage{service="));
    }
    assert_eq!(
        served
            .ask("GET", "/svc/nobody/1/actuator/prometheus", "")
            .await
            .0,
        404
    );
    assert_eq!(
        served
            .ask("GET", "/svc/orders/3/actuator/prometheus", "")
            .await
            .0,
        404
    );
    let (_, topology) = served.json("GET", "/topology", "").await;
    assert_eq!(
        topology["services"][0]["calls"],
        json!(["orders", "catalog"])
    );
    served.stop.send(()).expect("it still runs");
    served.task.await.expect("no panic").expect("no error");
}

#[tokio::test]
async fn faults_are_started_and_ended_live() {
    let served = start().await;
    let request = json!({"kind": "stopped", "service": "payments", "for": "5m", "magnitude": 1.0})
        .to_string();
    let (status, fault) = served.json("POST", "/faults", &request).await;
    assert_eq!((status, &fault["state"]), (201, &json!("active")));
    served.now_ms.fetch_add(1_000, Ordering::Relaxed);
    assert_eq!(
        served
            .ask("GET", "/svc/payments/1/actuator/prometheus", "")
            .await
            .0,
        503
    );
    let (_, truth) = served
        .json("GET", "/truth?service=payments&metric=up", "")
        .await;
    assert_eq!(truth["value"], 0.0);
    let (_, truth) = served
        .json(
            "GET",
            "/truth?service=payments&metric=up&at=2026-11-22T12:00:30Z",
            "",
        )
        .await;
    assert_eq!(truth["value"], 1.0);

    let (status, ended) = served
        .json("DELETE", &format!("/faults/{}", fault["id"]), "")
        .await;
    assert_eq!((status, &ended["state"]), (200, &json!("over")));
    assert_eq!(
        served
            .ask("GET", "/svc/payments/1/actuator/prometheus", "")
            .await
            .0,
        200
    );
    served
        .json(
            "POST",
            "/faults",
            &json!({"kind": "cpu-burn", "service": "orders"}).to_string(),
        )
        .await;
    let (_, ended) = served.json("DELETE", "/faults", "").await;
    assert_eq!(ended.as_array().expect("a list").len(), 1);
    let (_, listed) = served.json("GET", "/faults", "").await;
    assert_eq!(listed.as_array().expect("a list").len(), 2);
    assert_eq!(served.fleet.lock().expect("no panic").faults().len(), 2);
}

#[tokio::test]
async fn wrong_requests_are_told_what_would_be_right() {
    let served = start().await;
    for (method, path, body, status, needle) in [
        (
            "POST",
            "/faults",
            r#"{"kind":"cpu","service":"orders"}"#,
            400,
            "known: cpu-burn, heap-leak",
        ),
        (
            "POST",
            "/faults",
            r#"{"kind":"cpu-burn","service":"x"}"#,
            400,
            "known: gateway, orders",
        ),
        (
            "POST",
            "/faults",
            r#"{"kind":"cpu-burn","service":"orders","for":"5 minutes"}"#,
            422,
            "20m",
        ),
        (
            "POST",
            "/faults",
            r#"{"kind":"cpu-burn","service":"orders","size":2}"#,
            422,
            "size",
        ),
        (
            "POST",
            "/faults",
            r#"{"kind":"cpu-burn","service":"orders","magnitude":-1}"#,
            400,
            "magnitude",
        ),
        ("DELETE", "/faults/77", "", 404, "77"),
        ("GET", "/truth?service=orders", "", 400, "metric"),
        (
            "GET",
            "/truth?service=orders&metric=speed",
            "",
            400,
            "known: cpu, mem, lat",
        ),
        (
            "GET",
            "/truth?service=orders&metric=cpu&at=noon",
            "",
            400,
            "noon",
        ),
    ] {
        let (answered, problem) = served.json(method, path, body).await;
        let error = problem["error"].as_str().expect("an error text");
        assert!(
            answered == status && error.contains(needle),
            "{path}: {answered} {error}"
        );
    }
}
