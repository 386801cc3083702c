//! What a notice tells: facts of an incident, bounded and in the names of the API.

use std::fmt::Write;

use domain::{
    Actor, ChangeFact, ChangeKind, Incident, IncidentId, IncidentKind, Member, PatternChange,
    ServiceId, Severity, Status, TimelineEvent, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::notice::NoticeKind;
use crate::policy::Policy;
use crate::text::line;

const NAME_CHARS: usize = 200;
const SUMMARY_CHARS: usize = 600;
const FACT_CHARS: usize = 300;
const QUERY_CHARS: usize = 2_000;
const MEMBERS_MAX: usize = 20;
const LINK_MISSING: &str = "set server.external_url to get links";

/// What is told. Numbers are in each metric's unit, instants are UTC, texts are bounded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoticeBody {
    /// Of this format: 1.
    pub version: u32,
    pub key: String,
    pub kind: NoticeKind,
    /// When it became due.
    pub at: Timestamp,
    /// All of it in one line.
    pub text: String,
    /// The incident's number.
    pub incident: Option<u64>,
    pub incident_kind: Option<IncidentKind>,
    pub service: Option<String>,
    pub severity: Severity,
    /// What was told last, where that differs.
    pub severity_before: Option<Severity>,
    pub status: Option<Status>,
    pub firing: bool,
    /// One sentence with numbers that says why.
    pub summary: String,
    pub onset_ts: Option<Timestamp>,
    pub first_crossing_ts: Option<Timestamp>,
    pub opened_ts: Option<Timestamp>,
    pub ended_ts: Option<Timestamp>,
    pub owner: Option<String>,
    pub acknowledged_by: Option<String>,
    pub resolved_by: Option<String>,
    pub resolution_note: Option<String>,
    /// The worst first; `members_omitted` more are not listed.
    pub members: Vec<MemberBody>,
    pub members_omitted: usize,
    /// The log pattern that moved most, in words.
    pub log_pattern: Option<String>,
    /// The newest change before the trouble, in words; what Bellwether did itself is left out.
    pub change: Option<String>,
    /// PromQL that shows the worst member, where the evidence has it.
    pub query: Option<String>,
    pub link: Option<String>,
    /// Why there is no link.
    pub link_missing: Option<String>,
}

/// A metric that belongs to the incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberBody {
    pub metric: String,
    pub title: Option<String>,
    pub unit: Option<String>,
    pub severity: Severity,
    /// The worst value and when it was measured.
    pub worst: f64,
    pub worst_ts: Timestamp,
    pub high: Option<f64>,
    pub critical: Option<f64>,
}

/// What every notice has, whatever it is about.
pub(crate) struct Heading {
    pub key: String,
    pub kind: NoticeKind,
    pub at: Timestamp,
    /// What was told last.
    pub severity_before: Option<Severity>,
}

impl NoticeBody {
    pub const VERSION: u32 = 1;

    /// What `notify test` sends: it goes the whole way, and names itself a test.
    pub fn test(receiver: &str, at: Timestamp, policy: &Policy) -> NoticeBody {
        let heading = Heading {
            key: format!("test/{}/{receiver}", at.as_millis()),
            kind: NoticeKind::Test,
            at,
            severity_before: None,
        };
        let summary = format!("a test of receiver {receiver}, asked for by hand; nothing is wrong");
        NoticeBody::bare(heading, Severity::High, summary, policy, "/ui/")
    }

    pub(crate) fn of_incident(
        heading: Heading,
        incident: &Incident,
        policy: &Policy,
    ) -> NoticeBody {
        let path = format!("/ui/incidents/{}", incident.id.0);
        let summary = incident.summary.clone();
        let resolution = incident.resolution.as_ref();
        let is_acknowledged = incident.status == Status::Acknowledged;
        let members = members(incident);
        let mut body = NoticeBody {
            incident: Some(incident.id.0),
            incident_kind: Some(incident.kind),
            service: Some(line(incident.service.as_str(), ServiceId::MAX_BYTES)),
            status: Some(incident.status),
            firing: incident.firing,
            onset_ts: Some(incident.onset),
            first_crossing_ts: Some(incident.first_crossing),
            opened_ts: Some(incident.opened),
            ended_ts: incident.ended,
            owner: incident.owner.as_ref().map(|owner| line(owner, NAME_CHARS)),
            acknowledged_by: acknowledged_by(incident)
                .filter(|_| is_acknowledged)
                .map(|actor| line(&actor.to_string(), NAME_CHARS)),
            resolved_by: resolution.map(|r| line(&r.by.to_string(), NAME_CHARS)),
            resolution_note: resolution
                .and_then(|r| r.note.as_ref())
                .map(|note| line(note, FACT_CHARS)),
            query: members.first().and_then(|member| query(incident, member)),
            members_omitted: members.len().saturating_sub(MEMBERS_MAX),
            members: members
                .into_iter()
                .take(MEMBERS_MAX)
                .map(|member| member_body(incident, member))
                .collect(),
            log_pattern: log_pattern(incident),
            change: change(incident),
            ..NoticeBody::bare(heading, incident.shown_severity(), summary, policy, &path)
        };
        body.text = body.one_line();
        body
    }

    /// The end of an incident that is not at hand any more.
    pub(crate) fn of_forgotten(
        heading: Heading,
        id: IncidentId,
        service: &ServiceId,
        severity: Severity,
        policy: &Policy,
    ) -> NoticeBody {
        let path = format!("/ui/incidents/{}", id.0);
        let service = line(service.as_str(), ServiceId::MAX_BYTES);
        let summary = format!("{service}: over while pages were withheld");
        let mut body = NoticeBody {
            incident: Some(id.0),
            service: Some(service),
            status: Some(Status::Resolved),
            ..NoticeBody::bare(heading, severity, summary, policy, &path)
        };
        body.text = body.one_line();
        body
    }

    pub(crate) fn of_source(
        heading: Heading,
        firing: bool,
        summary: String,
        policy: &Policy,
    ) -> NoticeBody {
        NoticeBody {
            firing,
            ..NoticeBody::bare(heading, Severity::Critical, summary, policy, "/ui/")
        }
    }

    fn bare(
        heading: Heading,
        severity: Severity,
        summary: String,
        policy: &Policy,
        path: &str,
    ) -> NoticeBody {
        let link = policy.link(path);
        let mut body = NoticeBody {
            version: NoticeBody::VERSION,
            key: heading.key,
            kind: heading.kind,
            at: heading.at,
            text: String::new(),
            incident: None,
            incident_kind: None,
            service: None,
            severity,
            severity_before: heading.severity_before.filter(|before| *before != severity),
            status: None,
            firing: false,
            summary: line(&summary, SUMMARY_CHARS),
            onset_ts: None,
            first_crossing_ts: None,
            opened_ts: None,
            ended_ts: None,
            owner: None,
            acknowledged_by: None,
            resolved_by: None,
            resolution_note: None,
            members: Vec::new(),
            members_omitted: 0,
            log_pattern: None,
            change: None,
            query: None,
            link_missing: link.is_none().then(|| LINK_MISSING.to_owned()),
            link,
        };
        body.text = body.one_line();
        body
    }

    /// "[Critical] #12 opened: payments: Latency p99 is 2,140 ms, …".
    fn one_line(&self) -> String {
        let mut text = format!("[{}] ", self.severity);
        if let Some(incident) = self.incident {
            let _ = write!(text, "#{incident} ");
        }
        text += &match (self.kind, self.severity_before, &self.resolved_by) {
            (NoticeKind::SeverityRaised, Some(before), _) => format!("raised from {before}"),
            (NoticeKind::SeverityLowered, Some(before), _) => format!("lowered from {before}"),
            (NoticeKind::Resolved, _, Some(by)) => format!("resolved by {by}"),
            (NoticeKind::Repeat, ..) => "still fires and nobody has acknowledged it".into(),
            (NoticeKind::Reopened, ..) => "told again".into(),
            (NoticeKind::Quiet, ..) => "quiet, not resolved".into(),
            (NoticeKind::Source, ..) => "nothing is watched".into(),
            (NoticeKind::SourceRecovered, ..) => "watching again".into(),
            (kind, ..) => kind.to_string(),
        };
        let _ = write!(text, ": {}", self.summary);
        text
    }
}

/// Who acknowledged an incident last.
pub(crate) fn acknowledged_by(incident: &Incident) -> Option<&Actor> {
    let entry = incident
        .timeline
        .iter()
        .rev()
        .find(|entry| matches!(entry.what, TimelineEvent::Acknowledged { .. }))?;
    Some(&entry.actor)
}

/// The worst first, then in the order of metrics.
fn members(incident: &Incident) -> Vec<&Member> {
    let mut members: Vec<&Member> = incident.members.iter().collect();
    members.sort_by_key(|member| std::cmp::Reverse(member.severity));
    members
}

fn member_body(incident: &Incident, member: &Member) -> MemberBody {
    let unusual = &incident.evidence.unusual;
    let known = unusual.iter().find(|u| u.metric == member.metric);
    MemberBody {
        metric: member.metric.to_string(),
        title: known.map(|known| line(&known.title, NAME_CHARS)),
        unit: known.map(|known| line(&known.unit, NAME_CHARS)),
        severity: member.severity,
        worst: member.worst,
        worst_ts: member.worst_at,
        high: member.thresholds.high,
        critical: member.thresholds.critical,
    }
}

fn query(incident: &Incident, member: &Member) -> Option<String> {
    let shifts = incident.evidence.shifts.as_ref()?;
    let metric = member.metric.as_str();
    let shift = shifts.ranked.iter().find(|shift| shift.metric == metric)?;
    // A cut query would be another one.
    (shift.query.chars().count() <= QUERY_CHARS).then(|| line(&shift.query, QUERY_CHARS))
}

/// The strongest pattern that is new or has risen; others explain less.
fn log_pattern(incident: &Incident) -> Option<String> {
    let patterns = incident.evidence.patterns.as_ref()?;
    let pattern = patterns
        .ranked
        .iter()
        .find(|p| matches!(p.change, PatternChange::New | PatternChange::Risen))?;
    let exception = pattern
        .exception
        .as_deref()
        .map(|class| format!(" ({class})"));
    let told = format!(
        "{}, {} lines: {}{}",
        pattern.change.as_str(),
        pattern.during,
        pattern.template,
        exception.unwrap_or_default()
    );
    Some(line(&told, FACT_CHARS))
}

fn change(incident: &Incident) -> Option<String> {
    let changes = incident.evidence.changes.as_ref()?;
    let in_the_world = |fact: &&ChangeFact| !is_our_own(&fact.kind);
    let newest = changes.facts.iter().rev().find(in_the_world);
    let ChangeFact { at, kind, .. } = newest?;
    Some(line(&format!("{kind} at {at}"), FACT_CHARS))
}

/// What Bellwether did itself troubles no service.
fn is_our_own(kind: &ChangeKind) -> bool {
    matches!(
        kind,
        ChangeKind::ConfigReloaded | ChangeKind::Retrained { .. }
    )
}
