//! Errors as RFC 9457 problem details.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What went wrong with a request, and what to do.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl Problem {
    pub fn new(status: StatusCode, title: &'static str) -> Problem {
        Problem {
            r#type: "about:blank",
            title,
            status: status.as_u16(),
            detail: String::new(),
        }
    }

    pub fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "bad request").detail(detail)
    }

    /// A failure of ours; the log has the cause, the answer doesn't.
    pub fn internal(doing: &'static str, error: &dyn std::error::Error) -> Problem {
        tracing::error!(error = %crate::tick::chain(error), doing, "a request failed");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
            .detail(format!("{doing} failed; the log of Bellwether says why"))
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
