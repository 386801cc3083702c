//! The Prometheus client under faults: each of them a value, none of them a hang.

use std::io::Write;
use std::time::{Duration, Instant};

use domain::Timestamp;
use jiff::SignedDuration;
use sources::{Prometheus, PrometheusSettings, QueryError, Secret};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock as Wire, MockServer, ResponseTemplate};

use crate::mock::{EMPTY_VECTOR, Mock, Reply, Request, clock, json, response};

const AT: Timestamp = Timestamp::from_millis(1_795_348_800_250);

async fn failure(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> QueryError {
    let mock = Mock::start(script).await;
    mock.client().instant("up", AT).await.unwrap_err()
}

#[tokio::test]
async fn queries_go_by_post_beneath_the_path_prefix() {
    let server = MockServer::start().await;
    Wire::given(method("POST"))
        .and(path("/prefix/api/v1/query"))
        .and(header("x-scope-orgid", "team"))
        .respond_with(ResponseTemplate::new(200).set_body_string(EMPTY_VECTOR))
        .expect(1)
        .mount(&server)
        .await;
    let mut settings = PrometheusSettings::at(format!("{}/prefix/", server.uri()));
    settings.headers = vec![("X-Scope-OrgID".into(), "team".into())];
    let client = Prometheus::new(settings, clock()).unwrap();
    assert!(client.instant("up", AT).await.unwrap().data.is_empty());
}

#[tokio::test]
async fn names_and_times_arrive_as_they_were() {
    let mock = Mock::start(|_| json(EMPTY_VECTOR)).await;
    let query = "up{service=\"a b&c+d=é%\"}";
    mock.client().instant(query, AT).await.unwrap();
    let form = &mock.requests()[0].form;
    assert_eq!(form["query"], query);
    assert_eq!(form["time"], "1795348800.250");
    assert_eq!(form["timeout"], "5000ms");
}

#[tokio::test]
async fn get_takes_over_where_post_is_refused() {
    let mock = Mock::start(|request| match request.method.as_str() {
        "POST" => response(405, "", b""),
        _ => json(EMPTY_VECTOR),
    })
    .await;
    let client = mock.client();
    for _ in 0..2 {
        client.instant("up", AT).await.unwrap();
    }
    let methods: Vec<String> = mock.requests().into_iter().map(|r| r.method).collect();
    assert_eq!(methods, ["POST", "GET", "GET"]);
}

#[tokio::test]
async fn f01_nobody_listening_is_said_with_the_address() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let settings = PrometheusSettings::at(format!("http://user:hunter2@127.0.0.1:{port}"));
    let client = Prometheus::new(settings, clock()).unwrap();
    let error = client.instant("up", AT).await.unwrap_err();
    assert_eq!(error.kind(), "connect");
    let text = format!("{error} {error:?} {client:?}");
    assert!(text.contains(&format!("127.0.0.1:{port}")), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn f02_f03_the_deadline_is_total() {
    for slow in [
        || Reply::Hang,
        || Reply::Drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".to_vec()),
        || Reply::Drip(b"HTTP/1.1 200 OK\r\nX-Slow: ".to_vec()),
        || Reply::Drip(b"HTTP/1.1 500 X\r\nContent-Length: 1000000\r\n\r\n".to_vec()),
    ] {
        let mock = Mock::start(move |_| slow()).await;
        let begun = Instant::now();
        let deadline = Duration::from_millis(200);
        let outcome = mock.client().instant_within("up", AT, deadline).await;
        assert_eq!(
            outcome.unwrap_err(),
            QueryError::Timeout { after: deadline }
        );
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn f04_statuses_have_kinds_and_retry_after_is_a_value() {
    let check = async |status, headers: &'static str, body: &'static str, kind, after| {
        let error = failure(move |_| response(status, headers, body.as_bytes())).await;
        assert_eq!(error.kind(), kind, "{status}: {error}");
        assert_eq!(error.retry_after(), after, "{status}: {error}");
    };
    let error = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
    let timeout = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
    check(400, "", error, "bad_query", None).await;
    check(422, "", error, "bad_query", None).await;
    check(500, "", "boom", "status_5xx", None).await;
    check(503, "", timeout, "timeout", None).await;
    check(404, "", "not found", "status_4xx", None).await;
    check(401, "", "", "unauthorized", None).await;
    let seconds = |s| Some(Duration::from_secs(s));
    check(429, "Retry-After: 7\r\n", error, "rate_limited", seconds(7)).await;
    check(
        503,
        "Retry-After: 99999999\r\n",
        "",
        "status_5xx",
        seconds(3600),
    )
    .await;
    check(
        503,
        "Date: Sun, 22 Nov 2026 12:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 12:00:30 GMT\r\n",
        "",
        "status_5xx",
        seconds(30),
    )
    .await;
}

#[tokio::test]
async fn f05_garbage_is_rejected_with_what_came_and_what_to_do() {
    let check = async |body: &'static [u8], says: &str| {
        let error = failure(move |_| response(200, "", body)).await;
        assert_eq!(error.kind(), "malformed", "{error}");
        assert!(error.to_string().contains(says), "{error}");
    };
    check(b"<!DOCTYPE html><title>Sign in</title>", "web page").await;
    check(b"", "empty").await;
    check(b"{\"status\":\"success\",\"data\":{\"resu", "cut off").await;
    check(b"\x00\xff\x1b[31m", "␛[31m").await;
    check(br#"{"status":"success","data":[]}"#, "isn't what").await;
}

#[tokio::test]
async fn f06_large_answers_are_cut_at_the_limit() {
    let endless = || {
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
        Reply::Endless(head.into(), vec![b' '; 64 << 10])
    };
    let announced =
        || Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n{".to_vec());
    let bomb = || {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..64 {
            packed.write_all(&vec![b' '; 1 << 20]).unwrap();
        }
        response(200, "Content-Encoding: gzip\r\n", &packed.finish().unwrap())
    };
    let replies: [fn() -> Reply; 3] = [endless, announced, bomb];
    for reply in replies {
        let mock = Mock::start(move |_| reply()).await;
        let mut settings = mock.settings();
        settings.answer_bytes_max = 1 << 20;
        settings.timeout = Duration::from_secs(20);
        let client = Prometheus::new(settings, clock()).unwrap();
        let error = client.instant("up", AT).await.unwrap_err();
        assert_eq!(error, QueryError::TooLarge { bytes_max: 1 << 20 });
    }
}

#[tokio::test]
async fn gzip_is_understood_and_broken_gzip_is_malformed() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(EMPTY_VECTOR.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let whole = packed.clone();
    let mock = Mock::start(move |_| response(200, "Content-Encoding: gzip\r\n", &whole)).await;
    mock.client().instant("up", AT).await.unwrap();
    let error = failure(|_| response(200, "Content-Encoding: gzip\r\n", b"not gzip at all")).await;
    assert!(
        matches!(error.kind(), "malformed" | "interrupted"),
        "{error}"
    );
}

#[tokio::test]
async fn f07_redirects_are_named_and_not_followed() {
    let target = Mock::start(|_| json(EMPTY_VECTOR)).await;
    let location = format!("Location: http://other.example:{}/api\r\n", target.port);
    let mock = Mock::start(move |_| response(302, &location, b"")).await;
    let mut settings = mock.settings();
    settings.basic_auth = Some(("user".into(), Secret::new("hunter2")));
    let client = Prometheus::new(settings, clock()).unwrap();
    let error = client.instant("up", AT).await.unwrap_err();
    assert_eq!(error.kind(), "redirect");
    assert!(error.to_string().contains("other.example"), "{error}");
    assert!(target.requests().is_empty());
    assert!(
        mock.requests()[0]
            .headers
            .to_lowercase()
            .contains("authorization: basic")
    );
}

#[tokio::test]
async fn f16_a_partial_answer_is_taken_with_its_warning() {
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["store gone"]}"#;
    let mock = Mock::start(move |_| json(body)).await;
    let answer = mock.client().instant("up", AT).await.unwrap();
    assert_eq!(answer.warnings, ["store gone"]);
}

#[tokio::test]
async fn f18_the_servers_clock_is_compared_with_ours() {
    let check = async |date: jiff::Timestamp, about: SignedDuration| {
        let date = jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&date)
            .unwrap();
        let headers = format!("Date: {date}\r\n");
        let mock = Mock::start(move |_| response(200, &headers, EMPTY_VECTOR.as_bytes())).await;
        let answer = mock.client().instant("up", AT).await.unwrap();
        let off = (answer.applied_skew() - about).abs();
        assert!(off < SignedDuration::from_secs(3), "{:?}", answer.skew);
    };
    let now = jiff::Timestamp::now();
    let hour = SignedDuration::from_hours(1);
    check(now + hour, hour).await;
    check(now - hour, -hour).await;
    check(now, SignedDuration::ZERO).await;
    check(now + SignedDuration::from_secs(3), SignedDuration::ZERO).await;
}

#[tokio::test]
async fn f20_a_broken_connection_is_an_interrupted_answer() {
    let error = failure(|_| {
        Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"status\"".to_vec())
    })
    .await;
    assert_eq!(error.kind(), "interrupted", "{error}");
    let error = failure(|_| Reply::Bytes(b"SSH-2.0-OpenSSH\r\n".to_vec())).await;
    assert_eq!(error.kind(), "malformed", "{error}");
    let error = failure(|_| Reply::Bytes(Vec::new())).await;
    assert!(matches!(error.kind(), "interrupted" | "connect"), "{error}");
}

#[tokio::test]
async fn f20_an_unknown_host_is_said() {
    let settings = PrometheusSettings::at("http://no-such-host.invalid:9090");
    let client = Prometheus::new(settings, clock()).unwrap();
    let error = client.instant("up", AT).await.unwrap_err();
    assert_eq!(error.kind(), "connect");
    assert!(
        error.to_string().contains("no-such-host.invalid"),
        "{error}"
    );
}

#[tokio::test]
async fn f20_ipv6_addresses_work() {
    let Ok(listener) = tokio::net::TcpListener::bind("[::1]:0").await else {
        eprintln!("no IPv6 here");
        return;
    };
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let settings = PrometheusSettings::at(format!("http://[::1]:{port}"));
    let client = Prometheus::new(settings, clock()).unwrap();
    assert_eq!(
        client.instant("up", AT).await.unwrap_err().kind(),
        "connect"
    );
}

#[tokio::test]
async fn a_rotated_token_is_followed_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let mock = Mock::start(|_| response(401, "", b"no")).await;
    let mut settings = mock.settings();
    settings.bearer_token_file = Some(token.clone());
    let client = Prometheus::new(settings, clock()).unwrap();
    assert_eq!(
        client.instant("up", AT).await.unwrap_err().kind(),
        "credentials"
    );
    for secret in ["first", "second"] {
        std::fs::write(&token, format!("{secret}\n")).unwrap();
        let error = client.instant("up", AT).await.unwrap_err();
        assert_eq!(error.kind(), "unauthorized");
        let sent = mock.requests().pop().unwrap().headers;
        assert!(sent.contains(&format!("Bearer {secret}\r\n")), "{sent}");
        assert!(!format!("{error} {error:?}").contains(secret));
    }
    std::fs::write(&token, "a\nb").unwrap();
    assert_eq!(
        client.instant("up", AT).await.unwrap_err().kind(),
        "credentials"
    );
}

#[test]
fn unusable_settings_are_refused_without_their_secrets() {
    let check = |change: &dyn Fn(&mut PrometheusSettings), says: &str| {
        let mut settings = PrometheusSettings::at("http://user:hunter2@host:9090/p");
        change(&mut settings);
        let error = Prometheus::new(settings, clock()).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(says), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    };
    for url in [
        "",
        "host:9090",
        "file:///etc/passwd",
        "gopher://user:hunter2@h",
        "http://",
    ] {
        check(&|s| s.url = url.into(), "url");
    }
    check(
        &|s| s.url = "http://user:hunter2@h/?query=1".into(),
        "query",
    );
    check(
        &|s| s.headers = vec![("a b".into(), "hunter2".into())],
        "a b",
    );
    check(
        &|s| s.headers = vec![("X-A".into(), "hunter2\n".into())],
        "X-A",
    );
    check(
        &|s| s.bearer_token_file = Some("token".into()),
        "choose one",
    );
    check(
        &|s| s.ca_file = Some("/nonexistent.pem".into()),
        "nonexistent.pem",
    );
}
