//! Presence: which services are gone, and what changed about their processes.

use std::sync::Arc;

use domain::{
    ChangeFact, ChangeKind, IncidentKind, OpenedBecause, Presence, ServiceId, ServiceObservation,
    Severity, Timestamp,
};

use super::metrics::Opening;
use super::{Change, Step};
use crate::tracker::Processes;

/// Smaller fleets can't tell a fault of the source from their own.
const SOURCE_FAULT_FLEET_MIN: usize = 3;

impl Step<'_> {
    /// The source says nothing: calm and absence that it has just begun to show begin anew after it.
    pub(super) fn outage(&mut self) {
        self.state.quiet_since.clear();
        for tracker in self.state.services.values_mut() {
            tracker.calm_since = None;
            if tracker.firing.is_none() {
                tracker.gone_since = None;
            }
        }
    }

    /// Which services are gone; most of the fleet at once is the source's fault.
    pub(super) fn presence(&mut self, services: &[ServiceObservation]) {
        let now = self.input.now;
        let mut just_gone = 0;
        let mut known_up = 0;
        for service in services {
            self.processes(service);
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
        self.announce(Change::Opened(id));
        self.explain_opening(id);
    }

    /// What changed about a service's processes since the newest look.
    fn processes(&mut self, service: &ServiceObservation) {
        let now = self.input.now;
        let tracker = self.state.services.entry(service.id.clone()).or_default();
        let instances = match service.presence {
            Presence::Up => service.instances,
            Presence::Gone => 0,
        };
        let Some(known) = &mut tracker.processes else {
            if instances > 0 {
                tracker.processes = Some(Processes {
                    known_from: now,
                    instances,
                    started: service.started,
                    version: service.version.clone(),
                });
            }
            return;
        };
        let mut facts = Vec::new();
        if instances != known.instances {
            let (from, to) = (known.instances, instances);
            facts.push((now, ChangeKind::Replicas { from, to }));
            known.instances = instances;
        }
        if let Some(started) = service.started {
            if known.started.is_some_and(|before| started > before) {
                facts.push((started.min(now), ChangeKind::Restarted));
            }
            known.started = Some(started);
        }
        if let Some(to) = &service.version
            && known.version.as_ref() != Some(to)
        {
            let to = Arc::clone(to);
            if let Some(from) = known.version.replace(Arc::clone(&to)) {
                let at = service.started.map_or(now, |started| started.min(now));
                facts.push((at, ChangeKind::Version { from, to }));
            }
        }
        for (at, kind) in facts {
            self.note(ChangeFact {
                at,
                service: Some(service.id.clone()),
                kind,
            });
        }
    }
}
