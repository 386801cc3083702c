//! `/prometheus/api/v1/`: the embedded store as a Prometheus would answer, in its own format, so
//! that every query that is shown can be run here and Grafana can be pointed at it.

mod shapes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use embedded::promql::{self, Expression, PromqlError};
use embedded::{Labels, Matcher, SeriesSource};
use serde::Serialize;

use super::openapi::Instant;
use super::{Api, visible};
use crate::clock;
use crate::config::Span;
use crate::source::Embedded;
use shapes::{Answered, Build, Described, Evaluation, NoStore, RefusalView};

/// Series in one answer of `series`, and values in one of `labels`.
const LISTED_MAX: usize = 20_000;
/// How far back names are looked for where no beginning is given.
const LISTED_BACK: std::time::Duration = std::time::Duration::from_secs(3_600);
/// What Grafana decides by which functions it may use.
const SPEAKS_LIKE: &str = "3.0.0";

type Parameters = Form<Vec<(String, String)>>;

/// A refusal as Prometheus words it.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    kind: &'static str,
    why: String,
}

impl Refusal {
    fn bad_data(why: impl Into<String>) -> Refusal {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            kind: "bad_data",
            why: why.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = RefusalView {
            status: "error",
            error_type: self.kind,
            error: self.why,
        };
        (self.status, Json(body)).into_response()
    }
}

fn success(data: impl Serialize) -> Response {
    let status = "success";
    Json(Answered { status, data }).into_response()
}

/// The parameters of a request, by name.
struct Asked(Vec<(String, String)>);

impl Asked {
    fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == name);
        found
            .map(|(_, text)| text.as_str())
            .filter(|t| !t.is_empty())
    }

    fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)
            .ok_or_else(|| Refusal::bad_data(format!("parameter {name} is missing")))
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let parsed = self.text(name).map(str::parse::<Timestamp>).transpose();
        parsed.map_err(|error| Refusal::bad_data(format!("parameter {name}: {error}")))
    }

    fn needed_time(&self, name: &str) -> Result<Timestamp, Refusal> {
        self.needed(name)?;
        Ok(self.time(name)?.unwrap_or_default())
    }

    /// Seconds, or a duration; in milliseconds.
    fn step(&self) -> Result<i64, Refusal> {
        let text = self.needed("step")?;
        let seconds = text
            .parse::<f64>()
            .ok()
            .filter(|seconds| seconds.is_finite());
        let millis = match seconds {
            Some(seconds) => (seconds * 1000.0) as i64,
            None => text
                .parse::<Span>()
                .ok()
                .and_then(|span| i64::try_from(span.0.as_millis()).ok())
                .unwrap_or(0),
        };
        if millis > 0 {
            return Ok(millis);
        }
        Err(Refusal::bad_data(format!(
            "parameter step: {} is neither seconds above 0 nor a duration such as 15s",
            visible(text)
        )))
    }

    fn expression(&self) -> Result<Expression, Refusal> {
        parsed(self.needed("query")?)
    }

    /// The selectors of `match[]`, each a list of matchers.
    fn selectors(&self) -> Result<Vec<Vec<Matcher>>, Refusal> {
        let given = self.0.iter().filter(|(name, _)| name == "match[]");
        given
            .map(|(_, text)| {
                let selectors = parsed(text)?.selectors();
                match <[_; 1]>::try_from(selectors) {
                    Ok([only]) => Ok(only.matchers),
                    Err(_) => Err(Refusal::bad_data(format!(
                        "match[]: {} is no single selector",
                        visible(text)
                    ))),
                }
            })
            .collect()
    }

    /// From when to when names are looked for.
    fn stretch(&self) -> Result<(i64, i64), Refusal> {
        let to = self.time("end")?.unwrap_or_else(clock::now);
        let from = self.time("start")?.unwrap_or_else(|| to - LISTED_BACK);
        Ok((from.as_millis(), to.as_millis()))
    }
}

fn parsed(query: &str) -> Result<Expression, Refusal> {
    Expression::parse(query).map_err(|error| Refusal::bad_data(error.to_string()))
}

/// The store, where there is one; a Prometheus is asked at its own address.
fn embedded(api: &Api) -> Result<Arc<Embedded>, Refusal> {
    api.embedded.clone().ok_or_else(|| Refusal {
        status: StatusCode::NOT_FOUND,
        kind: "not_found",
        why: format!(
            "there is no embedded store: metrics come from {}, which answers queries itself",
            api.source
        ),
    })
}

/// Works where that may block, a few requests at a time.
async fn apart<T: Send + 'static>(
    embedded: &Embedded,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let failed = |error: &dyn std::error::Error| Refusal {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        kind: "internal",
        why: error.to_string(),
    };
    let permit = Arc::clone(&embedded.askers).acquire_owned().await;
    let permit = permit.map_err(|error| failed(&error))?;
    let work = tokio::task::spawn_blocking(move || {
        // It goes with the work: a caller that left doesn't make room for more.
        let _permit = permit;
        work()
    });
    work.await.map_err(|error| failed(&error))
}

/// An evaluation as it is answered.
fn evaluated(outcome: Result<String, PromqlError>) -> Result<Response, Refusal> {
    match outcome {
        Ok(body) => Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response()),
        Err(error) => Err(Refusal {
            status: match error.kind() {
                "bad_data" => StatusCode::BAD_REQUEST,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            },
            kind: error.kind(),
            why: error.to_string(),
        }),
    }
}

/// An expression at an instant.
#[utoipa::path(get, path = "/query", tag = "prometheus",
    params(
        ("query" = String, Query, description = "PromQL, of the subset that the store knows.", example = "up"),
        ("time" = Option<Instant>, Query, description = "Now, where it is missing."),
    ),
    responses(
    (status = 200, description = "As Prometheus answers.", body = inline(Answered<Evaluation>)),
    (status = 422, description = "The expression can't be evaluated.", body = RefusalView),
    NoStore,
))]
pub async fn query(State(api): State<Api>, Form(pairs): Parameters) -> Result<Response, Refusal> {
    let asked = Asked(pairs);
    let time = asked.time("time")?.unwrap_or_else(clock::now).as_millis();
    let (embedded, expression) = (embedded(&api)?, asked.expression()?);
    let store = Arc::clone(&embedded.store);
    let outcome = apart(&embedded, move || {
        let value = promql::instant(&*store, &expression, time)?;
        Ok(promql::instant_json(&value, time))
    });
    evaluated(outcome.await?)
}

/// An expression over a stretch of time.
#[utoipa::path(get, path = "/query_range", tag = "prometheus",
    params(
        ("query" = String, Query, description = "PromQL, of the subset that the store knows.", example = "up"),
        ("start" = Instant, Query),
        ("end" = Instant, Query),
        ("step" = String, Query, description = "Seconds, or a duration.", example = "15s"),
    ),
    responses(
    (status = 200, description = "As Prometheus answers.", body = inline(Answered<Evaluation>)),
    (status = 422, description = "The expression can't be evaluated.", body = RefusalView),
    NoStore,
))]
pub async fn query_range(
    State(api): State<Api>,
    Form(pairs): Parameters,
) -> Result<Response, Refusal> {
    let asked = Asked(pairs);
    let (from, to) = (asked.needed_time("start")?, asked.needed_time("end")?);
    if to < from {
        return Err(Refusal::bad_data("end is before start"));
    }
    let step = asked.step()?;
    let (embedded, expression) = (embedded(&api)?, asked.expression()?);
    let store = Arc::clone(&embedded.store);
    let outcome = apart(&embedded, move || {
        let (from, to) = (from.as_millis(), to.as_millis());
        let matrix = promql::range(&*store, &expression, from, to, step)?;
        Ok(promql::range_json(&matrix))
    });
    evaluated(outcome.await?)
}

/// The series that fulfil any of the selectors.
#[utoipa::path(get, path = "/series", tag = "prometheus",
    params(
        ("match[]" = Vec<String>, Query, description = "Selectors of series; those that fulfil any.", example = json!(["up"])),
        ("start" = Option<Instant>, Query, description = "An hour before `end` where it is missing."),
        ("end" = Option<Instant>, Query, description = "Now, where it is missing."),
    ),
    responses(
    (status = 200, description = "As Prometheus answers.", body = inline(Answered<Vec<BTreeMap<String, String>>>)),
    NoStore,
))]
pub async fn series(State(api): State<Api>, Form(pairs): Parameters) -> Result<Response, Refusal> {
    let asked = Asked(pairs);
    let selectors = asked.selectors()?;
    if selectors.is_empty() {
        return Err(Refusal::bad_data("no match[] parameter is given"));
    }
    let all = listed(&api, selectors, asked.stretch()?).await?;
    let by_name = |labels: &Labels| -> BTreeMap<String, String> {
        let pairs = labels.iter();
        pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    };
    Ok(success(all.iter().map(by_name).collect::<Vec<_>>()))
}

/// Names of labels.
#[utoipa::path(get, path = "/labels", tag = "prometheus",
    params(
        ("match[]" = Option<Vec<String>>, Query, description = "Selectors of series; those that fulfil any.", example = json!(["up"])),
        ("start" = Option<Instant>, Query, description = "An hour before `end` where it is missing."),
        ("end" = Option<Instant>, Query, description = "Now, where it is missing."),
    ),
    responses(
    (status = 200, description = "As Prometheus answers.", body = inline(Answered<Vec<String>>)),
    NoStore,
))]
pub async fn labels(State(api): State<Api>, Form(pairs): Parameters) -> Result<Response, Refusal> {
    let asked = Asked(pairs);
    let all = listed(&api, asked.selectors()?, asked.stretch()?).await?;
    let names: BTreeSet<&str> = all
        .iter()
        .flat_map(|labels| labels.iter().map(|(name, _)| name))
        .collect();
    Ok(success(names))
}

/// Values of a label.
#[utoipa::path(get, path = "/label/{name}/values", tag = "prometheus",
    params(
        ("name" = String, Path, description = "A label.", example = "job"),
        ("match[]" = Option<Vec<String>>, Query, description = "Selectors of series; those that fulfil any.", example = json!(["up"])),
        ("start" = Option<Instant>, Query, description = "An hour before `end` where it is missing."),
        ("end" = Option<Instant>, Query, description = "Now, where it is missing."),
    ),
    responses(
    (status = 200, description = "As Prometheus answers.", body = inline(Answered<Vec<String>>)),
    NoStore,
))]
pub async fn label_values(
    State(api): State<Api>,
    Path(name): Path<String>,
    Form(pairs): Parameters,
) -> Result<Response, Refusal> {
    let asked = Asked(pairs);
    let all = listed(&api, asked.selectors()?, asked.stretch()?).await?;
    let values: BTreeSet<&str> = all.iter().filter_map(|labels| labels.get(&name)).collect();
    Ok(success(values))
}

/// The series that fulfil any of the selectors, or all where there is none.
async fn listed(
    api: &Api,
    mut selectors: Vec<Vec<Matcher>>,
    (from, to): (i64, i64),
) -> Result<BTreeSet<Labels>, Refusal> {
    let embedded = embedded(api)?;
    let store = Arc::clone(&embedded.store);
    if selectors.is_empty() {
        selectors.push(Vec::new());
    }
    let found = apart(&embedded, move || {
        let mut all = BTreeSet::new();
        for matchers in selectors {
            store.select(&matchers, from, to, &mut |labels, _| {
                if all.len() < LISTED_MAX {
                    all.insert(labels.clone());
                }
            });
        }
        all
    });
    found.await
}

/// Type, help and unit of metrics.
#[utoipa::path(get, path = "/metadata", tag = "prometheus",
    params(
        ("metric" = Option<String>, Query, description = "Of this metric alone."),
    ),
    responses(
    (status = 200, description = "As Prometheus answers.", body = inline(Answered<BTreeMap<String, Vec<Described>>>)),
    NoStore,
))]
pub async fn metadata(
    State(api): State<Api>,
    Form(pairs): Parameters,
) -> Result<Response, Refusal> {
    let asked = Asked(pairs);
    let all = embedded(&api)?.targets.metadata();
    let wanted = asked.text("metric");
    let families: BTreeMap<&String, Vec<Described>> = all
        .iter()
        .filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name))
        .map(|(name, described)| {
            let each = described.iter().map(|metric| Described {
                r#type: metric.kind.as_str(),
                help: metric.help.to_string(),
                unit: metric.unit.to_string(),
            });
            (name, each.collect())
        })
        .collect();
    Ok(success(families))
}

/// What answers queries here.
#[utoipa::path(get, path = "/status/buildinfo", tag = "prometheus", responses(
    (status = 200, description = "As Prometheus answers.", body = inline(Answered<Build>)),
    NoStore,
))]
pub async fn build_info(State(api): State<Api>) -> Result<Response, Refusal> {
    embedded(&api)?;
    Ok(success(Build {
        version: SPEAKS_LIKE,
        application: concat!("Bellwether ", env!("CARGO_PKG_VERSION")),
    }))
}
