//! `/api/v1/notices` and `/api/v1/receivers`: what people were told, what waits, what is withheld.

use axum::Json;
use axum::extract::{Query, State};
use domain::{IncidentId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Notice, NoticeFilter, NoticeState, ReceiverState};
use utoipa::{IntoParams, ToSchema};

use super::openapi::{SeverityWord, Time, words};
use super::parameters::page_limit;
use super::problem::Problem;
use super::{Api, visible};
use crate::clock;
use crate::config::{Receiver, ReceiverKind};
use crate::paging::COUNTED;

words! {
    /// Where a notice stands.
    NoticeStateWord: "pending", "delivered", "given_up", "withheld", "superseded";
    /// What is spoken with a receiver.
    ReceiverKindWord: "webhook", "alertmanager";
}

const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;

/// Which notices.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParameters {
    /// Its name in the configuration.
    receiver: Option<String>,
    #[param(value_type = Option<NoticeStateWord>)]
    state: Option<String>,
    /// The number of an incident.
    incident: Option<u64>,
    /// The `next_cursor` of the page before.
    cursor: Option<u64>,
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// Notices, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = NoticePage)]
pub struct Page {
    items: Vec<NoticeView>,
    next_cursor: Option<String>,
}

/// One thing that one receiver is told, or why it is not.
#[derive(Serialize, ToSchema)]
struct NoticeView {
    id: u64,
    /// Under which receivers know it again.
    key: String,
    receiver: String,
    /// `opened`, `severity_raised`, `repeat`, `resolved`, `source`, …
    kind: String,
    incident: Option<u64>,
    service: Option<String>,
    #[schema(value_type = NoticeStateWord)]
    state: &'static str,
    #[schema(value_type = Time)]
    created_ts: Timestamp,
    /// When it was delivered, given up or replaced.
    #[schema(value_type = Option<Time>)]
    done_ts: Option<Timestamp>,
    /// Attempts that failed, and why the last one did; why it is withheld.
    attempts: u32,
    why: Option<String>,
    #[schema(value_type = Option<Time>)]
    next_attempt_ts: Option<Timestamp>,
    /// The message that it is or was sent with.
    message: Option<String>,
    /// What the receiver is told.
    #[schema(value_type = Object)]
    body: serde_json::Value,
}

/// All receivers that are configured.
#[derive(Serialize, ToSchema)]
pub struct Receivers {
    items: Vec<ReceiverView>,
    next_cursor: Option<String>,
}

/// A receiver, and how its notices stand. Counts are of the last day.
#[derive(Serialize, ToSchema)]
pub struct ReceiverView {
    name: String,
    #[schema(value_type = ReceiverKindWord)]
    kind: &'static str,
    /// Without its path where that may be a secret.
    address: String,
    /// The least severity that it is told of.
    #[schema(value_type = SeverityWord)]
    severity: domain::Severity,
    /// Ids with `*`; empty for all.
    services: Vec<String>,
    /// Whether the last attempt failed.
    failing: bool,
    last_error: Option<String>,
    #[schema(value_type = Option<Time>)]
    next_attempt_ts: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    last_delivered_ts: Option<Timestamp>,
    pending: u64,
    #[schema(value_type = Option<Time>)]
    oldest_pending_ts: Option<Timestamp>,
    delivered: u64,
    given_up: u64,
    withheld: u64,
    superseded: u64,
}

/// What receivers are told, were told, or are not told and why; newest first.
#[utoipa::path(get, path = "/api/v1/notices", tag = "paging", params(ListParameters), responses(
    (status = 200, description = "A page of notices.", body = Page),
))]
pub async fn list(
    State(api): State<Api>,
    Query(parameters): Query<ListParameters>,
) -> Result<Json<Page>, Problem> {
    let filter = NoticeFilter {
        receiver: parameters.receiver,
        state: parameters.state.as_deref().map(state).transpose()?,
        incident: parameters.incident.map(IncidentId),
        after: parameters.cursor,
        limit: page_limit(parameters.limit, PAGE, PAGE_MAX)?,
    };
    let page = api.storage.database.notices(&filter).await;
    let page = page.map_err(|error| Problem::internal("reading the notices", &error))?;
    Ok(Json(Page {
        items: page.notices.into_iter().map(view).collect(),
        next_cursor: page.next.map(|next| next.to_string()),
    }))
}

/// Who is told, and how what they are told stands.
#[utoipa::path(get, path = "/api/v1/receivers", tag = "paging", responses(
    (status = 200, description = "All of them, as configured.", body = Receivers),
))]
pub async fn receivers(State(api): State<Api>) -> Result<Json<Receivers>, Problem> {
    let since = clock::now() - COUNTED;
    let states = api.storage.database.outbox_state(since).await;
    let states = states.map_err(|error| Problem::internal("reading the outbox", &error))?;
    let config = api.config();
    Ok(Json(Receivers {
        items: config
            .notify
            .receivers
            .iter()
            .map(|receiver| {
                let state = states.iter().find(|state| state.receiver == receiver.name);
                receiver_view(receiver, state)
            })
            .collect(),
        next_cursor: None,
    }))
}

fn state(word: &str) -> Result<NoticeState, Problem> {
    let state = NoticeState::ALL
        .into_iter()
        .find(|state| state.as_str() == word);
    state.ok_or_else(|| {
        Problem::bad_request(format!(
            "state {} is none of {}",
            visible(word),
            NoticeState::ALL.map(NoticeState::as_str).join(", ")
        ))
    })
}

fn view(notice: Notice) -> NoticeView {
    NoticeView {
        id: notice.seq,
        key: notice.key,
        receiver: notice.receiver,
        kind: notice.kind,
        incident: notice.incident.map(|id| id.0),
        service: notice.service.map(|service| service.to_string()),
        state: notice.state.as_str(),
        created_ts: notice.created,
        done_ts: notice.done,
        attempts: notice.attempts,
        why: notice.error,
        next_attempt_ts: notice.next,
        message: notice.batch,
        body: notice.body,
    }
}

fn receiver_view(receiver: &Receiver, state: Option<&ReceiverState>) -> ReceiverView {
    let (kind, address) = match &receiver.kind {
        ReceiverKind::Webhook(address) => ("webhook", address.to_string()),
        ReceiverKind::Alertmanager(url) => ("alertmanager", url.to_string()),
    };
    let count = |of: fn(&ReceiverState) -> u64| state.map_or(0, of);
    ReceiverView {
        name: receiver.name.clone(),
        kind,
        address,
        severity: receiver.severity,
        services: receiver.services.clone(),
        failing: state.is_some_and(|state| state.attempts > 0),
        last_error: state.and_then(|state| state.last_error.clone()),
        next_attempt_ts: state.and_then(|state| state.next),
        last_delivered_ts: state.and_then(|state| state.last_delivered),
        pending: count(|state| state.pending),
        oldest_pending_ts: state.and_then(|state| state.oldest_pending),
        delivered: count(|state| state.delivered),
        given_up: count(|state| state.given_up),
        withheld: count(|state| state.withheld),
        superseded: count(|state| state.superseded),
    }
}
