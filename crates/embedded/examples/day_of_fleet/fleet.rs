//! Services whose series are those of real scrapes, and whose values move as theirs do.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result};
use embedded::Labels;
use embedded::store::{Absent, SeriesRef, Store, TargetRef};

/// 2026-11-22T00:00:00Z.
pub const START_MS: i64 = 1_795_305_600_000;

/// What the catalogue and the explanations query, by the beginning of the name.
const KEPT: [&str; 14] = [
    "process_cpu_usage",
    "process_start_time_seconds",
    "process_uptime_seconds",
    "jvm_memory_used_bytes",
    "jvm_memory_max_bytes",
    "jvm_memory_committed_bytes",
    "jvm_memory_usage_after_gc",
    "jvm_gc_overhead",
    "jvm_threads_",
    "http_server_requests_seconds_",
    "http_client_requests_seconds_",
    "hikaricp_connections",
    "executor_",
    "logback_events_total",
];

/// A service, and what the store calls its series.
pub struct Service {
    target: TargetRef,
    /// Within the interval, as a scraper spreads its targets.
    offset_ms: i64,
    values: Vec<(SeriesRef, f64)>,
    timers: Vec<Timer>,
    gauges: Vec<(usize, Gauge)>,
    /// Requests a second, before the time of day.
    rate: f64,
    random: Random,
}

/// Requests of one route, as Micrometer tells them. Places are those in the values.
#[derive(Default)]
struct Timer {
    /// The upper bound of each bucket in seconds, and its place.
    buckets: Vec<(f64, usize)>,
    /// Observations in each bucket alone, and above all of them.
    counts: Vec<u64>,
    count: Option<usize>,
    sum: Option<usize>,
    max: Option<usize>,
    total: u64,
    nanos: u64,
    /// Of the requests that run just now instead of those that ended.
    active: bool,
    /// The share of the service's requests.
    share: f64,
    /// In seconds.
    median: f64,
    max_nanos: u64,
    max_round: i64,
}

/// How a value without a distribution moves.
enum Gauge {
    /// A share with all bits of a division.
    Share,
    /// A small whole number that wanders between 0 and twice its start.
    Few(f64),
    /// Memory that fills at some bytes a scrape and falls when it is full.
    Saw { step: f64, full: f64 },
    /// A counter of so much a scrape, in whole units.
    Total { step: f64, unit: f64 },
    /// A counter that rarely moves.
    Rare(f64),
    /// Seconds since the start.
    Uptime,
}

impl Service {
    pub fn new(number: u32, all: bool, store: &Store) -> Result<Service> {
        let page = if number.is_multiple_of(2) {
            "gateway"
        } else {
            "orders"
        };
        let path = format!(
            "{}/../simulator/tests/fixtures/{page}.g1.prom",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(Path::new(&path)).context(path)?;
        let (name, instance) = (
            format!("service-{number}"),
            format!("10.0.{}.{}:8080", number / 250, number % 250),
        );
        let own = [
            ("job", "fleet"),
            ("instance", instance.as_str()),
            ("service", name.as_str()),
        ];
        let target = store.target(&Labels::new([own[0], own[1]]));
        let mut random = Random(u64::from(number) + 1);
        let mut service = Service {
            target,
            offset_ms: i64::from(number) * 75 % 15_000,
            values: Vec::new(),
            timers: Vec::new(),
            gauges: Vec::new(),
            rate: 0.5 * 100_f64.powf(random.unit()),
            random,
        };
        let mut timers: BTreeMap<String, Timer> = BTreeMap::new();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        for line in lines.chain(["up 1"]) {
            let (series, value) = line.rsplit_once(' ').context("a line without a value")?;
            let mut labels = labels_of(series);
            let metric = labels.get("__name__").cloned().unwrap_or_default();
            if !all && metric != "up" && !KEPT.iter().any(|kept| metric.starts_with(kept)) {
                continue;
            }
            labels.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
            let place = service.values.len();
            let known = Labels::new(
                labels
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str())),
            );
            service
                .values
                .push((store.series(target, &known), value.parse()?));
            service.understand(place, labels, &mut timers);
        }
        service.timers = timers.into_values().collect();
        service.spread();
        Ok(service)
    }

    /// Decides how the value at `place` moves.
    fn understand(
        &mut self,
        place: usize,
        mut labels: HashMap<String, String>,
        timers: &mut BTreeMap<String, Timer>,
    ) {
        let metric = labels.remove("__name__").unwrap_or_default();
        let bound = labels
            .remove("le")
            .and_then(|bound| bound.replace("+Inf", "inf").parse().ok());
        for part in ["_bucket", "_count", "_gcount", "_sum", "_gsum", "_max"] {
            let Some(family) = metric
                .strip_suffix(part)
                .filter(|family| family.contains("seconds"))
            else {
                continue;
            };
            let sorted: BTreeMap<&String, &String> = labels.iter().collect();
            let timer = timers.entry(format!("{family}{sorted:?}")).or_default();
            timer.active = family.contains("_active_");
            match (part, bound) {
                (_, Some(bound)) => timer.buckets.push((bound, place)),
                ("_sum" | "_gsum", _) => timer.sum = Some(place),
                ("_max", _) => timer.max = Some(place),
                _ => timer.count = Some(place),
            }
            return;
        }
        let start = self.values[place].1;
        let gauge = match metric.as_str() {
            "process_cpu_usage"
            | "system_cpu_usage"
            | "jvm_gc_overhead"
            | "system_load_average_1m" => Gauge::Share,
            "process_uptime_seconds" => Gauge::Uptime,
            "process_cpu_time_ns_total" => Gauge::Total {
                step: 40.0,
                unit: 1e7,
            },
            "jvm_memory_used_bytes" if start > 1e7 => Gauge::Saw {
                step: start / 20.0,
                full: start * 8.0,
            },
            "jvm_memory_used_bytes" | "jvm_classes_loaded_classes" => Gauge::Rare(512.0),
            "jvm_gc_memory_allocated_bytes_total" => Gauge::Total {
                step: 30.0,
                unit: 1_048_576.0,
            },
            "jvm_compilation_time_ms_total" => Gauge::Total {
                step: 3.0,
                unit: 1.0,
            },
            "disk_free_bytes" => Gauge::Rare(-4096.0),
            name if name.starts_with("tomcat_global_") && name.ends_with("bytes_total") => {
                Gauge::Total {
                    step: 150_000.0,
                    unit: 1.0,
                }
            }
            name if name.starts_with("executor_completed") => Gauge::Total {
                step: 15.0,
                unit: 1.0,
            },
            name if name.ends_with("_total") => Gauge::Rare(1.0),
            "jvm_threads_live_threads"
            | "jvm_threads_states_threads"
            | "jvm_threads_daemon_threads"
            | "hikaricp_connections_active"
            | "hikaricp_connections_idle"
            | "hikaricp_connections_pending"
            | "tomcat_threads_busy_threads"
            | "tomcat_connections_current_connections"
            | "executor_active_threads"
            | "executor_queued_tasks"
            | "jdbc_connections_active"
            | "process_files_open_files" => Gauge::Few(start),
            // Configuration and what is written once.
            _ => return,
        };
        self.gauges.push((place, gauge));
    }

    /// Shares the requests among the routes: some get many, most get few.
    fn spread(&mut self) {
        let shares: Vec<f64> = self
            .timers
            .iter()
            .map(|_| 1.0 / (0.02 + self.random.unit()))
            .collect();
        let sum: f64 = shares.iter().sum();
        for (timer, share) in self.timers.iter_mut().zip(shares) {
            timer.share = 4.0 * share / sum;
            timer.median = 0.004 * 30_f64.powf(self.random.unit());
            timer.counts = vec![0; timer.buckets.len() + 1];
        }
    }

    /// Moves all values on, and appends them.
    pub fn scrape(&mut self, store: &Store, round: i64, interval_ms: i64) {
        let time_ms =
            START_MS + round * interval_ms + self.offset_ms + (self.random.next() % 4) as i64;
        let day = (time_ms - START_MS) as f64 / 86_400_000.0 * std::f64::consts::TAU;
        let requests = self.rate * interval_ms as f64 / 1000.0 * (1.0 - 0.7 * day.cos());
        for timer in &mut self.timers {
            timer.observe(requests, round, &mut self.random);
            timer.tell(&mut self.values);
        }
        for (place, gauge) in &self.gauges {
            let value = &mut self.values[*place].1;
            *value = gauge.after(*value, interval_ms, &mut self.random);
        }
        let taken = store.append(self.target, time_ms, &self.values, Absent::Stale);
        taken.expect("times grow and series are never missing for long");
    }
}

impl Timer {
    fn observe(&mut self, requests: f64, round: i64, random: &mut Random) {
        // Few requests run just now.
        let mean = if self.active { 0.001 } else { 1.0 } * requests * self.share;
        if self.active {
            (self.total, self.nanos) = (0, 0);
            self.counts.fill(0);
        }
        if round > self.max_round + 8 {
            self.max_nanos = 0;
        }
        for _ in 0..random.poisson(mean) {
            let nanos = (self.median * (random.normal() * 0.8).exp() * 1e9) as u64;
            let seconds = nanos as f64 / 1e9;
            let bucket = self.buckets.partition_point(|(bound, _)| *bound < seconds);
            self.counts[bucket] += 1;
            self.total += 1;
            self.nanos += nanos;
            if nanos > self.max_nanos {
                (self.max_nanos, self.max_round) = (nanos, round);
            }
        }
    }

    fn tell(&self, values: &mut [(SeriesRef, f64)]) {
        let mut sum = 0;
        for ((_, place), count) in self.buckets.iter().zip(&self.counts) {
            sum += count;
            values[*place].1 = sum as f64;
        }
        let rest = [
            (self.count, self.total as f64),
            (self.sum, self.nanos as f64 / 1e9),
            (self.max, self.max_nanos as f64 / 1e9),
        ];
        for (place, value) in rest {
            if let Some(place) = place {
                values[place].1 = value;
            }
        }
    }
}

impl Gauge {
    fn after(&self, value: f64, interval_ms: i64, random: &mut Random) -> f64 {
        match *self {
            Gauge::Share => {
                (random.next() % 1_000_000) as f64 / (14_900_000 + random.next() % 200_000) as f64
            }
            Gauge::Few(start) => {
                let step = [-1.0, 0.0, 0.0, 0.0, 1.0][(random.next() % 5) as usize];
                (value + step).clamp(0.0, 2.0 * start + 2.0)
            }
            Gauge::Saw { step, full } => {
                let next = value + (step * 2.0 * random.unit()).floor();
                if next > full {
                    (next / 8.0).floor()
                } else {
                    next
                }
            }
            Gauge::Total { step, unit } => value + (2.0 * step * random.unit()).round() * unit,
            Gauge::Rare(step) if random.next().is_multiple_of(40) => value + step,
            Gauge::Rare(_) => value,
            Gauge::Uptime => {
                let millis =
                    (value * 1000.0).round() as i64 + interval_ms + (random.next() % 5) as i64 - 2;
                millis as f64 / 1000.0
            }
        }
    }
}

/// Name and labels of a line as the fixtures have them.
fn labels_of(series: &str) -> HashMap<String, String> {
    let (name, rest) = series.split_once('{').unwrap_or((series, ""));
    let mut labels = HashMap::from([("__name__".to_owned(), name.to_owned())]);
    for pair in rest.trim_end_matches('}').split("\",") {
        if let Some((label, value)) = pair.split_once("=\"") {
            labels.insert(label.to_owned(), value.trim_end_matches('"').to_owned());
        }
    }
    labels
}

/// Numbers that look random and are the same each time: SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1, without 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (self.unit() * std::f64::consts::TAU).cos()
    }

    /// Knuth's way for small means, the normal one above.
    fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let limit = (-mean).exp();
        let mut product = self.unit();
        let mut count = 0;
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }
}
