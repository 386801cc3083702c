//! Label breakdown by removal: take one value of a label away, and see whether it would still be an
//! anomaly. Adding up what the values say alone would blame whoever has most traffic; removal blames
//! who makes the difference.

use domain::{
    Breakdown, BreakdownOutcome, BreakdownPart, Direction, LabelTable, TableRow, TableStatistic,
    Unusual,
};

use crate::summary::{amount, number};

/// Parts kept, strongest first.
const PARTS_MAX: usize = 10;
/// Without a part that carries a metric that has no threshold of its own, less than this share of
/// the whole remains.
const REMAINS_MAX: f64 = 0.5;
/// A value with a larger share of the requests is all of it: what is left without it says nothing of
/// the whole.
const SHARE_MAX: f64 = 0.99;

/// Breaks a member's metric down by one table. Without a whole that is past the limit, or with one
/// value only, nothing can be said.
pub(crate) fn of(unusual: &Unusual, table: &LabelTable) -> Breakdown {
    let whole = value(table, None);
    let limit = limit(unusual, table, whole);
    let is_past = |value: f64| match unusual.direction {
        Direction::Down => value <= limit,
        Direction::Up | Direction::Both => value >= limit,
    };
    let past_now = whole.is_some_and(is_past);
    let all = table.rows.iter().map(traffic).sum::<f64>();
    let mut parts: Vec<BreakdownPart> = table
        .rows
        .iter()
        .map(|row| {
            let without = value(table, Some(&row.value));
            let share = if all > 0.0 { traffic(row) / all } else { 0.0 };
            BreakdownPart {
                value: row.value.clone(),
                share,
                alone: alone(table.statistic, row),
                without,
                carries: past_now
                    && row.value != LabelTable::OTHERS
                    && share <= SHARE_MAX
                    && without.is_some_and(|without| !is_past(without)),
                query: table.query_but(&row.value),
            }
        })
        .collect();
    sort(&mut parts, unusual.direction);
    let omitted = table.omitted + parts.len().saturating_sub(PARTS_MAX) as u32;
    let outcome = match &parts[..] {
        _ if !past_now => BreakdownOutcome::NotEnough,
        [] => BreakdownOutcome::NotEnough,
        [_] => BreakdownOutcome::OneValue,
        [first, ..] if first.carries => BreakdownOutcome::Carried,
        parts if parts.iter().any(is_all) => BreakdownOutcome::OneValue,
        _ => BreakdownOutcome::Spread,
    };
    parts.truncate(PARTS_MAX);
    let mut breakdown = Breakdown {
        metric: unusual.metric.clone(),
        of: table.of.clone(),
        label: table.label.clone(),
        unit: unusual.unit.clone(),
        at: table.at,
        whole,
        limit,
        parts,
        omitted,
        outcome,
        text: String::new(),
    };
    breakdown.text = sentence(&breakdown);
    breakdown
}

fn is_all(part: &BreakdownPart) -> bool {
    part.share > SHARE_MAX
}

/// Below this the value would not be an anomaly past its threshold: the threshold, or the least
/// distance from expected where that is further. For outgoing calls, which have no threshold, half
/// of the whole.
fn limit(unusual: &Unusual, table: &LabelTable, whole: Option<f64>) -> f64 {
    let expected = unusual.band.map(|band| band.expected);
    let thresholds = unusual.thresholds;
    let threshold = thresholds.high.or(thresholds.critical);
    let has_its_own = threshold.is_some() || expected.is_some();
    if table.of == LabelTable::OUTGOING || !has_its_own {
        return REMAINS_MAX * whole.unwrap_or(0.0);
    }
    match unusual.direction {
        Direction::Down => {
            let away = expected.map(|expected| expected - unusual.minimum_deviation);
            threshold
                .into_iter()
                .chain(away)
                .fold(f64::INFINITY, f64::min)
        }
        Direction::Up | Direction::Both => {
            let away = expected.map(|expected| expected + unusual.minimum_deviation);
            threshold
                .into_iter()
                .chain(away)
                .fold(f64::NEG_INFINITY, f64::max)
        }
    }
}

/// Who carries first; then by what remains without, best first; then by traffic.
fn sort(parts: &mut [BreakdownPart], direction: Direction) {
    let remains = |part: &BreakdownPart| match direction {
        Direction::Down => -part.without.unwrap_or(f64::NEG_INFINITY),
        Direction::Up | Direction::Both => part.without.unwrap_or(f64::INFINITY),
    };
    parts.sort_by(|a, b| {
        b.carries
            .cmp(&a.carries)
            .then_with(|| remains(a).total_cmp(&remains(b)))
            .then_with(|| b.share.total_cmp(&a.share))
            .then_with(|| a.value.cmp(&b.value))
    });
}

/// The metric over all rows but one value's; none without traffic.
fn value(table: &LabelTable, but: Option<&str>) -> Option<f64> {
    let rows = table
        .rows
        .iter()
        .filter(|row| Some(row.value.as_str()) != but);
    match table.statistic {
        TableStatistic::Quantile { q, scale } => Some(scale * quantile(q, &merged(rows))?),
        TableStatistic::Ratio { scale } => {
            let (part, all) = rows
                .flat_map(|row| &row.numbers)
                .fold((0.0, 0.0), |sum, numbers| {
                    (sum.0 + numbers.0, sum.1 + numbers.1)
                });
            (all > 0.0).then(|| scale * part / all)
        }
    }
}

fn alone(statistic: TableStatistic, row: &TableRow) -> Option<f64> {
    match statistic {
        TableStatistic::Quantile { q, scale } => Some(scale * quantile(q, &row.numbers)?),
        TableStatistic::Ratio { scale } => {
            let (part, all) = *row.numbers.first()?;
            (all > 0.0).then(|| scale * part / all)
        }
    }
}

/// Requests a second of a row: its last bucket, or the second of its numbers.
fn traffic(row: &TableRow) -> f64 {
    row.numbers.last().map_or(0.0, |last| last.1.max(0.0))
}

/// Cumulative buckets of several rows, added bound by bound. A bound that a row lacks counts what
/// the row has at its next lower one.
fn merged<'a>(rows: impl Iterator<Item = &'a TableRow> + Clone) -> Vec<(f64, f64)> {
    let mut bounds: Vec<f64> = rows
        .clone()
        .flat_map(|row| row.numbers.iter().map(|bucket| bucket.0))
        .collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds
        .into_iter()
        .map(|bound| {
            let rate = rows
                .clone()
                .map(|row| {
                    let below = row.numbers.partition_point(|bucket| bucket.0 <= bound);
                    below.checked_sub(1).map_or(0.0, |last| row.numbers[last].1)
                })
                .sum();
            (bound, rate)
        })
        .collect()
}

/// The quantile of cumulative buckets by linear interpolation, as Prometheus' `histogram_quantile`
/// computes it: in the last bucket the greatest finite bound. None without observations.
fn quantile(q: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let (last_bound, total) = *buckets.last()?;
    if buckets.len() < 2 || !last_bound.is_infinite() || total <= 0.0 || total.is_nan() {
        return None;
    }
    // What is counted never falls from bound to bound but by rounding.
    let mut counts = Vec::with_capacity(buckets.len());
    let mut most: f64 = 0.0;
    for bucket in buckets {
        most = most.max(bucket.1);
        counts.push(most);
    }
    let rank = q * most;
    let found = counts[..counts.len() - 1].partition_point(|count| *count < rank);
    if found == counts.len() - 1 {
        return Some(buckets[found - 1].0);
    }
    let upper = buckets[found].0;
    if found == 0 && upper <= 0.0 {
        return Some(upper);
    }
    let (lower, below) = match found.checked_sub(1) {
        Some(before) => (buckets[before].0, counts[before]),
        None => (0.0, 0.0),
    };
    let inside = counts[found] - below;
    if inside <= 0.0 {
        return Some(upper);
    }
    Some(lower + (upper - lower) * (rank - below) / inside)
}

fn sentence(breakdown: &Breakdown) -> String {
    let label = &breakdown.label;
    let amount = |value: Option<f64>| match value {
        Some(value) => amount(value, &breakdown.unit),
        None => "nothing".to_owned(),
    };
    let first = breakdown.parts.first();
    match (breakdown.outcome, first) {
        (BreakdownOutcome::Carried, Some(part)) => format!(
            "{} by {label}: {} carries it: without it {} is left of {}; it has {} % of the requests",
            breakdown.of,
            quoted(&part.value),
            amount(part.without),
            amount(breakdown.whole),
            number(100.0 * part.share)
        ),
        (BreakdownOutcome::Spread, _) => format!(
            "{} by {label}: no single value carries it; it goes on whichever of {} is removed",
            breakdown.of,
            breakdown.parts.len() as u64 + u64::from(breakdown.omitted)
        ),
        (BreakdownOutcome::OneValue, Some(first)) => {
            let all = breakdown.parts.iter().find(|part| is_all(part));
            format!(
                "{} by {label}: all of it is {}",
                breakdown.of,
                quoted(&all.unwrap_or(first).value)
            )
        }
        _ => format!(
            "{} by {label}: not enough evidence: {}",
            breakdown.of,
            match breakdown.whole {
                Some(whole) => format!(
                    "the whole was {}, not past {}",
                    amount(Some(whole)),
                    amount(Some(breakdown.limit))
                ),
                None => "no requests with that label".to_owned(),
            }
        ),
    }
}

fn quoted(value: &str) -> String {
    if value.is_empty() {
        "no value".to_owned()
    } else {
        value.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Band, MetricId, Prediction, Severity, Thresholds, Timestamp};

    fn unusual(high: f64, expected: f64) -> Unusual {
        Unusual {
            metric: MetricId::new("lat").unwrap(),
            title: "Latency".into(),
            unit: "ms".into(),
            at: Timestamp::EPOCH,
            actual: 2_000.0,
            severity: Severity::High,
            thresholds: Thresholds {
                high: Some(high),
                critical: None,
            },
            direction: Direction::Up,
            minimum_deviation: 100.0,
            prediction: Prediction::Anomaly,
            reason: None,
            band: Some(Band {
                expected,
                lower: 0.0,
                upper: 2.0 * expected,
            }),
            score: None,
            limit: None,
            components: Vec::new(),
            contributions: None,
            model: None,
            precedent: None,
            text: Vec::new(),
        }
    }

    /// Fast and slow requests a second below 0.1 s, 1 s and beyond.
    fn row(value: &str, fast: f64, slow: f64) -> TableRow {
        TableRow {
            value: value.into(),
            numbers: vec![
                (0.1, fast),
                (1.0, fast),
                (4.0, fast + slow),
                (f64::INFINITY, fast + slow),
            ],
        }
    }

    fn table(rows: Vec<TableRow>) -> LabelTable {
        LabelTable {
            of: LabelTable::SERVER.into(),
            label: "uri".into(),
            at: Timestamp::EPOCH,
            statistic: TableStatistic::Quantile {
                q: 0.99,
                scale: 1000.0,
            },
            query_without: "p99{uri!=\"$value\"}".into(),
            rows,
            omitted: 0,
        }
    }

    #[test]
    fn who_makes_the_difference_carries_it_not_who_has_most_traffic() {
        let table = table(vec![row("/busy", 1_000.0, 1.0), row("/slow", 10.0, 40.0)]);
        let breakdown = of(&unusual(1_000.0, 80.0), &table);
        assert_eq!(breakdown.outcome, BreakdownOutcome::Carried);
        let first = &breakdown.parts[0];
        assert_eq!(first.value, "/slow");
        assert!(first.without.unwrap() < 100.0 && breakdown.whole.unwrap() > 1_000.0);
        assert_eq!(first.query, "p99{uri!=\"/slow\"}");
        assert!(
            breakdown.text.contains("/slow carries it"),
            "{}",
            breakdown.text
        );
    }

    #[test]
    fn what_is_everywhere_is_carried_by_nobody() {
        let table = table(vec![
            row("/a", 10.0, 5.0),
            row("/b", 10.0, 5.0),
            row("/c", 10.0, 5.0),
        ]);
        let breakdown = of(&unusual(1_000.0, 80.0), &table);
        assert_eq!(breakdown.outcome, BreakdownOutcome::Spread);
        assert!(breakdown.parts.iter().all(|part| !part.carries));
    }

    #[test]
    fn one_value_and_no_anomaly_are_answers_too() {
        let one = of(&unusual(1_000.0, 80.0), &table(vec![row("/a", 10.0, 5.0)]));
        assert_eq!(one.outcome, BreakdownOutcome::OneValue);
        let calm = table(vec![row("/a", 10.0, 0.0), row("/b", 10.0, 0.0)]);
        let calm = of(&unusual(1_000.0, 80.0), &calm);
        assert_eq!(calm.outcome, BreakdownOutcome::NotEnough);
        assert!(calm.text.contains("not past 1,000 ms"), "{}", calm.text);
        let none = of(&unusual(1_000.0, 80.0), &table(Vec::new()));
        assert!(none.text.contains("no requests"), "{}", none.text);
    }

    #[test]
    fn who_has_nearly_all_requests_is_not_blamed_for_what_few_others_show() {
        // The slow are everywhere; the few failures happen to be fast.
        let rows = vec![row("none", 900.0, 60.0), row("Timeout", 1.0, 0.0)];
        let breakdown = of(&unusual(1_000.0, 80.0), &table(rows));
        assert_eq!(breakdown.outcome, BreakdownOutcome::OneValue);
        assert!(breakdown.parts.iter().all(|part| !part.carries));
        assert_eq!(breakdown.text, "server requests by uri: all of it is none");
    }

    #[test]
    fn quotes_in_a_value_stay_inside_the_query() {
        let table = table(vec![
            row("a\"} or up{x=\"\\", 10.0, 40.0),
            row("/b", 99.0, 0.0),
        ]);
        let breakdown = of(&unusual(1_000.0, 80.0), &table);
        assert_eq!(
            breakdown.parts[0].query,
            "p99{uri!=\"a\\\"} or up{x=\\\"\\\\\"}"
        );
    }

    #[test]
    fn quantiles_are_those_of_prometheus() {
        let buckets = [
            (0.1, 50.0),
            (0.5, 90.0),
            (1.0, 99.0),
            (f64::INFINITY, 100.0),
        ];
        let near = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() < 1e-12;
        assert!(near(quantile(0.5, &buckets), 0.1));
        assert!(near(quantile(0.7, &buckets), 0.1 + 0.4 * 20.0 / 40.0));
        assert!(near(quantile(0.25, &buckets), 0.05));
        assert!(
            near(quantile(0.999, &buckets), 1.0),
            "the last finite bound"
        );
        assert_eq!(quantile(0.5, &[(0.1, 0.0), (f64::INFINITY, 0.0)]), None);
        assert_eq!(quantile(0.5, &[(0.1, 3.0)]), None, "no infinite bucket");
    }
}
