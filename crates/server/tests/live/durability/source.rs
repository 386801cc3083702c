//! A Prometheus whose every value is a function of series and time, so that the truth of each row
//! is known, and a range query says what instant queries said.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// The distance of samples, which lie on the epoch's grid.
pub const STEP_MS: i64 = 1_000;
pub const SERVICES: [&str; 6] = ["carts", "ledger", "orders", "payments", "search", "stock"];
pub const METRICS: [&str; 3] = ["cpu", "lat", "mem"];
pub const HIGH: f64 = 85.0;
pub const CRITICAL: f64 = 95.0;

/// The last service has no faults; each of the others one at a time, every so often.
const PERIOD_MS: i64 = 58_000;
const FAULTS_PER_SERVICE: i64 = 60;
/// Samples exist so long before the script begins.
const PAST_MS: i64 = 3 * 3_600_000;

/// A small generator of random numbers (splitmix64), so that a seed is a story.
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// From `low` up to but not including `high`.
    pub fn within(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low) as u64) as i64
    }
}

fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One metric of one service leaves its usual level from `onset_ms` until before `end_ms`: at
/// once, or along a ramp.
#[derive(Clone, Debug)]
pub struct Fault {
    pub service: &'static str,
    pub metric: &'static str,
    pub onset_ms: i64,
    pub ramp_ms: i64,
    pub end_ms: i64,
}

impl Fault {
    /// How much of it there is at a time, 0 to 1.
    fn share(&self, time_ms: i64) -> f64 {
        if time_ms < self.onset_ms || time_ms >= self.end_ms {
            return 0.0;
        }
        match self.ramp_ms {
            0 => 1.0,
            ramp => ((time_ms - self.onset_ms) as f64 / ramp as f64).min(1.0),
        }
    }
}

/// What the world does.
pub struct Script {
    pub begins_ms: i64,
    faults: Vec<Fault>,
    /// Faults that would begin later do not.
    calm_from_ms: AtomicI64,
    unscripted: Mutex<Vec<String>>,
}

impl Script {
    pub fn new(mut random: Random, begins_ms: i64) -> Script {
        let begins_ms = begins_ms.div_euclid(STEP_MS) * STEP_MS;
        let mut faults = Vec::new();
        for (place, service) in SERVICES[..SERVICES.len() - 1].iter().enumerate() {
            for round in 0..FAULTS_PER_SERVICE {
                let offset = 8_000 + 6_000 * place as i64 + PERIOD_MS * round;
                let onset_ms = begins_ms + offset + 1_000 * random.within(0, 4);
                let is_ramp = (round + place as i64) % 2 == 1;
                let ramp_ms = if is_ramp {
                    1_000 * random.within(5, 9)
                } else {
                    0
                };
                let lasts_ms = ramp_ms + 1_000 * random.within(11, 15);
                let metric = METRICS[(place + round as usize) % METRICS.len()];
                faults.push(Fault {
                    service,
                    metric,
                    onset_ms,
                    ramp_ms,
                    end_ms: onset_ms + lasts_ms,
                });
            }
        }
        Script {
            begins_ms,
            faults,
            calm_from_ms: AtomicI64::new(i64::MAX),
            unscripted: Mutex::default(),
        }
    }

    /// No fault begins any more after a time.
    pub fn calm_from(&self, time_ms: i64) {
        self.calm_from_ms.store(time_ms, Ordering::SeqCst);
    }

    /// The faults that have begun or will, by time.
    pub fn faults(&self) -> Vec<Fault> {
        let calm_from = self.calm_from_ms.load(Ordering::SeqCst);
        let mut faults = self.faults.clone();
        faults.retain(|fault| fault.onset_ms < calm_from);
        faults.sort_by_key(|fault| fault.onset_ms);
        faults
    }

    /// Queries that nobody scripted.
    pub fn unscripted(&self) -> Vec<String> {
        self.unscripted.lock().expect("nothing panics").clone()
    }

    pub fn value(&self, service: &str, metric: &str, time_ms: i64) -> f64 {
        let calm_from = self.calm_from_ms.load(Ordering::SeqCst);
        let salt = format!("{service}/{metric}")
            .bytes()
            .fold(7_u64, |salt, byte| mixed(salt ^ u64::from(byte)));
        let random = mixed(salt ^ time_ms as u64) as f64 / u64::MAX as f64;
        let phase = time_ms.rem_euclid(600_000) as f64 / 600_000.0 * std::f64::consts::TAU;
        let level = 25.0 + (salt % 15) as f64 + 2.0 * phase.sin() + 3.0 * (random - 0.5);
        let share = self
            .faults
            .iter()
            .filter(|f| f.service == service && f.metric == metric && f.onset_ms < calm_from)
            .map(|fault| fault.share(time_ms))
            .fold(0.0, f64::max);
        level + share * (75.0 - (salt % 15) as f64)
    }

    /// The first and the last instant of a fault at which the value is past the threshold.
    pub fn crossing(&self, fault: &Fault) -> (i64, i64) {
        let past = |time: &i64| self.value(fault.service, fault.metric, *time) >= HIGH;
        let times: Vec<i64> = (fault.onset_ms..fault.end_ms)
            .step_by(STEP_MS as usize)
            .filter(past)
            .collect();
        let (first, last) = (times.first(), times.last());
        (
            *first.expect("every fault crosses"),
            *last.expect("every fault crosses"),
        )
    }
}

/// The script behind the HTTP API of Prometheus.
pub struct ScriptedPrometheus {
    pub url: String,
    task: JoinHandle<()>,
}

impl ScriptedPrometheus {
    pub async fn start(script: Arc<Script>) -> ScriptedPrometheus {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("a bound address");
        let routes = Router::new()
            .route("/api/v1/query", post(instant))
            .route("/api/v1/query_range", post(range))
            .with_state(script);
        let task = tokio::spawn(async move {
            axum::serve(listener, routes)
                .await
                .expect("the script answers");
        });
        ScriptedPrometheus {
            url: format!("http://{address}"),
            task,
        }
    }
}

impl Drop for ScriptedPrometheus {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn instant(State(script): State<Arc<Script>>, body: Bytes) -> axum::Json<Value> {
    let form = Form::read(&body);
    let time = form.millis("time");
    let series = evaluated(&script, form.text("query")).into_iter();
    let result: Vec<Value> = series
        .filter_map(|(labels, value)| {
            let value = value(time)?;
            Some(json!({ "metric": labels, "value": point(time, value) }))
        })
        .collect();
    answer("vector", result)
}

async fn range(State(script): State<Arc<Script>>, body: Bytes) -> axum::Json<Value> {
    let form = Form::read(&body);
    let (start, end, step) = (
        form.millis("start"),
        form.millis("end"),
        form.millis("step"),
    );
    let series = evaluated(&script, form.text("query")).into_iter();
    let result: Vec<Value> = series
        .filter_map(|(labels, value)| {
            let times = (start..=end).step_by(step as usize);
            let points: Vec<Value> = times.filter_map(|t| Some(point(t, value(t)?))).collect();
            (!points.is_empty()).then(|| json!({ "metric": labels, "values": points }))
        })
        .collect();
    answer("matrix", result)
}

type Series<'a> = (Value, Box<dyn Fn(i64) -> Option<f64> + 'a>);

/// What the collector and the backfill ask, recognised by what stands in the expression.
fn evaluated<'a>(script: &'a Script, query: &str) -> Vec<Series<'a>> {
    let newest = |time: i64| {
        let sample = time.div_euclid(STEP_MS) * STEP_MS;
        (sample >= script.begins_ms - PAST_MS).then_some(sample)
    };
    let of_each = |value: fn(i64) -> f64| -> Vec<Series<'a>> {
        let series = |service: &&str| -> Series<'a> {
            (
                labels(service),
                Box::new(move |time| newest(time).map(value)),
            )
        };
        SERVICES.iter().map(series).collect()
    };
    if query.contains("count_over_time") {
        return vec![(json!({}), Box::new(|_| Some(3_600.0)))];
    }
    if query.contains("timestamp(") {
        return of_each(|sample| sample as f64 / 1_000.0);
    }
    if query.contains("process_start_time_seconds") {
        let started = (script.begins_ms - PAST_MS) as f64 / 1_000.0;
        let series = |service: &&str| -> Series<'a> {
            (
                labels(service),
                Box::new(move |time| newest(time).map(|_| started)),
            )
        };
        return SERVICES.iter().map(series).collect();
    }
    if query == "vector(1)" {
        return vec![(json!({}), Box::new(|_| Some(1.0)))];
    }
    let named = |metric: &&str| query.contains(&format!("script_{metric}"));
    let Some(metric) = METRICS.into_iter().find(named) else {
        // Evidence asks about one service; there is nothing further to be seen here.
        let about_one = |service: &&str| query.contains(&format!("service=\"{service}\""));
        if SERVICES.iter().any(about_one) {
            return Vec::new();
        }
        let mut unscripted = script.unscripted.lock().expect("nothing panics");
        unscripted.push(query.to_owned());
        return Vec::new();
    };
    let series = |service: &&'static str| -> Series<'a> {
        let service = *service;
        let value = move |time| newest(time).map(|sample| script.value(service, metric, sample));
        (labels(service), Box::new(value))
    };
    SERVICES.iter().map(series).collect()
}

fn labels(service: &str) -> Value {
    json!({ "service": service, "job": "script", "instance": format!("{service}:8080") })
}

fn point(time_ms: i64, value: f64) -> Value {
    json!([time_ms as f64 / 1_000.0, value.to_string()])
}

fn answer(kind: &str, result: Vec<Value>) -> axum::Json<Value> {
    axum::Json(json!({
        "status": "success",
        "data": { "resultType": kind, "result": result },
    }))
}

struct Form(Vec<(String, String)>);

impl Form {
    fn read(body: &[u8]) -> Form {
        let text = String::from_utf8_lossy(body);
        let url = reqwest::Url::parse(&format!("http://form/?{text}")).expect("a form");
        Form(url.query_pairs().into_owned().collect())
    }

    fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        &found.unwrap_or_else(|| panic!("no {name} was sent")).1
    }

    fn millis(&self, name: &str) -> i64 {
        let seconds: f64 = self.text(name).parse().expect("a number");
        (seconds * 1_000.0).round() as i64
    }
}
