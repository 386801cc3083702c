//! Writes a small data directory with one of everything. Run it before the schema or the layout is
//! changed, keep what it wrote under `samples/`, and let `tests/samples.rs` open it ever after:
//! `cargo run -p store --example stored_sample DIR`.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Actor, Band, Evidence, Features, Incident, IncidentId, IncidentKind, LogLevel, LogLine,
    LogOutcome, LogWindow, Member, MetricId, OpenedBecause, Part, PostedEvent, Prediction,
    Resolution, Row, SeriesId, ServiceId, Severity, Status, Thresholds, TimelineEntry,
    TimelineEvent, Timestamp,
};
use store::{
    DataDir, Database, Datasets, EngineState, Evaluated, Job, JobState, LedgerRecord, Models,
    NewNotice, TickCommit,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args().nth(1).ok_or("name a directory")?;
    let data_dir = DataDir::open(&PathBuf::from(root), minute(0))?;
    let paths = data_dir.paths().clone();
    let series = SeriesId::new(ServiceId::new("prod/pay")?, MetricId::new("cpu")?);

    let mut datasets = Datasets::open(paths.clone())?.datasets;
    let rows = (0..20).map(|index| {
        let part = if index < 15 {
            Part::History
        } else {
            Part::Anomaly
        };
        (series.clone(), part, row(index))
    });
    let appended = datasets.append(rows);
    if let Some(error) = appended.error {
        return Err(error.into());
    }
    datasets.flush()?;

    let models = Models::new(paths.clone());
    models.save(&series, b"a model")?;
    models.save_state(&series, b"a state")?;

    let database = Database::open(&paths).await?.database;
    database.commit_tick(tick(&series)?).await?;
    database.add_event(event()?).await?;
    database.set_meta("schema", "as it was").await?;
    database.close().await;
    Ok(())
}

fn minute(minute: u64) -> Timestamp {
    Timestamp::from_millis(1_795_348_800_000) + Duration::from_secs(60 * minute)
}

fn row(index: u64) -> Row {
    Row {
        timestamp: minute(index),
        value: 70.1 + index as f64 / 3.0,
        severity: Severity::High,
        prediction: Prediction::Anomaly,
        score: Some(5.5),
        features: Some(Features {
            value: 70.1 + index as f64 / 3.0,
            delta: 0.1,
            rolling_mean: 70.0,
            rolling_std: 1.5,
            zscore: 2.25,
        }),
        band: Some(Band {
            expected: 60.0,
            lower: 50.0,
            upper: 70.0,
        }),
    }
}

fn tick(series: &SeriesId) -> Result<TickCommit, Box<dyn Error>> {
    Ok(TickCommit {
        incidents: vec![incident(series, 12), incident(series, 13)],
        ledger: vec![LedgerRecord {
            series: series.clone(),
            from: minute(3),
            body: "{\"prediction\":\"Anomaly\"}".to_owned(),
        }],
        evaluated: Some(Evaluated {
            at: minute(3),
            run_from: minute(3),
        }),
        engine_states: vec![EngineState {
            key: EngineState::ENGINE.to_owned(),
            version: 3,
            bytes: vec![0, 255, 7],
        }],
        notices: vec![NewNotice {
            key: "i12/opened/1/oncall".to_owned(),
            receiver: "oncall".to_owned(),
            kind: "opened".to_owned(),
            incident: Some(IncidentId(12)),
            service: Some(series.service.clone()),
            created: minute(2),
            withheld: None,
            body: serde_json::json!({"version": 1}),
        }],
        jobs: vec![Job {
            id: "train-1".to_owned(),
            kind: "train".to_owned(),
            state: JobState::Succeeded,
            created: minute(1),
            finished: Some(minute(2)),
            body: serde_json::json!({"services": ["prod/pay"], "ratio": 0.1}),
        }],
    })
}

fn incident(series: &SeriesId, id: u64) -> Incident {
    let zoe = Actor::Unverified("Zoë".to_owned());
    Incident {
        id: IncidentId(id),
        service: series.service.clone(),
        kind: IncidentKind::Metrics,
        status: Status::Resolved,
        firing: false,
        severity: Severity::High,
        worst_severity: Severity::Critical,
        operator_severity: Some(Severity::Critical),
        owner: Some("Zoë".to_owned()),
        snooze: None,
        resolution: Some(Resolution {
            at: minute(11),
            by: zoe.clone(),
            note: Some("rolled back".to_owned()),
            decommissioned: false,
        }),
        opened_because: OpenedBecause::CrossingAndAnomaly,
        summary: "cpu 96.5 %, past 90 %".to_owned(),
        onset: minute(0),
        first_crossing: minute(1),
        opened: minute(2),
        last_seen: minute(10),
        ended: Some(minute(10)),
        members: vec![Member {
            metric: series.metric.clone(),
            onset: minute(0),
            onset_between: (minute(0), minute(1)),
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
            outcome: LogOutcome::Found,
            lines: vec![LogLine {
                level: LogLevel::Error,
                message: "No Connection within 30 s".to_owned(),
                ..LogLine::new(minute(1))
            }],
            omitted: 3,
            malformed: 0,
        })),
        evidence: Arc::new(Evidence {
            failed: vec!["uri of lat: timed out".to_owned()],
            ..Evidence::default()
        }),
        timeline: vec![TimelineEntry {
            at: minute(11),
            actor: zoe,
            what: TimelineEvent::Resolved {
                note: Some("rolled back".to_owned()),
            },
        }],
    }
}

fn event() -> Result<PostedEvent, Box<dyn Error>> {
    Ok(PostedEvent {
        id: 0,
        key: Some("build-7".to_owned()),
        at: minute(1),
        kind: "deploy".to_owned(),
        service: Some(ServiceId::new("prod/pay")?),
        title: Some("payments".to_owned()),
        version: Some("1.2.3".to_owned()),
        link: None,
        by: None,
    })
}
