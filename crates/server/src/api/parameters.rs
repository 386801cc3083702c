//! Parameters that several routes take, and what is said where they are wrong.

use std::time::Duration;

use domain::{MetricId, Timestamp};

use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::visible;
use crate::config::Span;

/// An instant, as RFC 3339 or epoch seconds.
pub fn time(name: &str, text: &str) -> Result<Timestamp, Problem> {
    text.parse()
        .map_err(|error| Problem::bad_request(format!("{name}: {error}")))
}

/// An instant that may be left out.
pub fn optional_time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    text.map(|text| time(name, text)).transpose()
}

/// A length of time.
pub fn duration(name: &str, text: &str) -> Result<Duration, Problem> {
    let span: Span = text.parse().map_err(|error| {
        Problem::bad_request(format!("{name}: {} is no duration: {error}", visible(text)))
    })?;
    Ok(span.0)
}

/// A metric, whether there is one of that name or not.
pub fn metric_id(text: &str) -> Result<MetricId, Problem> {
    MetricId::new(text).map_err(|_| {
        Problem::bad_request(format!(
            "metric is {}; it must be the id of a metric, such as cpu",
            visible(text)
        ))
    })
}

/// A body that is a JSON object. Also a list of the fields' values would be taken for one by the
/// decoder.
pub fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err("it is no JSON object".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// How many items to answer with: `default` unless one is given, 1 to `most`.
pub fn page_limit(given: Option<usize>, default: usize, most: usize) -> Result<usize, Problem> {
    let limit = given.unwrap_or(default);
    if limit == 0 || limit > most {
        let why = format!("limit is {limit}; it must be 1 to {most}");
        return Err(Problem::bad_request(why));
    }
    Ok(limit)
}
