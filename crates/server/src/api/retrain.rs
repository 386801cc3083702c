//! `POST /retrain` and the jobs it makes.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::MetricId;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use super::{Api, visible};
use crate::training::{Selection, TrainingJob, Trigger};

/// `?wait=true` waits so long at most, and then answers as without.
const WAIT_MAX: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    service: Option<String>,
    metric: Option<String>,
    #[serde(default)]
    wait: bool,
}

#[derive(Serialize)]
pub struct Jobs {
    items: Vec<TrainingJob>,
    next_cursor: Option<String>,
}

pub async fn retrain(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, Problem> {
    let selection = selection(&api, &parameters)?;
    let job = api
        .queue
        .request(selection, Trigger::Request)
        .map_err(|full| {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many jobs").detail(full.to_string())
        })?;
    if parameters.wait
        && let Ok(Some(finished)) =
            tokio::time::timeout(WAIT_MAX, api.queue.finished(&job.id)).await
    {
        return Ok(Json(finished).into_response());
    }
    let location = HeaderValue::from_str(&format!("/api/v1/jobs/{}", job.id));
    let mut response = (StatusCode::ACCEPTED, Json(job)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

fn selection(api: &Api, parameters: &Parameters) -> Result<Selection, Problem> {
    let service = match parameters.service.as_deref() {
        Some(text) => Some(api.service(&api.snapshot(), Some(text))?),
        None => None,
    };
    let config = api.config();
    let metric = parameters.metric.as_deref().map(|text| {
        let id = MetricId::new(text)
            .ok()
            .filter(|id| config.metrics.get(id).is_some());
        id.ok_or_else(|| {
            let known: Vec<&str> = config.metrics.iter().map(|spec| spec.id.as_str()).collect();
            Problem::bad_request(format!(
                "no metric is named {}; there are {}",
                visible(text),
                known.join(", ")
            ))
        })
    });
    Ok(Selection {
        service,
        metric: metric.transpose()?,
    })
}

pub async fn jobs(State(api): State<Api>) -> Json<Jobs> {
    Json(Jobs {
        items: api.queue.recent(),
        next_cursor: None,
    })
}

pub async fn job(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<TrainingJob>, Problem> {
    if let Some(job) = api.queue.job(&id) {
        return Ok(Json(job));
    }
    let found = api.storage.database.job(&id).await;
    let found = found.map_err(|error| Problem::internal("reading the job", &error))?;
    found
        .and_then(|job| serde_json::from_value(job.body).ok())
        .map(Json)
        .ok_or_else(|| {
            Problem::new(StatusCode::NOT_FOUND, "no such job").detail(format!(
                "there is no job {}; GET /api/v1/jobs lists them",
                visible(&id)
            ))
        })
}
