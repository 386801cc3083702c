//! `GET /api/v1/stream`: what changes, as it changes, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::ServiceId;
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;
use utoipa::IntoParams;

use super::problem::Problem;
use super::{Api, visible};
use crate::stopping::stopped;
use crate::stream::{Ask, Hub, Next, Position};

/// A line is sent at least this often, so that both sides see when the other is gone.
const SILENCE_MAX: Duration = Duration::from_secs(15);
const COMMENT: &[u8] = b": still here\n\n";
/// Clients that lose the connection come back after so many milliseconds.
const RETRY_MS: u32 = 2_000;
/// Those who find no place may try again after so many seconds.
const RETRY_SECONDS: &str = "30";

/// What to follow.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// Only what concerns this service, or all of them: an id, or a bare name where it is unique.
    service: Option<String>,
    /// Go on after the event with this id; the header `Last-Event-ID` goes before.
    #[param(example = "1795348800000-17")]
    last_event_id: Option<String>,
}

/// What changes, as it changes: server-sent events.
#[utoipa::path(get, path = "/api/v1/stream", tag = "events", params(
    Parameters,
    ("Last-Event-ID" = Option<String>, Header, description = "Go on after the event with this id. Browsers send it by themselves."),
), responses(
    (status = 200, description = "Events `tick`, `incident`, `job`, `backfill`, `status` and `paging`, each with an `id` and JSON as `data`; `hello` at the beginning; `missed` where events are lost, then everything must be loaded anew. A comment at least each 15 seconds. Ends when Bellwether stops.", body = String, content_type = "text/event-stream"),
    (status = 404, description = "There is no such service.", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "`limits.streams` clients follow already, or no services are known yet; `Retry-After` says when to try again.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    match follow(&api, &parameters, &headers) {
        Ok(response) => response,
        Err(Refusal::Problem(problem)) => problem.into_response(),
        Err(Refusal::Full(problem)) => {
            ([(header::RETRY_AFTER, RETRY_SECONDS)], problem).into_response()
        }
    }
}

enum Refusal {
    Problem(Problem),
    Full(Problem),
}

fn follow(api: &Api, parameters: &Parameters, headers: &HeaderMap) -> Result<Response, Refusal> {
    let ask = ask(parameters, headers).map_err(Refusal::Problem)?;
    let service = parameters.service.as_deref();
    let service = service.map(|text| api.service(&api.snapshot(), Some(text)));
    let service = service.transpose().map_err(Refusal::Problem)?;
    let Some(place) = api.hub.enter() else {
        let full = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many clients");
        return Err(Refusal::Full(full.detail(format!(
            "{} clients follow already, which is limits.streams; try again in {RETRY_SECONDS} seconds",
            api.config().limits.streams
        ))));
    };
    let follower = Follower {
        published: api.hub.subscribe(),
        hub: Arc::clone(&api.hub),
        stop: api.stop.clone(),
        begin: Some(ask),
        position: None,
        service,
        _place: place,
    };
    let events = stream::unfold(follower, |mut follower| async move {
        let text = follower.next().await?;
        Some((Ok::<Bytes, Infallible>(text), follower))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // Proxies of nginx' kind would hold events back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

/// Where the client was. A header that isn't ours is of another program's version, and no reason to
/// refuse a browser for good.
fn ask(parameters: &Parameters, headers: &HeaderMap) -> Result<Ask, Problem> {
    if let Some(id) = headers.get("last-event-id").filter(|id| !id.is_empty()) {
        let position = id.to_str().ok().and_then(|id| id.parse().ok());
        return Ok(position.map_or(Ask::AfterUnknown, Ask::After));
    }
    match parameters.last_event_id.as_deref() {
        None | Some("") => Ok(Ask::Now),
        Some(id) => id.parse().map(Ask::After).map_err(|error| {
            Problem::bad_request(format!("last_event_id is {}; {error}", visible(id)))
        }),
    }
}

/// One client: where it is, and what it follows.
struct Follower {
    hub: Arc<Hub>,
    published: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    /// Until the first text is given.
    begin: Option<Ask>,
    position: Option<Position>,
    service: Option<ServiceId>,
    /// Given back when the client leaves.
    _place: OwnedSemaphorePermit,
}

impl Follower {
    /// The next text; none when Bellwether stops. Asked for only when the one before is on its way,
    /// so that nothing piles up for clients that don't read.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(ask) = self.begin.take() {
            return Some(self.begin(ask));
        }
        let position = self.position?;
        let comment_at = Instant::now() + SILENCE_MAX;
        loop {
            if *self.stop.borrow() {
                return None;
            }
            self.published.mark_unchanged();
            match self
                .hub
                .next(self.position.unwrap_or(position), self.service.as_ref())
            {
                Next::Event(text, after) => {
                    self.position = Some(after);
                    if text.is_some() {
                        return text;
                    }
                }
                Next::Missed(end) => {
                    self.position = Some(end);
                    return Some(missed(end));
                }
                Next::Wait => tokio::select! {
                    () = stopped(&mut self.stop) => return None,
                    changed = self.published.changed() => changed.ok()?,
                    () = tokio::time::sleep_until(comment_at) => {
                        return Some(Bytes::from_static(COMMENT));
                    }
                },
            }
        }
    }

    fn begin(&mut self, ask: Ask) -> Bytes {
        let (position, text) = match self.hub.begin(ask) {
            Ok(position) => (position, hello(position, ask != Ask::Now)),
            Err(end) => (end, missed(end)),
        };
        self.position = Some(position);
        let mut begin = format!("retry: {RETRY_MS}\n").into_bytes();
        begin.extend_from_slice(&text);
        begin.into()
    }
}

/// Gives even those an id who see no event before they lose the connection.
fn hello(position: Position, resumed: bool) -> Bytes {
    format!("id: {position}\nevent: hello\ndata: {{\"resumed\":{resumed}}}\n\n").into()
}

fn missed(end: Position) -> Bytes {
    format!(
        "id: {end}\nevent: missed\ndata: {{\"detail\":\"events are lost: load everything anew; from here on nothing is missing\"}}\n\n"
    )
    .into()
}
