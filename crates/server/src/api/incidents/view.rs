//! An incident as the API shows it.

use domain::{Actor, Incident, Severity, Status, TimelineEntry, TimelineEvent, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::logs::Window;
use super::super::openapi::{IncidentKindWord, IncidentStatus, SeverityWord, Time, words};
use super::evidence::Explanation;

words! {
    /// Past its threshold and anomalous, Critical for long without an anomaly, or gone.
    OpenedBecauseWord: "crossing_and_anomaly", "threshold_only", "gone";
    /// What happened to an incident.
    TimelineWord: "opened", "member_joined", "severity_changed", "quiet", "acknowledged",
        "resolved", "reopened", "assigned", "snoozed", "woke", "commented", "severity_set",
        "followed_by", "logs_attached";
}

/// An incident; in a list without `revision`, `explanation`, `logs` and `timeline`.
#[derive(Serialize, ToSchema)]
#[schema(as = Incident)]
pub struct IncidentView {
    id: u64,
    service: String,
    #[schema(value_type = IncidentKindWord)]
    kind: domain::IncidentKind,
    #[schema(value_type = IncidentStatus)]
    status: Status,
    firing: bool,
    /// An operator's word, else the computed severity.
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    #[schema(value_type = SeverityWord)]
    computed_severity: Severity,
    #[schema(value_type = SeverityWord)]
    worst_severity: Severity,
    /// Whether `severity` is an operator's word.
    severity_set: bool,
    owner: Option<String>,
    snoozed: Option<SnoozeView>,
    resolution: Option<ResolutionView>,
    summary: String,
    #[schema(value_type = OpenedBecauseWord)]
    opened_because: domain::OpenedBecause,
    /// The first crossing; `/logs` takes it as it is.
    #[schema(value_type = Time)]
    event_ts: Timestamp,
    #[schema(value_type = Time)]
    onset_ts: Timestamp,
    #[schema(value_type = Time)]
    first_crossing_ts: Timestamp,
    #[schema(value_type = Time)]
    opened_ts: Timestamp,
    #[schema(value_type = Time)]
    last_seen_ts: Timestamp,
    #[schema(value_type = Option<Time>)]
    ended_ts: Option<Timestamp>,
    members: Vec<MemberView>,
    /// The incident of the service before it, of which this is a relapse.
    follows: Option<u64>,
    /// Rises with every change; the ETag. It is of the timeline, which a list doesn't read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revision: Option<u64>,
    /// When, what changed, which, how unusual, what the logs say, and what happened before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    explanation: Option<Explanation>,
    /// The lines around its opening, once they have been read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    logs: Option<Window>,
    /// Oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    timeline: Option<Vec<EntryView>>,
}

/// A metric that belongs to an incident.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
struct MemberView {
    metric: String,
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    worst_value: f64,
    #[schema(value_type = Time)]
    worst_ts: Timestamp,
    high: Option<f64>,
    critical: Option<f64>,
    #[schema(value_type = Time)]
    onset_ts: Timestamp,
    /// The onset lies between these with 95 % confidence.
    #[schema(value_type = [Time; 2])]
    onset_between_ts: [Timestamp; 2],
    #[schema(value_type = Time)]
    first_crossing_ts: Timestamp,
    #[schema(value_type = Time)]
    last_firing_ts: Timestamp,
}

/// Nobody is told of it for a while.
#[derive(Serialize, ToSchema)]
#[schema(as = Snooze)]
struct SnoozeView {
    by: String,
    /// Null: until it changes.
    #[schema(value_type = Option<Time>)]
    until: Option<Timestamp>,
}

/// Who resolved it.
#[derive(Serialize, ToSchema)]
#[schema(as = Resolution)]
struct ResolutionView {
    #[schema(value_type = Time)]
    at: Timestamp,
    by: String,
    note: Option<String>,
    decommissioned: bool,
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
pub(crate) struct EntryView {
    #[schema(value_type = Time)]
    at: Timestamp,
    actor: String,
    #[schema(value_type = TimelineWord)]
    pub(crate) event: &'static str,
    pub(crate) text: String,
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
pub fn said_by(actor: &Actor) -> String {
    match actor {
        Actor::Bellwether => "bellwether".to_owned(),
        Actor::Rule(name) => format!("rule {name}"),
        Actor::Unverified(name) => format!("{name} (unverified)"),
        Actor::Verified(name) => name.clone(),
    }
}

/// An entry of a timeline, in words.
pub(crate) fn entry(entry: &TimelineEntry) -> EntryView {
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
