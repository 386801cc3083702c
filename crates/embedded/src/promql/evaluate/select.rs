//! The newest sample of each series, as of each step.

use super::{Evaluation, Visit};
use crate::promql::error::PromqlError;
use crate::promql::plan::Source;
use crate::promql::points::Points;
use crate::{Sample, is_stale};

impl Evaluation<'_> {
    /// Shows what `value` takes from the newest sample of each series, where that is younger than
    /// the lookback and doesn't say that the series has ended.
    pub(super) fn newest(
        &self,
        source: &Source,
        value: impl Fn(Sample) -> f64,
        visit: &mut Visit,
    ) -> Result<(), PromqlError> {
        self.samples(source, visit, |samples, points| {
            let mut upto = 0;
            for step in 0..self.steps.count {
                let end_ms = self.steps.time_ms(step) - source.offset_ms;
                upto += count_until(&samples[upto..], end_ms);
                if let Some(sample) = upto.checked_sub(1).map(|newest| samples[newest])
                    && sample.time_ms > end_ms - source.span_ms
                    && !is_stale(sample.value)
                {
                    points.set(step, value(sample));
                }
            }
        })
    }

    /// Shows what `fill` makes of the samples of each series, unless it makes nothing of them.
    pub(super) fn samples(
        &self,
        source: &Source,
        visit: &mut Visit,
        mut fill: impl FnMut(&[Sample], &mut Points),
    ) -> Result<(), PromqlError> {
        let oldest_ms = self.steps.first_ms - source.offset_ms - source.span_ms + 1;
        let newest_ms = self.steps.last_ms() - source.offset_ms;
        let mut points = self.no_points();
        let mut shown = Ok(());
        let mut show = |labels: &crate::Labels, samples: &[Sample]| {
            if shown.is_err() {
                return;
            }
            points.clear();
            fill(samples, &mut points);
            if !points.is_empty() {
                shown = visit(labels, &points);
            }
        };
        self.source
            .select(&source.matchers, oldest_ms, newest_ms, &mut show);
        shown
    }
}

/// How many of the first samples are from `time_ms` or before.
pub(super) fn count_until(samples: &[Sample], time_ms: i64) -> usize {
    let until = samples
        .iter()
        .take_while(|sample| sample.time_ms <= time_ms);
    until.count()
}
