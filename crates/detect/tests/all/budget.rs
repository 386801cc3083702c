//! Shares and rates are what the settings say, over many series that stay as they are.

use detect::{Season, limit_of};
use domain::{Component, Direction, Reason};

use crate::figure::figure;
use crate::series::{settings, spec};
use crate::walk::*;

const KINDS: [Kind; 11] = [
    Kind::White,
    Kind::Autoregressive(0.5),
    Kind::Autoregressive(0.9),
    Kind::Autoregressive(0.97),
    Kind::LogNormal(0.3),
    Kind::LogNormal(0.6),
    Kind::LogNormal(1.0),
    Kind::Counts(0.2),
    Kind::Counts(1.0),
    Kind::Counts(5.0),
    Kind::Counts(20.0),
];
const OF_EACH: u64 = 4;
const HISTORY: usize = 1440;

/// A trained series, and what comes next of it.
fn series(kind: Kind, seed: u64, history: usize) -> (Walk, Values) {
    let mut values = Values::new(kind, seed);
    let history = values.take(monday(), MINUTE, history);
    let direction = if seed.is_multiple_of(2) {
        Direction::Both
    } else {
        Direction::Up
    };
    let walk = Walk::after(&history, spec(direction, 0.0), Season::utc(), MINUTE);
    (walk, values)
}

fn seeds() -> impl Iterator<Item = (Kind, u64)> {
    let numbered = KINDS.into_iter().enumerate();
    numbered
        .flat_map(|(number, kind)| (0..OF_EACH).map(move |seed| (kind, 100 * number as u64 + seed)))
}

fn check_contamination(what: &str, is_one: fn(Kind) -> bool) {
    let wanted = settings().contamination;
    let (mut worst, mut count) = (0.0_f64, 0);
    for (kind, seed) in seeds().filter(|(kind, _)| is_one(*kind)) {
        let (walk, _) = series(kind, seed, 2 * HISTORY);
        let share = walk.model.unwrap().header.raw_share;
        worst = worst.max((share / wanted - 1.0).abs());
        count += 1;
    }
    let pass = worst <= 0.25;
    let name = format!("raw anomalies away from contamination, worst of {count} {what}");
    figure(10, &name, format!("{:.1} %", 100.0 * worst), "25 %", pass);
    assert!(pass, "{worst}");
}

/// Four in five of its values are zero.
const MOSTLY_ZERO: Kind = Kind::Counts(0.2);

#[test]
fn contamination_is_the_share_of_raw_anomalies() {
    check_contamination("series", |kind| kind != MOSTLY_ZERO);
}

#[test]
fn contamination_is_the_share_of_raw_anomalies_where_most_values_are_zero() {
    check_contamination("series that are mostly zero", |kind| kind == MOSTLY_ZERO);
}

/// Alarms per series and day on days like those before, and what they were.
fn check_budget(budget: f64, days: usize) {
    let (mut begun, mut samples, mut out_of_range, mut series_days) = (0, 0, 0, 0);
    let mut of_kind = Vec::new();
    for (kind, seed) in seeds() {
        let (mut walk, mut values) = series(kind, seed, HISTORY);
        walk.budget = budget;
        let from = monday() + MINUTE * HISTORY as u32;
        let judged = walk.go(&values.take(from, MINUTE, days * 1440));
        let here = alarms(&judged).len();
        begun += here;
        samples += anomalies(&judged);
        let is_out = |reason| matches!(reason, Some(Reason::OutOfRange { .. }));
        out_of_range += judged.iter().filter(|(_, j)| is_out(j.reason)).count();
        series_days += days;
        if here > 0 {
            of_kind.push((kind, here));
        }
    }
    let rate = f64::from(begun as u32) / series_days as f64;
    let pass = rate <= budget;
    println!(
        "{begun} alarms of {samples} samples in {series_days} series-days, {out_of_range} out of range: {of_kind:?}"
    );
    figure(
        10,
        &format!("alarms per series and day at a budget of {budget}"),
        format!("{rate:.3}"),
        &format!("{budget}"),
        pass,
    );
    assert!(
        pass,
        "{rate} > {budget}, limit {}",
        limit_of(MINUTE, budget)
    );
}

#[test]
fn a_budget_of_one_is_kept() {
    check_budget(1.0, 1);
}

#[test]
fn the_default_budget_is_kept() {
    check_budget(0.2, 2);
}

#[test]
fn a_small_budget_is_kept() {
    check_budget(0.05, 2);
}

/// The forest's threshold goes on being exceeded that often on days it hasn't seen.
#[test]
fn raw_anomalies_stay_that_rare_on_days_to_come() {
    let (mut raw, mut rows) = (0, 0);
    for (kind, seed) in seeds().step_by(4) {
        let (mut walk, mut values) = series(kind, seed, HISTORY);
        let from = monday() + MINUTE * HISTORY as u32;
        for (_, judged) in walk.go(&values.take(from, MINUTE, 720)) {
            let forest = judged
                .components
                .iter()
                .find(|c| c.component == Component::Forest);
            rows += 1;
            raw += usize::from(forest.is_some_and(|f| Some(f.statistic) > f.threshold));
        }
    }
    let share = raw as f64 / rows as f64;
    let bar = 2.0 * settings().contamination;
    let pass = share <= bar;
    figure(
        10,
        "share of raw anomalies on fresh days",
        format!("{share:.4}"),
        "0.02",
        pass,
    );
    assert!(pass, "{share}");
}
