//! `/api/v1/mutes` and `/api/v1/shadow`: nobody is told for a while, of a service or of anything.
//! Incidents are decided and recorded as ever.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use domain::{ServiceId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Mute, MuteFilter, NewMute};
use tokio::sync::oneshot;
use utoipa::{IntoParams, ToSchema};

use super::incidents::{actor, said_by};
use super::openapi::Time;
use super::parameters::{duration, object, page_limit, time};
use super::problem::Problem;
use super::{Api, visible};
use crate::clock;
use crate::tick::Message;

const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;
const NOTE_CHARS_MAX: usize = 1_000;
/// The longest mute, in days; longer ones are set without an end.
const DAYS_MAX: u64 = 365;

/// A mute to be set. Without `for` and `until` it holds until it is ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MuteBody {
    /// An id, or a bare name where it is unique.
    service: String,
    /// So long from now, such as `2h`.
    r#for: Option<String>,
    /// RFC 3339 or epoch seconds.
    until: Option<String>,
    note: Option<String>,
}

/// Shadow mode, on or off. Without `for` and `until` it holds until it is ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShadowBody {
    on: bool,
    /// So long from now, such as `2h`.
    r#for: Option<String>,
    /// RFC 3339 or epoch seconds.
    until: Option<String>,
    note: Option<String>,
}

/// Which mutes.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParameters {
    /// Only those that hold now, or that do not.
    active: Option<bool>,
    /// The `next_cursor` of the page before.
    cursor: Option<u64>,
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// Mutes, the last that was set first.
#[derive(Serialize, ToSchema)]
#[schema(as = MutePage)]
pub struct Page {
    items: Vec<MuteView>,
    next_cursor: Option<String>,
}

/// Somebody's wish that nobody be told for a while.
#[derive(Serialize, ToSchema)]
pub struct MuteView {
    id: u64,
    /// Null: of everything, which is shadow mode.
    service: Option<String>,
    active: bool,
    #[schema(value_type = Time)]
    from: Timestamp,
    /// Null: until it is ended.
    #[schema(value_type = Option<Time>)]
    until: Option<Timestamp>,
    by: String,
    note: Option<String>,
    #[schema(value_type = Option<Time>)]
    ended_ts: Option<Timestamp>,
    ended_by: Option<String>,
}

/// Whether shadow mode is on.
#[derive(Serialize, ToSchema)]
pub struct Shadow {
    on: bool,
    /// Who set it, and until when; null where it is off.
    mute: Option<MuteView>,
}

/// Mutes of services and of everything, the last that was set first.
#[utoipa::path(get, path = "/api/v1/mutes", tag = "paging", params(ListParameters), responses(
    (status = 200, description = "A page of mutes.", body = Page),
))]
pub async fn list(
    State(api): State<Api>,
    Query(parameters): Query<ListParameters>,
) -> Result<Json<Page>, Problem> {
    let now = clock::now();
    let filter = MuteFilter {
        active_at: parameters.active.unwrap_or(false).then_some(now),
        after: parameters.cursor,
        limit: page_limit(parameters.limit, PAGE, PAGE_MAX)?,
    };
    let page = api.storage.database.mutes(&filter).await;
    let page = page.map_err(|error| Problem::internal("reading the mutes", &error))?;
    Ok(Json(Page {
        items: page
            .mutes
            .into_iter()
            .filter(|mute| parameters.active != Some(false) || !mute.is_active(now))
            .map(|mute| view(mute, now))
            .collect(),
        next_cursor: page.next.map(|next| next.to_string()),
    }))
}

/// Mutes a service: its incidents are recorded, and nobody is told of them.
///
/// When it ends, what still fires is told.
#[utoipa::path(post, path = "/api/v1/mutes", tag = "paging", request_body = MuteBody, responses(
    (status = 201, description = "It holds from now on.", body = MuteView),
    (status = 404, description = "There is no such service.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn set(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<MuteView>), Problem> {
    let body: MuteBody = parsed(
        &body,
        r#"{"service": "payments", "for": "2h", "note": "load test"}"#,
    )?;
    let service = api.service(&api.snapshot(), Some(&body.service))?;
    let now = clock::now();
    let until = end(body.r#for.as_deref(), body.until.as_deref(), now)?;
    let mute = add(&api, &headers, Some(service), until, body.note, now).await?;
    Ok((StatusCode::CREATED, Json(view(mute, now))))
}

/// Ends a mute; one that is over stays as it was.
#[utoipa::path(delete, path = "/api/v1/mutes/{id}", tag = "paging",
    params(("id" = u64, Path, description = "Its number.")),
    responses(
        (status = 200, description = "It is over.", body = MuteView),
        (status = 404, description = "There is no such mute.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn finish(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<MuteView>, Problem> {
    let id: u64 = id
        .parse()
        .map_err(|_| Problem::bad_request(format!("{} is no number of a mute", visible(&id))))?;
    let now = clock::now();
    let ended = api
        .storage
        .database
        .mute_end(id, actor(&api, &headers), now)
        .await;
    let ended = ended.map_err(|error| Problem::internal("ending the mute", &error))?;
    let mute = ended.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "no such mute").detail(format!(
            "there is no mute {id}; GET /api/v1/mutes lists them"
        ))
    })?;
    take_over(&api).await;
    Ok(Json(view(mute, now)))
}

/// Whether shadow mode is on: everything is decided and recorded, and nobody is told.
#[utoipa::path(get, path = "/api/v1/shadow", tag = "paging", responses(
    (status = 200, description = "On or off.", body = Shadow),
))]
pub async fn shadow(State(api): State<Api>) -> Result<Json<Shadow>, Problem> {
    Ok(Json(shadow_now(&api, clock::now()).await?))
}

/// Switches shadow mode on or off.
///
/// When it goes off, what still fires is told.
#[utoipa::path(post, path = "/api/v1/shadow", tag = "paging", request_body = ShadowBody, responses(
    (status = 200, description = "As it is from now on.", body = Shadow),
))]
pub async fn set_shadow(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Shadow>, Problem> {
    let body: ShadowBody = parsed(&body, r#"{"on": true, "for": "2h", "note": "first week"}"#)?;
    let now = clock::now();
    let until = end(body.r#for.as_deref(), body.until.as_deref(), now)?;
    if !body.on && until.is_some() {
        return Err(Problem::bad_request(
            "for and until are of shadow mode that is on",
        ));
    }
    // What holds is ended first: at most one is on.
    for mute in active(&api, now).await?.into_iter().filter(is_of_all) {
        let ended = api
            .storage
            .database
            .mute_end(mute.id, actor(&api, &headers), now)
            .await;
        ended.map_err(|error| Problem::internal("ending shadow mode", &error))?;
    }
    if body.on {
        add(&api, &headers, None, until, body.note, now).await?;
    } else {
        take_over(&api).await;
    }
    Ok(Json(shadow_now(&api, now).await?))
}

async fn shadow_now(api: &Api, now: Timestamp) -> Result<Shadow, Problem> {
    let mute = active(api, now).await?.into_iter().find(is_of_all);
    Ok(Shadow {
        on: mute.is_some(),
        mute: mute.map(|mute| view(mute, now)),
    })
}

fn is_of_all(mute: &Mute) -> bool {
    mute.service.is_none()
}

async fn active(api: &Api, now: Timestamp) -> Result<Vec<Mute>, Problem> {
    let active = api.storage.database.active_mutes(now).await;
    active.map_err(|error| Problem::internal("reading the mutes", &error))
}

async fn add(
    api: &Api,
    headers: &HeaderMap,
    service: Option<ServiceId>,
    until: Option<Timestamp>,
    note: Option<String>,
    now: Timestamp,
) -> Result<Mute, Problem> {
    let note = note.filter(|note| !note.trim().is_empty());
    if note
        .as_ref()
        .is_some_and(|note| note.chars().count() > NOTE_CHARS_MAX)
    {
        return Err(Problem::bad_request(format!(
            "note is longer than {NOTE_CHARS_MAX} characters"
        )));
    }
    let new = NewMute {
        service,
        from: now,
        until,
        by: actor(api, headers),
        note,
    };
    let added = api.storage.database.mute_add(new).await;
    let mute = added.map_err(|error| Problem::internal("storing the mute", &error))?;
    take_over(api).await;
    Ok(mute)
}

/// Waits until pages go by what is stored now; where the engine ends, the next start does.
async fn take_over(api: &Api) {
    let (reply, done) = oneshot::channel();
    if api.engine.send(Message::Muted { reply }).await.is_ok() {
        let _ = done.await;
    }
}

fn end(
    length: Option<&str>,
    until: Option<&str>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Problem> {
    let end = match (length, until) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(Problem::bad_request("give either until or for, not both"));
        }
        (Some(text), None) => now + duration("for", text)?,
        (None, Some(text)) => time("until", text)?,
    };
    if end <= now {
        return Err(Problem::bad_request("it would end before it begins"));
    }
    if end.since(now).as_secs() > DAYS_MAX * 86_400 {
        return Err(Problem::bad_request(format!(
            "it would hold for more than {DAYS_MAX} days; leave for and until out to mute without an end"
        )));
    }
    Ok(Some(end))
}

fn parsed<T: serde::de::DeserializeOwned>(body: &Bytes, like: &str) -> Result<T, Problem> {
    object(body)
        .map_err(|error| Problem::bad_request(format!("the body must be like {like}: {error}")))
}

pub fn view(mute: Mute, now: Timestamp) -> MuteView {
    MuteView {
        id: mute.id,
        active: mute.is_active(now),
        service: mute.service.map(|service| service.to_string()),
        from: mute.from,
        until: mute.until,
        by: said_by(&mute.by),
        note: mute.note,
        ended_ts: mute.ended,
        ended_by: mute.ended_by.as_ref().map(said_by),
    }
}
