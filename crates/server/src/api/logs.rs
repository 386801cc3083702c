//! `GET /logs?service=ID&event_ts=TIME`: the lines of a service around an instant.

pub mod patterns;
pub mod range;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use domain::{LogLine, LogOutcome, LogWindow, ServiceId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::openapi::{Instant, Length, Level, LogOutcomeWord, OfService, Time};
use super::parameters::{duration, page_limit, time};
use super::problem::Problem;

pub use patterns::PatternsView;

const BEFORE: Duration = Duration::from_secs(4);
const AFTER: Duration = Duration::from_secs(3);
const WINDOW_MAX: Duration = Duration::from_secs(24 * 3600);
const LINES: usize = 500;
const LINES_MAX: usize = 5_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// An id of `GET /services`, or a bare name where that is unique.
    #[param(required, min_length = 1, max_length = 1024, example = "payments")]
    service: Option<String>,
    /// The instant; `GET /metrics?service=` gives it for each metric.
    #[param(required, value_type = Instant)]
    event_ts: Option<String>,
    /// From so long before; up to a day.
    #[param(value_type = Option<Length>, default = "4s")]
    before: Option<String>,
    /// Until so long after; up to a day.
    #[param(value_type = Option<Length>, default = "3s")]
    after: Option<String>,
    #[param(minimum = 1, maximum = 5000, default = 500)]
    limit: Option<usize>,
}

/// The lines around an instant.
#[derive(Serialize, ToSchema)]
pub struct Logs {
    #[schema(value_type = String)]
    service: ServiceId,
    #[schema(value_type = Time)]
    event_ts: Timestamp,
    #[serde(flatten)]
    window: Window,
}

/// Log lines as the API shows them.
#[derive(Serialize, ToSchema)]
#[schema(as = LogWindow)]
pub struct Window {
    #[schema(value_type = Time)]
    from: Timestamp,
    #[schema(value_type = Time)]
    to: Timestamp,
    #[schema(value_type = LogOutcomeWord)]
    outcome: &'static str,
    detail: Option<String>,
    /// Errors first, then by time.
    items: Vec<Line>,
    /// Lines beyond the limit.
    omitted: u64,
    /// Lines that could not be read.
    malformed: u64,
}

/// A log line.
#[derive(Serialize, ToSchema)]
#[schema(as = LogLine)]
pub struct Line {
    #[schema(value_type = Time)]
    time: Timestamp,
    #[schema(value_type = Level)]
    level: domain::LogLevel,
    logger: Option<String>,
    message: String,
    exception: Option<String>,
    stack_trace: Option<String>,
    trace_id: Option<String>,
    span_id: Option<String>,
    /// Whether a text of it was too long to be kept whole.
    cut: bool,
}

/// The lines of a service around an instant, errors first.
#[utoipa::path(get, path = "/logs", tag = "logs", params(Parameters), responses(
    (status = 200, description = "The lines; `outcome` and `detail` say why there are none.", body = Logs),
    OfService,
))]
pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Logs>, Problem> {
    let snapshot = api.snapshot();
    let service = api.service(&snapshot, parameters.service.as_deref())?;
    let event_ts = parameters.event_ts.as_deref().ok_or_else(|| {
        Problem::bad_request(
            "parameter event_ts is missing; GET /metrics?service= gives it for each metric",
        )
    })?;
    let event_ts = time("event_ts", event_ts)?;
    let before = span("before", parameters.before.as_deref(), BEFORE)?;
    let after = span("after", parameters.after.as_deref(), AFTER)?;
    let limit = page_limit(parameters.limit, LINES, LINES_MAX)?;
    let (reader, of) = (Arc::clone(&api.logs), service.clone());
    let read = move || reader.window(&of, event_ts - before, event_ts + after, limit);
    let window = api.read_logs(read).await?;
    Ok(Json(Logs {
        service,
        event_ts,
        window: window.into(),
    }))
}

fn span(name: &str, text: Option<&str>, default: Duration) -> Result<Duration, Problem> {
    let Some(text) = text else { return Ok(default) };
    let span = duration(name, text)?;
    if span > WINDOW_MAX {
        return Err(Problem::bad_request(format!("{name} is more than a day")));
    }
    Ok(span)
}

impl From<LogWindow> for Window {
    fn from(window: LogWindow) -> Window {
        let (outcome, detail) = outcome(&window.outcome);
        Window {
            from: window.from,
            to: window.to,
            outcome,
            detail,
            items: window.lines.into_iter().map(Line::from).collect(),
            omitted: window.omitted,
            malformed: window.malformed,
        }
    }
}

impl From<LogLine> for Line {
    fn from(line: LogLine) -> Line {
        Line {
            time: line.time,
            level: line.level,
            logger: line.logger,
            message: line.message,
            exception: line.exception,
            stack_trace: line.stack_trace,
            trace_id: line.trace_id,
            span_id: line.span_id,
            cut: line.cut,
        }
    }
}

/// What became of looking, as a word and, where there is more to say, in words.
fn outcome(outcome: &LogOutcome) -> (&'static str, Option<String>) {
    let detail = match outcome {
        LogOutcome::Found => None,
        LogOutcome::NoneInWindow(text) | LogOutcome::Unreadable(text) => Some(text.clone()),
        LogOutcome::NotConfigured => Some(
            "no log source is configured; set logs: [{ path: '/var/log/{service}/app.json' }]"
                .to_owned(),
        ),
    };
    (outcome.as_str(), detail)
}
