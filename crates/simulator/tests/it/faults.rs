//! Magnitude 1 just reaches High in the truth, 0.8 does not; trouble travels up to the callers.

use simulator::{Fault, FaultKind, Fleet, TruthMetric};

use crate::prom_text::Text;
use crate::{MINUTE_MS, NOON_MS, fault, shop};

/// The metric a kind is about, and where High begins.
fn subject(kind: FaultKind) -> (TruthMetric, f64) {
    match kind {
        FaultKind::CpuBurn => (TruthMetric::Cpu, 85.0),
        FaultKind::HeapLeak => (TruthMetric::Mem, 85.0),
        FaultKind::SlowDependency | FaultKind::BadRelease => (TruthMetric::Lat, 1_000.0),
        FaultKind::ErrorBurst => (TruthMetric::ErrorRatio, 5.0),
        FaultKind::PoolExhausted => (TruthMetric::PoolPending, 5.0),
        FaultKind::Deadlock => (TruthMetric::BlockedThreads, 5.0),
        FaultKind::Stopped => (TruthMetric::Up, 0.0),
    }
}

fn truth(fleet: &Fleet, service: &str, metric: TruthMetric, after_ms: i64) -> f64 {
    fleet
        .truth(service, metric, NOON_MS + after_ms)
        .expect("the service is known")
}

/// The value at the last instant of a fault of 20 minutes that begins after an hour.
fn at_the_end(service: &str, kind: FaultKind, magnitude: f64, metric: TruthMetric) -> f64 {
    let fleet = shop(vec![fault(service, kind, magnitude, "1h", "20m")]);
    truth(&fleet, service, metric, 80 * MINUTE_MS - 1)
}

#[test]
fn magnitude_one_just_reaches_high_and_less_does_not() {
    for service in ["orders", "payments", "inventory", "ledger"] {
        for kind in FaultKind::ALL
            .into_iter()
            .filter(|kind| *kind != FaultKind::Stopped)
        {
            let (metric, high) = subject(kind);
            let at_one = at_the_end(service, kind, 1.0, metric);
            assert!(
                (at_one / high - 1.0).abs() < 0.001,
                "{kind} on {service}: {at_one} for {high}"
            );
            let below = at_the_end(service, kind, 0.8, metric);
            assert!(below < high * 0.95, "{kind} at 0.8 on {service}: {below}");
            let above = at_the_end(service, kind, 1.5, metric);
            assert!(above > high * 1.05, "{kind} at 1.5 on {service}: {above}");
        }
    }
}

#[test]
fn waiting_for_connections_or_locks_takes_latency_past_high() {
    for kind in [FaultKind::PoolExhausted, FaultKind::Deadlock] {
        assert!(
            at_the_end("payments", kind, 1.0, TruthMetric::Lat) > 1_000.0,
            "{kind}"
        );
        assert!(
            at_the_end("payments", kind, 0.8, TruthMetric::Lat) < 1_000.0,
            "{kind}"
        );
    }
    assert!(
        at_the_end("payments", FaultKind::Deadlock, 1.6, TruthMetric::Lat) > 4_500.0,
        "time-outs"
    );
    let normal = truth(
        &shop(vec![]),
        "payments",
        TruthMetric::RequestRate,
        80 * MINUTE_MS - 1,
    );
    assert!(
        at_the_end(
            "payments",
            FaultKind::Deadlock,
            1.0,
            TruthMetric::RequestRate
        ) < 0.6 * normal
    );
}

#[test]
fn effects_hold_from_the_first_instant_to_the_last() {
    let fleet = shop(vec![fault(
        "payments",
        FaultKind::SlowDependency,
        1.0,
        "1h",
        "20m",
    )]);
    let lat = |after_ms| truth(&fleet, "payments", TruthMetric::Lat, after_ms);
    assert!(lat(60 * MINUTE_MS - 1) < 400.0);
    assert!((lat(60 * MINUTE_MS) - 1_000.0).abs() < 1.0);
    assert!((lat(80 * MINUTE_MS - 1) - 1_000.0).abs() < 1.0);
    assert!(lat(80 * MINUTE_MS) < 400.0);
}

#[test]
fn a_leak_is_a_ramp() {
    let fleet = shop(vec![fault("orders", FaultKind::HeapLeak, 1.0, "1h", "2h")]);
    let mem: Vec<f64> = (60..180)
        .map(|minute| truth(&fleet, "orders", TruthMetric::Mem, minute * MINUTE_MS))
        .collect();
    assert!(mem.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(mem[0] < 60.0);
    assert!(
        truth(&fleet, "orders", TruthMetric::Mem, 180 * MINUTE_MS) < 60.0,
        "it drops when the fault ends"
    );
}

#[test]
fn callers_of_a_slow_service_wait() {
    let calm = shop(vec![]);
    let slow = shop(vec![fault(
        "payments",
        FaultKind::SlowDependency,
        1.0,
        "0s",
        "1h",
    )]);
    for caller in ["orders", "gateway"] {
        let (before, after) = (
            truth(&calm, caller, TruthMetric::Lat, MINUTE_MS),
            truth(&slow, caller, TruthMetric::Lat, MINUTE_MS),
        );
        assert!(after > before + 200.0, "{caller}: {before} to {after}");
    }
    for bystander in ["ledger", "inventory", "catalog"] {
        let lat = |fleet| truth(fleet, bystander, TruthMetric::Lat, MINUTE_MS);
        assert_eq!(lat(&calm), lat(&slow), "{bystander}");
    }
}

#[test]
fn waiting_ends_with_the_time_out_and_counts_as_an_error() {
    let fleet = shop(vec![fault(
        "payments",
        FaultKind::SlowDependency,
        9.0,
        "0s",
        "1h",
    )]);
    let at = |service, metric| truth(&fleet, service, metric, MINUTE_MS);
    assert!(at("payments", TruthMetric::Lat) > 7_000.0);
    assert!(at("orders", TruthMetric::Lat) < 6_000.0);
    assert!(at("orders", TruthMetric::ErrorRatio) > 1.0);
}

#[test]
fn a_stopped_service_is_silent_and_its_callers_fail_fast() {
    let mut fleet = shop(vec![fault(
        "payments",
        FaultKind::Stopped,
        1.0,
        "10m",
        "10m",
    )]);
    let at = |fleet: &Fleet, service, metric| truth(fleet, service, metric, 15 * MINUTE_MS);
    assert_eq!(at(&fleet, "payments", TruthMetric::Up), 0.0);
    assert!(at(&fleet, "payments", TruthMetric::Cpu).is_nan());
    assert!(at(&fleet, "orders", TruthMetric::ErrorRatio) > 20.0);
    assert!(at(&fleet, "orders", TruthMetric::Lat) < 500.0);
    fleet.advance(NOON_MS + 15 * MINUTE_MS);
    assert_eq!(fleet.expose("payments", 1, fleet.now_ms()), None);
    let orders = Text::parse(
        &fleet
            .expose("orders", 1, fleet.now_ms())
            .expect("orders answers"),
    );
    let refused = [
        ("client_name", "payments"),
        ("status", "CLIENT_ERROR"),
        ("outcome", "UNKNOWN"),
    ];
    assert!(orders.sum("http_client_requests_seconds_count", &refused) > 100.0);

    fleet.advance(NOON_MS + 21 * MINUTE_MS);
    let back = Text::parse(
        &fleet
            .expose("payments", 1, fleet.now_ms())
            .expect("it is up again"),
    );
    assert_eq!(back.sum("process_uptime_seconds", &[]), 60.0);
}

#[test]
fn part_of_a_stop_stops_part_of_the_instances() {
    let mut fleet = shop(vec![fault(
        "payments",
        FaultKind::Stopped,
        0.5,
        "10m",
        "10m",
    )]);
    fleet.advance(NOON_MS + 15 * MINUTE_MS);
    assert!(fleet.expose("payments", 1, fleet.now_ms()).is_some());
    assert!(fleet.expose("payments", 2, fleet.now_ms()).is_none());
    assert_eq!(
        truth(&fleet, "payments", TruthMetric::Up, 15 * MINUTE_MS),
        1.0
    );
}

#[test]
fn errors_travel_to_callers_by_the_share_of_calls() {
    let fleet = shop(vec![fault(
        "payments",
        FaultKind::ErrorBurst,
        4.0,
        "0s",
        "1h",
    )]);
    let errors = |service| truth(&fleet, service, TruthMetric::ErrorRatio, MINUTE_MS);
    assert!(errors("payments") > 19.0);
    assert!((5.0..errors("payments")).contains(&errors("orders")));
    assert!((1.0..errors("orders")).contains(&errors("gateway")));
}

#[test]
fn fault_files_are_read_and_wrong_ones_refused() {
    let good = "- {at: 3d4h10m, for: 20m, service: payments, kind: slow-dependency}\n- {at: 0s, for: 5m, service: orders, kind: cpu-burn, magnitude: 1.5}\n";
    let faults = Fault::parse_list(good).expect("a good file");
    assert_eq!(faults[0].magnitude, 1.0);
    assert_eq!(faults[0].at.to_string(), "3d4h10m");
    shop(faults);

    for (yaml, needle) in [
        (
            "- {at: 1h, for: 5m, service: orders, kind: cpu}",
            "cpu-burn",
        ),
        (
            "- {at: 1h, for: 5m, service: orders, kind: cpu-burn, size: 3}",
            "size",
        ),
        (
            "- {at: 1x, for: 5m, service: orders, kind: cpu-burn}",
            "\"1x\"",
        ),
        ("- {at: 1h, service: orders, kind: cpu-burn}", "for"),
    ] {
        let error = Fault::parse_list(yaml).expect_err(yaml);
        let chain = format!(
            "{error}: {}",
            std::error::Error::source(&error).expect("a cause")
        );
        assert!(chain.contains(needle), "{chain}");
    }
    for (fault, needle) in [
        (
            fault("nobody", FaultKind::CpuBurn, 1.0, "0s", "1m"),
            "known: gateway, orders",
        ),
        (
            fault("orders", FaultKind::CpuBurn, 0.0, "0s", "1m"),
            "magnitude",
        ),
        (
            fault("orders", FaultKind::CpuBurn, f64::NAN, "0s", "1m"),
            "magnitude",
        ),
        (
            fault("orders", FaultKind::CpuBurn, 1.0, "0s", "0s"),
            "longer than 0s",
        ),
        (
            fault("gateway", FaultKind::PoolExhausted, 1.0, "0s", "1m"),
            "no connection pool",
        ),
    ] {
        let error =
            Fleet::new(simulator::Topology::shop(), vec![fault], 1, NOON_MS).expect_err(needle);
        assert!(error.to_string().contains(needle), "{error}");
    }
}
