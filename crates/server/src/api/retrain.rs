//! `POST /retrain` and the jobs it makes.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{MetricId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::openapi::{NotThere, OfService, Time, words};
use super::parameters::page_limit;
use super::problem::Problem;
use super::{Api, visible};
use crate::training::{Selection, SeriesOutcome, TrainingJob, Trigger};

/// `?wait=true` waits so long at most, and then answers as without.
const WAIT_MAX: Duration = Duration::from_secs(600);
const PAGE: usize = 50;
const PAGE_MAX: usize = 200;

words! {
    /// How a job stands.
    JobState: "waiting", "running", "done", "failed";
    /// Why a job runs.
    TriggerWord: "start", "backfill", "schedule", "request", "command_line";
    /// What became of a series.
    OutcomeWord: "trained", "not_enough_samples", "kept_old", "failed";
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Of this service alone: an id of `GET /services`, or a bare name where that is unique.
    #[param(min_length = 1, max_length = 1024)]
    service: Option<String>,
    /// Of this metric alone.
    #[param(min_length = 1, max_length = 64)]
    metric: Option<String>,
    /// Answers when the job has finished, or after ten minutes.
    #[serde(default)]
    wait: bool,
}

/// Which page of jobs.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListParameters {
    /// The `next_cursor` of the page before.
    #[param(max_length = 200)]
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
}

/// Jobs of this process, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = JobPage)]
pub struct Jobs {
    items: Vec<JobView>,
    next_cursor: Option<String>,
}

/// A training job.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobView {
    id: String,
    #[schema(value_type = TriggerWord)]
    trigger: Trigger,
    selection: SelectionView,
    #[schema(value_type = JobState)]
    state: String,
    #[schema(value_type = Time)]
    created_at: Timestamp,
    #[schema(value_type = Option<Time>)]
    started_at: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    finished_at: Option<Timestamp>,
    /// Series that are done.
    done: usize,
    /// Series of the job.
    total: usize,
    outcomes: Vec<OutcomeView>,
    error: Option<String>,
}

/// Which series a job trains; all where nothing is named.
#[derive(Serialize, ToSchema)]
#[schema(as = JobSelection)]
struct SelectionView {
    service: Option<String>,
    metric: Option<String>,
}

/// What became of one series.
#[derive(Serialize, ToSchema)]
#[schema(as = JobOutcome)]
struct OutcomeView {
    service: String,
    metric: String,
    #[schema(value_type = OutcomeWord)]
    outcome: String,
    /// The outcome in words, with its numbers.
    detail: String,
    /// Of the model that is in use afterwards.
    #[schema(value_type = Option<Time>)]
    trained_at: Option<Timestamp>,
    rows: Option<u64>,
}

impl From<TrainingJob> for JobView {
    fn from(job: TrainingJob) -> JobView {
        JobView {
            id: job.id,
            trigger: job.trigger,
            selection: SelectionView {
                service: job.selection.service.map(|service| service.to_string()),
                metric: job.selection.metric.map(|metric| metric.to_string()),
            },
            state: job.state,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            done: job.done,
            total: job.total,
            outcomes: job.outcomes.into_iter().map(OutcomeView::from).collect(),
            error: job.error,
        }
    }
}

impl From<SeriesOutcome> for OutcomeView {
    fn from(outcome: SeriesOutcome) -> OutcomeView {
        OutcomeView {
            service: outcome.service.to_string(),
            metric: outcome.metric.to_string(),
            outcome: outcome.outcome,
            detail: outcome.detail,
            trained_at: outcome.trained_at,
            rows: outcome.rows,
        }
    }
}

/// Trains models now.
#[utoipa::path(post, path = "/retrain", tag = "training", params(Parameters), responses(
    (status = 202, description = "The job waits or runs, or one that covers it does.", body = JobView,
        headers(("location" = String, description = "Where the job is."))),
    (status = 200, description = "With `wait=true`: it has finished.", body = JobView),
    OfService,
))]
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
        return Ok(Json(JobView::from(finished)).into_response());
    }
    let location = HeaderValue::from_str(&format!("/api/v1/jobs/{}", job.id));
    let mut response = (StatusCode::ACCEPTED, Json(JobView::from(job))).into_response();
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

/// The jobs of this process, newest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "training", params(ListParameters), responses(
    (status = 200, description = "A page of those that are remembered.", body = Jobs),
))]
pub async fn jobs(
    State(api): State<Api>,
    Query(parameters): Query<ListParameters>,
) -> Result<Json<Jobs>, Problem> {
    let limit = page_limit(parameters.limit, PAGE, PAGE_MAX)?;
    let mut jobs = api.queue.recent();
    if let Some(cursor) = &parameters.cursor {
        let before = jobs.iter().position(|job| job.id == *cursor);
        let before = before.ok_or_else(|| {
            Problem::bad_request(format!(
                "cursor {} is no job of the list any more; begin without one",
                visible(cursor)
            ))
        })?;
        jobs.drain(..=before);
    }
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    Ok(Json(Jobs {
        next_cursor: jobs.last().filter(|_| more).map(|job| job.id.clone()),
        items: jobs.into_iter().map(JobView::from).collect(),
    }))
}

/// One job, also of the past.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "training",
    params(("id" = String, Path, description = "Its id.")),
    responses((status = 200, description = "The job.", body = JobView), NotThere))]
pub async fn job(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<JobView>, Problem> {
    if let Some(job) = api.queue.job(&id) {
        return Ok(Json(job.into()));
    }
    let found = api.storage.database.job(&id).await;
    let found = found.map_err(|error| Problem::internal("reading the job", &error))?;
    found
        .and_then(|job| serde_json::from_value::<TrainingJob>(job.body).ok())
        .map(|job| Json(job.into()))
        .ok_or_else(|| {
            Problem::new(StatusCode::NOT_FOUND, "no such job").detail(format!(
                "there is no job {}; GET /api/v1/jobs lists them",
                visible(&id)
            ))
        })
}
