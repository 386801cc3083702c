//! The functions of the subset, and what they take.

use crate::labels::NAME;
use crate::matcher::whole_value;
use crate::promql::error::PromqlError;
use crate::promql::plan::{EachFunction, Plan, Scalar, Source, Vector, WindowFunction};
use crate::{Labels, MatchOperator};

use super::{mistyped, refused, vector};

/// All of them, for the one who asked for another.
const NAMES: &str = "abs, absent, avg_over_time, ceil, changes, clamp, clamp_max, clamp_min, \
    count_over_time, delta, exp, floor, histogram_quantile, idelta, increase, irate, \
    label_replace, last_over_time, ln, log10, log2, max_over_time, min_over_time, \
    present_over_time, quantile_over_time, rate, resets, round, scalar, sgn, sort, sort_desc, \
    sqrt, stddev_over_time, stdvar_over_time, sum_over_time, time, timestamp, vector";

pub(super) fn names() -> String {
    NAMES.to_owned()
}

/// # Errors
/// A function that isn't in the subset, or arguments that it doesn't take.
pub(super) fn call(name: &str, arguments: Vec<Plan>) -> Result<Plan, PromqlError> {
    let mut arguments = Arguments {
        of: name.to_owned(),
        rest: arguments.into_iter(),
    };
    if let Some(function) = over_time(name, &mut arguments)? {
        let source = arguments.range()?;
        return Ok(Plan::Vector(Vector::Window { function, source }));
    }
    if let Some(plan) = each(name, &mut arguments)? {
        return Ok(plan);
    }
    whole(name, &mut arguments)
}

/// Of the samples of a range. The range is left to be taken.
fn over_time(name: &str, arguments: &mut Arguments) -> Result<Option<WindowFunction>, PromqlError> {
    Ok(Some(match name {
        "rate" => WindowFunction::Rate,
        "increase" => WindowFunction::Increase,
        "delta" => WindowFunction::Delta,
        "irate" => WindowFunction::InstantRate,
        "idelta" => WindowFunction::InstantDelta,
        "changes" => WindowFunction::Changes,
        "resets" => WindowFunction::Resets,
        "last_over_time" => WindowFunction::Last,
        "avg_over_time" => WindowFunction::Average,
        "min_over_time" => WindowFunction::Smallest,
        "max_over_time" => WindowFunction::Largest,
        "sum_over_time" => WindowFunction::Sum,
        "count_over_time" => WindowFunction::Count,
        "present_over_time" => WindowFunction::Present,
        "stddev_over_time" => WindowFunction::Deviation,
        "stdvar_over_time" => WindowFunction::Variance,
        "quantile_over_time" => WindowFunction::Quantile(arguments.scalar()?),
        _ => return Ok(None),
    }))
}

/// Of each value by itself.
fn each(name: &str, arguments: &mut Arguments) -> Result<Option<Plan>, PromqlError> {
    let simple = match name {
        "abs" => Some(EachFunction::Absolute),
        "ceil" => Some(EachFunction::Ceiling),
        "floor" => Some(EachFunction::Floor),
        "exp" => Some(EachFunction::Exponential),
        "ln" => Some(EachFunction::Ln),
        "log2" => Some(EachFunction::Log2),
        "log10" => Some(EachFunction::Log10),
        "sqrt" => Some(EachFunction::Root),
        "sgn" => Some(EachFunction::Sign),
        _ => None,
    };
    let takes_scalars = matches!(name, "round" | "clamp" | "clamp_min" | "clamp_max");
    if simple.is_none() && !takes_scalars {
        return Ok(None);
    }
    let input = Box::new(arguments.vector()?);
    let unbounded = Scalar::Number(f64::INFINITY);
    let function = match (simple, name) {
        (Some(function), _) => function,
        (None, "clamp") => EachFunction::Clamp(arguments.scalar()?, arguments.scalar()?),
        (None, "clamp_min") => EachFunction::Clamp(arguments.scalar()?, unbounded),
        (None, "clamp_max") => {
            EachFunction::Clamp(Scalar::Number(f64::NEG_INFINITY), arguments.scalar()?)
        }
        (None, _) => EachFunction::Round(match arguments.rest.len() {
            0 => Scalar::Number(1.0),
            _ => arguments.scalar()?,
        }),
    };
    Ok(Some(Plan::Vector(Vector::Each { function, input })))
}

/// Those that look at all series together, and those that aren't vectors.
fn whole(name: &str, arguments: &mut Arguments) -> Result<Plan, PromqlError> {
    Ok(match name {
        "time" => Plan::Scalar(Scalar::Time),
        "scalar" => Plan::Scalar(Scalar::Single(Box::new(arguments.vector()?))),
        "vector" => Plan::Vector(Vector::Constant(arguments.scalar()?)),
        "timestamp" => Plan::Vector(match arguments.vector()? {
            Vector::Select(source) => Vector::SampleTime(source),
            other => Vector::Each {
                function: EachFunction::EvaluationTime,
                input: Box::new(other),
            },
        }),
        "absent" => {
            let input = Box::new(arguments.vector()?);
            let labels = labels_of_absence(&input);
            Plan::Vector(Vector::Absent { labels, input })
        }
        "histogram_quantile" => Plan::Vector(Vector::HistogramQuantile {
            quantile: arguments.scalar()?,
            input: Box::new(arguments.vector()?),
        }),
        "sort" | "sort_desc" => Plan::Vector(Vector::Sorted {
            input: Box::new(arguments.vector()?),
            descending: name == "sort_desc",
        }),
        "label_replace" => Plan::Vector(label_replace(arguments)?),
        _ => return Err(refused(format!("the function {name}"), names())),
    })
}

/// As Prometheus: what a selector demands by equality, each label once.
fn labels_of_absence(input: &Vector) -> Labels {
    let Vector::Select(source) = input else {
        return Labels::default();
    };
    let matchers = source
        .matchers
        .iter()
        .filter(|matcher| matcher.name != NAME);
    let mut labels = Labels::default();
    let mut seen: Vec<&str> = Vec::new();
    for matcher in matchers {
        let is_first = !seen.contains(&matcher.name.as_str());
        let value = match matcher.operator {
            MatchOperator::Equal if is_first => {
                seen.push(&matcher.name);
                matcher.value.as_str()
            }
            _ => "",
        };
        labels = labels.with(&matcher.name, value);
    }
    labels
}

fn label_replace(arguments: &mut Arguments) -> Result<Vector, PromqlError> {
    let input = Box::new(arguments.vector()?);
    let target = arguments.text()?;
    let replacement = arguments.text()?;
    let label = arguments.text()?;
    let pattern = arguments.text()?;
    let wrong = |why: String| PromqlError::Syntax(format!("label_replace: {why}"));
    if target.is_empty() {
        return Err(wrong("the name of the label to be set is empty".into()));
    }
    let pattern = whole_value(&pattern)
        .map_err(|error| wrong(format!("{pattern:?} is no regular expression: {error}")))?;
    Ok(Vector::LabelReplace {
        input,
        target,
        replacement,
        label,
        pattern,
    })
}

/// What a function is called with, taken from the left.
struct Arguments {
    of: String,
    rest: std::vec::IntoIter<Plan>,
}

impl Arguments {
    fn take(&mut self) -> Result<Plan, PromqlError> {
        let missing = || PromqlError::Syntax(format!("{} lacks an argument", self.of));
        self.rest.next().ok_or_else(missing)
    }

    fn vector(&mut self) -> Result<Vector, PromqlError> {
        vector(self.take()?)
    }

    fn scalar(&mut self) -> Result<Scalar, PromqlError> {
        match self.take()? {
            Plan::Scalar(scalar) => Ok(scalar),
            other => Err(mistyped("a scalar", &other)),
        }
    }

    fn range(&mut self) -> Result<Source, PromqlError> {
        match self.take()? {
            Plan::Matrix(source) => Ok(source),
            other => Err(mistyped("a range vector", &other)),
        }
    }

    fn text(&mut self) -> Result<String, PromqlError> {
        match self.take()? {
            Plan::Text(text) => Ok(text),
            other => Err(mistyped("a string", &other)),
        }
    }
}
