//! Attacks by what a request says: paths, parameters, headers and bodies.

use std::time::Duration;

use super::{Answer, Attack, World, attack, request};
use crate::harness::{figure, until};

const JSON: &str = "Content-Type: application/json";
const CHANGES: [&str; 10] = [
    "/retrain",
    "/-/reload",
    "/api/v1/events",
    "/api/v1/incidents/1/ack",
    "/api/v1/incidents/1/resolve",
    "/api/v1/incidents/1/reopen",
    "/api/v1/incidents/1/assign",
    "/api/v1/incidents/1/snooze",
    "/api/v1/incidents/1/comment",
    "/api/v1/incidents/1/severity",
];

/// S01, S02, S12: names that want to be more than names.
fn names() -> Vec<Attack> {
    let long = format!("pwned{}", "a".repeat(7_000));
    let names = [
        "pwned%22%7D%20or%20up%7Bjob%3D%22",
        "pwned%5C",
        "pwned%0AERROR%20fake",
        "pwned%23",
        "pwned%60",
        "pwned%1b%5b31m",
        "pwned%e2%80%ae",
        "pwned%3Cimg%20src=x%20onerror=alert(1)%3E",
        "pwned'%20OR%201=1--",
        "../../../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "..%5c..%5cwindows",
        "pwned%00",
        "....//....//etc/passwd",
        "/etc/passwd",
        &long,
    ];
    let mut attacks = Vec::new();
    for name in names {
        for line in [
            format!("GET /metrics?service={name}"),
            format!("GET /logs?service={name}&event_ts=1"),
            format!("GET /api/v1/logs?service={name}&from=1&to=2"),
            format!("GET /api/v1/logs/patterns?service={name}&from=1&to=2"),
            format!("GET /api/v1/decisions?service={name}"),
            format!("POST /retrain?service={name}"),
        ] {
            attacks.push(attack("S01/S02", &line, &[], "", &[400, 404]));
        }
        let line = format!("GET /api/v1/incidents?service={name}");
        attacks.push(attack("S01", &line, &[], "", &[200, 400, 404]));
    }
    attacks
}

/// S03, S04: paths that want out.
fn paths() -> Vec<Attack> {
    [
        "/static/../../config.yaml",
        "/..%2f..%2fetc/passwd",
        "/assets//etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/../../../etc/passwd",
        "/ui/..%5c..%5cconfig.yaml",
        "//etc/passwd",
        "/datasets/payments/history/..%2f..%2f..%2fconfig.yaml",
        "/datasets/payments/history/cpu.csv%00.png",
        "/data/bellwether.yaml",
        "/.git/config",
        "/api/v1/../../etc/passwd",
        "/api/v1/jobs/..%2f..%2fetc%2fpasswd",
        "/api/v1/incidents/..%2f1",
        "/api/v1/incidents/%00",
        "/api/v1/incidents/-1",
        "/api/v1/incidents/18446744073709551616",
        "/api/v1/incidents/1%20OR%201=1",
        "/debug/pprof/",
        "/-/config",
        "/api/v1/admin/tsdb/delete_series",
    ]
    .iter()
    .map(|path| attack("S03/S04", &format!("GET {path}"), &[], "", &[400, 404]))
    .collect()
}

/// S06, S07: pages of others.
fn foreign_pages() -> Vec<Attack> {
    let mut attacks = Vec::new();
    let proofs: [&[&str]; 6] = [
        &["Origin: http://evil.example", "Content-Type: text/plain"],
        &["Origin: null"],
        &["Origin: http://127.0.0.1.evil.example"],
        &["Sec-Fetch-Site: cross-site"],
        &["Sec-Fetch-Site: same-site", JSON],
        &["Origin: \u{ff}"],
    ];
    for path in CHANGES {
        for headers in proofs {
            attacks.push(attack("S06", &format!("POST {path}"), headers, "", &[403]));
        }
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ] {
            let kind = format!("Content-Type: {kind}");
            attacks.push(attack(
                "S06",
                &format!("POST {path}"),
                &[&kind],
                "{}",
                &[415],
            ));
        }
    }
    for origin in ["http://evil.example", "null", "http://localhost.evil"] {
        let origin = format!("Origin: {origin}");
        attacks.push(attack("S07", "GET /services", &[&origin], "", &[200]));
        let wish = "Access-Control-Request-Method: POST";
        attacks.push(attack(
            "S07",
            "OPTIONS /retrain",
            &[&origin, wish],
            "",
            &[405],
        ));
    }
    attacks
}

/// S08: names that aren't ours.
fn hosts() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for host in [
        "evil.example",
        "evil.example:9092",
        "127.0.0.1.evil.example",
        "localhost.evil",
        "10.0.0.1",
        "[::2]",
        "*",
        "127.0.0.1@evil.example",
    ] {
        let host = format!("Host: {host}");
        for line in ["GET /services", "GET /healthz", "POST /retrain"] {
            attacks.push(attack("S08", line, &[&host], "", &[400, 403]));
        }
    }
    attacks.push(attack(
        "S08",
        "GET http://evil.example/services",
        &[],
        "",
        &[400, 403],
    ));
    attacks.push(attack(
        "S08",
        "GET /services",
        &["Host: 127.0.0.1", "Host: evil.example"],
        "",
        &[400],
    ));
    attacks.push(attack("S08", "GET /services", &["Host:"], "", &[400, 403]));
    for header in [
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Host: evil.example",
        "Forwarded: for=127.0.0.1",
        "X-Real-IP: 127.0.0.1",
        "X-Forwarded-Proto: https",
    ] {
        attacks.push(attack("S08", "GET /services", &[header], "", &[403]));
    }
    attacks
}

/// S09: methods.
fn methods() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for path in CHANGES.into_iter().filter(|path| *path != "/api/v1/events") {
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE"] {
            attacks.push(attack("S09", &format!("{method} {path}"), &[], "", &[405]));
        }
        let pretended = ["X-HTTP-Method-Override: POST", "X-Method-Override: POST"];
        attacks.push(attack(
            "S09",
            &format!("GET {path}?_method=POST"),
            &pretended,
            "",
            &[405],
        ));
    }
    for path in [
        "/services",
        "/api/v1/status",
        "/api/v1/incidents",
        "/healthz",
    ] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE"] {
            attacks.push(attack("S09", &format!("{method} {path}"), &[], "", &[405]));
        }
    }
    attacks.push(attack(
        "S09",
        "CONNECT evil.example:443",
        &[],
        "",
        &[400, 403, 404, 405],
    ));
    attacks
}

/// S13, S16: parameters without measure.
fn parameters() -> Vec<Attack> {
    let repeated = format!("/services?{}", "a=1&".repeat(1_900));
    let mut attacks: Vec<Attack> = [
        "/logs?service=payments&event_ts=-9e18",
        "/logs?service=payments&event_ts=9e99",
        "/logs?service=payments&event_ts=NaN",
        "/logs?service=payments&event_ts=1&before=1e18",
        "/api/v1/incidents?limit=4294967296",
        "/api/v1/incidents?limit=0",
        "/api/v1/incidents?limit=-1",
        "/api/v1/incidents?cursor=%27%3B--",
        "/api/v1/incidents?sort=id;drop%20table",
        "/api/v1/incidents?status=ALL",
        "/api/v1/incidents?from=2&to=x",
        "/api/v1/logs?service=payments&from=2&to=1",
        "/api/v1/logs?service=payments&from=0&to=315360000000",
        "/api/v1/logs?service=payments&from=1&to=2&limit=99999999",
        "/api/v1/logs/patterns?service=payments&from=1&to=2&baseline=99999999999h",
        "/api/v1/events?limit=1e9",
        "/api/v1/decisions?service=payments&limit=1e9",
        "/api/v1/audit?limit=100000",
        "/api/v1/audit?from=yesterday",
        "/api/v1/audit?order=1",
        "/prometheus/api/v1/query?query=up",
    ]
    .iter()
    .map(|path| attack("S16", &format!("GET {path}"), &[], "", &[400, 404]))
    .collect();
    attacks.push(attack(
        "S16",
        &format!("GET {repeated}"),
        &[],
        "",
        &[200, 400],
    ));
    let text = format!(
        "/api/v1/logs?service=payments&from=1&to=2&text=(a%2B)%2B$&level={}",
        "a".repeat(5_000)
    );
    attacks.push(attack("S13", &format!("GET {text}"), &[], "", &[400, 404]));
    attacks
}

/// S15, S17, S25: bodies.
fn bodies() -> Vec<Attack> {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let deep_note = format!(r#"{{"note": {deep}}}"#);
    let bodies = [
        deep.as_str(),
        &deep_note,
        r#"{"note": "a", "note": "b"}"#,
        r#"{"note": 1e999}"#,
        r#"{"note": "\ud800"}"#,
        r#"{"note": 1}"#,
        r#"{"note": "a", "role": "admin"}"#,
        r#"["note"]"#,
        r#""note""#,
        "null",
        "{",
        "\u{feff}{}",
        "{\"note\": \"a\"}{}",
        "NaN",
    ];
    let mut attacks = Vec::new();
    for path in [
        "/api/v1/incidents/1/comment",
        "/api/v1/incidents/1/severity",
        "/api/v1/incidents/1/assign",
        "/api/v1/incidents/1/snooze",
        "/api/v1/events",
    ] {
        for body in bodies {
            let line = format!("POST {path}");
            attacks.push(attack("S17", &line, &[JSON], body, &[400]));
        }
    }
    for (path, body) in [
        ("severity", r#"{"severity": "NaN"}"#),
        ("severity", r#"{"severity": "Unavailable"}"#),
        ("severity", r#"{"severity": 1e400}"#),
        ("snooze", r#"{"for": "-1h"}"#),
        ("snooze", r#"{"for": "99999999999999h"}"#),
        ("snooze", r#"{"until": "9999-12-31T23:59:59Z"}"#),
        ("snooze", r#"{"until": "1970-01-01T00:00:00Z"}"#),
        ("comment", r#"{"note": "  "}"#),
    ] {
        let line = format!("POST /api/v1/incidents/1/{path}");
        attacks.push(attack("S25", &line, &[JSON], body, &[400]));
    }
    for link in [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "JaVaScRiPt:alert(1)",
    ] {
        let body = format!(r#"{{"kind": "deploy", "link": "{link}"}}"#);
        attacks.push(attack("S10", "POST /api/v1/events", &[JSON], &body, &[400]));
    }
    let packed = ["Content-Encoding: gzip", JSON];
    let bomb = "\u{1f}\u{8b}\u{8}\u{0}\u{0}";
    attacks.push(attack(
        "S15",
        "POST /api/v1/events",
        &packed,
        bomb,
        &[400, 415],
    ));
    attacks
}

/// S10, S12: markup and control characters that are kept come back as text, typed as JSON.
async fn markup(world: &World) {
    let texts = [
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(1)</script>",
        "\\u001b[31mred",
        "=cmd|' /C calc'!A0",
        "\\u202egnp.exe",
    ];
    for text in texts {
        let body = format!(r#"{{"note": "{text}"}}"#);
        let operator = "X-Operator: <b>kim</b>";
        let comment = attack(
            "S10",
            "POST /api/v1/incidents/1/comment",
            &[JSON, operator],
            &body,
            &[200],
        );
        is_json(world.try_on(&comment).await);
        let event = format!(r#"{{"kind": "deploy", "title": "{text}", "key": "{text}"}}"#);
        let event = attack(
            "S10",
            "POST /api/v1/events",
            &[JSON],
            &event,
            &[200, 201, 400],
        );
        is_json(world.try_on(&event).await);
    }
    for path in [
        "/api/v1/incidents/1",
        "/api/v1/events",
        "/api/v1/audit",
        "/api/v1/status",
    ] {
        let read = attack("S10", &format!("GET {path}"), &[], "", &[200]);
        is_json(world.try_on(&read).await);
    }
    let long = format!("User-Agent: \u{7f}{}", "x".repeat(20_000));
    let agent = attack("S12", "GET /services", &[&long], "", &[200, 400]);
    world.try_on(&agent).await;
}

fn is_json(answer: Answer) {
    let kind = answer.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("application/"), "{answer:?}");
    assert!(!answer.json().is_null(), "{answer:?}");
}

/// S19: no route shows a secret; what no answer may have is looked for in each.
async fn secrets(world: &World) {
    for path in [
        "/",
        "/metrics",
        "/services",
        "/api/v1/status",
        "/api/v1/jobs",
        "/readyz",
        "/api/v1/me",
        "/api/v1/incidents/1",
        "/api/v1/openapi.json",
    ] {
        let read = attack("S19", &format!("GET {path}"), &[], "", &[200, 404]);
        world.try_on(&read).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_access_control_every_attack_is_refused() {
    let world = World::with("").await;
    until("incident 1", Duration::from_secs(30), || async {
        let answer = world
            .send(&request("GET /api/v1/incidents/1", &[], ""))
            .await;
        (answer.status == 200).then_some(())
    })
    .await;
    let listed = [
        names(),
        paths(),
        foreign_pages(),
        hosts(),
        methods(),
        parameters(),
        bodies(),
        super::framing::attacks(),
    ];
    for attack in listed.iter().flatten() {
        world.try_on(attack).await;
    }
    markup(&world).await;
    secrets(&world).await;
    super::framing::slow_ones_are_cut(&world).await;
    // It still serves.
    let answer = world.send(&request("GET /healthz", &[], "")).await;
    assert_eq!(answer.body, "ok\n");
    let sent = world.stands();
    figure(
        "api 2",
        "attacks without access control, refused",
        sent,
        "at least 150",
        sent >= 150,
    );
    assert!(sent >= 150, "{sent}");
}
