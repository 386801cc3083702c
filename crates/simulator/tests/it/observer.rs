//! What is observed without pages is what the pages say.

use std::collections::BTreeMap;

use simulator::{
    FaultKind, Fleet, Measured, Observation, Observer, RANGE_MS, SCRAPE_INTERVAL_MS, TruthMetric,
};

use crate::prom_text::{Text, histogram_quantile};
use crate::{MINUTE_MS, NOON_MS, fault, shop};

const SERVICES: [(&str, usize); 3] = [("orders", 2), ("gateway", 2), ("ledger", 1)];

fn faulty() -> Fleet {
    shop(vec![
        fault("orders", FaultKind::PoolExhausted, 1.4, "11m7s", "20m"),
        fault("payments", FaultKind::Deadlock, 1.2, "12m", "9m"),
        fault("orders", FaultKind::BadRelease, 1.3, "46m", "20m"),
        fault("orders", FaultKind::HeapLeak, 1.1, "10m", "80m"),
        fault("ledger", FaultKind::Stopped, 1.0, "50m", "10m"),
        fault("gateway", FaultKind::Stopped, 0.5, "52m", "11m"),
    ])
}

/// The pages of one instance at each scrape of the five minutes before, and at their beginning.
fn pages(fleet: &mut Fleet, at_ms: i64) -> BTreeMap<(&'static str, usize), Vec<Option<Text>>> {
    let mut pages: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for t_ms in (at_ms - RANGE_MS..=at_ms).step_by(SCRAPE_INTERVAL_MS as usize) {
        fleet.advance(t_ms);
        for (service, instances) in SERVICES {
            for instance in 1..=instances {
                let page = fleet.expose(service, instance, t_ms);
                pages
                    .entry((service, instance))
                    .or_default()
                    .push(page.map(|page| Text::parse(&page)));
            }
        }
    }
    pages
}

/// What a reader of an instance's pages makes of a counter: growth, from zero after a restart.
fn increase(pages: &[Option<Text>], read: impl Fn(&Text) -> f64) -> f64 {
    let started = |text: &Text| text.sum("process_start_time_seconds", &[]);
    pages
        .windows(2)
        .filter_map(|pair| {
            let new = pair[1].as_ref()?;
            let old = pair[0].as_ref().filter(|old| started(old) == started(new));
            Some(read(new) - old.map_or(0.0, &read))
        })
        .sum()
}

fn check(observed: &Observation, pages: &[Vec<Option<Text>>], at: &str) {
    let newest: Vec<&Text> = pages
        .iter()
        .filter_map(|pages| pages.last().and_then(Option::as_ref))
        .collect();
    assert_eq!(observed.instances, newest.len(), "{at}");
    let says = |metric: TruthMetric, expected: f64| match &observed.measured[&metric] {
        Measured::Value { value, .. } => assert!(
            (value - expected).abs() <= 1e-9 * expected.abs().max(1.0),
            "{at}: {metric} is {value}, the pages say {expected}"
        ),
        other => panic!("{at}: {metric} is {other:?}, the pages say {expected}"),
    };
    if newest.is_empty() {
        assert!(
            observed
                .measured
                .values()
                .all(|measured| *measured == Measured::Nothing)
        );
        return;
    }
    let max =
        |read: &dyn Fn(&Text) -> f64| newest.iter().map(|text| read(text)).fold(0.0, f64::max);
    let cpu = pages
        .iter()
        .filter(|pages| pages.last().is_some_and(Option::is_some))
        .map(|pages| {
            let scrapes: Vec<f64> = pages[1..]
                .iter()
                .flatten()
                .map(|text| text.sum("process_cpu_usage", &[]))
                .collect();
            100.0 * scrapes.iter().sum::<f64>() / scrapes.len() as f64
        })
        .fold(0.0, f64::max);
    says(TruthMetric::Cpu, cpu);
    says(
        TruthMetric::Mem,
        max(&|text| {
            let max = text.all("jvm_memory_max_bytes", &[("area", "heap")]);
            let max: f64 = max.map(|s| s.value).filter(|value| *value > 0.0).sum();
            100.0 * text.sum("jvm_memory_used_bytes", &[("area", "heap")]) / max
        }),
    );
    says(
        TruthMetric::GcOverhead,
        max(&|text| 100.0 * text.sum("jvm_gc_overhead", &[])),
    );
    says(
        TruthMetric::BlockedThreads,
        max(&|text| text.sum("jvm_threads_states_threads", &[("state", "blocked")])),
    );
    says(
        TruthMetric::ExecutorQueue,
        max(&|text| {
            let queues = text.all("executor_queued_tasks", &[]);
            queues.map(|sample| sample.value).fold(0.0, f64::max)
        }),
    );
    if observed.service == "gateway" {
        assert!(!observed.measured.contains_key(&TruthMetric::PoolPending));
    } else {
        says(
            TruthMetric::PoolPending,
            max(&|text| text.sum("hikaricp_connections_pending", &[])),
        );
    }
    check_requests(pages, &says);
}

fn check_requests(pages: &[Vec<Option<Text>>], says: &dyn Fn(TruthMetric, f64)) {
    let bounds: Vec<f64> = pages
        .iter()
        .flatten()
        .flatten()
        .map(Text::server_buckets)
        .max_by_key(Vec::len)
        .expect("something answers")
        .iter()
        .map(|(bound, _)| *bound)
        .collect();
    let grown = |read: &dyn Fn(&Text) -> f64| -> f64 {
        pages.iter().map(|pages| increase(pages, read)).sum()
    };
    let buckets: Vec<(f64, f64)> = bounds
        .iter()
        .enumerate()
        .map(|(i, bound)| {
            (
                *bound,
                grown(&|text| {
                    text.server_buckets()
                        .get(i)
                        .map_or(0.0, |(_, count)| *count)
                }),
            )
        })
        .collect();
    says(TruthMetric::Lat, 1e3 * histogram_quantile(0.99, &buckets));
    let failed =
        grown(&|text| text.sum("http_server_requests_seconds_count", &[("status", "500")]));
    let all = buckets.last().expect("there is +Inf").1;
    says(TruthMetric::ErrorRatio, 100.0 * failed / all);
}

#[test]
fn observed_is_what_the_pages_say() {
    let mut observer = Observer::new(faulty());
    let mut fleet = faulty();
    for minutes in [6, 14, 30, 48, 54, 61, 67, 75] {
        let at_ms = NOON_MS + minutes * MINUTE_MS;
        observer.advance(at_ms);
        let observed = observer.observe();
        let pages = pages(&mut fleet, at_ms);
        for (service, instances) in SERVICES {
            let observed = observed
                .iter()
                .find(|o| o.service == service)
                .expect("it is known");
            let of: Vec<_> = (1..=instances)
                .map(|instance| pages[&(service, instance)].clone())
                .collect();
            check(observed, &of, &format!("{service} after {minutes} min"));
        }
    }
}

#[test]
fn a_service_without_traffic_is_idle() {
    let yaml = "services: [{name: quiet, rps: 0.000001}]";
    let topology = simulator::Topology::parse(yaml).expect("a topology");
    let fleet = Fleet::new(topology, vec![], 1, NOON_MS).expect("a fleet");
    let mut observer = Observer::new(fleet);
    observer.advance(NOON_MS + 10 * MINUTE_MS);
    let observed = observer.observe().remove(0);
    assert_eq!(observed.measured[&TruthMetric::Lat], Measured::Idle);
    assert_eq!(observed.measured[&TruthMetric::ErrorRatio], Measured::Idle);
    assert!(observed.started_ms.is_some());
}
