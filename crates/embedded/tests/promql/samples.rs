//! Samples of a small fleet and of everything that is hard: resets, gaps, births and ends, uneven
//! times, NaN and infinities, histograms that say little or contradict themselves.
//!
//! Always the same; no time is a fraction of a second but quarters, so that evaluations at other
//! fractions never meet a sample at the edge of a range.

use std::fmt::Write as _;

/// In seconds; of the first samples.
pub const FROM: i64 = 1_700_000_010;
pub const HOURS: i64 = 2;
/// Seconds between samples.
pub const SCRAPE: i64 = 15;

/// One series.
pub struct Series {
    /// The name first.
    pub labels: Vec<(&'static str, String)>,
    /// Times in milliseconds, increasing.
    pub samples: Vec<(i64, f64)>,
}

/// As OpenMetrics with timestamps.
pub fn openmetrics(all: &[Series]) -> String {
    let mut text = String::new();
    for series in all {
        let (name, others) = series.labels.split_first().unwrap();
        let labels = others
            .iter()
            .map(|(name, value)| format!("{name}={value:?}"));
        let labels = labels.collect::<Vec<_>>().join(",");
        for (time_ms, value) in &series.samples {
            let (seconds, rest) = (time_ms / 1000, time_ms % 1000);
            let value = match value.is_infinite() {
                true => if *value > 0.0 { "+Inf" } else { "-Inf" }.to_owned(),
                false => value.to_string(),
            };
            writeln!(text, "{}{{{labels}}} {value} {seconds}.{rest:03}", name.1).unwrap();
        }
    }
    text + "# EOF\n"
}

/// All of them, always the same.
pub fn all() -> Vec<Series> {
    let mut fleet = Fleet {
        series: Vec::new(),
        seed: 0x9E37_79B9_7F4A_7C15,
    };
    for (process, offset_ms) in processes().iter().zip([0, 250, 500, 750, 0]) {
        fleet.process(process, offset_ms);
    }
    fleet.odd();
    fleet.histograms();
    fleet.series
}

type LabelPairs<'l> = &'l [(&'static str, &'l str)];

struct Process {
    naming: (&'static str, &'static str),
    instance: &'static str,
    /// Seconds from the first sample on.
    alive: std::ops::Range<i64>,
    /// At these it starts anew, and its counters with it.
    restarts: &'static [i64],
}

fn processes() -> [Process; 5] {
    let end = HOURS * 3600;
    let process = |naming, instance, alive, restarts| Process {
        naming,
        instance,
        alive,
        restarts,
    };
    [
        process(("service", "shop"), "shop-1:8080", 0..end, &[]),
        process(("service", "shop"), "shop-2:8080", 0..end, &[2_400, 4_000]),
        process(("application", "pay"), "pay-1:8080", 0..end, &[3_330]),
        // Begins and ends within the time that is evaluated.
        process(("service_name", "ship"), "ship-1:8080", 2_500..end, &[]),
        process(("app", "gone"), "gone-1:8080", 0..4_200, &[]),
    ]
}

struct Fleet {
    series: Vec<Series>,
    seed: u64,
}

impl Fleet {
    /// From zero to one; xorshift.
    fn random(&mut self) -> f64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn push(
        &mut self,
        name: &str,
        labels: &[(&'static str, &str)],
        samples: impl IntoIterator<Item = (i64, f64)>,
    ) {
        let name = [("__name__", name.to_owned())];
        let labels = labels
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        self.series.push(Series {
            labels: name.into_iter().chain(labels).collect(),
            samples: samples.into_iter().collect(),
        });
    }

    fn process(&mut self, process: &Process, offset_ms: i64) {
        let target = [("instance", process.instance), ("job", "spring")];
        let own = [&[process.naming], target.as_slice()].concat();
        let seconds: Vec<i64> = process.alive.clone().step_by(SCRAPE as usize).collect();
        let time = |second: i64| (FROM + second) * 1000 + offset_ms;
        let end = HOURS * 3600;
        let up = (0..end).step_by(SCRAPE as usize);
        let is_up = |second: i64| f64::from(u8::from(process.alive.contains(&second)));
        self.push(
            "up",
            &target,
            up.map(|second| (time(second), is_up(second))),
        );
        let started = |second: i64| {
            let restart = process
                .restarts
                .iter()
                .rev()
                .find(|restart| **restart <= second);
            let first = process.alive.start - if process.alive.start == 0 { 90_000 } else { 20 };
            (FROM + restart.copied().unwrap_or(first)) as f64 + 0.123
        };
        let versioned = [own.as_slice(), &[("version", "1.4.2")]].concat();
        let starts = seconds.iter().map(|s| (time(*s), started(*s)));
        self.push("process_start_time_seconds", &versioned, starts);
        self.gauges(&own, &seconds, &time);
        for (uri, status, per_second) in [
            ("/orders/{id}", "200", 3.0),
            ("/orders/{id}", "500", 0.2),
            ("/pay", "200", 1.0),
            ("/actuator/health", "200", 0.5),
        ] {
            let labels = [("method", "GET"), ("status", status), ("uri", uri)];
            let labels = [own.as_slice(), &labels].concat();
            // Errors begin late: their series is born with the first.
            let late = if status == "500" { 1_900 } else { 0 };
            let seconds = seconds.iter().copied().filter(|second| *second >= late);
            self.timer(
                "http_server_requests_seconds",
                &labels,
                process,
                seconds,
                per_second,
                &time,
            );
        }
        for (client, outcome) in [
            ("pay", "SUCCESS"),
            ("pay", "SERVER_ERROR"),
            ("ship", "SUCCESS"),
        ] {
            let labels = [("client_name", client), ("outcome", outcome)];
            let labels = [own.as_slice(), &labels].concat();
            let seconds = seconds.iter().copied();
            self.timer(
                "http_client_requests_seconds",
                &labels,
                process,
                seconds,
                0.7,
                &time,
            );
        }
        let labels = [own.as_slice(), &[("level", "error")]].concat();
        let mut count = 0.0;
        let events: Vec<(i64, f64)> = seconds
            .iter()
            .map(|second| {
                count += (self.random() * 1.2).floor();
                (time(*second), count)
            })
            .collect();
        self.push("logback_events_total", &labels, events);
    }

    fn gauges(
        &mut self,
        own: &[(&'static str, &str)],
        seconds: &[i64],
        time: &impl Fn(i64) -> i64,
    ) {
        let gauges: [(&str, LabelPairs, f64); 11] = [
            ("process_cpu_usage", &[], 1.0),
            (
                "jvm_memory_used_bytes",
                &[("area", "heap"), ("id", "eden")],
                3e8,
            ),
            (
                "jvm_memory_used_bytes",
                &[("area", "heap"), ("id", "old")],
                7e8,
            ),
            (
                "jvm_memory_used_bytes",
                &[("area", "nonheap"), ("id", "meta")],
                9e7,
            ),
            ("hikaricp_connections_pending", &[("pool", "main")], 12.0),
            ("jvm_threads_states_threads", &[("state", "blocked")], 9.0),
            ("jvm_threads_states_threads", &[("state", "runnable")], 40.0),
            ("jvm_gc_overhead", &[], 0.3),
            ("jvm_memory_usage_after_gc", &[("area", "heap")], 0.8),
            ("executor_queued_tasks", &[("name", "tasks")], 30.0),
            ("http_server_requests_seconds_max", &[("uri", "/pay")], 2.5),
        ];
        for (name, labels, scale) in gauges {
            let labels = [own, labels].concat();
            let is_whole = scale > 5.0;
            let values: Vec<(i64, f64)> = seconds
                .iter()
                .map(|second| {
                    let value = self.random() * scale;
                    // What the JVM says where it can't know.
                    let is_unknown = name == "process_cpu_usage" && second % 900 == 15;
                    let value = if is_whole { value.floor() } else { value };
                    (time(*second), if is_unknown { f64::NAN } else { value })
                })
                .collect();
            self.push(name, &labels, values);
        }
        for (id, max) in [("eden", -1.0), ("old", 1_073_741_824.0)] {
            let labels = [own, &[("area", "heap"), ("id", id)]].concat();
            let values = seconds.iter().map(|second| (time(*second), max));
            self.push("jvm_memory_max_bytes", &labels, values);
        }
    }

    /// Count, sum and buckets; the slowest lie beyond the last bound.
    fn timer(
        &mut self,
        name: &str,
        labels: &[(&'static str, &str)],
        process: &Process,
        seconds: impl Iterator<Item = i64>,
        per_second: f64,
        time: &impl Fn(i64) -> i64,
    ) {
        const BOUNDS: [f64; 6] = [0.005, 0.05, 0.25, 1.0, 2.5, f64::INFINITY];
        let mut columns: [Vec<(i64, f64)>; 8] = Default::default();
        let mut counts = [0.0; 8];
        let mut is_first = true;
        for second in seconds {
            if process.restarts.contains(&(second - second % SCRAPE)) {
                counts = [0.0; 8];
            }
            // Born at zero: where they aren't, versions of Prometheus differ.
            let busy = if is_first { 0.0 } else { per_second };
            is_first = false;
            let new = (busy * SCRAPE as f64 * self.random() * 2.0).floor() as u32;
            for _ in 0..new {
                let slow = (second / 600) % 3 == 2 && self.random() < 0.3;
                let duration = if slow {
                    4.0
                } else {
                    self.random().powi(4) * 2.0
                };
                for (bound, count) in BOUNDS.iter().zip(&mut counts) {
                    *count += f64::from(u8::from(duration <= *bound));
                }
                counts[6] += 1.0;
                counts[7] += duration;
            }
            for (column, count) in columns.iter_mut().zip(counts) {
                column.push((time(second), count));
            }
        }
        let mut columns = columns.into_iter();
        for (bound, samples) in BOUNDS.iter().zip(columns.by_ref()) {
            let le = if bound.is_infinite() {
                "+Inf".to_owned()
            } else {
                bound.to_string()
            };
            let labels = [labels, &[("le", le.as_str())]].concat();
            self.push(&format!("{name}_bucket"), &labels, samples);
        }
        for (suffix, samples) in ["count", "sum"].iter().zip(columns) {
            self.push(&format!("{name}_{suffix}"), labels, samples);
        }
    }

    /// Values and times that real exporters seldom have.
    fn odd(&mut self) {
        let scrapes = HOURS * 3600 / SCRAPE;
        let time = |scrape: i64| (FROM + scrape * SCRAPE) * 1000;
        type ByScrape = fn(i64) -> f64;
        let values: [(&str, ByScrape); 8] = [
            ("nan", |_| f64::NAN),
            ("some_nan", |i| if i % 7 < 3 { f64::NAN } else { i as f64 }),
            (
                "inf",
                |i| if i % 40 == 0 { f64::INFINITY } else { i as f64 },
            ),
            ("both_inf", |i| {
                if i % 30 < 15 {
                    f64::INFINITY
                } else {
                    f64::NEG_INFINITY
                }
            }),
            ("negative", |i| -((i % 11) as f64) - 0.5),
            ("huge", |i| 1e308 * (1.0 - (i % 3) as f64 / 10.0)),
            ("tiny", |i| 3e-300 * (i % 5) as f64),
            ("cancel", |i| [1e17, 1.0, -1e17, 2.5][(i % 4) as usize]),
        ];
        for (kind, value) in values {
            let samples = (0..scrapes).map(|scrape| (time(scrape), value(scrape)));
            self.push("odd", &[("kind", kind), ("one", "1")], samples);
        }
        let mut at = FROM * 1000;
        let mut count = 5_000.0;
        let mut uneven = Vec::new();
        while at < (FROM + HOURS * 3600) * 1000 {
            uneven.push((at, count));
            at += 250 * (1 + (self.random() * 150.0) as i64);
            count += (self.random() * 20.0).floor();
            if self.random() < 0.02 {
                count = 400.0 + (self.random() * 30.0).floor();
            }
        }
        self.push("uneven_total", &[("one", "1")], uneven);
        // Gaps longer than the lookback, and one shorter.
        let has_gap = |scrape: i64| matches!(scrape % 160, 40..=75 | 100..=110);
        let gappy = (0..scrapes).filter(|scrape| !has_gap(*scrape));
        self.push(
            "gappy_total",
            &[("one", "1")],
            gappy.clone().map(|i| (time(i), 100.0 + 3.0 * i as f64)),
        );
        self.push(
            "gappy",
            &[("one", "1")],
            gappy.map(|i| (time(i), (i % 13) as f64)),
        );
        // Born at one, and rising by one: where versions of Prometheus differ.
        let born = (200..scrapes).map(|scrape| (time(scrape), (scrape - 199) as f64));
        self.push("born_total", &[("one", "1")], born);
        let rare = (0..scrapes)
            .step_by(50)
            .map(|scrape| (time(scrape), scrape as f64));
        self.push("rare", &[("one", "1")], rare);
        // Two names with the same labels.
        for name in ["twin_a", "twin_b"] {
            let samples = (0..scrapes).map(|scrape| (time(scrape), scrape as f64));
            self.push(name, &[("one", "1")], samples);
        }
        for (zone, owner) in [("a", "ann"), ("b", "bob")] {
            let info = (0..scrapes).map(|scrape| (time(scrape), 1.0));
            self.push("zone_info", &[("owner", owner), ("zone", zone)], info);
            for host in ["1", "2", "3"] {
                let load: Vec<_> = (0..scrapes)
                    .map(|i| (time(i), self.random() * 10.0))
                    .collect();
                self.push("host_load", &[("host", host), ("zone", zone)], load);
            }
        }
    }

    fn histograms(&mut self) {
        let scrapes = HOURS * 3600 / SCRAPE;
        let time = |scrape: i64| (FROM + scrape * SCRAPE) * 1000;
        let kinds: [(&str, &[(&str, f64)]); 8] = [
            // All beyond the last bound.
            ("beyond", &[("1", 0.0), ("2", 0.0), ("+Inf", 1.0)]),
            ("only_inf", &[("+Inf", 1.0)]),
            ("no_inf", &[("1", 0.5), ("2", 1.0)]),
            (
                "falling",
                &[("1", 0.5), ("2", 0.4), ("4", 0.9), ("+Inf", 1.0)],
            ),
            ("not_bounds", &[("much", 0.5), ("1", 0.7), ("+Inf", 1.0)]),
            (
                "twice",
                &[("1", 0.2), ("1.0", 0.2), ("2", 0.8), ("+Inf", 1.0)],
            ),
            (
                "negative",
                &[("-2", 0.3), ("-1", 0.6), ("0", 0.8), ("+Inf", 1.0)],
            ),
            ("empty", &[("1", 0.0), ("2", 0.0), ("+Inf", 0.0)]),
        ];
        for (kind, buckets) in kinds {
            for (le, share) in buckets {
                let samples = (0..scrapes)
                    .map(|scrape| (time(scrape), (scrape as f64 * 10.0 * share).floor()));
                self.push("hard_bucket", &[("kind", kind), ("le", le)], samples);
            }
        }
    }
}
