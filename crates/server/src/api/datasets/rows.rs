//! `GET /api/v1/datasets/rows`: the rows of a series, as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use domain::{Part, Prediction, Row, SeriesId, Severity, Timestamp};
use serde::{Deserialize, Serialize};
use store::{DatasetError, Paths, Rows};
use utoipa::{IntoParams, ToSchema};

use super::super::Api;
use super::super::openapi::{Instant, OfService, PartWord, PredictionWord, SeverityWord, Time};
use super::super::parameters::{optional_time, page_limit};
use super::super::problem::Problem;
use super::part;

const PAGE: usize = 500;
const PAGE_MAX: usize = 5_000;

/// Which rows.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// An id of `GET /services`, a bare name where that is unique, or a service of the past.
    #[param(
        required = true,
        min_length = 1,
        max_length = 1024,
        example = "payments"
    )]
    service: Option<String>,
    /// The id of a metric.
    #[param(required = true, min_length = 1, max_length = 64, example = "lat")]
    metric: Option<String>,
    /// `history` or `anomaly`; both, merged by time, where it is missing.
    #[param(value_type = Option<PartWord>)]
    part: Option<String>,
    /// Both included; RFC 3339 or epoch seconds.
    #[param(value_type = Option<Instant>)]
    from: Option<String>,
    #[param(value_type = Option<Instant>)]
    to: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<Instant>)]
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 5000, default = 500)]
    limit: Option<usize>,
}

/// Some rows of a series, oldest first.
#[derive(Serialize, ToSchema)]
pub struct DatasetRows {
    items: Vec<DatasetRow>,
    next_cursor: Option<String>,
}

/// A judged sample, with the columns of the CSV.
#[derive(Serialize, ToSchema)]
struct DatasetRow {
    #[schema(value_type = Time)]
    timestamp: Timestamp,
    #[schema(value_type = PartWord)]
    part: Part,
    value: f64,
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    #[schema(value_type = PredictionWord)]
    prediction: Prediction,
    score: Option<f64>,
    delta: Option<f64>,
    rolling_mean: Option<f64>,
    rolling_std: Option<f64>,
    zscore: Option<f64>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
}

/// The rows of a series, oldest first.
#[utoipa::path(get, path = "/api/v1/datasets/rows", tag = "datasets", params(Parameters), responses(
    (status = 200, description = "Page by page.", body = DatasetRows),
    OfService,
))]
pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<DatasetRows>, Problem> {
    let limit = page_limit(parameters.limit, PAGE, PAGE_MAX)?;
    let part = parameters.part.as_deref().map(part).transpose()?;
    let from = optional_time("from", parameters.from.as_deref())?;
    let to = optional_time("to", parameters.to.as_deref())?;
    let after = optional_time("cursor", parameters.cursor.as_deref())?;
    let from = from.unwrap_or(Timestamp::from_millis(i64::MIN));
    let to = to.unwrap_or(Timestamp::from_millis(i64::MAX));
    if from > to {
        return Err(Problem::bad_request("from is after to"));
    }
    let from = after.map_or(from, |after| {
        from.max(after + std::time::Duration::from_millis(1))
    });
    let (service, metric) = (parameters.service.as_deref(), parameters.metric.as_deref());
    let series = api.known_series(service, metric).await?;
    let storage = Arc::clone(&api.storage);
    let read = move || {
        let paths = storage.data_dir.paths();
        page(paths, &series, part, (from, to), limit)
    };
    Ok(Json(api.read_datasets("reading the rows", read).await?))
}

fn page(
    paths: &Paths,
    series: &SeriesId,
    part: Option<Part>,
    (from, to): (Timestamp, Timestamp),
    limit: usize,
) -> Result<DatasetRows, DatasetError> {
    let mut rows = Rows::open(paths, series, part, from, to)?;
    let items: Result<Vec<DatasetRow>, DatasetError> = rows
        .by_ref()
        .take(limit)
        .map(|row| row.map(|(row, part)| view(row, part)))
        .collect();
    let items = items?;
    let more = rows.next().is_some();
    let last = items.last().filter(|_| more);
    Ok(DatasetRows {
        next_cursor: last.map(|row| row.timestamp.to_string()),
        items,
    })
}

fn view(row: Row, part: Part) -> DatasetRow {
    let features = row.features;
    DatasetRow {
        timestamp: row.timestamp,
        part,
        value: row.value,
        severity: row.severity,
        prediction: row.prediction,
        score: row.score,
        delta: features.map(|f| f.delta),
        rolling_mean: features.map(|f| f.rolling_mean),
        rolling_std: features.map(|f| f.rolling_std),
        zscore: features.map(|f| f.zscore),
        expected: row.band.map(|band| band.expected),
        lower: row.band.map(|band| band.lower),
        upper: row.band.map(|band| band.upper),
    }
}
