//! Failures of Bellwether itself: what is told of them helps its operator and nobody else.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::{PATIENCE, World, attack, request};
use crate::harness::until;

const INCIDENT: &str = "/api/v1/incidents/1";
/// Read from the database at each request.
const READS: [&str; 7] = [
    "/api/v1/incidents",
    INCIDENT,
    "/api/v1/audit",
    "/api/v1/events",
    "/api/v1/mutes",
    "/api/v1/notices",
    "/api/v1/status",
];
/// Written to it.
const CHANGES: [&str; 4] = [
    "/api/v1/incidents/1/ack",
    "/api/v1/incidents/1/resolve",
    "/api/v1/shadow",
    "/api/v1/mutes",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_inside_is_told_by_a_number_and_not_by_its_cause() {
    let world = World::with("").await;
    until("incident 1", PATIENCE, || async {
        let answer = world
            .send(&request(&format!("GET {INCIDENT}"), &[], ""))
            .await;
        (answer.status == 200).then_some(())
    })
    .await;
    for file in ["bellwether.db", "bellwether.db-wal"] {
        overwrite(&world.dir.path().join("data").join(file));
    }
    // What is in memory is answered on; the rest begins to fail when its pages are read anew.
    let failed = until("failures", Duration::from_secs(60), || async {
        let mut failed = Vec::new();
        for (method, path, body) in every() {
            let json = ["Content-Type: application/json"];
            let headers = if body.is_empty() { &[][..] } else { &json };
            let tried = attack(
                "S23",
                &format!("{method} {path}"),
                headers,
                &body,
                &[200, 201, 404, 409, 500],
            );
            let tried = super::Attack {
                without: causes(path),
                ..tried
            };
            let answer = world.try_on(&tried).await;
            if answer.status == 500 {
                failed.push((path, answer));
            }
        }
        (failed.len() >= 6).then_some(failed)
    })
    .await;
    let log = world.bellwether.log();
    for (path, answer) in &failed {
        let problem = answer.json();
        let instance = problem["instance"].as_str().unwrap_or_default();
        assert!(
            instance.starts_with("urn:bellwether:failure:"),
            "{path}: {problem}"
        );
        let named = |line: &&str| line.contains(&format!("\"instance\":\"{instance}\""));
        let lines: Vec<_> = log.lines().filter(named).collect();
        assert_eq!(lines.len(), 1, "{path}: {problem}");
    }
    // It lives, and says that it can't store.
    let answer = world.send(&request("GET /healthz", &[], "")).await;
    assert_eq!(answer.body, "ok\n");
    world.stands();
}

/// Words of the cause, which no answer may have; but the status is there to say why nothing is stored.
fn causes(path: &str) -> Vec<String> {
    let words = ["sqlite", "malformed", "not a database", "disk image"];
    let words = words.iter().filter(|_| path != "/api/v1/status");
    words.map(|word| (*word).to_owned()).collect()
}

/// Each request: method, path and body.
fn every() -> Vec<(&'static str, &'static str, String)> {
    let reads = READS.map(|path| ("GET", path, String::new()));
    let changes = CHANGES.map(|path| {
        let body = match path {
            "/api/v1/shadow" => json!({ "on": true }),
            "/api/v1/mutes" => json!({ "service": "sick", "for": "1h" }),
            _ => json!({ "note": "looking" }),
        };
        ("POST", path, body.to_string())
    });
    reads.into_iter().chain(changes).collect()
}

/// Puts nonsense in place of all that a file has.
fn overwrite(file: &Path) {
    let length = fs::metadata(file).map_or(0, |found| found.len());
    let length = usize::try_from(length).unwrap();
    let mut open = OpenOptions::new().write(true).open(file).unwrap();
    open.write_all(&vec![0xa5; length]).unwrap();
}
