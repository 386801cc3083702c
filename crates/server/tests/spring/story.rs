//! One fault on real services, from its beginning to its end, and whether the incidents are right.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{MetricSpec, Severity, Timestamp};
use serde_json::Value;
use simulator::{FaultKind, system_clock};

use crate::node::Node;

/// Until every affected service has its incident; the rolling mean of CPU takes minutes to rise.
const OPENS_WITHIN: Duration = Duration::from_secs(420);
/// What an incident gathers is complete a minute after it opened; and what else would open has.
const SETTLES: Duration = Duration::from_secs(100);
/// From the crossing to the incident.
const DELAY_MAX: f64 = 60.0;

/// What stands in the catalogue of stories.
pub struct Story {
    pub kind: FaultKind,
    pub service: &'static str,
    /// All services that feel it, and no other.
    pub affected: &'static [Affected],
}

pub struct Affected {
    pub service: &'static str,
    /// Words of the pattern of log lines by which a person would know the fault there.
    pub words: &'static str,
}

const fn on(service: &'static str, words: &'static str) -> Affected {
    Affected { service, words }
}

/// In the order in which they are told: those that stay on their own service come between those
/// whose callers suffer too.
pub const STORIES: [Story; 8] = [
    Story {
        kind: FaultKind::SlowDependency,
        service: "payments",
        affected: &[
            on("payments", "card provider answered"),
            on("orders", "waited"),
            on("gateway", "waited"),
        ],
    },
    Story {
        kind: FaultKind::CpuBurn,
        service: "inventory",
        affected: &[on("inventory", "price rules recomputed")],
    },
    Story {
        kind: FaultKind::ErrorBurst,
        service: "payments",
        affected: &[
            on("payments", "failed"),
            on("orders", "callee failed"),
            on("gateway", "callee failed"),
        ],
    },
    Story {
        kind: FaultKind::HeapLeak,
        service: "inventory",
        affected: &[on("inventory", "basket cache holds")],
    },
    Story {
        kind: FaultKind::BadRelease,
        service: "inventory",
        affected: &[
            on("inventory", "discount engine of release"),
            on("orders", "waited"),
            on("gateway", "waited"),
        ],
    },
    Story {
        kind: FaultKind::PoolExhausted,
        service: "orders",
        affected: &[
            on("orders", "connections open, waiting for the ledger"),
            on("gateway", "callee failed"),
        ],
    },
    Story {
        kind: FaultKind::Deadlock,
        service: "payments",
        affected: &[
            on("payments", "deadlock: thread"),
            on("orders", "callee"),
            on("gateway", "callee"),
        ],
    },
    Story {
        kind: FaultKind::Stopped,
        service: "inventory",
        affected: &[
            on("inventory", "graceful shutdown"),
            on("orders", "callee doesn't answer"),
            on("gateway", "callee"),
        ],
    },
];

/// What came of it on one service.
#[derive(Clone, Debug)]
pub struct Row {
    pub service: String,
    /// From the beginning of the fault to the first value past a threshold, seconds.
    pub crossing: f64,
    /// From there to the incident, seconds.
    pub delay: f64,
    pub severity: String,
    pub summary: String,
    /// The first pattern of the logs.
    pub pattern: String,
}

#[derive(Clone, Debug)]
pub struct Outcome {
    pub kind: FaultKind,
    pub on: &'static str,
    pub rows: Vec<Row>,
    pub wrong: Vec<String>,
}

impl Story {
    /// Switches the fault on, waits for what must come and for what must not, judges, heals.
    pub async fn tell(&self, node: &Node) -> Outcome {
        let before = node.bellwether.incidents().await;
        let newest = before.iter().filter_map(|i| i["id"].as_u64()).max();
        let newest = newest.unwrap_or_default();
        let began = now();
        node.fault(self.kind, self.service);
        self.wait_for_all(node, newest).await;
        tokio::time::sleep(SETTLES).await;
        let outcome = self.judge(node, newest, began).await;
        node.heal(self.kind, self.service);
        println!("{outcome:#?}");
        outcome
    }

    async fn wait_for_all(&self, node: &Node, newest: u64) {
        let began = std::time::Instant::now();
        while began.elapsed() < OPENS_WITHIN {
            let opened = since(node, newest).await;
            let has = |of: &Affected| opened.iter().any(|i| i["service"] == of.service);
            if self.affected.iter().all(has) {
                return;
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }

    async fn judge(&self, node: &Node, newest: u64, began: Timestamp) -> Outcome {
        let mut by_service: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for incident in since(node, newest).await {
            let of = incident["service"].as_str().unwrap().to_owned();
            by_service.entry(of).or_default().push(incident);
        }
        let (mut rows, mut wrong) = (Vec::new(), Vec::new());
        for affected in self.affected {
            match by_service.remove(affected.service).as_deref() {
                None => wrong.push(format!("no incident on {}", affected.service)),
                Some([one]) => {
                    let path = format!("/api/v1/incidents/{}", one["id"]);
                    let (_, whole) = node.bellwether.get(&path).await;
                    rows.push(row(&whole, began));
                    wrong.extend(self.faults_of(node, affected, &whole).await);
                }
                Some(several) => wrong.push(format!(
                    "{} incidents on {}",
                    several.len(),
                    affected.service
                )),
            }
        }
        for (service, incidents) in by_service {
            let summary = &incidents[0]["summary"];
            wrong.push(format!(
                "an incident on {service}, which is well: {summary}"
            ));
        }
        let wrong = wrong
            .into_iter()
            .map(|what| format!("{} on {}: {what}", self.kind, self.service))
            .collect();
        Outcome {
            kind: self.kind,
            on: self.service,
            rows,
            wrong,
        }
    }

    /// What isn't as it should be in the one incident of an affected service.
    async fn faults_of(&self, node: &Node, affected: &Affected, incident: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        let of = affected.service;
        if incident["status"] != "OPEN" {
            wrong.push(format!("the incident on {of} is {}", incident["status"]));
        }
        let delay = seconds(&incident["opened_ts"]) - seconds(&incident["first_crossing_ts"]);
        if delay > DELAY_MAX {
            wrong.push(format!("delay of {delay} s on {of}"));
        }
        let lines = incident["logs"]["items"].as_array().map_or(0, Vec::len);
        if lines == 0 {
            wrong.push(format!("no log line with the incident on {of}"));
        }
        if !patterns(incident)
            .iter()
            .any(|pattern| pattern.contains(affected.words))
        {
            wrong.push(format!(
                "no log pattern with \"{}\" on {of}: {:?}",
                affected.words,
                patterns(incident)
            ));
        }
        wrong.extend(severity_is_right(node, incident).await);
        if self.kind == FaultKind::BadRelease && of == self.service {
            wrong.extend(release_is_named(incident));
        }
        wrong
    }
}

/// The worst severity by what Prometheus has, from the crossing to when the incident was last
/// seen, is that of the incident.
async fn severity_is_right(node: &Node, incident: &Value) -> Option<String> {
    let service = incident["service"].as_str().unwrap();
    let stretch = (
        at(&incident["first_crossing_ts"]),
        at(&incident["last_seen_ts"]),
    );
    let members = incident["members"].as_array().unwrap();
    let mut worst = Severity::Normal;
    let mut why = Vec::new();
    for spec in Node::catalogue() {
        if !members.iter().any(|m| m["metric"] == spec.id.as_str()) {
            continue;
        }
        let values = node.values(&spec, service, stretch).await;
        let reached = reached(&spec, values);
        why.push(format!("{} {reached:?}", spec.id));
        worst = worst.max(reached);
    }
    if incident["kind"] == "availability" {
        worst = Severity::Critical;
    }
    let said = incident["worst_severity"].as_str().unwrap();
    (said != format!("{worst:?}"))
        .then(|| format!("{service} is {said}, by Prometheus {worst:?} ({why:?})"))
}

fn reached(spec: &MetricSpec, values: Vec<f64>) -> Severity {
    values
        .into_iter()
        .map(|value| spec.thresholds.severity(value, spec.direction))
        .max()
        .unwrap_or(Severity::Normal)
}

fn release_is_named(incident: &Value) -> Option<String> {
    let changes = incident["explanation"]["what_changed"]["items"]
        .as_array()
        .unwrap();
    let named = changes
        .iter()
        .any(|change| change["kind"] == "version" && change.to_string().contains("1.0.0 to 1.1.0"));
    (!named).then(|| format!("the release isn't named as a change: {changes:?}"))
}

fn row(incident: &Value, began: Timestamp) -> Row {
    let crossing = seconds(&incident["first_crossing_ts"]);
    Row {
        service: incident["service"].as_str().unwrap().to_owned(),
        crossing: crossing - began.as_seconds(),
        delay: seconds(&incident["opened_ts"]) - crossing,
        severity: incident["worst_severity"].as_str().unwrap().to_owned(),
        summary: incident["summary"].as_str().unwrap().to_owned(),
        pattern: patterns(incident).into_iter().next().unwrap_or_default(),
    }
}

fn patterns(incident: &Value) -> Vec<String> {
    let items = incident["explanation"]["logs"]["items"].as_array();
    items
        .into_iter()
        .flatten()
        .filter_map(|item| Some(item["template"].as_str()?.to_owned()))
        .collect()
}

/// Incidents with a number greater than `newest`.
async fn since(node: &Node, newest: u64) -> Vec<Value> {
    let incidents = node.bellwether.incidents().await;
    incidents
        .into_iter()
        .filter(|i| i["id"].as_u64() > Some(newest))
        .collect()
}

fn now() -> Timestamp {
    Timestamp::from_millis(system_clock()())
}

fn at(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn seconds(value: &Value) -> f64 {
    at(value).as_seconds()
}
