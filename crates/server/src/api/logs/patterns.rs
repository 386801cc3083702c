//! `GET /api/v1/logs/patterns`, and log patterns as the API shows them: what is new, risen, fallen
//! or gone, and what it was counted against.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};

use domain::{
    LogPattern, LogPatterns, LogReach, PatternBasis, PatternChange, ServiceId, Timestamp,
};
use incident::LogShiftWindows;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::Api;
use super::super::openapi::{Instant, Length, Level, OfService, Time, words};
use super::super::parameters::{duration, optional_time};
use super::super::problem::Problem;
use super::{Line, outcome};
use crate::clock;
use crate::evidence::patterns::read;

/// The window and its baseline, where none are asked for.
const SPAN: Duration = Duration::from_secs(300);
const BASELINE: Duration = Duration::from_secs(3_600);
const STRETCH_MAX: Duration = Duration::from_secs(7 * 86_400);

/// Templates named in an answer.
const ANSWERED_MAX: usize = 3;

words! {
    /// What became of looking for lines; `not_read_yet` while an incident is young.
    PatternsOutcome: "found", "none_in_window", "not_configured", "unreadable", "not_read_yet";
    /// How a pattern moved from baseline to window.
    PatternChangeWord: "new", "risen", "fallen", "gone", "steady";
    /// What lines are counted per.
    PatternBasisWord: "minute", "trace", "call";
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// An id of `GET /services`, or a bare name where that is unique.
    #[param(required, min_length = 1, max_length = 1024, example = "payments")]
    service: Option<String>,
    /// The window begins here; five minutes before `to` where it is missing.
    #[param(value_type = Option<Instant>)]
    from: Option<String>,
    /// Now, where it is missing; at most 7 days after `from`.
    #[param(value_type = Option<Instant>)]
    to: Option<String>,
    /// How long before `from` is usual; up to 7 days.
    #[param(value_type = Option<Length>, default = "1h")]
    baseline: Option<String>,
}

/// The patterns of any window of a service against the time before it.
#[derive(Serialize, ToSchema)]
#[schema(as = LogPatterns)]
pub struct Patterns {
    #[schema(value_type = String)]
    service: ServiceId,
    #[serde(flatten)]
    patterns: PatternsView,
}

/// Which log patterns of a service are new, risen, fallen or gone in a window, against the time
/// before it.
#[utoipa::path(get, path = "/api/v1/logs/patterns", tag = "logs", params(Parameters), responses(
    (status = 200, description = "The patterns; `outcome` and `answer` say why there are none.", body = Patterns),
    OfService,
))]
pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Patterns>, Problem> {
    let snapshot = api.snapshot();
    let service = api.service(&snapshot, parameters.service.as_deref())?;
    let windows = windows(&parameters)?;
    let (reader, of) = (Arc::clone(&api.logs), service.clone());
    let found = api
        .read_logs(move || read(&reader, &of, windows, &[]))
        .await?;
    Ok(Json(Patterns {
        service,
        patterns: PatternsView::of(Some(&found)),
    }))
}

/// The last five minutes against the hour before, unless asked otherwise.
fn windows(parameters: &Parameters) -> Result<LogShiftWindows, Problem> {
    let to = optional_time("to", parameters.to.as_deref())?;
    let to = to.unwrap_or_else(clock::now);
    let from = optional_time("from", parameters.from.as_deref())?.unwrap_or(to - SPAN);
    let baseline = parameters.baseline.as_deref();
    let baseline = baseline
        .map(|text| duration("baseline", text))
        .transpose()?;
    let baseline = baseline.unwrap_or(BASELINE);
    if from >= to {
        return Err(Problem::bad_request("from is not before to"));
    }
    if baseline.is_zero() || baseline > STRETCH_MAX || to.since(from) > STRETCH_MAX {
        return Err(Problem::bad_request(
            "the window and its baseline take up to 7 days each, and more than nothing",
        ));
    }
    Ok(LogShiftWindows {
        baseline_from: from - baseline,
        from,
        onset: from,
        to,
        left_out: Vec::new(),
    })
}

/// The answer to "what do the logs say?".
#[derive(Serialize, ToSchema)]
#[schema(as = LogPatternsAnswer)]
pub struct PatternsView {
    answer: String,
    #[schema(value_type = PatternsOutcome)]
    outcome: &'static str,
    detail: Option<String>,
    /// What the service's own counter says, where its logs could not be read.
    counted: Option<String>,
    #[schema(value_type = Option<Time>)]
    baseline_from: Option<Timestamp>,
    /// The window begins here, where the baseline ends.
    #[schema(value_type = Option<Time>)]
    from: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    to: Option<Timestamp>,
    baseline: Option<ReachView>,
    window: Option<ReachView>,
    /// How the rates were compared.
    text: String,
    /// Strongest first; what did not move comes last.
    items: Vec<PatternView>,
    /// Patterns that did not move.
    steady: u32,
    /// Patterns that moved and are not listed.
    omitted: u32,
}

/// What was read of a stretch.
#[derive(Serialize, ToSchema)]
#[schema(as = LogReach)]
struct ReachView {
    seconds: f64,
    lines: u64,
    traces: u64,
    /// The share of the stretch's bytes that was read.
    #[schema(minimum = 0, maximum = 1)]
    share: f64,
}

/// A template of log lines, and how it moved.
#[derive(Serialize, ToSchema)]
#[schema(as = LogPattern)]
struct PatternView {
    id: String,
    #[schema(value_type = String)]
    service: ServiceId,
    /// The message with `<*>` where it varies.
    template: String,
    #[schema(value_type = Level)]
    level: domain::LogLevel,
    logger: Option<String>,
    exception: Option<String>,
    #[schema(value_type = PatternChangeWord)]
    change: PatternChange,
    /// Standard deviations by which the rate moved; positive: risen.
    effect: f64,
    lines_before: u64,
    lines_during: u64,
    /// Per unit of `per`.
    rate_before: f64,
    rate_during: f64,
    #[schema(value_type = PatternBasisWord)]
    per: &'static str,
    call: Option<CallView>,
    #[schema(value_type = Time)]
    first_seen_ts: Timestamp,
    #[schema(value_type = Time)]
    last_seen_ts: Timestamp,
    samples: Vec<Line>,
    trace_ids: Vec<String>,
    /// Other names under which the same failure is told.
    also: Vec<AlsoView>,
    text: String,
}

/// Calls within which lines were counted.
#[derive(Serialize, ToSchema)]
#[schema(as = LogCall)]
struct CallView {
    begins_with: String,
    calls_before: u64,
    calls_during: u64,
}

/// Another name of the same failure.
#[derive(Serialize, ToSchema)]
#[schema(as = LogAlso)]
struct AlsoView {
    by: String,
    name: String,
    by_means_of: String,
    pattern: Option<String>,
}

impl PatternsView {
    /// None: the logs were not read yet, or an older Bellwether opened the incident.
    pub fn of(patterns: Option<&LogPatterns>) -> PatternsView {
        let Some(patterns) = patterns else {
            return PatternsView {
                answer: "not read yet".to_owned(),
                outcome: "not_read_yet",
                detail: None,
                counted: None,
                baseline_from: None,
                from: None,
                to: None,
                baseline: None,
                window: None,
                text: String::new(),
                items: Vec::new(),
                steady: 0,
                omitted: 0,
            };
        };
        let (outcome, detail) = outcome(&patterns.outcome);
        PatternsView {
            answer: answer(patterns, detail.as_deref()),
            outcome,
            detail,
            counted: patterns.counted.clone(),
            baseline_from: Some(patterns.baseline_from),
            from: Some(patterns.from),
            to: Some(patterns.to),
            baseline: Some(reach(&patterns.baseline)),
            window: Some(reach(&patterns.window)),
            text: patterns.text.clone(),
            items: patterns.ranked.iter().map(pattern).collect(),
            steady: patterns.steady,
            omitted: patterns.omitted,
        }
    }
}

/// The patterns that moved most, in words; or why there are none.
fn answer(patterns: &LogPatterns, detail: Option<&str>) -> String {
    if !patterns.outcome.was_read() {
        let why = detail.unwrap_or_default();
        return match &patterns.counted {
            Some(counted) => format!("{why}; {counted}"),
            None => why.to_owned(),
        };
    }
    let moved = patterns
        .ranked
        .iter()
        .filter(|pattern| pattern.change != PatternChange::Steady)
        .take(ANSWERED_MAX);
    let words: Vec<String> = moved
        .map(|pattern| {
            let (change, template) = (pattern.change.as_str(), &pattern.template);
            format!(
                "{change}: {} {template:?} ({})",
                pattern.level.as_str(),
                pattern.text
            )
        })
        .collect();
    match (words.is_empty(), detail) {
        (false, _) => words.join("; "),
        (true, Some(detail)) => format!("no lines in the window: {detail}"),
        (true, None) => "nothing in the logs moved".to_owned(),
    }
}

fn reach(reach: &LogReach) -> ReachView {
    ReachView {
        seconds: reach.seconds,
        lines: reach.lines,
        traces: reach.traces,
        share: reach.share,
    }
}

fn pattern(pattern: &LogPattern) -> PatternView {
    let (per, call) = match &pattern.basis {
        PatternBasis::PerMinute => ("minute", None),
        PatternBasis::PerTrace => ("trace", None),
        PatternBasis::WithinCall {
            begins_with,
            calls_before,
            calls_during,
        } => {
            let call = CallView {
                begins_with: begins_with.clone(),
                calls_before: *calls_before,
                calls_during: *calls_during,
            };
            ("call", Some(call))
        }
    };
    let also = pattern.also.iter().map(|also| AlsoView {
        by: also.by.clone(),
        name: also.name.clone(),
        by_means_of: also.by_means_of.clone(),
        pattern: also.pattern.clone(),
    });
    PatternView {
        id: pattern.id.clone(),
        service: pattern.service.clone(),
        template: pattern.template.clone(),
        level: pattern.level,
        logger: pattern.logger.clone(),
        exception: pattern.exception.clone(),
        change: pattern.change,
        effect: pattern.effect,
        lines_before: pattern.before,
        lines_during: pattern.during,
        rate_before: pattern.rate_before,
        rate_during: pattern.rate_during,
        per,
        call,
        first_seen_ts: pattern.first_seen,
        last_seen_ts: pattern.last_seen,
        samples: pattern.samples.iter().cloned().map(Line::from).collect(),
        trace_ids: pattern.trace_ids.clone(),
        also: also.collect(),
        text: pattern.text.clone(),
    }
}
