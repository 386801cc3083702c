//! `GET /api/v1/series`: the past of a series, with what was expected, how it was judged, where
//! samples are missing and why, and the incidents of that time.

mod gaps;
mod thin;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use domain::{Part, Prediction, SeriesId, Severity, Timestamp};
use incident::ledger::Entry;
use serde::{Deserialize, Serialize};
use store::{DatasetError, IncidentFilter, Paths, Rows, RunAt};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::openapi::{
    IncidentStatus, Instant, OfService, PartWord, PredictionWord, SeverityWord, Time,
};
use super::parameters::{duration, optional_time};
use super::problem::Problem;
use crate::clock;
use gaps::{Gap, Gaps};
use thin::{Thinned, Thinning};

const RANGE: Duration = Duration::from_secs(6 * 3_600);
const RANGE_MAX: Duration = Duration::from_secs(400 * 86_400);
const POINTS: usize = 1_000;
const POINTS_MAX: usize = 5_000;
/// Points that a stretch of `step` may have.
const POINTS_OF_A_STEP: u128 = 3;
/// Samples that one answer looks at.
const SAMPLES_MAX: usize = 4_000_000;
const INCIDENTS_MAX: usize = 200;

/// Which series, and which part of its past.
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
    /// Six hours before `to` where it is missing; RFC 3339 or epoch seconds.
    #[param(value_type = Option<Instant>)]
    from: Option<String>,
    /// Now where it is missing; 400 days after `from` at most.
    #[param(value_type = Option<Instant>)]
    to: Option<String>,
    /// Stretches of this length instead of `points`, such as `5m`: up to three points of each.
    step: Option<String>,
    /// The most points.
    #[param(minimum = 3, maximum = 5000, default = 1000)]
    points: Option<usize>,
}

/// The past of a series.
#[derive(Serialize, ToSchema)]
pub struct Series {
    service: String,
    metric: String,
    unit: String,
    #[schema(value_type = Time)]
    from: Timestamp,
    #[schema(value_type = Time)]
    to: Timestamp,
    /// The thresholds now.
    high: Option<f64>,
    critical: Option<f64>,
    /// How many samples there are.
    samples: usize,
    /// Of each stretch of so many seconds the least, the greatest and the worst judged sample are
    /// given; null where all are.
    step_seconds: Option<f64>,
    /// Oldest first.
    points: Vec<SeriesPoint>,
    /// Where samples are missing, oldest first; the longest, if there are too many.
    gaps: Vec<SeriesGap>,
    gaps_omitted: usize,
    /// The incidents of the service at that time, newest first.
    incidents: Vec<SeriesIncident>,
}

/// A judged sample.
#[derive(Serialize, ToSchema)]
struct SeriesPoint {
    #[schema(value_type = Time)]
    ts: Timestamp,
    value: f64,
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    #[schema(value_type = PredictionWord)]
    prediction: Prediction,
    score: Option<f64>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    #[schema(value_type = PartWord)]
    part: Part,
}

/// A stretch without samples.
#[derive(Serialize, ToSchema)]
struct SeriesGap {
    #[schema(value_type = Time)]
    from: Timestamp,
    #[schema(value_type = Time)]
    to: Timestamp,
    /// `not_running`, `not_watched`, `no_sample`, or the reason of the decision then, as `gap` in
    /// `GET /api/v1/decisions`.
    reason: &'static str,
    /// The reason in words.
    detail: &'static str,
}

/// When an incident of the service was.
#[derive(Serialize, ToSchema)]
struct SeriesIncident {
    id: u64,
    /// Its onset.
    #[schema(value_type = Time)]
    from: Timestamp,
    /// Null while it fires.
    #[schema(value_type = Option<Time>)]
    to: Option<Timestamp>,
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    #[schema(value_type = IncidentStatus)]
    status: domain::Status,
    /// Whether this metric is a member.
    member: bool,
}

/// The past of a series.
#[utoipa::path(get, path = "/api/v1/series", tag = "services", params(Parameters), responses(
    (status = 200, description = "All samples, or the telling ones of each stretch.", body = Series),
    OfService,
))]
pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Series>, Problem> {
    let (from, to) = range(&parameters, clock::now())?;
    let thinning = thinning(&parameters, from, to)?;
    let (service, metric) = (parameters.service.as_deref(), parameters.metric.as_deref());
    let series = api.known_series(service, metric).await?;
    let config = api.config();
    let gaps = Gaps::new(from, config.tick);
    // Nothing is missing yet of what wasn't evaluated.
    let evaluated = api.snapshot().at.unwrap_or(to).min(to);
    let (storage, id) = (Arc::clone(&api.storage), series.clone());
    let read = move || {
        let paths = storage.data_dir.paths();
        read(paths, &id, (from, to), evaluated, thinning, gaps)
    };
    let read = api.read_datasets("reading the series", read).await?;
    let Some((thinned, (gaps, gaps_omitted))) = read else {
        return Err(Problem::bad_request(format!(
            "from {from} to {to} there are more than {SAMPLES_MAX} samples; ask for a shorter range"
        )));
    };
    let incidents = incidents(&api, &series, from, to).await?;
    let mut told = Vec::with_capacity(gaps.len());
    for gap in gaps {
        told.push(reason(&api, &series, gap).await?);
    }
    let spec = config.metrics.get(&series.metric);
    let thresholds = spec.map(|spec| spec.thresholds_for(&series.service));
    let thresholds = thresholds.unwrap_or_default();
    Ok(Json(Series {
        unit: spec.map_or_else(String::new, |spec| spec.unit.clone()),
        service: series.service.to_string(),
        metric: series.metric.to_string(),
        from,
        to,
        high: thresholds.high,
        critical: thresholds.critical,
        samples: thinned.samples,
        step_seconds: thinned.step.map(|step| step.as_secs_f64()),
        points: thinned.points.into_iter().map(point).collect(),
        gaps: told,
        gaps_omitted,
        incidents,
    }))
}

fn range(parameters: &Parameters, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    let to = optional_time("to", parameters.to.as_deref())?.unwrap_or(now);
    let from = optional_time("from", parameters.from.as_deref())?.unwrap_or(to - RANGE);
    if from > to {
        return Err(Problem::bad_request("from is after to"));
    }
    if to.since(from) > RANGE_MAX {
        return Err(Problem::bad_request(
            "from is more than 400 days before to; ask for a shorter range",
        ));
    }
    Ok((from, to))
}

fn thinning(parameters: &Parameters, from: Timestamp, to: Timestamp) -> Result<Thinning, Problem> {
    let Some(step) = parameters.step.as_deref() else {
        let points = parameters.points.unwrap_or(POINTS);
        if !(POINTS_OF_A_STEP as usize..=POINTS_MAX).contains(&points) {
            return Err(Problem::bad_request(format!(
                "points is {points}; it must be {POINTS_OF_A_STEP} to {POINTS_MAX}"
            )));
        }
        return Ok(Thinning::to_points(points, from, to));
    };
    if parameters.points.is_some() {
        return Err(Problem::bad_request("give either step or points, not both"));
    }
    let step = duration("step", step)?;
    let shortest = to.since(from).as_millis() * POINTS_OF_A_STEP / POINTS_MAX as u128;
    if step.as_millis() < shortest.max(1) {
        return Err(Problem::bad_request(format!(
            "step is shorter than {} s, so there would be more than {POINTS_MAX} points; ask for longer steps or a shorter range",
            shortest.div_ceil(1_000).max(1)
        )));
    }
    Ok(Thinning::to_step(step, from))
}

type Read = (Thinned, (Vec<Gap>, usize));

/// None where there are too many samples.
fn read(
    paths: &Paths,
    series: &SeriesId,
    (from, to): (Timestamp, Timestamp),
    evaluated: Timestamp,
    mut thinning: Thinning,
    mut gaps: Gaps,
) -> Result<Option<Read>, DatasetError> {
    for (index, row) in Rows::open(paths, series, None, from, to)?.enumerate() {
        if index == SAMPLES_MAX {
            return Ok(None);
        }
        let row = row?;
        gaps.push(row.0.timestamp);
        thinning.push(row);
    }
    Ok(Some((thinning.finish(), gaps.finish(evaluated))))
}

/// Why there are no samples: what was decided in the middle of it.
async fn reason(api: &Api, series: &SeriesId, gap: Gap) -> Result<SeriesGap, Problem> {
    let failed = |error| Problem::internal("reading decisions", &error);
    let database = &api.storage.database;
    let middle = gap.middle();
    let view = |reason, detail| SeriesGap {
        from: gap.from,
        to: gap.to,
        reason,
        detail,
    };
    if let RunAt::Outside { .. } = database.run_at(middle).await.map_err(failed)? {
        let detail = "Bellwether did not run then, and the source had no samples of it";
        return Ok(view("not_running", detail));
    }
    let decision = database.decision_at(series, middle).await.map_err(failed)?;
    let entry = decision.and_then(|found| serde_json::from_str::<Entry>(&found.record.body).ok());
    Ok(match entry {
        Some(entry) if !entry.is_watched() => {
            view("not_watched", "the series was not watched then")
        }
        Some(Entry { gap: Some(gap), .. }) => view(gap.as_str(), gap.in_words()),
        _ => view("no_sample", "there is no sample, and nothing says why"),
    })
}

async fn incidents(
    api: &Api,
    series: &SeriesId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<SeriesIncident>, Problem> {
    let filter = IncidentFilter {
        service: Some(series.service.clone()),
        from: Some(from),
        to: Some(to),
        limit: INCIDENTS_MAX,
        ..IncidentFilter::default()
    };
    let page = api.storage.database.incidents(&filter).await;
    let page = page.map_err(|error| Problem::internal("reading the incidents", &error))?;
    let span = |incident: domain::Incident| SeriesIncident {
        id: incident.id.0,
        from: incident.onset,
        to: incident.ended,
        severity: incident.shown_severity(),
        status: incident.status,
        member: incident.member(&series.metric).is_some(),
    };
    Ok(page.incidents.into_iter().map(span).collect())
}

fn point((row, part): thin::Point) -> SeriesPoint {
    SeriesPoint {
        ts: row.timestamp,
        value: row.value,
        severity: row.severity,
        prediction: row.prediction,
        score: row.score,
        expected: row.band.map(|band| band.expected),
        lower: row.band.map(|band| band.lower),
        upper: row.band.map(|band| band.upper),
        part,
    }
}
