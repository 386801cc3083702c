//! `GET /api/v1/logs`: the lines of a service in any stretch of time, page by page, filtered by
//! level and text.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use domain::{LogLevel, ServiceId, Timestamp};
use serde::{Deserialize, Serialize};
use sources::{LogCursor, LogOrder, LogQuery};
use utoipa::{IntoParams, ToSchema};

use super::super::Api;
use super::super::openapi::{Instant, LogOutcomeWord, OfService, Time, words};
use super::super::parameters::{optional_time, page_limit};
use super::super::problem::Problem;
use super::super::visible;
use super::{LINES, LINES_MAX, Line, outcome};

/// The stretch where none is asked for.
const SPAN: Duration = Duration::from_secs(900);
const TEXT_BYTES_MAX: usize = 200;

words! {
    /// The least severe level, of any case.
    LevelName: "error", "warn", "info", "debug", "trace";
    /// Which lines come first.
    OrderWord: "oldest", "newest";
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// An id of `GET /services`, or a bare name where that is unique.
    #[param(required, min_length = 1, max_length = 1024, example = "payments")]
    service: Option<String>,
    /// A quarter of an hour before `to` where it is missing.
    #[param(value_type = Option<Instant>)]
    from: Option<String>,
    /// Now, where it is missing.
    #[param(value_type = Option<Instant>)]
    to: Option<String>,
    /// The least severe level.
    #[param(inline, value_type = Option<LevelName>)]
    level: Option<String>,
    /// A part of message, exception, stack trace or trace id, of any case.
    #[param(max_length = 200)]
    text: Option<String>,
    /// The oldest where it is missing.
    #[param(inline, value_type = Option<OrderWord>)]
    order: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 5000, default = 500)]
    limit: Option<usize>,
}

/// A page of log lines.
#[derive(Serialize, ToSchema)]
#[schema(as = LogPage)]
pub struct Page {
    #[schema(value_type = String)]
    service: ServiceId,
    #[schema(value_type = Time)]
    from: Timestamp,
    #[schema(value_type = Time)]
    to: Timestamp,
    #[schema(value_type = LogOutcomeWord)]
    outcome: &'static str,
    detail: Option<String>,
    /// In the order that was asked for.
    items: Vec<Line>,
    next_cursor: Option<String>,
    /// Set where so much was read that the search stopped there; the cursor goes on.
    #[schema(value_type = Option<Time>)]
    searched_to: Option<Timestamp>,
    malformed: u64,
}

/// The lines of a service in any stretch of time, page by page.
#[utoipa::path(get, path = "/api/v1/logs", tag = "logs", params(Parameters), responses(
    (status = 200, description = "A page; `outcome` and `detail` say why there are no lines.", body = Page),
    OfService,
))]
pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Page>, Problem> {
    let snapshot = api.snapshot();
    let service = api.service(&snapshot, parameters.service.as_deref())?;
    let (from, to) = stretch(&parameters, crate::clock::now())?;
    let text = parameters.text.filter(|text| !text.is_empty());
    if text
        .as_ref()
        .is_some_and(|text| text.len() > TEXT_BYTES_MAX)
    {
        return Err(Problem::bad_request(format!(
            "text is longer than {TEXT_BYTES_MAX} bytes"
        )));
    }
    let after = parameters.cursor.as_deref().map(cursor).transpose()?;
    let query = LogQuery {
        from,
        to,
        level_min: parameters.level.as_deref().map(level).transpose()?,
        text,
        order: parameters
            .order
            .as_deref()
            .map(order)
            .transpose()?
            .unwrap_or_default(),
        after,
        limit: page_limit(parameters.limit, LINES, LINES_MAX)?,
    };
    let (reader, of) = (Arc::clone(&api.logs), service.clone());
    let page = api.read_logs(move || reader.page(&of, &query)).await?;
    let (outcome, detail) = outcome(&page.outcome);
    Ok(Json(Page {
        service,
        from,
        to,
        outcome,
        detail,
        items: page.lines.into_iter().map(Line::from).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
        searched_to: page.searched_to,
        malformed: page.malformed,
    }))
}

/// From `from` to `to`; the last quarter of an hour where neither is given.
fn stretch(parameters: &Parameters, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    let from = optional_time("from", parameters.from.as_deref())?;
    let to = optional_time("to", parameters.to.as_deref())?;
    let (from, to) = match (from, to) {
        (Some(from), Some(to)) => (from, to),
        (Some(from), None) => (from, now.max(from)),
        (None, to) => {
            let to = to.unwrap_or(now);
            (to - SPAN, to)
        }
    };
    if from > to {
        return Err(Problem::bad_request("from is after to"));
    }
    Ok((from, to))
}

fn level(text: &str) -> Result<LogLevel, Problem> {
    match LogLevel::of(text) {
        LogLevel::Unknown => Err(Problem::bad_request(format!(
            "level is {:?}; write error, warn, info, debug or trace",
            visible(text)
        ))),
        level => Ok(level),
    }
}

fn order(text: &str) -> Result<LogOrder, Problem> {
    match text {
        "oldest" => Ok(LogOrder::OldestFirst),
        "newest" => Ok(LogOrder::NewestFirst),
        _ => Err(Problem::bad_request(format!(
            "order is {:?}; write oldest or newest",
            visible(text)
        ))),
    }
}

fn cursor(text: &str) -> Result<LogCursor, Problem> {
    text.parse()
        .map_err(|_| Problem::bad_request("cursor is none that this route gave; begin without one"))
}
