//! How long expressions take over many series, apart from reading them: `cargo run --release -p
//! embedded --example promql_speed [SERVICES]` prints milliseconds and the memory that was needed.

use std::time::Instant;

use embedded::promql::{Expression, instant, range};
use embedded::{Labels, Matcher, Sample, SeriesSource};

/// Histograms of each service: 19 URIs with 30 buckets.
const URIS: usize = 19;
const BUCKETS: usize = 30;
const SCRAPE_MS: i64 = 15_000;
const HOUR_MS: i64 = 3_600_000;

/// Series that share their samples: what is measured is evaluation, not storage.
struct Shared {
    labels: Vec<Labels>,
    samples: Vec<Sample>,
}

impl SeriesSource for Shared {
    fn select(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        visit: &mut dyn FnMut(&Labels, &[Sample]),
    ) {
        let from = self
            .samples
            .partition_point(|sample| sample.time_ms < from_ms);
        let to = self
            .samples
            .partition_point(|sample| sample.time_ms <= to_ms);
        for labels in &self.labels {
            if matchers
                .iter()
                .all(|matcher| matcher.matches_labels(labels))
            {
                visit(labels, &self.samples[from..to]);
            }
        }
    }
}

fn fleet(services: usize) -> Shared {
    let mut labels = Vec::new();
    for (service, uri) in (0..services).flat_map(|s| (0..URIS).map(move |u| (s, u))) {
        for bucket in 0..BUCKETS {
            let last = bucket + 1 == BUCKETS;
            let le = if last {
                "+Inf".to_owned()
            } else {
                format!("0.{bucket:02}")
            };
            labels.push(Labels::new([
                ("__name__", "http_server_requests_seconds_bucket".to_owned()),
                ("service", format!("service-{service}")),
                ("instance", format!("10.0.0.{service}:8080")),
                ("job", "spring".to_owned()),
                ("method", "GET".to_owned()),
                ("status", "200".to_owned()),
                ("uri", format!("/resource/{uri}/{{id}}")),
                ("le", le),
            ]));
        }
    }
    let times = (0..2 * HOUR_MS).step_by(SCRAPE_MS as usize);
    let samples = times.map(|time_ms| Sample {
        time_ms,
        value: (time_ms / 1000) as f64,
    });
    Shared {
        labels,
        samples: samples.collect(),
    }
}

/// The most memory that was resident so far, in MiB; none where the system doesn't say.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let services = std::env::args()
        .nth(1)
        .map_or(Ok(200), |text| text.parse())?;
    let fleet = fleet(services);
    println!("{} series; {:?} MiB before", fleet.labels.len(), peak_mib());
    let rate = "rate(http_server_requests_seconds_bucket{uri!~\"/actuator.*\"}[5m])";
    for expression in [
        format!("sum by (service, le) ({rate})"),
        format!("1000 * histogram_quantile(0.99, sum by (service, le) ({rate}))"),
        format!("count by (service) (sum by (service, uri, le) ({rate}))"),
        "count(http_server_requests_seconds_bucket)".to_owned(),
        "sum(http_server_requests_seconds_bucket unless http_server_requests_seconds_bucket offset 5m)".to_owned(),
    ] {
        let parsed = Expression::parse(&expression)?;
        let began = Instant::now();
        instant(&fleet, &parsed, HOUR_MS + 7_351)?;
        let at_once = began.elapsed();
        let began = Instant::now();
        range(&fleet, &parsed, HOUR_MS + 7, 2 * HOUR_MS, SCRAPE_MS)?;
        let hour = began.elapsed();
        println!(
            "{:>6} ms at once, {:>6} ms for an hour, {:?} MiB at most: {expression}",
            at_once.as_millis(),
            hour.as_millis(),
            peak_mib()
        );
    }
    Ok(())
}
