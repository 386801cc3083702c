//! `GET /services`: what is watched, worst first.

use axum::Json;
use axum::extract::State;
use domain::{Presence, ServiceId, Severity, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::openapi::{ServiceState, SeverityWord, Time};
use crate::snapshot::{ServiceView, Snapshot};

/// The services, worst first.
#[derive(Serialize, ToSchema)]
pub struct Services {
    items: Vec<Service>,
    next_cursor: Option<String>,
}

/// A service that is watched, or was.
#[derive(Serialize, ToSchema)]
struct Service {
    /// What `service=` takes: the name, or `scope/name`.
    #[schema(value_type = String)]
    id: ServiceId,
    name: String,
    /// Where `scope` is configured.
    scope: Option<String>,
    #[schema(value_type = ServiceState)]
    state: &'static str,
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    #[schema(value_type = Option<Time>)]
    last_seen_ts: Option<Timestamp>,
    instances: u32,
    /// The number of the incident that fires.
    incident: Option<u64>,
}

/// What is watched, worst first.
#[utoipa::path(get, path = "/services", tag = "services", responses(
    (status = 200, description = "All of them, on one page.", body = Services),
))]
pub async fn list(State(api): State<Api>) -> Json<Services> {
    let snapshot = api.snapshot();
    let mut items: Vec<Service> = snapshot
        .services
        .values()
        .map(|view| service(&snapshot, view))
        .collect();
    items.sort_by_key(|item| rank(item.state));
    Json(Services {
        items,
        next_cursor: None,
    })
}

fn service(snapshot: &Snapshot, view: &ServiceView) -> Service {
    let id = &view.observation.id;
    let (scope, name) = match id.as_str().rsplit_once('/') {
        Some((scope, name)) => (Some(scope.to_owned()), name),
        None => (None, id.as_str()),
    };
    let (state, severity) = judged(view);
    Service {
        id: id.clone(),
        name: name.to_owned(),
        scope,
        state,
        severity,
        last_seen_ts: view.last_seen,
        instances: view.observation.instances,
        incident: snapshot.firing(id).map(|incident| incident.id.0),
    }
}

/// The state and the severity of a service, as they are shown.
pub(crate) fn judged(view: &ServiceView) -> (&'static str, Severity) {
    let severity = view
        .findings
        .iter()
        .map(|f| f.severity)
        .max()
        .unwrap_or(Severity::Unavailable);
    (state(view, severity), severity)
}

fn state(view: &ServiceView, severity: Severity) -> &'static str {
    match severity {
        _ if view.observation.presence == Presence::Gone => "gone",
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Unavailable => "no_data",
        Severity::Normal if view.early_warning => "early_warning",
        Severity::Normal => "normal",
    }
}

fn rank(state: &str) -> usize {
    [
        "critical",
        "high",
        "gone",
        "early_warning",
        "no_data",
        "normal",
    ]
    .iter()
    .position(|known| *known == state)
    .unwrap_or(usize::MAX)
}
