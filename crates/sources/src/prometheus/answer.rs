//! The JSON of the Prometheus HTTP API, read strictly: one thing wrong, and all is refused.

use std::collections::BTreeMap;
use std::fmt;

use domain::Timestamp;
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::transport::EXCERPT_CHARS;
use super::{Answer, QueryError};
use crate::visible::excerpt;

/// The labels of a series, by name.
pub type Labels = BTreeMap<String, String>;

/// One series of an instant query. The value may be NaN or infinite; the gate is elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSample {
    pub labels: Labels,
    pub time: Timestamp,
    pub value: f64,
}

/// One series of a range query, oldest point first.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeSeries {
    pub labels: Labels,
    pub points: Vec<(Timestamp, f64)>,
}

/// Bodies beyond this are parsed off the async threads.
const INLINE_BYTES: usize = 256 << 10;
const MESSAGES_MAX: usize = 20;
const MESSAGE_CHARS: usize = 300;

impl<T> Answer<T> {
    pub(super) fn with_skew(mut self, skew: Option<SignedDuration>) -> Answer<T> {
        self.skew = skew;
        self
    }
}

pub(super) async fn decode<T: Send + 'static>(
    body: Vec<u8>,
    parse: fn(&[u8]) -> Result<Answer<T>, QueryError>,
) -> Result<Answer<T>, QueryError> {
    if body.len() <= INLINE_BYTES {
        return parse(&body);
    }
    tokio::task::spawn_blocking(move || parse(&body))
        .await
        .unwrap_or_else(|e| {
            Err(QueryError::Malformed {
                why: format!("reading it failed ({e})"),
                began: String::new(),
            })
        })
}

/// Any other `data`, whole or not at all.
pub(super) async fn plain<T: DeserializeOwned + Send + 'static>(
    body: Vec<u8>,
) -> Result<T, QueryError> {
    let parse = |body: &[u8]| {
        let envelope: PlainEnvelope<T> = serde_json::from_slice(body)
            .map_err(|error| malformed(body, complaint(body, &error)))?;
        let data = envelope
            .data
            .filter(|_| envelope.status == "success")
            .ok_or_else(|| malformed(body, "it has no data"))?;
        Ok(Answer {
            data,
            warnings: Vec::new(),
            infos: Vec::new(),
            skew: None,
        })
    };
    Ok(decode(body, parse).await?.data)
}

pub(super) fn vector(body: &[u8]) -> Result<Answer<Vec<VectorSample>>, QueryError> {
    answer(body, "vector", |series: VectorJson| match series {
        VectorJson {
            metric,
            value: Some(Point(time, value)),
        } => Some(VectorSample {
            labels: metric,
            time,
            value,
        }),
        _ => None,
    })
}

pub(super) fn matrix(body: &[u8]) -> Result<Answer<Vec<RangeSeries>>, QueryError> {
    answer(body, "matrix", |series: MatrixJson| match series {
        MatrixJson {
            metric,
            values: Some(values),
        } => Some(RangeSeries {
            labels: metric,
            points: values.into_iter().map(|Point(t, v)| (t, v)).collect(),
        }),
        _ => None,
    })
}

/// What an error says in the API's own form.
pub(super) struct Refusal {
    pub error_type: String,
    pub message: String,
}

/// The API's own words in the body of an error, if it is in its form.
pub(super) fn refusal(body: &[u8]) -> Option<Refusal> {
    let envelope: Envelope<IgnoredAny> = serde_json::from_slice(body).ok()?;
    (envelope.status == "error").then(|| Refusal::of(envelope.error_type, envelope.error))
}

impl Refusal {
    fn of(error_type: Option<String>, error: Option<String>) -> Refusal {
        Refusal {
            error_type: excerpt(error_type.as_deref().unwrap_or("no type"), EXCERPT_CHARS),
            message: excerpt(error.as_deref().unwrap_or("no reason"), MESSAGE_CHARS),
        }
    }
}

/// Series with native histograms have no single value: `convert` leaves them out, and a warning
/// says how many.
fn answer<S: DeserializeOwned, T>(
    body: &[u8],
    kind: &'static str,
    convert: impl Fn(S) -> Option<T>,
) -> Result<Answer<Vec<T>>, QueryError> {
    let envelope: Envelope<S> =
        serde_json::from_slice(body).map_err(|error| malformed(body, complaint(body, &error)))?;
    match envelope.status.as_str() {
        "success" => {}
        "error" => {
            let refusal = Refusal::of(envelope.error_type, envelope.error);
            return Err(QueryError::BadQuery {
                error_type: refusal.error_type,
                message: refusal.message,
                retry_after: None,
            });
        }
        _ => return Err(malformed(body, "its status is neither success nor error")),
    }
    let Some(data) = envelope.data else {
        return Err(malformed(body, "it has no data"));
    };
    if data.result_type != kind {
        let why = format!(
            "its type is {:?} where {kind:?} was asked for",
            excerpt(&data.result_type, EXCERPT_CHARS)
        );
        return Err(malformed(body, why));
    }
    let of = data.result.len();
    let converted: Vec<T> = data.result.into_iter().filter_map(convert).collect();
    let mut warnings = messages(envelope.warnings);
    if converted.len() < of {
        warnings.push(format!(
            "{} of {of} series hold native histograms instead of numbers and were left out",
            of - converted.len()
        ));
    }
    Ok(Answer {
        data: converted,
        warnings,
        infos: messages(envelope.infos),
        skew: None,
    })
}

fn malformed(body: &[u8], why: impl Into<String>) -> QueryError {
    let beginning = &body[..body.len().min(4 * EXCERPT_CHARS + 4)];
    QueryError::Malformed {
        why: why.into(),
        began: excerpt(&String::from_utf8_lossy(beginning), EXCERPT_CHARS),
    }
}

fn complaint(body: &[u8], error: &serde_json::Error) -> String {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        None => "it is empty; is this address a Prometheus?".into(),
        Some(b'<') => {
            "it is a web page; check the url, and whether a login page stands before it".into()
        }
        Some(b'{') if error.is_eof() => format!("it is cut off ({error})"),
        Some(b'{') => format!(
            "it isn't what the Prometheus API says ({})",
            excerpt(&error.to_string(), 2 * EXCERPT_CHARS)
        ),
        Some(_) => "it isn't JSON; is this address a Prometheus?".into(),
    }
}

fn messages(texts: Option<Vec<String>>) -> Vec<String> {
    texts
        .unwrap_or_default()
        .iter()
        .take(MESSAGES_MAX)
        .map(|text| excerpt(text, MESSAGE_CHARS))
        .collect()
}

#[derive(Deserialize)]
#[serde(bound = "S: DeserializeOwned")]
struct Envelope<S> {
    status: String,
    data: Option<Data<S>>,
    #[serde(rename = "errorType")]
    error_type: Option<String>,
    error: Option<String>,
    warnings: Option<Vec<String>>,
    infos: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(bound = "S: DeserializeOwned")]
struct Data<S> {
    #[serde(rename = "resultType")]
    result_type: String,
    result: Vec<S>,
}

/// An error has another status than 200, and doesn't come here.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct PlainEnvelope<T> {
    status: String,
    data: Option<T>,
}

#[derive(Deserialize)]
struct VectorJson {
    metric: Labels,
    value: Option<Point>,
}

#[derive(Deserialize)]
struct MatrixJson {
    metric: Labels,
    values: Option<Vec<Point>>,
}

/// `[seconds, "value"]`.
struct Point(Timestamp, f64);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Point, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = Point;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a pair of seconds and a number in quotes")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Point, A::Error> {
                let missing = |n| de::Error::invalid_length(n, &self);
                let seconds: f64 = seq.next_element()?.ok_or_else(|| missing(0))?;
                let Quoted(value) = seq.next_element()?.ok_or_else(|| missing(1))?;
                if seq.next_element::<IgnoredAny>()?.is_some() {
                    return Err(missing(3));
                }
                let time = Timestamp::from_seconds(seconds).ok_or_else(|| {
                    de::Error::invalid_value(de::Unexpected::Float(seconds), &"a time in seconds")
                })?;
                Ok(Point(time, value))
            }
        }
        deserializer.deserialize_seq(Pair)
    }
}

/// A number in quotes, with `NaN`, `+Inf` and `-Inf`.
struct Quoted(f64);

impl<'de> Deserialize<'de> for Quoted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Quoted, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Quoted;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number in quotes")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Quoted, E> {
                text.parse()
                    .map(Quoted)
                    .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: &str) -> Result<f64, QueryError> {
        let body = format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{"a":"b"}},"value":[1795348800.25,{value}]}}]}}}}"#
        );
        Ok(vector(body.as_bytes())?.data[0].value)
    }

    #[test]
    fn f08_numbers_that_are_none_are_understood() {
        assert!(one("\"NaN\"").unwrap().is_nan());
        assert_eq!(one("\"+Inf\"").unwrap(), f64::INFINITY);
        assert_eq!(one("\"-Inf\"").unwrap(), f64::NEG_INFINITY);
        assert_eq!(one("\"1e308\"").unwrap(), 1e308);
        assert_eq!(one("\"5e-324\"").unwrap(), 5e-324);
    }

    #[test]
    fn f05_nonsense_is_rejected_whole_with_what_came() {
        let check = |body: &str, says: &str| {
            let error = vector(body.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), "malformed", "{body}");
            assert!(error.to_string().contains(says), "{body}: {error}");
        };
        check("", "empty");
        check("  \n", "empty");
        check("<html><title>login</title>", "web page");
        check("garbage\u{1b}[31m", "isn't JSON");
        check("garbage\u{1b}[31m", "garbage␛[31m");
        check(r#"{"status":"succ"#, "cut off");
        check(r#"{"status":"maybe"}"#, "neither success nor error");
        check(r#"{"status":"success"}"#, "no data");
        check(r#"{"status":7}"#, "isn't what the Prometheus API says");
        check(
            r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
            "\"matrix\" where \"vector\"",
        );
        check(
            r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}"#,
            "isn't what",
        );
        for value in ["1", "null", "\"x\"", "[]", "\"\""] {
            assert_eq!(one(value).unwrap_err().kind(), "malformed", "{value}");
        }
    }

    #[test]
    fn an_error_in_the_apis_form_is_shown() {
        let error = vector(br#"{"status":"error","errorType":"execution","error":"many-to-many"}"#)
            .unwrap_err();
        assert_eq!(error.kind(), "bad_query");
        assert!(error.to_string().contains("many-to-many"));
    }

    #[test]
    fn f16_warnings_are_kept() {
        let answer = vector(br#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["partial"],"infos":["hint"]}"#).unwrap();
        assert_eq!(answer.warnings, ["partial"]);
        assert_eq!(answer.infos, ["hint"]);
    }

    #[test]
    fn native_histograms_are_left_out_and_said() {
        let answer = vector(br#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{"count":"3"}]}]}}"#).unwrap();
        assert!(answer.data.is_empty());
        assert!(answer.warnings[0].contains("native histograms"));
    }
}
