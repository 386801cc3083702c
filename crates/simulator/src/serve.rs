//! The fleet over HTTP: scrapes, discovery, topology, truth and live faults. This is the rim that reads the clock.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{delete, get};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tracing::{info, warn};

use crate::duration::Span;
use crate::faults::{Fault, FaultError, FaultKind, ScheduledFault};
use crate::fleet::Fleet;
use crate::logs::LogWriter;
use crate::prometheus::target_groups;
use crate::topology::Topology;
use crate::truth::TruthMetric;

/// The fleet as the server and its owner share it.
pub type SharedFleet = Arc<Mutex<Fleet>>;

/// Milliseconds since 1970 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

pub fn shared(fleet: Fleet) -> SharedFleet {
    Arc::new(Mutex::new(fleet))
}

/// The time of the machine.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        #[expect(
            clippy::disallowed_methods,
            reason = "the serving rim is the one place that reads the clock"
        )]
        let now = std::time::SystemTime::now();
        now.duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            })
    })
}

pub struct ServeOptions {
    pub clock: Clock,
    /// `host:port` that discovery names; the listener's own address where none is given.
    pub public_address: Option<String>,
    pub logs: Option<LogWriter>,
    /// How often counters and logs move on without being asked.
    pub tick: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        ServeOptions {
            clock: system_clock(),
            public_address: None,
            logs: None,
            tick: Duration::from_secs(1),
        }
    }
}

/// Answers until `shutdown` resolves.
pub async fn serve(
    fleet: SharedFleet,
    listener: TcpListener,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let address = match options.public_address {
        Some(address) => address,
        None => listener.local_addr()?.to_string(),
    };
    let state = FleetServer {
        fleet,
        clock: options.clock,
        address: address.into(),
    };
    let pace = tokio::spawn(keep_pace(state.clone(), options.logs, options.tick));
    let answered = axum::serve(listener, router(state))
        .with_graceful_shutdown(shutdown)
        .await;
    pace.abort();
    answered
}

#[derive(Clone)]
struct FleetServer {
    fleet: SharedFleet,
    clock: Clock,
    address: Arc<str>,
}

impl FleetServer {
    /// The fleet at the present instant.
    fn now(&self) -> MutexGuard<'_, Fleet> {
        let mut fleet = self.fleet.lock().unwrap_or_else(PoisonError::into_inner);
        fleet.advance((self.clock)());
        fleet
    }
}

async fn keep_pace(server: FleetServer, mut logs: Option<LogWriter>, tick: Duration) {
    let mut timer = tokio::time::interval(tick.max(Duration::from_millis(10)));
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        timer.tick().await;
        let fleet = server.now();
        let written = logs
            .as_mut()
            .map(|logs| logs.write_until(&fleet, fleet.now_ms()));
        drop(fleet);
        if let Some(Err(error)) = written {
            warn!(
                error = &error as &dyn std::error::Error,
                "stopped writing logs"
            );
            logs = None;
        }
    }
}

fn router(server: FleetServer) -> Router {
    Router::new()
        .route("/svc/{service}/{instance}/actuator/prometheus", get(scrape))
        .route("/svc/{service}/{instance}/actuator/health", get(health))
        .route("/sd", get(discovery))
        .route("/topology", get(topology))
        .route("/truth", get(truth))
        .route(
            "/faults",
            get(list_faults).post(start_fault).delete(end_all_faults),
        )
        .route("/faults/{id}", delete(end_fault))
        .with_state(server)
}

async fn scrape(
    State(server): State<FleetServer>,
    Path((service, instance)): Path<(String, usize)>,
) -> Response {
    let fleet = server.now();
    match fleet.expose(&service, instance, fleet.now_ms()) {
        Some(text) => (
            [(
                header::CONTENT_TYPE,
                "text/plain;version=0.0.4;charset=utf-8",
            )],
            text,
        )
            .into_response(),
        None => silent(fleet.topology(), &service, instance),
    }
}

async fn health(
    State(server): State<FleetServer>,
    Path((service, instance)): Path<(String, usize)>,
) -> Response {
    let fleet = server.now();
    match fleet.expose(&service, instance, fleet.now_ms()) {
        Some(_) => Json(serde_json::json!({ "status": "UP" })).into_response(),
        None => silent(fleet.topology(), &service, instance),
    }
}

/// A stopped instance and one that never was are told apart.
fn silent(topology: &Topology, service: &str, instance: usize) -> Response {
    match topology
        .position(service)
        .map(|position| topology.services()[position].instances)
    {
        None => problem(
            StatusCode::NOT_FOUND,
            format!("unknown service {service:?} (known: {})", topology.names()),
        ),
        Some(instances) if instance == 0 || instance > instances => problem(
            StatusCode::NOT_FOUND,
            format!("{service} has instances 1 to {instances}, not {instance}"),
        ),
        Some(_) => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{service}-{instance} is stopped"),
        ),
    }
}

async fn discovery(State(server): State<FleetServer>) -> Response {
    Json(target_groups(server.now().topology(), &server.address)).into_response()
}

async fn topology(State(server): State<FleetServer>) -> Response {
    Json(server.now().topology()).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TruthQuery {
    service: String,
    metric: String,
    /// RFC 3339 or seconds since 1970; now where missing.
    at: Option<String>,
}

async fn truth(
    State(server): State<FleetServer>,
    query: Result<Query<TruthQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let fleet = server.now();
    let at_ms = match &query.at {
        Some(text) => instant_ms(text).ok_or_else(|| {
            Problem::bad_request(format!(
                "at={text:?} is neither RFC 3339 nor seconds since 1970"
            ))
        })?,
        None => fleet.now_ms(),
    };
    let metric: TruthMetric = query.metric.parse().map_err(Problem::bad_request)?;
    let value = fleet
        .truth(&query.service, metric, at_ms)
        .map_err(Problem::bad_request)?;
    Ok(Json(serde_json::json!({
        "service": query.service,
        "metric": metric.id(),
        "at": rfc3339(at_ms),
        "value": value.is_finite().then_some(value),
    }))
    .into_response())
}

/// What a live fault is asked for with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultRequest {
    kind: String,
    service: String,
    #[serde(rename = "for", default = "ten_minutes")]
    length: Span,
    #[serde(default = "just_high")]
    magnitude: f64,
}

fn ten_minutes() -> Span {
    Span::from_secs(600)
}

fn just_high() -> f64 {
    1.0
}

#[derive(Debug, Serialize)]
struct FaultView {
    id: u64,
    service: String,
    kind: FaultKind,
    magnitude: f64,
    at: String,
    until: String,
    state: &'static str,
}

impl FaultView {
    fn new(fault: &ScheduledFault, now_ms: i64) -> Self {
        let state = if fault.until_ms <= fault.from_ms {
            "dropped"
        } else if fault.holds_at(now_ms) {
            "active"
        } else if fault.from_ms > now_ms {
            "planned"
        } else {
            "over"
        };
        FaultView {
            id: fault.id,
            service: fault.service.clone(),
            kind: fault.kind,
            magnitude: fault.magnitude,
            at: rfc3339(fault.from_ms),
            until: rfc3339(fault.until_ms),
            state,
        }
    }
}

async fn list_faults(State(server): State<FleetServer>) -> Response {
    let fleet = server.now();
    let faults: Vec<_> = fleet
        .faults()
        .into_iter()
        .map(|fault| FaultView::new(fault, fleet.now_ms()))
        .collect();
    Json(faults).into_response()
}

async fn start_fault(
    State(server): State<FleetServer>,
    request: Result<Json<FaultRequest>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(request) = request.map_err(|rejection| Problem {
        status: rejection.status(),
        text: rejection.body_text(),
    })?;
    let fault = Fault {
        at: Span::default(),
        r#for: request.length,
        service: request.service,
        kind: request.kind.parse()?,
        magnitude: request.magnitude,
    };
    let mut fleet = server.now();
    let started = fleet.start_fault(fault)?;
    info!(id = started.id, service = %started.service, kind = %started.kind, magnitude = started.magnitude, "fault started");
    Ok((
        StatusCode::CREATED,
        Json(FaultView::new(&started, fleet.now_ms())),
    )
        .into_response())
}

async fn end_fault(
    State(server): State<FleetServer>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let mut fleet = server.now();
    let ended = fleet.end_fault(id)?;
    info!(id, service = %ended.service, kind = %ended.kind, "fault ended");
    Ok(Json(FaultView::new(&ended, fleet.now_ms())).into_response())
}

/// Ends what holds and drops what is planned.
async fn end_all_faults(State(server): State<FleetServer>) -> Result<Response, Problem> {
    let mut fleet = server.now();
    let now_ms = fleet.now_ms();
    let open: Vec<u64> = fleet
        .faults()
        .into_iter()
        .filter(|fault| fault.until_ms > now_ms)
        .map(|fault| fault.id)
        .collect();
    let mut ended = Vec::with_capacity(open.len());
    for id in open {
        ended.push(FaultView::new(&fleet.end_fault(id)?, now_ms));
    }
    info!(count = ended.len(), "faults ended");
    Ok(Json(ended).into_response())
}

/// What the caller sees when something was wrong with the request.
struct Problem {
    status: StatusCode,
    text: String,
}

impl Problem {
    fn bad_request(text: impl ToString) -> Self {
        Problem {
            status: StatusCode::BAD_REQUEST,
            text: text.to_string(),
        }
    }
}

impl From<FaultError> for Problem {
    fn from(error: FaultError) -> Self {
        let status = match error {
            FaultError::UnknownId { .. } => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        Problem {
            status,
            text: error.to_string(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        problem(self.status, self.text)
    }
}

fn problem(status: StatusCode, text: String) -> Response {
    (status, Json(serde_json::json!({ "error": text }))).into_response()
}

fn instant_ms(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds.is_finite().then_some((seconds * 1e3) as i64);
    }
    text.parse::<jiff::Timestamp>()
        .ok()
        .map(jiff::Timestamp::as_millisecond)
}

fn rfc3339(t_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(t_ms)
        .map(|timestamp| format!("{timestamp:.3}"))
        .unwrap_or_default()
}
