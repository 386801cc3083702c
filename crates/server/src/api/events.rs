//! `/api/v1/events`: changes that people and pipelines post, such as deployments.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::{Actor, PostedEvent, ServiceId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Added, EventFilter};
use utoipa::{IntoParams, ToSchema};

use super::incidents::actor;
use super::openapi::{Instant, Time};
use super::parameters::{object, optional_time, page_limit};
use super::problem::Problem;
use super::{Api, visible};
use crate::clock;
use crate::tick::Message;

const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;
const KIND_CHARS_MAX: usize = 50;
const TEXT_CHARS_MAX: usize = 500;
const LINK_CHARS_MAX: usize = 2_000;
/// A clock of a sender may be so far ahead.
const AHEAD_MAX: Duration = Duration::from_secs(86_400);

/// An event to remember. Texts are of one line.
#[derive(Deserialize, ToSchema)]
#[schema(as = EventToPost, example = json!({"kind": "deploy", "service": "payments", "version": "2.1.0"}))]
#[serde(deny_unknown_fields)]
pub struct EventBody {
    /// `deploy`, `feature_flag`, `migration` or the like.
    #[schema(min_length = 1, max_length = 50)]
    kind: String,
    /// Without one it concerns the whole fleet.
    #[schema(max_length = 1024)]
    service: Option<String>,
    #[schema(max_length = 500)]
    title: Option<String>,
    #[schema(max_length = 500)]
    version: Option<String>,
    /// An http or https address.
    #[schema(max_length = 2000, pattern = "^https?://")]
    link: Option<String>,
    /// Now, where it is missing; at most a day ahead.
    #[schema(value_type = Option<Instant>)]
    at: Option<String>,
    /// A second event with the same key is the first one again.
    #[schema(max_length = 500)]
    key: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListParameters {
    /// Of this service, and of the whole fleet.
    #[param(min_length = 1, max_length = 1024)]
    service: Option<String>,
    #[param(value_type = Option<Instant>)]
    from: Option<String>,
    #[param(value_type = Option<Instant>)]
    to: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<u64>,
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// A page of events, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = EventPage)]
pub struct Page {
    items: Vec<EventView>,
    next_cursor: Option<String>,
}

/// An event as the API shows it.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
struct EventView {
    id: u64,
    #[schema(value_type = Time)]
    at: Timestamp,
    kind: String,
    /// Null concerns the whole fleet.
    service: Option<String>,
    title: Option<String>,
    version: Option<String>,
    link: Option<String>,
    key: Option<String>,
    by: Option<String>,
}

/// Posts a change, such as a deployment.
///
/// Incidents name it where it came shortly before them.
#[utoipa::path(post, path = "/api/v1/events", tag = "events", request_body = EventBody,
    params(("x-operator" = Option<String>, Header, description = "Who posts it; not verified.")),
    responses(
        (status = 201, description = "It is stored.", body = EventView),
        (status = 200, description = "An event with this key is stored already.", body = EventView),
))]
pub async fn post(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let now = clock::now();
    let event = event(&body, actor(&api, &headers), now)?;
    let added = api.storage.database.add_event(event).await;
    let added = added.map_err(|error| Problem::internal("storing the event", &error))?;
    let (status, event) = match added {
        Added::New(event) => (StatusCode::CREATED, event),
        Added::Existing(event) => (StatusCode::OK, event),
    };
    // Stored already: one that is not taken now is taken at the next start.
    let message = Message::Event(Arc::new(event.clone()));
    if api.engine.send(message).await.is_err() {
        tracing::info!(
            id = event.id,
            "an event is stored and taken at the next start"
        );
    }
    Ok((status, Json(view(event))).into_response())
}

fn event(body: &Bytes, actor: Actor, now: Timestamp) -> Result<PostedEvent, Problem> {
    let body: EventBody = object(body).map_err(|error| {
        Problem::bad_request(format!(
            "the body must be like {{\"kind\": \"deploy\", \"service\": \"payments\", \"version\": \"2.1.0\"}}: {error}"
        ))
    })?;
    let at = body.at.map_or(Ok(now), |text| {
        text.parse()
            .map_err(|error| Problem::bad_request(format!("at: {error}")))
    })?;
    if at.since(now) > AHEAD_MAX {
        return Err(Problem::bad_request("at is more than a day in the future"));
    }
    let service = body.service.filter(|name| !name.is_empty()).map(|name| {
        ServiceId::new(&name).map_err(|error| Problem::bad_request(format!("service: {error}")))
    });
    let by = match actor {
        Actor::Unverified(name) if name != "anonymous" => Some(name),
        Actor::Verified(name) => Some(name),
        _ => None,
    };
    let kind = text("kind", Some(body.kind), KIND_CHARS_MAX)?;
    Ok(PostedEvent {
        id: 0,
        key: text("key", body.key, TEXT_CHARS_MAX)?,
        at,
        kind: kind.ok_or_else(|| {
            Problem::bad_request("kind is empty; it is deploy, feature_flag, migration or the like")
        })?,
        service: service.transpose()?,
        title: text("title", body.title, TEXT_CHARS_MAX)?,
        version: text("version", body.version, TEXT_CHARS_MAX)?,
        link: link(body.link)?,
        by,
    })
}

/// A text of one line, trimmed; nothing where it is empty.
fn text(name: &str, given: Option<String>, chars_max: usize) -> Result<Option<String>, Problem> {
    let given = given.map(|text| text.trim().to_owned());
    let Some(text) = given.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > chars_max {
        let why = format!("{name} is longer than {chars_max} characters");
        return Err(Problem::bad_request(why));
    }
    if text.chars().any(char::is_control) {
        let why = format!("{name} {} has control characters", visible(&text));
        return Err(Problem::bad_request(why));
    }
    Ok(Some(text))
}

fn link(given: Option<String>) -> Result<Option<String>, Problem> {
    let Some(link) = text("link", given, LINK_CHARS_MAX)? else {
        return Ok(None);
    };
    match reqwest::Url::parse(&link) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Some(link)),
        _ => Err(Problem::bad_request(format!(
            "link {} is no http or https address",
            visible(&link)
        ))),
    }
}

/// Posted changes, newest first.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(ListParameters), responses(
    (status = 200, description = "A page.", body = Page),
))]
pub async fn list(
    State(api): State<Api>,
    Query(parameters): Query<ListParameters>,
) -> Result<Json<Page>, Problem> {
    let limit = page_limit(parameters.limit, PAGE, PAGE_MAX)?;
    let service = parameters.service.map(|name| {
        ServiceId::new(&name).map_err(|error| Problem::bad_request(format!("service: {error}")))
    });
    let filter = EventFilter {
        service: service.transpose()?,
        from: optional_time("from", parameters.from.as_deref())?,
        to: optional_time("to", parameters.to.as_deref())?,
        after: parameters.cursor,
        limit,
    };
    let page = api.storage.database.events(&filter).await;
    let page = page.map_err(|error| Problem::internal("reading the events", &error))?;
    Ok(Json(Page {
        items: page.events.into_iter().map(view).collect(),
        next_cursor: page.next.map(|id| id.to_string()),
    }))
}

fn view(event: PostedEvent) -> EventView {
    EventView {
        id: event.id,
        at: event.at,
        kind: event.kind,
        service: event.service.map(|service| service.to_string()),
        title: event.title,
        version: event.version,
        link: event.link,
        key: event.key,
        by: event.by,
    }
}
