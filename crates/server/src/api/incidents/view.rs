//! An incident as the API shows it.

use domain::{Actor, Incident, Severity, Status, TimelineEntry, TimelineEvent, Timestamp};
use serde::Serialize;

use super::super::logs::Window;
use super::evidence::Explanation;

/// An incident as the API shows it.
#[derive(Serialize)]
pub struct IncidentView {
    id: u64,
    service: String,
    kind: domain::IncidentKind,
    status: Status,
    firing: bool,
    /// An operator's word, else the computed severity.
    severity: Severity,
    computed_severity: Severity,
    worst_severity: Severity,
    /// Whether `severity` is an operator's word.
    severity_set: bool,
    owner: Option<String>,
    snoozed: Option<SnoozeView>,
    resolution: Option<ResolutionView>,
    summary: String,
    opened_because: domain::OpenedBecause,
    /// The first crossing; `/logs` takes it as it is.
    event_ts: Timestamp,
    onset_ts: Timestamp,
    first_crossing_ts: Timestamp,
    opened_ts: Timestamp,
    last_seen_ts: Timestamp,
    ended_ts: Option<Timestamp>,
    members: Vec<MemberView>,
    follows: Option<u64>,
    /// Rises with every change; the ETag. It is of the timeline, which a list doesn't read.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    /// When, what changed, which, how unusual, what the logs say, and what happened before.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logs: Option<Window>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<Vec<EntryView>>,
}

#[derive(Serialize)]
struct MemberView {
    metric: String,
    severity: Severity,
    worst_value: f64,
    worst_ts: Timestamp,
    high: Option<f64>,
    critical: Option<f64>,
    onset_ts: Timestamp,
    /// The onset lies between these with 95 % confidence.
    onset_between_ts: [Timestamp; 2],
    first_crossing_ts: Timestamp,
    last_firing_ts: Timestamp,
}

#[derive(Serialize)]
struct SnoozeView {
    by: String,
    /// Null: until it changes.
    until: Option<Timestamp>,
}

#[derive(Serialize)]
struct ResolutionView {
    at: Timestamp,
    by: String,
    note: Option<String>,
    decommissioned: bool,
}

#[derive(Serialize)]
struct EntryView {
    at: Timestamp,
    actor: String,
    event: &'static str,
    text: String,
}

impl IncidentView {
    /// A list has no `revision`, `explanation`, `logs` and `timeline`.
    pub fn of(incident: Incident, whole: bool) -> IncidentView {
        let member = |member: &domain::Member| MemberView {
            metric: member.metric.to_string(),
            severity: member.severity,
            worst_value: member.worst,
            worst_ts: member.worst_at,
            high: member.thresholds.high,
            critical: member.thresholds.critical,
            onset_ts: member.onset,
            onset_between_ts: [member.onset_between.0, member.onset_between.1],
            first_crossing_ts: member.first_crossing,
            last_firing_ts: member.last_firing,
        };
        IncidentView {
            id: incident.id.0,
            service: incident.service.to_string(),
            kind: incident.kind,
            status: incident.status,
            firing: incident.firing,
            severity: incident.shown_severity(),
            computed_severity: incident.severity,
            worst_severity: incident.worst_severity,
            severity_set: incident.operator_severity.is_some(),
            owner: incident.owner.clone(),
            snoozed: incident.snooze.as_ref().map(|snooze| SnoozeView {
                by: said_by(&snooze.by),
                until: snooze.until,
            }),
            resolution: incident
                .resolution
                .as_ref()
                .map(|resolution| ResolutionView {
                    at: resolution.at,
                    by: said_by(&resolution.by),
                    note: resolution.note.clone(),
                    decommissioned: resolution.decommissioned,
                }),
            summary: incident.summary.clone(),
            opened_because: incident.opened_because,
            event_ts: incident.first_crossing,
            onset_ts: incident.onset,
            first_crossing_ts: incident.first_crossing,
            opened_ts: incident.opened,
            last_seen_ts: incident.last_seen,
            ended_ts: incident.ended,
            members: incident.members.iter().map(member).collect(),
            follows: incident.follows.map(|id| id.0),
            revision: whole.then(|| incident.revision()),
            explanation: whole.then(|| Explanation::of(&incident)),
            logs: whole
                .then(|| incident.logs.map(|logs| Window::from((*logs).clone())))
                .flatten(),
            timeline: whole.then(|| incident.timeline.iter().map(entry).collect()),
        }
    }
}

/// Who did something, as people read it.
pub(super) fn said_by(actor: &Actor) -> String {
    match actor {
        Actor::Bellwether => "bellwether".to_owned(),
        Actor::Rule(name) => format!("rule {name}"),
        Actor::Unverified(name) => format!("{name} (unverified)"),
        Actor::Verified(name) => name.clone(),
    }
}

fn entry(entry: &TimelineEntry) -> EntryView {
    let actor = said_by(&entry.actor);
    let with_note = |did: &str, note: &Option<String>| {
        note.as_ref()
            .map_or_else(|| did.to_owned(), |note| format!("{did}: {note}"))
    };
    let (event, text) = match &entry.what {
        TimelineEvent::Opened { because, text } => {
            ("opened", format!("{text} ({})", because.in_words()))
        }
        TimelineEvent::MemberJoined { text, .. } => ("member_joined", text.clone()),
        TimelineEvent::SeverityChanged { from, to } => (
            "severity_changed",
            format!("severity went from {from} to {to}"),
        ),
        TimelineEvent::Quiet => ("quiet", "calm again; not resolved".to_owned()),
        TimelineEvent::Acknowledged { note } => ("acknowledged", with_note("acknowledged", note)),
        TimelineEvent::Resolved { note } => ("resolved", with_note("resolved", note)),
        TimelineEvent::Reopened { note } => ("reopened", with_note("reopened", note)),
        TimelineEvent::Assigned { owner, note } => {
            let owner = owner.as_deref().unwrap_or("nobody");
            ("assigned", with_note(&format!("assigned to {owner}"), note))
        }
        TimelineEvent::Snoozed { until, note } => {
            let until = until.map_or_else(|| "it changes".to_owned(), |until| until.to_string());
            (
                "snoozed",
                with_note(&format!("snoozed until {until}"), note),
            )
        }
        TimelineEvent::Woke { because } => ("woke", format!("the snooze ended: {because}")),
        TimelineEvent::Commented { text } => ("commented", text.clone()),
        TimelineEvent::SeveritySet { severity, note } => {
            let did = match severity {
                Some(severity) => format!("severity set to {severity}"),
                None => "severity given back to the thresholds".to_owned(),
            };
            ("severity_set", with_note(&did, note))
        }
        TimelineEvent::FollowedBy { incident } => {
            ("followed_by", format!("followed by {incident}"))
        }
        TimelineEvent::LogsAttached { lines } => {
            ("logs_attached", format!("{lines} log lines attached"))
        }
    };
    EntryView {
        at: entry.at,
        actor,
        event,
        text,
    }
}
