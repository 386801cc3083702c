//! `GET /api/v1/findings`: the newest judgement of every series.

use axum::Json;
use axum::extract::{Query, State};
use domain::{Finding, Prediction, SeriesId, ServiceId, Severity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::known::{after_cursor, page_of};
use super::metrics::{Metric, metric};
use super::openapi::{OfService, Time};
use super::parameters::page_limit;
use super::problem::Problem;
use super::{Api, visible};

const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;

/// Which findings to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// An id of `GET /services`, or a bare name where that is unique.
    #[param(min_length = 1, max_length = 1024)]
    service: Option<String>,
    /// A list with commas of `Normal`, `High`, `Critical`, `Unavailable`.
    severity: Option<String>,
    /// A list with commas of `Normal`, `Anomaly`, `Unknown`.
    prediction: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(max_length = 1200)]
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// Some findings, by service and metric.
#[derive(Serialize, ToSchema)]
pub struct Findings {
    /// The instant that was judged.
    #[schema(value_type = Option<Time>)]
    evaluated_at: Option<Timestamp>,
    items: Vec<FindingView>,
    next_cursor: Option<String>,
}

/// The newest judgement of one series, with the fields that `GET /metrics?service=` gives.
#[derive(Serialize, ToSchema)]
struct FindingView {
    #[schema(value_type = String)]
    service: ServiceId,
    #[serde(flatten)]
    metric: Metric,
}

/// The newest judgement of every series.
#[utoipa::path(get, path = "/api/v1/findings", tag = "services", params(Parameters), responses(
    (status = 200, description = "By service and metric, page by page.", body = Findings),
    OfService,
))]
pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Findings>, Problem> {
    let snapshot = api.snapshot();
    let limit = page_limit(parameters.limit, PAGE, PAGE_MAX)?;
    let after = after_cursor(parameters.cursor.as_deref())?;
    let severities: Vec<Severity> = words("severity", parameters.severity.as_deref())?;
    let predictions: Vec<Prediction> = words("prediction", parameters.prediction.as_deref())?;
    let service = parameters.service.as_deref();
    let service = service.map(|text| api.service(&snapshot, Some(text)));
    let service = service.transpose()?;
    let wanted = |finding: &&Finding| {
        let id = &finding.series.service;
        service.as_ref().is_none_or(|service| service == id)
            && (severities.is_empty() || severities.contains(&finding.severity))
            && (predictions.is_empty() || predictions.contains(&finding.prediction))
    };
    let config = api.config();
    let all = snapshot.services.values().flat_map(|view| &view.findings);
    let all = all.filter(wanted).filter_map(|finding| {
        let spec = config.metrics.get(&finding.series.metric)?;
        Some((finding, spec))
    });
    let series = |(finding, _): &(&Finding, _)| -> SeriesId { finding.series.clone() };
    let (page, next_cursor) = page_of(all, series, after.as_ref(), limit);
    let items = page.into_iter().map(|(finding, spec)| FindingView {
        service: finding.series.service.clone(),
        metric: metric(&snapshot, finding, spec),
    });
    Ok(Json(Findings {
        evaluated_at: snapshot.at,
        items: items.collect(),
        next_cursor,
    }))
}

/// A list with commas.
fn words<T: std::str::FromStr<Err = String>>(
    name: &str,
    text: Option<&str>,
) -> Result<Vec<T>, Problem> {
    let words = text.into_iter().flat_map(|text| text.split(','));
    let word = |word: &str| {
        word.trim()
            .parse()
            .map_err(|why: String| Problem::bad_request(format!("{name}: {}", visible(&why))))
    };
    words.map(word).collect()
}
