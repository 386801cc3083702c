//! What is remembered of the fleet from tick to tick.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use domain::{MetricId, Presence, ServiceId, Timestamp};

use crate::identity::Origin;

use super::spacing::median;
use super::{Process, Sighting, Spacings};

/// A service that is gone for so long makes room where the limit is reached.
const GONE_KEPT: Duration = Duration::from_secs(3600);
/// A scrape interval beyond this is invisible to instant queries and sets no range.
const LOOKBACK: Duration = Duration::from_secs(300);
/// So many distances between newest scrapes are remembered; learning needs five.
const TIMES_KEPT: usize = 9;
const TIMES_NEEDED: usize = 6;
/// More ways of naming a service than this, and only those that were seen last are kept.
const ORIGINS_MAX: usize = 8;

/// One series, as far as it matters for the next tick.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeriesMemory {
    /// The time of the newest sample that was handed on.
    pub newest: Option<Timestamp>,
    /// When the metric's own query last had this service.
    pub exposed: Option<Timestamp>,
    /// When the fallback was last asked for this service and had nothing.
    pub fallback_empty: Option<Timestamp>,
    /// The last value came from the fallback.
    pub proxied: bool,
}

/// One service, as far as it matters for the next tick.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub presence: Presence,
    pub instances: u32,
    /// The most recently started process that was last seen.
    pub newest_process: Option<Process>,
    pub spacing: Option<Duration>,
    pub scrape: Option<Duration>,
    /// It once had scrape times, so that their absence means something.
    pub timed: bool,
    pub seen: Timestamp,
    /// The ways in which its series name it.
    pub origins: BTreeSet<Origin>,
    pub series: BTreeMap<MetricId, SeriesMemory>,
    newest_scrapes: VecDeque<Timestamp>,
}

impl Known {
    fn new(at: Timestamp) -> Known {
        Known {
            presence: Presence::Gone,
            instances: 0,
            newest_process: None,
            spacing: None,
            scrape: None,
            timed: false,
            seen: at,
            origins: BTreeSet::new(),
            series: BTreeMap::new(),
            newest_scrapes: VecDeque::new(),
        }
    }

    /// The larger of the tick and the spacing of the samples.
    pub(crate) fn step(&self, tick: Duration) -> Duration {
        self.spacing.unwrap_or_default().max(tick)
    }

    /// Takes what this tick sees. `certain` says that all questions about the fleet were
    /// answered: otherwise absence means nothing. `has_values` counts for services that never had
    /// scrape times; for others, an average over a range outlives the service.
    pub(crate) fn see(
        &mut self,
        sighting: Option<&Sighting>,
        has_values: bool,
        certain: bool,
        at: Timestamp,
    ) {
        let down = sighting.is_some_and(Sighting::is_down);
        let untimed = !self.timed && has_values && !down;
        let present = sighting.is_some_and(|s| s.is_up() || (s.is_scraped() && !down));
        if let Some(sighting) = sighting {
            if let Some(process) = &sighting.newest_process {
                self.newest_process = Some(process.clone());
            }
            if let Some(newest) = sighting.newest() {
                self.timed = true;
                self.learn(newest);
            }
        }
        if present || untimed {
            self.presence = Presence::Up;
            self.instances = sighting.map_or(0, Sighting::instances).max(1);
            self.seen = at;
        } else if certain || down {
            self.presence = Presence::Gone;
            self.instances = 0;
        }
    }

    /// Takes the ways in which the series of this tick name the service. Older ways are kept, as
    /// the past may be asked for in them.
    pub(crate) fn learn_origins<'a>(&mut self, seen: impl Iterator<Item = &'a Origin> + Clone) {
        if seen.clone().all(|origin| self.origins.contains(origin)) {
            return;
        }
        self.origins.extend(seen.clone().cloned());
        if self.origins.len() > ORIGINS_MAX {
            self.origins = seen.take(ORIGINS_MAX).cloned().collect();
        }
    }

    pub(crate) fn set_spacings(&mut self, spacings: Spacings) {
        self.spacing = Some(spacings.service);
        self.scrape = Some(spacings.scrape);
    }

    fn learn(&mut self, newest: Timestamp) {
        if self
            .newest_scrapes
            .back()
            .is_some_and(|last| newest <= *last)
        {
            return;
        }
        self.newest_scrapes.push_back(newest);
        if self.newest_scrapes.len() > TIMES_KEPT {
            self.newest_scrapes.pop_front();
        }
        if self.newest_scrapes.len() >= TIMES_NEEDED {
            let learned = median(self.newest_scrapes.iter().map(|time| time.as_seconds()));
            self.spacing = learned.or(self.spacing);
            self.scrape = self.scrape.or(learned);
        }
    }
}

/// The known services, at most `services_max`.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub services: BTreeMap<ServiceId, Known>,
    services_max: usize,
}

impl Fleet {
    pub(crate) fn new(services_max: usize) -> Fleet {
        Fleet {
            services: BTreeMap::new(),
            services_max,
        }
    }

    /// Another bound from now on; those known beyond it stay until there is need for their place.
    pub(crate) fn allow(&mut self, services_max: usize) {
        self.services_max = services_max;
    }

    /// Whether the service is known now; one that is gone for an hour makes room for it.
    pub(crate) fn admit(&mut self, service: &ServiceId, at: Timestamp) -> bool {
        if self.services.contains_key(service) {
            return true;
        }
        if self.services.len() >= self.services_max && !self.make_room(at) {
            return false;
        }
        self.services.insert(service.clone(), Known::new(at));
        true
    }

    fn make_room(&mut self, at: Timestamp) -> bool {
        let gone =
            |known: &Known| known.presence == Presence::Gone && at.since(known.seen) > GONE_KEPT;
        let longest = self
            .services
            .iter()
            .filter(|(_, known)| gone(known))
            .min_by_key(|(_, known)| known.seen)
            .map(|(service, _)| service.clone());
        longest.is_some_and(|service| self.services.remove(&service).is_some())
    }

    /// The largest scrape interval that instant queries can see.
    pub(crate) fn scrape_interval(&self) -> Duration {
        self.services
            .values()
            .filter_map(|known| known.scrape)
            .filter(|scrape| *scrape <= LOOKBACK)
            .max()
            .unwrap_or_default()
    }
}
