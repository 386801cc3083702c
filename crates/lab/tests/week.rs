//! A simulated week meets its bars; the same script gives the same report.

use lab::{Bars, Calendar, Report, Script, Settings, generate, simulate};
use simulator::Topology;

/// Weeks of other seeds, for `make test-long`.
const WEEKS: &str = "BELLWETHER_WEEKS";

fn simulated(topology: Topology, seed: u64, calendar: Calendar) -> Report {
    let settings = Settings::product();
    let generated = generate(&topology, seed, calendar, &settings).expect("it is a fleet");
    let script = Script::new(
        topology,
        seed,
        calendar,
        generated.faults,
        "the drawn faults",
    )
    .expect("what is drawn fits");
    simulate(&script, &settings, generated.remarks, &|_| {}).expect("it runs")
}

fn week(seed: u64) -> Report {
    simulated(Topology::generated(12, seed), seed, Calendar::WEEK)
}

/// A day after a day of history.
fn day(topology: Topology, seed: u64) -> Report {
    let calendar = Calendar {
        history_days: 1,
        judged_days: 1,
        ..Calendar::WEEK
    };
    simulated(topology, seed, calendar)
}

fn check(report: &Report) -> Vec<String> {
    println!("{report}");
    let missed = report.missed(&Bars::PROMISED).into_iter();
    missed
        .map(|what| format!("seed {}: {what}", report.seed))
        .collect()
}

#[test]
fn a_simulated_week_meets_its_bars() {
    let report = week(1);
    assert_eq!(report.faults, 30);
    assert_eq!(check(&report), [""; 0]);
}

#[test]
fn other_weeks_meet_them_too() {
    let weeks = std::env::var(WEEKS).ok().map_or(0, |weeks| {
        weeks.parse::<u64>().expect("BELLWETHER_WEEKS is a number")
    });
    let missed: Vec<String> = (2..2 + weeks).flat_map(|seed| check(&week(seed))).collect();
    assert_eq!(missed, [""; 0]);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let json = |seed| serde_json::to_string(&day(Topology::shop(), seed)).expect("plain data");
    let first = json(3);
    assert_eq!(first, json(3));
    assert_ne!(first, json(4));
    for field in [
        "faults",
        "faults_found",
        "affected_services",
        "incidents_per_fault",
        "false_incidents",
        "false_warnings_per_day",
        "onset_error_samples_median",
    ] {
        assert!(first.contains(&format!("\"{field}\":")), "{field}");
    }
}

#[test]
fn one_service_without_a_pool_is_a_fleet_too() {
    let lonely = Topology::parse("services: [{name: lonely, pool: false}]").expect("a topology");
    let report = day(lonely, 2);
    assert!(report.faults >= 10, "{report}");
    assert_eq!(report.false_incidents, 0, "{report}");
    let text = report.to_string();
    assert!(
        text.contains("no pool-exhausted: no service has a connection pool"),
        "{text}"
    );
    assert!(text.contains("faults found"), "{text}");
}
