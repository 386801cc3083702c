//! What a comparison of logs found, in sentences with numbers.

use std::time::Duration;

use domain::{PatternBasis, PatternChange};

use super::calls::CallShift;
use crate::summary::{grouped, length, number};

/// What is quoted of a template.
const QUOTED_CHARS_MAX: usize = 80;
/// From here on it is said that something comes in bursts.
const PHI_SAID: f64 = 2.0;
/// Below this a rate reads better by the thousand.
const RATE_MIN: f64 = 0.1;

/// A pattern's count and rate on both sides.
#[derive(Clone, Debug)]
pub(crate) struct Moved<'a> {
    pub change: PatternChange,
    pub basis: &'a PatternBasis,
    pub before: u64,
    pub during: u64,
    pub rate_before: f64,
    pub rate_during: f64,
    pub effect: f64,
    pub phi: f64,
    pub in_call: Option<&'a CallShift>,
    pub baseline: Duration,
    pub baseline_share: f64,
    pub window: Duration,
    /// The window from the onset on.
    pub trouble: Duration,
    /// The window's exposure over that of the baseline.
    pub ratio: f64,
}

pub(crate) fn of_pattern(moved: &Moved) -> String {
    let mut text = match (moved.basis, moved.in_call) {
        (PatternBasis::WithinCall { begins_with, .. }, Some(calls)) => {
            in_call(moved, calls, begins_with)
        }
        _ => by_rate(moved),
    };
    if moved.change == PatternChange::New {
        text += &little_baseline(moved);
    } else if moved.phi >= PHI_SAID {
        let times = number(moved.phi.sqrt());
        text += &format!("; it comes in bursts, which take {times} times as much to stand out");
    }
    text
}

fn by_rate(moved: &Moved) -> String {
    let (window, baseline) = (length(moved.window), the_past(moved));
    let unit = match moved.basis {
        PatternBasis::PerMinute => "minute",
        _ => "trace",
    };
    let (during, before) = (lines(moved.during), lines(moved.before));
    let rates = format!(
        "{} now, {} before",
        rate(moved.rate_during, unit),
        rate(moved.rate_before, unit)
    );
    match moved.change {
        PatternChange::New => format!("new: {during} in {window}, none in {baseline}"),
        PatternChange::Gone => {
            let trouble = length(moved.trouble);
            format!("gone: none in {trouble}, {before} in {baseline}")
        }
        PatternChange::Risen => {
            format!("risen: {during} in {window}, {before} in {baseline}; {rates}")
        }
        PatternChange::Fallen => {
            format!("fallen: {during} in {window}, {before} in {baseline}; {rates}")
        }
        PatternChange::Steady => format!(
            "steady: {during} in {window}, {before} in {baseline}; its rate moved by {} standard \
             deviations",
            number(moved.effect.abs())
        ),
    }
}

fn in_call(moved: &Moved, calls: &CallShift, begins_with: &str) -> String {
    let begin = format!("that begin with '{}'", quoted(begins_with));
    let (before, during) = (calls.calls_before, calls.calls_during);
    let rose = moved.effect > 0.0;
    let by_having = format!(
        "in {} of {} calls {begin} before, in {} of {} now",
        grouped(calls.having_before),
        grouped(before),
        grouped(calls.having_during),
        grouped(during)
    );
    let tells = calls.having_before * during != calls.having_during * before;
    let (verb, what) = match (rose, calls.having_before, calls.having_during) {
        (false, _, 0) => ("gone from its call", by_having),
        (true, 0, _) => ("new in its call", by_having),
        _ if tells && rose => ("more often in its call", by_having),
        _ if tells => ("less often in its call", by_having),
        _ => {
            let verb = if rose {
                "more lines in its call"
            } else {
                "fewer lines in its call"
            };
            let what = format!(
                "{} on average in {} calls {begin} before, {} in {} now",
                number(calls.mean_before),
                grouped(before),
                number(calls.mean_during),
                grouped(during)
            );
            (verb, what)
        }
    };
    match moved.change {
        PatternChange::Steady => format!(
            "steady: {verb}, {what}, but that is only {} standard deviations",
            number(moved.effect.abs())
        ),
        PatternChange::New => format!("new: {verb}: {what}"),
        _ => format!("{verb}: {what}"),
    }
}

/// Why a new pattern counts for less than it might.
fn little_baseline(moved: &Moved) -> String {
    let mut text = String::new();
    if moved.ratio > 0.5 {
        text += &format!(
            "; the baseline is only {} times as long as the window, so that counts for less",
            number(1.0 / moved.ratio)
        );
    }
    if moved.baseline_share < 1.0 {
        text += &format!(
            "; only {} % of the baseline was read, it may have been there before",
            number(100.0 * moved.baseline_share)
        );
    }
    text
}

fn the_past(moved: &Moved) -> String {
    format!("the {} before", length(moved.baseline))
}

pub(crate) fn lines(count: u64) -> String {
    match count {
        0 => "none".to_owned(),
        1 => "1 line".to_owned(),
        count => format!("{} lines", grouped(count)),
    }
}

fn rate(rate: f64, unit: &str) -> String {
    if rate == 0.0 {
        "0".to_owned()
    } else if rate < RATE_MIN {
        format!("{} in 1,000 {unit}s", number(1_000.0 * rate))
    } else {
        format!("{} a {unit}", number(rate))
    }
}

fn quoted(template: &str) -> String {
    if template.chars().count() <= QUOTED_CHARS_MAX {
        return template.to_owned();
    }
    let beginning: String = template.chars().take(QUOTED_CHARS_MAX).collect();
    format!("{beginning}…")
}
