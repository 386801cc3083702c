//! Calm: when an episode is over.

use domain::{Actor, Incident, IncidentId, Member, SeriesId, ServiceId, TimelineEvent, Timestamp};

use super::{Change, Step};

impl Step<'_> {
    /// Incidents all of whose members have been calm, by samples, for `quiet_period` go quiet.
    pub(super) fn calm(&mut self) {
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

    /// Up, and every member that is still configured released by its newest sample. No
    /// sample is not calm unless the calm was seen before.
    pub(super) fn is_calm(&self, service: &ServiceId, id: IncidentId) -> bool {
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
        let unreleased = |member: &Member| {
            tracker
                .metrics
                .get(&member.metric)
                .is_some_and(|metric| metric.unreleased)
        };
        tracker.gone_since.is_none()
            && incident
                .members
                .iter()
                .filter(|member| self.input.catalogue.get(&member.metric).is_some())
                .all(|member| fresh(member) && !unreleased(member))
    }

    pub(super) fn end(&mut self, service: &ServiceId, id: IncidentId) {
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
        self.tell(id, Actor::Bellwether, TimelineEvent::Quiet);
        self.announce(Change::WentQuiet(id));
        self.wake_on_change(id, "it went quiet");
    }
}

/// From when on trouble is no longer this incident's: it ended, or was resolved while it fired.
pub(super) fn closed_at(incident: &Incident) -> Option<Timestamp> {
    let resolved = incident.resolution.as_ref().map(|resolution| resolution.at);
    incident
        .ended
        .map(|ended| resolved.map_or(ended, |resolved| ended.min(resolved)))
        .or(resolved)
}
