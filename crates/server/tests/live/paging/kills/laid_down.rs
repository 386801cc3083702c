//! A data directory with incidents in it, before any server ran on it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Actor, Evidence, Incident, IncidentId, IncidentKind, Member, MetricId, OpenedBecause,
    ServiceId, Severity, Status, Thresholds, TimelineEntry, TimelineEvent, Timestamp,
};
use store::{DataDir, Database, TickCommit};

use crate::knobs::scripted::now;

const LONG_AGO: Duration = Duration::from_secs(2 * 3600);

/// A data directory with so many incidents that fire, each of a service of its own.
pub async fn lay_down(data: &Path, incidents: u64) {
    let now = now();
    let data_dir = DataDir::open(data, now).unwrap();
    let database = Database::open(data_dir.paths()).await.unwrap().database;
    let ids: Vec<u64> = (1..=incidents).collect();
    for ids in ids.chunks(250) {
        let tick = TickCommit {
            incidents: ids.iter().map(|id| incident(*id, now)).collect(),
            ..TickCommit::default()
        };
        database.commit_tick(tick).await.unwrap();
    }
    database.close().await;
}

/// So old that no evidence is gathered any more.
fn incident(id: u64, now: Timestamp) -> Incident {
    let opened = now - LONG_AGO;
    let service = ServiceId::new(&format!("service-{id}")).unwrap();
    let summary = format!("{service}: CPU is 91 %, past High 80 %");
    let because = OpenedBecause::CrossingAndAnomaly;
    let text = summary.clone();
    Incident {
        id: IncidentId(id),
        service,
        kind: IncidentKind::Metrics,
        status: Status::Open,
        firing: true,
        severity: Severity::High,
        worst_severity: Severity::High,
        operator_severity: None,
        owner: None,
        snooze: None,
        resolution: None,
        opened_because: because,
        summary,
        onset: opened,
        first_crossing: opened,
        opened,
        last_seen: now,
        ended: None,
        members: vec![Member {
            metric: MetricId::new("cpu").unwrap(),
            onset: opened,
            onset_between: (opened, opened),
            first_crossing: opened,
            last_firing: now,
            worst: 91.0,
            worst_at: opened,
            severity: Severity::High,
            thresholds: Thresholds {
                high: Some(80.0),
                critical: Some(95.0),
            },
        }],
        follows: None,
        logs: None,
        evidence: Arc::new(Evidence::default()),
        timeline: vec![TimelineEntry {
            at: opened,
            actor: Actor::Bellwether,
            what: TimelineEvent::Opened { because, text },
        }],
    }
}
