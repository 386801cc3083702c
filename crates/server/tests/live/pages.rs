//! The operator's pages, as the running binary serves them. Where it was built without them
//! (`make ui`), it says so; what else is held there is the same.

use std::fs;
use std::path::Path;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, Response};

use crate::harness::{Bellwether, client, folder, free_port, until};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

fn are_built() -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../ui/dist/index.html")
        .exists()
}

async fn ask(method: Method, url: String, headers: &[(&str, &str)]) -> Response {
    let mut request = client().request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

async fn get(url: String, headers: &[(&str, &str)]) -> Response {
    ask(Method::GET, url, headers).await
}

fn of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).map(|value| value.to_str().unwrap());
    value.unwrap_or_default()
}

/// Waits where `base` answers, which the harness doesn't know.
async fn start(dir: &Path, server: &str, base: &str) -> Bellwether {
    let port = free_port();
    let config =
        format!("prometheus: {{ url: 'http://127.0.0.1:{port}' }}\nserver: {{ {server} }}\n");
    let bellwether = Bellwether::spawned(dir, &config);
    let health = format!("{}{base}/healthz", bellwether.url);
    until("Bellwether", Duration::from_secs(30), || async {
        let answer = client().get(&health).send().await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
    bellwether
}

/// What the page loads, as it says it.
fn loaded(page: &str) -> Vec<String> {
    page.split("=\"./")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_access_control_anyone_loads_the_pages_and_nothing_else() {
    let dir = folder();
    let line = access::new_password_line("kim", access::Role::Viewer, "hunter2-kim").unwrap();
    fs::write(dir.path().join("users"), line + "\n").unwrap();
    let users = dir.path().join("users");
    let auth = format!(
        "auth: {{ users_file: '{}' }}, base_path: /bell",
        users.display()
    );
    let bellwether = start(dir.path(), &auth, "/bell").await;
    let root = &bellwether.url;
    let url = format!("{root}/bell");

    assert_eq!(get(format!("{url}/api/v1/status"), &[]).await.status(), 401);
    assert_eq!(get(format!("{root}/ui/"), &[]).await.status(), 404);
    let led = get(format!("{url}/ui"), &[]).await;
    assert_eq!(led.status(), 308);
    assert_eq!(of(led.headers(), "location"), "/bell/ui/");
    let rebound = get(format!("{url}/ui/"), &[("host", "rebound.example")]).await;
    assert_eq!(rebound.status(), 403);
    let posted = ask(Method::POST, format!("{url}/ui/"), &[]).await;
    assert!([401, 405].contains(&posted.status().as_u16()), "{posted:?}");

    let page = get(format!("{url}/ui/incidents/1"), &[]).await;
    let front = get(format!("{url}/"), &[BROWSER]).await;
    if !are_built() {
        assert_eq!(page.status(), 503);
        assert!(page.text().await.unwrap().contains("make ui"));
        assert_eq!(front.status(), 200);
        return;
    }
    assert_eq!(front.status(), 303);
    assert_eq!(of(front.headers(), "location"), "/bell/ui/");
    assert_eq!(page.status(), 200);
    let headers = page.headers().clone();
    assert_eq!(of(&headers, "cache-control"), "no-store");
    assert_eq!(of(&headers, "x-frame-options"), "DENY");
    assert_eq!(of(&headers, "x-content-type-options"), "nosniff");
    let policy = of(&headers, "content-security-policy");
    let nonce = policy.split("'nonce-").nth(1).expect("a nonce");
    let nonce = nonce.split('\'').next().unwrap();
    let text = page.text().await.unwrap();
    assert!(text.contains("<base href=\"/bell/ui/\""), "{text}");
    assert!(text.contains(&format!("nonce=\"{nonce}\"")), "{text}");

    let files = loaded(&text);
    assert!(files.len() > 3, "{files:?}");
    for file in files {
        let answer = get(format!("{url}/ui/{file}"), &[]).await;
        assert_eq!(answer.status(), 200, "{file}");
        let kept = of(answer.headers(), "cache-control");
        assert_eq!(
            kept.contains("immutable"),
            file.starts_with("assets/"),
            "{file}"
        );
        let tag = of(answer.headers(), "etag").to_owned();
        let again = get(format!("{url}/ui/{file}"), &[("if-none-match", &tag)]).await;
        assert_eq!(again.status(), 304, "{file}");
        assert_eq!(
            of(again.headers(), "cache-control"),
            kept.to_owned(),
            "{file}"
        );
    }
    for path in ["assets/none.js", "..%2f..%2fusers", "robots.txt"] {
        let missing = get(format!("{url}/ui/{path}"), &[]).await;
        assert_eq!(missing.status(), 404, "{path}");
    }
    let head = ask(Method::HEAD, format!("{url}/ui/"), &[]).await;
    assert_eq!(head.status(), 200);
    assert!(of(head.headers(), "content-security-policy").contains("'nonce-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_the_list_of_routes_and_long_answers_are_gzipped() {
    let dir = folder();
    let bellwether = start(dir.path(), "", "").await;
    let url = &bellwether.url;
    for accept in ["*/*", "application/json"] {
        let front = get(format!("{url}/"), &[("accept", accept)]).await;
        assert_eq!(front.status(), 200);
        assert!(front.text().await.unwrap().starts_with("Bellwether"));
    }
    let plain = get(
        format!("{url}/api/v1/openapi.json"),
        &[("accept-encoding", "identity")],
    )
    .await;
    assert_eq!(of(plain.headers(), "content-encoding"), "");
    let plain = plain.bytes().await.unwrap();
    let as_it_comes = reqwest::Client::builder().no_proxy().gzip(false);
    let as_it_comes = as_it_comes.build().expect("a plain client");
    let gzipped = |path: &str| {
        let request = as_it_comes.get(format!("{url}{path}"));
        request.header("accept-encoding", "gzip").send()
    };
    let small = gzipped("/api/v1/openapi.json").await.unwrap();
    assert_eq!(of(small.headers(), "content-encoding"), "gzip");
    assert_eq!(of(small.headers(), "vary"), "accept-encoding");
    assert_eq!(
        of(small.headers(), "content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'"
    );
    let small = small.bytes().await.unwrap();
    assert!(
        small.len() * 5 < plain.len(),
        "{} of {}",
        small.len(),
        plain.len()
    );
    let stream = gzipped("/api/v1/stream").await.unwrap();
    assert_eq!(of(stream.headers(), "content-encoding"), "");
}
