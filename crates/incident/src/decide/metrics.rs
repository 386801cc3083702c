//! Metrics: what findings do to the incidents of their service.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    Actor, Direction, Finding, Incident, IncidentId, IncidentKind, Member, OpenedBecause,
    Prediction, Sample, ServiceId, Severity, Status, TimelineEvent, Timestamp,
};

use super::calm::closed_at;
use super::{Change, RowMove, Step};
use crate::onset::{Onset, masked_from, onset};
use crate::summary;
use crate::tracker::held_severity;
use crate::verdict::{Decision, Verdict};

/// What a new incident begins with.
pub(super) struct Opening {
    pub kind: IncidentKind,
    pub because: OpenedBecause,
    pub summary: String,
    pub severity: Severity,
    pub onset: Timestamp,
    pub first_crossing: Timestamp,
}

/// What a metric of a service does whose incident fires.
struct Going {
    crossing: Option<Timestamp>,
    unreleased: bool,
    qualified: Option<OpenedBecause>,
}

impl Step<'_> {
    /// All findings of one service.
    pub(super) fn service(&mut self, findings: &[Finding]) {
        let now = self.input.now;
        let service = findings[0].series.service.clone();
        let tracker = self.state.services.entry(service.clone()).or_default();
        for finding in findings {
            let spec = self.input.catalogue.get(&finding.series.metric);
            let direction = spec.map_or(Direction::Up, |spec| spec.direction);
            tracker
                .metrics
                .entry(finding.series.metric.clone())
                .or_default()
                .observe(finding, direction, now, self.input.settings);
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
            let going_on = Going {
                crossing: metric.crossing_since,
                unreleased: metric.unreleased,
                qualified: qualified.or(because),
            };
            return self.extend(id, finding, &going_on);
        }
        if let Some(because) = because {
            return Verdict::Opened {
                incident: self.open_metrics(service, finding, because),
            };
        }
        match (metric.qualified_since, metric.crossing_since) {
            (Some(since), _) => Verdict::Waiting { since },
            (None, Some(since)) => Verdict::CrossingWithoutAnomaly { since },
            (None, None) if finding.prediction == Prediction::Anomaly => {
                Verdict::AnomalyWithoutCrossing
            }
            (None, None) => Verdict::Calm,
        }
    }

    /// A finding of a service whose incident fires.
    fn extend(&mut self, id: IncidentId, finding: &Finding, going_on: &Going) -> Verdict {
        let now = self.input.now;
        let is_member = self.state.incidents[&id]
            .member(&finding.series.metric)
            .is_some();
        if !is_member {
            if let Some(because) = going_on.qualified {
                self.join(id, finding, because);
                return Verdict::Joined { incident: id };
            }
            return match going_on.crossing {
                Some(since) => Verdict::CrossingWithoutAnomaly { since },
                None if finding.prediction == Prediction::Anomaly => {
                    Verdict::AnomalyWithoutCrossing
                }
                None => Verdict::Calm,
            };
        }
        if !going_on.unreleased {
            return Verdict::CalmMember { incident: id };
        }
        let Ok(sample) = finding.sample else {
            return Verdict::NoSample;
        };
        let direction = self
            .input
            .catalogue
            .get(&finding.series.metric)
            .map_or(Direction::Up, |spec| spec.direction);
        let settings = self.input.settings;
        self.edit(id, |incident| {
            incident.last_seen = now;
            if let Some(member) = incident
                .members
                .iter_mut()
                .find(|m| m.metric == finding.series.metric)
            {
                member.last_firing = now;
                member.severity =
                    held_severity(member.severity, finding, sample.value, direction, settings);
                let worse = match direction {
                    Direction::Down => sample.value < member.worst,
                    Direction::Up | Direction::Both => sample.value > member.worst,
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
        let summary = summary::opened(service, finding, spec, because, onset.at);
        let id = self.open(
            service,
            Opening {
                kind: IncidentKind::Metrics,
                because,
                summary,
                severity: finding.severity,
                onset: onset.at,
                first_crossing,
            },
        );
        self.add_member(id, finding, (onset, first_crossing));
        self.announce(Change::Opened(id));
        self.explain_opening(id);
        id
    }

    pub(super) fn open(&mut self, service: &ServiceId, opening: Opening) -> IncidentId {
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
            operator_severity: None,
            owner: None,
            snooze: None,
            resolution: None,
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
            evidence: Arc::default(),
            timeline: Vec::new(),
        };
        self.state.incidents.insert(id, Arc::new(incident));
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
        let text = summary::opened(service, finding, spec, because, times.0.at);
        let metric = finding.series.metric.clone();
        self.add_member(id, finding, times);
        self.tell(
            id,
            Actor::Bellwether,
            TimelineEvent::MemberJoined { metric, text },
        );
        self.wake_on_change(id, "a metric joined");
        self.explain_joining(id, &finding.series.metric);
    }

    /// The onset of a finding's episode and its first crossing, neither within the incident before.
    fn times_of(&self, finding: &Finding) -> (Onset, Timestamp) {
        let tracker = &self.state.services[&finding.series.service];
        let metric = &tracker.metrics[&finding.series.metric];
        let crossing = metric.first_crossing(self.input.now, self.input.settings.quiet_period);
        let newest = tracker.newest.and_then(|id| self.state.incidents.get(&id));
        let before = newest
            .and_then(|incident| closed_at(incident))
            .max(tracker.ended);
        let mut past = (self.input.past)(&finding.series);
        past.retain(|sample| before.is_none_or(|before| sample.time > before));
        let onset = onset(&past, crossing);
        let no_earlier = |time: Timestamp| before.map_or(time, |before| time.max(before));
        let onset = Onset {
            at: no_earlier(onset.at),
            between: (no_earlier(onset.between.0), no_earlier(onset.between.1)),
        };
        (onset, no_earlier(crossing))
    }

    fn add_member(
        &mut self,
        id: IncidentId,
        finding: &Finding,
        (onset, first_crossing): (Onset, Timestamp),
    ) {
        let now = self.input.now;
        let newest = finding.newest.unwrap_or(Sample {
            time: now,
            value: 0.0,
        });
        let member = Member {
            metric: finding.series.metric.clone(),
            onset: onset.at,
            onset_between: onset.between,
            first_crossing,
            last_firing: now,
            worst: newest.value,
            worst_at: newest.time,
            severity: finding.severity,
            thresholds: finding.thresholds,
        };
        self.edit(id, |incident| {
            incident.last_seen = now;
            incident.onset = incident.onset.min(onset.at);
            incident.first_crossing = incident.first_crossing.min(first_crossing);
            incident.members.push(member);
            incident.members.sort_by(|a, b| a.metric.cmp(&b.metric));
        });
        let step = self.step_of(&finding.series.service);
        let from = masked_from(onset.at, first_crossing, step);
        self.judge_unusual(id, finding);
        self.output.moves.push(RowMove {
            series: finding.series.clone(),
            from,
        });
    }

    pub(super) fn step_of(&self, service: &ServiceId) -> Duration {
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

    pub(super) fn is_resolved_and_overdue(&self, id: IncidentId) -> bool {
        let incident = &self.state.incidents[&id];
        let resolved = incident.resolution.as_ref().map(|resolution| resolution.at);
        incident.status == Status::Resolved
            && resolved.is_some_and(|resolved| {
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
        let going_on = |member: &&Member| {
            tracker
                .metrics
                .get(&member.metric)
                .is_some_and(|metric| metric.unreleased)
        };
        let worst = incident
            .members
            .iter()
            .filter(going_on)
            .map(|m| m.severity)
            .max();
        if let Some(worst) = worst {
            self.set_severity(id, worst);
        }
    }
}
