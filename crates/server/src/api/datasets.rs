//! `/api/v1/datasets`: the judged samples on disk, as lists, as rows, and as CSV.

pub mod download;
pub mod rows;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use domain::{Part, SeriesId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{DatasetError, PartSummary, Paths};
use utoipa::{IntoParams, ToSchema};

use super::known::{after_cursor, page_of};
use super::openapi::{OfService, Time};
use super::parameters::page_limit;
use super::problem::Problem;
use super::{Api, visible};

/// Each takes reading whole files, to count.
const PAGE: usize = 20;
const PAGE_MAX: usize = 100;

/// Which datasets to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// An id of `GET /services`, a bare name where that is unique, or a service of the past.
    #[param(min_length = 1, max_length = 1024)]
    service: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(max_length = 1200)]
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
}

/// Some datasets, by service and metric.
#[derive(Serialize, ToSchema)]
pub struct DatasetList {
    items: Vec<DatasetView>,
    next_cursor: Option<String>,
}

/// The dataset of a series.
#[derive(Serialize, ToSchema)]
struct DatasetView {
    service: String,
    metric: String,
    /// What is learnt from; null where there is none.
    history: Option<PartView>,
    /// What incidents hold.
    anomaly: Option<PartView>,
}

/// One file of a dataset.
#[derive(Serialize, ToSchema)]
struct PartView {
    rows: u64,
    bytes: u64,
    #[schema(value_type = Option<Time>)]
    first_ts: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    last_ts: Option<Timestamp>,
}

/// The datasets, and how much they hold.
#[utoipa::path(get, path = "/api/v1/datasets", tag = "datasets", params(Parameters), responses(
    (status = 200, description = "By service and metric, page by page.", body = DatasetList),
    OfService,
))]
pub async fn list(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<DatasetList>, Problem> {
    let limit = page_limit(parameters.limit, PAGE, PAGE_MAX)?;
    let after = after_cursor(parameters.cursor.as_deref())?;
    let mut series = api.series_on_disk().await?;
    if let Some(text) = parameters.service.as_deref() {
        let service = api.service_among(&series, Some(text))?;
        series.retain(|id| id.service == service);
    }
    let (page, next_cursor) = page_of(series.into_iter(), SeriesId::clone, after.as_ref(), limit);
    let storage = Arc::clone(&api.storage);
    let read = move || {
        let paths = storage.data_dir.paths();
        let views = page.into_iter().map(|id| view(paths, &id));
        views.collect::<Result<Vec<_>, _>>()
    };
    Ok(Json(DatasetList {
        items: api.read_datasets("reading the datasets", read).await?,
        next_cursor,
    }))
}

fn view(paths: &Paths, series: &SeriesId) -> Result<DatasetView, DatasetError> {
    let part = |part| {
        let summary = PartSummary::of(paths, series, part)?;
        Ok::<_, DatasetError>(summary.map(|summary| PartView {
            rows: summary.rows,
            bytes: summary.bytes,
            first_ts: summary.first,
            last_ts: summary.last,
        }))
    };
    Ok(DatasetView {
        service: series.service.to_string(),
        metric: series.metric.to_string(),
        history: part(Part::History)?,
        anomaly: part(Part::Anomaly)?,
    })
}

fn part(text: &str) -> Result<Part, Problem> {
    let named = Part::BOTH.into_iter().find(|part| part.as_str() == text);
    named.ok_or_else(|| {
        Problem::bad_request(format!(
            "part is {}; it must be history or anomaly",
            visible(text)
        ))
    })
}
