//! The routes that show what is known, and the event stream.

use serde_json::json;

use super::{Ask, Of};

/// `incident` is the number of one.
pub fn all(incident: u64) -> Vec<Ask> {
    let mut rows = series();
    rows.extend(lists());
    rows.extend(datasets());
    rows.extend(stream());
    rows.extend(bulk(incident));
    rows
}

fn series() -> Vec<Ask> {
    let ask = |query: &str, status| {
        Ask::new(
            "GET /api/v1/series",
            format!("/api/v1/series{query}"),
            status,
        )
    };
    vec![
        ask("?service=alpha&metric=cpu", 200),
        ask(
            "?service=alpha&metric=cpu&points=3&from=2026-01-01T00:00:00Z",
            200,
        ),
        ask("?service=alpha&metric=lat&step=5m", 200),
        ask("?service=alpha", 400),
        ask("?service=alpha&metric=cpu&from=2&to=1", 400),
        ask("?service=alpha&metric=cpu&from=1&to=9e9", 400),
        ask("?service=alpha&metric=cpu&points=5001", 400),
        ask("?service=alpha&metric=cpu&step=1ms", 400),
        ask("?service=alpha&metric=cpu&page=1", 400),
        ask("?service=nobody&metric=cpu", 404),
        ask("?service=alpha&metric=..%2fcpu", 404),
    ]
}

fn lists() -> Vec<Ask> {
    let findings = "GET /api/v1/findings";
    let models = "GET /api/v1/models";
    let config = "GET /api/v1/config";
    vec![
        Ask::new("GET /api/v1/catalogue", "/api/v1/catalogue", 200),
        Ask::new("GET /api/v1/catalogue", "/api/v1/catalogue", 200).of(Of::Scraper),
        Ask::new("GET /api/v1/catalogue", "/api/v1/catalogue?limit=1", 400),
        Ask::new(findings, "/api/v1/findings?limit=2", 200),
        Ask::new(findings, "/api/v1/findings", 200).of(Of::Scraper),
        Ask::new(findings, "/api/v1/findings?severity=High,Critical", 200),
        Ask::new(findings, "/api/v1/findings?cursor=cpu%20alpha", 200),
        Ask::new(findings, "/api/v1/findings?prediction=Maybe", 400),
        Ask::new(findings, "/api/v1/findings?limit=1001", 400),
        Ask::new(findings, "/api/v1/findings?service=nobody", 404),
        Ask::new(models, "/api/v1/models", 200),
        Ask::new(models, "/api/v1/models", 200).of(Of::Scraper),
        Ask::new(
            models,
            "/api/v1/models?service=alpha&metric=cpu&limit=1",
            200,
        ),
        Ask::new(models, "/api/v1/models?metric=CPU", 400),
        Ask::new(models, "/api/v1/models?service=nobody", 404),
        Ask::new(config, "/api/v1/config", 200),
        Ask::new(config, "/api/v1/config", 200).of(Of::Scraper),
        Ask::new(config, "/api/v1/config?format=yaml", 200),
        Ask::new(config, "/api/v1/config?format=toml", 400),
    ]
}

fn datasets() -> Vec<Ask> {
    let (list, rows) = ("GET /api/v1/datasets", "GET /api/v1/datasets/rows");
    let download = "GET /api/v1/datasets/download";
    let ask = |operation: &'static str, query: &str, status| {
        let (_, path) = operation.split_once(' ').unwrap_or_default();
        Ask::new(operation, format!("{path}{query}"), status)
    };
    vec![
        ask(list, "", 200),
        ask(list, "?service=alpha&limit=1", 200),
        ask(list, "?cursor=alpha", 400),
        ask(list, "?service=..%2f..", 404),
        ask(rows, "?service=alpha&metric=cpu", 200),
        ask(rows, "?service=alpha&metric=cpu&part=anomaly&limit=5", 200),
        ask(rows, "?service=alpha&metric=cpu&from=1&to=2", 200),
        ask(rows, "?service=alpha&metric=cpu&part=both", 400),
        ask(rows, "?service=alpha&metric=cpu&cursor=last", 400),
        ask(rows, "?service=alpha&metric=nope", 404),
        ask(download, "?service=alpha&metric=cpu", 200),
        ask(download, "?service=alpha&metric=cpu&part=anomaly", 200),
        ask(download, "?service=alpha&metric=cpu&part=..%2fhistory", 400),
        ask(download, "?service=alpha&metric=cpu.csv%00.png", 404),
    ]
}

fn stream() -> Vec<Ask> {
    let stream = "GET /api/v1/stream";
    vec![
        Ask::new(stream, "/api/v1/stream", 200),
        Ask::new(stream, "/api/v1/stream?service=alpha", 200).header("last-event-id", "1-1"),
        Ask::new(stream, "/api/v1/stream?last_event_id=first", 400),
        Ask::new(stream, "/api/v1/stream?service=nobody", 404),
    ]
}

fn bulk(incident: u64) -> Vec<Ask> {
    let ask = |status| {
        let path = "/api/v1/incidents/bulk";
        Ask::new("POST /api/v1/incidents/bulk", path, status)
    };
    vec![
        ask(200).json(json!({ "ids": [incident, 99_999], "action": "ack", "note": "seen" })),
        ask(400).json(json!({ "ids": [], "action": "ack" })),
        ask(400).json(json!({ "ids": [incident], "action": "reopen" })),
        ask(415).body("text/plain", "{}"),
    ]
}
