//! Functions of the samples in `(t - range, t]`.

mod extrapolate;
mod over_time;

use super::select::count_until;
use super::{Evaluation, Visit};
use crate::promql::error::PromqlError;
use crate::promql::plan::{Source, WindowFunction};
use crate::{Sample, is_stale};

/// Samples of one series, oldest first and never none, with the range they are from.
#[derive(Clone, Copy)]
struct Window<'s> {
    samples: &'s [Sample],
    /// Not part of it.
    start_ms: i64,
    end_ms: i64,
}

impl Evaluation<'_> {
    /// Shows the function's value for each series that has enough samples; names are kept.
    pub(super) fn window(
        &self,
        function: &WindowFunction,
        source: &Source,
        visit: &mut Visit,
    ) -> Result<(), PromqlError> {
        let parameters = match function {
            WindowFunction::Quantile(quantile) => self.scalar(quantile)?,
            _ => vec![f64::NAN; self.steps.count],
        };
        let mut alive: Vec<Sample> = Vec::new();
        let mut sorted: Vec<f64> = Vec::new();
        self.samples(source, visit, |samples, points| {
            let samples = without_ends(samples, &mut alive);
            let (mut from, mut upto) = (0, 0);
            for (step, parameter) in parameters.iter().enumerate() {
                let end_ms = self.steps.time_ms(step) - source.offset_ms;
                let start_ms = end_ms - source.span_ms;
                upto += count_until(&samples[upto..], end_ms);
                from += count_until(&samples[from..upto], start_ms);
                if from == upto {
                    continue;
                }
                let window = Window {
                    samples: &samples[from..upto],
                    start_ms,
                    end_ms,
                };
                let value = window.value(function, *parameter, &mut sorted);
                if let Some(value) = value {
                    points.set(step, value);
                }
            }
        })
    }
}

/// Without the markers by which a series ends; `buffer` is used where there are some.
fn without_ends<'s>(samples: &'s [Sample], buffer: &'s mut Vec<Sample>) -> &'s [Sample] {
    let ends = |sample: &Sample| is_stale(sample.value);
    if !samples.iter().any(ends) {
        return samples;
    }
    buffer.clear();
    buffer.extend(samples.iter().filter(|sample| !ends(sample)));
    buffer
}

impl Window<'_> {
    fn values(&self) -> impl Iterator<Item = f64> {
        self.samples.iter().map(|sample| sample.value)
    }

    /// None where there are too few samples. `buffer` is used for those who need order.
    fn value(
        &self,
        function: &WindowFunction,
        parameter: f64,
        buffer: &mut Vec<f64>,
    ) -> Option<f64> {
        let differ = |a: f64, b: f64| a != b && !(a.is_nan() && b.is_nan());
        match function {
            WindowFunction::Rate => {
                let seconds = (self.end_ms - self.start_ms) as f64 / 1000.0;
                self.increase().map(|rise| rise.per(seconds))
            }
            WindowFunction::Increase => self.increase().map(|rise| rise.whole()),
            WindowFunction::Delta => self.difference().map(|rise| rise.whole()),
            WindowFunction::InstantRate => self.instant_rate(),
            WindowFunction::InstantDelta => self.instant_delta(),
            WindowFunction::Changes => Some(self.count_pairs(differ)),
            WindowFunction::Resets => Some(self.count_pairs(|before, after| after < before)),
            WindowFunction::Last => self.values().last(),
            WindowFunction::Average => Some(over_time::average(self.values())),
            WindowFunction::Smallest => self.extreme(|value, best| value < best),
            WindowFunction::Largest => self.extreme(|value, best| value > best),
            WindowFunction::Sum => Some(over_time::sum(self.values())),
            WindowFunction::Count => Some(self.samples.len() as f64),
            WindowFunction::Present => Some(1.0),
            WindowFunction::Deviation => Some(over_time::variance(self.values()).sqrt()),
            WindowFunction::Variance => Some(over_time::variance(self.values())),
            WindowFunction::Quantile(_) => {
                buffer.clear();
                buffer.extend(self.values());
                Some(over_time::quantile(parameter, buffer))
            }
        }
    }

    /// How many values and their successors are so.
    fn count_pairs(&self, are_so: impl Fn(f64, f64) -> bool) -> f64 {
        let pairs = self.samples.windows(2);
        pairs
            .filter(|pair| are_so(pair[0].value, pair[1].value))
            .count() as f64
    }

    /// Any number is better than NaN.
    fn extreme(&self, is_better: impl Fn(f64, f64) -> bool) -> Option<f64> {
        self.values().reduce(
            |best, value| match best.is_nan() || is_better(value, best) {
                true => value,
                false => best,
            },
        )
    }
}
