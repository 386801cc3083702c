//! Answers as JSON, in the format of Prometheus's API.

use std::fmt::Write as _;

use super::{PromqlError, RangeSeries, Value, number};
use crate::Labels;

/// What `/api/v1/query` answers for a time in milliseconds.
///
/// ```
/// use embedded::promql::{Value, instant_json};
/// let json = r#"{"status":"success","data":{"resultType":"scalar","result":[1.500,"2"]}}"#;
/// assert_eq!(instant_json(&Value::Scalar(2.0), 1500), json);
/// ```
pub fn instant_json(value: &Value, time_ms: i64) -> String {
    match value {
        Value::Scalar(number) => success("scalar", |json| push_point(json, time_ms, *number)),
        Value::Text(text) => success("string", |json| {
            json.push('[');
            push_time(json, time_ms);
            json.push(',');
            push_text(json, text);
            json.push(']');
        }),
        Value::Vector(series) => success("vector", |json| {
            push_list(json, series, |json, (labels, value)| {
                push_metric(json, labels);
                json.push_str(",\"value\":");
                push_point(json, time_ms, *value);
                json.push('}');
            });
        }),
        Value::Matrix(series) => range_json(series),
    }
}

/// What `/api/v1/query_range` answers.
///
/// ```
/// use embedded::{Labels, promql::{RangeSeries, range_json}};
/// let labels = Labels::new([("__name__", "up")]);
/// let series = RangeSeries { labels, points: vec![(1_435_781_430_781, 1.0)] };
/// let json = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up"},"values":[[1435781430.781,"1"]]}]}}"#;
/// assert_eq!(range_json(&[series]), json);
/// ```
pub fn range_json(series: &[RangeSeries]) -> String {
    success("matrix", |json| {
        push_list(json, series, |json, series| {
            push_metric(json, &series.labels);
            json.push_str(",\"values\":");
            push_list(json, &series.points, |json, (time_ms, value)| {
                push_point(json, *time_ms, *value);
            });
            json.push('}');
        });
    })
}

/// What either answers instead of a value.
///
/// ```
/// use embedded::promql::{Expression, error_json};
/// let error = Expression::parse("deriv(x[5m])").unwrap_err();
/// assert!(error_json(&error).starts_with(r#"{"status":"error","errorType":"bad_data","error":"#));
/// ```
pub fn error_json(error: &PromqlError) -> String {
    let mut json = format!(
        "{{\"status\":\"error\",\"errorType\":\"{}\",\"error\":",
        error.kind()
    );
    push_text(&mut json, &error.to_string());
    json.push('}');
    json
}

fn success(kind: &str, push_result: impl FnOnce(&mut String)) -> String {
    let mut json =
        format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"{kind}\",\"result\":");
    push_result(&mut json);
    json.push_str("}}");
    json
}

fn push_list<T>(json: &mut String, items: &[T], push: impl Fn(&mut String, &T)) {
    json.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        push(json, item);
    }
    json.push(']');
}

/// Left open for what belongs to it.
fn push_metric(json: &mut String, labels: &Labels) {
    json.push_str("{\"metric\":{");
    for (at, (name, value)) in labels.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        push_text(json, name);
        json.push(':');
        push_text(json, value);
    }
    json.push('}');
}

fn push_point(json: &mut String, time_ms: i64, value: f64) {
    json.push('[');
    push_time(json, time_ms);
    json.push_str(",\"");
    json.push_str(&number::text(value));
    json.push_str("\"]");
}

/// In seconds, with three decimals or none.
fn push_time(json: &mut String, time_ms: i64) {
    let size = time_ms.unsigned_abs();
    let sign = if time_ms < 0 { "-" } else { "" };
    let written = match size % 1000 {
        0 => write!(json, "{sign}{}", size / 1000),
        rest => write!(json, "{sign}{}.{rest:03}", size / 1000),
    };
    written.expect("a string takes whatever is written to it");
}

fn push_text(json: &mut String, text: &str) {
    json.push_str(&serde_json::Value::from(text).to_string());
}
