//! What one tick sees of the fleet, apart from metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::{ServiceId, Timestamp};

use crate::identity::{Identity, LABEL_BYTES_MAX, Naming, Origin, Sorted};
use crate::prometheus::{Labels, VectorSample};
use crate::visible::excerpt;

use super::VERSION_LABEL;

/// A time further than this behind the evaluation instant is one in the future.
const FUTURE: Duration = Duration::from_secs(1);
/// An instance that nothing was heard of for so long is forgotten.
const PLACE_KEPT: Duration = Duration::from_secs(3600);
const PLACES_MAX: usize = 100_000;
/// A longer version is cut.
const VERSION_CHARS: usize = 128;

/// A target: job and instance.
type Place = (String, String);

/// Which service lives at which target, learned from the services' own metrics, because `up` has
/// no service label.
#[derive(Debug, Default)]
pub(crate) struct Places(BTreeMap<Place, (ServiceId, Timestamp)>);

impl Places {
    fn learn(&mut self, place: Place, service: &ServiceId, at: Timestamp) {
        if self.0.len() < PLACES_MAX || self.0.contains_key(&place) {
            self.0.insert(place, (service.clone(), at));
        }
    }

    /// From a series of a metric, where it says job and instance.
    pub(crate) fn learn_from(&mut self, labels: &Labels, service: &ServiceId, at: Timestamp) {
        let place = place(labels);
        if !place.0.is_empty() && !place.1.is_empty() {
            self.learn(place, service, at);
        }
    }

    fn service_at(&mut self, place: &Place, at: Timestamp) -> Option<ServiceId> {
        let (service, seen) = self.0.get_mut(place)?;
        *seen = at;
        Some(service.clone())
    }

    fn jobs_of_others(&self) -> BTreeSet<&str> {
        self.0
            .iter()
            .filter(|((job, _), (service, _))| service.as_str() != job)
            .map(|((job, _), _)| job.as_str())
            .collect()
    }

    fn forget(&mut self, at: Timestamp) {
        self.0.retain(|_, (_, seen)| at.since(*seen) <= PLACE_KEPT);
    }
}

/// One process. The newest is the greatest; of two that started at once, the one with a version,
/// and then the greater version: at a deployment both are seen for up to five minutes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    pub started: Timestamp,
    pub version: Option<Arc<str>>,
}

/// One service at one tick.
#[derive(Debug, Default)]
pub(crate) struct Sighting {
    /// When each instance was last scraped, by its own metrics.
    scraped: BTreeMap<Place, Timestamp>,
    /// Targets that answered, and when.
    up: BTreeMap<Place, Timestamp>,
    down: BTreeSet<Place>,
    /// The most recently started process.
    pub newest_process: Option<Process>,
    /// The target's own labels, other than `job`, name the service.
    pub named_by_target: bool,
}

impl Sighting {
    /// The newest scrape that succeeded.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        let of = |times: &BTreeMap<Place, Timestamp>| times.values().max().copied();
        of(&self.scraped).or_else(|| of(&self.up))
    }

    pub(crate) fn is_up(&self) -> bool {
        !self.up.is_empty()
    }

    pub(crate) fn is_down(&self) -> bool {
        self.up.is_empty() && !self.down.is_empty()
    }

    pub(crate) fn is_scraped(&self) -> bool {
        !self.scraped.is_empty()
    }

    pub(crate) fn instances(&self) -> u32 {
        let count = if self.is_up() {
            self.up.len()
        } else {
            self.scraped.len()
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Whether an instance is known not to answer, so that what is averaged over a range about it
    /// is about the past.
    pub(crate) fn lost(&self, instance: &str) -> bool {
        let at = |place: &Place| place.1 == instance;
        self.down.iter().any(at) && !self.up.keys().any(at)
    }
}

/// All services at one tick, apart from metrics.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    pub of: BTreeMap<ServiceId, Sighting>,
    pub origins: BTreeMap<ServiceId, BTreeSet<Origin>>,
    pub unnamed: usize,
    pub too_long: usize,
    /// Scrape times after the evaluation instant, which were dropped.
    pub future: usize,
    /// Targets that don't answer and that no service is known for.
    pub unattributed: usize,
}

impl Sightings {
    /// Reads the answers to the three questions; none where one failed.
    pub(crate) fn read(
        identity: &Identity,
        places: &mut Places,
        at: Timestamp,
        scraped: Option<&[VectorSample]>,
        started: Option<&[VectorSample]>,
        up: Option<&[VectorSample]>,
    ) -> Sightings {
        let mut sightings = Sightings::default();
        for (service, labels, time) in sightings.named_times(identity, scraped) {
            if time > at + FUTURE {
                sightings.future += 1;
                continue;
            }
            let place = place(&labels);
            places.learn(place.clone(), &service, at);
            sightings
                .of
                .entry(service)
                .or_default()
                .scraped
                .insert(place, time);
        }
        let started = started.map(|started| with_bounded_version(identity, started));
        for (service, labels, time) in sightings.named_times(identity, started.as_deref()) {
            if time <= at + FUTURE {
                let process = Process {
                    started: time,
                    version: version(&labels),
                };
                let sighting = sightings.of.entry(service).or_default();
                sighting.newest_process = sighting.newest_process.take().max(Some(process));
            }
        }
        sightings.read_up(identity, places, at, up.unwrap_or_default());
        places.forget(at);
        sightings
    }

    fn named_times(
        &mut self,
        identity: &Identity,
        answer: Option<&[VectorSample]>,
    ) -> Vec<(ServiceId, Labels, Timestamp)> {
        let series = answer.unwrap_or_default().iter();
        let sorted: Sorted<f64> = identity.sort(series.map(|s| (s.labels.clone(), s.value)));
        self.unnamed = self.unnamed.max(sorted.unnamed);
        self.too_long = self.too_long.max(sorted.too_long);
        for (service, origins) in sorted.origins {
            self.origins.entry(service).or_default().extend(origins);
        }
        let named = sorted.by_service.into_iter().flat_map(|(service, series)| {
            series
                .into_iter()
                .map(move |(labels, value)| (service.clone(), labels, value))
        });
        named
            .filter_map(|(service, labels, value)| {
                Some((service, labels, Timestamp::from_seconds(value)?))
            })
            .collect()
    }

    /// A target belongs to the service that was seen there; else to the one that its own labels
    /// name. A bare job name counts only where the job isn't shared by services of other names.
    fn read_up(
        &mut self,
        identity: &Identity,
        places: &mut Places,
        at: Timestamp,
        up: &[VectorSample],
    ) {
        let shared: BTreeSet<String> = places
            .jobs_of_others()
            .into_iter()
            .map(str::to_owned)
            .collect();
        for target in up {
            let place = place(&target.labels);
            let mut named_by_target = false;
            let service = match places.service_at(&place, at) {
                Some(service) => service,
                None => match identity.name(&target.labels) {
                    Naming::Named(service, origin) => {
                        named_by_target = identity.candidate(&origin) != "job";
                        if !named_by_target && shared.contains(&place.0) {
                            self.unattributed += usize::from(target.value < 0.0);
                            continue;
                        }
                        service
                    }
                    Naming::Unnamed | Naming::TooLong => continue,
                },
            };
            let Some(time) = Timestamp::from_seconds(target.value.abs()) else {
                continue;
            };
            if time > at + FUTURE {
                self.future += 1;
                continue;
            }
            let sighting = self.of.entry(service).or_default();
            sighting.named_by_target |= named_by_target;
            if target.value > 0.0 {
                sighting.up.insert(place, time);
            } else {
                sighting.down.insert(place);
            }
        }
    }
}

/// A version that is too long to be looked at must not cost the process its service.
fn with_bounded_version(identity: &Identity, started: &[VectorSample]) -> Vec<VectorSample> {
    let mut started = started.to_vec();
    if !identity.uses(VERSION_LABEL) {
        for version in started
            .iter_mut()
            .filter_map(|process| process.labels.get_mut(VERSION_LABEL))
            .filter(|version| version.len() > LABEL_BYTES_MAX)
        {
            *version = version.chars().take(VERSION_CHARS + 1).collect();
        }
    }
    started
}

fn version(labels: &Labels) -> Option<Arc<str>> {
    let version = labels.get(VERSION_LABEL)?;
    (!version.is_empty()).then(|| excerpt(version, VERSION_CHARS).into())
}

fn place(labels: &Labels) -> Place {
    let value = |label| labels.get(label).cloned().unwrap_or_default();
    (value("job"), value("instance"))
}
