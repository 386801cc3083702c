//! The pages, as a browser and as somebody who means harm asks for them.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use axum::routing::get;
use tower::ServiceExt;

use super::*;

const HTML: &str = "<head><base href=\"/ui/\" /><meta property=\"csp-nonce\" nonce=\"\" /></head>";
const SCRIPT: &str = "assets/index-B3x.js";

fn pages(base: &str) -> Pages {
    let files = [
        (INDEX, HTML),
        (SCRIPT, "import './x.js'"),
        ("assets/index-B3x.js.gz", "gzipped"),
        ("assets/index-C4y.css", "a {}"),
        ("favicon.svg", "<svg/>"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), Bytes::from(text)));
    Pages::of(base, files.into())
}

async fn ask(pages: Pages, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let router: Router = Router::new()
        .route("/ui", get(entry))
        .route("/ui/", get(first))
        .route("/ui/{*path}", get(below))
        .layer(Extension(Arc::new(pages)));
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    router.oneshot(request).await.unwrap()
}

async fn got(path: &str, headers: &[(&str, &str)]) -> Response {
    ask(pages(""), Method::GET, path, headers).await
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    String::from_utf8(bytes.unwrap().into()).unwrap()
}

fn header_of<'a>(response: &'a Response, name: &str) -> &'a str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn every_address_of_a_page_is_answered_with_the_page() {
    for path in [
        "/ui/",
        "/ui/incidents",
        "/ui/incidents/7?range=6h",
        "/ui/services/payments.v2",
        "/ui/services/eu%2Fpayments",
        "/ui/nowhere/at/all",
    ] {
        let response = got(path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(
            header_of(&response, "content-type"),
            "text/html; charset=utf-8"
        );
        assert_eq!(header_of(&response, "cache-control"), "no-store");
        assert_eq!(header_of(&response, "referrer-policy"), "same-origin");
        assert!(text(response).await.contains("<base href=\"/ui/\" />"));
    }
}

#[tokio::test]
async fn each_answer_has_a_nonce_of_its_own_in_header_and_page() {
    let mut nonces = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let response = got("/ui/", &[]).await;
        let policy = header_of(&response, "content-security-policy").to_owned();
        let nonce = policy.split("'nonce-").nth(1).unwrap();
        let nonce = nonce.split('\'').next().unwrap().to_owned();
        assert!(nonce.len() == 32 && nonce.bytes().all(|b| b.is_ascii_hexdigit()));
        let meta = format!("<meta property=\"csp-nonce\" nonce=\"{nonce}\" />");
        assert!(text(response).await.contains(&meta));
        for word in ["unsafe", "*", "http", "data:"] {
            assert!(!policy.contains(word), "{policy}");
        }
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; "));
        assert!(policy.ends_with("; frame-ancestors 'none'"));
        nonces.insert(nonce);
    }
    assert_eq!(nonces.len(), 20);
}

#[tokio::test]
async fn below_a_base_path_the_page_says_so() {
    let response = ask(pages("/ops/bell"), Method::GET, "/ui/logs", &[]).await;
    let page = text(response).await;
    assert!(page.contains("<base href=\"/ops/bell/ui/\" />"), "{page}");
}

#[tokio::test]
async fn hashed_files_are_kept_for_a_year_and_others_are_asked_for_again() {
    let script = got("/ui/assets/index-B3x.js", &[]).await;
    assert_eq!(header_of(&script, "cache-control"), A_YEAR);
    assert_eq!(
        header_of(&script, "content-type"),
        "text/javascript; charset=utf-8"
    );
    assert_eq!(text(script).await, "import './x.js'");
    let icon = got("/ui/favicon.svg", &[]).await;
    assert_eq!(header_of(&icon, "cache-control"), "no-cache");
    assert_eq!(header_of(&icon, "content-type"), "image/svg+xml");
    let tag = header_of(&icon, "etag").to_owned();
    assert_eq!(tag.len(), 18, "{tag}");
    let again = got(
        "/ui/favicon.svg",
        &[("if-none-match", &format!("\"x\", W/{tag}"))],
    )
    .await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(header_of(&again, "etag"), tag);
    assert_eq!(text(again).await, "");
}

#[tokio::test]
async fn the_gzipped_form_goes_to_those_who_take_it() {
    let gzipped = got(
        "/ui/assets/index-B3x.js",
        &[("accept-encoding", "gzip, br")],
    )
    .await;
    assert_eq!(header_of(&gzipped, "content-encoding"), "gzip");
    assert_eq!(header_of(&gzipped, "vary"), "accept-encoding");
    let tag = header_of(&gzipped, "etag").to_owned();
    assert_eq!(text(gzipped).await, "gzipped");
    let plain = got("/ui/assets/index-B3x.js", &[("if-none-match", &tag)]).await;
    assert_eq!(plain.status(), StatusCode::OK);
    assert_eq!(header_of(&plain, "content-encoding"), "");
    assert_eq!(header_of(&plain, "vary"), "accept-encoding");
}

#[tokio::test]
async fn what_is_not_there_is_not_the_page() {
    for path in [
        "/ui/assets/index-OLD.js",
        "/ui/assets/",
        "/ui/assets/index-B3x.js.gz",
        "/ui/assets/..%2findex.html",
        "/ui/assets/../assets/x",
        "/ui/../../etc/passwd",
        "/ui/..%2f..%2fetc%2fpasswd",
        "/ui/%2e%2e/%2e%2e/etc/passwd",
        "/ui/./incidents",
        "/ui/index.html",
        "/ui/robots.txt",
        "/ui/.env",
    ] {
        let response = got(path, &[]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            header_of(&response, "content-type"),
            "application/problem+json"
        );
    }
}

#[tokio::test]
async fn head_is_as_get_without_the_body() {
    for path in ["/ui/", "/ui/assets/index-B3x.js"] {
        let response = ask(pages(""), Method::HEAD, path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_ne!(header_of(&response, "content-type"), "");
        assert_eq!(text(response).await, "");
    }
    let posted = ask(pages(""), Method::POST, "/ui/", &[]).await;
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn without_the_slash_one_is_led_on() {
    let response = got("/ui", &[]).await;
    assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(header_of(&response, "location"), "/ui/");
}

#[tokio::test]
async fn a_binary_without_pages_says_how_to_build_them() {
    let half = [(INDEX.to_owned(), Bytes::from("<head></head>"))];
    for pages in [Pages::of("", BTreeMap::new()), Pages::of("", half.into())] {
        let response = ask(pages, Method::GET, "/ui/incidents", &[]).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(text(response).await.contains("make ui"));
    }
}

/// If there are pages, a change of `index.html` must not take the places away.
#[test]
fn the_pages_as_they_are_written_have_a_place_for_base_and_nonce() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/index.html");
    let html = std::fs::read_to_string(path).unwrap();
    assert!(Page::of("/x", &html).is_some());
    let has_page = Built::get(INDEX).is_some();
    assert_eq!(Pages::built("").are_built(), has_page);
}

#[test]
fn browsers_want_pages_and_programs_do_not() {
    let wants = |accepted: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accepted));
        wants_pages(&headers)
    };
    assert!(wants("text/html,application/xhtml+xml,*/*;q=0.8"));
    assert!(wants("application/json, text/html;q=0.1"));
    assert!(!wants("*/*") && !wants("application/json") && !wants(""));
}
