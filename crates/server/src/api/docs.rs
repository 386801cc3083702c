//! `/api/v1/openapi.json` and `/api/v1/docs`: the description of the API, and a page that shows it.
//! The page has nothing from elsewhere, and runs no script but its own.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::OpenApi;

use super::openapi::{NotThere, words};
use super::problem::Problem;
use super::visible;

const PAGE: &str = include_str!("docs/page.html");
const FILES: [(&str, &str, &str); 2] = [
    (
        "page.css",
        "text/css; charset=utf-8",
        include_str!("docs/page.css"),
    ),
    (
        "page.js",
        "text/javascript; charset=utf-8",
        include_str!("docs/page.js"),
    ),
];

/// The page may load its own style and script, and ask this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

words! {
    /// What the page loads.
    PageFile: "page.css", "page.js";
}

/// The document as it is served, with its entity tag.
pub struct Served {
    body: Bytes,
    tag: HeaderValue,
}

impl Served {
    pub fn of(document: &OpenApi) -> Served {
        // A description is texts and numbers: nothing that can't be written as JSON.
        let body = serde_json::to_vec(document).unwrap_or_default();
        let hash = blake3::hash(&body).to_hex();
        let tag = HeaderValue::from_str(&format!("\"{}\"", &hash[..16]));
        Served {
            tag: tag.unwrap_or_else(|_| HeaderValue::from_static("\"0\"")),
            body: body.into(),
        }
    }
}

/// This document: OpenAPI 3.1.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "description",
    params(("if-none-match" = Option<String>, Header, description = "The ETag of the document that is there already.")),
    responses(
        (status = 200, description = "The document.", body = serde_json::Value, content_type = "application/json",
            headers(("etag" = String, description = "Changes with the document."))),
        (status = 304, description = "It is the one of If-None-Match."),
))]
pub async fn document(Extension(served): Extension<Arc<Served>>, headers: HeaderMap) -> Response {
    let has_it = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| {
            let given = tags
                .split(',')
                .map(|tag| tag.trim().trim_start_matches("W/"));
            given
                .into_iter()
                .any(|tag| tag.as_bytes() == served.tag.as_bytes())
        });
    let about = [
        (header::ETAG, served.tag.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
    ];
    if has_it {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (about, served.body.clone()).into_response()
}

/// A page that shows this document.
#[utoipa::path(get, path = "/api/v1/docs", tag = "description", responses(
    (status = 200, description = "For people.", body = String, content_type = "text/html"),
))]
pub async fn page() -> Response {
    answered("text/html; charset=utf-8", PAGE)
}

/// What the page loads.
#[utoipa::path(get, path = "/api/v1/docs/{file}", tag = "description",
    params(("file" = inline(PageFile), Path, description = "Its style, or its script.")),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/css"),
            (String = "text/javascript"),
        )),
        NotThere,
))]
pub async fn file(Path(file): Path<String>) -> Result<Response, Problem> {
    let found = FILES.iter().find(|(name, ..)| *name == file);
    let found = found.map(|(_, kind, text)| answered(kind, text));
    found.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "no such file")
            .detail(format!("the page has no file {}", visible(&file)))
    })
}

fn answered(kind: &'static str, text: &'static str) -> Response {
    let about = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (about, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Markup out of data, or anything of another host, has no way in.
    #[test]
    fn the_page_writes_text_only_and_loads_nothing_from_elsewhere() {
        let [(.., style), (.., script)] = FILES;
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ] {
            assert!(!script.contains(word), "{word}");
        }
        for text in [PAGE, style, script] {
            assert!(!text.contains("http://") && !text.contains("https://"));
        }
        for inline in ["<style", "style=", "onclick", "<script>"] {
            assert!(!PAGE.contains(inline), "{inline}");
        }
    }
}
