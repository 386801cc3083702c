//! Attacks on the running binary, request by request: each is refused as it should be, says nothing
//! it shouldn't, and reaches no query. Sent as bytes, because client libraries tidy up.

mod entering;
mod failures;
mod framing;
mod requests;
mod roles;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fake::{FakePrometheus, FakeService};
use crate::harness::{Bellwether, folder, until};

const PATIENCE: Duration = Duration::from_secs(30);
/// In every payload that must not reach a query.
const MARK: &str = "pwned";
/// In every secret that the server was given.
const SECRET: &str = "hunter2";
/// What no answer may have, whatever was asked.
const NEVER: [&str; 8] = [
    SECRET,
    "root:x:0",
    "panicked",
    "backtrace",
    ".rs:",
    "SELECT ",
    "$argon2",
    "bellwether.db",
];

/// A Bellwether with an incident, and the Prometheus that noted what it was asked.
struct World {
    dir: TempDir,
    fake: FakePrometheus,
    bellwether: Bellwether,
    sent: AtomicUsize,
    wrong: std::sync::Mutex<Vec<String>>,
}

/// One request as bytes, and how it must be answered.
struct Attack {
    id: &'static str,
    request: Vec<u8>,
    expected: &'static [u16],
    without: Vec<String>,
}

/// An answer as it came.
#[derive(Clone, Debug, Default)]
struct Answer {
    /// 0: the connection was closed without one.
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn of(bytes: &[u8]) -> Answer {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        Answer {
            status: status.unwrap_or(0),
            head: head.to_lowercase(),
            body: body.to_owned(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.trim()))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl World {
    /// With further settings below `server`.
    async fn with(server: &str) -> World {
        let sick = FakeService {
            cpu: 99.0,
            ..FakeService::calm("sick")
        };
        let services = vec![FakeService::calm("payments"), sick];
        let fake = FakePrometheus::start(services).await;
        let dir = folder();
        let config = format!(
            "prometheus: {{ url: '{}', headers: {{ X-Key: {SECRET}-header }} }}
tick: 1s
evaluation_delay: 1s
decide: {{ open_after: 1s, critical_after: 1s }}
training: {{ window: 1h, window_min_samples: 60, min_samples: 1000000, schedule: 30d, max_age: 60d }}
log: {{ format: json }}
{server}",
            fake.url
        );
        let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
        let world = World {
            dir,
            fake,
            bellwether,
            sent: AtomicUsize::new(0),
            wrong: std::sync::Mutex::default(),
        };
        until("the first rows", PATIENCE, || async {
            let rows = world.dir.path().join("data/datasets/sick");
            rows.exists().then_some(())
        })
        .await;
        world
    }

    fn address(&self) -> SocketAddr {
        let address = self.bellwether.url.strip_prefix("http://").unwrap();
        address.parse().unwrap()
    }

    /// Sends bytes and reads until the other side closes, or for ten seconds.
    async fn send(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        // It may answer and close before it has read all.
        let _ = stream.write_all(request).await;
        let mut bytes = Vec::new();
        let read = async {
            let mut piece = [0; 16_384];
            while let Ok(count) = stream.read(&mut piece).await {
                if count == 0 {
                    break;
                }
                bytes.extend_from_slice(&piece[..count]);
                // This one has no end.
                if Answer::of(&bytes).header("content-type") == Some("text/event-stream") {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(10), read).await;
        Answer::of(&bytes)
    }

    /// Sends an attack, and notes whatever isn't as it should be.
    async fn try_on(&self, attack: &Attack) -> Answer {
        let began = Instant::now();
        let answer = self.send(&attack.request).await;
        let took = began.elapsed();
        self.sent.fetch_add(1, Ordering::Relaxed);
        let shown = String::from_utf8_lossy(&attack.request);
        let shown: String = shown.chars().take(160).collect();
        let complain = |what: String| {
            let text = format!("{} {shown:?}: {what}", attack.id);
            self.wrong.lock().unwrap().push(text);
        };
        if !attack.expected.contains(&answer.status) {
            let body: String = answer.body.chars().take(200).collect();
            complain(format!(
                "answered {} and not {:?}: {body}",
                answer.status, attack.expected
            ));
        }
        let whole = format!("{}\n{}", answer.head, answer.body);
        let own = attack.without.iter().map(String::as_str);
        for text in NEVER.into_iter().chain(own) {
            if whole.contains(text) {
                complain(format!("the answer has {text:?}: {whole}"));
            }
        }
        if whole.contains(&self.dir.path().display().to_string()) && answer.status != 200 {
            complain(format!("the answer names a path: {whole}"));
        }
        if answer.header("access-control-allow-origin").is_some() {
            complain("another origin may read the answer".to_owned());
        }
        let is_ours = answer.header("content-type").is_some();
        if is_ours && answer.header("x-content-type-options") != Some("nosniff") {
            complain("a browser may guess the type of the answer".to_owned());
        }
        if is_ours && answer.header("content-security-policy").is_none() {
            complain("the answer has no content security policy".to_owned());
        }
        if took > Duration::from_secs(5) {
            complain(format!("it took {took:?}"));
        }
        answer
    }

    /// Nothing was wrong, no payload reached a query, nothing panicked, no secret was logged, and
    /// each line of the log is one.
    fn stands(&self) -> usize {
        let wrong = self.wrong.lock().unwrap();
        let sent = self.sent.load(Ordering::Relaxed);
        assert!(
            wrong.is_empty(),
            "{} of {sent}:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
        for asked in self.fake.asked() {
            let text = format!("{} {:?}", asked.query, asked.form);
            assert!(!text.contains(MARK), "a payload reached a query: {text}");
        }
        let log = self.bellwether.log();
        for text in ["panicked", SECRET, "\u{1b}"] {
            assert!(!log.contains(text), "{text:?} is in the log: {log}");
        }
        for line in log.lines() {
            let parsed: Result<Value, _> = serde_json::from_str(line);
            assert!(
                parsed.is_ok_and(|line| line.is_object()),
                "a line of its own: {line}"
            );
        }
        sent
    }
}

/// `GET /path` with headers, each `name: value`, and a body.
fn request(line: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let mut text = format!("{line} HTTP/1.1\r\n");
    if !headers
        .iter()
        .any(|header| header.to_lowercase().starts_with("host:"))
    {
        text.push_str("Host: 127.0.0.1\r\n");
    }
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("Connection: close\r\n\r\n");
    text.push_str(body);
    text.into_bytes()
}

fn attack(
    id: &'static str,
    line: &str,
    headers: &[&str],
    body: &str,
    expected: &'static [u16],
) -> Attack {
    Attack {
        id,
        request: request(line, headers, body),
        expected,
        without: Vec::new(),
    }
}
