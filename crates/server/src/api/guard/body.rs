//! The body of a request, read before any work begins.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use futures_util::StreamExt;

use crate::api::BODY_BYTES_MAX;
use crate::api::problem::Problem;

/// A body that takes longer is given up.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A request with its body read, so that one too large or too slow is refused.
pub async fn with_whole_body(request: Request) -> Result<Request, Problem> {
    let too_large = || {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body too large")
            .detail(format!("a body may have {BODY_BYTES_MAX} bytes"))
    };
    let said = request.headers().get(header::CONTENT_LENGTH);
    let said = said.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(too_large());
    }
    let (head, body) = request.into_parts();
    let read = async {
        let mut whole = Vec::new();
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Problem::bad_request("the body is broken"))?;
            if whole.len() + piece.len() > BODY_BYTES_MAX {
                return Err(too_large());
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Bytes::from(whole))
    };
    let slow = |_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "body too slow")
            .detail("the body did not arrive within 30 seconds")
    };
    let body = tokio::time::timeout(BODY_TIMEOUT, read)
        .await
        .map_err(slow)??;
    Ok(Request::from_parts(head, Body::from(body)))
}
