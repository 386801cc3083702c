//! The HTTP API. Handlers read the newest snapshot or the database; reading starts nothing. Public
//! JSON has its own types, converted by hand from the domain's.

mod access;
mod audit;
mod catalogue;
mod compression;
mod configuration;
mod datasets;
mod decisions;
mod docs;
mod events;
mod findings;
mod guard;
mod incidents;
mod known;
mod logs;
mod metrics;
mod models;
mod mutes;
mod notices;
mod openapi;
mod parameters;
mod problem;
mod prometheus;
mod reload;
mod retrain;
mod series;
mod services;
mod sparklines;
mod status;
mod stream;
mod ui;
mod vocabulary;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use domain::{ServiceId, Timestamp};
use metrics_exporter_prometheus::PrometheusHandle;
use sources::LogReader;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tower::Layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::Config;
use crate::entrance::Entrance;
use crate::history::Progress;
use crate::listening;
use crate::live::{Live, Reloads};
use crate::paging::Paged;
use crate::snapshot::Snapshot;
use crate::source::Embedded;
use crate::storage::Storage;
use crate::stream::Hub;
use crate::telemetry;
use crate::tick::Message;
use crate::training::Queue;

pub use audit::Refusals;
pub(crate) use incidents::entry;
use problem::Problem;
pub(crate) use services::judged;
pub use sparklines::Answers;
use vocabulary::Vocabulary;

/// No answer takes longer, but for `POST /retrain?wait=true`.
const TIMEOUT: Duration = Duration::from_secs(30);
const BODY_BYTES_MAX: usize = 64 << 10;
const TARGET_BYTES_MAX: usize = 8 << 10;
/// Requests that read logs at the same time.
pub const LOG_READERS: usize = 4;
/// Requests that read datasets or models at the same time.
pub const DATASET_READERS: usize = 4;

/// What handlers reach.
#[derive(Clone)]
pub struct Api {
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    pub engine: mpsc::Sender<Message>,
    pub queue: Arc<Queue>,
    pub storage: Arc<Storage>,
    pub logs: Arc<LogReader>,
    /// So many requests read logs at the same time; the others wait.
    pub log_readers: Arc<Semaphore>,
    pub dataset_readers: Arc<Semaphore>,
    /// Of this tick.
    pub sparklines: Arc<Answers>,
    pub progress: Arc<Mutex<Progress>>,
    pub telemetry: PrometheusHandle,
    pub live: Live,
    pub reloads: Reloads,
    pub paged: watch::Receiver<Arc<Paged>>,
    pub started_at: Timestamp,
    pub entrance: Arc<Entrance>,
    pub refusals: Arc<Refusals>,
    /// The address of Prometheus, without credentials.
    pub source: String,
    /// Where metrics are scraped here.
    pub embedded: Option<Arc<Embedded>>,
    /// Where events are followed, until it is time to stop.
    pub hub: Arc<Hub>,
    pub stop: watch::Receiver<bool>,
}

/// Answers until told to stop, then finishes what is under way.
pub async fn serve(listener: TcpListener, api: Api, stop: watch::Receiver<bool>) {
    let connections = listening::connections_max(api.config().limits.connections);
    listening::serve(listener, whole(api), connections, stop).await;
}

/// Everything, below the base path.
fn whole(api: Api) -> Router {
    let base: Arc<str> = api.config().server.base_path.as_str().into();
    let entered = from_fn_with_state(base, enter).layer(router(api));
    Router::new()
        .fallback_service(entered)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(finish))
        .layer(middleware::from_fn(compression::compress))
}

/// Refuses targets that are too long or not below the base path, and takes that off.
async fn enter(State(base): State<Arc<str>>, mut request: Request, next: Next) -> Response {
    let target = request.uri().path_and_query();
    if target.is_some_and(|target| target.as_str().len() > TARGET_BYTES_MAX) {
        return Problem::new(StatusCode::URI_TOO_LONG, "target too long")
            .detail(format!("path and query may have {TARGET_BYTES_MAX} bytes"))
            .into_response();
    }
    if base.is_empty() {
        return next.run(request).await;
    }
    match below(&base, request.uri()) {
        Some(uri) => *request.uri_mut() = uri,
        None => return no_such_route(request).await.into_response(),
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let location = headers
        .get(header::LOCATION)
        .and_then(|to| to.to_str().ok());
    if let Some(to) = location.filter(|to| to.starts_with('/'))
        && let Ok(to) = HeaderValue::from_str(&format!("{base}{to}"))
    {
        headers.insert(header::LOCATION, to);
    }
    response
}

/// The target without the base path, if it lies below.
fn below(base: &str, target: &Uri) -> Option<Uri> {
    let rest = target.path_and_query()?.as_str().strip_prefix(base)?;
    let rest = match rest.chars().next() {
        Some('/') => rest.to_owned(),
        None | Some('?') => format!("/{rest}"),
        Some(_) => return None,
    };
    let mut parts = target.clone().into_parts();
    parts.path_and_query = Some(rest.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// The routes with their description.
fn described() -> (Router<Api>, OpenApi) {
    let timed = OpenApiRouter::new()
        .routes(routes!(status::healthz))
        .routes(routes!(status::readyz))
        .routes(routes!(services::list))
        .routes(routes!(metrics::get))
        .routes(routes!(logs::get))
        .routes(routes!(logs::range::get))
        .routes(routes!(logs::patterns::get))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::get))
        .routes(routes!(incidents::actions::acknowledge))
        .routes(routes!(incidents::actions::resolve))
        .routes(routes!(incidents::actions::reopen))
        .routes(routes!(incidents::actions::assign))
        .routes(routes!(incidents::actions::snooze))
        .routes(routes!(incidents::actions::comment))
        .routes(routes!(incidents::actions::set_severity))
        .routes(routes!(decisions::get))
        .routes(routes!(events::list, events::post))
        .routes(routes!(retrain::jobs))
        .routes(routes!(retrain::job))
        .routes(routes!(status::status))
        .routes(routes!(status::front_page))
        .routes(routes!(reload::reload))
        .routes(routes!(mutes::list, mutes::set))
        .routes(routes!(mutes::finish))
        .routes(routes!(mutes::shadow, mutes::set_shadow))
        .routes(routes!(notices::list))
        .routes(routes!(notices::receivers))
        .routes(routes!(catalogue::get))
        .routes(routes!(findings::get))
        .routes(routes!(series::get))
        .routes(routes!(sparklines::get))
        .routes(routes!(models::list))
        .routes(routes!(datasets::list))
        .routes(routes!(datasets::rows::get))
        .routes(routes!(datasets::download::get))
        .routes(routes!(configuration::get))
        .routes(routes!(incidents::bulk::post))
        .routes(routes!(docs::document))
        .routes(routes!(docs::page))
        .routes(routes!(docs::file))
        .routes(routes!(access::login))
        .routes(routes!(access::logout))
        .routes(routes!(access::me))
        .routes(routes!(audit::list))
        .nest("/prometheus/api/v1", prometheus_routes())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            TIMEOUT,
        ));
    let untimed = OpenApiRouter::new()
        .routes(routes!(stream::get))
        .routes(routes!(retrain::retrain));
    let (router, document) = untimed.merge(timed).split_for_parts();
    (router, openapi::complete(document))
}

fn router(api: Api) -> Router {
    let (routes, document) = described();
    let pages = Arc::new(ui::Pages::built(&api.config().server.base_path));
    routes
        .merge(pages_routes())
        .layer(Extension(pages))
        .layer(Extension(Arc::new(docs::Served::of(&document))))
        .layer(from_fn_with_state(
            Arc::new(Vocabulary::of(&document)),
            vocabulary::check,
        ))
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(api.clone(), guard::check))
        .with_state(api)
}

/// The embedded store in the format of Prometheus. By POST, which `openapi::complete` describes, a
/// query is the same.
fn prometheus_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(prometheus::query))
        .route("/query", post(prometheus::query))
        .routes(routes!(prometheus::query_range))
        .route("/query_range", post(prometheus::query_range))
        .routes(routes!(prometheus::series))
        .route("/series", post(prometheus::series))
        .routes(routes!(prometheus::labels))
        .route("/labels", post(prometheus::labels))
        .routes(routes!(prometheus::label_values))
        .routes(routes!(prometheus::metadata))
        .routes(routes!(prometheus::build_info))
}

/// The operator's pages, which are no part of the API.
fn pages_routes() -> Router<Api> {
    Router::new()
        .route("/ui", get(ui::entry))
        .route(ui::AT, get(ui::first))
        .route("/ui/{*path}", get(ui::below))
}

/// Headers of every answer: nothing may guess its type, keep it, frame it, or learn from where one
/// came. A page may say otherwise of itself.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Counts the answer, makes every refusal a problem, and adds the headers of all.
async fn finish(request: Request, next: Next) -> Response {
    let mut response = problem::or_problem(next.run(request).await).await;
    telemetry::answered(response.status().as_u16());
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    // A page has one of its own.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    response
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Problem::failed("handling the request", "it panicked").into_response()
}

async fn no_such_route(request: Request) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no such route").detail(format!(
        "{} is not a route of Bellwether; see /",
        visible(request.uri().path())
    ))
}

async fn wrong_method(request: Request) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong method").detail(format!(
        "{} does not take {}",
        visible(request.uri().path()),
        request.method()
    ))
}

impl Api {
    /// The settings in force.
    pub(crate) fn config(&self) -> Arc<Config> {
        self.live.config()
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }

    /// Reads logs where that may block, a few requests at a time.
    pub(crate) async fn read_logs<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let failed = |error: &dyn std::error::Error| Problem::internal("reading the logs", error);
        let permit = Arc::clone(&self.log_readers).acquire_owned().await;
        let permit = permit.map_err(|error| failed(&error))?;
        // The permit goes with the work: a caller that left doesn't make room for more.
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            read()
        });
        work.await.map_err(|error| failed(&error))
    }

    /// The service that a parameter names: an id, or a bare name where that is unique.
    pub(crate) fn service(
        &self,
        snapshot: &Snapshot,
        text: Option<&str>,
    ) -> Result<ServiceId, Problem> {
        let text = text.filter(|text| !text.is_empty()).ok_or_else(|| {
            Problem::bad_request("parameter service is missing; GET /services lists the ids")
        })?;
        if let Some((id, _)) = snapshot.services.iter().find(|(id, _)| id.as_str() == text) {
            return Ok(id.clone());
        }
        let ends_so = |id: &&ServiceId| {
            id.as_str()
                .rsplit_once('/')
                .is_some_and(|(_, name)| name == text)
        };
        let same_name: Vec<&ServiceId> = snapshot.services.keys().filter(ends_so).collect();
        match same_name[..] {
            [id] => Ok(id.clone()),
            [] if snapshot.at.is_none() => {
                Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not ready")
                    .detail("no services are known yet: Prometheus has not been read; see /readyz"))
            }
            [] => Err(
                Problem::new(StatusCode::NOT_FOUND, "no such service").detail(format!(
                    "no service is named {}; GET /services lists them",
                    visible(text)
                )),
            ),
            _ => {
                let ids: Vec<String> = same_name.iter().map(|id| visible(id.as_str())).collect();
                Err(Problem::bad_request(format!(
                    "several services are named {}: use one of the ids {}",
                    visible(text),
                    ids.join(", ")
                )))
            }
        }
    }
}

/// A text from outside, cut and with control characters made visible.
pub(crate) fn visible(text: &str) -> String {
    let cut: String = text.chars().take(120).collect();
    cut.escape_debug().to_string()
}
