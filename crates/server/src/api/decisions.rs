//! `/api/v1/decisions`: what was decided about a series and why, also when nothing was.

mod instant;
mod runs;
mod view;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use domain::{MetricId, SeriesId, ServiceId, Timestamp};
use incident::ledger::Entry;
use serde::{Deserialize, Serialize};
use store::{DecisionFilter, LedgerRecord};
use utoipa::{IntoParams, ToSchema};

use super::openapi::{Instant, OfService};
use super::parameters::{optional_time, page_limit, time};
use super::problem::Problem;
use super::{Api, visible};
use runs::Runs;
use view::DecisionView;

const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// An id of `GET /services`, a bare name where that is unique, or a service of the past.
    #[param(required, min_length = 1, max_length = 1024, example = "payments")]
    service: Option<String>,
    /// The id of a metric.
    #[param(required, min_length = 1, max_length = 64, example = "lat")]
    metric: Option<String>,
    /// What held at this instant; instead of `from`, `to`, `cursor` and `limit`.
    #[param(value_type = Option<Instant>)]
    at: Option<String>,
    #[param(value_type = Option<Instant>)]
    from: Option<String>,
    /// Now, where it is missing.
    #[param(value_type = Option<Instant>)]
    to: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<Instant>)]
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// Without `at` a page of decisions, with it what held then.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Decisions {
    Page(Page),
    Instant(Box<instant::Answer>),
}

/// A page of decisions, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = DecisionPage)]
pub struct Page {
    items: Vec<DecisionView>,
    next_cursor: Option<String>,
}

/// What was decided about a series and why, also when nothing was: page by page, or at an instant.
#[utoipa::path(get, path = "/api/v1/decisions", tag = "decisions", params(Parameters), responses(
    (status = 200, description = "The decisions, or what held at an instant.", body = Decisions),
    OfService,
))]
pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Decisions>, Problem> {
    let series = series(&api, &parameters).await?;
    let Some(text) = &parameters.at else {
        return Ok(Json(Decisions::Page(
            list(&api, series, &parameters).await?,
        )));
    };
    let at = time("at", text)?;
    if parameters.is_about_a_stretch() {
        return Err(Problem::bad_request(
            "at asks for one instant: leave out from, to, cursor and limit, or at",
        ));
    }
    let answer = instant::answer(&api, series, at).await?;
    Ok(Json(Decisions::Instant(Box::new(answer))))
}

impl Parameters {
    fn is_about_a_stretch(&self) -> bool {
        self.from.is_some() || self.to.is_some() || self.cursor.is_some() || self.limit.is_some()
    }
}

/// The series that is asked for: one that is watched, or that decisions are kept of.
async fn series(api: &Api, parameters: &Parameters) -> Result<SeriesId, Problem> {
    let snapshot = api.snapshot();
    let named = parameters.service.as_deref();
    let (service, unknown) = match api.service(&snapshot, named) {
        Ok(service) => (service, None),
        Err(problem) => match named.map(ServiceId::new) {
            Some(Ok(service)) => (service, Some(problem)),
            _ => return Err(problem),
        },
    };
    let config = api.config();
    let known: Vec<&str> = config.metrics.iter().map(|s| s.id.as_str()).collect();
    let known = known.join(", ");
    let text = parameters.metric.as_deref().unwrap_or_default();
    if text.is_empty() {
        return Err(Problem::bad_request(format!(
            "parameter metric is missing; it is one of {known}"
        )));
    }
    let metric = MetricId::new(text).map_err(|_| {
        Problem::bad_request(format!(
            "parameter metric is {}; it must be the id of a metric, such as {known}",
            visible(text)
        ))
    })?;
    let unknown = unknown.or_else(|| {
        let no_such = || {
            Problem::new(StatusCode::NOT_FOUND, "no such metric").detail(format!(
                "no metric is named {}; configured are {known}",
                visible(text)
            ))
        };
        api.config().metrics.get(&metric).is_none().then(no_such)
    });
    let series = SeriesId::new(service, metric);
    match unknown {
        Some(problem) if !has_decisions(api, &series).await? => Err(problem),
        _ => Ok(series),
    }
}

async fn has_decisions(api: &Api, series: &SeriesId) -> Result<bool, Problem> {
    let (first, last) = (
        Timestamp::from_millis(i64::MIN),
        Timestamp::from_millis(i64::MAX),
    );
    let filter = DecisionFilter {
        limit: 1,
        ..DecisionFilter::new(series.clone(), first, last)
    };
    let page = api.storage.database.decisions(&filter).await;
    let page = page.map_err(|error| failed(&error))?;
    Ok(!page.records.is_empty() || page.next.is_some())
}

async fn list(api: &Api, series: SeriesId, parameters: &Parameters) -> Result<Page, Problem> {
    let limit = page_limit(parameters.limit, PAGE, PAGE_MAX)?;
    let from = optional_time("from", parameters.from.as_deref())?.unwrap_or(Timestamp::EPOCH);
    let to = optional_time("to", parameters.to.as_deref())?;
    let to = to.unwrap_or_else(|| runs::source_now(api));
    if from > to {
        return Err(Problem::bad_request("from is after to"));
    }
    let filter = DecisionFilter {
        after: optional_time("cursor", parameters.cursor.as_deref())?,
        limit,
        ..DecisionFilter::new(series.clone(), from, to)
    };
    let database = &api.storage.database;
    let page = database.decisions(&filter).await;
    let page = page.map_err(|error| failed(&error))?;
    let mut runs = Runs::of(api);
    let mut items = Vec::with_capacity(page.records.len());
    for (index, record) in page.records.iter().enumerate() {
        let next = page.records.get(index + 1);
        let next = next.map_or(page.valid_to, |next| Some(next.from));
        let to = runs.end(record.from, next).await?;
        let entry = entry(record)?;
        items.push(view::decision(&entry, &unit(api, &series), to, entry.from));
    }
    Ok(Page {
        items,
        next_cursor: page.next.map(|after| after.to_string()),
    })
}

fn entry(record: &LedgerRecord) -> Result<Entry, Problem> {
    serde_json::from_str(&record.body)
        .map_err(|error| Problem::internal("reading a decision", &error))
}

/// Empty for a metric that isn't configured any more.
fn unit(api: &Api, series: &SeriesId) -> String {
    let config = api.config();
    let spec = config.metrics.get(&series.metric);
    spec.map_or_else(String::new, |spec| spec.unit.clone())
}

fn failed(error: &store::DatabaseError) -> Problem {
    Problem::internal("reading decisions", error)
}
