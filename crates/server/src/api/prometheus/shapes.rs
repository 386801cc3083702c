//! What Prometheus's own API answers, in its shapes.

use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoResponses, ToSchema};

use super::super::openapi::words;

words! {
    /// Whether it was answered.
    StatusWord: "success", "error";
    /// What was refused.
    ErrorType: "bad_data", "execution", "timeout", "canceled", "internal", "not_found";
    /// What an expression gives.
    ResultType: "scalar", "string", "vector", "matrix";
}

/// An answer as Prometheus shapes it.
#[derive(Serialize, ToSchema)]
pub struct Answered<T> {
    #[schema(value_type = StatusWord)]
    pub status: &'static str,
    pub data: T,
}

/// What an expression comes to.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what promql::instant_json writes")]
pub struct Evaluation {
    #[schema(rename = "resultType", value_type = ResultType)]
    pub result_type: String,
    /// A pair of epoch seconds and a text; or series, each with `metric` and `value` or `values`.
    pub result: Vec<Value>,
}

/// What is known of a metric.
#[derive(Serialize, ToSchema)]
pub struct Described {
    pub r#type: &'static str,
    pub help: String,
    pub unit: String,
}

/// What answers queries here.
#[derive(Serialize, ToSchema)]
pub struct Build {
    pub version: &'static str,
    pub application: &'static str,
}

/// The refusals of a route of the embedded store.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes what Refusal answers")]
pub enum NoStore {
    /// There is no embedded store: a Prometheus is asked at its own address.
    #[response(status = 404)]
    NotFound(#[to_schema] RefusalView),
    /// A parameter is missing or wrong.
    #[response(status = 400)]
    Bad(#[to_schema] RefusalView),
    /// It failed inside Bellwether.
    #[response(status = 500)]
    Failed(#[to_schema] RefusalView),
}

/// A refusal in the words of Prometheus.
#[derive(Serialize, ToSchema)]
#[schema(as = PrometheusError)]
pub struct RefusalView {
    #[schema(value_type = StatusWord)]
    pub status: &'static str,
    #[serde(rename = "errorType")]
    #[schema(value_type = ErrorType)]
    pub error_type: &'static str,
    pub error: String,
}
