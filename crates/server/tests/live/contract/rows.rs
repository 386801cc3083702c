//! What is asked, operation by operation: at least once well, and with the refusals that it names.

use serde_json::json;

use super::{Ask, Of, PASSWORD, USER, World};

const FORM: &str = "application/x-www-form-urlencoded";

/// Asked in this order, for actions on an incident follow from each other.
pub fn all(world: &World) -> Vec<Ask> {
    let mut rows = services();
    rows.extend(past());
    rows.extend(logs());
    rows.extend(decisions());
    rows.extend(events());
    rows.extend(incident_lists(world.incident));
    rows.extend(incident_actions(world.incident));
    rows.extend(incident_bulk(world.incident));
    rows.extend(paging());
    rows.extend(access());
    rows.extend(training(&world.job));
    rows.extend(health());
    rows.extend(description(&world.tag));
    rows.extend(prometheus());
    rows
}

fn services() -> Vec<Ask> {
    let metrics = "GET /metrics";
    vec![
        Ask::new("GET /services", "/services", 200),
        Ask::new("GET /services", "/services", 200).of(Of::Scraper),
        Ask::new("GET /services", "/services?page=2", 400),
        Ask::new(
            "GET /services",
            format!("/services?{}", "x".repeat(9_000)),
            414,
        ),
        Ask::new("GET /services", "/services", 431).header("x-long", "x".repeat(40_000)),
        Ask::new("GET /services", "/services", 403).header("host", "rebound.example"),
        Ask::new("GET /services", "/services", 403).header("x-forwarded-for", "10.0.0.1"),
        Ask::new(metrics, "/metrics", 200),
        Ask::new(metrics, "/metrics?service=alpha", 200),
        Ask::new(metrics, "/metrics?service=payments", 200).of(Of::Scraper),
        Ask::new(metrics, "/metrics?service=nobody", 404),
        Ask::new(metrics, "/metrics?servce=alpha", 400),
        Ask::new(metrics, "/metrics?service=alpha&service=beta", 400),
    ]
}

/// Series, datasets and models: what was, and what was learnt of it.
fn past() -> Vec<Ask> {
    let (series, rows) = ("GET /api/v1/series", "GET /api/v1/datasets/rows");
    let sparklines = "GET /api/v1/sparklines";
    let (datasets, download) = ("GET /api/v1/datasets", "GET /api/v1/datasets/download");
    let (findings, models) = ("GET /api/v1/findings", "GET /api/v1/models");
    vec![
        Ask::new("GET /api/v1/catalogue", "/api/v1/catalogue", 200),
        Ask::new(series, "/api/v1/series?service=alpha&metric=cpu", 200),
        Ask::new(
            series,
            "/api/v1/series?service=alpha&metric=cpu&points=3",
            200,
        ),
        Ask::new(series, "/api/v1/series?service=alpha", 400),
        Ask::new(
            series,
            "/api/v1/series?service=alpha&metric=cpu&points=4294967296",
            400,
        ),
        Ask::new(series, "/api/v1/series?service=nobody&metric=cpu", 404),
        Ask::new(sparklines, "/api/v1/sparklines", 200),
        Ask::new(sparklines, "/api/v1/sparklines?service=alpha&points=5", 200),
        Ask::new(sparklines, "/api/v1/sparklines?points=1", 400),
        Ask::new(sparklines, "/api/v1/sparklines?service=nobody", 404),
        Ask::new(datasets, "/api/v1/datasets?limit=2", 200),
        Ask::new(datasets, "/api/v1/datasets?service=nobody", 404),
        Ask::new(
            rows,
            "/api/v1/datasets/rows?service=alpha&metric=cpu&limit=5",
            200,
        ),
        Ask::new(
            rows,
            "/api/v1/datasets/rows?service=alpha&metric=cpu&part=none",
            400,
        ),
        Ask::new(rows, "/api/v1/datasets/rows?service=nobody&metric=cpu", 404),
        Ask::new(
            download,
            "/api/v1/datasets/download?service=alpha&metric=cpu",
            200,
        ),
        Ask::new(
            download,
            "/api/v1/datasets/download?service=..%2f..&metric=cpu",
            404,
        ),
        Ask::new(findings, "/api/v1/findings?limit=2", 200),
        Ask::new(
            findings,
            "/api/v1/findings?service=alpha&severity=Critical",
            200,
        ),
        Ask::new(findings, "/api/v1/findings?severity=Bad", 400),
        Ask::new(models, "/api/v1/models", 200),
        Ask::new(models, "/api/v1/models?service=nobody", 404),
    ]
}

fn incident_bulk(incident: u64) -> Vec<Ask> {
    let (operation, path) = ("POST /api/v1/incidents/bulk", "/api/v1/incidents/bulk");
    vec![
        Ask::new(operation, path, 200).json(json!({"ids": [incident, 999_999], "action": "ack"})),
        Ask::new(operation, path, 400).json(json!({"ids": [], "action": "ack"})),
        Ask::new(operation, path, 400).json(json!({"ids": [incident], "action": "forget"})),
    ]
}

fn paging() -> Vec<Ask> {
    let (set, list, end) = (
        "POST /api/v1/mutes",
        "GET /api/v1/mutes",
        "DELETE /api/v1/mutes/{id}",
    );
    let (shadow, notices) = ("POST /api/v1/shadow", "GET /api/v1/notices");
    let path = "/api/v1/mutes";
    vec![
        Ask::new(set, path, 201).json(json!({"service": "beta", "for": "2h", "note": "<b>"})),
        Ask::new(set, path, 400).json(json!({"service": "beta", "for": "2h", "until": "1"})),
        Ask::new(set, path, 404).json(json!({"service": "nobody"})),
        Ask::new(list, "/api/v1/mutes?active=true", 200),
        Ask::new(list, "/api/v1/mutes?active=perhaps", 400),
        Ask::new(end, "/api/v1/mutes/1", 200),
        Ask::new(end, "/api/v1/mutes/999999", 404),
        Ask::new(shadow, "/api/v1/shadow", 200).json(json!({"on": true, "for": "1h"})),
        Ask::new("GET /api/v1/shadow", "/api/v1/shadow", 200),
        Ask::new(shadow, "/api/v1/shadow", 200).json(json!({"on": false})),
        Ask::new(shadow, "/api/v1/shadow", 400).json(json!({"on": "yes"})),
        Ask::new(notices, "/api/v1/notices?limit=5", 200),
        Ask::new(notices, "/api/v1/notices?state=lost", 400),
        Ask::new("GET /api/v1/receivers", "/api/v1/receivers", 200),
    ]
}

fn access() -> Vec<Ask> {
    let (login, me) = ("POST /api/v1/login", "GET /api/v1/me");
    let (logout, audit) = ("POST /api/v1/logout", "GET /api/v1/audit");
    let path = "/api/v1/login";
    let right = json!({"name": USER, "password": PASSWORD});
    vec![
        Ask::new(login, path, 409).json(right.clone()),
        Ask::new(login, path, 200).json(right).of(Of::Guarded),
        Ask::new(login, path, 401)
            .json(json!({"name": USER, "password": "guess"}))
            .of(Of::Guarded),
        Ask::new(login, path, 400)
            .json(json!({"name": USER}))
            .of(Of::Guarded),
        Ask::new(logout, "/api/v1/logout", 204),
        Ask::new(me, "/api/v1/me", 200),
        Ask::new(me, "/api/v1/me", 401).of(Of::Guarded),
        Ask::new("GET /services", "/services", 401).of(Of::Guarded),
        Ask::new(audit, "/api/v1/audit?limit=3", 200),
        Ask::new(audit, "/api/v1/audit?limit=0", 400),
        Ask::new(audit, "/api/v1/audit?actor=kim&limit=2", 200),
        Ask::new(audit, "/api/v1/audit?who=kim", 400),
        Ask::new(login, path, 415).body(FORM, "name=kim"),
    ]
}

fn logs() -> Vec<Ask> {
    let (around, range, patterns) = ("GET /logs", "GET /api/v1/logs", "GET /api/v1/logs/patterns");
    vec![
        Ask::new(
            around,
            "/logs?service=alpha&event_ts=2026-01-01T00:00:00Z",
            200,
        ),
        Ask::new(
            around,
            "/logs?service=beta&event_ts=1.5&before=1m&after=0",
            200,
        ),
        Ask::new(around, "/logs?service=alpha", 400),
        Ask::new(around, "/logs?service=alpha&event_ts=-9e18", 400),
        Ask::new(
            around,
            "/logs?service=alpha&event_ts=1&limit=4294967296",
            400,
        ),
        Ask::new(around, "/logs?service=nobody&event_ts=1", 404),
        Ask::new(
            range,
            "/api/v1/logs?service=alpha&order=newest&limit=7",
            200,
        ),
        Ask::new(
            range,
            "/api/v1/logs?service=alpha&level=error&text=bank",
            200,
        ),
        Ask::new(range, "/api/v1/logs?service=beta", 200),
        Ask::new(range, "/api/v1/logs?service=alpha&from=2&to=1", 400),
        Ask::new(range, "/api/v1/logs?service=alpha&order=best", 400),
        Ask::new(range, "/api/v1/logs?service=nobody", 404),
        Ask::new(
            patterns,
            "/api/v1/logs/patterns?service=alpha&baseline=4m",
            200,
        ),
        Ask::new(patterns, "/api/v1/logs/patterns?service=beta", 200),
        Ask::new(
            patterns,
            "/api/v1/logs/patterns?service=alpha&baseline=1000w",
            400,
        ),
        Ask::new(patterns, "/api/v1/logs/patterns?service=nobody", 404),
    ]
}

fn decisions() -> Vec<Ask> {
    let operation = "GET /api/v1/decisions";
    let ask =
        |query: &str, status| Ask::new(operation, format!("/api/v1/decisions?{query}"), status);
    vec![
        ask("service=alpha&metric=cpu", 200),
        ask("service=alpha&metric=cpu&limit=1", 200),
        ask("service=alpha&metric=cpu&at=1", 200),
        ask("service=alpha&metric=cpu&at=4000000000", 200),
        ask("service=alpha&metric=cpu&at=1&from=1", 400),
        ask("service=alpha&metric=cpu&from=2&to=1", 400),
        ask("service=alpha", 400),
        ask("service=alpha&metric=none", 404),
        ask("service=nobody&metric=cpu", 404),
    ]
}

fn events() -> Vec<Ask> {
    let (post, list) = ("POST /api/v1/events", "GET /api/v1/events");
    let path = "/api/v1/events";
    let deploy = json!({"kind": "deploy", "service": "beta", "version": "2.1.0", "key": "one",
        "title": "<script>alert(1)</script>", "link": "https://ci.example/1"});
    vec![
        Ask::new(post, path, 201).json(deploy.clone()),
        Ask::new(post, path, 200).json(deploy),
        Ask::new(post, path, 201)
            .header("x-operator", "mara")
            .json(json!({"kind": "flag"})),
        Ask::new(post, path, 400).json(json!({"kind": ""})),
        Ask::new(post, path, 400).json(json!(["deploy"])),
        Ask::new(post, path, 400).json(json!({"kind": "deploy", "colour": "red"})),
        Ask::new(post, path, 400).json(json!({"kind": "deploy", "link": "javascript:alert(1)"})),
        Ask::new(post, path, 400).body("application/json", "[".repeat(10_000)),
        Ask::new(post, path, 415).body("text/plain", "kind=deploy"),
        Ask::new(post, path, 413).json(json!({"kind": "x".repeat(70_000)})),
        Ask::new(post, path, 403).header("origin", "http://elsewhere.example"),
        Ask::new(list, "/api/v1/events?limit=1", 200),
        Ask::new(
            list,
            "/api/v1/events?service=beta&from=0&to=4000000000",
            200,
        ),
        Ask::new(list, "/api/v1/events?cursor=none", 400),
        Ask::new(list, "/api/v1/events?limit=0", 400),
    ]
}

fn incident_lists(incident: u64) -> Vec<Ask> {
    let (list, one) = ("GET /api/v1/incidents", "GET /api/v1/incidents/{id}");
    vec![
        Ask::new(list, "/api/v1/incidents", 200),
        Ask::new(
            list,
            "/api/v1/incidents?status=OPEN,ACKNOWLEDGED&severity=Critical&firing=true&sort=-severity",
            200,
        ),
        Ask::new(
            list,
            "/api/v1/incidents?owner=&snoozed=false&kind=metrics&metric=lat",
            200,
        ),
        Ask::new(list, "/api/v1/incidents?status=GONE", 400),
        Ask::new(list, "/api/v1/incidents?metric=Lat", 400),
        Ask::new(list, "/api/v1/incidents?sort=colour", 400),
        Ask::new(list, "/api/v1/incidents?cursor=x", 400),
        Ask::new(one, format!("/api/v1/incidents/{incident}"), 200),
        Ask::new(one, "/api/v1/incidents/999999", 404),
        Ask::new(one, "/api/v1/incidents/first", 400),
        Ask::new(one, format!("/api/v1/incidents/{incident}?whole=1"), 400),
    ]
}

fn incident_actions(incident: u64) -> Vec<Ask> {
    let ask = |operation: &'static str, status| {
        let action = operation.rsplit('/').next().unwrap_or_default();
        Ask::new(
            operation,
            format!("/api/v1/incidents/{incident}/{action}"),
            status,
        )
    };
    let ack = "POST /api/v1/incidents/{id}/ack";
    let resolve = "POST /api/v1/incidents/{id}/resolve";
    let reopen = "POST /api/v1/incidents/{id}/reopen";
    let assign = "POST /api/v1/incidents/{id}/assign";
    let snooze = "POST /api/v1/incidents/{id}/snooze";
    let comment = "POST /api/v1/incidents/{id}/comment";
    let severity = "POST /api/v1/incidents/{id}/severity";
    vec![
        ask(ack, 200),
        ask(ack, 200).json(json!({"note": "<img src=x onerror=alert(1)>"})),
        ask(ack, 412).header("if-match", "\"0\""),
        ask(ack, 400).header("if-match", "newest"),
        ask(ack, 400).json(json!({"because": "mine"})),
        ask(ack, 400).json(json!(null)),
        ask(ack, 403).header("sec-fetch-site", "cross-site"),
        ask(ack, 415).body("text/plain", "note"),
        Ask::new(ack, "/api/v1/incidents/999999/ack", 404),
        ask(assign, 200).json(json!({"owner": "kim", "note": "yours"})),
        ask(assign, 400).json(json!({})),
        ask(snooze, 200).json(json!({"for": "2h"})),
        ask(snooze, 200).json(json!({"until": "change"})),
        ask(snooze, 400).json(json!({"until": "change", "for": "2h"})),
        ask(snooze, 400).json(json!({"until": "2020-01-01T00:00:00Z"})),
        ask(snooze, 200).json(json!({"until": null})),
        ask(comment, 200).json(json!({"note": "</script>"})),
        ask(comment, 400).json(json!({"note": " "})),
        ask(comment, 413).json(json!({"note": "x".repeat(70_000)})),
        ask(severity, 200).json(json!({"severity": "High"})),
        ask(severity, 200).json(json!({"severity": null})),
        ask(severity, 400).json(json!({"severity": "Normal"})),
        ask(resolve, 409).json(json!({"decommissioned": true})),
        ask(resolve, 200).json(json!({"note": "done"})),
        ask(ack, 409),
        ask(reopen, 200).json(json!({"note": "not done"})),
    ]
}

fn training(id: &str) -> Vec<Ask> {
    let (retrain, job) = ("POST /retrain", "GET /api/v1/jobs/{id}");
    vec![
        Ask::new(retrain, "/retrain?service=alpha&metric=cpu&wait=true", 200),
        Ask::new(retrain, "/retrain", 202),
        Ask::new(retrain, "/retrain?metric=none", 400),
        Ask::new(retrain, "/retrain?service=nobody", 404),
        Ask::new(retrain, "/retrain", 403).header("origin", "http://elsewhere.example"),
        Ask::new("GET /api/v1/jobs", "/api/v1/jobs", 200),
        Ask::new(job, format!("/api/v1/jobs/{id}"), 200),
        Ask::new(job, "/api/v1/jobs/none", 404),
    ]
}

fn health() -> Vec<Ask> {
    vec![
        Ask::new("GET /healthz", "/healthz", 200),
        Ask::new("GET /readyz", "/readyz", 200),
        Ask::new("GET /readyz", "/readyz", 503).of(Of::Guarded),
        Ask::new("POST /-/reload", "/-/reload", 200),
        Ask::new("GET /api/v1/config", "/api/v1/config", 200),
        Ask::new("GET /api/v1/config", "/api/v1/config?format=yaml", 200),
        Ask::new("GET /api/v1/config", "/api/v1/config?format=ini", 400),
        Ask::new("GET /api/v1/stream", "/api/v1/stream", 200),
        Ask::new("GET /api/v1/stream", "/api/v1/stream?service=nobody", 404),
        Ask::new("GET /api/v1/status", "/api/v1/status", 200),
        Ask::new("GET /api/v1/status", "/api/v1/status", 200).of(Of::Scraper),
    ]
}

fn description(tag: &str) -> Vec<Ask> {
    let document = "GET /api/v1/openapi.json";
    let file = "GET /api/v1/docs/{file}";
    vec![
        Ask::new("GET /", "/", 200),
        Ask::new(document, "/api/v1/openapi.json", 200),
        Ask::new(document, "/api/v1/openapi.json", 304).header("if-none-match", tag),
        Ask::new("GET /api/v1/docs", "/api/v1/docs", 200),
        Ask::new(file, "/api/v1/docs/page.css", 200),
        Ask::new(file, "/api/v1/docs/page.js", 200),
        Ask::new(file, "/api/v1/docs/..%2f..%2fapi.rs", 404),
    ]
}

fn prometheus() -> Vec<Ask> {
    let ask = |operation: &'static str, query: &str, status| {
        let (_, path) = operation.split_once(' ').unwrap_or_default();
        Ask::new(operation, format!("{path}{query}"), status).of(Of::Scraper)
    };
    let query = "GET /prometheus/api/v1/query";
    let range = "GET /prometheus/api/v1/query_range";
    let values = "GET /prometheus/api/v1/label/{name}/values";
    let of_job = "/prometheus/api/v1/label/job/values";
    vec![
        ask(query, "?query=up&unknown=ignored", 200),
        ask(query, "?query=time()", 200),
        ask(query, "?query=%22text%22", 200),
        ask(query, "", 400),
        ask(query, "?query=up%7B", 400),
        Ask::new(query, "/prometheus/api/v1/query?query=up", 404),
        ask("POST /prometheus/api/v1/query", "", 200).body(FORM, "query=up"),
        ask("POST /prometheus/api/v1/query", "", 415).json(json!({"query": "up"})),
        ask(range, "?query=up&start=1&end=2&step=1", 200),
        ask(range, "?query=up&start=2&end=1&step=1", 400),
        ask("POST /prometheus/api/v1/query_range", "", 200)
            .body(FORM, "query=up&start=1&end=2&step=15s"),
        ask("GET /prometheus/api/v1/series", "?match[]=up", 200),
        ask("GET /prometheus/api/v1/series", "", 400),
        ask("POST /prometheus/api/v1/series", "", 200).body(FORM, "match[]=up"),
        ask("GET /prometheus/api/v1/labels", "", 200),
        ask("POST /prometheus/api/v1/labels", "", 200).body(FORM, ""),
        Ask::new(values, of_job, 200).of(Of::Scraper),
        Ask::new(values, of_job, 404),
        ask("GET /prometheus/api/v1/metadata", "?metric=up", 200),
        ask("GET /prometheus/api/v1/metadata", "", 200),
        ask("GET /prometheus/api/v1/status/buildinfo", "", 200),
    ]
}
