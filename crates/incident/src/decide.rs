//! The state machine of incidents: at most one fires per service, everything joins it, and what is
//! calm for `quiet_period` is quiet. Status is the operator's; firing or quiet is the world's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{
    Actor, Catalogue, Collection, Finding, Incident, IncidentId, IncidentKind, LogWindow, Member,
    OpenedBecause, Presence, Sample, SeriesId, ServiceId, ServiceObservation, Severity, Status,
    TimelineEntry, TimelineEvent, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::command::{Answer, Command, CommandKind, Refusal};
use crate::onset::{masked_from, onset};
use crate::summary;
use crate::tracker::{Decision, ServiceTracker, Settings, Verdict};

/// A resolved, quiet incident is kept so long for evidence that is still under way.
const KEPT_AFTER_OPENING: Duration = Duration::from_secs(600);
/// The timeline of one incident is bounded; what joins and changes beyond is not listed. What
/// operators do always is: they can do little.
const TIMELINE_MAX: usize = 500;
/// Smaller fleets can't tell a fault of the source from their own.
const SOURCE_FAULT_FLEET_MIN: usize = 3;

/// Everything one decision rests on.
pub struct DecideInput<'a> {
    pub now: Timestamp,
    pub tick: Duration,
    pub settings: &'a Settings,
    pub catalogue: &'a Catalogue,
    /// None between ticks: then only commands and evidence take effect.
    pub collection: Option<&'a Collection>,
    /// Ordered by series.
    pub findings: &'a [Finding],
    /// The newest samples of a series, oldest first.
    pub past: &'a dyn Fn(&SeriesId) -> Vec<Sample>,
    pub commands: &'a [Command],
    pub logs: &'a [(IncidentId, LogWindow)],
}

/// What one decision changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecideOutput {
    pub changes: Vec<Change>,
    /// Every incident that changed, whole.
    pub incidents: Vec<Incident>,
    pub moves: Vec<RowMove>,
    pub decisions: Vec<Decision>,
    pub answers: Vec<Answer>,
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
}

/// Rows of a series since `from` belong to an incident: history gives them to anomaly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowMove {
    pub series: SeriesId,
    pub from: Timestamp,
}

/// The memory of deciding: trackers, and the incidents that are not both resolved and quiet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecideState {
    last_id: u64,
    services: BTreeMap<ServiceId, ServiceTracker>,
    incidents: BTreeMap<IncidentId, Incident>,
}

impl DecideState {
    /// Takes incidents back that were stored whole, in place of those in this state; `newest` is
    /// the greatest number ever given. What fires goes on firing even if the trackers were lost.
    pub fn restore_incidents(
        &mut self,
        incidents: impl IntoIterator<Item = Incident>,
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

    /// The memory without the incidents, which are stored on their own.
    pub fn without_incidents(&self) -> DecideState {
        DecideState {
            last_id: self.last_id,
            services: self.services.clone(),
            incidents: BTreeMap::new(),
        }
    }

    pub fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values()
    }

    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.incidents.get(&id)
    }

    /// The incident that fires on a service now.
    pub fn firing(&self, service: &ServiceId) -> Option<&Incident> {
        self.incidents.get(&self.services.get(service)?.firing?)
    }

    /// One tick. The order is fixed: commands, evidence, presence, metrics, calm.
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
        for (incident, logs) in input.logs {
            step.attach_logs(*incident, logs);
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
        }
        step.finish()
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
    fn command(&mut self, command: &Command) {
        let result = self
            .obey(command)
            .map(|()| Box::new(self.state.incidents[&command.incident].clone()));
        self.output.answers.push(Answer {
            number: command.number,
            result,
        });
    }

    fn obey(&mut self, command: &Command) -> Result<(), Refusal> {
        let incident = self
            .state
            .incidents
            .get(&command.incident)
            .ok_or(Refusal::Unknown)?;
        let note = command.note.clone();
        let (status, what) = match (command.kind, incident.status) {
            (CommandKind::Acknowledge, Status::Resolved) => return Err(Refusal::AlreadyResolved),
            (CommandKind::Acknowledge, Status::Acknowledged)
            | (CommandKind::Resolve, Status::Resolved) => return Ok(()),
            (CommandKind::Acknowledge, Status::Open) => {
                (Status::Acknowledged, TimelineEvent::Acknowledged { note })
            }
            (CommandKind::Resolve, _) => {
                self.output.changes.push(Change::Resolved(command.incident));
                (Status::Resolved, TimelineEvent::Resolved { note })
            }
        };
        self.edit(command.incident, |incident| incident.status = status);
        self.tell(command.incident, command.actor.clone(), what);
        Ok(())
    }

    fn attach_logs(&mut self, id: IncidentId, logs: &LogWindow) {
        if !self.state.incidents.contains_key(&id) {
            return;
        }
        let lines = logs.lines.len();
        let news = self.state.incidents[&id]
            .logs
            .as_ref()
            .map(|l| l.lines.len())
            != Some(lines);
        self.edit(id, |incident| incident.logs = Some(logs.clone()));
        if news {
            self.tell(id, Actor::Bellwether, TimelineEvent::LogsAttached { lines });
        }
    }

    /// The source says nothing: calm and absence that it has just begun to show begin anew after it.
    fn outage(&mut self) {
        for tracker in self.state.services.values_mut() {
            tracker.calm_since = None;
            if tracker.firing.is_none() {
                tracker.gone_since = None;
            }
        }
    }

    /// Which services are gone; most of the fleet at once is the source's fault.
    fn presence(&mut self, services: &[ServiceObservation]) {
        let now = self.input.now;
        let mut just_gone = 0;
        let mut known_up = 0;
        for service in services {
            let tracker = self.state.services.entry(service.id.clone()).or_default();
            match service.presence {
                Presence::Up => {
                    tracker.was_up = true;
                    tracker.gone_since = None;
                    tracker.gone_with_the_fleet = false;
                    known_up += 1;
                }
                Presence::Gone if tracker.was_up => {
                    let since = *tracker.gone_since.get_or_insert(now);
                    if now.since(since) <= 2 * self.input.tick || tracker.gone_with_the_fleet {
                        just_gone += 1;
                        known_up += 1;
                    }
                }
                Presence::Gone => {}
            }
        }
        let share = just_gone as f64 / f64::from(known_up.max(1));
        if known_up >= SOURCE_FAULT_FLEET_MIN as i32
            && share > self.input.settings.source_fault_share
        {
            self.output.source_fault = Some(format!(
                "{just_gone} of {known_up} services went within two ticks: the source is at fault, not they"
            ));
            for tracker in self.state.services.values_mut() {
                tracker.gone_with_the_fleet |= tracker
                    .gone_since
                    .is_some_and(|since| now.since(since) <= 2 * self.input.tick);
            }
        } else {
            self.count_those_who_stay_gone();
        }
        self.gone_services();
    }

    /// The fleet is back; whoever isn't is gone on its own account, and that counts from now.
    fn count_those_who_stay_gone(&mut self) {
        for tracker in self.state.services.values_mut() {
            if tracker.gone_with_the_fleet {
                tracker.gone_with_the_fleet = false;
                tracker.gone_since = tracker.gone_since.map(|_| self.input.now);
            }
        }
    }

    fn gone_services(&mut self) {
        let now = self.input.now;
        let gone: Vec<(ServiceId, Timestamp)> = self
            .state
            .services
            .iter()
            .filter_map(|(id, tracker)| {
                Some((id.clone(), tracker.down_since(now, self.input.settings)?))
            })
            .collect();
        for (service, since) in gone {
            let firing = self.state.services[&service].firing;
            if let Some(id) = firing.filter(|id| !self.is_resolved_and_overdue(*id)) {
                self.edit(id, |incident| incident.last_seen = now);
                self.set_severity(id, Severity::Critical);
                continue;
            }
            if let Some(id) = firing {
                self.end(&service, id);
            }
            self.open_gone(&service, since);
        }
    }

    fn open_gone(&mut self, service: &ServiceId, since: Timestamp) {
        let summary = format!(
            "{service}: no instance has answered its scrapes since {since}, while Prometheus is healthy"
        );
        let id = self.open(
            service,
            Opening {
                kind: IncidentKind::Availability,
                because: OpenedBecause::Gone,
                summary,
                severity: Severity::Critical,
                onset: since,
                first_crossing: since,
            },
        );
        self.output.changes.push(Change::Opened(id));
    }

    /// All findings of one service.
    fn service(&mut self, findings: &[Finding]) {
        let now = self.input.now;
        let service = findings[0].series.service.clone();
        let tracker = self.state.services.entry(service.clone()).or_default();
        for finding in findings {
            tracker
                .metrics
                .entry(finding.series.metric.clone())
                .or_default()
                .observe(finding, now, self.input.settings.quiet_period);
        }
        if let Some(id) = tracker.firing {
            self.end_if_resolved_and_going_on(&service, id, findings);
        }
        for finding in findings {
            let verdict = self.judge(&service, finding);
            self.output.decisions.push(Decision {
                series: finding.series.clone(),
                verdict,
            });
        }
        if let Some(id) = self.state.services[&service].firing {
            self.refresh_severity(id, findings);
        }
    }

    /// What one finding does to the incidents of its service.
    fn judge(&mut self, service: &ServiceId, finding: &Finding) -> Verdict {
        let now = self.input.now;
        let tracker = &self.state.services[service];
        let metric = &tracker.metrics[&finding.series.metric];
        let because = metric.opens(now, self.input.settings);
        if finding.sample.is_err() {
            return Verdict::NoSample;
        }
        if let Some(id) = tracker.firing {
            let qualified = metric
                .qualified_since
                .map(|_| OpenedBecause::CrossingAndAnomaly);
            let crossing = metric.crossing_since;
            return self.extend(id, finding, crossing, qualified.or(because));
        }
        if let Some(because) = because {
            return Verdict::Opened {
                incident: self.open_metrics(service, finding, because),
            };
        }
        match (metric.qualified_since, metric.crossing_since) {
            (Some(since), _) => Verdict::Waiting { since },
            (None, Some(since)) => Verdict::CrossingWithoutAnomaly { since },
            (None, None) if finding.prediction == domain::Prediction::Anomaly => {
                Verdict::AnomalyWithoutCrossing
            }
            (None, None) => Verdict::Calm,
        }
    }

    /// A finding of a service whose incident fires.
    fn extend(
        &mut self,
        id: IncidentId,
        finding: &Finding,
        crossing: Option<Timestamp>,
        qualified: Option<OpenedBecause>,
    ) -> Verdict {
        let now = self.input.now;
        let is_member = self.state.incidents[&id]
            .member(&finding.series.metric)
            .is_some();
        if !is_member {
            if let Some(because) = qualified {
                self.join(id, finding, because);
                return Verdict::Joined { incident: id };
            }
            return match crossing {
                Some(since) => Verdict::CrossingWithoutAnomaly { since },
                None if finding.prediction == domain::Prediction::Anomaly => {
                    Verdict::AnomalyWithoutCrossing
                }
                None => Verdict::Calm,
            };
        }
        if crossing.is_none() {
            return Verdict::CalmMember { incident: id };
        }
        let Ok(sample) = finding.sample else {
            return Verdict::NoSample;
        };
        let direction = self
            .input
            .catalogue
            .get(&finding.series.metric)
            .map(|spec| spec.direction);
        self.edit(id, |incident| {
            incident.last_seen = now;
            if let Some(member) = incident
                .members
                .iter_mut()
                .find(|m| m.metric == finding.series.metric)
            {
                member.last_firing = now;
                member.severity = finding.severity;
                let worse = match direction {
                    Some(domain::Direction::Down) => sample.value < member.worst,
                    _ => sample.value > member.worst,
                };
                if worse {
                    member.worst = sample.value;
                    member.worst_at = sample.time;
                }
            }
        });
        match self.state.incidents[&id].status {
            Status::Resolved => Verdict::HeldByResolve { incident: id },
            _ => Verdict::Extended { incident: id },
        }
    }

    fn open_metrics(
        &mut self,
        service: &ServiceId,
        finding: &Finding,
        because: OpenedBecause,
    ) -> IncidentId {
        let (onset, first_crossing) = self.times_of(finding);
        let spec = self.input.catalogue.get(&finding.series.metric);
        let summary = summary::opened(service, finding, spec, because, onset);
        let id = self.open(
            service,
            Opening {
                kind: IncidentKind::Metrics,
                because,
                summary,
                severity: finding.severity,
                onset,
                first_crossing,
            },
        );
        self.output.changes.push(Change::Opened(id));
        self.add_member(id, finding, (onset, first_crossing));
        id
    }

    fn open(&mut self, service: &ServiceId, opening: Opening) -> IncidentId {
        let now = self.input.now;
        self.state.last_id += 1;
        let id = IncidentId(self.state.last_id);
        let tracker = self.state.services.entry(service.clone()).or_default();
        let follows = tracker.newest.replace(id);
        tracker.firing = Some(id);
        tracker.calm_since = None;
        let incident = Incident {
            id,
            service: service.clone(),
            kind: opening.kind,
            status: Status::Open,
            firing: true,
            severity: opening.severity,
            worst_severity: opening.severity,
            opened_because: opening.because,
            summary: opening.summary.clone(),
            onset: opening.onset,
            first_crossing: opening.first_crossing,
            opened: now,
            last_seen: now,
            ended: None,
            members: Vec::new(),
            follows,
            logs: None,
            timeline: Vec::new(),
        };
        self.state.incidents.insert(id, incident);
        self.tell(
            id,
            Actor::Bellwether,
            TimelineEvent::Opened {
                because: opening.because,
                text: opening.summary,
            },
        );
        if let Some(old) = follows.filter(|old| self.state.incidents.contains_key(old)) {
            self.tell(
                old,
                Actor::Bellwether,
                TimelineEvent::FollowedBy { incident: id },
            );
        }
        id
    }

    fn join(&mut self, id: IncidentId, finding: &Finding, because: OpenedBecause) {
        let service = &finding.series.service;
        let times = self.times_of(finding);
        let spec = self.input.catalogue.get(&finding.series.metric);
        let text = summary::opened(service, finding, spec, because, times.0);
        let metric = finding.series.metric.clone();
        self.add_member(id, finding, times);
        self.tell(
            id,
            Actor::Bellwether,
            TimelineEvent::MemberJoined { metric, text },
        );
    }

    /// The onset of a finding's episode and its first crossing, neither within the incident before.
    fn times_of(&self, finding: &Finding) -> (Timestamp, Timestamp) {
        let tracker = &self.state.services[&finding.series.service];
        let metric = &tracker.metrics[&finding.series.metric];
        let crossing = metric.first_crossing(self.input.now, self.input.settings.quiet_period);
        let newest = tracker.newest.and_then(|id| self.state.incidents.get(&id));
        let before = newest.and_then(closed_at).max(tracker.ended);
        let mut past = (self.input.past)(&finding.series);
        past.retain(|sample| before.is_none_or(|before| sample.time > before));
        let onset = onset(&past, crossing);
        let no_earlier = |time: Timestamp| before.map_or(time, |before| time.max(before));
        (no_earlier(onset), no_earlier(crossing))
    }

    fn add_member(
        &mut self,
        id: IncidentId,
        finding: &Finding,
        (onset, first_crossing): (Timestamp, Timestamp),
    ) {
        let now = self.input.now;
        let newest = finding.newest.unwrap_or(Sample {
            time: now,
            value: 0.0,
        });
        let member = Member {
            metric: finding.series.metric.clone(),
            onset,
            first_crossing,
            last_firing: now,
            worst: newest.value,
            worst_at: newest.time,
            severity: finding.severity,
            thresholds: finding.thresholds,
        };
        self.edit(id, |incident| {
            incident.last_seen = now;
            incident.onset = incident.onset.min(onset);
            incident.first_crossing = incident.first_crossing.min(first_crossing);
            incident.members.push(member);
            incident.members.sort_by(|a, b| a.metric.cmp(&b.metric));
        });
        let step = self.step_of(&finding.series.service);
        let from = masked_from(onset, first_crossing, step);
        self.output.moves.push(RowMove {
            series: finding.series.clone(),
            from,
        });
    }

    fn step_of(&self, service: &ServiceId) -> Duration {
        let services = self
            .input
            .collection
            .map_or(&[][..], |collection| &collection.services);
        let found = services.binary_search_by(|s| s.id.cmp(service));
        found.map_or(self.input.tick, |index| services[index].step)
    }

    /// A resolved incident whose trouble goes on past `quiet_period` ends; a new one may open.
    fn end_if_resolved_and_going_on(
        &mut self,
        service: &ServiceId,
        id: IncidentId,
        findings: &[Finding],
    ) {
        let now = self.input.now;
        let tracker = &self.state.services[service];
        let going_on = findings.iter().any(|finding| {
            finding.sample.is_ok()
                && tracker.metrics[&finding.series.metric]
                    .opens(now, self.input.settings)
                    .is_some()
        });
        if going_on && self.is_resolved_and_overdue(id) {
            self.end(service, id);
        }
    }

    fn is_resolved_and_overdue(&self, id: IncidentId) -> bool {
        let incident = &self.state.incidents[&id];
        incident.status == Status::Resolved
            && resolved_at(incident).is_some_and(|resolved| {
                self.input.now.since(resolved) > self.input.settings.quiet_period
            })
    }

    fn refresh_severity(&mut self, id: IncidentId, findings: &[Finding]) {
        let service = &findings[0].series.service;
        let incident = &self.state.incidents[&id];
        let tracker = &self.state.services[service];
        if tracker
            .down_since(self.input.now, self.input.settings)
            .is_some()
        {
            return;
        }
        let crossing = |member: &&Member| {
            tracker
                .metrics
                .get(&member.metric)
                .is_some_and(|metric| metric.crossing_now)
        };
        let worst = incident
            .members
            .iter()
            .filter(crossing)
            .map(|m| m.severity)
            .max();
        if let Some(worst) = worst {
            self.set_severity(id, worst);
        }
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
        if severity > from {
            self.output.changes.push(Change::SeverityRaised(id));
        }
        self.tell(
            id,
            Actor::Bellwether,
            TimelineEvent::SeverityChanged { from, to: severity },
        );
    }

    /// Incidents all of whose members have been calm, by samples, for `quiet_period` go quiet.
    fn calm(&mut self) {
        let now = self.input.now;
        let firing: Vec<(ServiceId, IncidentId)> = self
            .state
            .services
            .iter()
            .filter_map(|(service, tracker)| Some((service.clone(), tracker.firing?)))
            .collect();
        for (service, id) in firing {
            let calm = self.is_calm(&service, id);
            let tracker = self.state.services.entry(service.clone()).or_default();
            tracker.calm_since = calm.then(|| tracker.calm_since.unwrap_or(now));
            let quiet = tracker
                .calm_since
                .is_some_and(|since| now.since(since) >= self.input.settings.quiet_period);
            if quiet {
                self.end(&service, id);
            }
        }
    }

    /// Up, and every member that is still configured below its threshold by its newest sample. No
    /// sample is not calm unless the calm was seen before.
    fn is_calm(&self, service: &ServiceId, id: IncidentId) -> bool {
        let tracker = &self.state.services[service];
        let incident = &self.state.incidents[&id];
        let fresh = |member: &Member| {
            let series = SeriesId::new(service.clone(), member.metric.clone());
            let found = self
                .input
                .findings
                .binary_search_by(|f| f.series.cmp(&series));
            found.is_ok_and(|index| {
                let outcome = &self.input.findings[index].sample;
                matches!(
                    outcome,
                    Ok(_) | Err(domain::Gap::Repeated | domain::Gap::Idle)
                )
            })
        };
        let crossing = |member: &Member| {
            tracker
                .metrics
                .get(&member.metric)
                .is_some_and(|metric| metric.crossing_now)
        };
        tracker.gone_since.is_none()
            && incident
                .members
                .iter()
                .filter(|member| self.input.catalogue.get(&member.metric).is_some())
                .all(|member| fresh(member) && !crossing(member))
    }

    fn end(&mut self, service: &ServiceId, id: IncidentId) {
        if let Some(tracker) = self.state.services.get_mut(service) {
            tracker.firing = None;
            tracker.calm_since = None;
        }
        self.edit(id, |incident| {
            incident.firing = false;
            incident.ended = Some(incident.last_seen);
        });
        if let Some(tracker) = self.state.services.get_mut(service) {
            tracker.ended = closed_at(&self.state.incidents[&id]);
        }
        self.output.changes.push(Change::WentQuiet(id));
        self.tell(id, Actor::Bellwether, TimelineEvent::Quiet);
    }

    fn edit(&mut self, id: IncidentId, change: impl FnOnce(&mut Incident)) {
        if let Some(incident) = self.state.incidents.get_mut(&id) {
            change(incident);
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

    fn finish(mut self) -> DecideOutput {
        let incidents = &mut self.state.incidents;
        self.output.incidents = self
            .changed
            .iter()
            .filter_map(|id| incidents.get(id))
            .cloned()
            .collect();
        let now = self.input.now;
        incidents.retain(|_, incident| {
            incident.status != Status::Resolved
                || incident.firing
                || now.since(incident.opened) < KEPT_AFTER_OPENING
        });
        self.output
    }
}

/// What a new incident begins with.
struct Opening {
    kind: IncidentKind,
    because: OpenedBecause,
    summary: String,
    severity: Severity,
    onset: Timestamp,
    first_crossing: Timestamp,
}

/// From when on trouble is no longer this incident's: it ended, or was resolved while it fired.
fn closed_at(incident: &Incident) -> Option<Timestamp> {
    let resolved = resolved_at(incident);
    incident
        .ended
        .map(|ended| resolved.map_or(ended, |resolved| ended.min(resolved)))
        .or(resolved)
}

/// When the incident was last resolved.
fn resolved_at(incident: &Incident) -> Option<Timestamp> {
    let resolved = |entry: &&TimelineEntry| matches!(entry.what, TimelineEvent::Resolved { .. });
    incident
        .timeline
        .iter()
        .rev()
        .find(resolved)
        .map(|entry| entry.at)
}
