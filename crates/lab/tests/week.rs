//! A simulated week meets its bars; the same script gives the same report.

use lab::{Bars, Calendar, Report, Script, Settings, generate, simulate};
use simulator::Topology;

/// Weeks of other seeds, for `make test-long`.
const WEEKS: &str = "BELLWETHER_WEEKS";

fn simulated(seed: u64, calendar: Calendar) -> Report {
    let settings = Settings::product();
    let topology = Topology::generated(12, seed);
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

fn check(report: &Report) -> Vec<String> {
    println!("{report}");
    let missed = report.missed(&Bars::PROMISED).into_iter();
    missed
        .map(|what| format!("seed {}: {what}", report.seed))
        .collect()
}

#[test]
fn a_simulated_week_meets_its_bars() {
    let report = simulated(1, Calendar::WEEK);
    assert_eq!(report.faults, 30);
    assert_eq!(check(&report), [""; 0]);
}

#[test]
fn other_weeks_meet_them_too() {
    let weeks = std::env::var(WEEKS).ok().map_or(0, |weeks| {
        weeks.parse::<u64>().expect("BELLWETHER_WEEKS is a number")
    });
    let missed: Vec<String> = (2..2 + weeks)
        .flat_map(|seed| check(&simulated(seed, Calendar::WEEK)))
        .collect();
    assert_eq!(missed, [""; 0]);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let short = Calendar {
        history_days: 1,
        judged_days: 2,
        ..Calendar::WEEK
    };
    let json = |seed| serde_json::to_string(&simulated(seed, short)).expect("it is plain data");
    let first = json(3);
    assert_eq!(first, json(3));
    assert_ne!(first, json(4));
    for field in [
        "faults",
        "faults_found",
        "affected_services",
        "incidents_per_fault",
        "false_incidents",
        "onset_error_samples_median",
    ] {
        assert!(first.contains(&format!("\"{field}\":")), "{field}");
    }
}
