//! Fallbacks: which services need one, and what became of asking.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{Presence, ServiceId, Timestamp};

use super::Collector;
use super::ask::{Asked, Replies, Subject};
use super::judge::MetricView;
use super::remarks::Remarks;

/// A service whose main query had it within this time isn't asked for in the fallback.
const EXPOSED_KEPT: Duration = Duration::from_secs(3600);
/// A fallback that had nothing for a service is asked for it again after this.
const FALLBACK_REST: Duration = Duration::from_secs(600);

impl Collector {
    /// The fallbacks that some service needs now.
    pub(super) fn fallbacks(&self, views: &[MetricView], at: Timestamp) -> Vec<Asked> {
        let fallback = |view: &MetricView| {
            let query = view.spec.fallback.as_deref()?;
            self.needing(view, at).next()?;
            Some(Asked {
                subject: Subject::Fallback(view.spec.id.clone()),
                query: self.expression(query),
            })
        };
        views.iter().filter_map(fallback).collect()
    }

    /// Services that answer, but have no value of this metric, and neither had one of late.
    fn needing<'a>(
        &'a self,
        view: &'a MetricView,
        at: Timestamp,
    ) -> impl Iterator<Item = &'a ServiceId> {
        let services = self.fleet.services.iter().filter(move |(service, known)| {
            let recent =
                |time: Option<Timestamp>, kept| time.is_some_and(|time| at.since(time) < kept);
            let memory = known.series.get(&view.spec.id);
            view.answered()
                && known.presence == Presence::Up
                && !view.has(service)
                && !memory.is_some_and(|memory| {
                    recent(memory.exposed, EXPOSED_KEPT)
                        || recent(memory.fallback_empty, FALLBACK_REST)
                })
        });
        services.map(|(service, _)| service)
    }

    pub(super) fn take_fallbacks(
        &mut self,
        second: &mut Replies,
        views: &mut [MetricView],
        at: Timestamp,
        remarks: &mut Remarks,
    ) {
        for view in views {
            let subject = Subject::Fallback(view.spec.id.clone());
            if !second.asked(&subject) {
                continue;
            }
            let needing: BTreeSet<ServiceId> = self.needing(view, at).cloned().collect();
            let answer = second.take_vector(&subject);
            let sorted = answer.map(|answer| self.sorted(answer));
            if let Some(sorted) = &sorted {
                remarks.about_naming(&view.spec.id, sorted);
                for service in &needing {
                    let Some(known) = self.fleet.services.get_mut(service) else {
                        continue;
                    };
                    let memory = known.series.entry(view.spec.id.clone()).or_default();
                    memory.proxied = sorted.by_service.contains_key(service);
                    memory.fallback_empty = (!memory.proxied).then_some(at);
                }
            }
            view.set_fallback(sorted, needing);
        }
    }
}
