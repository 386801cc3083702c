//! `histogram_quantile` over the buckets of classic histograms.
//!
//! Source: Prometheus 3, `histogram_quantile`: linear within a bucket, the last finite bound beyond.

use std::collections::HashMap;

use super::{Evaluation, Visit};
use crate::Labels;
use crate::labels::NAME;
use crate::promql::error::PromqlError;
use crate::promql::plan::{Scalar, Vector};
use crate::promql::points::Points;

/// Relative differences between the counts of neighbours that come of rounding.
const ROUNDING: f64 = 1e-12;

/// At one step.
#[derive(Clone, Copy)]
struct Bucket {
    upper: f64,
    /// Of all observations up to there.
    count: f64,
}

impl Evaluation<'_> {
    pub(super) fn histogram_quantile(
        &self,
        quantile: &Scalar,
        input: &Vector,
        visit: &mut Visit,
    ) -> Result<(), PromqlError> {
        let quantile = self.scalar(quantile)?;
        let mut histograms: HashMap<Labels, Vec<(f64, Points)>> = HashMap::new();
        self.each_series(input, &mut |labels, points| {
            let Some(upper) = labels.get("le").and_then(bound) else {
                return Ok(());
            };
            self.hold(points.len())?;
            let histogram = labels.filtered(|name| name != "le");
            histograms
                .entry(histogram)
                .or_default()
                .push((upper, points.clone()));
            Ok(())
        })?;
        let mut points = self.no_points();
        let mut buckets = Vec::new();
        for (labels, mut series) in histograms {
            series.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            points.clear();
            for (step, quantile) in quantile.iter().enumerate() {
                buckets.clear();
                buckets.extend(series.iter().filter_map(|(upper, points)| {
                    let count = points.get(step)?;
                    Some(Bucket {
                        upper: *upper,
                        count,
                    })
                }));
                if !buckets.is_empty() {
                    points.set(step, bucket_quantile(*quantile, &mut buckets));
                }
            }
            if !points.is_empty() {
                visit(&labels.filtered(|name| name != NAME), &points)?;
            }
        }
        Ok(())
    }
}

/// None of what is no number, or too large for one.
fn bound(le: &str) -> Option<f64> {
    let bound: f64 = le.parse().ok().filter(|bound: &f64| !bound.is_nan())?;
    let is_written = le.trim_start_matches(['+', '-']).starts_with(['i', 'I']);
    (bound.is_finite() || is_written).then_some(bound)
}

/// `buckets` by their bounds; they are merged and put right on the way.
fn bucket_quantile(q: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if !(0.0..=1.0).contains(&q) {
        return f64::INFINITY.copysign(q);
    }
    if buckets
        .last()
        .is_none_or(|last| last.upper != f64::INFINITY)
    {
        return f64::NAN;
    }
    merge_equal_bounds(buckets);
    let [.., highest_finite, _] = buckets.as_slice() else {
        return f64::NAN;
    };
    let highest_finite = highest_finite.upper;
    make_monotonic(buckets);
    let observations = buckets[buckets.len() - 1].count;
    if observations == 0.0 {
        return f64::NAN;
    }
    let rank = q * observations;
    let at = first_reaching(rank, &buckets[..buckets.len() - 1]);
    if at == buckets.len() - 1 {
        return highest_finite;
    }
    let bucket = buckets[at];
    let Some(before) = at.checked_sub(1).map(|before| buckets[before]) else {
        return match bucket.upper <= 0.0 {
            true => bucket.upper,
            false => bucket.upper * (rank / bucket.count),
        };
    };
    let share = (rank - before.count) / (bucket.count - before.count);
    before.upper + (bucket.upper - before.upper) * share
}

fn merge_equal_bounds(buckets: &mut Vec<Bucket>) {
    buckets.dedup_by(|next, kept| {
        let is_equal = next.upper == kept.upper;
        if is_equal {
            kept.count += next.count;
        }
        is_equal
    });
}

/// A bucket never counts less than the one before it, nor hardly more.
fn make_monotonic(buckets: &mut [Bucket]) {
    let mut before = buckets[0].count;
    for bucket in &mut buckets[1..] {
        if bucket.count < before || is_rounding(before, bucket.count) {
            bucket.count = before;
        } else {
            before = bucket.count;
        }
    }
}

fn is_rounding(a: f64, b: f64) -> bool {
    let (difference, sum) = ((a - b).abs(), a.abs() + b.abs());
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < ROUNDING * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < ROUNDING
}

/// The index of the first bucket that counts at least `rank`, found by halving as Prometheus does,
/// which matters where a count is NaN.
fn first_reaching(rank: f64, buckets: &[Bucket]) -> usize {
    let (mut low, mut high) = (0, buckets.len());
    while low < high {
        let middle = (low + high) / 2;
        match buckets[middle].count >= rank {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    low
}
