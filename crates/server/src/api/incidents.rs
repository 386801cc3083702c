//! `/api/v1/incidents`: list, get, acknowledge, resolve.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use domain::{
    Actor, Incident, IncidentId, Severity, Status, TimelineEntry, TimelineEvent, Timestamp,
};
use incident::{Command, CommandKind, Refusal};
use serde::{Deserialize, Serialize};
use store::IncidentFilter;
use tokio::sync::oneshot;

use super::logs::Window;
use super::problem::Problem;
use super::{Api, visible};
use crate::tick::Message;

const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;
const NOTE_CHARS_MAX: usize = 10_000;
const OPERATOR_CHARS_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListParameters {
    service: Option<String>,
    status: Option<String>,
    severity: Option<String>,
    from: Option<String>,
    to: Option<String>,
    cursor: Option<u64>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub struct Page {
    items: Vec<IncidentView>,
    next_cursor: Option<String>,
}

/// An incident as the API shows it.
#[derive(Serialize)]
pub struct IncidentView {
    id: u64,
    service: String,
    kind: domain::IncidentKind,
    status: Status,
    firing: bool,
    severity: Severity,
    worst_severity: Severity,
    summary: String,
    opened_because: domain::OpenedBecause,
    /// The first crossing; `/logs` takes it as it is.
    event_ts: Timestamp,
    onset_ts: Timestamp,
    first_crossing_ts: Timestamp,
    opened_ts: Timestamp,
    last_seen_ts: Timestamp,
    ended_ts: Option<Timestamp>,
    members: Vec<MemberView>,
    follows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logs: Option<Window>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<Vec<EntryView>>,
}

#[derive(Serialize)]
struct MemberView {
    metric: String,
    severity: Severity,
    worst_value: f64,
    worst_ts: Timestamp,
    high: Option<f64>,
    critical: Option<f64>,
    onset_ts: Timestamp,
    first_crossing_ts: Timestamp,
    last_firing_ts: Timestamp,
}

#[derive(Serialize)]
struct EntryView {
    at: Timestamp,
    actor: String,
    event: &'static str,
    text: String,
}

pub async fn list(
    State(api): State<Api>,
    Query(parameters): Query<ListParameters>,
) -> Result<Json<Page>, Problem> {
    let filter = filter(&parameters)?;
    let page = api
        .storage
        .database
        .incidents(&filter)
        .await
        .map_err(|error| Problem::internal("reading the incidents", &error))?;
    Ok(Json(Page {
        items: page
            .incidents
            .into_iter()
            .map(|incident| view(incident, false))
            .collect(),
        next_cursor: page.next.map(|id| id.0.to_string()),
    }))
}

fn filter(parameters: &ListParameters) -> Result<IncidentFilter, Problem> {
    let limit = parameters.limit.unwrap_or(PAGE);
    if limit == 0 || limit > PAGE_MAX {
        return Err(Problem::bad_request(format!(
            "limit is {limit}; it must be 1 to {PAGE_MAX}"
        )));
    }
    let time = |name: &str, text: &Option<String>| -> Result<Option<Timestamp>, Problem> {
        let parse = |text: &String| {
            text.parse()
                .map_err(|error| Problem::bad_request(format!("{name}: {error}")))
        };
        text.as_ref().map(parse).transpose()
    };
    let (from, to) = (time("from", &parameters.from)?, time("to", &parameters.to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(Problem::bad_request("from is after to"));
    }
    let service = parameters.service.as_deref().map(|text| {
        domain::ServiceId::new(text).map_err(|error| Problem::bad_request(error.to_string()))
    });
    Ok(IncidentFilter {
        service: service.transpose()?,
        statuses: words(parameters.status.as_deref(), status)?,
        severities: words(parameters.severity.as_deref(), |word| {
            word.parse().map_err(Problem::bad_request)
        })?,
        from,
        to,
        after: parameters.cursor.map(IncidentId),
        limit,
    })
}

/// A comma-separated list.
fn words<T>(
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    text.into_iter()
        .flat_map(|text| text.split(','))
        .map(|word| parse(word.trim()))
        .collect()
}

fn status(word: &str) -> Result<Status, Problem> {
    [Status::Open, Status::Acknowledged, Status::Resolved]
        .into_iter()
        .find(|status| status.as_str().eq_ignore_ascii_case(word))
        .ok_or_else(|| {
            Problem::bad_request(format!(
                "status {} is none of OPEN, ACKNOWLEDGED, RESOLVED",
                visible(word)
            ))
        })
}

pub async fn get(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<IncidentView>, Problem> {
    Ok(Json(view(stored(&api, number(&id)?).await?, true)))
}

pub async fn acknowledge(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<IncidentView>, Problem> {
    change(&api, &id, CommandKind::Acknowledge, &headers, &body).await
}

pub async fn resolve(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<IncidentView>, Problem> {
    change(&api, &id, CommandKind::Resolve, &headers, &body).await
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeBody {
    note: Option<String>,
}

async fn change(
    api: &Api,
    id: &str,
    kind: CommandKind,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Json<IncidentView>, Problem> {
    let incident = number(id)?;
    let note = note(body)?;
    let (reply, answer) = oneshot::channel();
    let command = Command {
        number: 0,
        incident,
        actor: actor(headers),
        kind,
        note,
    };
    let stopping =
        || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping").detail("the server stops");
    api.engine
        .send(Message::Command { command, reply })
        .await
        .map_err(|_| stopping())?;
    let answer = answer.await.map_err(|_| stopping())?;
    match answer.result {
        Ok(_) => Ok(Json(view(stored(api, incident).await?, true))),
        Err(Refusal::AlreadyResolved) => Err(already_resolved(incident)),
        // The engine holds no incident that is resolved and quiet; a repeat is still answered.
        Err(Refusal::Unknown) => {
            let incident = stored(api, incident).await?;
            match kind {
                CommandKind::Resolve => Ok(Json(view(incident, true))),
                CommandKind::Acknowledge => Err(already_resolved(incident.id)),
            }
        }
    }
}

fn already_resolved(id: IncidentId) -> Problem {
    Problem::new(StatusCode::CONFLICT, "already resolved").detail(format!(
        "incident {id} is resolved; it can't be acknowledged"
    ))
}

async fn stored(api: &Api, id: IncidentId) -> Result<Incident, Problem> {
    let found = api.storage.database.incident(id).await;
    let found = found.map_err(|error| Problem::internal("reading the incident", &error))?;
    found.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "no such incident").detail(format!(
            "there is no incident {id}; GET /api/v1/incidents lists them"
        ))
    })
}

fn number(text: &str) -> Result<IncidentId, Problem> {
    text.parse()
        .map(IncidentId)
        .map_err(|_| Problem::bad_request(format!("{} is no incident number", visible(text))))
}

fn note(body: &Bytes) -> Result<Option<String>, Problem> {
    if body.is_empty() {
        return Ok(None);
    }
    let body: ChangeBody = serde_json::from_slice(body).map_err(|error| {
        Problem::bad_request(format!(
            "the body must be like {{\"note\": \"…\"}}: {error}"
        ))
    })?;
    match body.note {
        Some(note) if note.chars().count() > NOTE_CHARS_MAX => Err(Problem::bad_request(format!(
            "note is longer than {NOTE_CHARS_MAX} characters"
        ))),
        note => Ok(note),
    }
}

fn actor(headers: &HeaderMap) -> Actor {
    let name = headers
        .get("x-operator")
        .and_then(|value| value.to_str().ok())
        .map(str::trim);
    let name = name.filter(|name| !name.is_empty()).unwrap_or("anonymous");
    Actor::Unverified(name.chars().take(OPERATOR_CHARS_MAX).collect())
}

fn view(incident: Incident, whole: bool) -> IncidentView {
    let member = |member: &domain::Member| MemberView {
        metric: member.metric.to_string(),
        severity: member.severity,
        worst_value: member.worst,
        worst_ts: member.worst_at,
        high: member.thresholds.high,
        critical: member.thresholds.critical,
        onset_ts: member.onset,
        first_crossing_ts: member.first_crossing,
        last_firing_ts: member.last_firing,
    };
    IncidentView {
        id: incident.id.0,
        service: incident.service.to_string(),
        kind: incident.kind,
        status: incident.status,
        firing: incident.firing,
        severity: incident.severity,
        worst_severity: incident.worst_severity,
        summary: incident.summary,
        opened_because: incident.opened_because,
        event_ts: incident.first_crossing,
        onset_ts: incident.onset,
        first_crossing_ts: incident.first_crossing,
        opened_ts: incident.opened,
        last_seen_ts: incident.last_seen,
        ended_ts: incident.ended,
        members: incident.members.iter().map(member).collect(),
        follows: incident.follows.map(|id| id.0),
        logs: whole.then(|| incident.logs.map(Window::from)).flatten(),
        timeline: whole.then(|| incident.timeline.iter().map(entry).collect()),
    }
}

fn entry(entry: &TimelineEntry) -> EntryView {
    let actor = match &entry.actor {
        Actor::Bellwether => "bellwether".to_owned(),
        Actor::Unverified(name) => format!("{name} (unverified)"),
    };
    let with_note = |did: &str, note: &Option<String>| {
        note.as_ref()
            .map_or_else(|| did.to_owned(), |note| format!("{did}: {note}"))
    };
    let (event, text) = match &entry.what {
        TimelineEvent::Opened { because, text } => {
            ("opened", format!("{text} ({})", because.in_words()))
        }
        TimelineEvent::MemberJoined { text, .. } => ("member_joined", text.clone()),
        TimelineEvent::SeverityChanged { from, to } => (
            "severity_changed",
            format!("severity went from {from} to {to}"),
        ),
        TimelineEvent::Quiet => ("quiet", "calm again; not resolved".to_owned()),
        TimelineEvent::Acknowledged { note } => ("acknowledged", with_note("acknowledged", note)),
        TimelineEvent::Resolved { note } => ("resolved", with_note("resolved", note)),
        TimelineEvent::FollowedBy { incident } => {
            ("followed_by", format!("followed by {incident}"))
        }
        TimelineEvent::LogsAttached { lines } => {
            ("logs_attached", format!("{lines} log lines attached"))
        }
    };
    EntryView {
        at: entry.at,
        actor,
        event,
        text,
    }
}
