//! What a notice tells.

use std::sync::Arc;

use domain::{
    ChangeFact, ChangeKind, Changes, Direction, Evidence, LogLevel, LogOutcome, LogPattern,
    LogPatterns, MetricId, PatternBasis, PatternChange, Prediction, ServiceId, Severity, Shift,
    Shifts, Thresholds, Unusual,
};
use notify::{Notice, Policy};

use crate::desk::{Desk, HOUR, NOON, kim};

#[test]
fn a_body_has_the_facts_and_a_link() {
    let mut desk = Desk::usual();
    desk.open(12, Severity::High);
    desk.edit(12, |incident| incident.owner = Some("kim\u{202e}\n".into()));
    let body = desk.step().remove(0).body;
    assert_eq!(
        body.text,
        "[High] #12 opened: payments: Latency p99 is 2,140 ms, past High 500 ms"
    );
    assert_eq!(
        body.link.as_deref(),
        Some("https://bellwether.example/ui/incidents/12")
    );
    assert_eq!(body.link_missing, None);
    assert_eq!(body.owner.as_deref(), Some("kim  "));
    assert_eq!(
        (body.members[0].worst, body.members[0].high),
        (2140.5, Some(500.0))
    );
    desk.acknowledge(12);
    desk.edit(12, |incident| incident.severity = Severity::Critical);
    desk.policy = Policy {
        external_url: None,
        ..desk.policy
    };
    let body = desk.step().remove(0).body;
    assert_eq!(body.acknowledged_by, Some(kim().to_string()));
    assert_eq!(body.link, None);
    assert_eq!(
        body.link_missing.as_deref(),
        Some("set server.external_url to get links")
    );
}

#[test]
fn a_body_tells_what_the_evidence_knows() {
    let mut desk = Desk::usual();
    desk.open(1, Severity::High);
    desk.edit(1, |incident| incident.evidence = Arc::new(evidence()));
    let notice = desk.step().remove(0);
    let body = &notice.body;
    assert_eq!(body.members[0].title.as_deref(), Some("Latency p99"));
    assert_eq!(body.members[0].unit.as_deref(), Some("ms"));
    assert_eq!(body.query.as_deref(), Some("up{service=\"payments\"}"));
    assert_eq!(
        body.change.as_deref(),
        Some("version went from 1 to 2 at 2026-11-22T11:00:00.000Z"),
        "what Bellwether did itself, although later, is no change of the world"
    );
    assert_eq!(
        body.log_pattern.as_deref(),
        Some("new, 7 lines: no connection to <*> (SQLException)"),
        "a pattern that is gone explains less than one that is new"
    );
    let json = serde_json::to_string(&notice).unwrap();
    let stored: Notice = serde_json::from_str(&json).unwrap();
    assert_eq!(stored, notice);
}

/// One of each thing that a body takes from the evidence.
fn evidence() -> Evidence {
    let at = NOON - HOUR;
    let metric = MetricId::new("lat").expect("it is an id");
    let mut patterns = LogPatterns::without_any(LogOutcome::Found, at, at, NOON);
    patterns.ranked = vec![
        pattern(PatternChange::Gone, "fine"),
        pattern(PatternChange::New, "no connection to <*>"),
    ];
    let version = ChangeKind::Version {
        from: "1".into(),
        to: "2".into(),
    };
    let retrained = ChangeKind::Retrained {
        metric: metric.clone(),
        model: "0123456789abcdef".into(),
    };
    Evidence {
        changes: Some(Changes {
            from: at,
            to: NOON,
            facts: [version, ChangeKind::ConfigReloaded, retrained]
                .map(|kind| ChangeFact {
                    at,
                    service: None,
                    kind,
                })
                .into(),
            omitted: 0,
            known_from: None,
        }),
        shifts: Some(Shifts {
            baseline_from: at,
            from: at,
            to: NOON,
            ranked: vec![Shift {
                metric: "lat".into(),
                title: "Latency p99".into(),
                unit: "ms".into(),
                effect: 9.0,
                before: 100.0,
                during: 2140.0,
                spread: 5.0,
                samples_before: 100,
                samples_during: 20,
                query: "up{service=\"payments\"}".into(),
                text: String::new(),
            }],
            steady: vec![],
            too_few: vec![],
        }),
        unusual: vec![Unusual {
            metric,
            title: "Latency p99".into(),
            unit: "ms".into(),
            at,
            actual: 2140.5,
            severity: Severity::High,
            thresholds: Thresholds::default(),
            direction: Direction::Up,
            minimum_deviation: 1.0,
            prediction: Prediction::Anomaly,
            reason: None,
            band: None,
            score: None,
            limit: None,
            components: vec![],
            contributions: None,
            model: None,
            precedent: None,
            text: vec![],
        }],
        patterns: Some(patterns),
        ..Evidence::default()
    }
}

fn pattern(change: PatternChange, template: &str) -> LogPattern {
    LogPattern {
        id: "0123456789abcdef".into(),
        service: ServiceId::new("payments").expect("it is a name"),
        template: template.into(),
        level: LogLevel::Error,
        logger: None,
        exception: Some("SQLException".into()),
        change,
        before: 0,
        during: 7,
        rate_before: 0.0,
        rate_during: 7.0,
        basis: PatternBasis::PerMinute,
        effect: 9.0,
        first_seen: NOON,
        last_seen: NOON,
        samples: vec![],
        trace_ids: vec![],
        also: vec![],
        text: String::new(),
    }
}

#[test]
fn texts_of_a_body_are_bounded() {
    let mut desk = Desk::usual();
    desk.open(1, Severity::High);
    desk.edit(1, |incident| {
        incident.summary = "\u{1f980}".repeat(100_000);
        incident.owner = Some("x".repeat(100_000));
        incident.members = vec![incident.members[0].clone(); 500];
    });
    let body = desk.step().remove(0).body;
    assert_eq!((body.members.len(), body.members_omitted), (20, 480));
    let bytes = serde_json::to_vec(&body).unwrap().len();
    assert!(bytes < 16_384, "{bytes} bytes");
}
