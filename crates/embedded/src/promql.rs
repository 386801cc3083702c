//! A declared subset of PromQL, with the semantics of Prometheus 3: parsed, checked and evaluated
//! over whatever shows its series one after the other.
//!
//! What isn't in the subset is refused when it is parsed, by name. In it are: selectors with all
//! four matchers and `offset`; functions of ranges (`rate`, `increase`, `irate`, `delta`, `idelta`,
//! `changes`, `resets` and most of `…_over_time`); `sum`, `avg`, `min`, `max`, `count`, `group`,
//! `stddev`, `stdvar` with `by` and `without`; `histogram_quantile` of classic histograms;
//! arithmetic, comparison, `and`, `or`, `unless` with `on`, `ignoring`, `group_left` and
//! `group_right`; and functions of single values.
//!
//! Sources: the documentation of Prometheus 3 and its observable behaviour, against which every
//! construct is compared in this crate's tests.

mod answer;
mod check;
mod error;
mod evaluate;
mod expression;
mod guard;
mod number;
mod plan;
mod points;
pub mod queries;
mod sum;

use std::collections::BTreeMap;

pub use answer::{error_json, instant_json, range_json};
pub use error::PromqlError;
pub use expression::{Expression, Selector};

use crate::{Labels, Sample, SeriesSource, is_stale};
use evaluate::Evaluation;
use plan::{Plan, Source, Vector};
use points::{Points, Steps};

/// As Prometheus: steps that a range query may go beyond its first.
const STEPS_MAX: i64 = 11_000;
/// Steps that are evaluated together, fewer where they need too much: what is held at a time is
/// bounded, whatever the length of a range.
const BLOCK: usize = 256;
/// Of an answer; sixteen bytes each.
const ANSWER_MAX: usize = 20_000_000;
/// Times are this far from overflowing, about three million years from now.
const TIME_MAX_MS: i64 = 100_000_000_000_000_000;

/// What an instant query answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Scalar(f64),
    Text(String),
    /// By labels, or as `sort` and `sort_desc` have it.
    Vector(Vec<(Labels, f64)>),
    /// By labels.
    Matrix(Vec<RangeSeries>),
}

/// A series over time.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeSeries {
    pub labels: Labels,
    /// Times in milliseconds, increasing; never none.
    pub points: Vec<(i64, f64)>,
}

/// The value at one time.
///
/// # Errors
/// Series that can't be told apart, or more of them than may be held.
pub fn instant(
    source: &dyn SeriesSource,
    expression: &Expression,
    time_ms: i64,
) -> Result<Value, PromqlError> {
    check_time(time_ms)?;
    let steps = Steps {
        first_ms: time_ms,
        step_ms: 1,
        count: 1,
    };
    let evaluation = Evaluation::new(source, steps);
    Ok(match &expression.plan {
        Plan::Scalar(scalar) => Value::Scalar(evaluation.scalar(scalar)?[0]),
        Plan::Text(text) => Value::Text(text.clone()),
        Plan::Matrix(selected) => Value::Matrix(samples(source, selected, time_ms)),
        Plan::Vector(vector) => {
            let series = evaluation.collect(vector)?.into_series().into_iter();
            let values = series.filter_map(|(labels, points)| Some((labels, points.get(0)?)));
            let mut values: Vec<(Labels, f64)> = values.collect();
            values.sort_by(|a, b| a.0.cmp(&b.0));
            if let Vector::Sorted { descending, .. } = vector {
                sort_by_value(&mut values, *descending);
            }
            Value::Vector(values)
        }
    })
}

/// The values from `start_ms` to `end_ms`, both included, every `step_ms`; by labels.
///
/// # Errors
/// What [`instant`] fails on; an expression that is no scalar or instant vector; steps that are none,
/// or too many.
pub fn range(
    source: &dyn SeriesSource,
    expression: &Expression,
    start_ms: i64,
    end_ms: i64,
    step_ms: i64,
) -> Result<Vec<RangeSeries>, PromqlError> {
    check_time(start_ms)?;
    check_time(end_ms)?;
    let all = steps(start_ms, end_ms, step_ms)?;
    let mut series: BTreeMap<Labels, Vec<(i64, f64)>> = BTreeMap::new();
    let (mut held, mut first, mut size) = (0, 0, BLOCK);
    while first < all.count {
        let block = block(all, first, size);
        let found = match together(source, expression, block) {
            // Fewer steps need less at a time.
            Err(PromqlError::TooManyPoints { .. }) if block.count > 1 => {
                size = block.count / 2;
                continue;
            }
            found => found?,
        };
        for (labels, points) in found {
            let timed = points
                .present()
                .map(|(step, value)| (block.time_ms(step), value));
            let known = series.entry(labels).or_default();
            let before = known.len();
            known.extend(timed);
            held += known.len() - before;
        }
        if held > ANSWER_MAX {
            return Err(PromqlError::TooManyPoints { limit: ANSWER_MAX });
        }
        first += block.count;
    }
    let series = series.into_iter().filter(|(_, points)| !points.is_empty());
    Ok(series
        .map(|(labels, points)| RangeSeries { labels, points })
        .collect())
}

fn check_time(time_ms: i64) -> Result<(), PromqlError> {
    match (-TIME_MAX_MS..=TIME_MAX_MS).contains(&time_ms) {
        true => Ok(()),
        false => Err(PromqlError::Time(time_ms)),
    }
}

fn steps(start_ms: i64, end_ms: i64, step_ms: i64) -> Result<Steps, PromqlError> {
    if step_ms <= 0 {
        return Err(PromqlError::Step(step_ms));
    }
    if end_ms < start_ms {
        return Err(PromqlError::Backwards { start_ms, end_ms });
    }
    let further = (end_ms - start_ms) / step_ms;
    if further > STEPS_MAX {
        return Err(PromqlError::TooManySteps { limit: STEPS_MAX });
    }
    Ok(Steps {
        first_ms: start_ms,
        step_ms,
        count: further as usize + 1,
    })
}

/// At most `size` of the steps, from `first` on.
fn block(all: Steps, first: usize, size: usize) -> Steps {
    Steps {
        first_ms: all.time_ms(first),
        step_ms: all.step_ms,
        count: size.min(all.count - first),
    }
}

/// All series at a few steps.
fn together(
    source: &dyn SeriesSource,
    expression: &Expression,
    steps: Steps,
) -> Result<Vec<(Labels, Points)>, PromqlError> {
    let evaluation = Evaluation::new(source, steps);
    match &expression.plan {
        Plan::Vector(vector) => Ok(evaluation.collect(vector)?.into_series()),
        Plan::Scalar(scalar) => Ok(vec![(Labels::default(), evaluation.constant(scalar)?)]),
        Plan::Matrix(_) => Err(PromqlError::NoRange {
            kind: "a range vector",
        }),
        Plan::Text(_) => Err(PromqlError::NoRange { kind: "a string" }),
    }
}

/// The samples of a range as they are, but for the markers by which a series ends.
fn samples(source: &dyn SeriesSource, selected: &Source, time_ms: i64) -> Vec<RangeSeries> {
    let newest_ms = time_ms - selected.offset_ms;
    let oldest_ms = newest_ms - selected.span_ms + 1;
    let mut found: Vec<RangeSeries> = Vec::new();
    source.select(
        &selected.matchers,
        oldest_ms,
        newest_ms,
        &mut |labels, samples| {
            let alive = samples.iter().filter(|sample| !is_stale(sample.value));
            let points: Vec<(i64, f64)> = alive
                .map(|Sample { time_ms, value }| (*time_ms, *value))
                .collect();
            if !points.is_empty() {
                let labels = labels.clone();
                found.push(RangeSeries { labels, points });
            }
        },
    );
    found.sort_by(|a, b| a.labels.cmp(&b.labels));
    found
}

/// NaN last, whichever way.
fn sort_by_value(values: &mut [(Labels, f64)], descending: bool) {
    values.sort_by(|(_, a), (_, b)| {
        let by_value = match descending {
            true => b.partial_cmp(a),
            false => a.partial_cmp(b),
        };
        by_value.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
    });
}
