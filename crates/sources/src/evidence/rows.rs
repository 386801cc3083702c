//! The rows of a label table: which value of a label has which numbers, the smallest merged.

use std::collections::BTreeMap;

use domain::{LabelTable, TableRow};

use crate::identity::LABEL_BYTES_MAX;
use crate::prometheus::{Labels, VectorSample};

/// The most rows of a table.
pub const ROWS_MAX: usize = 50;
/// The rows, largest first. Where a table would have more than [`ROWS_MAX`], the last row,
/// [`LabelTable::OTHERS`], is all the rest, so that the whole stays right: `omitted` values, which no
/// query removes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rows {
    pub rows: Vec<TableRow>,
    pub omitted: u32,
}

impl Rows {
    /// From rates by `label` and `le`: cumulative rates by upper bound, ascending, the last bound
    /// infinite. Bounds that are written differently but equal are one, as for Prometheus.
    /// Values without requests are left out.
    pub(super) fn of_buckets(label: &str, answer: &[VectorSample]) -> Rows {
        let mut by_value: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for (value, labels, rate) in valued(label, answer) {
            let bound: Option<f64> = labels.get("le").and_then(|le| le.parse().ok());
            if let Some(bound) = bound.filter(|bound| !bound.is_nan()) {
                by_value.entry(value).or_default().push((bound, rate));
            }
        }
        let rows = by_value.into_iter().map(|(value, buckets)| TableRow {
            value,
            numbers: merged(buckets),
        });
        let traffic = |row: &TableRow| row.numbers.last().map_or(0.0, |(_, rate)| *rate);
        let mut rows: Vec<TableRow> = rows.collect();
        for row in &mut rows {
            // A histogram without its infinite bucket is cut off; it ends where it ends.
            let all = traffic(row);
            if row
                .numbers
                .last()
                .is_some_and(|(bound, _)| bound.is_finite())
            {
                row.numbers.push((f64::INFINITY, all));
            }
        }
        rows.retain(|row| traffic(row) > 0.0);
        Rows::bounded(rows, |row| (traffic(row), 0.0), merged)
    }

    /// From two answers by `label`: pairs of both numbers. Values without the second are left out;
    /// largest by the first, which is what may be too much.
    pub(super) fn of_pairs(label: &str, first: &[VectorSample], second: &[VectorSample]) -> Rows {
        let mut by_value: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for (value, _, number) in valued(label, first) {
            by_value.entry(value).or_default().0 += number;
        }
        for (value, _, number) in valued(label, second) {
            by_value.entry(value).or_default().1 += number;
        }
        let rows = by_value.into_iter().map(|(value, pair)| TableRow {
            value,
            numbers: vec![pair],
        });
        let rows = rows.filter(|row| row.numbers[0].1 > 0.0).collect();
        let sum = |pairs: Vec<(f64, f64)>| {
            let add = |all: (f64, f64), one: (f64, f64)| (all.0 + one.0, all.1 + one.1);
            vec![pairs.into_iter().fold((0.0, 0.0), add)]
        };
        Rows::bounded(rows, |row| row.numbers[0], sum)
    }

    fn bounded(
        mut rows: Vec<TableRow>,
        size: impl Fn(&TableRow) -> (f64, f64),
        merge: impl Fn(Vec<(f64, f64)>) -> Vec<(f64, f64)>,
    ) -> Rows {
        rows.sort_by(|a, b| {
            let ((a1, a2), (b1, b2)) = (size(a), size(b));
            b1.total_cmp(&a1)
                .then(b2.total_cmp(&a2))
                .then_with(|| a.value.cmp(&b.value))
        });
        let (long, mut rows): (Vec<TableRow>, Vec<TableRow>) = rows
            .into_iter()
            .partition(|row| row.value.len() > LABEL_BYTES_MAX);
        let kept = if long.is_empty() && rows.len() <= ROWS_MAX {
            rows.len()
        } else {
            rows.len().min(ROWS_MAX - 1)
        };
        let mut rest = rows.split_off(kept);
        rest.extend(long);
        let omitted = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        if !rest.is_empty() {
            let numbers = rest.into_iter().flat_map(|row| row.numbers).collect();
            rows.push(TableRow {
                value: LabelTable::OTHERS.to_owned(),
                numbers: merge(numbers),
            });
        }
        Rows { rows, omitted }
    }
}

/// The finite numbers of an answer with their value of `label`, which is empty where there is none.
fn valued<'a>(
    label: &'a str,
    answer: &'a [VectorSample],
) -> impl Iterator<Item = (String, &'a Labels, f64)> {
    let finite = answer.iter().filter(|sample| sample.value.is_finite());
    finite.map(move |sample| {
        let value = sample.labels.get(label).cloned().unwrap_or_default();
        (value, &sample.labels, sample.value)
    })
}

/// Buckets by bound, ascending, equal bounds added up.
fn merged(mut buckets: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut merged: Vec<(f64, f64)> = Vec::new();
    for (bound, rate) in buckets {
        match merged.last_mut() {
            Some(last) if last.0 == bound => last.1 += rate,
            _ => merged.push((bound, rate)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn sample(labels: &[(&str, &str)], value: f64) -> VectorSample {
        VectorSample {
            labels: labels
                .iter()
                .map(|(k, v)| (k.to_string(), v.to_string()))
                .collect(),
            time: Timestamp::EPOCH,
            value,
        }
    }

    #[test]
    fn buckets_are_ordered_by_number_and_end_with_all() {
        let answer = [
            sample(&[("uri", "/a"), ("le", "+Inf")], 3.0),
            sample(&[("uri", "/a"), ("le", "10.0")], 2.0),
            sample(&[("uri", "/a"), ("le", "2")], 0.5),
            sample(&[("uri", "/a"), ("le", "2.0")], 0.5),
            sample(&[("uri", "/a"), ("le", "soon")], 9.0),
            sample(&[("uri", "/a"), ("le", "4")], f64::NAN),
            sample(&[("uri", "/idle"), ("le", "+Inf")], 0.0),
            sample(&[("le", "1")], 5.0),
        ];
        let rows = Rows::of_buckets("uri", &answer);
        assert_eq!(rows.omitted, 0);
        assert_eq!(rows.rows[0].value, "");
        assert_eq!(rows.rows[0].numbers, [(1.0, 5.0), (f64::INFINITY, 5.0)]);
        assert_eq!(rows.rows[1].value, "/a");
        assert_eq!(
            rows.rows[1].numbers,
            [(2.0, 1.0), (10.0, 2.0), (f64::INFINITY, 3.0)]
        );
        assert_eq!(rows.rows.len(), 2);
    }

    #[test]
    fn the_rest_is_merged_and_the_whole_stays_right() {
        let all: Vec<VectorSample> = (0..120)
            .map(|i| sample(&[("uri", &format!("/{i:03}"))], f64::from(i + 1)))
            .collect();
        let failed = [sample(&[("uri", "/000")], 1.0)];
        let rows = Rows::of_pairs("uri", &failed, &all);
        assert_eq!(rows.rows.len(), ROWS_MAX);
        assert_eq!(rows.omitted, 71);
        // What failed comes first, although it has the least traffic.
        assert_eq!(rows.rows[0].value, "/000");
        assert_eq!(rows.rows[1].value, "/119");
        let others = rows.rows.last().unwrap();
        assert_eq!(others.value, LabelTable::OTHERS);
        let whole: f64 = rows.rows.iter().map(|row| row.numbers[0].1).sum();
        assert_eq!(whole, 7260.0);
    }

    #[test]
    fn a_value_that_is_too_long_is_one_of_the_others() {
        let long = "x".repeat(LABEL_BYTES_MAX + 1);
        let all = [
            sample(&[("uri", &long)], 2.0),
            sample(&[("uri", "/a")], 1.0),
        ];
        let rows = Rows::of_pairs("uri", &[], &all);
        let values: Vec<&str> = rows.rows.iter().map(|row| row.value.as_str()).collect();
        assert_eq!(values, ["/a", LabelTable::OTHERS]);
        assert_eq!(rows.omitted, 1);
    }
}
