//! A fleet of services that look like Spring Boot, with load, topology and faults; for the demo, tests and benchmarks.
//!
//! [`Topology`] says who calls whom, [`Fault`] what goes wrong, [`Fleet`] goes through time: [`Fleet::advance`] lets
//! counters grow, [`Fleet::expose`] answers a scrape, [`Fleet::truth`] says what is the case without any noise.
//! [`Observer`] measures what the metric catalogue asks for, without pages in between.
//! [`history`] lays down the past for a Prometheus, [`serve()`] answers in the present, [`LogWriter`] writes log files.
//! [`recorded`] is about real services instead: days of past made of a quarter of an hour of theirs.
//! [`alike`] holds the fleet's pages against those of real services.
//!
//! ```
//! use simulator::{Fault, Fleet, Topology, TruthMetric};
//!
//! let faults = Fault::parse_list("[{at: 1h, for: 20m, service: payments, kind: slow-dependency}]")?;
//! let mut fleet = Fleet::new(Topology::shop(), faults, 7, 1_795_000_000_000)?;
//! fleet.advance(1_795_000_000_000 + 65 * 60_000);
//! let page = fleet.expose("payments", 1, fleet.now_ms()).expect("payments answers");
//! assert!(page.contains("http_server_requests_seconds_bucket"));
//! assert!((fleet.truth("payments", TruthMetric::Lat, fleet.now_ms())? - 1_000.0).abs() < 1.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod duration;
mod faults;
pub mod topology;

mod conditions;
mod fleet;
mod latency;
mod load;
mod noise;
mod truth;

mod counters;
mod families;
mod gauges;
mod page;

mod observer;

pub mod history;
pub mod logs;
pub mod recorded;

pub mod alike;
mod labels;

pub mod prometheus;
pub mod serve;

pub use conditions::Condition;
pub use duration::Span;
pub use faults::{Fault, FaultError, FaultKind, ScheduledFault};
pub use fleet::Fleet;
pub use history::{
    Families, PastScrape, past_scrapes, write_openmetrics, write_openmetrics_by_block,
};
pub use latency::Buckets;
pub use logs::{LogOptions, LogWriter};
pub use observer::{Measured, OBSERVED, Observation, Observer, RANGE_MS, SCRAPE_INTERVAL_MS};
pub use prometheus::{
    DEFAULT_JOB, Discovery, TargetGroup, prometheus_config, target_groups, write_sd_file,
};
pub use serve::{ServeOptions, SharedFleet, serve, shared, system_clock};
pub use topology::{LogFormat, Service, Topology, TopologyError};
pub use truth::{TruthError, TruthMetric};
