//! From an answer to an observation: which value, measured when, usable or not.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{Gap, MetricSpec, Presence, SeriesId, SeriesObservation, ServiceId, Timestamp};

use crate::combine::{InstanceValue, combined, instance_of};
use crate::discover::{Known, SeriesMemory, Sighting};
use crate::identity::{Origin, Sorted};
use crate::prometheus::Labels;

/// A sample older than the larger of this and [`STALE_STEPS`] steps is stale: two minutes let a
/// scrape of the usual 15 to 60 s fail once or twice.
const STALE_AFTER: Duration = Duration::from_secs(120);
const STALE_STEPS: u32 = 5;

/// One metric at one tick: the answers to its queries.
pub(super) struct MetricView {
    pub spec: MetricSpec,
    /// None where the query failed.
    main: Option<Sorted<f64>>,
    fallback: Option<Fallback>,
}

struct Fallback {
    /// None where the query failed.
    answer: Option<Sorted<f64>>,
    needing: BTreeSet<ServiceId>,
}

/// A service at the evaluation instant: what its series have in common.
pub(super) struct Instant {
    /// When the service's samples were measured; none where it isn't there.
    time: Option<Timestamp>,
    stale: bool,
}

impl Instant {
    /// The time of a sample is the newest scrape of the service's instances. A service that never
    /// had scrape times, as with pushed metrics, or whose times can't be asked now, gets the
    /// evaluation instant on the grid of its step, so that a repeat isn't taken for news.
    pub(super) fn of(
        known: &Known,
        sighting: Option<&Sighting>,
        certain: bool,
        tick: Duration,
        at: Timestamp,
    ) -> Instant {
        let step = known.step(tick);
        let time = match sighting.and_then(Sighting::newest) {
            _ if known.presence == Presence::Gone => None,
            Some(newest) => Some(newest),
            None if known.timed && certain => None,
            None => Some(at.floor_to(step)),
        };
        let limit = STALE_AFTER.max(step * STALE_STEPS);
        Instant {
            time,
            stale: time.is_some_and(|time| at.since(time) > limit),
        }
    }
}

impl MetricView {
    pub(super) fn new(spec: MetricSpec, main: Option<Sorted<f64>>) -> MetricView {
        MetricView {
            spec,
            main,
            fallback: None,
        }
    }

    pub(super) fn set_fallback(
        &mut self,
        answer: Option<Sorted<f64>>,
        needing: BTreeSet<ServiceId>,
    ) {
        self.fallback = Some(Fallback { answer, needing });
    }

    pub(super) fn answered(&self) -> bool {
        self.main.is_some()
    }

    /// Whether the main query has the service, be it with NaN.
    pub(super) fn has(&self, service: &ServiceId) -> bool {
        let main = self.main.as_ref();
        main.is_some_and(|main| main.by_service.contains_key(service))
    }

    pub(super) fn services(&self) -> impl Iterator<Item = &ServiceId> {
        self.main.iter().flat_map(|main| main.by_service.keys())
    }

    pub(super) fn series(&self) -> impl Iterator<Item = (&ServiceId, &Labels)> {
        let services = self.main.iter().flat_map(|main| &main.by_service);
        services.flat_map(|(service, all)| all.iter().map(move |(labels, _)| (service, labels)))
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = (&ServiceId, &BTreeSet<Origin>)> {
        self.main.iter().flat_map(|main| main.origins.iter())
    }

    pub(super) fn gap(&self, service: &ServiceId, gap: Gap) -> SeriesObservation {
        SeriesObservation {
            series: SeriesId {
                service: service.clone(),
                metric: self.spec.id.clone(),
            },
            outcome: Err(gap),
            instance: None,
            proxy: false,
        }
    }

    pub(super) fn judge(
        &self,
        service: &ServiceId,
        instant: &Instant,
        sighting: Option<&Sighting>,
        memory: &mut SeriesMemory,
    ) -> SeriesObservation {
        let (answer, proxy) = match self.answer_for(service) {
            Ok(found) => found,
            Err(gap) => return self.gap(service, gap),
        };
        let Some(time) = instant.time else {
            return self.gap(service, Gap::NoData);
        };
        if answer.ambiguous.contains(service) {
            return self.gap(service, Gap::Ambiguous);
        }
        let series = answer.by_service.get(service).map(Vec::as_slice);
        let values: Vec<InstanceValue> = series
            .unwrap_or_default()
            .iter()
            .map(|(labels, value)| (instance_of(labels), *value))
            .filter(|(instance, _)| {
                let lost = |instance: &str| sighting.is_some_and(|s| s.lost(instance));
                !instance.as_deref().is_some_and(lost)
            })
            .collect();
        let (mut outcome, instance) = combined(&values, &self.spec, time);
        if let Ok(sample) = outcome {
            if instant.stale {
                outcome = Err(Gap::Stale);
            } else if memory.newest.is_some_and(|newest| sample.time <= newest) {
                outcome = Err(Gap::Repeated);
            } else {
                memory.newest = Some(sample.time);
            }
        }
        SeriesObservation {
            outcome,
            instance,
            proxy,
            ..self.gap(service, Gap::NoData)
        }
    }

    /// The answer that speaks for the service, and whether it is the fallback's.
    fn answer_for(&self, service: &ServiceId) -> Result<(&Sorted<f64>, bool), Gap> {
        let main = self.main.as_ref().ok_or(Gap::QueryFailed)?;
        let needs = |fallback: &&Fallback| fallback.needing.contains(service);
        match self.fallback.as_ref().filter(needs) {
            Some(fallback) => {
                let answer = fallback.answer.as_ref().ok_or(Gap::QueryFailed)?;
                Ok((answer, answer.by_service.contains_key(service)))
            }
            None => Ok((main, false)),
        }
    }
}
