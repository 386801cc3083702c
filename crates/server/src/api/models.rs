//! `GET /api/v1/models`: what is learnt of each series, when, from what, and what came of the last
//! training.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use detect::Model;
use domain::{SeriesId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::known::{after_cursor, page_of};
use super::openapi::{OfService, Time};
use super::parameters::{metric_id, page_limit};
use super::problem::Problem;
use crate::clock;
use crate::storage::Storage;
use crate::training::TrainingJob;

const PAGE: usize = 50;
const PAGE_MAX: usize = 200;
/// The newest stored jobs that are looked through for the last outcome of a series.
const JOBS_MAX: u32 = 5;

/// Which models to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// An id of `GET /services`, a bare name where that is unique, or a service of the past.
    #[param(min_length = 1, max_length = 1024)]
    service: Option<String>,
    /// The id of a metric.
    #[param(min_length = 1, max_length = 64)]
    metric: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(max_length = 1200)]
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
}

/// Some series with their models, by service and metric.
#[derive(Serialize, ToSchema)]
pub struct Models {
    items: Vec<ModelView>,
    next_cursor: Option<String>,
}

/// A series, and the model of it.
#[derive(Serialize, ToSchema)]
struct ModelView {
    service: String,
    metric: String,
    /// Null where there is none yet; `last_outcome` says why.
    model: Option<TrainedModel>,
    /// Why a model that is there can't be used.
    problem: Option<String>,
    /// What came of the last training; null where that was long ago.
    last_outcome: Option<ModelOutcome>,
    #[schema(value_type = Option<Time>)]
    next_training_ts: Option<Timestamp>,
}

/// A model on disk.
#[derive(Serialize, ToSchema)]
struct TrainedModel {
    /// The first 16 digits of the hash of its file, as findings name it.
    hash: String,
    bytes: u64,
    #[schema(value_type = Time)]
    trained_at: Timestamp,
    age_seconds: u64,
    /// The first and the last training sample.
    #[schema(value_type = Time)]
    window_from: Timestamp,
    #[schema(value_type = Time)]
    window_to: Timestamp,
    /// Rows that were learnt from, and those that an incident masked.
    rows: u64,
    masked_rows: u64,
    /// All training values are equal.
    constant: bool,
    /// The least and the greatest training value.
    value_min: f64,
    value_max: f64,
    /// Isolation scores above are raw anomalies, and the share of the training rows that are.
    forest_threshold: f64,
    raw_share: f64,
    parameters: ModelParameters,
}

/// How a model was trained.
#[derive(Serialize, ToSchema)]
struct ModelParameters {
    step_seconds: f64,
    trees: u32,
    sample_size: u32,
    seed: u64,
    contamination: f64,
    /// The version of the formulas of the features.
    features_version: u32,
}

/// What a training came to.
#[derive(Clone, Serialize, ToSchema)]
struct ModelOutcome {
    job: String,
    #[schema(value_type = Option<Time>)]
    at: Option<Timestamp>,
    /// `trained`, `not_enough_samples`, `kept_old` or `failed`.
    outcome: String,
    detail: String,
}

/// The models, and the series that have none yet.
#[utoipa::path(get, path = "/api/v1/models", tag = "training", params(Parameters), responses(
    (status = 200, description = "By service and metric, page by page.", body = Models),
    OfService,
))]
pub async fn list(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Models>, Problem> {
    let limit = page_limit(parameters.limit, PAGE, PAGE_MAX)?;
    let after = after_cursor(parameters.cursor.as_deref())?;
    let mut series = api.series_on_disk().await?;
    if let Some(text) = parameters.service.as_deref() {
        let service = api.service_among(&series, Some(text))?;
        series.retain(|id| id.service == service);
    }
    if let Some(text) = parameters.metric.as_deref() {
        let metric = metric_id(text)?;
        series.retain(|id| id.metric == metric);
    }
    let (page, next_cursor) = page_of(series.into_iter(), SeriesId::clone, after.as_ref(), limit);
    let outcomes = last_outcomes(&api).await?;
    let (storage, next) = (Arc::clone(&api.storage), api.queue.next_run());
    let now = clock::now();
    let read = move || {
        let views = page
            .into_iter()
            .map(|id| view(&storage, id, &outcomes, next, now));
        Ok::<_, std::convert::Infallible>(views.collect())
    };
    Ok(Json(Models {
        items: api.read_datasets("reading the models", read).await?,
        next_cursor,
    }))
}

fn view(
    storage: &Storage,
    series: SeriesId,
    outcomes: &BTreeMap<SeriesId, ModelOutcome>,
    next_training_ts: Option<Timestamp>,
    now: Timestamp,
) -> ModelView {
    let loaded = storage.models.load(&series);
    let (model, problem) = match loaded {
        Ok(None) => (None, None),
        Ok(Some(bytes)) => match Model::decode(&bytes, &series) {
            Ok(model) => (Some(trained(&model, &bytes, now)), None),
            Err(error) => (None, Some(error.to_string())),
        },
        Err(error) => {
            tracing::error!(%series, error = %crate::tick::chain(&error), "a model could not be read");
            (
                None,
                Some("its file can't be read; the log says why".into()),
            )
        }
    };
    ModelView {
        model,
        problem,
        last_outcome: outcomes.get(&series).cloned(),
        next_training_ts,
        service: series.service.to_string(),
        metric: series.metric.to_string(),
    }
}

fn trained(model: &Model, bytes: &[u8], now: Timestamp) -> TrainedModel {
    let header = &model.header;
    TrainedModel {
        hash: model.reference(bytes).hash.to_string(),
        bytes: bytes.len() as u64,
        trained_at: header.trained_at,
        age_seconds: now.since(header.trained_at).as_secs(),
        window_from: header.window_from,
        window_to: header.window_to,
        rows: header.rows,
        masked_rows: header.masked_rows,
        constant: header.constant,
        value_min: model.extremes.0,
        value_max: model.extremes.1,
        forest_threshold: model.forest_threshold,
        raw_share: header.raw_share,
        parameters: ModelParameters {
            step_seconds: header.step.as_secs_f64(),
            trees: header.trees,
            sample_size: header.sample_size,
            seed: header.seed,
            contamination: header.contamination,
            features_version: header.features_version,
        },
    }
}

/// The newest outcome of each series, of this start's jobs and the newest that are stored.
async fn last_outcomes(api: &Api) -> Result<BTreeMap<SeriesId, ModelOutcome>, Problem> {
    let mut outcomes = BTreeMap::new();
    let mut add = |job: &TrainingJob| {
        for outcome in &job.outcomes {
            let series = SeriesId::new(outcome.service.clone(), outcome.metric.clone());
            outcomes.entry(series).or_insert_with(|| ModelOutcome {
                job: job.id.clone(),
                at: job.finished_at,
                outcome: outcome.outcome.clone(),
                detail: outcome.detail.clone(),
            });
        }
    };
    let recent = api.queue.recent();
    recent.iter().for_each(&mut add);
    let trained_all = |job: &TrainingJob| job.is_finished() && job.selection == Default::default();
    if !recent.iter().any(trained_all) {
        let stored = api.storage.database.jobs(JOBS_MAX).await;
        let stored = stored.map_err(|error| Problem::internal("reading the jobs", &error))?;
        let jobs = stored.into_iter();
        let jobs = jobs.filter_map(|job| serde_json::from_value::<TrainingJob>(job.body).ok());
        jobs.for_each(|job| add(&job));
    }
    Ok(outcomes)
}
