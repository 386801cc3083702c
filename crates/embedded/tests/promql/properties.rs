//! What holds of every expression: no text brings anything down, a range is its instants, and
//! aggregating series as they come equals aggregating them when all are there.

use embedded::promql::{Expression, PromqlError, RangeSeries, Value, instant, range};
use embedded::{Labels, Sample};
use proptest::prelude::*;

use crate::harm::evaluate;
use crate::memory::Memory;

fn sample_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        20 => (0..50_i32).prop_map(f64::from),
        4 => -1e6..1e6,
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(embedded::stale_marker()),
    ]
}

prop_compose! {
    /// A few series of few names and labels, with samples at any times of a quarter of an hour.
    fn source()(series in prop::collection::btree_map(
        (0..3_usize, 0..3_usize, 0..4_usize),
        prop::collection::btree_map(0..900_000_i64, sample_value(), 0..25),
        0..8,
    )) -> Memory {
        let bounds = ["1", "2", "+Inf", ""];
        Memory(series.into_iter().map(|((name, zone, le), samples)| {
            let labels = [
                ("__name__", ["a", "b", "c_total"][name]),
                ("zone", ["x", "y", ""][zone]),
                ("le", bounds[le]),
            ];
            let samples = samples.into_iter().map(|(time_ms, value)| Sample { time_ms, value });
            (Labels::new(labels), samples.collect())
        }).collect())
    }
}

fn one_of<const N: usize>(texts: [&'static str; N]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(texts.to_vec())
}

fn selector() -> impl Strategy<Value = String> {
    let matchers = [
        "a",
        "b",
        "c_total",
        "{zone=\"x\"}",
        "a{zone!=\"x\"}",
        "{__name__=~\"a|b\"}",
    ];
    let offsets = ["", "", " offset 1m", " offset -30s"];
    (one_of(matchers), one_of(offsets)).prop_map(|(matchers, offset)| format!("{matchers}{offset}"))
}

fn window() -> impl Strategy<Value = String> {
    let functions = [
        "rate",
        "increase",
        "delta",
        "irate",
        "idelta",
        "changes",
        "resets",
        "last_over_time",
        "avg_over_time",
        "min_over_time",
        "sum_over_time",
        "stddev_over_time",
        "count_over_time",
    ];
    let spans = ["30s", "5m", "20m"];
    (one_of(functions), selector(), one_of(spans)).prop_map(|(function, selector, span)| {
        let (name, offset) = selector.split_once(" offset").unwrap_or((&selector, ""));
        let offset = if offset.is_empty() {
            String::new()
        } else {
            format!(" offset{offset}")
        };
        format!("{function}({name}[{span}]{offset})")
    })
}

/// Of vectors, three levels deep.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![3 => selector(), 3 => window(), 1 => Just("vector(time())".to_owned())];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let groupings = ["", " by (zone)", " without (zone)", " by (__name__, le)"];
        let operators = ["sum", "avg", "min", "max", "count", "group", "stddev"];
        let each = [
            "abs",
            "-",
            "round",
            "sqrt",
            "timestamp",
            "sort",
            "histogram_quantile(0.9, ",
            "vector(scalar(",
        ];
        let pairs = [
            "+",
            "-",
            "* on (zone)",
            "/ ignoring (le)",
            "> bool",
            "<= on (zone) group_left (le)",
            "% on (zone) group_right ()",
            "and",
            "or",
            "unless",
            "and on (zone)",
            "or on (le)",
            "unless on ()",
        ];
        let scalars = ["+ 1", "> 3", "== bool 2", "^ 2", "* time()", "% 0"];
        prop_oneof![
            (one_of(operators), one_of(groupings), inner.clone())
                .prop_map(|(operator, grouping, inner)| format!("{operator}{grouping} ({inner})")),
            (one_of(each), inner.clone()).prop_map(|(function, inner)| {
                let opened = function.matches('(').count();
                match opened {
                    0 => format!("{function}({inner})"),
                    _ => format!("{function}{inner}{}", ")".repeat(opened)),
                }
            }),
            (inner.clone(), one_of(pairs), inner.clone())
                .prop_map(|(left, operator, right)| format!("({left}) {operator} ({right})")),
            (inner, one_of(scalars))
                .prop_map(|(inner, operation)| format!("({inner}) {operation}")),
        ]
    })
}

/// Equal to the bit, but for what NaN carries.
fn are_same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// The order of series is another, and with it the rounding.
fn are_close(one: &[RangeSeries], other: &[RangeSeries]) -> bool {
    let is_close = |a: f64, b: f64| are_same(a, b) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            let pairs = one.points.iter().zip(&other.points);
            one.labels == other.labels
                && one.points.len() == other.points.len()
                && pairs
                    .into_iter()
                    .all(|(a, b)| a.0 == b.0 && is_close(a.1, b.1))
        })
}

fn instants(
    memory: &Memory,
    parsed: &Expression,
    times: &[i64],
) -> Result<Vec<Vec<(Labels, f64)>>, PromqlError> {
    let at = |time: &i64| match instant(memory, parsed, *time)? {
        Value::Vector(mut values) => {
            values.sort_by(|a, b| a.0.cmp(&b.0));
            Ok(values)
        }
        other => panic!("{other:?} of {}", parsed.text()),
    };
    times.iter().map(at).collect()
}

fn as_of(series: &[RangeSeries], time: i64) -> Vec<(Labels, f64)> {
    let value = |series: &RangeSeries| {
        let point = series.points.iter().find(|(at, _)| *at == time)?;
        Some((series.labels.clone(), point.1))
    };
    series.iter().filter_map(value).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_range_is_its_instants(memory in source(), text in expression(), step in 1_i64..200_000) {
        let parsed = Expression::parse(&text).unwrap();
        let times: Vec<i64> = (0..7).map(|i| 10_007 + i * step).collect();
        let ranged = range(&memory, &parsed, times[0], times[6], step);
        let single = instants(&memory, &parsed, &times);
        match (ranged, single) {
            (Ok(ranged), Ok(single)) => {
                for (time, single) in times.iter().zip(single) {
                    let ranged = as_of(&ranged, *time);
                    prop_assert_eq!(ranged.len(), single.len(), "{} at {}", text, time);
                    for (a, b) in ranged.iter().zip(&single) {
                        prop_assert!(a.0 == b.0 && are_same(a.1, b.1), "{text} at {time}: {a:?} {b:?}");
                    }
                }
            }
            // Errors are of a step, but which one comes first may differ.
            (Err(_), Err(_)) => {}
            (ranged, single) => prop_assert!(false, "{text}: {ranged:?} but {single:?}"),
        }
    }

    #[test]
    fn aggregating_as_series_come_equals_aggregating_all(memory in source(), inner in window()) {
        let whole = Expression::parse(&inner).unwrap();
        let Ok(series) = range(&memory, &whole, 100_003, 900_003, 50_000) else {
            return Ok(());
        };
        // What was computed is given back as a source: an aggregation of it reads it as it is.
        let stored = series.iter().map(|series| {
            let samples = series.points.iter().map(|&(time_ms, value)| Sample { time_ms, value });
            (series.labels.with("__name__", "stored"), samples.collect())
        });
        let stored = Memory(stored.collect());
        for operator in ["sum", "avg", "max", "min", "count"] {
            let fused = Expression::parse(&format!("{operator} by (zone) ({inner})")).unwrap();
            let plain = Expression::parse(&format!("{operator} by (zone) (last_over_time(stored[1s]))")).unwrap();
            let fused = range(&memory, &fused, 100_003, 900_003, 50_000).unwrap();
            let plain = range(&stored, &plain, 100_003, 900_003, 50_000).unwrap();
            prop_assert!(are_close(&fused, &plain), "{operator} of {inner}: {fused:?} {plain:?}");
        }
    }

    #[test]
    fn a_long_range_is_the_same_in_one_piece_and_in_many(memory in source(), inner in expression()) {
        // Blocks of steps are evaluated together; a range of one block less is cut elsewhere.
        let parsed = Expression::parse(&inner).unwrap();
        let long = range(&memory, &parsed, 1, 900_001, 1_500);
        let tail = range(&memory, &parsed, 150_001, 900_001, 1_500);
        if let (Ok(long), Ok(tail)) = (long, tail) {
            let cut = long.into_iter().filter_map(|mut series| {
                series.points.retain(|(time, _)| *time >= 150_001);
                (!series.points.is_empty()).then_some(series)
            });
            prop_assert_eq!(format!("{:?}", cut.collect::<Vec<_>>()), format!("{tail:?}"), "{}", inner);
        }
    }

    #[test]
    fn no_text_brings_anything_down(text in "\\PC{0,200}") {
        evaluate(&Memory::default(), &text);
    }

    #[test]
    fn no_pile_of_tokens_brings_anything_down(memory in source(), tokens in prop::collection::vec(
        one_of([
            "a", "b", "(", ")", "[", "]", "{", "}", "5m", "1e300", "inf", "NaN", "0x", "offset", "@",
            "sum", "by", "rate", "histogram_quantile", "-", "+", "^", "/", "and", "or", "on", "bool",
            "group_left", ",", "=", "=~", "\"x\"", "'", "`", "\\", "#", "\n", ":", "1", "99999999999999999999y",
            "le", "label_replace", "\"(\"", "clamp", "start", "end", "fill", "é", "\0",
        ]), 0..30), spaced in any::<bool>()) {
        evaluate(&memory, &tokens.join(if spaced { " " } else { "" }));
    }
}
