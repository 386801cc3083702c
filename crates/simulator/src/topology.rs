//! Who is in the fleet and who calls whom.

mod graph;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::latency::Buckets;
use crate::noise::Noise;
use graph::Links;

/// A checked list of services whose calls form no cycle.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Topology {
    services: Vec<Service>,
    #[serde(skip)]
    links: Vec<Links>,
    #[serde(skip)]
    callers_first: Vec<usize>,
}

/// One deployable unit and how it looks from outside.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Service {
    pub name: String,
    pub instances: usize,
    /// Requests per second over all instances at the daily peak, including those of its callers.
    pub rps: f64,
    pub calls: Vec<String>,
    pub uris: usize,
    pub log_format: LogFormat,
    pub buckets: Buckets,
    /// Whether it has a HikariCP connection pool.
    pub pool: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Ecs,
    Logstash,
}

#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    #[error("read topology")]
    Parse(#[source] Box<serde_saphyr::Error>),
    #[error("topology has no services")]
    Empty,
    #[error(
        "service name {name:?} may hold only letters, digits, '.', '_' and '-', at most 63 of them"
    )]
    BadName { name: String },
    #[error("service {name} is listed twice")]
    Duplicate { name: String },
    #[error("service {service}: {key} must be {allowed}, not {value}")]
    OutOfRange {
        service: String,
        key: &'static str,
        allowed: &'static str,
        value: String,
    },
    #[error("service {service} calls {callee}, which is not in the topology (known: {known})")]
    UnknownCallee {
        service: String,
        callee: String,
        known: String,
    },
    #[error("service {service} calls {callee} twice")]
    DuplicateCall { service: String, callee: String },
    #[error("calls form a cycle: {path}")]
    Cycle { path: String },
}

impl Topology {
    /// Reads `services: [{name, instances, rps, calls: [names]}]`; everything but the name has a default.
    pub fn parse(yaml: &str) -> Result<Self, TopologyError> {
        let file: TopologyFile =
            serde_saphyr::from_str(yaml).map_err(|error| TopologyError::Parse(Box::new(error)))?;
        Topology::new(file.resolve())
    }

    pub fn new(services: Vec<Service>) -> Result<Self, TopologyError> {
        let index = check(&services)?;
        let calls = services
            .iter()
            .map(|service| {
                service
                    .calls
                    .iter()
                    .map(|callee| index[callee.as_str()])
                    .collect()
            })
            .collect::<Vec<Vec<usize>>>();
        let callers_first = graph::callers_first(&services, &calls)?;
        let links = graph::links(&services, &calls, &callers_first);
        Ok(Topology {
            services,
            links,
            callers_first,
        })
    }

    /// Six services of a web shop.
    pub fn shop() -> Self {
        let service = |name: &str, instances, rps, calls: &[&str], pool| ServiceFile {
            instances,
            rps,
            calls: calls.iter().map(|&callee| callee.to_owned()).collect(),
            pool,
            ..ServiceFile::named(name)
        };
        let services = vec![
            service("gateway", 2, 60.0, &["orders", "catalog"], false),
            service("orders", 2, 36.0, &["payments", "inventory"], true),
            service("catalog", 2, 30.0, &[], true),
            service("payments", 2, 24.0, &["ledger"], true),
            service("inventory", 1, 30.0, &[], true),
            service("ledger", 1, 20.0, &[], true),
        ];
        Topology::new(TopologyFile { services }.resolve()).expect("the shop is a valid topology")
    }

    /// A layered fleet of `count` services, the same for the same seed.
    pub fn generated(count: usize, seed: u64) -> Self {
        const NOUNS: [&str; 20] = [
            "accounts",
            "address",
            "audit",
            "basket",
            "billing",
            "booking",
            "content",
            "courier",
            "coupons",
            "customers",
            "delivery",
            "feed",
            "identity",
            "invoices",
            "loyalty",
            "mailer",
            "pricing",
            "ratings",
            "search",
            "stock",
        ];
        const LAYERS: usize = 5;
        let noise = Noise::new(seed, "topology", 0, "generated");
        let count = count.max(1);
        let name = |i: usize| format!("{}-{i:03}", NOUNS[i % NOUNS.len()]);
        let layer_of = |i: usize| (i * LAYERS / count).min(LAYERS - 1);
        let services = (0..count)
            .map(|i| {
                let draw = noise.fork(i as u64);
                let below: Vec<usize> = (0..count)
                    .filter(|&j| layer_of(j) == layer_of(i) + 1)
                    .collect();
                let mut calls = BTreeSet::new();
                if !below.is_empty() {
                    for k in 0..(1 + draw.bits(0) % 3) {
                        calls.insert(name(below[draw.bits(10 + k as i64) as usize % below.len()]));
                    }
                }
                ServiceFile {
                    instances: 1 + usize::from(draw.uniform(1) < 0.3),
                    rps: (8.0 + 32.0 * draw.uniform(2)).round(),
                    calls: calls.into_iter().collect(),
                    ..ServiceFile::named(&name(i))
                }
            })
            .collect();
        Topology::new(TopologyFile { services }.resolve()).expect("layers cannot form a cycle")
    }

    pub fn services(&self) -> &[Service] {
        &self.services
    }

    pub fn position(&self, service: &str) -> Option<usize> {
        self.services.iter().position(|known| known.name == service)
    }

    /// The names, for messages that say what would have been right.
    pub fn names(&self) -> String {
        join(self.services.iter().map(|service| service.name.as_str()))
    }

    pub(crate) fn links(&self, service: usize) -> &Links {
        &self.links[service]
    }

    pub(crate) fn callers_first(&self) -> &[usize] {
        &self.callers_first
    }
}

impl Service {
    /// The paths it serves, busiest first: (method, uri, share of its requests).
    pub(crate) fn routes(&self, is_root: bool) -> Vec<(&'static str, String, f64)> {
        let prefix = if is_root { "/api" } else { "" };
        let all = [
            ("GET", format!("{prefix}/{}/{{id}}", self.name), 0.7),
            ("POST", format!("{prefix}/{}", self.name), 0.2),
            ("GET", format!("{prefix}/{}/search", self.name), 0.1),
        ];
        let routes = &all[..self.uris.min(all.len())];
        let total: f64 = routes.iter().map(|(_, _, share)| share).sum();
        routes
            .iter()
            .map(|(method, uri, share)| (*method, uri.clone(), share / total))
            .collect()
    }

    /// The Java package and main class: `demo.order_items` and `OrderItemsApplication`.
    pub(crate) fn java_names(&self) -> (String, String) {
        let package = self.name.replace(['-', '.'], "_").to_lowercase();
        let class = self
            .name
            .split(['-', '_', '.'])
            .map(|word| {
                let mut letters = word.chars();
                letters
                    .next()
                    .map(|first| first.to_uppercase().chain(letters).collect::<String>())
                    .unwrap_or_default()
            })
            .collect::<String>();
        (format!("demo.{package}"), class)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TopologyFile {
    services: Vec<ServiceFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceFile {
    name: String,
    #[serde(default = "one")]
    instances: usize,
    #[serde(default = "ten")]
    rps: f64,
    #[serde(default)]
    calls: Vec<String>,
    #[serde(default = "two")]
    uris: usize,
    #[serde(default)]
    log_format: Option<LogFormat>,
    #[serde(default)]
    buckets: Buckets,
    #[serde(default = "yes")]
    pool: bool,
}

fn one() -> usize {
    1
}

fn two() -> usize {
    2
}

fn ten() -> f64 {
    10.0
}

fn yes() -> bool {
    true
}

impl ServiceFile {
    fn named(name: &str) -> Self {
        ServiceFile {
            name: name.to_owned(),
            instances: one(),
            rps: ten(),
            calls: Vec::new(),
            uris: two(),
            log_format: None,
            buckets: Buckets::default(),
            pool: yes(),
        }
    }
}

impl TopologyFile {
    /// Log formats alternate by the order of names where none is given.
    fn resolve(self) -> Vec<Service> {
        let ranks: BTreeMap<String, usize> = self
            .services
            .iter()
            .map(|service| service.name.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .enumerate()
            .map(|(rank, name)| (name, rank))
            .collect();
        let alternating = |name: &str| match ranks[name] % 2 {
            0 => LogFormat::Ecs,
            _ => LogFormat::Logstash,
        };
        self.services
            .into_iter()
            .map(|file| Service {
                log_format: file.log_format.unwrap_or_else(|| alternating(&file.name)),
                name: file.name,
                instances: file.instances,
                rps: file.rps,
                calls: file.calls,
                uris: file.uris,
                buckets: file.buckets,
                pool: file.pool,
            })
            .collect()
    }
}

fn check(services: &[Service]) -> Result<BTreeMap<&str, usize>, TopologyError> {
    if services.is_empty() {
        return Err(TopologyError::Empty);
    }
    let mut index = BTreeMap::new();
    for (i, service) in services.iter().enumerate() {
        let name = &service.name;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > 63 || name.starts_with('.') || !name.chars().all(fits) {
            return Err(TopologyError::BadName { name: name.clone() });
        }
        let out_of_range = |key, allowed, value: String| {
            Err(TopologyError::OutOfRange {
                service: name.clone(),
                key,
                allowed,
                value,
            })
        };
        if !(1..=100).contains(&service.instances) {
            return out_of_range("instances", "1 to 100", service.instances.to_string());
        }
        if !(service.rps > 0.0 && service.rps <= 100_000.0) {
            return out_of_range("rps", "above 0 and at most 100000", service.rps.to_string());
        }
        if !(1..=3).contains(&service.uris) {
            return out_of_range("uris", "1 to 3", service.uris.to_string());
        }
        if index.insert(name.as_str(), i).is_some() {
            return Err(TopologyError::Duplicate { name: name.clone() });
        }
    }
    for service in services {
        for (k, callee) in service.calls.iter().enumerate() {
            if !index.contains_key(callee.as_str()) {
                return Err(TopologyError::UnknownCallee {
                    service: service.name.clone(),
                    callee: callee.clone(),
                    known: join(services.iter().map(|known| known.name.as_str())),
                });
            }
            if service.calls[..k].contains(callee) {
                return Err(TopologyError::DuplicateCall {
                    service: service.name.clone(),
                    callee: callee.clone(),
                });
            }
        }
    }
    Ok(index)
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
