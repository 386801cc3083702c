//! A Prometheus whose only metric is CPU, a function of service and time: so what must follow can
//! be computed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use domain::Timestamp;
use serde_json::{Value, json};
use simulator::system_clock;
use tokio::task::JoinHandle;

/// Scrapes in an hour of the past: one a minute.
const SCRAPES_AN_HOUR: f64 = 60.0;
/// The level of a service that is gone: nothing is answered of it.
const GONE: f64 = f64::NEG_INFINITY;

/// Answers until it is dropped.
pub struct Scripted {
    pub url: String,
    script: Arc<Script>,
    task: JoinHandle<()>,
}

struct Script {
    begin: Timestamp,
    /// The distance of scrapes, and how long after the epoch's grid they come; without it, each
    /// question is answered by a scrape of its instant.
    scrapes: Option<(Duration, Duration)>,
    /// Of each service: from when on it lives at which level, oldest first.
    levels: Mutex<BTreeMap<String, Vec<(Timestamp, f64)>>>,
}

impl Scripted {
    /// Services with the level at which each has lived for the `past`.
    pub async fn start(services: &[(&str, f64)], past: Duration) -> Scripted {
        Scripted::scraped(services, past, None).await
    }

    /// With scrapes so far apart, so long after the epoch's grid.
    pub async fn scraped(
        services: &[(&str, f64)],
        past: Duration,
        scrapes: Option<(Duration, Duration)>,
    ) -> Scripted {
        let begin = now() - past;
        let level = |(service, level): &(&str, f64)| ((*service).to_owned(), vec![(begin, *level)]);
        let script = Arc::new(Script {
            begin,
            scrapes,
            levels: Mutex::new(services.iter().map(level).collect()),
        });
        // Only GET: the client must find out by itself.
        let router = Router::new()
            .route("/api/v1/query", get(instant))
            .route("/api/v1/query_range", get(range))
            .with_state(Arc::clone(&script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let task = tokio::spawn(async move {
            axum::serve(listener, router)
                .await
                .expect("the script answers");
        });
        Scripted {
            url: format!("http://{address}"),
            script,
            task,
        }
    }

    /// Takes a service away from now on; gives the instant.
    pub fn vanish(&self, service: &str) -> Timestamp {
        self.shift(service, GONE)
    }

    /// Moves a service to another level from now on; gives the instant.
    pub fn shift(&self, service: &str, level: f64) -> Timestamp {
        let from = now();
        self.plan(service, from, level);
        from
    }

    /// Moves a service to another level from an instant on, later than all that is planned; NaN is
    /// answered as such.
    pub fn plan(&self, service: &str, from: Timestamp, level: f64) {
        let mut levels = self
            .script
            .levels
            .lock()
            .expect("the script does not panic");
        let levels = levels.get_mut(service).expect("a service of the script");
        levels.push((from, level));
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn now() -> Timestamp {
    Timestamp::from_millis(system_clock()())
}

type Parameters = Query<HashMap<String, String>>;

async fn instant(State(script): State<Arc<Script>>, Query(asked): Parameters) -> Json<Value> {
    let at = time(&asked["time"]);
    let result = script.answer(&asked["query"], &[at]).into_iter();
    let sample = |(labels, mut points): (Value, Vec<Value>)| {
        points
            .pop()
            .map(|point| json!({ "metric": labels, "value": point }))
    };
    answered("vector", result.filter_map(sample).collect())
}

async fn range(State(script): State<Arc<Script>>, Query(asked): Parameters) -> Json<Value> {
    let (mut at, end) = (time(&asked["start"]), time(&asked["end"]));
    let step = Duration::from_secs_f64(asked["step"].parse().expect("a number"));
    let mut instants = Vec::new();
    while at <= end {
        instants.push(at);
        at = at + step;
    }
    let result = script.answer(&asked["query"], &instants).into_iter();
    let series =
        |(labels, points): (Value, Vec<Value>)| json!({ "metric": labels, "values": points });
    let with_points = result.filter(|(_, points)| !points.is_empty());
    answered("matrix", with_points.map(series).collect())
}

fn answered(kind: &str, result: Vec<Value>) -> Json<Value> {
    Json(json!({ "status": "success", "data": { "resultType": kind, "result": result } }))
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

impl Script {
    /// Each service's labels with its points at the instants.
    fn answer(&self, query: &str, instants: &[Timestamp]) -> Vec<(Value, Vec<Value>)> {
        let levels = self.levels.lock().expect("the script does not panic");
        let series = |(service, levels): (&String, &Vec<(Timestamp, f64)>)| {
            let is_gone = |at: &Timestamp| {
                let level = levels.iter().rev().find(|(from, _)| from <= at);
                level.is_some_and(|(_, level)| *level == GONE)
            };
            let point = |at: &Timestamp| {
                if is_gone(at) {
                    return None;
                }
                let value = self.value(query, levels, *at)?;
                Some(json!([at.as_seconds(), value.to_string()]))
            };
            let labels = json!({ "service": service, "job": "scripted", "instance": format!("{service}:1") });
            (labels, instants.iter().filter_map(point).collect())
        };
        levels.iter().map(series).collect()
    }

    fn value(&self, query: &str, levels: &[(Timestamp, f64)], at: Timestamp) -> Option<f64> {
        let at = match self.scrapes {
            Some((distance, offset)) => (at - offset).floor_to(distance) + offset,
            None => at,
        };
        if at < self.begin {
            return None;
        }
        if query.contains("count_over_time(") {
            Some(SCRAPES_AN_HOUR)
        } else if query.contains("timestamp(") {
            // Up.
            Some(at.as_seconds())
        } else if query.contains("process_start_time_seconds") {
            Some(self.begin.as_seconds())
        } else if query.contains("process_cpu_usage") {
            let level = levels.iter().rev().find(|(from, _)| *from <= at)?;
            Some(level.1 + noise(at))
        } else {
            None
        }
    }
}

/// −1 to 1, the same for the same instant.
fn noise(at: Timestamp) -> f64 {
    let hash = blake3::hash(&at.as_millis().to_le_bytes());
    f64::from(hash.as_bytes()[0]) / 127.5 - 1.0 + f64::from(hash.as_bytes()[1]) / 1e5
}
