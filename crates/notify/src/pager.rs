//! The pager: what each receiver was told, compared with what is.
//!
//! It looks at levels, not at edges: an edge that was missed, a mute that ends or a receiver that
//! is added leads to the same notice as the edge itself would have.

mod incidents;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::{Incident, IncidentId, ServiceId, Severity, Status, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alert::Alert;
use crate::body::{Heading, NoticeBody};
use crate::notice::{Notice, NoticeKind, NoticeState};
use crate::policy::{Policy, ReceiverPolicy, Withhold};
use source::SourceMemory;

/// Reasons that are remembered for one incident and receiver, so that each is said once; what is
/// withheld beyond is not listed.
const WITHHELD_MAX: usize = 32;

/// The memory of paging. Small and bounded by the incidents that the engine holds; to be stored in
/// the same transaction as the incidents and the notices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pager {
    /// Of the newest notice. Begins at the first step's instant in milliseconds, so that a lost
    /// memory gives no key twice.
    number: u64,
    incidents: BTreeMap<IncidentId, IncidentMemory>,
    source: SourceMemory,
}

/// What a receiver was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub severity: Severity,
    /// When it was told that it fires.
    pub at: Timestamp,
    pub standing: Standing,
}

/// How things stand in a receiver's eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Firing,
    Quiet,
    Resolved,
    Muted,
}

/// Everything one step rests on.
pub struct Seen<'a> {
    pub now: Timestamp,
    /// All that the engine holds, that is everything not both resolved and quiet, and what changed
    /// in this step.
    pub incidents: &'a [Arc<Incident>],
    pub source: Source<'a>,
}

/// Whether the source of the metrics answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// Before the first tick: nothing is concluded.
    Unknown,
    Answers,
    Blind {
        since: Timestamp,
        why: Option<&'a str>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct IncidentMemory {
    service: ServiceId,
    /// The severity with which it was acknowledged: what is worse is news.
    acknowledged_at: Option<Severity>,
    receivers: BTreeMap<String, Line>,
}

/// What passed to one receiver about one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Line {
    told: Option<Told>,
    /// Hashes of what was withheld, kind and reason, since it was told last.
    withheld: BTreeSet<u64>,
}

impl Line {
    /// Notes what is withheld; whether that is new.
    fn withhold(&mut self, kind: NoticeKind, because: &str) -> bool {
        let hash = blake3::hash(format!("{kind} {because}").as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        self.withheld.len() < WITHHELD_MAX && self.withheld.insert(u64::from_le_bytes(first))
    }

    fn tell(&mut self, kind: NoticeKind, severity: Severity, now: Timestamp) {
        let standing = match kind {
            NoticeKind::Quiet => Standing::Quiet,
            NoticeKind::Resolved | NoticeKind::SourceRecovered => Standing::Resolved,
            NoticeKind::Muted => Standing::Muted,
            _ => Standing::Firing,
        };
        let before = self.told.filter(|_| kind.is_end());
        self.told = Some(Told {
            severity: before.map_or(severity, |told| told.severity),
            at: before.map_or(now, |told| told.at),
            standing,
        });
        self.withheld.clear();
    }

    fn is_told_firing(&self) -> bool {
        self.told
            .is_some_and(|told| told.standing == Standing::Firing)
    }
}

impl Pager {
    /// Compares, remembers, and says what is due and what is withheld, ordered by incident, then
    /// as the receivers are, the source last. At most one notice for each incident and receiver.
    ///
    /// The same memory and the same arguments give the same notices with the same keys.
    pub fn step(&mut self, policy: &Policy, withhold: &Withhold, seen: &Seen<'_>) -> Vec<Notice> {
        self.forget_receivers(policy);
        let mut step = Step {
            pager: self,
            policy,
            withhold,
            now: seen.now,
            notices: Vec::new(),
        };
        step.incidents(seen.incidents);
        step.source(seen.source);
        step.notices
    }

    /// What the receivers were told of an incident, by their names.
    pub fn told(&self, incident: IncidentId) -> impl Iterator<Item = (&str, Told)> {
        let memory = self.incidents.get(&incident).into_iter();
        memory
            .flat_map(|memory| &memory.receivers)
            .filter_map(|(name, line)| Some((name.as_str(), line.told?)))
    }

    /// The alerts that fire at an Alertmanager, to be sent every
    /// [`REFRESH_INTERVAL`](crate::REFRESH_INTERVAL) lest they be taken as ended: all that it was
    /// told of and that still fire, acknowledged ones too.
    pub fn firing_alerts(&self, policy: &Policy, receiver: &str, seen: &Seen<'_>) -> Vec<Alert> {
        let heading = |before| Heading {
            key: String::new(),
            kind: NoticeKind::Opened,
            at: seen.now,
            severity_before: before,
        };
        let of_incident = |incident: &Arc<Incident>| {
            let memory = self.incidents.get(&incident.id)?;
            let line = memory.receivers.get(receiver)?;
            let told = line.told.filter(|_| line.is_told_firing())?;
            let fires = incident.firing && incident.status != Status::Resolved;
            let body = fires
                .then(|| NoticeBody::of_incident(heading(Some(told.severity)), incident, policy))?;
            Some(Alert::firing(&body, told.severity))
        };
        let of_source = || {
            let why = match seen.source {
                Source::Blind { why, .. } => why,
                Source::Unknown => None,
                Source::Answers => return None,
            };
            let since = self.source.blind_since_for(receiver)?;
            let body = source::body(heading(None), since, why, policy);
            Some(Alert::firing(&body, body.severity))
        };
        let incidents = seen.incidents.iter().filter_map(of_incident);
        incidents.chain(of_source()).collect()
    }

    /// What a receiver that is not configured was told is of no use.
    fn forget_receivers(&mut self, policy: &Policy) {
        let names: BTreeSet<&str> = policy.receivers.iter().map(|r| r.name.as_str()).collect();
        for memory in self.incidents.values_mut() {
            memory
                .receivers
                .retain(|name, _| names.contains(name.as_str()));
        }
        self.source.forget_receivers(&names);
    }
}

/// One step under way.
struct Step<'a> {
    pager: &'a mut Pager,
    policy: &'a Policy,
    withhold: &'a Withhold,
    now: Timestamp,
    notices: Vec<Notice>,
}

/// What a notice is about.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Incident(&'a Incident),
    /// An incident that the engine doesn't hold any more.
    Forgotten {
        id: IncidentId,
        service: &'a ServiceId,
        severity: Severity,
    },
    Source {
        blind_since: Timestamp,
        why: Option<&'a str>,
    },
}

impl Subject<'_> {
    fn incident(&self) -> Option<(IncidentId, &ServiceId)> {
        match self {
            Subject::Incident(incident) => Some((incident.id, &incident.service)),
            Subject::Forgotten { id, service, .. } => Some((*id, service)),
            Subject::Source { .. } => None,
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Subject::Incident(incident) => incident.shown_severity(),
            Subject::Forgotten { severity, .. } => *severity,
            Subject::Source { .. } => Severity::Critical,
        }
    }
}

impl Step<'_> {
    /// Says `kind` to a receiver, or once why not, and remembers it in the line.
    fn say(
        &mut self,
        line: &mut Line,
        receiver: &ReceiverPolicy,
        kind: NoticeKind,
        subject: Subject<'_>,
        withheld: Option<String>,
    ) {
        let severity_before = line.told.map(|told| told.severity);
        let state = match withheld {
            Some(because) if !line.withhold(kind, &because) => return,
            Some(because) => NoticeState::Withheld { because },
            None => {
                line.tell(kind, subject.severity(), self.now);
                NoticeState::Due
            }
        };
        let heading = Heading {
            key: self.key(kind, subject, receiver),
            kind,
            at: self.now,
            severity_before,
        };
        let body = self.body(heading, subject);
        let about = subject.incident();
        self.notices.push(Notice {
            key: body.key.clone(),
            receiver: receiver.name.clone(),
            kind,
            incident: about.map(|(id, _)| id),
            service: about.map(|(_, service)| service.clone()),
            severity: body.severity,
            state,
            body,
        });
    }

    fn key(&mut self, kind: NoticeKind, subject: Subject<'_>, receiver: &ReceiverPolicy) -> String {
        let first = u64::try_from(self.now.as_millis()).unwrap_or(0);
        let number = &mut self.pager.number;
        *number = if *number == 0 { first } else { *number + 1 };
        let number = *number;
        let receiver = &receiver.name;
        match subject.incident() {
            Some((id, _)) => format!("i{}/{kind}/{number}/{receiver}", id.0),
            None => format!("{kind}/{number}/{receiver}"),
        }
    }

    fn body(&self, heading: Heading, subject: Subject<'_>) -> NoticeBody {
        match subject {
            Subject::Incident(incident) => NoticeBody::of_incident(heading, incident, self.policy),
            Subject::Forgotten {
                id,
                service,
                severity,
            } => NoticeBody::of_forgotten(heading, id, service, severity, self.policy),
            Subject::Source { blind_since, why } => {
                source::body(heading, blind_since, why, self.policy)
            }
        }
    }
}
