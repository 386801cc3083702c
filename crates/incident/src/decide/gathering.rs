//! Gathering: what explains an incident is taken down as it comes.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    Actor, ChangeFact, Evidence, EvidenceRequest, Finding, Gathered, GatheredSeries, Incident,
    IncidentId, LogPatterns, LogWindow, MetricId, RequestMember, TimelineEvent, Timestamp,
};

use super::Step;
use crate::changes;
use crate::explain::{breakdown, logs, shifts, unusual};

/// An incident's logs begin so long before its onset, …
const LOGS_BEFORE_ONSET: Duration = Duration::from_secs(30);
/// … and they and the ranked shifts end so long after its opening.
const AFTER_OPENING: Duration = Duration::from_secs(60);
/// What could not be gathered is listed up to this number.
const FAILED_MAX: usize = 10;

/// What is to be gathered for an incident: all that explains its opening, or the joining of one
/// metric.
pub fn evidence_request(
    incident: &Incident,
    at: Timestamp,
    joining: Option<&MetricId>,
) -> EvidenceRequest {
    let members = incident
        .evidence
        .unusual
        .iter()
        .filter(|unusual| joining.is_none_or(|metric| *metric == unusual.metric))
        .map(|unusual| RequestMember {
            metric: unusual.metric.clone(),
            value: unusual.actual,
            direction: unusual.direction,
        });
    let logs_to = incident.opened + AFTER_OPENING;
    EvidenceRequest {
        incident: incident.id,
        service: incident.service.clone(),
        logs_from: incident.onset - LOGS_BEFORE_ONSET,
        logs_to,
        baseline_from: shifts::baseline_from(incident.onset, logs_to),
        onset: incident.onset,
        at,
        members: members.collect(),
        opening: joining.is_none(),
    }
}

impl Step<'_> {
    /// Takes a change into memory, and into the incidents in whose window it lies.
    pub(super) fn note(&mut self, fact: ChangeFact) {
        if !self.state.changes.add(fact.clone()) {
            return;
        }
        let concerned: Vec<IncidentId> = self
            .state
            .incidents
            .values()
            .filter(|incident| {
                fact.service
                    .as_ref()
                    .is_none_or(|service| *service == incident.service)
            })
            .filter(|incident| {
                let changes = incident.evidence.changes.as_ref();
                changes.is_some_and(|changes| changes.from <= fact.at && fact.at <= changes.to)
            })
            .map(|incident| incident.id)
            .collect();
        for id in concerned {
            self.explain(id, |evidence| {
                if let Some(changes) = &mut evidence.changes {
                    changes::insert(changes, &fact);
                }
            });
        }
    }

    /// What an incident begins with: changes, shifts of the catalogue's metrics, and a request for
    /// the rest.
    pub(super) fn explain_opening(&mut self, id: IncidentId) {
        let incident = &self.state.incidents[&id];
        let service = &incident.service;
        let known_from = self.state.services[service]
            .processes
            .as_ref()
            .map(|processes| processes.known_from);
        let changes = self.state.changes.window(
            service,
            incident.onset - changes::WINDOW_BEFORE,
            incident.opened + AFTER_OPENING,
            known_from,
        );
        let shifts = self.shifts(incident, &[]);
        self.explain(id, |evidence| {
            evidence.changes = Some(changes);
            evidence.shifts = Some(shifts);
        });
        self.request(id, None);
    }

    pub(super) fn explain_joining(&mut self, id: IncidentId, metric: &MetricId) {
        self.request(id, Some(metric));
    }

    /// How unusual the finding was by which a metric became a member.
    pub(super) fn judge_unusual(&mut self, id: IncidentId, finding: &Finding) {
        let Some(spec) = self.input.catalogue.get(&finding.series.metric) else {
            return;
        };
        let Some(unusual) = unusual::of(finding, spec) else {
            return;
        };
        self.explain(id, |evidence| {
            evidence.unusual.push(unusual);
            evidence.unusual.sort_by(|a, b| a.metric.cmp(&b.metric));
        });
    }

    fn request(&mut self, id: IncidentId, joining: Option<&MetricId>) {
        let incident = &self.state.incidents[&id];
        let request = evidence_request(incident, self.input.now, joining);
        self.output.requests.push(request);
    }

    /// Takes what was gathered for an incident.
    pub(super) fn attach(&mut self, id: IncidentId, gathered: &Gathered) {
        if !self.state.incidents.contains_key(&id) {
            return;
        }
        match gathered {
            Gathered::Logs(logs) => self.attach_logs(id, logs),
            Gathered::Series(series) => {
                let shifts = self.shifts(&self.state.incidents[&id], series);
                self.explain(id, |evidence| {
                    if let Some(patterns) = &mut evidence.patterns {
                        patterns.counted = logs::counted(patterns, Some(&shifts));
                    }
                    evidence.shifts = Some(shifts);
                });
            }
            Gathered::Similar(similar) => {
                self.explain(id, |evidence| evidence.similar = Some(similar.clone()));
            }
            Gathered::Precedent { metric, precedent } => self.explain(id, |evidence| {
                let found = evidence.unusual.iter_mut().find(|u| u.metric == *metric);
                if let Some(unusual) = found {
                    unusual.precedent = Some(precedent.clone());
                    unusual.text = unusual::sentences(unusual);
                }
            }),
            Gathered::Tables { metric, tables } => self.explain(id, |evidence| {
                let unusual = evidence.unusual.iter().find(|u| u.metric == *metric);
                let Some(unusual) = unusual else { return };
                let broken = tables.iter().map(|table| breakdown::of(unusual, table));
                let broken: Vec<_> = broken.collect();
                evidence.breakdowns.retain(|old| old.metric != *metric);
                evidence.breakdowns.extend(broken);
                evidence.breakdowns.sort_by(|a, b| a.metric.cmp(&b.metric));
            }),
            Gathered::Patterns(patterns) => self.explain(id, |evidence| {
                let mut patterns = LogPatterns::clone(patterns);
                patterns.counted = logs::counted(&patterns, evidence.shifts.as_ref());
                evidence.patterns = Some(patterns);
            }),
            Gathered::Failed(why) => self.explain(id, |evidence| {
                if evidence.failed.len() < FAILED_MAX && !evidence.failed.contains(why) {
                    evidence.failed.push(why.clone());
                }
            }),
        }
    }

    fn attach_logs(&mut self, id: IncidentId, logs: &Arc<LogWindow>) {
        let lines = logs.lines.len();
        let before = self.state.incidents[&id].logs.as_ref();
        let news = before.map(|logs| logs.lines.len()) != Some(lines);
        self.edit(id, |incident| incident.logs = Some(Arc::clone(logs)));
        if news {
            self.tell(id, Actor::Bellwether, TimelineEvent::LogsAttached { lines });
        }
    }

    fn explain(&mut self, id: IncidentId, change: impl FnOnce(&mut Evidence)) {
        self.edit(id, |incident| change(Arc::make_mut(&mut incident.evidence)));
    }

    /// The service's metrics from onset to now, at least to the opening and at most a little after
    /// it, against the baseline before. Between ticks `now` is our clock, which may differ from the
    /// source's.
    fn shifts(&self, incident: &Incident, gathered: &[GatheredSeries]) -> domain::Shifts {
        let opened = incident.opened;
        let to: Timestamp = self.input.now.clamp(opened, opened + AFTER_OPENING);
        let window = shifts::Window::of(incident.onset, to);
        let own = self.input.catalogue.iter().map(|spec| {
            let series = domain::SeriesId::new(incident.service.clone(), spec.id.clone());
            let named = gathered.iter().find(|g| g.metric == spec.id.as_str());
            GatheredSeries {
                metric: spec.id.to_string(),
                title: spec.title.clone(),
                unit: spec.unit.clone(),
                minimum_deviation: spec.minimum_deviation,
                query: named.map_or_else(|| spec.query.clone(), |g| g.query.clone()),
                samples: (self.input.past)(&series),
            }
        });
        let is_new = |g: &&GatheredSeries| {
            let known = |spec: &domain::MetricSpec| spec.id.as_str() == g.metric;
            !self.input.catalogue.iter().any(known)
        };
        let all: Vec<_> = own.chain(gathered.iter().filter(is_new).cloned()).collect();
        shifts::rank(&window, &all)
    }
}
