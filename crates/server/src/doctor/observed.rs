//! What was seen of the fleet, frozen before anything is judged.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{MetricId, ServiceId, Timestamp};
use jiff::SignedDuration;
use sources::prometheus::{Labels, Target};

/// Everything the findings are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The instant that was asked about.
    pub at: Timestamp,
    pub origin: Origin,
    pub targets: Vec<TargetSeen>,
    pub services: BTreeMap<ServiceId, ServiceSeen>,
    /// Series of services that none of the identity labels names.
    pub unnamed: usize,
    /// What couldn't be asked, and why.
    pub not_seen: Vec<String>,
    /// The source's clock minus ours, where it is known.
    pub skew: Option<SignedDuration>,
}

/// Who was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Prometheus {
        address: String,
        version: Option<String>,
        /// What a relative of Prometheus calls itself.
        application: Option<String>,
    },
    /// The targets of a scrape configuration, asked by ourselves.
    Pages { file: String },
}

#[derive(Clone, Debug, PartialEq)]
pub struct TargetSeen {
    pub target: Target,
    /// The service that lives there, where it is known.
    pub service: Option<ServiceId>,
    /// Some series of it are such as services have.
    pub known: bool,
}

/// One service, as its series tell of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceSeen {
    /// The identity labels that name it.
    pub named_by: BTreeSet<String>,
    /// How its instances are labelled: identity, job, instance, and labels that may tell
    /// environments apart or were renamed by the scrape.
    pub places: Vec<Labels>,
    /// How many series it has of each of the metric names that were asked for.
    pub series: BTreeMap<String, u64>,
    pub readings: BTreeMap<MetricId, Reading>,
    /// By ascending bound.
    pub bounds: Vec<Bound>,
    /// Distinct values of the label `uri` of its requests.
    pub uris: u64,
    /// How far apart the samples of each instance lie.
    pub intervals: BTreeMap<String, Duration>,
    /// How far its newest sample lies in the future; zero where it doesn't.
    pub ahead: Duration,
    /// Instances whose uptime stands still.
    pub frozen: BTreeSet<String>,
    /// Whether any heap pool has a maximum.
    pub heap_has_maximum: bool,
}

/// A finite bound of the histogram of server requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    pub seconds: f64,
    /// The series that have it.
    pub series: u64,
}

/// The present value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    Value(f64),
    /// The fallback's, because the metric's own query has none.
    Proxy(f64),
    /// Not a number: nothing happened that could be measured.
    Idle,
    /// Infinite, or outside the metric's valid range.
    Odd(f64),
    /// Neither the query nor the fallback has a value.
    Missing,
    NotAsked(String),
}

impl ServiceSeen {
    /// Whether it has series of that name.
    pub fn has(&self, name: &str) -> bool {
        self.series.contains_key(name)
    }

    /// The values of a label over all instances, without the empty one.
    pub fn values(&self, label: &str) -> BTreeSet<&str> {
        let values = self.places.iter().filter_map(|place| place.get(label));
        values
            .map(String::as_str)
            .filter(|v| !v.is_empty())
            .collect()
    }

    /// Instances; one at least.
    pub fn instances(&self) -> usize {
        let of = |place: &Labels| (place.get("job").cloned(), place.get("instance").cloned());
        let instances: BTreeSet<_> = self.places.iter().map(of).collect();
        instances.len().max(1)
    }

    /// The slowest instance's.
    pub fn interval(&self) -> Option<Duration> {
        self.intervals.values().max().copied()
    }
}
