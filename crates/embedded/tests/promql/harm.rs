//! Any text as an expression: it may be refused, and brings nothing down.

use embedded::promql::{Expression, error_json, instant, instant_json, range, range_json};

use crate::memory::Memory;

/// A counter, a gauge with an end, buckets, two names with the same labels.
pub fn small_source() -> Memory {
    Memory::timeline(
        "up{job=\"a\"} 1 1 0 1 1 1 1 1 1 1 1
         requests_total{job=\"a\",uri=\"/x\"} 0 4 9 2 8 _ _ _ _ _ 30
         requests_total{job=\"b\",uri=\"/x\"} 5 6 7 8 9 10 11 12 13 14
         load{job=\"a\"} 1 NaN inf -inf 2 x
         seconds_bucket{le=\"1\"} 0 1 2 3 4 5 6 7 8 9 10
         seconds_bucket{le=\"+Inf\"} 0 2 4 6 8 10 12 14 16 18 20
         twin{job=\"a\"} 1 2 3 4 5 6 7 8 9 10 11",
    )
}

/// Parses and evaluates `text`, and writes what comes of it; what that is doesn't matter.
pub fn evaluate(source: &Memory, text: &str) {
    let expression = match Expression::parse(text) {
        Ok(expression) => expression,
        Err(error) => return drop(error_json(&error)),
    };
    let value = instant(source, &expression, 600_007);
    let _ = value.map(|value| instant_json(&value, 600_007));
    let series = range(source, &expression, 0, 900_000, 60_007);
    let _ = series.map(|series| range_json(&series));
}
