//! Rules: the written ones that resolve incidents, and why they did.

use domain::{Actor, Incident, IncidentId, Status, Timestamp};

use super::Step;
use crate::settings::{AutoResolve, ResolveWhen};
use crate::summary::length;

impl Step<'_> {
    /// Every rule looks at every incident that is not resolved; the first that holds acts.
    pub(super) fn rules(&mut self) {
        let settings = self.input.settings;
        if settings.auto_resolve.is_empty() {
            self.state.quiet_since.clear();
            return;
        }
        let unresolved: Vec<IncidentId> = self
            .state
            .incidents
            .values()
            .filter(|incident| incident.status != Status::Resolved)
            .map(|incident| incident.id)
            .collect();
        for id in unresolved {
            self.note_quiet(id);
            let incident = &self.state.incidents[&id];
            let held = settings
                .auto_resolve
                .iter()
                .filter(|rule| rule.covers(incident))
                .find_map(|rule| Some((rule, self.holds(rule, incident)?)));
            if let Some((rule, reason)) = held {
                let for_good = matches!(rule.when, ResolveWhen::GoneFor(_));
                let by = Actor::Rule(rule.name.clone());
                // Can't be refused: it is not resolved, and gone where that is asked for.
                let _ = self.resolve_by(id, by, Some(reason), for_good);
            }
        }
    }

    /// Keeps since when a quiet incident is calm by samples, without a break.
    fn note_quiet(&mut self, id: IncidentId) {
        let incident = &self.state.incidents[&id];
        let service = incident.service.clone();
        if !incident.firing && self.is_calm(&service, id) {
            let now = self.input.now;
            self.state.quiet_since.entry(id).or_insert(now);
        } else {
            self.state.quiet_since.remove(&id);
        }
    }

    /// The reason for which a rule resolves an incident now.
    fn holds(&self, rule: &AutoResolve, incident: &Incident) -> Option<String> {
        let now = self.input.now;
        let lasted = |since: Timestamp, least| {
            let lasted = now.since(since);
            (lasted >= least).then(|| length(lasted))
        };
        match rule.when {
            ResolveWhen::QuietFor(least) => {
                let since = *self.state.quiet_since.get(&incident.id)?;
                let lasted = lasted(since, least)?;
                Some(format!(
                    "quiet, and seen calm by samples for {lasted} since {since}; the rule asks for {}",
                    length(least)
                ))
            }
            ResolveWhen::GoneFor(least) => {
                let tracker = self.state.services.get(&incident.service)?;
                let since = tracker.down_since(now, self.input.settings)?;
                let lasted = lasted(since, least)?;
                Some(format!(
                    "the service has been gone for {lasted} since {since}; the rule asks for {}",
                    length(least)
                ))
            }
        }
    }
}
