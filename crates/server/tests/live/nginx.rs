//! A real NGINX with `deploy/nginx.conf` in front of the binary with `deploy/bellwether.yaml`: what
//! people and scripts do works over HTTPS, and nothing passes without access control.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use domain::Timestamp;
use reqwest::{Client, RequestBuilder, Response, Version};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::deployed::{PASSWORD, configuration, let_in, shipped, substituted};
use crate::fake::{FakePrometheus, FakeService};
use crate::harness::{Bellwether, Process, client, figure, folder, free_port, until};

const LINE: &str = "spring 4";
const PATIENCE: Duration = Duration::from_secs(30);
/// What a buffer would hold back for much longer.
const AT_ONCE: Duration = Duration::from_secs(3);
/// The name that the shipped file has, which is resolved here to a port of ours.
const NAME: &str = "ops.example";
const SITE: &str = "https://ops.example";
const QUICK: &str = "tick: 1s
evaluation_delay: 1s
decide: { open_after: 1s, critical_after: 1s }
training: { window: 1h, window_min_samples: 60, min_samples: 1000000, schedule: 30d, max_age: 60d }";
/// Enough of HTML to tell the pages, built or not, from an error.
const PAGE: &str = "<html";

/// NGINX, and who comes to it as a browser would.
struct Proxy {
    https: Client,
    http_port: u16,
    _process: Process,
}

impl Proxy {
    /// In front of a Bellwether, in a folder of its own.
    async fn start(dir: &Path, bellwether: &Bellwether) -> Proxy {
        fs::create_dir(dir).unwrap();
        let (http_port, https_port) = (free_port(), free_port());
        certificate(dir);
        let upstream = bellwether.url.strip_prefix("http://").unwrap();
        let site = substituted(
            &shipped("nginx.conf"),
            &[
                ("listen 80;", &format!("listen 127.0.0.1:{http_port};")),
                ("listen [::]:80;", &format!("listen 127.0.0.2:{http_port};")),
                ("listen 443 ", &format!("listen 127.0.0.1:{https_port} ")),
                (
                    "listen [::]:443 ",
                    &format!("listen 127.0.0.2:{https_port} "),
                ),
                ("server 127.0.0.1:9092;", &format!("server {upstream};")),
                ("/etc/nginx/bellwether/", &format!("{}/", dir.display())),
            ],
        );
        fs::write(dir.join("site.conf"), site).unwrap();
        let process = run_nginx(dir);
        let https = https_client(dir, https_port);
        until("NGINX", PATIENCE, || async {
            https.get(SITE).send().await.ok()
        })
        .await;
        Proxy {
            https,
            http_port,
            _process: process,
        }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.https.get(format!("{SITE}{path}"))
    }

    /// As a page of the site asks for a change.
    fn post(&self, path: &str, body: Option<Value>) -> RequestBuilder {
        let request = self.https.post(format!("{SITE}{path}"));
        let request = request
            .header("origin", SITE)
            .header("sec-fetch-site", "same-origin");
        match body {
            Some(body) => request.json(&body),
            None => request,
        }
    }

    /// Gives the cookie of the session.
    async fn log_in(&self) -> String {
        let body = json!({ "name": "kim", "password": PASSWORD });
        // What a client says of itself is nobody's word but its own.
        let request = self.post("/api/v1/login", Some(body));
        let request = request.header("x-forwarded-for", "192.0.2.9");
        let request = request.header("forwarded", "for=192.0.2.9;proto=http");
        let answer = answered(request, 200).await;
        let cookie = header(&answer, "set-cookie");
        assert!(cookie.to_lowercase().ends_with("; secure"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }
}

/// A self-signed certificate for the name; not one of an authority, so that clients take it as it is.
fn certificate(dir: &Path) {
    let request = format!(
        "[req]\nprompt = no\ndistinguished_name = name\nx509_extensions = own\n\
         [name]\nCN = {NAME}\n\
         [own]\nbasicConstraints = critical,CA:FALSE\nsubjectAltName = DNS:{NAME}\n"
    );
    fs::write(dir.join("request.conf"), request).unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-days", "1", "-nodes", "-newkey", "ec"])
        .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-config", "request.conf"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(dir)
        .stderr(Stdio::null())
        .status()
        .expect("openssl is installed (apt-get install openssl)");
    assert!(made.success());
}

/// One process in the foreground, so that ending it ends all of it.
fn run_nginx(dir: &Path) -> Process {
    let here = dir.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("    {kind}_temp_path {here}/{kind};\n"))
        .collect();
    let whole = format!(
        "daemon off;\nmaster_process off;\npid {here}/pid;\nevents {{}}\n\
         http {{\n    access_log off;\n{temporary}    include {here}/site.conf;\n}}\n"
    );
    fs::write(dir.join("nginx.conf"), whole).unwrap();
    let log = fs::File::create(dir.join("nginx.log")).unwrap();
    // It lies where only root's path leads on some systems.
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let child = Command::new("env")
        .arg(format!("PATH={path}"))
        .args(["nginx", "-e", "stderr", "-p"])
        .arg(dir)
        .arg("-c")
        .arg(dir.join("nginx.conf"))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("nginx is installed (apt-get install nginx-light)");
    Process(child)
}

/// Knows the one certificate, and where the name is.
fn https_client(dir: &Path, port: u16) -> Client {
    // Once, so that TLS has its provider.
    drop(client());
    let certificate = fs::read(dir.join("certificate.pem")).unwrap();
    let certificate = reqwest::Certificate::from_pem(&certificate).unwrap();
    Client::builder()
        .no_proxy()
        .tls_certs_only([certificate])
        .resolve(NAME, ([127, 0, 0, 1], port).into())
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

async fn answered(request: RequestBuilder, status: u16) -> Response {
    let answer = request.send().await.expect("an answer");
    if answer.status() != status {
        let (found, url) = (answer.status(), answer.url().clone());
        panic!(
            "{url}: {found}: {}",
            answer.text().await.unwrap_or_default()
        );
    }
    answer
}

async fn json_of(request: RequestBuilder) -> Value {
    let answer = answered(request, 200).await;
    answer.json().await.expect("JSON")
}

fn header(answer: &Response, name: &str) -> String {
    let value = answer.headers().get(name);
    value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}

/// Writes a log line of a service at an instant.
fn log_line(dir: &Path, service: &str, at: Timestamp) {
    let folder = dir.join("logs").join(service);
    fs::create_dir_all(&folder).unwrap();
    let line = json!({
        "@timestamp": at.to_string(),
        "log.level": "ERROR",
        "message": "seen through the proxy",
        "service.name": service,
    });
    fs::write(folder.join("app.json"), format!("{line}\n")).unwrap();
}

async fn one_sick_service() -> FakePrometheus {
    let sick = FakeService {
        cpu: 99.0,
        ..FakeService::calm("sick")
    };
    FakePrometheus::start(vec![FakeService::calm("calm"), sick]).await
}

/// A Bellwether as shipped with an incident, and NGINX in front of it.
async fn site() -> (TempDir, FakePrometheus, Bellwether, Proxy, String) {
    let dir = folder();
    let fake = one_sick_service().await;
    let token = let_in(dir.path());
    let config = format!("{}\n{QUICK}", configuration(dir.path(), &fake.url));
    let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    let proxy = Proxy::start(&dir.path().join("nginx"), &bellwether).await;
    until("an incident", PATIENCE, || async {
        let request = proxy.get("/api/v1/incidents").bearer_auth(&token);
        let page = json_of(request).await;
        (!page["items"].as_array()?.is_empty()).then_some(())
    })
    .await;
    (dir, fake, bellwether, proxy, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_log_in_and_the_four_routes_work_over_https() {
    let (dir, _fake, _bellwether, proxy, token) = site().await;

    let page = answered(proxy.get("/ui/").header("accept", "text/html"), 200).await;
    assert_eq!(page.version(), Version::HTTP_2);
    let hsts = header(&page, "strict-transport-security");
    assert_eq!(hsts, "max-age=31536000");
    let page = page.text().await.unwrap().to_lowercase();
    assert!(page.contains(PAGE), "{page}");

    answered(proxy.get("/services"), 401).await;
    let cookie = proxy.log_in().await;
    let asked = |path: &str| proxy.get(path).header("cookie", &cookie);
    let services = json_of(asked("/services")).await;
    let ids: Vec<&Value> = services["items"].as_array().unwrap().iter().collect();
    assert_eq!(ids.len(), 2, "{services}");
    let metrics = json_of(asked("/metrics?service=sick")).await;
    let metrics = metrics["metrics"].as_array().unwrap();
    let cpu = metrics.iter().find(|metric| metric["id"] == "cpu").unwrap();
    assert_eq!(cpu["severity"], "Critical", "{cpu}");
    let event_ts: Timestamp = cpu["event_ts"].as_str().unwrap().parse().unwrap();
    log_line(dir.path(), "sick", event_ts);
    let path = format!("/logs?service=sick&event_ts={event_ts}");
    let logs = until("the log line", PATIENCE, || async {
        let logs = json_of(asked(&path)).await.to_string();
        logs.contains("seen through the proxy").then_some(logs)
    })
    .await;
    assert!(logs.contains("ERROR"), "{logs}");

    let retrain = |origin: &str| {
        let request = proxy.https.post(format!("{SITE}/retrain?service=calm"));
        request.header("cookie", &cookie).header("origin", origin)
    };
    answered(retrain("https://evil.example"), 403).await;
    let job = answered(retrain(SITE), 202).await;
    let job = header(&job, "location");
    json_of(asked(&job)).await;

    // Who asked is known by the address of the client, not by what it says of itself.
    let spoofed = proxy
        .get("/services")
        .header("x-forwarded-for", "192.0.2.9");
    let spoofed = spoofed.header("x-forwarded-host", "evil.example");
    answered(spoofed.bearer_auth(&token), 200).await;
    let trail = json_of(proxy.get("/api/v1/audit").bearer_auth(&token)).await;
    let of_login = trail["items"].as_array().unwrap().iter();
    let mut of_login = of_login.filter(|item| item["action"] == "POST /api/v1/login");
    assert_eq!(of_login.next().unwrap()["address"], "127.0.0.1");
    figure(
        LINE,
        "NGINX with TLS: pages, log-in, /services, /metrics, /logs, POST /retrain",
        "all answer as they do without it",
        "all",
        true,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_through_the_proxy_at_once() {
    let (_dir, _fake, _bellwether, proxy, _token) = site().await;
    let cookie = proxy.log_in().await;
    let began = Instant::now();
    let stream = proxy.get("/api/v1/stream").header("cookie", &cookie);
    let mut stream = answered(stream, 200).await;
    assert_eq!(header(&stream, "content-type"), "text/event-stream");
    let mut text = String::new();
    arrives(&mut stream, &mut text, "event: hello", AT_ONCE).await;
    assert!(began.elapsed() < AT_ONCE);

    // What one person does, another one's page is told; each event is small, and none is held back.
    for number in 0..3 {
        let note = format!("comment {number}");
        let path = "/api/v1/incidents/1/comment";
        let comment = proxy.post(path, Some(json!({ "note": note })));
        answered(comment.header("cookie", &cookie), 200).await;
        arrives(&mut stream, &mut text, &note, AT_ONCE).await;
    }
    arrives(&mut stream, &mut text, "event: tick", AT_ONCE).await;
    figure(
        LINE,
        "NGINX with TLS: events of the stream, each when it happens",
        format!("hello, 3 comments, a tick, each within {AT_ONCE:?}"),
        "each at once",
        true,
    );
}

/// Reads on until the text has come.
async fn arrives(stream: &mut Response, text: &mut String, wanted: &str, within: Duration) {
    let reading = async {
        while !text.contains(wanted) {
            let piece = stream.chunk().await.expect("the stream goes on");
            let piece = piece.expect("the stream goes on");
            text.push_str(&String::from_utf8_lossy(&piece));
        }
    };
    let read = tokio::time::timeout(within, reading).await;
    assert!(read.is_ok(), "no {wanted:?} within {within:?}: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_leads_to_https_and_open_servers_refuse_what_is_forwarded() {
    let dir = folder();
    let fake = one_sick_service().await;
    // Without `auth`, as somebody has it who puts a proxy in front and does nothing else.
    let config = format!(
        "prometheus: {{ url: '{}' }}\nserver: {{ external_url: '{SITE}' }}\n{QUICK}",
        fake.url
    );
    let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    assert_eq!(bellwether.get("/services").await.0, 200);
    let proxy = Proxy::start(&dir.path().join("nginx"), &bellwether).await;

    for path in ["/services", "/ui/", "/healthz", "/metrics?service=sick"] {
        let refused = answered(proxy.get(path), 403).await;
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(
            problem["detail"],
            "the request came through a proxy, and there is no access control; set server.auth, \
             or server.unsafe_listen if everyone who reaches the proxy may see and change everything"
        );
    }
    answered(proxy.post("/retrain", None), 403).await;

    for host in [NAME, "evil.example"] {
        let url = format!("http://127.0.0.1:{}/logs?service=a&b=c", proxy.http_port);
        let led = answered(client().get(url).header("host", host), 308).await;
        let to = header(&led, "location");
        assert_eq!(to, "https://ops.example/logs?service=a&b=c");
    }
    figure(
        LINE,
        "forwarded requests without access control",
        "403 on 5 of 5, with the way out",
        "refused",
        true,
    );
}
