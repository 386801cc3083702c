//! What a Prometheus that scrapes the fleet would answer to the metric catalogue, without pages in
//! between: the same counters, gauges and noise as the exposition, read where they are.
//!
//! Means and increases go over the five minutes before an instant. A counter that is born or whose
//! process restarts counts from zero.

use std::collections::{BTreeMap, VecDeque};

use crate::counters::{HEAP_MAX, ServerFlow};
use crate::fleet::Fleet;
use crate::gauges::{Gauge, Readings};
use crate::prometheus::instance_label;
use crate::truth::TruthMetric;

/// How often each instance is looked at.
pub const SCRAPE_INTERVAL_MS: i64 = 15_000;
/// What means and increases go over.
pub const RANGE_MS: i64 = 300_000;

const SCRAPES: usize = (RANGE_MS / SCRAPE_INTERVAL_MS) as usize;
/// What the exposition writes for the executor of scheduled work.
const SCHEDULER_QUEUE: f64 = 1.0;

/// The metrics that are observed, of those that [`TruthMetric`] names.
pub const OBSERVED: [TruthMetric; 8] = [
    TruthMetric::Cpu,
    TruthMetric::Mem,
    TruthMetric::Lat,
    TruthMetric::ErrorRatio,
    TruthMetric::GcOverhead,
    TruthMetric::BlockedThreads,
    TruthMetric::PoolPending,
    TruthMetric::ExecutorQueue,
];

/// One service at one instant, as it is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    pub service: String,
    /// Instances that answer.
    pub instances: usize,
    /// When the most recently started of them was started.
    pub started_ms: Option<i64>,
    /// The version they say.
    pub version: Option<String>,
    pub measured: BTreeMap<TruthMetric, Measured>,
}

/// The value of one metric; a service that can't have it, has no entry at all.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    Value {
        value: f64,
        /// The instance that carries the value, where the metric keeps it.
        instance: Option<String>,
    },
    /// There were no requests.
    Idle,
    /// Nothing answers.
    Nothing,
}

/// Goes through time with a fleet and remembers five minutes of scrapes.
#[derive(Debug)]
pub struct Observer {
    fleet: Fleet,
    services: Vec<Vec<Target>>,
    scraped_ms: i64,
}

/// One instance: its newest scrape, and what the newest of them added.
#[derive(Debug, Default)]
struct Target {
    newest: Option<Scrape>,
    /// What lies between two scrapes, oldest first; empty where it didn't answer.
    added: VecDeque<Option<Added>>,
}

#[derive(Debug, Clone)]
struct Scrape {
    started_ms: i64,
    readings: Readings,
    requests: Requests,
}

#[derive(Debug)]
struct Added {
    cpu: f64,
    requests: Requests,
}

/// Requests but those of actuator, as whole numbers like a page has them.
#[derive(Debug, Clone, Default, PartialEq)]
struct Requests {
    /// Cumulative, the last is `+Inf`.
    buckets: Vec<f64>,
    failed: f64,
}

impl Observer {
    /// Scrapes begin at the fleet's present instant, on the epoch grid of [`SCRAPE_INTERVAL_MS`].
    pub fn new(fleet: Fleet) -> Observer {
        let targets = |instances: usize| (0..instances).map(|_| Target::default()).collect();
        let services = fleet.topology().services().iter();
        Observer {
            services: services.map(|service| targets(service.instances)).collect(),
            scraped_ms: fleet.now_ms().div_euclid(SCRAPE_INTERVAL_MS) * SCRAPE_INTERVAL_MS,
            fleet,
        }
    }

    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Lets time pass, with every scrape that falls into it.
    pub fn advance(&mut self, to_ms: i64) {
        while self.scraped_ms + SCRAPE_INTERVAL_MS <= to_ms {
            self.scraped_ms += SCRAPE_INTERVAL_MS;
            self.fleet.advance(self.scraped_ms);
            for (position, targets) in self.services.iter_mut().enumerate() {
                for (index, target) in targets.iter_mut().enumerate() {
                    target.take(self.fleet.scrape(position, index, self.scraped_ms));
                }
            }
        }
        self.fleet.advance(to_ms);
    }

    /// Every service at the newest scrape, in the order of the topology.
    pub fn observe(&self) -> Vec<Observation> {
        (0..self.services.len())
            .map(|position| self.observe_service(position))
            .collect()
    }

    fn observe_service(&self, position: usize) -> Observation {
        let service = &self.fleet.topology().services()[position];
        let targets = &self.services[position];
        let answering: Vec<(usize, &Target, &Scrape)> = targets
            .iter()
            .enumerate()
            .filter_map(|(index, target)| Some((index, target, target.newest.as_ref()?)))
            .collect();
        let bounds = self.fleet.bounds(position);
        let worst = |value: &dyn Fn(&Target, &Scrape) -> f64| {
            let values = answering
                .iter()
                .map(|(index, target, scrape)| (value(target, scrape), *index));
            let worst = values.reduce(|worst, next| if next.0 > worst.0 { next } else { worst });
            worst.map_or(Measured::Nothing, |(value, index)| Measured::Value {
                value,
                instance: Some(instance_label(&service.name, index + 1)),
            })
        };
        let merged = || {
            if answering.is_empty() {
                None
            } else {
                Some(Requests::sum(targets.iter().flat_map(Target::requests)))
            }
        };
        let of = |metric: TruthMetric| {
            let gauge = |gauge: Gauge| worst(&|_, scrape| scrape.readings.get(gauge));
            Some(match metric {
                TruthMetric::Cpu => worst(&|target, _| 100.0 * target.cpu()),
                TruthMetric::Mem => worst(&|_, scrape| 100.0 * scrape.heap()),
                TruthMetric::Lat => {
                    of_requests(merged(), |requests| 1e3 * requests.quantile(0.99, bounds))
                }
                TruthMetric::ErrorRatio => of_requests(merged(), |requests| {
                    100.0 * requests.failed / requests.count()
                }),
                TruthMetric::GcOverhead => {
                    worst(&|_, scrape| 100.0 * scrape.readings.get(Gauge::GcOverhead))
                }
                TruthMetric::BlockedThreads => gauge(Gauge::ThreadsBlocked),
                TruthMetric::PoolPending if !service.pool => return None,
                TruthMetric::PoolPending => gauge(Gauge::ConnectionsPending),
                TruthMetric::ExecutorQueue => worst(&|_, scrape| {
                    scrape
                        .readings
                        .get(Gauge::ExecutorQueued)
                        .max(SCHEDULER_QUEUE)
                }),
                _ => return None,
            })
        };
        Observation {
            service: service.name.clone(),
            instances: answering.len(),
            started_ms: answering
                .iter()
                .map(|(_, _, scrape)| scrape.started_ms)
                .max(),
            version: (!answering.is_empty()).then(|| self.fleet.version_at(position).to_owned()),
            measured: OBSERVED
                .into_iter()
                .filter_map(|metric| Some((metric, of(metric)?)))
                .collect(),
        }
    }
}

fn of_requests(requests: Option<Requests>, value: impl Fn(&Requests) -> f64) -> Measured {
    match requests {
        None => Measured::Nothing,
        Some(requests) if requests.count() <= 0.0 => Measured::Idle,
        Some(requests) => Measured::Value {
            value: value(&requests),
            instance: None,
        },
    }
}

impl Target {
    fn take(&mut self, scrape: Option<Scrape>) {
        let added = scrape.as_ref().map(|new| Added {
            cpu: new.readings.get(Gauge::ProcessCpu),
            requests: match &self.newest {
                Some(old) if old.started_ms == new.started_ms => new.requests.since(&old.requests),
                _ => new.requests.clone(),
            },
        });
        self.newest = scrape;
        if self.added.len() == SCRAPES {
            self.added.pop_front();
        }
        self.added.push_back(added);
    }

    fn cpu(&self) -> f64 {
        let (sum, count) = self
            .added
            .iter()
            .flatten()
            .fold((0.0, 0.0), |(sum, count), added| {
                (sum + added.cpu, count + 1.0)
            });
        sum / count
    }

    fn requests(&self) -> impl Iterator<Item = &Requests> {
        self.added.iter().flatten().map(|added| &added.requests)
    }
}

impl Scrape {
    fn heap(&self) -> f64 {
        let used = [Gauge::Eden, Gauge::Survivor, Gauge::OldGen];
        used.map(|gauge| self.readings.get(gauge))
            .iter()
            .sum::<f64>()
            / HEAP_MAX
    }
}

impl Requests {
    fn count(&self) -> f64 {
        self.buckets.last().copied().unwrap_or(0.0)
    }

    fn since(&self, earlier: &Requests) -> Requests {
        let pairs = self.buckets.iter().zip(&earlier.buckets);
        Requests {
            buckets: pairs.map(|(now, then)| now - then).collect(),
            failed: self.failed - earlier.failed,
        }
    }

    fn sum<'a>(all: impl Iterator<Item = &'a Requests>) -> Requests {
        all.fold(Requests::default(), |mut sum, requests| {
            sum.buckets.resize(requests.buckets.len(), 0.0);
            for (sum, more) in sum.buckets.iter_mut().zip(&requests.buckets) {
                *sum += more;
            }
            sum.failed += requests.failed;
            sum
        })
    }

    /// Linear within a bucket, as PromQL's `histogram_quantile`; beyond the last bound, that bound.
    fn quantile(&self, q: f64, bounds: &[f64]) -> f64 {
        let rank = q * self.count();
        let at = self.buckets.partition_point(|count| *count < rank);
        let Some(&end) = bounds.get(at) else {
            return bounds.last().copied().unwrap_or(f64::NAN);
        };
        let (start, below) = match at.checked_sub(1) {
            None => (0.0, 0.0),
            Some(before) => (bounds[before], self.buckets[before]),
        };
        start + (end - start) * (rank - below) / (self.buckets[at] - below)
    }
}

impl Fleet {
    /// The upper bounds of a service's buckets in seconds, without `+Inf`.
    fn bounds(&self, position: usize) -> &'static [f64] {
        self.topology().services()[position].buckets.bounds()
    }

    /// What [`Fleet::expose`] would say that is observed; `index` counts from 0.
    fn scrape(&self, position: usize, index: usize, now_ms: i64) -> Option<Scrape> {
        let (started_ms, readings) = self.readings(position, index, now_ms)?;
        let mut requests = Requests {
            buckets: vec![0.0; self.bounds(position).len() + 1],
            failed: 0.0,
        };
        for series in &self.layout(position).server {
            if matches!(series.flow, ServerFlow::Scrape | ServerFlow::HealthCheck) {
                continue;
            }
            let whole = |slot| self.counter(position, index, slot, now_ms).floor();
            let histogram = series.histogram;
            for (bucket, slot) in requests.buckets.iter_mut().zip(histogram.first..) {
                *bucket += whole(slot);
            }
            if matches!(series.flow, ServerFlow::Fails(_)) {
                requests.failed += whole(histogram.count());
            }
        }
        Some(Scrape {
            started_ms,
            readings,
            requests,
        })
    }
}
