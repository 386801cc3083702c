//! The pages of the simulated shop against scrapes of the real one: the same names, types and names of labels, but for
//! a short list with reasons.
//!
//! A difference that isn't on the list is wrong, and so is an entry of the list that is no difference any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::fleet::Fleet;
use crate::labels::{excerpt, parse_labels};
use crate::topology::Topology;

/// Who has what the other lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Real,
    Simulated,
}

/// A difference that is meant.
#[derive(Debug)]
pub struct Expected {
    pub only: Side,
    pub services: &'static [&'static str],
    /// A name of samples, or the beginning of names and a `*`.
    pub names: &'static str,
    pub reason: &'static str,
}

impl Expected {
    fn covers(&self, difference: &Difference) -> bool {
        let named = match self.names.strip_suffix('*') {
            Some(beginning) => difference.name.starts_with(beginning),
            None => difference.name == self.names,
        };
        named
            && difference.what == What::Only(self.only)
            && self.services.contains(&difference.service.as_str())
    }
}

const fn simulated(
    services: &'static [&'static str],
    names: &'static str,
    reason: &'static str,
) -> Expected {
    Expected {
        only: Side::Simulated,
        services,
        names,
        reason,
    }
}

const fn real(
    services: &'static [&'static str],
    names: &'static str,
    reason: &'static str,
) -> Expected {
    Expected {
        only: Side::Real,
        services,
        names,
        reason,
    }
}

const ALL: &[&str] = &["gateway", "orders", "payments", "inventory"];
const MBEANS: &str = "the simulated services have server.tomcat.mbeanregistry.enabled, without which Spring Boot says only the sessions";
const TICKS: &str =
    "each simulated service has a task that runs by the clock; of the real ones only inventory has";
const UNDER_WAY: &str = "the labels of requests under way are placeholders, so nobody reads their buckets, which would be many lines";
const STOCK: &str =
    "the simulated inventory has a database; the real one keeps the stock in its memory";

/// The whole list.
pub const EXPECTED: &[Expected] = &[
    simulated(ALL, "tomcat_threads_*", MBEANS),
    simulated(ALL, "tomcat_connections_*", MBEANS),
    simulated(ALL, "tomcat_global_*", MBEANS),
    simulated(
        &["gateway", "orders", "payments"],
        "tasks_scheduled_*",
        TICKS,
    ),
    real(
        &["inventory"],
        "tasks_scheduled_execution_active_seconds_*",
        "a simulated task is over at once, so none is under way when a scrape comes by",
    ),
    simulated(
        &["payments"],
        "http_client_requests_*",
        "the simulated shop has two more services; payments calls one of them, ledger",
    ),
    simulated(&["inventory"], "hikaricp_*", STOCK),
    simulated(&["inventory"], "jdbc_*", STOCK),
    real(ALL, "http_server_requests_active_seconds_bucket", UNDER_WAY),
    real(
        &["gateway", "orders"],
        "http_client_requests_active_seconds_bucket",
        UNDER_WAY,
    ),
];

/// Where the two differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub service: String,
    /// Of samples: `_bucket`, `_count` and `_sum` are names of their own.
    pub name: String,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Only(Side),
    Type {
        real: String,
        simulated: String,
    },
    /// Sets of names of labels that only one of them has.
    Labels {
        real: Vec<Vec<String>>,
        simulated: Vec<Vec<String>>,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.service, self.name)?;
        match &self.what {
            What::Only(Side::Real) => f.write_str(" is only in the real page"),
            What::Only(Side::Simulated) => f.write_str(" is only in the simulated page"),
            What::Type { real, simulated } => {
                write!(f, " is a {real}, and a {simulated} in the simulated page")
            }
            What::Labels { real, simulated } => write!(
                f,
                " has labels {real:?} only in the real page, {simulated:?} only in the simulated one"
            ),
        }
    }
}

/// Everything that is wrong, in sentences: differences that aren't on the list, and entries of the list for these
/// services that aren't differences. `real` holds name and page of services that the simulated shop has, too; each must
/// have been under load long enough to have seen some requests of every kind.
///
/// ```
/// let page = "# TYPE up_since_seconds gauge\nup_since_seconds{service=\"payments\"} 12.0\n";
/// let wrong = simulator::alike::wrong(&[("payments", page)]);
/// assert!(wrong.contains(&"payments: up_since_seconds is only in the real page".to_owned()));
/// assert!(wrong.contains(&"payments: process_cpu_usage is only in the simulated page".to_owned()));
/// ```
pub fn wrong(real: &[(&str, &str)]) -> Vec<String> {
    let fleet = simulated_shop();
    let mut differences = Vec::new();
    let mut wrong = Vec::new();
    for (service, page) in real {
        let Some(simulated) = fleet.expose(service, 1, fleet.now_ms()) else {
            wrong.push(format!("{service}: the simulated shop has no such service"));
            continue;
        };
        let pages = Names::read(page).and_then(|real| Ok((real, Names::read(&simulated)?)));
        match pages {
            Ok((real, simulated)) => differences.extend(compare(service, &real, &simulated)),
            Err(problem) => wrong.push(format!("{service}: {problem}")),
        }
    }
    let unexpected = differences
        .iter()
        .filter(|difference| !EXPECTED.iter().any(|expected| expected.covers(difference)));
    wrong.extend(unexpected.map(Difference::to_string));
    for (service, _) in real {
        let here = EXPECTED.iter().filter(|one| one.services.contains(service));
        let over = here.filter(|expected| {
            let mut of_service = differences.iter().filter(|one| one.service == *service);
            !of_service.any(|one| expected.covers(one))
        });
        wrong.extend(over.map(|expected| {
            format!(
                "{service}: {} is no difference any more; take it off the list",
                expected.names
            )
        }));
    }
    wrong
}

/// After an hour in which some of everything happened.
fn simulated_shop() -> Fleet {
    const EPOCH_MS: i64 = 1_795_348_800_000;
    let mut fleet =
        Fleet::new(Topology::shop(), Vec::new(), 7, EPOCH_MS).expect("no faults fit any topology");
    fleet.advance(EPOCH_MS + 3_600_000);
    fleet
}

fn compare(service: &str, real: &Names, simulated: &Names) -> Vec<Difference> {
    let names: BTreeSet<&String> = real.of.keys().chain(simulated.of.keys()).collect();
    let differences = names.into_iter().flat_map(|name| {
        let found = match (real.of.get(name), simulated.of.get(name)) {
            (Some(_), None) => vec![What::Only(Side::Real)],
            (None, Some(_)) => vec![What::Only(Side::Simulated)],
            (Some(real), Some(simulated)) => real.unlike(simulated),
            (None, None) => vec![],
        };
        found.into_iter().map(|what| Difference {
            service: service.to_owned(),
            name: name.clone(),
            what,
        })
    });
    differences.collect()
}

/// What a page holds, without its values.
struct Names {
    of: BTreeMap<String, Form>,
}

#[derive(Default)]
struct Form {
    kind: String,
    label_names: BTreeSet<Vec<String>>,
}

impl Form {
    fn unlike(&self, simulated: &Form) -> Vec<What> {
        let mut unlike = Vec::new();
        if self.kind != simulated.kind {
            unlike.push(What::Type {
                real: self.kind.clone(),
                simulated: simulated.kind.clone(),
            });
        }
        let only = |of: &Form, other: &Form| -> Vec<Vec<String>> {
            of.label_names
                .difference(&other.label_names)
                .cloned()
                .collect()
        };
        if self.label_names != simulated.label_names {
            unlike.push(What::Labels {
                real: only(self, simulated),
                simulated: only(simulated, self),
            });
        }
        unlike
    }
}

impl Names {
    fn read(page: &str) -> Result<Names, String> {
        let mut of: BTreeMap<String, Form> = BTreeMap::new();
        let mut family = ("", "");
        for (index, line) in page.lines().enumerate() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                family = rest.split_once(' ').unwrap_or((rest, ""));
            } else if !line.starts_with('#') && !line.is_empty() {
                let (name, labels) = read_sample(line)
                    .map_err(|problem| format!("line {}: {problem}", index + 1))?;
                let form = of.entry(name.to_owned()).or_default();
                form.kind = kind(name, family).to_owned();
                form.label_names.insert(labels);
            }
        }
        Ok(Names { of })
    }
}

/// The type of the family that was announced last, if the sample is of it.
fn kind<'a>(name: &str, (family, kind): (&str, &'a str)) -> &'a str {
    let of_family = name
        .strip_prefix(family)
        .is_some_and(|rest| ["", "_bucket", "_count", "_sum"].contains(&rest));
    if of_family { kind } else { "untyped" }
}

fn read_sample(line: &str) -> Result<(&str, Vec<String>), String> {
    let end = line
        .find(['{', ' '])
        .ok_or_else(|| format!("{:?} is no sample", excerpt(line)))?;
    let (name, rest) = line.split_at(end);
    let labels = match rest.strip_prefix('{') {
        Some(rest) => parse_labels(rest)?.0,
        None => Vec::new(),
    };
    Ok((name, labels.into_iter().map(|(name, _)| name).collect()))
}
