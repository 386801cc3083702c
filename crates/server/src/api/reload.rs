//! `POST /-/reload`: the configuration is loaded anew.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::problem::Problem;

/// What a reload changed.
#[derive(Serialize, ToSchema)]
pub struct ReloadView {
    /// The keys whose values differ from what was in force.
    changed: Vec<String>,
    /// Those that take effect at the next start.
    needs_restart: Vec<String>,
    /// Allowed, but probably not meant.
    warnings: Vec<String>,
}

/// Loads the configuration anew, as SIGHUP does.
///
/// A bad one changes nothing: the one before stays in force, and `detail` says what is wrong.
#[utoipa::path(post, path = "/-/reload", tag = "configuration", responses(
    (status = 200, description = "It is in force, but for keys that need a restart.", body = ReloadView),
    (status = 400, description = "It was refused, and why.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn reload(State(api): State<Api>) -> Result<Json<ReloadView>, Problem> {
    let reloaded = api.reloads.reload().await.map_err(Problem::bad_request)?;
    Ok(Json(ReloadView {
        changed: reloaded.changed,
        needs_restart: reloaded.needs_restart,
        warnings: reloaded.warnings,
    }))
}
