//! `POST /api/v1/incidents/bulk`: one action on many incidents, each answered for itself.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::IncidentId;
use incident::{Command, CommandKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::Api;
use super::super::problem::Problem;
use super::actions::{actor, checked_note, required, send};

const INCIDENTS_MAX: usize = 200;

/// What to do with which incidents.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkBody {
    /// Their numbers, each once.
    #[schema(min_items = 1, max_items = 200)]
    ids: Vec<u64>,
    action: BulkAction,
    /// Of each incident's timeline.
    #[schema(max_length = 10000)]
    note: Option<String>,
}

/// What can be done with many.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum BulkAction {
    Ack,
    Resolve,
}

/// What came of each, in the order of the request.
#[derive(Serialize, ToSchema)]
pub struct BulkAnswer {
    items: Vec<BulkOutcome>,
    /// How many are as they were asked to be.
    done: usize,
}

/// What came of one incident.
#[derive(Serialize, ToSchema)]
struct BulkOutcome {
    id: u64,
    /// The status that the action alone would have answered: 200, 404 or 409.
    status: u16,
    /// Why it was refused.
    problem: Option<Problem>,
}

/// Acknowledges or resolves many incidents.
#[utoipa::path(post, path = "/api/v1/incidents/bulk", tag = "incidents", request_body = BulkBody, responses(
    (status = 200, description = "What came of each, also where all were refused.", body = BulkAnswer),
    (status = 503, description = "The server stops; those before were dealt with.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn post(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<BulkAnswer>, Problem> {
    let body: BulkBody = required(&body, r#"{"ids": [12, 13], "action": "ack", "note": "…"}"#)?;
    if body.ids.is_empty() || body.ids.len() > INCIDENTS_MAX {
        return Err(Problem::bad_request(format!(
            "ids has {} numbers; it must have 1 to {INCIDENTS_MAX}",
            body.ids.len()
        )));
    }
    let once: BTreeSet<u64> = body.ids.iter().copied().collect();
    if once.len() < body.ids.len() {
        return Err(Problem::bad_request("ids names an incident twice"));
    }
    let note = checked_note(body.note)?;
    let actor = actor(&api, &headers);
    let mut items = Vec::with_capacity(body.ids.len());
    for id in body.ids {
        let command = Command {
            number: 0,
            incident: IncidentId(id),
            actor: actor.clone(),
            kind: match body.action {
                BulkAction::Ack => CommandKind::Acknowledge,
                BulkAction::Resolve => CommandKind::Resolve {
                    decommissioned: false,
                },
            },
            note: note.clone(),
            expected: None,
            stored: None,
        };
        items.push(match send(&api, command).await {
            Ok(()) => BulkOutcome {
                id,
                status: 200,
                problem: None,
            },
            Err(problem) if problem.status() >= 500 => return Err(problem),
            Err(problem) => BulkOutcome {
                id,
                status: problem.status(),
                problem: Some(problem),
            },
        });
    }
    let done = items.iter().filter(|item| item.problem.is_none()).count();
    Ok(Json(BulkAnswer { items, done }))
}
