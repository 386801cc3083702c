//! The API is what its document says: every operation is asked of the running binary, and every
//! answer must be one that the document describes, down to the last field.
//!
//! A new operation needs a row in `contract/rows.rs`; without one the test fails and names it.

mod document;
mod rows;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use simulator::{DEFAULT_JOB, Discovery, Span, Topology, prometheus_config, target_groups};
use tempfile::TempDir;

use crate::harness::{
    Bellwether, SimulatedFleet, client, figure, folder, free_port, scaled, until,
};
use crate::knobs::scripted::{Scripted, now};
use document::Document;

const PATIENCE: Duration = Duration::from_secs(90);
/// Of the one with access control.
const USER: &str = "kim";
const PASSWORD: &str = "correct horse battery staple";
const PAST: Duration = Duration::from_secs(12 * 3_600);
/// Levels far from any threshold; `alpha` then goes past Critical.
const SERVICES: [(&str, f64); 3] = [("alpha", 20.0), ("beta", 30.0), ("gamma", 40.0)];

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// One that reads a Prometheus, with models, logs and an incident.
    Reader,
    /// One that scrapes a simulated shop itself.
    Scraper,
    /// One with access control, and nothing to read.
    Guarded,
}

/// One request, and the status that it must have.
#[derive(Debug)]
struct Ask {
    /// As in the document: `GET /api/v1/incidents/{id}`.
    operation: &'static str,
    path: String,
    status: u16,
    of: Of,
    headers: Vec<(&'static str, String)>,
    body: Option<(&'static str, String)>,
}

impl Ask {
    fn new(operation: &'static str, path: impl Into<String>, status: u16) -> Ask {
        Ask {
            operation,
            path: path.into(),
            status,
            of: Of::Reader,
            headers: Vec::new(),
            body: None,
        }
    }

    fn json(self, body: Value) -> Ask {
        self.body("application/json", body.to_string())
    }

    fn body(mut self, kind: &'static str, body: impl Into<String>) -> Ask {
        self.body = Some((kind, body.into()));
        self
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Ask {
        self.headers.push((name, value.into()));
        self
    }

    fn of(mut self, of: Of) -> Ask {
        self.of = of;
        self
    }

    /// Asks, and says what the document doesn't describe of the answer.
    async fn checked(&self, client: &Client, url: &str, document: &Document) -> Vec<String> {
        let (method, template) = self.operation.split_once(' ').expect("a method and a path");
        let method: Method = method.parse().expect("a method");
        let mut request = client.request(method.clone(), format!("{url}{}", self.path));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some((kind, body)) = &self.body {
            request = request.header("content-type", *kind).body(body.clone());
        }
        let mut answer = request.timeout(PATIENCE).send().await.expect("an answer");
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type");
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().to_owned();
        // A stream of events has no end; what it says has tests of its own.
        let body = if kind == "text/event-stream" {
            String::new()
        } else {
            answer.text().await.expect("a text")
        };
        let mut wrong = document.wrong(&method, template, status, &kind, &body);
        if status != self.status {
            wrong.push(format!("{status} instead of {}: {body:.300}", self.status));
        }
        let asked = format!("{} {:.120}", method, self.path);
        wrong.iter().map(|why| format!("{asked}: {why}")).collect()
    }
}

/// What is asked, and what it stands on.
struct World {
    reader: Bellwether,
    scraper: Bellwether,
    guarded: Bellwether,
    /// The number of an incident of the reader.
    incident: u64,
    /// The id of a training job of the reader.
    job: String,
    /// Of the document.
    tag: String,
    _prometheus: Scripted,
    _fleet: SimulatedFleet,
    _folders: [TempDir; 3],
}

impl World {
    async fn start() -> World {
        let folders = [folder(), folder(), folder()];
        let (fleet, scraper) = scraper(folders[1].path()).await;
        let guarded = guarded(folders[2].path()).await;
        let prometheus = Scripted::start(&SERVICES, PAST).await;
        let reader = reader(&prometheus, folders[0].path()).await;
        prometheus.shift("alpha", 98.0);
        let incident = until("an incident with its explanation", PATIENCE, || async {
            let id = reader.incidents().await.first()?["id"].as_u64()?;
            let (_, whole) = reader.get(&format!("/api/v1/incidents/{id}")).await;
            let explained = whole["logs"].is_object() && whole["timeline"].is_array();
            explained.then_some(id)
        })
        .await;
        let (_, jobs) = reader.get("/api/v1/jobs").await;
        let job = jobs["items"][0]["id"].as_str().expect("a job").to_owned();
        let document = client().get(format!("{}/api/v1/openapi.json", reader.url));
        let document = document.send().await.expect("an answer");
        let tag = document.headers()["etag"].to_str().unwrap().to_owned();
        World {
            reader,
            scraper,
            guarded,
            incident,
            job,
            tag,
            _prometheus: prometheus,
            _fleet: fleet,
            _folders: folders,
        }
    }

    fn url(&self, of: Of) -> &str {
        match of {
            Of::Reader => &self.reader.url,
            Of::Scraper => &self.scraper.url,
            Of::Guarded => &self.guarded.url,
        }
    }
}

async fn reader(prometheus: &Scripted, dir: &Path) -> Bellwether {
    let logs = dir.join("logs/alpha");
    fs::create_dir_all(&logs).unwrap();
    let line = |before: i64, level: &str, message: &str| {
        let at = now() - Duration::from_secs(before as u64);
        let line = json!({"@timestamp": at.to_string(), "log.level": level, "message": message,
            "log.logger": "shop.Payments", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"});
        format!("{line}\n")
    };
    let mut lines: String = (0..300).rev().map(|s| line(s, "INFO", "paid")).collect();
    lines += &line(0, "ERROR", "no <b>connection</b> to bank 17");
    fs::write(logs.join("app.json"), lines).unwrap();
    let config = format!(
        "prometheus: {{ url: '{}' }}\n{}logs: [ {{ path: '{}' }} ]\n",
        prometheus.url,
        scaled(Duration::from_secs(1)),
        dir.join("logs/{service}/app.json").display(),
    );
    let reader = Bellwether::start(dir, &config, &[]).await;
    until("the past and models", PATIENCE, || async {
        let (_, status) = reader.get("/api/v1/status").await;
        let done = status["backfill"]["phase"] == "done";
        (done && status["models"] == SERVICES.len()).then_some(())
    })
    .await;
    reader
}

async fn scraper(dir: &Path) -> (SimulatedFleet, Bellwether) {
    let topology = Topology::shop();
    let fleet = SimulatedFleet::start(topology.clone(), 5, dir, None);
    let address = fleet.address.trim_start_matches("http://");
    let targets = Discovery::Static(target_groups(&topology, address));
    let targets = prometheus_config(&targets, Span::from_secs(1), DEFAULT_JOB);
    fs::write(dir.join("targets.yml"), targets).unwrap();
    let config = format!(
        "scrape: '{}'\npacks: [spring]\n{}",
        dir.join("targets.yml").display(),
        scaled(Duration::from_secs(1)),
    );
    let scraper = Bellwether::start(dir, &config, &[]).await;
    until("six services", PATIENCE, || async {
        let (_, services) = scraper.get("/services").await;
        (services["items"].as_array()?.len() == 6).then_some(())
    })
    .await;
    (fleet, scraper)
}

async fn guarded(dir: &Path) -> Bellwether {
    let line = access::new_password_line(USER, access::Role::Admin, PASSWORD).unwrap();
    fs::write(dir.join("users"), line + "\n").unwrap();
    let config = format!(
        "prometheus: {{ url: 'http://127.0.0.1:{}' }}\nserver: {{ auth: {{ users_file: '{}' }} }}\n",
        free_port(),
        dir.join("users").display()
    );
    Bellwether::start(dir, &config, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_as_its_document_says() {
    let world = World::start().await;
    let (_, document) = world.reader.get("/api/v1/openapi.json").await;
    let document = Document::new(document);
    let rows = rows::all(&world);
    let client = client();
    let mut wrong = Vec::new();
    for row in &rows {
        let url = world.url(row.of);
        wrong.extend(row.checked(&client, url, &document).await);
    }
    let described = document.operations();
    let well: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row.status < 400)
        .map(|row| row.operation)
        .collect();
    let asked: BTreeSet<&str> = rows.iter().map(|row| row.operation).collect();
    for operation in &described {
        if !well.contains(operation.as_str()) {
            wrong.push(format!(
                "{operation} is in the document and nobody asks it: add a row to contract/rows.rs"
            ));
        }
    }
    for operation in asked {
        if !described.contains(operation) {
            wrong.push(format!("{operation} is asked and not in the document"));
        }
    }
    figure(
        "api 1",
        "operations of the document that are called, their answers as described",
        format!(
            "{} operations, {} requests, {} wrong",
            described.len(),
            rows.len(),
            wrong.len()
        ),
        "all, none wrong",
        wrong.is_empty(),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
