//! Answers made small on the way, where the client takes gzip: texts that are whole already and long
//! enough. What streams goes as it comes.

use std::io::Write;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Shorter ones fit a packet or two as they are.
const BYTES_MIN: u64 = 1_024;
/// Longer ones take milliseconds, for which others should not wait.
const AT_ONCE_MAX: usize = 64 << 10;

/// Whether a client takes gzip.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
    let codings = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    let is_gzip = |coding: &str| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").map(str::parse::<f64>);
        name.trim().eq_ignore_ascii_case("gzip") && matches!(weight, Some(Ok(q)) if q > 0.0)
    };
    codings.into_iter().any(is_gzip)
}

/// Makes answers small.
pub async fn compress(request: Request, next: Next) -> Response {
    let accepted = accepts_gzip(request.headers());
    let is_head = *request.method() == Method::HEAD;
    let mut response = next.run(request).await;
    if !is_text(response.headers()) || response.headers().contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    let by_coding = HeaderValue::from_static(header::ACCEPT_ENCODING.as_str());
    let varies = response.headers().get_all(header::VARY);
    if !varies.iter().any(|by| *by == by_coding) {
        response.headers_mut().append(header::VARY, by_coding);
    }
    let length = response.body().size_hint().exact();
    let is_long = length.is_some_and(|length| length >= BYTES_MIN);
    if is_head || !accepted || !is_long {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // It is whole, so that it can neither fail nor grow.
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let Some(gzipped) = gzipped(bytes.clone()).await else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(parts, Body::from(gzipped))
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    kind == "application/json"
        || kind == "image/svg+xml"
        || kind.ends_with("+json")
        || kind.starts_with("text/") && kind != "text/event-stream"
}

/// None where it can't be done: then it goes as it is.
async fn gzipped(bytes: Bytes) -> Option<Vec<u8>> {
    if bytes.len() <= AT_ONCE_MAX {
        return gzip(&bytes).ok();
    }
    let work = tokio::task::spawn_blocking(move || gzip(&bytes));
    work.await.ok()?.ok()
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let room = Vec::with_capacity(bytes.len() / 4);
    let mut encoder = GzEncoder::new(room, Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use axum::{Router, middleware::from_fn, routing::get};
    use flate2::read::GzDecoder;
    use tower::ServiceExt;

    use super::*;

    const JSON: &str = "application/json";

    async fn answered(
        method: Method,
        accepted: &str,
        kind: &'static str,
        body: fn() -> Body,
    ) -> Response {
        let answer = move || async move { ([(header::CONTENT_TYPE, kind)], body()) };
        let router: Router = Router::new()
            .route("/", get(answer))
            .layer(from_fn(compress));
        let request = Request::builder()
            .method(method)
            .header(header::ACCEPT_ENCODING, accepted)
            .body(Body::empty())
            .unwrap();
        router.oneshot(request).await.unwrap()
    }

    fn long() -> String {
        "{\"service\":\"payments\"}".repeat(5_000)
    }

    fn coding(response: &Response) -> Option<&str> {
        let coding = response.headers().get(header::CONTENT_ENCODING);
        coding.map(|coding| coding.to_str().unwrap())
    }

    #[tokio::test]
    async fn long_texts_are_gzipped_for_those_who_take_it() {
        let response = answered(Method::GET, "br, gzip;q=0.5", JSON, || long().into()).await;
        assert_eq!(coding(&response), Some("gzip"));
        assert_eq!(response.headers()[header::VARY], "accept-encoding");
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(bytes.len() < long().len() / 20, "{}", bytes.len());
        let mut text = String::new();
        GzDecoder::new(&bytes[..])
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, long());
    }

    #[tokio::test]
    async fn everything_else_goes_as_it_is() {
        for accepted in ["", "identity", "br", "gzip;q=0", "gzip;q=much", "gzipped"] {
            let response = answered(Method::GET, accepted, JSON, || long().into()).await;
            assert_eq!(coding(&response), None, "{accepted}");
            assert_eq!(response.headers()[header::VARY], "accept-encoding");
            let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert_eq!(bytes, long());
        }
        let short = answered(Method::GET, "gzip", JSON, || "{}".into()).await;
        assert_eq!(coding(&short), None);
        let image = answered(Method::GET, "gzip", "image/png", || long().into()).await;
        assert_eq!(coding(&image), None);
        assert!(!image.headers().contains_key(header::VARY));
        let streamed = || {
            let parts = [Ok::<_, std::io::Error>(long())];
            Body::from_stream(futures_util::stream::iter(parts))
        };
        let stream = answered(Method::GET, "gzip", "text/csv", streamed).await;
        assert_eq!(coding(&stream), None);
    }

    #[tokio::test]
    async fn head_has_the_length_of_the_plain_text() {
        let response = answered(Method::HEAD, "gzip", JSON, || long().into()).await;
        assert_eq!(coding(&response), None);
        let length = long().len().to_string();
        assert_eq!(response.headers()[header::CONTENT_LENGTH], *length);
    }
}
