//! Log patterns as the API shows them: what is new, risen, fallen or gone, and what it was counted
//! against.

use domain::{
    LogPattern, LogPatterns, LogReach, PatternBasis, PatternChange, ServiceId, Timestamp,
};
use serde::Serialize;

use super::Line;
use super::outcome;

/// Templates named in an answer.
const ANSWERED_MAX: usize = 3;

/// The answer to "what do the logs say?".
#[derive(Serialize)]
pub struct PatternsView {
    answer: String,
    /// `found`, `none_in_window`, `not_configured`, `unreadable`, or `not_read_yet`.
    outcome: &'static str,
    detail: Option<String>,
    /// What the service's own counter says, where its logs could not be read.
    counted: Option<String>,
    baseline_from: Option<Timestamp>,
    /// The window begins here, where the baseline ends.
    from: Option<Timestamp>,
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

#[derive(Serialize)]
struct ReachView {
    seconds: f64,
    lines: u64,
    traces: u64,
    /// The share of the stretch's bytes that was read, 0 to 1.
    share: f64,
}

#[derive(Serialize)]
struct PatternView {
    id: String,
    service: ServiceId,
    template: String,
    level: domain::LogLevel,
    logger: Option<String>,
    exception: Option<String>,
    /// `new`, `risen`, `fallen`, `gone` or `steady`.
    change: PatternChange,
    /// Standard deviations by which the rate moved; positive: risen.
    effect: f64,
    lines_before: u64,
    lines_during: u64,
    /// Per unit of `per`.
    rate_before: f64,
    rate_during: f64,
    /// `minute`, `trace` or `call`.
    per: &'static str,
    call: Option<CallView>,
    first_seen_ts: Timestamp,
    last_seen_ts: Timestamp,
    samples: Vec<Line>,
    trace_ids: Vec<String>,
    /// Other names under which the same failure is told.
    also: Vec<AlsoView>,
    text: String,
}

/// Calls within which lines were counted.
#[derive(Serialize)]
struct CallView {
    begins_with: String,
    calls_before: u64,
    calls_during: u64,
}

#[derive(Serialize)]
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
