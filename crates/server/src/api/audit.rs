//! The audit trail: every change that was asked for, by whom, from where, and how it was answered.

use std::sync::Mutex;
use std::sync::PoisonError;

use access::Identity;
use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{AuditEntry, AuditFilter, NewAudit};
use utoipa::{IntoParams, ToSchema};

use super::guard::Sender;
use super::openapi::Time;
use super::parameters::{optional_time, page_limit};
use super::problem::Problem;
use super::{Api, visible};
use crate::telemetry;

const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;
const TARGET_CHARS_MAX: usize = 200;
const NAME_CHARS_MAX: usize = 100;
/// What nobody verified and was refused is noted so often a minute, so that strangers can't fill
/// the disk.
const REFUSED_A_MINUTE: u32 = 60;
const MINUTE_MS: i64 = 60_000;

/// A change that is being asked for.
pub struct Change {
    at: Timestamp,
    address: String,
    action: String,
    target: String,
}

/// How many refusals of strangers were noted this minute.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<(i64, u32)>);

impl Change {
    pub fn of(request: &Request, route: &str, sender: &Sender, at: Timestamp) -> Change {
        Change {
            at,
            address: sender.address.to_string(),
            action: format!("{} {route}", request.method()),
            target: request
                .uri()
                .path()
                .chars()
                .take(TARGET_CHARS_MAX)
                .collect(),
        }
    }

    /// Notes a change that was answered, before the client hears of it. `named` is what the request
    /// says of who asks, for where nobody has to prove it.
    pub async fn answered(self, api: &Api, named: Option<HeaderValue>, outcome: Outcome) {
        // A log-in says itself who came.
        let failed = outcome.status.is_client_error() || outcome.status.is_server_error();
        if outcome.identity.is_none() && failed && api.entrance.is_required() {
            return self.refused(api, outcome).await;
        }
        let unverified = || {
            let name = named.as_ref().and_then(|name| name.to_str().ok());
            let name = name.map(str::trim).filter(|name| !name.is_empty());
            let name = name.unwrap_or("anonymous").chars();
            name.take(NAME_CHARS_MAX).collect()
        };
        let verified = outcome.identity.is_some();
        let actor = outcome
            .identity
            .map_or_else(unverified, |identity| identity.name);
        self.write(api, actor, verified, outcome.status).await;
    }

    /// Notes a change that was refused before it reached its route.
    pub async fn refused(self, api: &Api, outcome: Outcome) {
        match outcome.identity {
            Some(identity) => self.write(api, identity.name, true, outcome.status).await,
            // Whoever is locked out is known to be.
            None if outcome.status == StatusCode::TOO_MANY_REQUESTS => {}
            None if !api.refusals.may_note(self.at) => telemetry::audit_left_out(),
            None => {
                let tried = outcome.tried.map(|tried| visible(&tried.0));
                let actor = tried.unwrap_or("anonymous".to_owned());
                self.write(api, actor, false, outcome.status).await;
            }
        }
    }

    async fn write(self, api: &Api, actor: String, verified: bool, status: StatusCode) {
        let entry = NewAudit {
            at: self.at,
            actor,
            verified,
            address: self.address,
            action: self.action,
            target: self.target,
            outcome: status.as_u16(),
            body: json!({}),
        };
        if let Err(error) = api.storage.database.audit_add(entry).await {
            // The change is done; to say it failed would be wrong.
            telemetry::store_failed("audit");
            tracing::error!(error = %crate::tick::chain(&error), "an entry of the audit trail could not be written");
        }
    }
}

/// How a change was answered, and to whom.
pub struct Outcome {
    status: StatusCode,
    identity: Option<Identity>,
    tried: Option<TriedName>,
}

impl Outcome {
    /// The answer names who asked, if it knows more than the guard.
    pub fn of(response: &Response, identity: Option<Identity>) -> Outcome {
        let said = response.extensions();
        Outcome {
            status: response.status(),
            identity: identity.or_else(|| said.get().cloned()),
            tried: said.get().cloned(),
        }
    }
}

/// The name that somebody tried to log in with, as an extension of the refusal.
#[derive(Clone, Debug)]
pub struct TriedName(pub String);

impl Refusals {
    fn may_note(&self, at: Timestamp) -> bool {
        let minute = at.as_millis().div_euclid(MINUTE_MS);
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.0 != minute {
            *noted = (minute, 0);
        }
        noted.1 += 1;
        noted.1 <= REFUSED_A_MINUTE
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParameters {
    /// Only this actor's entries, by the whole name
    actor: Option<String>,
    /// Entries of this time or later
    from: Option<String>,
    /// Entries of this time or earlier
    to: Option<String>,
    /// `next_cursor` of the page before
    cursor: Option<u64>,
    /// How many entries; 100 unless given
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Entries of the audit trail, the newest first.
#[derive(Serialize, ToSchema)]
pub struct AuditPage {
    items: Vec<AuditView>,
    next_cursor: Option<String>,
}

/// A change that was asked for.
#[derive(Serialize, ToSchema)]
struct AuditView {
    id: u64,
    #[schema(value_type = Time)]
    at: Timestamp,
    actor: String,
    /// Whether the actor showed who it is.
    verified: bool,
    /// The client, behind trusted proxies.
    address: String,
    /// The method and the route.
    action: String,
    /// The path that was asked for.
    target: String,
    /// How it was answered.
    status: u16,
}

/// Who changed what, and who tried to.
#[utoipa::path(get, path = "/api/v1/audit", tag = "access", params(ListParameters), responses(
    (status = 200, description = "A page, the newest entry first.", body = AuditPage),
))]
pub async fn list(
    State(api): State<Api>,
    Query(parameters): Query<ListParameters>,
) -> Result<Json<AuditPage>, Problem> {
    let filter = AuditFilter {
        actor: parameters.actor,
        from: optional_time("from", parameters.from.as_deref())?,
        to: optional_time("to", parameters.to.as_deref())?,
        after: parameters.cursor,
        limit: page_limit(parameters.limit, PAGE, PAGE_MAX)?,
    };
    let page = api.storage.database.audit(&filter).await;
    let page = page.map_err(|error| Problem::internal("reading the audit trail", &error))?;
    Ok(Json(AuditPage {
        items: page.entries.into_iter().map(view).collect(),
        next_cursor: page.next.map(|id| id.to_string()),
    }))
}

fn view(entry: AuditEntry) -> AuditView {
    AuditView {
        id: entry.id,
        at: entry.what.at,
        actor: entry.what.actor,
        verified: entry.what.verified,
        address: entry.what.address,
        action: entry.what.action,
        target: entry.what.target,
        status: entry.what.outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_strangers_are_noted_so_often_a_minute() {
        let refusals = Refusals::default();
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let noted = (0..1_000).filter(|_| refusals.may_note(at(30))).count();
        assert_eq!(noted, 60);
        assert!(refusals.may_note(at(60)));
    }
}
