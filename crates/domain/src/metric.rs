//! What is measured: metrics as data, and the catalogue of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{MetricId, NameError, ServiceId, Severity};

/// In which direction a value is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Up,
    Down,
    Both,
}

/// How the instances of a service become one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Combine {
    /// The worst (largest) instance carries the value.
    Max,
    Sum,
    Avg,
}

/// The severity thresholds of one series, in the metric's unit; a value at or past one crosses it
/// ("past" is above for `up` and `both`, below for `down`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    pub high: Option<f64>,
    pub critical: Option<f64>,
}

impl Thresholds {
    pub fn severity(&self, value: f64, direction: Direction) -> Severity {
        let past = |threshold: Option<f64>| {
            threshold.is_some_and(|threshold| match direction {
                Direction::Up | Direction::Both => value >= threshold,
                Direction::Down => value <= threshold,
            })
        };
        if past(self.critical) {
            Severity::Critical
        } else if past(self.high) {
            Severity::High
        } else {
            Severity::Normal
        }
    }
}

/// One signal: how it is asked for, what it means, when it is bad. All of it is data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricSpec {
    pub id: MetricId,
    pub title: String,
    pub unit: String,
    /// PromQL with `$identity` where the labels stand that say which service a series belongs to,
    /// `$range` where the averaging range stands, and `$seconds` where its length stands as a number.
    pub query: String,
    /// Asked only for services that `query` leaves without a value.
    pub fallback: Option<String>,
    pub direction: Direction,
    pub thresholds: Thresholds,
    /// The least distance from expected, in `unit`, that can be an anomaly.
    pub minimum_deviation: f64,
    /// Values outside are measuring errors and become gaps.
    pub valid: (f64, f64),
    pub combine: Combine,
    /// A value at or past this is a lower bound ("≥"), as a quantile in the last bucket is.
    pub at_least_from: Option<f64>,
    /// Thresholds of single services that differ.
    pub of_service: BTreeMap<ServiceId, Thresholds>,
}

impl MetricSpec {
    pub fn thresholds_for(&self, service: &ServiceId) -> Thresholds {
        self.of_service
            .get(service)
            .copied()
            .unwrap_or(self.thresholds)
    }
}

/// Why a set of metrics is not a catalogue.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CatalogueError {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(
        "metric {metric}: the query has no $identity, so its series can't be told apart by service; write e.g. 'sum by ($identity, instance) (…)'"
    )]
    NoIdentity { metric: MetricId },
    #[error("metric {metric}: {field} is {value}; it must be {must}")]
    Value {
        metric: MetricId,
        field: &'static str,
        value: f64,
        must: &'static str,
    },
}

/// The metrics by id, checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalogue(BTreeMap<MetricId, MetricSpec>);

impl Catalogue {
    /// # Errors
    /// A query without `$identity`; a threshold, minimum deviation or valid range that is not
    /// finite or contradicts the direction.
    pub fn new(specs: impl IntoIterator<Item = MetricSpec>) -> Result<Catalogue, CatalogueError> {
        let mut metrics = BTreeMap::new();
        for spec in specs {
            check(&spec)?;
            metrics.insert(spec.id.clone(), spec);
        }
        Ok(Catalogue(metrics))
    }

    pub fn get(&self, id: &MetricId) -> Option<&MetricSpec> {
        self.0.get(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &MetricSpec> {
        self.0.values()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The three of the mission: `cpu`, `mem`, `lat`, by Micrometer's names or OpenTelemetry's.
    pub fn default_three() -> Catalogue {
        Catalogue::new([cpu(), mem(), lat()]).expect("the default catalogue is valid")
    }
}

fn check(spec: &MetricSpec) -> Result<(), CatalogueError> {
    if !spec.query.contains("$identity") {
        return Err(CatalogueError::NoIdentity {
            metric: spec.id.clone(),
        });
    }
    if let Some(fallback) = &spec.fallback
        && !fallback.contains("$identity")
    {
        return Err(CatalogueError::NoIdentity {
            metric: spec.id.clone(),
        });
    }
    let refuse = |field, value, must| {
        Err(CatalogueError::Value {
            metric: spec.id.clone(),
            field,
            value,
            must,
        })
    };
    for thresholds in std::iter::once(&spec.thresholds).chain(spec.of_service.values()) {
        for (field, value) in [("high", thresholds.high), ("critical", thresholds.critical)] {
            if let Some(value) = value
                && !value.is_finite()
            {
                return refuse(field, value, "finite");
            }
        }
        if let (Some(high), Some(critical)) = (thresholds.high, thresholds.critical) {
            match spec.direction {
                Direction::Down if critical > high => {
                    return refuse("critical", critical, "at or below high");
                }
                Direction::Up | Direction::Both if critical < high => {
                    return refuse("critical", critical, "at or above high");
                }
                _ => {}
            }
        }
    }
    if !spec.minimum_deviation.is_finite() || spec.minimum_deviation < 0.0 {
        return refuse(
            "minimum_deviation",
            spec.minimum_deviation,
            "finite and not negative",
        );
    }
    if spec.valid.0.is_nan() || spec.valid.1.is_nan() || spec.valid.0 >= spec.valid.1 {
        return refuse("valid", spec.valid.0, "below its upper end");
    }
    Ok(())
}

pub(crate) fn id(text: &str) -> MetricId {
    MetricId::new(text).expect("a built-in metric id is valid")
}

fn cpu() -> MetricSpec {
    MetricSpec {
        id: id("cpu"),
        title: "CPU".into(),
        unit: "%".into(),
        query: "100 * (max by ($identity, instance) (avg_over_time(process_cpu_usage[$range])) \
                or max by ($identity, instance) \
                (avg_over_time(jvm_cpu_recent_utilization_ratio[$range])))"
            .into(),
        fallback: None,
        direction: Direction::Up,
        thresholds: Thresholds {
            high: Some(85.0),
            critical: Some(95.0),
        },
        minimum_deviation: 10.0,
        valid: (0.0, 6_400.0),
        combine: Combine::Max,
        at_least_from: None,
        of_service: BTreeMap::new(),
    }
}

fn mem() -> MetricSpec {
    MetricSpec {
        id: id("mem"),
        title: "Heap".into(),
        unit: "%".into(),
        query: "100 * (sum by ($identity, instance) (jvm_memory_used_bytes{area=\"heap\"}) \
                / sum by ($identity, instance) (jvm_memory_max_bytes{area=\"heap\"} > 0) \
                or sum by ($identity, instance) (jvm_memory_used_bytes{jvm_memory_type=\"heap\"}) \
                / sum by ($identity, instance) (jvm_memory_limit_bytes{jvm_memory_type=\"heap\"} > 0))"
            .into(),
        fallback: None,
        direction: Direction::Up,
        thresholds: Thresholds {
            high: Some(85.0),
            critical: Some(95.0),
        },
        minimum_deviation: 10.0,
        valid: (0.0, 200.0),
        combine: Combine::Max,
        at_least_from: None,
        of_service: BTreeMap::new(),
    }
}

fn lat() -> MetricSpec {
    MetricSpec {
        id: id("lat"),
        title: "Latency p99".into(),
        unit: "ms".into(),
        query: "1000 * (histogram_quantile(0.99, sum by ($identity, le) \
                (rate(http_server_requests_seconds_bucket{uri!~\"/actuator.*\"}[$range]))) \
                or histogram_quantile(0.99, sum by ($identity, le) \
                (rate(http_server_request_duration_seconds_bucket{http_route!~\"/actuator.*\"}[$range]))))"
            .into(),
        fallback: Some(
            "1000 * max by ($identity, instance) \
             (http_server_requests_seconds_max{uri!~\"/actuator.*\"})"
                .into(),
        ),
        direction: Direction::Up,
        thresholds: Thresholds {
            high: Some(1000.0),
            critical: Some(3000.0),
        },
        minimum_deviation: 100.0,
        valid: (0.0, 86_400_000.0),
        combine: Combine::Max,
        at_least_from: Some(10_000.0),
        of_service: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_at_a_threshold_crosses_it() {
        let thresholds = Thresholds {
            high: Some(85.0),
            critical: Some(95.0),
        };
        let up = |value| thresholds.severity(value, Direction::Up);
        assert_eq!(up(84.999), Severity::Normal);
        assert_eq!(up(85.0), Severity::High);
        assert_eq!(up(95.0), Severity::Critical);
        let low = Thresholds {
            high: Some(10.0),
            critical: Some(5.0),
        };
        assert_eq!(low.severity(10.0, Direction::Down), Severity::High);
        assert_eq!(low.severity(11.0, Direction::Down), Severity::Normal);
        assert_eq!(
            Thresholds::default().severity(1e9, Direction::Up),
            Severity::Normal
        );
    }

    #[test]
    fn a_query_must_say_which_service() {
        let mut spec = cpu();
        spec.query = "max(process_cpu_usage)".into();
        let error = Catalogue::new([spec]).unwrap_err();
        assert!(error.to_string().contains("$identity"), "{error}");
    }

    #[test]
    fn impossible_values_are_refused_by_name() {
        let with = |change: fn(&mut MetricSpec)| {
            let mut spec = cpu();
            change(&mut spec);
            Catalogue::new([spec]).unwrap_err().to_string()
        };
        assert!(with(|s| s.thresholds.critical = Some(10.0)).contains("critical is 10"));
        assert!(with(|s| s.thresholds.high = Some(f64::NAN)).contains("high is NaN"));
        assert!(with(|s| s.minimum_deviation = -1.0).contains("minimum_deviation"));
        assert!(with(|s| s.valid = (5.0, 5.0)).contains("valid"));
    }
}
