//! Errors as RFC 9457 problem details.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::BODY_BYTES_MAX;

/// What the framework says of a refusal is short.
const TEXT_BYTES_MAX: usize = 4 << 10;
/// Failures of ours since the start.
static FAILURES: AtomicU64 = AtomicU64::new(0);

/// What went wrong with a request, and what to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    /// A failure of Bellwether, as its log names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>)]
    instance: Option<Failure>,
}

/// A failure of ours by its number since the start.
#[derive(Clone, Copy, Debug)]
struct Failure(NonZeroU64);

impl Failure {
    fn next() -> Failure {
        let before = FAILURES.fetch_add(1, Ordering::Relaxed);
        Failure(NonZeroU64::MIN.saturating_add(before))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "urn:bellwether:failure:{}", self.0)
    }
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Problem {
    pub fn new(status: StatusCode, title: &'static str) -> Problem {
        Problem {
            r#type: "about:blank",
            title,
            status: status.as_u16(),
            detail: String::new(),
            instance: None,
        }
    }

    pub fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "bad request").detail(detail)
    }

    /// A failure of ours; the log has the cause, the answer doesn't.
    pub fn internal(doing: &'static str, error: &dyn std::error::Error) -> Problem {
        Problem::failed(doing, &crate::tick::chain(error))
    }

    /// As [`Problem::internal`], with the cause in words.
    pub fn failed(doing: &'static str, why: &str) -> Problem {
        let instance = Failure::next();
        tracing::error!(error = why, doing, %instance, "a request failed");
        let detail = format!("{doing} failed; the log of Bellwether says why, at {instance}");
        let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error");
        Problem {
            instance: Some(instance),
            ..problem.detail(detail)
        }
    }

    pub fn status(&self) -> u16 {
        self.status
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Problem {
        self.detail = detail.into();
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let content_type = HeaderValue::from_static("application/problem+json");
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
        response
    }
}

/// Refusals of the framework, which are plain text, as problems; everything else as it is.
pub async fn or_problem(response: Response) -> Response {
    let status = response.status();
    let is_plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(status.is_client_error() || status.is_server_error()) || !is_plain {
        return response;
    }
    let text = axum::body::to_bytes(response.into_body(), TEXT_BYTES_MAX).await;
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
    let (title, detail) = match status {
        StatusCode::BAD_REQUEST => ("bad request", text),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "body too large",
            format!("a body may have {BODY_BYTES_MAX} bytes"),
        ),
        StatusCode::GATEWAY_TIMEOUT => ("no answer in time", text),
        _ => (status.canonical_reason().unwrap_or("refused"), text),
    };
    Problem::new(status, title).detail(detail).into_response()
}
