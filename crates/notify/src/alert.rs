//! Alerts as an Alertmanager takes them: `POST /api/v2/alerts`.
//!
//! An alert is identified by its labels. Its severity is among them, for routing; so a changed
//! severity ends one alert and starts another.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{IncidentKind, Severity, Timestamp};
use incident::amount;
use serde::Serialize;

use crate::body::{MemberBody, NoticeBody};
use crate::notice::NoticeKind;

/// How far ahead a firing alert ends, unless it is sent again before.
pub const FIRING_FOR: Duration = Duration::from_secs(240);
/// How often firing alerts are to be sent again.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(60);

/// One alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// `alertname`, `severity`, `kind`; `service` and `incident` where it is one's.
    pub labels: BTreeMap<&'static str, String>,
    pub annotations: BTreeMap<&'static str, String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    pub generator_url: Option<String>,
}

impl Alert {
    /// What notices make of alerts. Where several concern one alert, the last holds, so they are
    /// given in the order in which they became due.
    pub fn of(bodies: &[NoticeBody]) -> Vec<Alert> {
        let mut alerts: BTreeMap<BTreeMap<&'static str, String>, Alert> = BTreeMap::new();
        for alert in bodies.iter().flat_map(Alert::of_one) {
            alerts.insert(alert.labels.clone(), alert);
        }
        alerts.into_values().collect()
    }

    /// Firing ends count from the instant of the notice, not of sending: a notice that comes late
    /// wakes nothing that has ended since.
    fn of_one(body: &NoticeBody) -> Vec<Alert> {
        let before = body.severity_before.unwrap_or(body.severity);
        match body.kind {
            kind if kind.is_end() => vec![Alert::ended(body, before, end_in_words(kind))],
            NoticeKind::SeverityRaised | NoticeKind::SeverityLowered if before != body.severity => {
                vec![
                    Alert::ended(body, before, "severity changed"),
                    Alert::firing(body, body.severity),
                ]
            }
            _ => vec![Alert::firing(body, body.severity)],
        }
    }

    /// `severity`: the one that was told, which is the alert's for life.
    pub(crate) fn firing(body: &NoticeBody, severity: Severity) -> Alert {
        Alert::new(body, severity, "firing", body.at + FIRING_FOR)
    }

    fn ended(body: &NoticeBody, severity: Severity, state: &str) -> Alert {
        Alert::new(body, severity, state, body.at)
    }

    fn new(body: &NoticeBody, severity: Severity, state: &str, ends_at: Timestamp) -> Alert {
        Alert {
            labels: labels(body, severity),
            annotations: annotations(body, state),
            // It must not lie behind the end.
            starts_at: body.onset_ts.unwrap_or(body.at).min(ends_at),
            ends_at,
            generator_url: body.link.clone(),
        }
    }
}

fn end_in_words(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Quiet => "quiet",
        NoticeKind::Muted => "muted",
        _ => "resolved",
    }
}

fn labels(body: &NoticeBody, severity: Severity) -> BTreeMap<&'static str, String> {
    let mut labels = BTreeMap::from([
        ("severity", severity.as_str().to_lowercase()),
        ("kind", alert_kind(body).to_owned()),
    ]);
    match (body.incident, &body.service) {
        (Some(incident), Some(service)) => {
            labels.insert("alertname", "BellwetherIncident".into());
            labels.insert("incident", incident.to_string());
            labels.insert("service", service.clone());
        }
        _ if body.kind == NoticeKind::Test => {
            labels.insert("alertname", "BellwetherTest".into());
        }
        _ => {
            labels.insert("alertname", "BellwetherSource".into());
        }
    }
    labels
}

/// Of what kind the trouble is; the same for the life of the alert.
fn alert_kind(body: &NoticeBody) -> &'static str {
    match (body.incident_kind, body.kind) {
        (Some(IncidentKind::Availability), _) => "availability",
        (Some(IncidentKind::Metrics), _) => "metrics",
        (None, NoticeKind::Test) => "test",
        (None, _) => "source",
    }
}

fn annotations(body: &NoticeBody, state: &str) -> BTreeMap<&'static str, String> {
    let mut annotations = BTreeMap::from([
        ("summary", body.summary.clone()),
        ("description", description(body)),
        ("state", state.to_owned()),
    ]);
    let optional = [
        ("acknowledged_by", &body.acknowledged_by),
        ("resolved_by", &body.resolved_by),
        ("owner", &body.owner),
        ("query", &body.query),
        ("link", &body.link),
        ("link_missing", &body.link_missing),
    ];
    for (name, text) in optional {
        if let Some(text) = text {
            annotations.insert(name, text.clone());
        }
    }
    annotations
}

/// What is known, a line each.
fn description(body: &NoticeBody) -> String {
    let mut lines = vec![match body.incident {
        Some(incident) => format!("#{incident} {}", body.summary),
        None => body.summary.clone(),
    }];
    lines.extend(body.members.iter().map(member_in_words));
    if body.members_omitted > 0 {
        lines.push(format!("and {} more metrics", body.members_omitted));
    }
    lines.extend(body.log_pattern.iter().map(|told| format!("log: {told}")));
    lines.extend(body.change.iter().map(|told| format!("changed: {told}")));
    lines.join("\n")
}

/// "Latency p99: worst 2,140 ms, High from 500 ms, Critical from 3,000 ms".
fn member_in_words(member: &MemberBody) -> String {
    let unit = member.unit.as_deref().unwrap_or_default();
    let title = member.title.as_ref().unwrap_or(&member.metric);
    let mut words = format!("{title}: worst {}", amount(member.worst, unit));
    for (name, threshold) in [("High", member.high), ("Critical", member.critical)] {
        if let Some(threshold) = threshold {
            words += &format!(", {name} from {}", amount(threshold, unit));
        }
    }
    words
}
