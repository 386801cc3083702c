//! How Bellwether itself is: `/healthz`, `/readyz`, `/api/v1/status`, and a page of routes at `/`.

use std::sync::{Arc, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use domain::{Gap, Presence, SourceState, Timestamp};
use embedded::scrape::TargetStatus;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::openapi::{GapWord, Time, words};
use super::ui::{self, Pages, wants_pages};
use crate::clock;
use crate::collecting::shifted;
use crate::paging::standing;
use crate::snapshot::Snapshot;
use crate::source::Embedded;
use crate::telemetry::since_start;
use crate::tick::chain;

/// Without an answer for so many ticks it isn't ready.
const READY_TICKS: u32 = 4;

words! {
    /// How what metrics come from is.
    SourceStateWord: "unknown", "healthy", "partial", "down";
    /// Whether people are told; off is shadow mode or no receiver, unknown where the database can't
    /// be read.
    PagingWord: "on", "off", "failing", "unknown";
    /// What the backfill does.
    BackfillPhase: "", "waiting", "recent", "older", "filling a gap", "done";
}

const FRONT_PAGE: &str = "Bellwether

GET  /ui/                             the operator's pages, for a browser
GET  /services                        what is watched, worst first
GET  /metrics?service=ID              the newest judgement of each metric, with why
GET  /logs?service=ID&event_ts=TIME   the log lines around an instant
GET  /api/v1/logs                     ?service=ID&from=&to=&level=warn&text=&cursor=&limit=
GET  /api/v1/logs/patterns            ?service=ID&from=&to=&baseline=1h: which are new, risen, fallen, gone
POST /retrain[?service=&metric=&wait=true]
GET  /api/v1/incidents                ?status=OPEN&service=&severity=&firing=&owner=&sort=-severity&from=&to=&cursor=&limit=
GET  /api/v1/incidents/N              with its explanation, logs and timeline
POST /api/v1/incidents/N/ack          {\"note\": \"…\"}
POST /api/v1/incidents/N/resolve      {\"note\": \"…\"}
POST /api/v1/incidents/N/reopen       {\"note\": \"…\"}
POST /api/v1/incidents/N/assign       {\"owner\": \"kim\"}
POST /api/v1/incidents/N/snooze       {\"for\": \"2h\"} or {\"until\": \"change\"}
POST /api/v1/incidents/N/comment      {\"note\": \"…\"}
POST /api/v1/incidents/N/severity     {\"severity\": \"High\"}
POST /api/v1/incidents/bulk           {\"ids\": [1, 2], \"action\": \"ack\", \"note\": \"…\"}
GET  /api/v1/decisions                ?service=ID&metric=ID&at=TIME: what was decided and why
POST /api/v1/events                   {\"kind\": \"deploy\", \"service\": \"payments\", \"version\": \"2.1.0\"}
GET  /api/v1/events                   ?service=&from=&to=&cursor=&limit=
GET  /api/v1/jobs, /api/v1/jobs/ID
GET  /api/v1/stream                   what changes, as it changes: server-sent events
GET  /api/v1/series                   ?service=ID&metric=ID&from=&to=&points=: values with what was expected, gaps, incidents
GET  /api/v1/sparklines               ?service=&from=&to=&points=40: the shape of every series
GET  /api/v1/findings                 ?service=&severity=High,Critical&prediction=Anomaly&cursor=&limit=
GET  /api/v1/catalogue                the metrics, how they are asked for, and their thresholds
GET  /api/v1/models                   ?service=&metric=&cursor=&limit=
GET  /api/v1/datasets                 ?service=&cursor=&limit=; /rows and /download ?service=ID&metric=ID&part=history
GET  /api/v1/config                   in force, without secrets
GET  /prometheus/api/v1/query         and query_range, series, labels, metadata: the embedded store, as Prometheus answers
GET  /api/v1/status
GET  /api/v1/openapi.json             all of this as an OpenAPI document; /api/v1/docs shows it
GET  /healthz, /readyz
GET  /metrics                         Bellwether's own telemetry
POST /api/v1/login                    {\"name\": \"kim\", \"password\": \"…\"}, and /api/v1/logout
GET  /api/v1/notices, /api/v1/receivers   what people were told, what waits, what is withheld
POST /api/v1/mutes                    {\"service\": \"payments\", \"for\": \"2h\"}; GET lists them, DELETE /api/v1/mutes/ID ends one
POST /api/v1/shadow                   {\"on\": true}: recorded as ever, and nobody is told
POST /-/reload                        takes over a changed configuration
GET  /api/v1/me                       who you are and what you may do
GET  /api/v1/audit                    ?actor=&from=&to=&cursor=&limit=: who changed what
";

/// The routes, one a line.
#[utoipa::path(get, path = "/", tag = "description", responses(
    (status = 200, description = "Plain text for people.", body = String, content_type = "text/plain"),
    (status = 303, description = "To the operator's pages, for a browser: where Accept has text/html."),
))]
pub async fn front_page(Extension(pages): Extension<Arc<Pages>>, headers: HeaderMap) -> Response {
    let vary = [(header::VARY, "accept")];
    if pages.are_built() && wants_pages(&headers) {
        return (vary, Redirect::to(ui::AT)).into_response();
    }
    (vary, FRONT_PAGE).into_response()
}

/// Whether the process serves.
#[utoipa::path(get, path = "/healthz", tag = "health", responses(
    (status = 200, description = "It serves.", body = String, content_type = "text/plain"),
))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether Bellwether does its work.
#[derive(Serialize, ToSchema)]
struct Readiness {
    ready: bool,
    /// Why it isn't ready; empty when it is.
    reasons: Vec<String>,
}

/// Whether it does its work: Prometheus is read, decisions are stored.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "It is ready.", body = Readiness),
    (status = 503, description = "It isn't, and why.", body = Readiness),
))]
pub async fn readyz(State(api): State<Api>) -> Response {
    let mut reasons = unready(&api, &api.snapshot(), clock::now());
    let ready = reasons.is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    // Anyone may ask; with access control the reasons are in the status.
    if api.entrance.is_required() {
        reasons.clear();
    }
    (status, Json(Readiness { ready, reasons })).into_response()
}

/// Why it isn't ready; empty when it is.
fn unready(api: &Api, snapshot: &Snapshot, now: Timestamp) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(SourceState::Down(why)) = &snapshot.source {
        reasons.push(format!("Prometheus at {} can't be read: {why}", api.source));
    }
    // Evaluation instants follow the source's clock.
    let now = shifted(now, snapshot.skew);
    let patience = api.config().tick * READY_TICKS + api.config().evaluation_delay;
    match snapshot.answered_at {
        None if snapshot.source.is_none() => {
            reasons.push(format!(
                "Prometheus at {} has not been read yet",
                api.source
            ));
        }
        Some(answered)
            if now.since(answered) > patience.max(api.config().prometheus.timeout * 2) =>
        {
            reasons.push(format!(
                "the newest evaluation with answers of Prometheus is of {answered}"
            ));
        }
        _ => {}
    }
    reasons.extend(snapshot.unsaved.clone());
    reasons
}

/// How Bellwether is.
#[derive(Serialize, ToSchema)]
pub struct Status {
    version: &'static str,
    #[schema(value_type = Time)]
    now: Timestamp,
    #[schema(value_type = Time)]
    started_at: Timestamp,
    ready: bool,
    not_ready_because: Vec<String>,
    source: Source,
    /// Null where a Prometheus is asked.
    embedded: Option<EmbeddedStore>,
    #[schema(value_type = Option<Time>)]
    evaluated_at: Option<Timestamp>,
    tick_seconds: f64,
    ticks: Ticks,
    gaps: Vec<Gaps>,
    services: Services,
    series: usize,
    models: usize,
    incidents: Incidents,
    training: Training,
    backfill: Backfill,
    storage: Option<Storage>,
    configuration: Configuration,
    paging: Paging,
    /// What somebody should know, in sentences.
    remarks: Vec<String>,
}

/// The evaluation instants since the start.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusTicks)]
struct Ticks {
    evaluated: u64,
    missed: u64,
    /// From the collected samples to the stored and published judgement; null before the first.
    last_seconds: Option<f64>,
    slowest_seconds: Option<f64>,
}

/// How often, since the start, a series had no usable sample at an instant.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusGaps)]
struct Gaps {
    #[schema(value_type = GapWord)]
    reason: &'static str,
    /// The reason in words.
    detail: &'static str,
    count: u64,
}

/// Whether people are told, and what waits.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusPaging)]
struct Paging {
    #[schema(value_type = PagingWord)]
    state: &'static str,
    /// In words, also what is muted while it is on.
    because: Vec<String>,
    receivers: usize,
    pending: u64,
    #[schema(value_type = Option<Time>)]
    oldest_pending_ts: Option<Timestamp>,
    given_up_in_a_day: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = StatusConfiguration)]
struct Configuration {
    /// The file, or `built-in defaults`.
    source: String,
    #[schema(value_type = Time)]
    loaded_at: Timestamp,
    /// Why the newest one was refused; the one before is in force.
    refused: Option<String>,
    /// Keys whose new value waits for a restart.
    needs_restart: Vec<String>,
    warnings: Vec<String>,
}

/// What metrics come from.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusSource)]
struct Source {
    url: String,
    #[schema(value_type = SourceStateWord)]
    state: &'static str,
    why: Option<String>,
    #[schema(value_type = Option<Time>)]
    since: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    answered_at: Option<Timestamp>,
    /// Its clock minus ours; zero up to five seconds.
    skew_seconds: f64,
}

/// The store of what is scraped here.
#[derive(Serialize, ToSchema)]
struct EmbeddedStore {
    series: u64,
    samples: u64,
    memory_bytes: u64,
    memory_max_bytes: u64,
    disk_bytes: u64,
    #[schema(value_type = Option<Time>)]
    oldest_ts: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    newest_ts: Option<Timestamp>,
    /// Samples that went before their time because of `embedded.memory`.
    dropped_samples: u64,
    targets: Vec<Target>,
}

/// What is scraped here.
#[derive(Serialize, ToSchema)]
struct Target {
    job: String,
    instance: String,
    url: String,
    /// Null before the first scrape.
    up: Option<bool>,
    #[schema(value_type = Option<Time>)]
    last_scrape_ts: Option<Timestamp>,
    scrape_seconds: f64,
    /// On its page, and how many of them are kept.
    samples: u64,
    kept: u64,
    error: Option<String>,
}

/// How many services there are.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusServices)]
struct Services {
    up: usize,
    gone: usize,
}

/// How many incidents there are.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusIncidents)]
struct Incidents {
    firing: usize,
    unresolved: usize,
}

/// When models are trained.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusTraining)]
struct Training {
    #[schema(value_type = Option<Time>)]
    next_run: Option<Timestamp>,
    /// The id of a job.
    running: Option<String>,
}

/// How far the past has been fetched.
#[derive(Serialize, ToSchema)]
struct Backfill {
    #[schema(value_type = BackfillPhase)]
    phase: &'static str,
    /// Of the phase.
    #[schema(minimum = 0, maximum = 1)]
    done: f64,
    samples: u64,
    /// The first failure of the last run.
    failure: Option<String>,
}

/// What the data directory holds.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusStorage)]
struct Storage {
    data_dir: String,
    datasets_bytes: u64,
    models_bytes: u64,
    database_bytes: u64,
    quarantine_bytes: u64,
    disk_max_bytes: u64,
}

/// How Bellwether is: source, evaluation, training, backfill, storage.
#[utoipa::path(get, path = "/api/v1/status", tag = "health", responses(
    (status = 200, description = "Also where it isn't ready: `not_ready_because` says why.", body = Status),
))]
pub async fn status(State(api): State<Api>) -> Json<Status> {
    let snapshot = api.snapshot();
    let now = clock::now();
    let not_ready_because = unready(&api, &snapshot, now);
    let present = |presence| {
        snapshot
            .services
            .values()
            .filter(|v| v.observation.presence == presence)
            .count()
    };
    let storage = storage(&api).await;
    let running = api
        .queue
        .recent()
        .into_iter()
        .find(|job| job.state == "running");
    Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        now,
        started_at: api.started_at,
        ready: not_ready_because.is_empty(),
        not_ready_because,
        source: source(&api, &snapshot),
        embedded: api.embedded.as_deref().map(|e| embedded(&api, e)),
        evaluated_at: snapshot.at,
        tick_seconds: api.config().tick.as_secs_f64(),
        ticks: ticks(),
        gaps: gaps(),
        services: Services {
            up: present(Presence::Up),
            gone: present(Presence::Gone),
        },
        series: snapshot
            .services
            .values()
            .map(|view| view.findings.len())
            .sum(),
        models: snapshot.models,
        incidents: Incidents {
            firing: snapshot.incidents.iter().filter(|i| i.firing).count(),
            unresolved: snapshot
                .incidents
                .iter()
                .filter(|i| i.status != domain::Status::Resolved)
                .count(),
        },
        training: Training {
            next_run: api.queue.next_run(),
            running: running.map(|job| job.id),
        },
        backfill: backfill(&api),
        storage,
        configuration: configuration(&api),
        paging: paging(&api, now).await,
        remarks: snapshot.remarks.clone(),
    })
}

fn embedded(api: &Api, embedded: &Embedded) -> EmbeddedStore {
    let status = embedded.store.status();
    let target = |target: TargetStatus| Target {
        job: target.job,
        instance: target.instance,
        url: target.url,
        up: target.up,
        last_scrape_ts: target.last_scrape_ms.map(Timestamp::from_millis),
        scrape_seconds: target.duration.as_secs_f64(),
        samples: target.samples as u64,
        kept: target.kept as u64,
        error: target.error,
    };
    EmbeddedStore {
        series: status.series,
        samples: status.samples,
        memory_bytes: status.memory_bytes,
        memory_max_bytes: api.config().embedded.memory_bytes_max,
        disk_bytes: status.disk_bytes,
        oldest_ts: status.oldest_ms.map(Timestamp::from_millis),
        newest_ts: status.newest_ms.map(Timestamp::from_millis),
        dropped_samples: status.dropped_samples,
        targets: embedded.targets.targets().into_iter().map(target).collect(),
    }
}

fn ticks() -> Ticks {
    let ticks = since_start::ticks();
    Ticks {
        evaluated: ticks.evaluated,
        missed: ticks.missed,
        last_seconds: ticks.took.map(|(last, _)| last.as_secs_f64()),
        slowest_seconds: ticks.took.map(|(_, slowest)| slowest.as_secs_f64()),
    }
}

fn gaps() -> Vec<Gaps> {
    let counted = since_start::gaps().into_iter();
    let view = |(gap, count): (Gap, u64)| Gaps {
        reason: gap.as_str(),
        detail: gap.in_words(),
        count,
    };
    counted.map(view).collect()
}

fn backfill(api: &Api) -> Backfill {
    let progress = api.progress.lock();
    let progress = progress.unwrap_or_else(PoisonError::into_inner).clone();
    Backfill {
        phase: progress.phase,
        done: progress.done,
        samples: progress.samples,
        failure: progress.failure,
    }
}

fn source(api: &Api, snapshot: &Snapshot) -> Source {
    let (state, why) = match &snapshot.source {
        None => ("unknown", None),
        Some(SourceState::Healthy) => ("healthy", None),
        Some(SourceState::Partial(why)) => ("partial", Some(why.clone())),
        Some(SourceState::Down(why)) => ("down", Some(why.clone())),
    };
    Source {
        url: api.source.clone(),
        state,
        why,
        since: snapshot.source_since,
        answered_at: snapshot.answered_at,
        skew_seconds: snapshot.skew.as_secs_f64(),
    }
}

async fn storage(api: &Api) -> Option<Storage> {
    let kept = Arc::clone(&api.storage);
    let usage = tokio::task::spawn_blocking(move || crate::housekeeping::usage(&kept)).await;
    let usage = usage.ok()?.ok()?;
    Some(Storage {
        data_dir: api.config().data_dir.display().to_string(),
        datasets_bytes: usage.datasets,
        models_bytes: usage.models,
        database_bytes: usage.database,
        quarantine_bytes: usage.quarantine,
        disk_max_bytes: api.config().retention.disk_bytes_max,
    })
}

fn configuration(api: &Api) -> Configuration {
    let standing = api.reloads.standing();
    Configuration {
        source: standing.source,
        loaded_at: standing.loaded_at,
        refused: standing.refused,
        needs_restart: standing.needs_restart,
        warnings: standing.warnings,
    }
}

async fn paging(api: &Api, now: Timestamp) -> Paging {
    let config = api.config();
    let withhold = api.paged.borrow().withhold.clone();
    let receivers = config.notify.receivers.len();
    match standing(&api.storage.database, &config, &withhold, now).await {
        Ok(standing) => Paging {
            state: standing.state.word(),
            because: standing.because,
            receivers,
            pending: standing.receivers.iter().map(|r| r.pending).sum(),
            oldest_pending_ts: standing
                .receivers
                .iter()
                .filter_map(|r| r.oldest_pending)
                .min(),
            given_up_in_a_day: standing.receivers.iter().map(|r| r.given_up).sum(),
        },
        Err(error) => Paging {
            state: "unknown",
            because: vec![chain(&error)],
            receivers,
            pending: 0,
            oldest_pending_ts: None,
            given_up_in_a_day: 0,
        },
    }
}
