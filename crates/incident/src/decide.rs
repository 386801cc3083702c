//! The state machine of incidents: at most one fires per service, everything joins it, and what is
//! calm for `quiet_period` is quiet. Status is the operator's; firing or quiet is the world's.

mod calm;
mod gathering;
mod metrics;
mod operators;
mod presence;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Actor, Catalogue, ChangeFact, ChangeKind, Collection, EvidenceRequest, Finding, Gathered,
    Incident, IncidentId, IncidentKind, PostedEvent, Sample, SeriesId, ServiceId, Severity, Status,
    TimelineEntry, TimelineEvent, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::changes::ChangeMemory;
use crate::command::{Answer, Command};
use crate::settings::Settings;
use crate::tracker::ServiceTracker;
use crate::verdict::{Decision, Notice};

pub use gathering::evidence_request;

/// A resolved, quiet incident is kept so long for evidence that is still under way.
const KEPT_AFTER_OPENING: Duration = Duration::from_secs(600);
/// The timeline of one incident is bounded; what joins and changes beyond is not listed. What
/// operators do always is: they can do little.
const TIMELINE_MAX: usize = 500;

/// Everything one decision rests on.
pub struct DecideInput<'a> {
    pub now: Timestamp,
    pub tick: Duration,
    pub settings: &'a Settings,
    pub catalogue: &'a Catalogue,
    /// None between ticks: then only commands, events and evidence take effect.
    pub collection: Option<&'a Collection>,
    /// Ordered by series.
    pub findings: &'a [Finding],
    /// The newest samples of a series, oldest first.
    pub past: &'a dyn Fn(&SeriesId) -> Vec<Sample>,
    pub commands: &'a [Command],
    pub gathered: &'a [(IncidentId, Gathered)],
    pub events: &'a [Arc<PostedEvent>],
    /// What Bellwether itself did: configuration taken over, models swapped.
    pub own_changes: &'a [ChangeFact],
}

/// What one decision changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecideOutput {
    pub changes: Vec<Change>,
    /// Every incident that changed, whole.
    pub incidents: Vec<Arc<Incident>>,
    pub moves: Vec<RowMove>,
    pub decisions: Vec<Decision>,
    pub answers: Vec<Answer>,
    /// For each change, whether people are to be told of it.
    pub notices: Vec<(IncidentId, Notice)>,
    pub requests: Vec<EvidenceRequest>,
    /// Most of the fleet went at once: the source is at fault, and this says so.
    pub source_fault: Option<String>,
}

/// A change that others act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Opened(IncidentId),
    WentQuiet(IncidentId),
    SeverityRaised(IncidentId),
    Resolved(IncidentId),
    Reopened(IncidentId),
}

impl Change {
    pub fn incident(self) -> IncidentId {
        match self {
            Change::Opened(id)
            | Change::WentQuiet(id)
            | Change::SeverityRaised(id)
            | Change::Resolved(id)
            | Change::Reopened(id) => id,
        }
    }
}

/// Rows of a series since `from` belong to an incident: history gives them to anomaly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowMove {
    pub series: SeriesId,
    pub from: Timestamp,
}

/// The memory of deciding: trackers, changes, and the incidents that are not both resolved and quiet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecideState {
    last_id: u64,
    services: BTreeMap<ServiceId, ServiceTracker>,
    changes: ChangeMemory,
    /// Since when a quiet incident's members have been calm by samples without a break; kept while
    /// a rule waits for it.
    quiet_since: BTreeMap<IncidentId, Timestamp>,
    incidents: BTreeMap<IncidentId, Arc<Incident>>,
}

impl DecideState {
    /// Takes incidents back that were stored whole, in place of those in this state; `newest` is
    /// the greatest number ever given. What fires goes on firing even if the trackers were lost.
    pub fn restore_incidents(
        &mut self,
        incidents: impl IntoIterator<Item = Arc<Incident>>,
        newest: Option<IncidentId>,
    ) {
        self.incidents = incidents
            .into_iter()
            .map(|incident| (incident.id, incident))
            .collect();
        let kept = self.incidents.keys().next_back().copied();
        self.last_id = self.last_id.max(kept.max(newest).map_or(0, |id| id.0));
        for tracker in self.services.values_mut() {
            tracker.firing = None;
        }
        for incident in self.incidents.values() {
            let tracker = self.services.entry(incident.service.clone()).or_default();
            tracker.newest = tracker.newest.max(Some(incident.id));
            if incident.firing {
                tracker.firing = Some(incident.id);
                tracker.was_up |= incident.kind == IncidentKind::Availability;
            }
        }
    }

    /// Takes events back that were stored and may be missing here.
    pub fn restore_events(&mut self, events: impl IntoIterator<Item = Arc<PostedEvent>>) {
        for event in events {
            self.changes.add(fact_of(event));
        }
    }

    /// The memory without the incidents, which are stored on their own.
    pub fn without_incidents(&self) -> DecideState {
        DecideState {
            last_id: self.last_id,
            services: self.services.clone(),
            changes: self.changes.clone(),
            quiet_since: self.quiet_since.clone(),
            incidents: BTreeMap::new(),
        }
    }

    pub fn incidents(&self) -> impl Iterator<Item = &Arc<Incident>> {
        self.incidents.values()
    }

    pub fn incident(&self, id: IncidentId) -> Option<&Arc<Incident>> {
        self.incidents.get(&id)
    }

    /// The incident that fires on a service now.
    pub fn firing(&self, service: &ServiceId) -> Option<&Arc<Incident>> {
        self.incidents.get(&self.services.get(service)?.firing?)
    }

    /// One tick. The order is fixed: commands, changes, evidence, presence, metrics, calm, rules.
    pub fn step(&mut self, input: &DecideInput<'_>) -> DecideOutput {
        let mut step = Step {
            state: self,
            input,
            output: DecideOutput::default(),
            changed: BTreeSet::new(),
        };
        for command in input.commands {
            step.command(command);
        }
        for event in input.events {
            step.note(fact_of(Arc::clone(event)));
        }
        for fact in input.own_changes {
            step.note(fact.clone());
        }
        for (incident, gathered) in input.gathered {
            step.attach(*incident, gathered);
        }
        let answered = input
            .collection
            .filter(|collection| !collection.source.is_down());
        if let Some(collection) = answered {
            step.presence(&collection.services);
        } else if input.collection.is_some() {
            step.outage();
        }
        for findings in input
            .findings
            .chunk_by(|a, b| a.series.service == b.series.service)
        {
            step.service(findings);
        }
        if answered.is_some() {
            step.calm();
            step.rules();
        }
        if input.collection.is_some() {
            step.wake();
        }
        step.finish()
    }
}

fn fact_of(event: Arc<PostedEvent>) -> ChangeFact {
    ChangeFact {
        at: event.at,
        service: event.service.clone(),
        kind: ChangeKind::Posted(event),
    }
}

/// One tick under way.
struct Step<'a> {
    state: &'a mut DecideState,
    input: &'a DecideInput<'a>,
    output: DecideOutput,
    changed: BTreeSet<IncidentId>,
}

impl Step<'_> {
    fn edit(&mut self, id: IncidentId, change: impl FnOnce(&mut Incident)) {
        if let Some(incident) = self.state.incidents.get_mut(&id) {
            change(Arc::make_mut(incident));
            self.changed.insert(id);
        }
    }

    fn tell(&mut self, id: IncidentId, actor: Actor, what: TimelineEvent) {
        let at = self.input.now;
        self.edit(id, |incident| {
            if incident.timeline.len() < TIMELINE_MAX || actor != Actor::Bellwether {
                incident.timeline.push(TimelineEntry { at, actor, what });
            }
        });
    }

    /// Says a change, and whether people are to be told.
    fn announce(&mut self, change: Change) {
        let id = change.incident();
        let incident = &self.state.incidents[&id];
        let notice = match (&incident.snooze, incident.status) {
            (Some(snooze), _) => Notice::Snoozed {
                until: snooze.until,
            },
            (None, Status::Acknowledged) if !matches!(change, Change::SeverityRaised(_)) => {
                Notice::Acknowledged
            }
            _ => Notice::Due,
        };
        self.output.changes.push(change);
        self.output.notices.push((id, notice));
    }

    fn set_severity(&mut self, id: IncidentId, severity: Severity) {
        let from = self.state.incidents[&id].severity;
        if severity == from {
            return;
        }
        self.edit(id, |incident| {
            incident.severity = severity;
            incident.worst_severity = incident.worst_severity.max(severity);
        });
        self.tell(
            id,
            Actor::Bellwether,
            TimelineEvent::SeverityChanged { from, to: severity },
        );
        if severity > from {
            self.wake_on_change(id, "its severity rose");
            self.announce(Change::SeverityRaised(id));
        }
    }

    fn finish(mut self) -> DecideOutput {
        let now = self.input.now;
        self.state.changes.forget(now);
        let incidents = &mut self.state.incidents;
        self.output.incidents = self
            .changed
            .iter()
            .filter_map(|id| incidents.get(id))
            .cloned()
            .collect();
        incidents.retain(|_, incident| {
            incident.status != Status::Resolved
                || incident.firing
                || now.since(incident.opened) < KEPT_AFTER_OPENING
        });
        self.state
            .quiet_since
            .retain(|id, _| incidents.contains_key(id));
        self.output
    }
}
