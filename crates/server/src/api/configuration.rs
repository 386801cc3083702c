//! `GET /api/v1/config`: the configuration in force, without secrets.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::openapi::Time;
use super::problem::Problem;
use super::{Api, visible};
use crate::config::{effective_json, effective_yaml};

/// How to answer.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// `json`, or `yaml` as `config.yaml` would have it.
    #[param(default = "json")]
    format: Option<String>,
}

/// The configuration in force.
#[derive(Serialize, ToSchema)]
struct Configuration {
    /// The file it comes from, or the built-in defaults.
    source: String,
    #[schema(value_type = Time)]
    loaded_at: Timestamp,
    /// Keys of the newest configuration that wait for a restart.
    needs_restart: Vec<String>,
    /// Every key of `docs/configuration.md` with its value; secrets as `<secret>`.
    #[schema(value_type = Object)]
    config: serde_json::Value,
}

/// The configuration in force, without secrets.
#[utoipa::path(get, path = "/api/v1/config", tag = "health", params(Parameters), responses(
    (status = 200, description = "All of it, defaults too.", content(
        (Configuration = "application/json"),
        (String = "application/yaml"),
    )),
))]
pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, Problem> {
    let config = api.config();
    match parameters.format.as_deref() {
        None | Some("json") => {
            let standing = api.reloads.standing();
            Ok(Json(Configuration {
                source: standing.source,
                loaded_at: standing.loaded_at,
                needs_restart: standing.needs_restart,
                config: effective_json(&config),
            })
            .into_response())
        }
        Some("yaml") => {
            let kind = [(header::CONTENT_TYPE, "application/yaml")];
            Ok((kind, effective_yaml(&config)).into_response())
        }
        Some(other) => Err(Problem::bad_request(format!(
            "format is {}; it must be json or yaml",
            visible(other)
        ))),
    }
}
