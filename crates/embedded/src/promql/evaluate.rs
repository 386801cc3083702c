//! Evaluation: each part of an expression shows its series one after the other, so that an
//! aggregation holds its groups and never its input.

mod aggregate;
mod each;
mod histogram;
mod matching;
mod select;
mod window;

use std::cell::Cell;

use super::error::PromqlError;
use super::plan::{Scalar, Vector, WindowFunction};
use super::points::{Collected, Points, Steps};
use crate::{Labels, SeriesSource};

/// Of eight bytes each, and so about a quarter of a gigabyte.
const POINTS_MAX: usize = 30_000_000;

/// Receives a series, or some of its steps: the same labels may come again with others.
type Visit<'v> = dyn FnMut(&Labels, &Points) -> Result<(), PromqlError> + 'v;

/// One evaluation, at some steps.
pub(super) struct Evaluation<'a> {
    source: &'a dyn SeriesSource,
    steps: Steps,
    /// Points that were kept so far.
    held: Cell<usize>,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(source: &'a dyn SeriesSource, steps: Steps) -> Evaluation<'a> {
        Evaluation {
            source,
            steps,
            held: Cell::new(0),
        }
    }

    /// A value for each step.
    pub(super) fn scalar(&self, scalar: &Scalar) -> Result<Vec<f64>, PromqlError> {
        let steps = 0..self.steps.count;
        Ok(match scalar {
            Scalar::Number(number) => vec![*number; self.steps.count],
            Scalar::Time => steps.map(|step| self.seconds(step)).collect(),
            Scalar::Single(vector) => self.single(vector)?,
            Scalar::Negative(scalar) => self.scalar(scalar)?.into_iter().map(|v| -v).collect(),
            Scalar::Pair(operator, left, right) => {
                let right = self.scalar(right)?.into_iter();
                let left = self.scalar(left)?.into_iter();
                left.zip(right)
                    .map(|(left, right)| operator.number(left, right))
                    .collect()
            }
        })
    }

    /// All series, merged where they have the same labels.
    pub(super) fn collect(&self, vector: &Vector) -> Result<Collected, PromqlError> {
        let mut collected = Collected::default();
        self.each_series(vector, &mut |labels, points| {
            self.keep(&mut collected, labels, points)
        })?;
        Ok(collected)
    }

    fn each_series(&self, vector: &Vector, visit: &mut Visit) -> Result<(), PromqlError> {
        match vector {
            Vector::Select(source) => self.newest(source, |sample| sample.value, visit),
            Vector::SampleTime(source) => self.merged(source.has_one_name(), visit, |visit| {
                let seconds = |sample: crate::Sample| sample.time_ms as f64 / 1000.0;
                self.newest(source, seconds, &mut nameless(visit))
            }),
            Vector::Window {
                function: function @ WindowFunction::Last,
                source,
            } => self.window(function, source, visit),
            Vector::Window { function, source } => {
                self.merged(source.has_one_name(), visit, |visit| {
                    self.window(function, source, &mut nameless(visit))
                })
            }
            Vector::Each { function, input } => {
                self.merged(input.has_settled_names(), visit, |visit| {
                    self.each(function, input, &mut nameless(visit))
                })
            }
            Vector::Constant(scalar) => visit(&Labels::default(), &self.constant(scalar)?),
            Vector::Absent { labels, input } => visit(labels, &self.absent(input)?),
            Vector::HistogramQuantile { quantile, input } => self.merged(false, visit, |visit| {
                self.histogram_quantile(quantile, input, visit)
            }),
            Vector::LabelReplace { .. } => {
                self.merged(false, visit, |visit| self.label_replace(vector, visit))
            }
            Vector::Sorted { input, .. } => self.each_series(input, visit),
            Vector::Aggregate {
                operator,
                grouping,
                input,
            } => self.aggregate(*operator, grouping, input, visit),
            Vector::WithScalar { input, .. } => {
                self.merged(input.has_settled_names(), visit, |visit| {
                    self.with_scalar(vector, visit)
                })
            }
            Vector::Pair(pair) => self.pair(pair, visit),
            Vector::Set {
                operator,
                matching,
                left,
                right,
            } => self.set(*operator, matching, (left, right), visit),
        }
    }

    /// What `show` shows, with series of the same labels made one.
    ///
    /// Where there are none, nothing is held.
    fn merged(
        &self,
        are_none: bool,
        visit: &mut Visit,
        show: impl FnOnce(&mut Visit) -> Result<(), PromqlError>,
    ) -> Result<(), PromqlError> {
        if are_none {
            return show(visit);
        }
        let mut collected = Collected::default();
        show(&mut |labels, points| self.keep(&mut collected, labels, points))?;
        collected
            .iter()
            .try_for_each(|(labels, points)| visit(labels, points))
    }

    fn keep(
        &self,
        collected: &mut Collected,
        labels: &Labels,
        points: &Points,
    ) -> Result<(), PromqlError> {
        if collected.add(labels, points)? {
            self.hold(points.len())?;
        }
        Ok(())
    }

    /// # Errors
    /// More points than may be held.
    fn hold(&self, points: usize) -> Result<(), PromqlError> {
        self.held.set(self.held.get() + points);
        match self.held.get() > POINTS_MAX {
            true => Err(PromqlError::TooManyPoints { limit: POINTS_MAX }),
            false => Ok(()),
        }
    }

    /// The time of evaluation.
    fn seconds(&self, step: usize) -> f64 {
        self.steps.time_ms(step) as f64 / 1000.0
    }

    fn no_points(&self) -> Points {
        Points::none(self.steps.count)
    }
}

/// Receives them without their names.
fn nameless<'v>(
    visit: &'v mut Visit<'_>,
) -> impl FnMut(&Labels, &Points) -> Result<(), PromqlError> + 'v {
    |labels, points| match labels.name() {
        None => visit(labels, points),
        Some(_) => visit(&labels.filtered(|name| name != crate::labels::NAME), points),
    }
}
