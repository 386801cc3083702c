//! What the database promises, through its public face.

mod access;
mod attachments;
mod events;
mod ledger;
mod listing;
mod older;
mod outbox;
mod runs;
mod search;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Actor, Changes, EpisodeMember, Evidence, Incident, IncidentId, IncidentKind, LogOutcome,
    LogWindow, Member, MetricId, OpenedBecause, PostedEvent, Resolution, SeriesId, ServiceId,
    Severity, SimilarIncident, Snooze, Status, Thresholds, TimelineEntry, TimelineEvent, Timestamp,
};

use super::*;

fn at(minute: u64) -> Timestamp {
    Timestamp::from_millis(1_795_348_800_000) + Duration::from_secs(60 * minute)
}

fn entry(minute: u64) -> TimelineEntry {
    TimelineEntry {
        at: at(minute),
        actor: Actor::Unverified("Zoë".to_owned()),
        what: TimelineEvent::Acknowledged {
            note: Some(format!("seen at {minute}")),
        },
    }
}

fn incident(id: u64) -> Incident {
    let number = id as f64;
    Incident {
        id: IncidentId(id),
        service: ServiceId::new(["pay", "prod/cart", "'; --"][(id % 3) as usize]).unwrap(),
        kind: if id % 9 == 4 {
            IncidentKind::Availability
        } else {
            IncidentKind::Metrics
        },
        status: [Status::Open, Status::Acknowledged, Status::Resolved][(id % 7 % 3) as usize],
        firing: id.is_multiple_of(2),
        severity: if id.is_multiple_of(5) {
            Severity::Critical
        } else {
            Severity::High
        },
        worst_severity: Severity::Critical,
        operator_severity: id.is_multiple_of(11).then_some(Severity::Normal),
        owner: (id % 6 == 1).then(|| ["Zoë", "Al"][(id % 12 / 6) as usize].to_owned()),
        snooze: (id % 8 == 3).then(|| Snooze {
            by: Actor::Rule("nightly".to_owned()),
            until: Some(at(id + 60)),
        }),
        resolution: (id % 7 % 3 == 2).then(|| Resolution {
            at: at(id + 20),
            by: Actor::Bellwether,
            note: Some("rolled back".to_owned()),
            decommissioned: false,
        }),
        opened_because: OpenedBecause::ThresholdOnly,
        summary: "cpu 96.5 %, past 90 %".to_owned(),
        onset: at(id),
        first_crossing: at(id + 1),
        opened: at(id + 2),
        last_seen: at(id + 10),
        ended: id.is_multiple_of(2).then(|| at(id + 10)),
        members: vec![Member {
            metric: MetricId::new(["cpu", "mem", "lat"][(id % 3) as usize]).unwrap(),
            onset: at(id),
            onset_between: (at(id), at(id + 1)),
            first_crossing: at(id + 1),
            last_firing: at(id + 9),
            worst: 0.1 + 0.2 + number / 3.0,
            worst_at: at(id + 4),
            severity: Severity::Critical,
            thresholds: Thresholds {
                high: Some(70.1),
                critical: None,
            },
        }],
        follows: None,
        logs: (id % 4 == 1).then(|| {
            Arc::new(LogWindow {
                from: at(id),
                to: at(id + 3),
                outcome: LogOutcome::NotConfigured,
                lines: Vec::new(),
                omitted: 3,
                malformed: 0,
            })
        }),
        evidence: match id % 4 {
            0 | 1 => Arc::new(evidence(id)),
            _ => Arc::default(),
        },
        timeline: (0..id % 4).map(|step| entry(id + step)).collect(),
    }
}

fn evidence(id: u64) -> Evidence {
    Evidence {
        changes: Some(Changes {
            from: at(id),
            to: at(id + 1),
            facts: Vec::new(),
            omitted: 7,
            known_from: None,
        }),
        failed: vec![format!("breakdown of #{id}: timed out after 10 s")],
        ..Evidence::default()
    }
}

/// As a list has it.
fn bare(incident: Incident) -> Incident {
    Incident {
        logs: None,
        evidence: Arc::default(),
        timeline: Vec::new(),
        ..incident
    }
}

fn series(service: &str, metric: &str) -> SeriesId {
    SeriesId::new(
        ServiceId::new(service).unwrap(),
        MetricId::new(metric).unwrap(),
    )
}

fn record(series: &SeriesId, minute: u64) -> LedgerRecord {
    LedgerRecord {
        series: series.clone(),
        from: at(minute),
        body: format!("{{\"of\":\"{series}\",\"minute\":{minute}}}"),
    }
}

fn event(minute: u64, key: Option<&str>, service: Option<&str>) -> PostedEvent {
    PostedEvent {
        id: 0,
        key: key.map(str::to_owned),
        at: at(minute),
        kind: "deploy".to_owned(),
        service: service.map(|name| ServiceId::new(name).unwrap()),
        title: Some(format!("at minute {minute}")),
        version: Some("1.2.3".to_owned()),
        link: None,
        by: None,
    }
}

/// A tick of the run that began at `run_from`.
fn evaluated(run_from: u64, minute: u64) -> TickCommit {
    TickCommit {
        evaluated: Some(Evaluated {
            at: at(minute),
            run_from: at(run_from),
        }),
        ..TickCommit::default()
    }
}

fn of(incidents: Vec<Incident>) -> TickCommit {
    TickCommit {
        incidents,
        ..TickCommit::default()
    }
}

struct Place {
    _dir: tempfile::TempDir,
    paths: Paths,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::new(dir.path());
    Place { _dir: dir, paths }
}

async fn open(place: &Place) -> Database {
    let opened = Database::open(&place.paths).await.unwrap();
    assert_eq!((opened.quarantined, opened.damage), (None, None));
    opened.database
}

#[tokio::test]
async fn a_tick_comes_back_after_a_restart() {
    let place = place();
    let database = open(&place).await;
    assert_eq!(database.engine_state("engine").await.unwrap(), None);
    let job = Job {
        id: "train-1".to_owned(),
        kind: "train".to_owned(),
        state: JobState::Running,
        created: at(0),
        finished: None,
        body: serde_json::json!({"services": ["pay"], "ratio": 0.1}),
    };
    let state = EngineState {
        key: EngineState::ENGINE.to_owned(),
        version: 3,
        bytes: vec![0, 255, 7],
    };
    let tick = TickCommit {
        incidents: (1..=8).map(incident).collect(),
        engine_states: vec![state.clone()],
        jobs: vec![job.clone()],
        ..TickCommit::default()
    };
    database.commit_tick(tick).await.unwrap();
    database.set_meta("schema", "one").await.unwrap();
    database.set_meta("schema", "two").await.unwrap();
    database.close().await;

    let database = open(&place).await;
    for id in 1..=8 {
        let found = database.incident(IncidentId(id)).await.unwrap();
        assert_eq!(found, Some(incident(id)));
    }
    for unknown in [0, 9, u64::MAX] {
        assert_eq!(database.incident(IncidentId(unknown)).await.unwrap(), None);
    }
    let open: Vec<Incident> = (1..=8)
        .map(incident)
        .filter(|incident| incident.status != Status::Resolved || incident.firing)
        .collect();
    assert_eq!(database.all_open().await.unwrap(), open);
    assert_eq!(
        database.newest_incident().await.unwrap(),
        Some(IncidentId(8))
    );
    assert_eq!(database.engine_state("engine").await.unwrap(), Some(state));
    assert_eq!(database.jobs(10).await.unwrap(), std::slice::from_ref(&job));
    assert_eq!(
        database.meta("schema").await.unwrap().as_deref(),
        Some("two")
    );
    let done = Job {
        state: JobState::Succeeded,
        finished: Some(at(1)),
        ..job
    };
    database.save_job(&done).await.unwrap();
    assert_eq!(database.job("train-1").await.unwrap(), Some(done));
}

#[tokio::test]
async fn a_tick_that_fails_leaves_nothing() {
    let place = place();
    let database = open(&place).await;
    let tick = of(vec![
        incident(1),
        Incident {
            id: IncidentId(u64::MAX),
            ..incident(2)
        },
    ]);
    let error = database.commit_tick(tick).await.unwrap_err().to_string();
    assert!(error.contains("number is too large"), "{error}");
    assert_eq!(database.newest_incident().await.unwrap(), None);
    database.commit_tick(of(vec![incident(1)])).await.unwrap();
}

#[tokio::test]
async fn a_timeline_only_grows_and_logs_stay() {
    let place = place();
    let database = open(&place).await;
    let first = incident(5);
    assert!(first.logs.is_some() && first.timeline.len() == 1);
    database.commit_tick(of(vec![first.clone()])).await.unwrap();
    let mut later = first.clone();
    later.last_seen = at(99);
    later.logs = None;
    later.timeline = vec![entry(77), entry(78)];
    database.commit_tick(of(vec![later.clone()])).await.unwrap();
    later.timeline.clear();
    database.commit_tick(of(vec![later.clone()])).await.unwrap();
    let found = database.incident(first.id).await.unwrap().unwrap();
    assert_eq!(found.last_seen, at(99));
    assert_eq!(found.logs, first.logs);
    assert_eq!(found.timeline, [first.timeline[0].clone(), entry(78)]);
}

#[tokio::test]
async fn episodes_say_what_training_leaves_out() {
    let place = place();
    let database = open(&place).await;
    database
        .commit_tick(of((1..=30).map(incident).collect()))
        .await
        .unwrap();
    let episodes = database.episodes(at(38)).await.unwrap();
    let ids: Vec<u64> = episodes.iter().map(|episode| episode.incident.0).collect();
    assert_eq!(ids, [28, 29, 30]);
    assert_eq!(episodes[0].ended, Some(at(38)));
    let member = EpisodeMember {
        metric: MetricId::new("mem").unwrap(),
        onset: at(28),
        first_crossing: at(29),
        last_firing: at(37),
    };
    assert_eq!(episodes[0].members, [member]);
}

#[tokio::test]
async fn what_is_resolved_and_still_fires_is_open() {
    let place = place();
    let database = open(&place).await;
    let mut incidents: Vec<Incident> = (1..=2).map(incident).collect();
    for (incident, firing) in incidents.iter_mut().zip([true, false]) {
        incident.status = Status::Resolved;
        incident.firing = firing;
    }
    database.commit_tick(of(incidents)).await.unwrap();
    let open = database.all_open().await.unwrap();
    assert_eq!(open.iter().map(|i| i.id.0).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn only_resolved_quiet_and_old_incidents_are_dropped() {
    let place = place();
    let database = open(&place).await;
    let mut incidents: Vec<Incident> = (1..=4).map(incident).collect();
    for (incident, (status, firing)) in incidents.iter_mut().zip([
        (Status::Resolved, false),
        (Status::Open, false),
        (Status::Resolved, true),
        (Status::Resolved, false),
    ]) {
        incident.status = status;
        incident.firing = firing;
    }
    let kept_from = incidents[3].last_seen;
    database.commit_tick(of(incidents)).await.unwrap();
    assert_eq!(database.prune(kept_from).await.unwrap(), 1);
    assert!(database.incident(IncidentId(1)).await.unwrap().is_none());
    for id in 2..=4 {
        let kept = database.incident(IncidentId(id)).await.unwrap();
        assert!(kept.is_some(), "{id}");
    }
}

#[tokio::test]
async fn a_newer_database_is_refused_and_left_alone() {
    let place = place();
    let database = open(&place).await;
    sqlx::raw_sql("PRAGMA user_version = 9")
        .execute(&database.writer)
        .await
        .unwrap();
    database.close().await;
    let error = Database::open(&place.paths).await.unwrap_err().to_string();
    assert!(
        error.contains("version is 9") && error.contains("up to 3"),
        "{error}"
    );
    assert!(!place.paths.quarantine().exists());
}

#[tokio::test]
async fn a_copy_is_a_whole_database() {
    let place = place();
    let database = open(&place).await;
    database.commit_tick(of(vec![incident(3)])).await.unwrap();
    let other = self::place();
    database.copy_to(&other.paths.database()).await.unwrap();
    assert!(database.copy_to(&other.paths.database()).await.is_err());
    let copy = open(&other).await;
    assert_eq!(
        copy.incident(IncidentId(3)).await.unwrap(),
        Some(incident(3))
    );
}

/// The bytes of a closed database with some incidents.
async fn some_bytes() -> Vec<u8> {
    let place = place();
    let database = open(&place).await;
    let tick = TickCommit {
        incidents: (1..=40).map(incident).collect(),
        ledger: (0..40)
            .map(|minute| record(&series("pay", "cpu"), minute))
            .collect(),
        engine_states: vec![EngineState {
            key: EngineState::ENGINE.to_owned(),
            version: 1,
            bytes: vec![7; 9000],
        }],
        ..evaluated(1, 1)
    };
    database.commit_tick(tick).await.unwrap();
    for minute in 0..20 {
        let added = database.add_event(event(minute, None, None)).await;
        assert!(matches!(added, Ok(Added::New(_))), "{added:?}");
    }
    database.close().await;
    fs::read(place.paths.database()).unwrap()
}

/// What opening a database of these bytes gives.
async fn opened_from(bytes: &[u8]) -> (Place, OpenedDatabase) {
    let place = place();
    fs::write(place.paths.database(), bytes).unwrap();
    let opened = Database::open(&place.paths).await.unwrap();
    (place, opened)
}

#[tokio::test]
async fn what_is_no_database_is_set_aside_whole() {
    let whole = some_bytes().await;
    for bytes in [
        b"hello".to_vec(),
        vec![0; 8192],
        whole[..whole.len() / 2].to_vec(),
        whole[..100].to_vec(),
        [&whole[..4096], &vec![0xA5; whole.len() - 4096]].concat(),
    ] {
        let (place, opened) = opened_from(&bytes).await;
        let folder = opened.quarantined.unwrap();
        assert_eq!(fs::read(folder.join("bellwether.db")).unwrap(), bytes);
        assert!(folder.join("why.txt").exists());
        assert_eq!(opened.database.newest_incident().await.unwrap(), None);
        opened
            .database
            .commit_tick(of(vec![incident(1)]))
            .await
            .unwrap();
        opened.database.close().await;
        open(&place).await;
    }
}

#[tokio::test]
async fn an_empty_file_is_a_first_start_cut_short_unless_something_was_stored() {
    let (_place, opened) = opened_from(&[]).await;
    assert_eq!(opened.quarantined, None);
    let place = place();
    fs::create_dir_all(place.paths.datasets().join("pay")).unwrap();
    fs::write(place.paths.database(), []).unwrap();
    let opened = Database::open(&place.paths).await.unwrap();
    assert!(opened.quarantined.is_some());
}

#[tokio::test]
async fn a_damaged_row_goes_after_a_copy_and_the_rest_serves() {
    let whole = some_bytes().await;
    let text = b"cpu 96.5 %";
    let at = whole
        .windows(text.len())
        .rposition(|found| found == text)
        .unwrap();
    let mut bytes = whole.clone();
    bytes[at + 4] ^= 1;
    let (place, opened) = opened_from(&bytes).await;
    assert_eq!(opened.quarantined, None);
    let damage = opened.damage.unwrap();
    assert_eq!(damage.rows.len(), 1, "{damage:?}");
    let id: u64 = damage.rows[0]
        .strip_prefix("incidents row ")
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(fs::read(damage.copy.join("bellwether.db")).unwrap(), bytes);
    for other in 1..=40 {
        let found = opened.database.incident(IncidentId(other)).await.unwrap();
        assert_eq!(found, (other != id).then(|| incident(other)));
    }
    opened.database.close().await;
    open(&place).await;
}

#[tokio::test]
async fn damage_in_each_table_is_found_and_named() {
    let whole = some_bytes().await;
    for (text, table) in [
        ("breakdown of #", "incident_evidence"),
        ("not_configured", "incident_logs"),
        ("seen at ", "timeline"),
        ("at minute 7", "events"),
    ] {
        let place = whole
            .windows(text.len())
            .rposition(|found| found == text.as_bytes())
            .unwrap();
        let mut bytes = whole.clone();
        bytes[place + 2] ^= 1;
        let (place, opened) = opened_from(&bytes).await;
        let damage = opened.damage.unwrap();
        assert_eq!(damage.rows.len(), 1, "{damage:?}");
        assert!(
            damage.rows[0].starts_with(&format!("{table} row ")),
            "{damage:?}"
        );
        opened.database.close().await;
        open(&place).await;
    }
}

#[tokio::test]
async fn columns_that_lie_are_found() {
    for (damage, said) in [
        ("UPDATE runs SET last_ms = last_ms + 1", "runs row 1"),
        (
            "UPDATE events SET service = '' WHERE id = 3",
            "events row 3",
        ),
        ("UPDATE events SET key = '' WHERE id = 4", "events row 4"),
        ("UPDATE events SET at_ms = 0 WHERE id = 5", "events row 5"),
        (
            "UPDATE incidents SET owner = '' WHERE id = 8",
            "incidents row 8",
        ),
        (
            "UPDATE incidents SET snoozed = 1 WHERE id = 9",
            "incidents row 9",
        ),
        (
            "UPDATE incidents SET severity_rank = 0 WHERE id = 10",
            "incidents row 10",
        ),
        (
            "UPDATE incident_evidence SET incident_id = 2 WHERE incident_id = 1",
            "incident_evidence row 2",
        ),
    ] {
        let (place, opened) = opened_from(&some_bytes().await).await;
        let done = sqlx::raw_sql(damage).execute(&opened.database.writer).await;
        assert_eq!(done.unwrap().rows_affected(), 1, "{damage}");
        opened.database.close().await;
        let opened = Database::open(&place.paths).await.unwrap();
        assert_eq!(opened.damage.unwrap().rows, [said]);
    }
}

#[tokio::test]
async fn a_damaged_decision_is_found_when_it_is_read() {
    for damage in [
        "UPDATE ledger SET body = replace(body, '{', '[') WHERE rowid = 1",
        "UPDATE ledger SET from_ms = from_ms - 1 WHERE rowid = 1",
        "UPDATE ledger SET seal = x'00' WHERE rowid = 1",
    ] {
        let (_place, opened) = opened_from(&some_bytes().await).await;
        let database = opened.database;
        let (service, metric, from_ms): (String, String, i64) =
            sqlx::query_as("SELECT service, metric, from_ms FROM ledger WHERE rowid = 1")
                .fetch_one(&database.readers)
                .await
                .unwrap();
        let series = SeriesId::new(
            ServiceId::new(&service).unwrap(),
            MetricId::new(&metric).unwrap(),
        );
        let at = Timestamp::from_millis(from_ms);
        assert!(database.decision_at(&series, at).await.unwrap().is_some());
        let done = sqlx::raw_sql(damage).execute(&database.writer).await;
        assert_eq!(done.unwrap().rows_affected(), 1, "{damage}");
        let found = database.decision_at(&series, at).await;
        assert!(
            matches!(found, Err(DatabaseError::Unreadable { .. })),
            "{damage}: {found:?}"
        );
        let filter = DecisionFilter::new(series, at, at);
        assert_eq!(database.decisions(&filter).await.unwrap().records, []);
    }
}

#[tokio::test]
async fn no_flipped_bit_is_believed() {
    let whole = some_bytes().await;
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..150 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let bit = (seed >> 16) as usize % (whole.len() * 8);
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let place = place();
        fs::write(place.paths.database(), &bytes).unwrap();
        let opened = match Database::open(&place.paths).await {
            Ok(opened) => opened,
            Err(DatabaseError::Newer { .. }) => continue,
            Err(error) => panic!("bit {bit}: {error:?}"),
        };
        let said = opened.quarantined.is_some() || opened.damage.is_some();
        let mut all = opened
            .database
            .incidents(&IncidentFilter::default())
            .await
            .unwrap();
        all.incidents.reverse();
        for found in &all.incidents {
            let expected = bare(incident(found.id.0));
            assert!(said || *found == expected, "bit {bit}: {found:?}");
        }
        assert!(
            said || all.incidents.len() == 40,
            "bit {bit}: {}",
            all.incidents.len()
        );
        let cpu = series("pay", "cpu");
        let ledger = DecisionFilter::new(cpu.clone(), at(0), at(99));
        let ledger = opened.database.decisions(&ledger).await.unwrap().records;
        // A damaged decision is left out as it is read.
        for found in &ledger {
            let minute = (found.from.as_millis() - at(0).as_millis()) / 60_000;
            assert!(said || *found == record(&cpu, minute as _), "bit {bit}");
        }
        assert!(said || ledger.len() >= 39, "bit {bit}");
        let events = opened.database.recent_events(at(0)).await.unwrap();
        let expected = (0..20).map(|minute| PostedEvent {
            id: minute + 1,
            ..event(minute, None, None)
        });
        assert!(said || events.into_iter().eq(expected), "bit {bit}");
        opened.database.close().await;
    }
}
