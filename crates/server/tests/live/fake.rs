//! A fake Prometheus that answers well for a few services, until its script says otherwise.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use simulator::system_clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Instant queries see samples of this age.
const LOOKBACK_MS: i64 = 300_000;

/// What a query is about, told from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Cpu,
    Mem,
    Lat,
    Scraped,
    Started,
    Up,
    Other,
}

/// One service and its values, which swing a little.
#[derive(Clone, Debug)]
pub struct FakeService {
    pub name: String,
    pub cpu: f64,
    pub mem: f64,
    pub lat: f64,
}

impl FakeService {
    /// Nothing is wrong with it.
    pub fn calm(name: &str) -> FakeService {
        FakeService {
            name: name.to_owned(),
            cpu: 20.0,
            mem: 40.0,
            lat: 120.0,
        }
    }
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub headers: String,
    pub query: String,
    pub subject: Subject,
    pub form: BTreeMap<String, String>,
}

/// A series of an answer; an instant query's has one point.
#[derive(Clone, Debug)]
pub struct Series {
    pub labels: BTreeMap<String, String>,
    pub points: Vec<(f64, String)>,
}

impl Series {
    pub fn is_of(&self, service: &str) -> bool {
        self.labels
            .get("service")
            .is_some_and(|name| name == service)
    }

    pub fn set(&mut self, value: &str) {
        for point in &mut self.points {
            point.1 = value.to_owned();
        }
    }
}

pub enum Reply {
    Series(Vec<Series>),
    /// With warnings beside the series.
    Warned(Vec<Series>, &'static str),
    Response {
        status: u16,
        headers: String,
        body: String,
    },
    /// Nothing, until the script changes.
    Hang,
    /// A head, then a byte now and then.
    Drip,
    /// A body without end.
    Endless,
}

impl Reply {
    pub fn of(status: u16, headers: &str, body: &str) -> Reply {
        Reply::Response {
            status,
            headers: headers.to_owned(),
            body: body.to_owned(),
        }
    }
}

type Script = Arc<dyn Fn(&Asked, Vec<Series>) -> Reply + Send + Sync>;

/// The server; it ends with the runtime of its test.
pub struct FakePrometheus {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    services: Vec<FakeService>,
    script: watch::Sender<Script>,
    listening: watch::Sender<bool>,
    asked: Mutex<Vec<Asked>>,
    skew_ms: AtomicI64,
}

impl FakePrometheus {
    pub async fn start(services: Vec<FakeService>) -> FakePrometheus {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let port = listener
            .local_addr()
            .expect("a bound socket has an address")
            .port();
        let good: Script = Arc::new(|_, series| Reply::Series(series));
        let shared = Arc::new(Shared {
            services,
            script: watch::Sender::new(good),
            listening: watch::Sender::new(true),
            asked: Mutex::default(),
            skew_ms: AtomicI64::new(0),
        });
        tokio::spawn(accept(listener, port, Arc::clone(&shared)));
        FakePrometheus {
            url: format!("http://127.0.0.1:{port}"),
            shared,
        }
    }

    /// Answers by this script from now on; what hangs is answered by it, too.
    pub fn misbehave(&self, script: impl Fn(&Asked, Vec<Series>) -> Reply + Send + Sync + 'static) {
        self.shared.script.send_replace(Arc::new(script));
    }

    /// Answers well again.
    pub fn behave(&self) {
        self.misbehave(|_, series| Reply::Series(series));
        self.shared.listening.send_replace(true);
    }

    /// Refuses connections.
    pub fn go_down(&self) {
        self.shared.listening.send_replace(false);
    }

    pub fn set_clock_off_by(&self, seconds: i64) {
        self.shared.skew_ms.store(seconds * 1000, Ordering::Relaxed);
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.shared
            .asked
            .lock()
            .expect("nobody panics with it")
            .clone()
    }
}

/// Every connection carries one request.
async fn accept(listener: TcpListener, port: u16, shared: Arc<Shared>) {
    let mut listener = Some(listener);
    let mut listening = shared.listening.subscribe();
    loop {
        if !*listening.borrow_and_update() {
            drop(listener.take());
            if listening.wait_for(|on| *on).await.is_err() {
                return;
            }
        }
        let open = match listener.take() {
            Some(open) => open,
            None => match TcpListener::bind(("127.0.0.1", port)).await {
                Ok(open) => open,
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
        };
        tokio::select! {
            accepted = open.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(serve(stream, Arc::clone(&shared)));
                }
                listener = Some(open);
            }
            _ = listening.changed() => listener = Some(open),
        }
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let asked = read(&mut stream).await?;
    shared
        .asked
        .lock()
        .expect("nobody panics with it")
        .push(asked.clone());
    let mut scripts = shared.script.subscribe();
    loop {
        let script = scripts.borrow_and_update().clone();
        let matrix = asked.path.ends_with("query_range");
        let response = match script(&asked, shared.good(&asked)) {
            Reply::Series(series) => ok(&answer(series, matrix, None)),
            Reply::Warned(series, warning) => ok(&answer(series, matrix, Some(warning))),
            Reply::Response {
                status,
                headers,
                body,
            } => (status, headers, body),
            Reply::Hang => {
                let mut sink = [0; 1];
                tokio::select! {
                    _ = scripts.changed() => continue,
                    _ = stream.read(&mut sink) => return None,
                }
            }
            Reply::Drip => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
                loop {
                    stream.write_all(b" ").await.ok()?;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            Reply::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
                loop {
                    stream.write_all(&[b' '; 65_536]).await.ok()?;
                }
            }
        };
        let (status, headers, body) = response;
        let head = format!(
            "HTTP/1.1 {status} X\r\n{headers}Date: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            shared.date(),
            body.len()
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(body.as_bytes()).await.ok()?;
        return stream.shutdown().await.ok();
    }
}

fn ok(body: &Value) -> (u16, String, String) {
    let headers = "Content-Type: application/json\r\n".to_owned();
    (200, headers, body.to_string())
}

fn answer(series: Vec<Series>, matrix: bool, warning: Option<&str>) -> Value {
    let result: Vec<Value> = series
        .into_iter()
        .map(|series| match matrix {
            true => json!({ "metric": series.labels, "values": series.points }),
            false => json!({ "metric": series.labels, "value": series.points.first() }),
        })
        .collect();
    let kind = if matrix { "matrix" } else { "vector" };
    let mut whole =
        json!({ "status": "success", "data": { "resultType": kind, "result": result } });
    if let Some(warning) = warning {
        whole["warnings"] = json!([warning]);
    }
    whole
}

impl Shared {
    fn now_ms(&self) -> i64 {
        system_clock()() + self.skew_ms.load(Ordering::Relaxed)
    }

    fn date(&self) -> String {
        let now = jiff::Timestamp::from_millisecond(self.now_ms()).expect("a time of today");
        jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&now)
            .expect("a year of four digits")
    }

    /// What a Prometheus would say that scrapes every second.
    fn good(&self, asked: &Asked) -> Vec<Series> {
        let now = self.now_ms();
        let number = |name: &str| {
            asked
                .form
                .get(name)
                .and_then(|text| text.parse::<f64>().ok())
        };
        let millis = |name: &str| number(name).map_or(now, |seconds| (seconds * 1000.0) as i64);
        let times: Vec<i64> = if asked.path.ends_with("query_range") {
            let step = number("step").map_or(1000, |seconds| (seconds * 1000.0) as usize);
            (millis("start")..=millis("end"))
                .step_by(step.max(1))
                .collect()
        } else {
            vec![millis("time")]
        };
        let of_service = |service: &FakeService| {
            let points: Vec<(f64, String)> = times
                .iter()
                .filter_map(|at| {
                    let scraped = now.min(*at).div_euclid(1000) * 1000;
                    let value = service.value(asked.subject, scraped)?;
                    let time = *at as f64 / 1000.0;
                    (at - scraped <= LOOKBACK_MS).then(|| (time, value.to_string()))
                })
                .collect();
            let labels = service.labels(asked.subject);
            (!points.is_empty()).then_some(Series { labels, points })
        };
        self.services.iter().filter_map(of_service).collect()
    }
}

impl FakeService {
    fn value(&self, subject: Subject, at_ms: i64) -> Option<f64> {
        let at = at_ms as f64 / 1000.0;
        let swing = 1.0 + 0.02 * (at / 7.0).sin() + 0.01 * (at / 1.3).cos();
        Some(match subject {
            Subject::Cpu => self.cpu * swing,
            Subject::Mem => self.mem * swing,
            Subject::Lat => self.lat * swing,
            Subject::Scraped | Subject::Up => at,
            Subject::Started => 1_700_000_000.0,
            Subject::Other => return None,
        })
    }

    fn labels(&self, subject: Subject) -> BTreeMap<String, String> {
        let target = [("job", "fake"), ("instance", &*self.name)];
        let service = [("service", &*self.name)];
        let pairs = match subject {
            Subject::Lat => service.to_vec(),
            Subject::Up => target.to_vec(),
            _ => [&service[..], &target[..]].concat(),
        };
        let own = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        pairs.iter().map(own).collect()
    }
}

fn subject(query: &str) -> Subject {
    let kinds = [
        ("count_over_time", Subject::Other),
        ("process_cpu_usage", Subject::Cpu),
        ("jvm_memory_used_bytes", Subject::Mem),
        ("http_server_requests_seconds_bucket", Subject::Lat),
        ("timestamp(process_start_time_seconds)", Subject::Scraped),
        ("process_start_time_seconds", Subject::Started),
        ("timestamp(up)", Subject::Up),
    ];
    let kind = kinds.iter().find(|(part, _)| query.contains(part));
    kind.map_or(Subject::Other, |(_, subject)| *subject)
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let headers = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let length: usize = headers
        .lines()
        .find_map(|line| {
            let lower = line.to_lowercase();
            lower.strip_prefix("content-length:")?.trim().parse().ok()
        })
        .unwrap_or(0);
    while bytes.len() < head_end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let target = headers.split(' ').nth(1)?;
    let (path, in_target) = target.split_once('?').unwrap_or((target, ""));
    let body = String::from_utf8_lossy(&bytes[head_end..]).into_owned();
    let form = if body.is_empty() { in_target } else { &body };
    let url = reqwest::Url::parse(&format!("http://fake/?{form}")).ok()?;
    let form: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let query = form.get("query").cloned().unwrap_or_default();
    Some(Asked {
        path: path.to_owned(),
        subject: subject(&query),
        query,
        form,
        headers: headers.clone(),
    })
}
