//! `/api/v1/decisions`: what was decided about a series and why, also when nothing was.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{Features, MetricId, Part, Prediction, Row, SeriesId, ServiceId, Severity, Timestamp};
use incident::ledger::Entry;
use incident::{Notice, Verdict};
use serde::{Deserialize, Serialize};
use store::{DecisionFilter, LedgerRecord, Run, RunAt};

use super::incidents::{ComponentView, component};
use super::problem::Problem;
use super::{Api, visible};
use crate::clock;
use crate::tick::chain;

const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    service: Option<String>,
    metric: Option<String>,
    /// What held at this instant; instead of `from` and `to`.
    at: Option<String>,
    from: Option<String>,
    to: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Page {
    items: Vec<DecisionView>,
    next_cursor: Option<String>,
}

/// What held of a series at one instant.
#[derive(Serialize)]
struct Answer {
    service: String,
    metric: String,
    /// The instant that was asked for.
    at: Timestamp,
    /// Whether ticks were evaluated then, and what is known of it.
    evaluated: bool,
    answer: String,
    decision: Option<DecisionView>,
    /// The sample of that instant, from the dataset.
    row: Option<RowView>,
}

/// One decision, which holds from `from` on.
#[derive(Serialize)]
struct DecisionView {
    from: Timestamp,
    /// The next decision; null if it still holds.
    to: Option<Timestamp>,
    /// In one word.
    verdict: &'static str,
    since: Option<Timestamp>,
    incident: Option<u64>,
    /// `due`, `snoozed` or `acknowledged`, where the decision is one that people are told of.
    notification: Option<&'static str>,
    severity: Severity,
    prediction: Prediction,
    /// Why there was no sample.
    gap: Option<&'static str>,
    value: Option<f64>,
    sample_ts: Option<Timestamp>,
    high: Option<f64>,
    critical: Option<f64>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    score: Option<f64>,
    score_needed_once: Option<f64>,
    score_needed_often: Option<f64>,
    components: Vec<ComponentView>,
    model: Option<String>,
    model_trained_at: Option<Timestamp>,
    model_age_seconds: Option<u64>,
    learning_held: bool,
    /// The above in sentences.
    why: Vec<String>,
}

#[derive(Serialize)]
struct RowView {
    timestamp: Timestamp,
    part: Part,
    value: f64,
    severity: Severity,
    prediction: Prediction,
    score: Option<f64>,
    features: Option<FeaturesView>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
}

#[derive(Serialize)]
struct FeaturesView {
    delta: f64,
    rolling_mean: f64,
    rolling_std: f64,
    zscore: f64,
}

pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, Problem> {
    let series = series(&api, &parameters)?;
    match &parameters.at {
        Some(text) => {
            let at = time("at", text)?;
            Ok(Json(at_instant(&api, series, at).await?).into_response())
        }
        None => Ok(Json(list(&api, series, &parameters).await?).into_response()),
    }
}

fn series(api: &Api, parameters: &Parameters) -> Result<SeriesId, Problem> {
    let snapshot = api.snapshot();
    // A service that is not watched any more may have decisions.
    let service = match api.service(&snapshot, parameters.service.as_deref()) {
        Ok(service) => service,
        Err(problem) => match parameters.service.as_deref().map(ServiceId::new) {
            Some(Ok(service)) => service,
            _ => return Err(problem),
        },
    };
    let metric = parameters.metric.as_deref().unwrap_or_default();
    let known: Vec<&str> = api.config.metrics.iter().map(|s| s.id.as_str()).collect();
    let metric = MetricId::new(metric).map_err(|_| {
        Problem::bad_request(format!(
            "parameter metric is {}; it must be the id of a metric, such as {}",
            visible(metric),
            known.join(", ")
        ))
    })?;
    Ok(SeriesId::new(service, metric))
}

fn time(name: &str, text: &str) -> Result<Timestamp, Problem> {
    text.parse()
        .map_err(|error| Problem::bad_request(format!("{name}: {error}")))
}

async fn at_instant(api: &Api, series: SeriesId, at: Timestamp) -> Result<Answer, Problem> {
    let database = &api.storage.database;
    let failed = |error: store::DatabaseError| Problem::internal("reading decisions", &error);
    let run = database.run_at(at).await.map_err(failed)?;
    let held = database.decision_at(&series, at).await.map_err(failed)?;
    // What was decided before a run belongs to another one.
    let held = held.filter(|held| match run {
        RunAt::Within(run) => held.record.from >= run.from,
        RunAt::Outside { .. } => false,
    });
    let evaluated = matches!(run, RunAt::Within(_));
    let decision = match &held {
        Some(held) => {
            let entry = entry(&held.record)?;
            Some((view(api, &entry, held.valid_to, Some(at)), entry))
        }
        None => None,
    };
    let answer = match (&decision, run) {
        (Some((view, _)), _) => view.why.first().cloned().unwrap_or_default(),
        (None, RunAt::Within(run)) => format!(
            "nothing was decided about {} {}: it was not known at that time, though ticks were evaluated from {} to {}",
            series.service, series.metric, run.from, run.last
        ),
        (None, RunAt::Outside { before, after }) => nothing_evaluated(before, after),
    };
    let row = match &decision {
        Some((_, entry)) => row_at(api, &series, at, entry).await?,
        None => None,
    };
    Ok(Answer {
        service: series.service.to_string(),
        metric: series.metric.to_string(),
        at,
        evaluated,
        answer,
        decision: decision.map(|(view, _)| view),
        row,
    })
}

fn nothing_evaluated(before: Option<Run>, after: Option<Run>) -> String {
    let mut text = "no tick was evaluated at that time".to_owned();
    match (before, after) {
        (None, None) => text += ", nor at any other that is kept",
        (before, after) => {
            if let Some(run) = before {
                text += &format!("; the last one before was at {}", run.last);
            }
            if let Some(run) = after {
                text += &format!("; the next one was at {}", run.from);
            }
        }
    }
    text
}

/// The newest row that the decision rests on: not before the entry's first sample, and not after
/// the instant.
async fn row_at(
    api: &Api,
    series: &SeriesId,
    at: Timestamp,
    entry: &Entry,
) -> Result<Option<RowView>, Problem> {
    let Some(sample) = entry.sample else {
        return Ok(None);
    };
    let (storage, series) = (std::sync::Arc::clone(&api.storage), series.clone());
    let read = tokio::task::spawn_blocking(move || {
        let dataset = storage.datasets().read(&series, sample.time);
        dataset.map_err(|error| chain(&error))
    });
    let read = read
        .await
        .map_err(|error| Problem::internal("reading the dataset", &error))?;
    let dataset = read.map_err(|why| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
            .detail(format!("the dataset can't be read: {why}"))
    })?;
    let newest = dataset
        .rows
        .into_iter()
        .rfind(|(row, _)| row.timestamp <= at);
    Ok(newest.map(|(row, part)| row_view(row, part)))
}

fn row_view(row: Row, part: Part) -> RowView {
    let features = |features: Features| FeaturesView {
        delta: features.delta,
        rolling_mean: features.rolling_mean,
        rolling_std: features.rolling_std,
        zscore: features.zscore,
    };
    RowView {
        timestamp: row.timestamp,
        part,
        value: row.value,
        severity: row.severity,
        prediction: row.prediction,
        score: row.score,
        features: row.features.map(features),
        expected: row.band.map(|band| band.expected),
        lower: row.band.map(|band| band.lower),
        upper: row.band.map(|band| band.upper),
    }
}

async fn list(api: &Api, series: SeriesId, parameters: &Parameters) -> Result<Page, Problem> {
    let limit = parameters.limit.unwrap_or(PAGE);
    if limit == 0 || limit > PAGE_MAX {
        let why = format!("limit is {limit}; it must be 1 to {PAGE_MAX}");
        return Err(Problem::bad_request(why));
    }
    let optional = |name: &str, text: &Option<String>| {
        text.as_deref().map(|text| time(name, text)).transpose()
    };
    let from = optional("from", &parameters.from)?.unwrap_or(Timestamp::EPOCH);
    let to = optional("to", &parameters.to)?.unwrap_or_else(clock::now);
    if from > to {
        return Err(Problem::bad_request("from is after to"));
    }
    let filter = DecisionFilter {
        after: optional("cursor", &parameters.cursor)?,
        limit,
        ..DecisionFilter::new(series, from, to)
    };
    let page = api.storage.database.decisions(&filter).await;
    let page = page.map_err(|error| Problem::internal("reading decisions", &error))?;
    let mut items = Vec::with_capacity(page.records.len());
    for (index, record) in page.records.iter().enumerate() {
        let next = page.records.get(index + 1).map(|next| next.from);
        items.push(view(api, &entry(record)?, next, None));
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

/// `at` is the instant from which the model's age is counted; the entry's own where there is none.
fn view(api: &Api, entry: &Entry, to: Option<Timestamp>, at: Option<Timestamp>) -> DecisionView {
    let spec = api.config.metrics.get(&entry.series.metric);
    let unit = spec.map_or("", |spec| spec.unit.as_str());
    let model = entry.model.as_ref();
    let at = at.unwrap_or(entry.from);
    DecisionView {
        from: entry.from,
        to,
        verdict: verdict(entry.verdict),
        since: match entry.verdict {
            Verdict::Waiting { since } | Verdict::CrossingWithoutAnomaly { since } => Some(since),
            _ => None,
        },
        incident: entry.verdict.incident().map(|id| id.0),
        notification: entry.notice.map(|notice| match notice {
            Notice::Due => "due",
            Notice::Snoozed { .. } => "snoozed",
            Notice::Acknowledged => "acknowledged",
        }),
        severity: entry.severity,
        prediction: entry.prediction,
        gap: entry.gap.map(|gap| gap.as_str()),
        value: entry.sample.map(|sample| sample.value),
        sample_ts: entry.sample.map(|sample| sample.time),
        high: entry.thresholds.high,
        critical: entry.thresholds.critical,
        expected: entry.band.map(|band| band.expected),
        lower: entry.band.map(|band| band.lower),
        upper: entry.band.map(|band| band.upper),
        score: entry.score,
        score_needed_once: entry.limits.map(|limits| limits.single),
        score_needed_often: entry.limits.map(|limits| limits.persistent),
        components: entry.components.iter().map(component).collect(),
        model: model.map(|model| model.hash.to_string()),
        model_trained_at: model.map(|model| model.trained_at),
        model_age_seconds: model.map(|model| at.since(model.trained_at).as_secs()),
        learning_held: entry.held,
        why: entry.sentences(unit),
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Calm => "calm",
        Verdict::NoSample => "no_sample",
        Verdict::Waiting { .. } => "waiting",
        Verdict::CrossingWithoutAnomaly { .. } => "crossing_without_anomaly",
        Verdict::AnomalyWithoutCrossing => "anomaly_without_crossing",
        Verdict::Opened { .. } => "opened",
        Verdict::Joined { .. } => "joined",
        Verdict::Extended { .. } => "extended",
        Verdict::CalmMember { .. } => "calm_member",
        Verdict::HeldByResolve { .. } => "held_by_resolve",
    }
}
