//! `/ui/`: the operator's pages, which `make ui` builds, as a part of the binary.
//!
//! They hold no data, so anyone may load them; what they show they ask of the guarded API. One page
//! answers to every address, which the script in it reads; what it loads lies beside it.

mod page;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::compression::accepts_gzip;
use super::problem::Problem;
use super::visible;
use page::Page;

/// Where the pages are, below the base path.
pub const AT: &str = "/ui/";
const INDEX: &str = "index.html";
/// Files whose names change with what is in them.
const HASHED: &str = "assets/";
/// The gzipped form of a file, which `make ui` puts beside it.
const GZIPPED: &str = ".gz";
const A_YEAR: &str = "public, max-age=31536000, immutable";

#[derive(rust_embed::Embed)]
#[folder = "../../ui/dist"]
struct Built;

/// The pages of this binary.
pub struct Pages {
    /// None where they were not built.
    page: Option<Page>,
    files: BTreeMap<String, File>,
}

struct File {
    kind: &'static str,
    /// Without the quotes.
    tag: String,
    plain: Bytes,
    gzipped: Option<Bytes>,
}

impl Pages {
    /// What was there when the binary was built, to be served below a base path.
    pub fn built(base: &str) -> Pages {
        let files = Built::iter().filter_map(|path| {
            let data = match Built::get(&path)?.data {
                Cow::Borrowed(data) => Bytes::from_static(data),
                Cow::Owned(data) => Bytes::from(data),
            };
            Some((path.into_owned(), data))
        });
        Pages::of(base, files.collect())
    }

    fn of(base: &str, mut found: BTreeMap<String, Bytes>) -> Pages {
        let page = found.remove(INDEX);
        let page = page.and_then(|html| Page::of(base, std::str::from_utf8(&html).ok()?));
        let gzipped = |path: &str| found.get(&format!("{path}{GZIPPED}")).cloned();
        let plain = found.iter().filter(|(path, _)| !path.ends_with(GZIPPED));
        let files = plain.map(|(path, data)| {
            let file = File {
                kind: kind(path),
                tag: blake3::hash(data).to_hex()[..16].to_owned(),
                plain: data.clone(),
                gzipped: gzipped(path),
            };
            (path.clone(), file)
        });
        Pages {
            page,
            files: files.collect(),
        }
    }

    pub fn are_built(&self) -> bool {
        self.page.is_some()
    }

    /// The file of a path below `/ui/`, or the page that is shown there.
    fn answer(&self, path: &str, headers: &HeaderMap) -> Result<Response, Problem> {
        let page = self.page.as_ref().ok_or_else(not_built)?;
        if let Some(file) = self.files.get(path) {
            return Ok(file.answer(path.starts_with(HASHED), headers));
        }
        if !may_be_page(path) {
            let why = format!("the pages have no file {}", visible(path));
            return Err(Problem::new(StatusCode::NOT_FOUND, "no such file").detail(why));
        }
        page.answer()
    }
}

/// Whether the page is to make sense of a path; names of services have dots, files lie at the top.
fn may_be_page(path: &str) -> bool {
    let is_odd = |part: &str| matches!(part, "." | "..");
    let is_file = !path.contains('/') && path.contains('.');
    !path.starts_with(HASHED) && !is_file && !path.split('/').any(is_odd)
}

fn not_built() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no pages").detail(
        "this binary was built without the operator's pages: `make ui` builds them (it needs node and npm), `make build` then builds a binary that has them; the API is there",
    )
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        _ => "application/octet-stream",
    }
}

impl File {
    fn answer(&self, is_hashed: bool, headers: &HeaderMap) -> Response {
        let gzipped = self.gzipped.as_ref().filter(|_| accepts_gzip(headers));
        // Another form of it is another entity.
        let form = if gzipped.is_some() { "-gzip" } else { "" };
        let tag = format!("\"{}{form}\"", self.tag);
        let kept = if is_hashed { A_YEAR } else { "no-cache" };
        let has_it = has_tag(headers, &tag);
        let mut response = match (has_it, gzipped) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, Some(gzipped)) => {
                ([(header::CONTENT_ENCODING, "gzip")], gzipped.clone()).into_response()
            }
            (false, None) => self.plain.clone().into_response(),
        };
        let about = response.headers_mut();
        if !has_it {
            about.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        }
        about.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
        if self.gzipped.is_some() {
            about.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            about.insert(header::ETAG, tag);
        }
        response
    }
}

/// Whether the client has the entity of this tag already.
fn has_tag(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get(header::IF_NONE_MATCH);
    let given = given.and_then(|tags| tags.to_str().ok()).unwrap_or("");
    let mut given = given
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"));
    given.any(|given| given == tag)
}

/// Whether somebody's browser asks, and not a program.
pub fn wants_pages(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT);
    let accepted = accepted.and_then(|kinds| kinds.to_str().ok()).unwrap_or("");
    accepted.split(',').any(|kind| {
        kind.split(';')
            .next()
            .is_some_and(|kind| kind.trim() == "text/html")
    })
}

/// `/ui`, which would lead relative addresses astray.
pub async fn entry() -> Redirect {
    Redirect::permanent(AT)
}

/// `/ui/`.
pub async fn first(
    Extension(pages): Extension<Arc<Pages>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    pages.answer("", &headers)
}

/// Everything below.
pub async fn below(
    Extension(pages): Extension<Arc<Pages>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    pages.answer(&path, &headers)
}

#[cfg(test)]
mod tests;
