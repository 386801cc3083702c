//! Functions of single values, and those that turn series into scalars and back.

use super::{Evaluation, Visit};
use crate::promql::error::PromqlError;
use crate::promql::plan::{EachFunction, Scalar, Vector};
use crate::promql::points::{Points, StepSet};

impl Evaluation<'_> {
    pub(super) fn each(
        &self,
        function: &EachFunction,
        input: &Vector,
        visit: &mut Visit,
    ) -> Result<(), PromqlError> {
        let (low, high) = match function {
            EachFunction::Round(nearest) => (self.scalar(nearest)?, Vec::new()),
            EachFunction::Clamp(low, high) => (self.scalar(low)?, self.scalar(high)?),
            _ => (Vec::new(), Vec::new()),
        };
        let mut changed = self.no_points();
        self.each_series(input, &mut |labels, points| {
            changed.clone_from(points);
            changed.change(|step, value| match function {
                EachFunction::Absolute => Some(value.abs()),
                EachFunction::Ceiling => Some(value.ceil()),
                EachFunction::Floor => Some(value.floor()),
                EachFunction::Exponential => Some(value.exp()),
                EachFunction::Ln => Some(value.ln()),
                EachFunction::Log2 => Some(value.log2()),
                EachFunction::Log10 => Some(value.log10()),
                EachFunction::Root => Some(value.sqrt()),
                EachFunction::Sign if value > 0.0 => Some(1.0),
                EachFunction::Sign if value < 0.0 => Some(-1.0),
                EachFunction::Sign => Some(value),
                EachFunction::Negative => Some(-value),
                EachFunction::EvaluationTime => Some(self.seconds(step)),
                EachFunction::Round(_) => {
                    // Dividing by the inverse loses less than multiplying.
                    let inverse = 1.0 / low[step];
                    Some((value * inverse + 0.5).floor() / inverse)
                }
                EachFunction::Clamp(..) => clamped(value, low[step], high[step]),
            });
            if changed.is_empty() {
                return Ok(());
            }
            visit(labels, &changed)
        })
    }

    pub(super) fn with_scalar(
        &self,
        vector: &Vector,
        visit: &mut Visit,
    ) -> Result<(), PromqlError> {
        let Vector::WithScalar {
            operator,
            input,
            scalar,
            scalar_first,
            says_bool,
        } = vector
        else {
            return Ok(());
        };
        let scalar = self.scalar(scalar)?;
        let filters = operator.compares() && !says_bool;
        let mut changed = self.no_points();
        let mut show = |labels: &crate::Labels, points: &Points, visit: &mut Visit| {
            changed.clone_from(points);
            changed.change(|step, value| {
                let (left, right) = match scalar_first {
                    true => (scalar[step], value),
                    false => (value, scalar[step]),
                };
                match filters {
                    true => (operator.holds(left, right) == Some(true)).then_some(value),
                    false => Some(operator.number(left, right)),
                }
            });
            match changed.is_empty() {
                true => Ok(()),
                false => visit(labels, &changed),
            }
        };
        match filters {
            true => self.each_series(input, &mut |labels, points| show(labels, points, visit)),
            false => {
                let mut visit = super::nameless(visit);
                self.each_series(input, &mut |labels, points| {
                    show(labels, points, &mut visit)
                })
            }
        }
    }

    /// The value of the only series of each step, NaN where there isn't exactly one.
    pub(super) fn single(&self, vector: &Vector) -> Result<Vec<f64>, PromqlError> {
        let mut values = vec![f64::NAN; self.steps.count];
        let mut seen = StepSet::none(self.steps.count);
        self.each_series(vector, &mut |_, points| {
            for (step, value) in points.present() {
                let is_first = seen.add(step);
                values[step] = if is_first { value } else { f64::NAN };
            }
            Ok(())
        })?;
        Ok(values)
    }

    pub(in crate::promql) fn constant(&self, scalar: &Scalar) -> Result<Points, PromqlError> {
        let mut points = self.no_points();
        for (step, value) in self.scalar(scalar)?.into_iter().enumerate() {
            points.set(step, value);
        }
        Ok(points)
    }

    /// 1 where no series has a value.
    pub(super) fn absent(&self, input: &Vector) -> Result<Points, PromqlError> {
        let mut seen = StepSet::none(self.steps.count);
        self.each_series(input, &mut |_, points| {
            seen.add_present(points);
            Ok(())
        })?;
        let mut points = self.no_points();
        let absent = (0..self.steps.count).filter(|step| !seen.has(*step));
        absent.for_each(|step| points.set(step, 1.0));
        Ok(points)
    }

    pub(super) fn label_replace(
        &self,
        vector: &Vector,
        visit: &mut Visit,
    ) -> Result<(), PromqlError> {
        let Vector::LabelReplace {
            input,
            target,
            replacement,
            label,
            pattern,
        } = vector
        else {
            return Ok(());
        };
        self.each_series(input, &mut |labels, points| {
            let found = pattern.captures(labels.get(label).unwrap_or_default());
            let Some(found) = found else {
                return visit(labels, points);
            };
            let mut value = String::new();
            found.expand(replacement, &mut value);
            visit(&labels.with(target, &value), points)
        })
    }
}

/// None between bounds that exclude all. An infinite bound wins over NaN, as in Go.
fn clamped(value: f64, low: f64, high: f64) -> Option<f64> {
    if high < low {
        return None;
    }
    let capped = match (value, high) {
        _ if value == f64::NEG_INFINITY || high == f64::NEG_INFINITY => f64::NEG_INFINITY,
        _ if value.is_nan() || high.is_nan() => f64::NAN,
        _ => value.min(high),
    };
    Some(match (capped, low) {
        _ if capped == f64::INFINITY || low == f64::INFINITY => f64::INFINITY,
        _ if capped.is_nan() || low.is_nan() => f64::NAN,
        _ => capped.max(low),
    })
}
