//! A database of version 1, as it was written before incidents had evidence.

use super::*;
use crate::database::migrations::MIGRATIONS;
use crate::database::seal::Seal;

/// Word for word what version 1 wrote.
const BODY: &str = r#"{"version":1,"content":{"id":12,"service":"prod/pay","kind":"metrics","status":"RESOLVED","firing":false,"severity":"High","worst_severity":"Critical","opened_because":"crossing_and_anomaly","summary":"cpu 96.5 %, past 90 %","onset":"2026-11-22T12:00:00.000Z","first_crossing":"2026-11-22T12:01:00.000Z","opened":"2026-11-22T12:02:00.000Z","last_seen":"2026-11-22T12:10:00.000Z","ended":"2026-11-22T12:10:00.000Z","members":[{"metric":"cpu","onset":"2026-11-22T12:00:00.000Z","first_crossing":"2026-11-22T12:01:00.000Z","last_firing":"2026-11-22T12:09:00.000Z","worst":96.50000000000001,"worst_at":"2026-11-22T12:04:00.000Z","severity":"Critical","thresholds":{"high":70.1,"critical":null}}],"follows":3,"logs":null,"timeline":[]}}"#;
const LOGS: &str = r#"{"version":1,"content":{"from":"2026-11-22T12:00:00.000Z","to":"2026-11-22T12:03:00.000Z","outcome":"not_configured","lines":[],"omitted":3,"malformed":0}}"#;
const ENTRY: &str = r#"{"version":1,"content":{"at":"2026-11-22T12:11:00.000Z","actor":{"unverified":"Zoë"},"what":{"resolved":{"note":"rolled back"}}}}"#;

fn minute(minute: u64) -> Timestamp {
    let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    noon + Duration::from_secs(60 * minute)
}

/// The same in the words of today.
fn read_today() -> Incident {
    Incident {
        id: IncidentId(12),
        service: ServiceId::new("prod/pay").unwrap(),
        kind: IncidentKind::Metrics,
        status: Status::Resolved,
        firing: false,
        severity: Severity::High,
        worst_severity: Severity::Critical,
        operator_severity: None,
        owner: None,
        snooze: None,
        resolution: None,
        opened_because: OpenedBecause::CrossingAndAnomaly,
        summary: "cpu 96.5 %, past 90 %".to_owned(),
        onset: minute(0),
        first_crossing: minute(1),
        opened: minute(2),
        last_seen: minute(10),
        ended: Some(minute(10)),
        members: vec![Member {
            metric: MetricId::new("cpu").unwrap(),
            onset: minute(0),
            onset_between: (minute(0), minute(0)),
            first_crossing: minute(1),
            last_firing: minute(9),
            worst: 96.500_000_000_000_01,
            worst_at: minute(4),
            severity: Severity::Critical,
            thresholds: Thresholds {
                high: Some(70.1),
                critical: None,
            },
        }],
        follows: Some(IncidentId(3)),
        logs: Some(Arc::new(LogWindow {
            from: minute(0),
            to: minute(3),
            outcome: LogOutcome::NotConfigured,
            lines: Vec::new(),
            omitted: 3,
            malformed: 0,
        })),
        evidence: Arc::default(),
        timeline: vec![TimelineEntry {
            at: minute(11),
            actor: Actor::Unverified("Zoë".to_owned()),
            what: TimelineEvent::Resolved {
                note: Some("rolled back".to_owned()),
            },
        }],
    }
}

/// Makes a database of version 1 with incident 12, and 13 whose seal is broken.
async fn write_older(paths: &Paths) {
    let options = SqliteConnectOptions::new()
        .filename(paths.database())
        .create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(MIGRATIONS[0])
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::raw_sql("PRAGMA user_version = 1")
        .execute(&mut connection)
        .await
        .unwrap();
    for (id, broken) in [(12, false), (13, true)] {
        let body = BODY.replace("\"id\":12", &format!("\"id\":{id}"));
        let (opened, seen) = (minute(2).as_millis(), minute(10).as_millis());
        let seal = Seal::of("incidents")
            .number(id)
            .text("prod/pay")
            .text("RESOLVED")
            .text("metrics")
            .number(0)
            .text("High")
            .number(opened)
            .number(seen)
            .optional(Some(seen))
            .text(&body)
            .finish();
        sqlx::query(
            "INSERT INTO incidents VALUES (?, ?, 'RESOLVED', 'metrics', 0, 'High', ?, ?, ?, ?, ?)",
        )
        .bind(id)
        .bind(if broken { "prod/pax" } else { "prod/pay" })
        .bind(opened)
        .bind(seen)
        .bind(seen)
        .bind(&body)
        .bind(seal)
        .execute(&mut connection)
        .await
        .unwrap();
    }
    sqlx::query("INSERT INTO incident_logs VALUES (12, ?, ?)")
        .bind(LOGS)
        .bind(Seal::of("incident_logs").number(12).text(LOGS).finish())
        .execute(&mut connection)
        .await
        .unwrap();
    let at = minute(11).as_millis();
    let seal = Seal::of("timeline").number(12).number(0).number(at);
    sqlx::query("INSERT INTO timeline VALUES (12, 0, ?, ?, ?)")
        .bind(at)
        .bind(ENTRY)
        .bind(seal.text(ENTRY).finish())
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_database_of_version_1_is_migrated_after_a_copy() {
    let place = place();
    write_older(&place.paths).await;
    let opened = Database::open(&place.paths).await.unwrap();
    assert_eq!(opened.quarantined, None);
    assert_eq!(opened.damage.unwrap().rows, ["incidents row 13"]);
    let database = opened.database;
    let found = database.incident(IncidentId(12)).await.unwrap();
    assert_eq!(found, Some(read_today()));
    let filter = IncidentFilter {
        severities: vec![Severity::High],
        owner: Some(OwnerFilter::Nobody),
        ..IncidentFilter::default()
    };
    let listed = database.incidents(&filter).await.unwrap().incidents;
    assert_eq!(listed, [bare(read_today())]);
    database.close().await;

    let options = SqliteConnectOptions::new().filename(place.paths.database_of_version(1));
    let mut copy = options.read_only(true).connect().await.unwrap();
    let (version, rows): (i64, i64) = sqlx::query_as(
        "SELECT user_version, (SELECT COUNT(*) FROM incidents) FROM pragma_user_version",
    )
    .fetch_one(&mut copy)
    .await
    .unwrap();
    assert_eq!((version, rows), (1, 2));
    open(&place).await;
}

#[test]
fn a_body_of_version_1_is_read() {
    let expected = Incident {
        logs: None,
        timeline: Vec::new(),
        ..read_today()
    };
    assert_eq!(body::read::<Incident>(BODY), Ok(expected));
    for (version, said) in [(0, "which it is not as"), (3, "this program knows 2")] {
        let body = BODY.replace("\"version\":1", &format!("\"version\":{version}"));
        let error = body::read::<Incident>(&body).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
    for broken in ["[]", "{\"members\":3}", "{\"members\":[{}]}", "null"] {
        let body = format!("{{\"version\":1,\"content\":{broken}}}");
        assert!(body::read::<Incident>(&body).is_err(), "{broken}");
    }
}

/// Word for word what version 1 wrote, before logs were part of the evidence.
const EVIDENCE: &str = r#"{"version":1,"content":{"changes":null,"shifts":null,"breakdowns":[],"unusual":[],"similar":[{"id":7,"opened":"2026-11-22T12:00:00.000Z","lasted":{"secs":600,"nanos":0},"status":"RESOLVED","shared":["cpu"],"similarity":0.5,"resolved_by":"Zoë","last_comment":null,"summary":"cpu 96.5 %, past 90 %"}],"failed":["uri of lat: timed out"]}}"#;

#[test]
fn evidence_of_version_1_is_read() {
    let expected = Evidence {
        similar: Some(vec![SimilarIncident {
            id: IncidentId(7),
            opened: minute(0),
            lasted: Some(Duration::from_secs(600)),
            status: Status::Resolved,
            shared: vec![MetricId::new("cpu").unwrap()],
            shared_patterns: Vec::new(),
            similarity: 0.5,
            resolved_by: Some("Zoë".to_owned()),
            last_comment: None,
            summary: "cpu 96.5 %, past 90 %".to_owned(),
        }]),
        failed: vec!["uri of lat: timed out".to_owned()],
        ..Evidence::default()
    };
    assert_eq!(body::read::<Evidence>(EVIDENCE), Ok(expected));
    for broken in ["[]", "{\"similar\":[3]}", "null"] {
        let body = format!("{{\"version\":1,\"content\":{broken}}}");
        assert!(body::read::<Evidence>(&body).is_err(), "{broken}");
    }
}
