//! The values of series at the steps of an evaluation.

use std::collections::HashMap;

use super::error::PromqlError;
use crate::{Labels, is_stale, stale_marker};

/// The instants of an evaluation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    pub first_ms: i64,
    /// Above zero where there is more than one.
    pub step_ms: i64,
    /// At least one.
    pub count: usize,
}

impl Steps {
    pub(super) fn time_ms(&self, step: usize) -> i64 {
        self.first_ms + self.step_ms * step as i64
    }

    pub(super) fn last_ms(&self) -> i64 {
        self.time_ms(self.count - 1)
    }
}

/// At most one value for each step. The marker by which Prometheus ends a series stands for none; it
/// is never a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Points(Vec<f64>);

impl Points {
    pub(super) fn none(steps: usize) -> Points {
        Points(vec![stale_marker(); steps])
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(stale_marker());
    }

    pub(super) fn get(&self, step: usize) -> Option<f64> {
        let value = self.0[step];
        (!is_stale(value)).then_some(value)
    }

    pub(super) fn set(&mut self, step: usize, value: f64) {
        self.0[step] = value;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|value| is_stale(*value))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Steps and values of those that are there.
    pub(super) fn present(&self) -> impl Iterator<Item = (usize, f64)> {
        let all = self.0.iter().copied().enumerate();
        all.filter(|(_, value)| !is_stale(*value))
    }

    /// Each value that is there, changed or taken away.
    pub(super) fn change(&mut self, mut change: impl FnMut(usize, f64) -> Option<f64>) {
        for (step, value) in self.0.iter_mut().enumerate() {
            if !is_stale(*value) {
                *value = change(step, *value).unwrap_or(stale_marker());
            }
        }
    }
}

/// A yes or no for each step.
#[derive(Clone, Debug)]
pub(super) struct StepSet(Vec<u64>);

impl StepSet {
    pub(super) fn none(steps: usize) -> StepSet {
        StepSet(vec![0; steps.div_ceil(64)])
    }

    pub(super) fn has(&self, step: usize) -> bool {
        self.0[step / 64] & (1 << (step % 64)) != 0
    }

    /// Whether it is new.
    pub(super) fn add(&mut self, step: usize) -> bool {
        let is_new = !self.has(step);
        self.0[step / 64] |= 1 << (step % 64);
        is_new
    }

    pub(super) fn add_present(&mut self, points: &Points) {
        for (step, _) in points.present() {
            self.add(step);
        }
    }
}

/// Series, each with labels of its own, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Collected {
    at: HashMap<Labels, usize>,
    series: Vec<(Labels, Points)>,
}

impl Collected {
    /// Whether the labels are new.
    ///
    /// # Errors
    /// Labels that have a value at one of the steps already.
    pub(super) fn add(&mut self, labels: &Labels, points: &Points) -> Result<bool, PromqlError> {
        if let Some(&at) = self.at.get(labels) {
            let known = &mut self.series[at].1;
            for (step, value) in points.present() {
                if known.get(step).is_some() {
                    return Err(PromqlError::SameLabels);
                }
                known.set(step, value);
            }
            return Ok(false);
        }
        self.at.insert(labels.clone(), self.series.len());
        self.series.push((labels.clone(), points.clone()));
        Ok(true)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Labels, Points)> {
        self.series.iter()
    }

    pub(super) fn into_series(self) -> Vec<(Labels, Points)> {
        self.series
    }
}
