//! What operators do to an incident. Each is a command to the engine; a repeat is answered with the
//! present state.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::{Actor, IncidentId, Severity};
use incident::{Command, CommandKind, Refusal, SnoozeUntil};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use tokio::sync::oneshot;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses, PartialSchema, ToSchema};

use super::super::guard::OPERATOR;
use super::super::openapi::{Crossing, Length, refusals};
use super::super::parameters::{duration, object, time};
use super::super::problem::Problem;
use super::super::{Api, visible};
use super::view::IncidentView;
use super::{expected, no_such_incident, number, stored, whole};
use crate::clock;
use crate::tick::Message;

const NOTE_CHARS_MAX: usize = 10_000;
const NAME_CHARS_MAX: usize = 100;
/// The longest snooze.
const SNOOZE_MAX: Duration = Duration::from_secs(30 * 86_400);

/// What every action takes beside its number and its body.
struct Asked;

impl IntoParams for Asked {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = |name, about: &str| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .description(Some(about))
                .schema(Some(String::schema()))
        };
        let operator = text("x-operator", "Who asks; not verified.");
        let tag = text(
            "if-match",
            "The ETag of the incident as it was seen: 412 where it has changed since.",
        );
        let tag = tag.example(Some("\"3\"".into()));
        [operator, tag].map(ParameterBuilder::build).into()
    }
}

/// What every action answers.
struct Changed;

impl IntoResponses for Changed {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let tag = HeaderBuilder::new().description(Some("Its revision, for If-Match."));
        let incident = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(IncidentView::name())))
            .build();
        let changed = ResponseBuilder::new()
            .description("The incident as it is now, also where it was so before.")
            .header("etag", tag.build())
            .content("application/json", incident);
        let mut answers = refusals([
            (
                StatusCode::NOT_FOUND,
                "There is no incident of that number.",
            ),
            (
                StatusCode::CONFLICT,
                "The state of the incident forbids it.",
            ),
            (
                StatusCode::PRECONDITION_FAILED,
                "It has changed since; get it again.",
            ),
            (StatusCode::SERVICE_UNAVAILABLE, "The server stops."),
        ]);
        answers.insert("200".to_owned(), changed.build().into());
        answers
    }
}

/// A note, or nothing.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = Note)]
#[serde(deny_unknown_fields)]
struct NoteBody {
    #[schema(max_length = 10000)]
    note: Option<String>,
}

/// How it was resolved, or nothing.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = Resolve)]
#[serde(deny_unknown_fields)]
struct ResolveBody {
    #[schema(max_length = 10000)]
    note: Option<String>,
    /// The service is gone for good.
    #[serde(default)]
    decommissioned: bool,
}

/// A comment.
#[derive(Deserialize, ToSchema)]
#[schema(as = Comment)]
#[serde(deny_unknown_fields)]
struct CommentBody {
    #[schema(min_length = 1, max_length = 10000, pattern = "\\S")]
    note: String,
}

/// Who looks after it.
#[derive(Deserialize, ToSchema)]
#[schema(as = Assign)]
#[serde(deny_unknown_fields)]
struct AssignBody {
    /// Null: nobody. Said in any case, so that a body without it takes nothing away.
    #[schema(required, max_length = 100)]
    #[serde(deserialize_with = "Option::deserialize")]
    owner: Option<String>,
    #[schema(max_length = 10000)]
    note: Option<String>,
}

/// How long nobody wants to hear of it: either `until` or `for`.
#[derive(Deserialize, ToSchema)]
#[schema(as = SnoozeUntil, example = json!({"for": "2h"}))]
#[serde(deny_unknown_fields)]
struct SnoozeBody {
    /// A time up to 30 days away, `change`, or null to end the snooze.
    // The outer one: it isn't said.
    #[schema(value_type = Option<String>)]
    #[serde(default, deserialize_with = "said")]
    until: Option<Option<String>>,
    /// Instead of `until`: so long from now, up to 30 days.
    #[schema(value_type = Option<Length>)]
    r#for: Option<String>,
    #[schema(max_length = 10000)]
    note: Option<String>,
}

/// An operator's word.
#[derive(Deserialize, ToSchema)]
#[schema(as = SetSeverity)]
#[serde(deny_unknown_fields)]
struct SeverityBody {
    /// Null gives it back to the thresholds. Said in any case.
    #[schema(required, value_type = Option<Crossing>)]
    #[serde(deserialize_with = "Option::deserialize")]
    severity: Option<String>,
    #[schema(max_length = 10000)]
    note: Option<String>,
}

/// Says that somebody looks at it: repeats of its messages stop.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/ack", tag = "incidents",
    params(("id" = u64, Path, description = "The number of the incident.", minimum = 1, example = 1), Asked),
    request_body = Option<NoteBody>, responses(Changed))]
pub async fn acknowledge(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let NoteBody { note } = optional(&body, r#"{"note": "…"}"#)?;
    change(&api, &id, &headers, CommandKind::Acknowledge, note).await
}

/// Resolves it.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/resolve", tag = "incidents",
    params(("id" = u64, Path, description = "The number of the incident.", minimum = 1, example = 1), Asked),
    request_body = Option<ResolveBody>, responses(Changed))]
pub async fn resolve(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let like = r#"{"note": "…", "decommissioned": false}"#;
    let ResolveBody {
        note,
        decommissioned,
    } = optional(&body, like)?;
    let kind = CommandKind::Resolve { decommissioned };
    change(&api, &id, &headers, kind, note).await
}

/// Opens it again.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/reopen", tag = "incidents",
    params(("id" = u64, Path, description = "The number of the incident.", minimum = 1, example = 1), Asked),
    request_body = Option<NoteBody>, responses(Changed))]
pub async fn reopen(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let NoteBody { note } = optional(&body, r#"{"note": "…"}"#)?;
    change(&api, &id, &headers, CommandKind::Reopen, note).await
}

/// Adds a comment to its timeline.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/comment", tag = "incidents",
    params(("id" = u64, Path, description = "The number of the incident.", minimum = 1, example = 1), Asked),
    request_body = CommentBody, responses(Changed))]
pub async fn comment(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let CommentBody { note } = required(&body, r#"{"note": "the comment"}"#)?;
    if note.trim().is_empty() {
        return Err(Problem::bad_request("note is empty; it is the comment"));
    }
    change(&api, &id, &headers, CommandKind::Comment, Some(note)).await
}

/// Gives it to somebody, or to nobody.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/assign", tag = "incidents",
    params(("id" = u64, Path, description = "The number of the incident.", minimum = 1, example = 1), Asked),
    request_body = AssignBody, responses(Changed))]
pub async fn assign(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let AssignBody { owner, note } = required(&body, r#"{"owner": "kim"}"#)?;
    let owner = owner.map(|name| name.trim().to_owned());
    let owner = owner.filter(|name| !name.is_empty());
    if owner
        .as_ref()
        .is_some_and(|name| name.chars().count() > NAME_CHARS_MAX)
    {
        return Err(Problem::bad_request(format!(
            "owner is longer than {NAME_CHARS_MAX} characters"
        )));
    }
    change(&api, &id, &headers, CommandKind::Assign { owner }, note).await
}

/// Keeps quiet about it for a while.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/snooze", tag = "incidents",
    params(("id" = u64, Path, description = "The number of the incident.", minimum = 1, example = 1), Asked),
    request_body = SnoozeBody, responses(Changed))]
pub async fn snooze(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let like = r#"{"for": "2h"}, {"until": "2026-11-22T18:00:00Z"}, {"until": "change"} or {"until": null}"#;
    let body: SnoozeBody = required(&body, like)?;
    let until = match (
        body.until.as_ref().map(Option::as_deref),
        body.r#for.as_deref(),
    ) {
        (None, None) => {
            return Err(Problem::bad_request(format!(
                "the body must be like {like}"
            )));
        }
        (Some(None), None) => SnoozeUntil::Now,
        (Some(Some("change")), None) => SnoozeUntil::Change,
        (Some(Some(text)), None) => {
            let time = time("until", text)?;
            if time.since(clock::now()) > SNOOZE_MAX {
                return Err(Problem::bad_request("until is more than 30 days away"));
            }
            SnoozeUntil::Time(time)
        }
        (None, Some(text)) => SnoozeUntil::Time(clock::now() + length(text)?),
        (Some(_), Some(_)) => {
            return Err(Problem::bad_request("give either until or for, not both"));
        }
    };
    change(
        &api,
        &id,
        &headers,
        CommandKind::Snooze { until },
        body.note,
    )
    .await
}

fn length(text: &str) -> Result<Duration, Problem> {
    let length = duration("for", text)?;
    if length > SNOOZE_MAX {
        return Err(Problem::bad_request("for is longer than 30 days"));
    }
    Ok(length)
}

/// Sets its severity by an operator's word, or gives it back to the thresholds.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/severity", tag = "incidents",
    params(("id" = u64, Path, description = "The number of the incident.", minimum = 1, example = 1), Asked),
    request_body = SeverityBody, responses(Changed))]
pub async fn set_severity(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let body: SeverityBody = required(&body, r#"{"severity": "High"} or {"severity": null}"#)?;
    let severity = body.severity.map(|word| match word.parse() {
        Ok(severity @ (Severity::High | Severity::Critical)) => Ok(severity),
        _ => Err(Problem::bad_request(format!(
            "severity {} is none of High, Critical",
            visible(&word)
        ))),
    });
    let severity = severity.transpose()?;
    let kind = CommandKind::SetSeverity { severity };
    change(&api, &id, &headers, kind, body.note).await
}

async fn change(
    api: &Api,
    id: &str,
    headers: &HeaderMap,
    kind: CommandKind,
    note: Option<String>,
) -> Result<Response, Problem> {
    let incident = number(id)?;
    let command = Command {
        number: 0,
        incident,
        actor: actor(api, headers),
        kind,
        note: checked_note(note)?,
        expected: expected(headers)?,
        stored: None,
    };
    send(api, command).await?;
    Ok(whole(stored(api, incident).await?))
}

/// A note that is not too long; none where it is blank.
pub(super) fn checked_note(note: Option<String>) -> Result<Option<String>, Problem> {
    if let Some(note) = &note
        && note.chars().count() > NOTE_CHARS_MAX
    {
        return Err(Problem::bad_request(format!(
            "note is longer than {NOTE_CHARS_MAX} characters"
        )));
    }
    Ok(note.filter(|note| !note.trim().is_empty()))
}

/// Has a command carried out; what came of it is stored by then.
pub(super) async fn send(api: &Api, command: Command) -> Result<(), Problem> {
    let incident = command.incident;
    let (reply, answer) = oneshot::channel();
    let stopping =
        || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping").detail("the server stops");
    api.engine
        .send(Message::Command { command, reply })
        .await
        .map_err(|_| stopping())?;
    let answer = answer.await.map_err(|_| stopping())?;
    answer
        .result
        .map(|_| ())
        .map_err(|refusal| refused(incident, refusal))
}

fn refused(id: IncidentId, refusal: Refusal) -> Problem {
    let conflict = |title, why: &str| {
        Problem::new(StatusCode::CONFLICT, title).detail(format!("incident {id} {why}"))
    };
    match refusal {
        Refusal::Unknown => no_such_incident(id),
        Refusal::AlreadyResolved => conflict(
            "already resolved",
            "is resolved; reopen it before you acknowledge or snooze it",
        ),
        Refusal::NotGone => conflict(
            "not gone",
            "is not the firing incident of a service that is gone; resolve it without decommissioned",
        ),
        Refusal::SnoozeInThePast => {
            Problem::bad_request("until is in the past; a snooze ends after it begins")
        }
        Refusal::Stale { revision } => Problem::new(StatusCode::PRECONDITION_FAILED, "stale")
            .detail(format!(
                "incident {id} has changed since: its ETag is now \"{revision}\"; get it again"
            )),
    }
}

/// A body that may be missing.
fn optional<T: DeserializeOwned + Default>(body: &Bytes, like: &str) -> Result<T, Problem> {
    if body.is_empty() {
        Ok(T::default())
    } else {
        required(body, like)
    }
}

/// A value that is there, though it may be null.
fn said<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

pub(super) fn required<T: DeserializeOwned>(body: &Bytes, like: &str) -> Result<T, Problem> {
    object(body)
        .map_err(|error| Problem::bad_request(format!("the body must be like {like}: {error}")))
}

/// Who asks. With access control the guard has put the verified name in place of whatever was
/// said; without, it is a name that nobody has verified.
pub fn actor(api: &Api, headers: &HeaderMap) -> Actor {
    let name = headers
        .get(OPERATOR)
        .and_then(|value| value.to_str().ok())
        .map(str::trim);
    let name = name.filter(|name| !name.is_empty()).unwrap_or("anonymous");
    let name = name.chars().take(NAME_CHARS_MAX).collect();
    if api.entrance.is_required() {
        Actor::Verified(name)
    } else {
        Actor::Unverified(name)
    }
}
