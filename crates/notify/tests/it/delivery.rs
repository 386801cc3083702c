//! Sending: what is sent, and what each kind of failure is called.

use std::time::Duration;

use domain::Timestamp;
use notify::{Delivery, Endpoint, Message, ReceiverKind, Secret, SendError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::desk::NOON;

fn message() -> Message {
    Message {
        idempotency_key: Some("batch-1".into()),
        json: br#"{"version":1}"#.to_vec(),
    }
}

fn webhook(endpoint: Endpoint) -> Delivery {
    Delivery::new(ReceiverKind::Webhook, endpoint).expect("the endpoint can be used")
}

async fn send_to(url: String) -> Result<(), SendError> {
    webhook(Endpoint::at(url)).send(&message(), NOON).await
}

/// What becomes of a message that is answered so.
async fn answered(answer: ResponseTemplate) -> Result<(), SendError> {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(answer)
        .expect(1)
        .mount(&server)
        .await;
    send_to(server.uri()).await
}

/// A server that reads the request's beginning and answers these bytes, then closes.
async fn raw(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut beginning = [0; 1024];
            let _ = stream.read(&mut beginning).await;
            let _ = stream.write_all(answer).await;
        }
    });
    format!("//{address}/")
}

#[tokio::test]
async fn a_message_arrives_with_its_key_headers_and_token() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let server = MockServer::start().await;
    for name in ["first", "second"] {
        Mock::given(method("POST"))
            .and(path("/hook"))
            .and(header("Content-Type", "application/json"))
            .and(header("Idempotency-Key", "batch-1"))
            .and(header("X-Team", "payments"))
            .and(header("Authorization", format!("Bearer {name}")))
            .and(body_json(serde_json::json!({"version": 1})))
            .respond_with(ResponseTemplate::new(204))
            .expect(1)
            .mount(&server)
            .await;
    }
    let delivery = webhook(Endpoint {
        headers: vec![("X-Team".into(), Secret::new("payments"))],
        bearer_token_file: Some(token.clone()),
        ..Endpoint::at(format!("{}/hook", server.uri()))
    });
    for name in ["first\n", "second\n"] {
        std::fs::write(&token, name).unwrap();
        assert_eq!(delivery.send(&message(), NOON).await, Ok(()));
    }
    std::fs::remove_file(&token).unwrap();
    let error = delivery.send(&message(), NOON).await.unwrap_err();
    assert_eq!(error.kind(), "credentials");
}

#[tokio::test]
async fn an_alertmanager_is_asked_beneath_its_prefix_with_its_user() {
    let server = MockServer::start().await;
    Mock::given(path("/prefix/api/v2/alerts"))
        .and(header("Authorization", "Basic dTpwQHNz"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let url = server.uri().replace("//", "//u:p%40ss@");
    let endpoint = Endpoint::at(format!("{url}/prefix/"));
    let delivery = Delivery::new(ReceiverKind::Alertmanager, endpoint).unwrap();
    assert_eq!(delivery.send(&Message::alerts(&[]), NOON).await, Ok(()));
    assert_eq!(delivery.address(), server.uri());
}

#[tokio::test]
async fn each_status_has_its_kind() {
    for (status, kind) in [
        (400, "refused"),
        (401, "refused"),
        (404, "refused"),
        (413, "refused"),
        (408, "server"),
        (425, "server"),
        (429, "busy"),
        (500, "server"),
        (502, "server"),
        (503, "busy"),
        (301, "redirect"),
        (307, "redirect"),
        (304, "redirect"),
    ] {
        let error = answered(ResponseTemplate::new(status)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}: {error}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
    assert_eq!(answered(ResponseTemplate::new(202)).await, Ok(()));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&elsewhere)
        .await;
    let answer = ResponseTemplate::new(307).insert_header("Location", elsewhere.uri());
    assert_eq!(
        answered(answer).await,
        Err(SendError::Redirect { status: 307 })
    );
}

#[tokio::test]
async fn a_busy_receiver_names_its_time_in_seconds_or_as_a_date() {
    for (headers, seconds) in [
        (vec![("Retry-After", "120")], Some(120)),
        (vec![("Retry-After", "99999999")], Some(3600)),
        (
            vec![
                ("Retry-After", "Sun, 22 Nov 2026 12:01:30 GMT"),
                ("Date", "Sun, 22 Nov 2026 12:01:00 GMT"),
            ],
            Some(30),
        ),
        (vec![("Retry-After", "soon")], None),
        (vec![], None),
    ] {
        let mut answer = ResponseTemplate::new(429);
        for (name, value) in headers {
            answer = answer.insert_header(name, value);
        }
        assert_eq!(
            answered(answer).await,
            Err(SendError::Busy {
                status: 429,
                retry_after: seconds.map(Duration::from_secs),
            })
        );
    }
}

#[tokio::test]
async fn a_huge_or_hostile_answer_is_cut_to_a_line() {
    let answer = ResponseTemplate::new(400).set_body_string("no\n\u{1b}[2J".repeat(1 << 20));
    let Err(SendError::Refused { said, .. }) = answered(answer).await else {
        panic!("400 is a refusal");
    };
    assert_eq!(said.chars().count(), 201);
    assert!(!said.contains(['\n', '\u{1b}']), "{said}");
}

#[tokio::test]
async fn what_is_no_answer_has_its_kind() {
    let http = |rest: String| format!("http:{rest}");
    for (answer, kind) in [
        (&b""[..], "interrupted"),
        (b"220 smtp ready\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nX: ", "interrupted"),
    ] {
        let error = send_to(http(raw(answer).await)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    let https = format!("https:{}", raw(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
    let error = webhook(Endpoint {
        ca_file: Some(ca_file()),
        ..Endpoint::at(https)
    })
    .send(&message(), NOON)
    .await
    .unwrap_err();
    assert_eq!(error.kind(), "tls", "{error}");

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let error = send_to(format!("http://{address}/secret-path"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "connect", "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

/// Some certificate authority: nothing that it signed is served here.
fn ca_file() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ca.pem")
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_never_answers_is_waited_for_ten_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let started = tokio::time::Instant::now();
    let error = send_to(format!("http://{address}/")).await.unwrap_err();
    assert_eq!(
        error,
        SendError::Timeout {
            after: Duration::from_secs(10)
        }
    );
    let waited = started.elapsed();
    assert!(waited.as_secs() == 10, "{waited:?}");
}

#[tokio::test]
async fn a_success_is_one_although_its_body_never_ends() {
    let url = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegun").await;
    assert_eq!(send_to(format!("http:{url}")).await, Ok(()));
}

#[test]
fn only_http_to_hosts_that_may_be_called_is_taken() {
    for url in [
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://example.com/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://[fe80::1]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://h/#fragment",
        "hooks.example",
        "",
        "http://",
    ] {
        let refused = Delivery::new(ReceiverKind::Webhook, Endpoint::at(url));
        let error = refused.expect_err(url).to_string();
        assert!(error.contains("write e.g. https://"), "{url}: {error}");
    }
    for url in ["http://127.0.0.1:9093", "http://[::1]:9093", "http://127.1"] {
        assert!(
            Delivery::new(ReceiverKind::Webhook, Endpoint::at(url)).is_ok(),
            "{url}"
        );
    }
}

#[test]
fn what_can_not_be_sent_is_refused_beforehand() {
    let header = |name: &str, value: &str| Endpoint {
        headers: vec![(name.into(), Secret::new(value))],
        ..Endpoint::at("http://h")
    };
    for (endpoint, told) in [
        (header("a b", "x"), "its name isn't one"),
        (header("X", "a\r\nEvil: b"), "control characters"),
        (header("Content-Length", "3"), "set for each message"),
        (
            Endpoint {
                basic_auth: Some(("u".into(), Secret::new("p"))),
                bearer_token_file: Some("t".into()),
                ..Endpoint::at("http://h")
            },
            "choose one",
        ),
        (
            Endpoint {
                ca_file: Some("/nowhere/ca.pem".into()),
                ..Endpoint::at("https://h")
            },
            "/nowhere/ca.pem",
        ),
    ] {
        let refused = Delivery::new(ReceiverKind::Webhook, endpoint);
        let error = refused.expect_err(told).to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn no_secret_is_printed() {
    let endpoint = Endpoint {
        headers: vec![("X-Token".into(), Secret::new("hunter2"))],
        basic_auth: Some(("u".into(), Secret::new("hunter2"))),
        ..Endpoint::at("http://u:hunter2@h/services/hunter2?k=hunter2")
    };
    let shown = format!("{endpoint:?} {:?}", webhook(endpoint.clone()));
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(
        shown.contains("X-Token") && shown.contains("http://h"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_sender_of_old_times_is_no_problem() {
    // The clock may stand anywhere; a date that lies before it means now.
    let answer = ResponseTemplate::new(503)
        .insert_header("Retry-After", "Sun, 22 Nov 2026 12:00:00 GMT")
        .insert_header("Date", "Mon, 23 Nov 2026 12:00:00 GMT");
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let error = webhook(Endpoint::at(server.uri()))
        .send(&message(), Timestamp::EPOCH)
        .await
        .unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::ZERO));
}
