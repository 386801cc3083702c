//! A simulated week meets its bars; the same script gives the same report.

use lab::{Bars, Calendar, Report, Script, Settings, generate, simulate};
use simulator::Topology;

fn week(seed: u64) -> Report {
    let settings = Settings::product();
    let topology = Topology::generated(12, seed);
    let generated = generate(&topology, seed, Calendar::WEEK, &settings).expect("it is a fleet");
    let script = Script::new(
        topology,
        seed,
        Calendar::WEEK,
        generated.faults,
        "generated",
    )
    .expect("what is drawn fits");
    simulate(&script, &settings, generated.remarks, &|_| {}).expect("it runs")
}

fn check(report: &Report) {
    println!("{report}");
    assert_eq!(
        report.missed(&Bars::PROMISED),
        [""; 0],
        "seed {}",
        report.seed
    );
}

#[test]
fn a_simulated_week_meets_its_bars() {
    check(&week(1));
}
