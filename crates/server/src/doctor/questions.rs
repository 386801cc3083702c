//! The questions about the fleet, in PromQL, and what their answers say. A Prometheus and pages that
//! we scraped ourselves are asked the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{Combine, MetricSpec, Sample, ServiceId, Timestamp};
use sources::prometheus::{Labels, RangeSeries, VectorSample};
use sources::{Identity, Named};

use super::findings::labels::{RENAMED, SEPARATING};
use super::observed::{Bound, Reading, ServiceSeen};
use super::reads;
use crate::config::Config;

/// Whoever has one of these is a service, by Micrometer's and OpenTelemetry's names. Those that any
/// exporter has, such as `process_start_time_seconds`, are not among them.
const MARKS: [&str; 7] = [
    "process_uptime_seconds",
    "http_server_requests_seconds_count",
    "http_server_request_duration_seconds_count",
    "jvm_memory_used_bytes",
    "jvm_threads_live_threads",
    "jvm_thread_count",
    "jvm_cpu_recent_utilization_ratio",
];

/// What else the findings want to know of, beside what the catalogue reads.
const OF_INTEREST: [&str; 6] = [
    "http_server_requests_seconds_bucket",
    "http_server_request_duration_seconds_bucket",
    "jvm_memory_max_bytes",
    "process_start_time_seconds",
    "hikaricp_connections",
    "logback_events_total",
];

/// The range in which scrape times are looked for.
pub(super) const SPACING_RANGE: Duration = Duration::from_secs(1_800);
/// The distance at which they are; closer scrapes are seen as so far apart.
pub(super) const SPACING_STEP: Duration = Duration::from_secs(5);

/// The services as they become known, answer by answer.
pub(super) struct Survey<'a> {
    identity: Identity,
    config: &'a Config,
    pub services: BTreeMap<ServiceId, ServiceSeen>,
    pub unnamed: usize,
}

impl<'a> Survey<'a> {
    /// # Errors
    /// Labels in `identity` or `scope` that are none.
    pub(super) fn new(config: &'a Config) -> Result<Survey<'a>, sources::SettingsError> {
        Ok(Survey {
            identity: Identity::new(config.identity.clone(), config.scope.clone())?,
            config,
            services: BTreeMap::new(),
            unnamed: 0,
        })
    }

    /// The service that labels name, and by which of them.
    pub(super) fn named(&self, labels: &Labels) -> Option<Named> {
        self.identity.named(labels)
    }

    fn by(&self, more: &[&str]) -> String {
        self.identity.labels_with(more)
    }

    pub(super) fn places_question(&self) -> String {
        let renamed: Vec<String> = self
            .config
            .identity
            .iter()
            .map(|label| format!("{RENAMED}{label}"))
            .collect();
        let mut more = vec!["job", "instance"];
        more.extend(SEPARATING.iter().map(|(label, _)| *label));
        more.extend(renamed.iter().map(String::as_str));
        format!(
            "count by ({}) ({{__name__=~\"{}\"}})",
            self.by(&more),
            MARKS.join("|")
        )
    }

    pub(super) fn take_places(&mut self, answer: Vec<VectorSample>) {
        for sample in answer {
            match self.identity.named(&sample.labels) {
                Some(Named { service, label }) => {
                    let seen = self.services.entry(service).or_default();
                    seen.named_by.insert(label);
                    seen.places.push(sample.labels);
                }
                None => self.unnamed += 1,
            }
        }
    }

    /// The metric names that are counted.
    pub(super) fn names_question(&self) -> String {
        let mut names: BTreeSet<String> = MARKS
            .iter()
            .chain(&OF_INTEREST)
            .map(|n| n.to_string())
            .collect();
        names.extend(self.config.metrics.iter().flat_map(reads::names));
        // Names come from the configuration; what isn't one can't be in a regular expression.
        let plain = |name: &String| {
            name.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':'))
        };
        let names: Vec<String> = names.into_iter().filter(plain).collect();
        format!(
            "count by ({}) ({{__name__=~\"{}\"}})",
            self.by(&["__name__"]),
            names.join("|")
        )
    }

    pub(super) fn take_names(&mut self, answer: Vec<VectorSample>) {
        self.of_services(answer, |seen, labels, count| {
            if let Some(name) = labels.get("__name__") {
                *seen.series.entry(name.clone()).or_default() += whole(count);
            }
        });
    }

    pub(super) fn bounds_question(&self) -> String {
        format!(
            "count by ({}) ({{__name__=~\"{}\",uri!~\"/actuator.*\"}})",
            self.by(&["le"]),
            reads::REQUEST_BUCKETS.join("|")
        )
    }

    pub(super) fn take_bounds(&mut self, answer: Vec<VectorSample>) {
        self.of_services(answer, |seen, labels, count| {
            let bound = labels.get("le").and_then(|le| le.parse::<f64>().ok());
            if let Some(seconds) = bound.filter(|bound| bound.is_finite()) {
                let series = whole(count);
                seen.bounds.push(Bound { seconds, series });
            }
        });
        for seen in self.services.values_mut() {
            seen.bounds.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
            // "1" and "1.0" are one bound.
            seen.bounds.dedup_by(|later, kept| {
                let same = later.seconds == kept.seconds;
                kept.series += if same { later.series } else { 0 };
                same
            });
        }
    }

    pub(super) fn uris_question(&self) -> String {
        format!(
            "count by ({}) (count by ({}) (http_server_requests_seconds_count))",
            self.by(&[]),
            self.by(&["uri"])
        )
    }

    pub(super) fn take_uris(&mut self, answer: Vec<VectorSample>) {
        self.of_services(answer, |seen, _, count| {
            seen.uris = seen.uris.max(whole(count))
        });
    }

    pub(super) fn heap_question(&self) -> String {
        format!(
            "count by ({}) (jvm_memory_max_bytes{{area=\"heap\"}} > 0)",
            self.by(&[])
        )
    }

    pub(super) fn take_heap(&mut self, answer: Vec<VectorSample>) {
        self.of_services(answer, |seen, _, _| seen.heap_has_maximum = true);
    }

    /// How often the uptime changed, as a share of its samples; nothing below two of them.
    pub(super) fn frozen_question(&self, range: Duration) -> String {
        let by = self.by(&["job", "instance"]);
        let question = format!(
            "max by ({by}) (changes(process_uptime_seconds[$range]) \
             / (count_over_time(process_uptime_seconds[$range]) > 1))"
        );
        sources::filled(&question, "", range)
    }

    pub(super) fn take_frozen(&mut self, answer: Vec<VectorSample>) {
        self.of_services(answer, |seen, labels, share| {
            if share == 0.0 {
                seen.frozen.insert(instance(labels));
            }
        });
    }

    /// When each instance was scraped.
    pub(super) fn scraped_question(&self) -> String {
        let by = self.by(&["job", "instance"]);
        format!("max by ({by}) (timestamp(process_uptime_seconds))")
    }

    /// From the scrape times at each instant of a range that ends at `at`.
    pub(super) fn take_scraped(&mut self, answer: Vec<RangeSeries>, at: Timestamp) {
        for series in answer {
            let Some(Named { service, .. }) = self.identity.named(&series.labels) else {
                continue;
            };
            let Some(seen) = self.services.get_mut(&service) else {
                continue;
            };
            let times: Vec<f64> = series.points.iter().map(|(_, time)| *time).collect();
            let newest = times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if let Some(newest) = Timestamp::from_seconds(newest) {
                // The instant itself is rounded; one second is nothing.
                let ahead = newest.since(at);
                if ahead > Duration::from_secs(1) {
                    seen.ahead = seen.ahead.max(ahead);
                }
            }
            if let Some(interval) = spacing(times) {
                seen.intervals.insert(instance(&series.labels), interval);
            }
        }
    }

    /// Where nothing was measured, what the scrape configuration says counts.
    pub(super) fn take_configured(&mut self, targets: &[sources::prometheus::Target]) {
        let of_place: BTreeMap<(&str, &str), Duration> = targets
            .iter()
            .filter_map(|target| Some((place(&target.labels), target.interval?)))
            .collect();
        for seen in self
            .services
            .values_mut()
            .filter(|seen| seen.intervals.is_empty())
        {
            for labels in &seen.places {
                if let Some(interval) = of_place.get(&place(labels)) {
                    seen.intervals.insert(instance(labels), *interval);
                }
            }
        }
    }

    /// As the collector asks a metric.
    pub(super) fn metric_question(&self, query: &str, range: Duration) -> String {
        sources::filled(query, &self.by(&[]), range)
    }

    /// The readings of a metric for all services. `fallback` is asked where `query` has none.
    pub(super) fn take_metric(
        &mut self,
        spec: &MetricSpec,
        query: Result<Vec<VectorSample>, String>,
        fallback: Result<Vec<VectorSample>, String>,
    ) {
        let query = query.map(|answer| self.values(answer));
        let fallback = fallback
            .map(|answer| self.values(answer))
            .unwrap_or_default();
        if let Ok(values) = &query {
            for id in values.keys() {
                self.services.entry(id.clone()).or_default();
            }
        }
        for (id, seen) in &mut self.services {
            let reading = match &query {
                Err(why) => Reading::NotAsked(why.clone()),
                Ok(values) => match (values.get(id), fallback.get(id)) {
                    (Some(values), _) => read(spec, values),
                    (None, Some(values)) => match read(spec, values) {
                        Reading::Value(value) => Reading::Proxy(value),
                        other => other,
                    },
                    (None, None) => Reading::Missing,
                },
            };
            seen.readings.insert(spec.id.clone(), reading);
        }
    }

    fn values(&mut self, answer: Vec<VectorSample>) -> BTreeMap<ServiceId, Vec<f64>> {
        let mut values: BTreeMap<ServiceId, Vec<f64>> = BTreeMap::new();
        for sample in answer {
            if let Some(Named { service, .. }) = self.identity.named(&sample.labels) {
                values.entry(service).or_default().push(sample.value);
            }
        }
        values
    }

    /// Only what belongs to services that are known: an answer doesn't make one.
    fn of_services(
        &mut self,
        answer: Vec<VectorSample>,
        mut take: impl FnMut(&mut ServiceSeen, &Labels, f64),
    ) {
        for sample in answer {
            if let Some(Named { service, .. }) = self.identity.named(&sample.labels)
                && let Some(seen) = self.services.get_mut(&service)
            {
                take(seen, &sample.labels, sample.value);
            }
        }
    }
}

/// The instances' values as one, as the metric combines them.
fn read(spec: &MetricSpec, values: &[f64]) -> Reading {
    let numbers: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    let combined = match spec.combine {
        Combine::Max => numbers.iter().copied().reduce(f64::max),
        Combine::Sum => numbers.iter().copied().reduce(|a, b| a + b),
        Combine::Avg => numbers
            .iter()
            .copied()
            .reduce(|a, b| a + b)
            .map(|sum| sum / numbers.len() as f64),
    };
    match combined {
        None => Reading::Idle,
        Some(value) => match Sample::admit(Timestamp::EPOCH, value, spec.valid) {
            Ok(sample) => Reading::Value(sample.value),
            Err(_) => Reading::Odd(value),
        },
    }
}

/// The lower median of the distances between distinct times in epoch seconds, in whole seconds
/// above one; none below five distances.
fn spacing(mut times: Vec<f64>) -> Option<Duration> {
    const DISTANCES_MIN: usize = 5;
    times.retain(|time| time.is_finite());
    times.sort_by(f64::total_cmp);
    times.dedup();
    let mut distances: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    distances.sort_by(f64::total_cmp);
    if distances.len() < DISTANCES_MIN {
        return None;
    }
    let median = distances[(distances.len() - 1) / 2];
    let seconds = if median >= 1.0 {
        median.round()
    } else {
        median
    };
    Duration::try_from_secs_f64(seconds).ok()
}

fn whole(count: f64) -> u64 {
    if count.is_finite() {
        count.max(0.0) as u64
    } else {
        0
    }
}

/// Job and instance.
pub(super) fn place(labels: &Labels) -> (&str, &str) {
    let value = |label: &str| labels.get(label).map_or("", String::as_str);
    (value("job"), value("instance"))
}

fn instance(labels: &Labels) -> String {
    labels.get("instance").cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spacing_needs_five_distances() {
        let times = |count: u32| (0..count).map(|i| f64::from(i) * 15.002).collect();
        assert_eq!(spacing(times(5)), None);
        assert_eq!(spacing(times(6)), Some(Duration::from_secs(15)));
    }

    #[test]
    fn nothing_but_nan_is_idle() {
        let config = Config::default();
        let lat = config
            .metrics
            .iter()
            .find(|spec| spec.id.as_str() == "lat")
            .unwrap();
        assert_eq!(read(lat, &[f64::NAN]), Reading::Idle);
        assert_eq!(read(lat, &[f64::NAN, 20.0, 30.0]), Reading::Value(30.0));
        assert_eq!(read(lat, &[f64::INFINITY]), Reading::Odd(f64::INFINITY));
        assert_eq!(read(lat, &[-1.0]), Reading::Odd(-1.0));
    }
}
