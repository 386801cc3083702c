//! At the start, after a gap, a retraining, a change of clocks and a restart: no burst of alarms, and
//! nothing forgotten.

use std::sync::LazyLock;

use detect::featurise::Featuriser;
use detect::{Components, How, Season, SeriesState};
use domain::{Direction, Reason, Sample, Silence, Timestamp};
use proptest::prelude::*;

use crate::figure::figure;
use crate::series::{Learnt, Random, WARM_UP, a_day, judge, settings, spec};
use crate::walk::*;

const KINDS: [Kind; 6] = [
    Kind::White,
    Kind::Autoregressive(0.9),
    Kind::LogNormal(0.5),
    Kind::Counts(2.0),
    Kind::Daily(3.0),
    Kind::Daily(10.0),
];

fn both() -> domain::MetricSpec {
    spec(Direction::Both, 1.0)
}

/// A series that nothing is known of, and what is said of it on the day after its first model, which
/// comes after so many samples.
fn check_first_day(step: std::time::Duration, silent_for: usize, seeds: u64, what: &str) {
    let (mut begun, mut days, mut most) = (0, 0, (0, Kind::White));
    for kind in KINDS {
        for seed in 0..seeds {
            let mut values = Values::new(kind, seed + 40);
            let samples = values.take(monday(), step, silent_for + in_a_day(step));
            let mut walk = Walk::new(both(), Season::utc(), step);
            let (first, rest) = samples.split_at(silent_for);
            for (_, judged) in walk.go(first) {
                assert_eq!(judged.silence, Some(Silence::NoModel));
            }
            assert!(walk.train(), "so many samples are enough");
            let judged = walk.go(rest);
            assert!(judged[0].1.score.is_some(), "it speaks at once");
            let here = alarms(&judged).len();
            let why = |is: fn(&Reason) -> bool| {
                let anomalies = judged.iter().filter(|(_, judged)| is_anomaly(judged));
                anomalies
                    .filter(|(_, judged)| judged.reason.as_ref().is_some_and(is))
                    .count()
            };
            println!(
                "{kind:?}: {here} alarms; {} samples unusual, {} out of range, {} going on",
                why(|reason| matches!(reason, Reason::Unusual { .. })),
                why(|reason| matches!(reason, Reason::OutOfRange { .. })),
                why(|reason| matches!(reason, Reason::GoesOn { .. })),
            );
            begun += here;
            days += 1;
            if here > most.0 {
                most = (here, kind);
            }
        }
    }
    let mean = begun as f64 / f64::from(days);
    let pass = mean <= 1.0 && most.0 <= 3;
    let (count, kind) = most;
    let name = format!("alarms on the first day after {silent_for} samples of silence, {what}");
    let said = format!("{mean:.2}, most {count} ({kind:?})");
    figure(10, &name, said, "1, most 3", pass);
    assert!(pass);
}

/// What training refuses.
fn fewest() -> usize {
    settings().min_samples + WARM_UP
}

#[test]
fn the_first_model_needs_so_many_samples() {
    let samples = Values::new(Kind::White, 1).take(monday(), MINUTE, fewest());
    let mut walk = Walk::new(both(), Season::utc(), MINUTE);
    walk.go(&samples[..fewest() - 1]);
    assert!(!walk.train());
    walk.go(&samples[fewest() - 1..]);
    assert!(walk.train());
}

/// As the schedule has it: the first model a day after the first sample.
#[test]
fn a_first_day_is_silent_and_the_second_has_no_burst_at_a_minute() {
    check_first_day(MINUTE, 1440, 3, "a sample a minute");
}

#[test]
fn a_first_day_is_silent_and_the_second_has_no_burst_at_fifteen_seconds() {
    check_first_day(QUARTER, 5760, 1, "a sample in 15 s");
}

#[test]
fn a_model_of_the_first_hours_raises_no_burst() {
    check_first_day(MINUTE, fewest(), 3, "a sample a minute");
    check_first_day(QUARTER, fewest(), 1, "a sample in 15 s");
}

#[test]
fn a_gap_is_followed_by_no_burst() {
    for (what, gap) in [("an hour", 60), ("a day", 1440)] {
        let (mut begun, mut quarters) = (0, 0);
        for (number, kind) in KINDS.into_iter().enumerate() {
            for seed in 0..2 {
                let mut values = Values::new(kind, 10 * number as u64 + seed);
                let history = values.take(monday(), MINUTE, 2 * 1440 + 600);
                let mut walk = Walk::after(&history, both(), Season::utc(), MINUTE);
                let from = monday() + MINUTE * (2 * 1440 + 600 + gap);
                let judged = walk.go(&values.take(from, MINUTE, 360));
                assert_eq!(judged[0].1.silence, Some(Silence::WarmingUp));
                begun += alarms(&judged).len();
                quarters += 1;
            }
        }
        let mean = begun as f64 / f64::from(quarters);
        let pass = mean <= 0.25;
        figure(
            10,
            &format!("alarms in the six hours after a gap of {what}"),
            format!("{mean:.2}"),
            "0.25",
            pass,
        );
        assert!(pass);
    }
}

#[test]
fn a_retraining_is_followed_by_no_burst() {
    let (mut begun, mut hours) = (0, 0);
    for (number, kind) in KINDS.into_iter().enumerate() {
        let mut values = Values::new(kind, 60 + number as u64);
        let mut walk = Walk::after(
            &values.take(monday(), MINUTE, 1440),
            both(),
            Season::utc(),
            MINUTE,
        );
        for day in 1..5 {
            let today = values.take(monday() + A_DAY * day, MINUTE, 1440);
            let judged = walk.go(&today);
            begun += alarms(&judged[..120]).len();
            hours += 2;
        }
    }
    let a_day = 24.0 * begun as f64 / f64::from(hours);
    let pass = a_day <= 1.0;
    figure(
        10,
        "alarms a day within two hours after a retraining",
        format!("{a_day:.2}"),
        "1",
        pass,
    );
    assert!(pass);
}

/// A daily curve by the wall clock of Berlin.
fn by_the_wall_clock(
    season: &Season,
    random: &mut Random,
    from: Timestamp,
    days: usize,
) -> Vec<Sample> {
    let times = (0..days * 1440).map(|index| from + MINUTE * index as u32);
    times
        .map(|time| {
            let day = season.time_of_day(time).as_secs_f64() / 86_400.0;
            let curve = -libm::cos(std::f64::consts::TAU * day);
            Sample {
                time,
                value: random.normal(30.0 + 10.0 * curve, 1.0),
            }
        })
        .collect()
}

#[test]
fn a_change_of_clocks_is_followed_by_no_burst() {
    let season = Season::new("Europe/Berlin").unwrap();
    let (mut before, mut after, mut days) = (0, 0, 0);
    for change in ["2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z"] {
        for seed in 0..3 {
            let from = change.parse::<Timestamp>().unwrap() - A_DAY * 5;
            let mut random = Random(seed * 31 + 5);
            let samples = by_the_wall_clock(&season, &mut random, from, 6);
            let (history, rest) = samples.split_at(3 * 1440);
            let mut walk = Walk::after(history, both(), season.clone(), MINUTE);
            let (steady, changed) = rest.split_at(2 * 1440);
            before += alarms(&walk.go(steady)).len();
            after += alarms(&walk.go(changed)).len();
            days += 1;
        }
    }
    let mean = f64::from(after as u32) / f64::from(days);
    let pass = mean <= 1.0;
    let said = format!(
        "{mean:.2}; before it {:.2}",
        before as f64 / f64::from(2 * days)
    );
    figure(
        10,
        "alarms on the day of a change of clocks",
        said,
        "1",
        pass,
    );
    assert!(pass);
}

static DIRECTIONS: LazyLock<[(Direction, Learnt); 3]> = LazyLock::new(|| {
    [Direction::Up, Direction::Down, Direction::Both]
        .map(|direction| (direction, a_day(11, &spec(direction, 1.0))))
});

/// Steps of 15 s with gaps among them, values, and whether an incident masks them.
fn any_series() -> impl Strategy<Value = Vec<(Sample, bool)>> {
    let distance = prop_oneof![20 => Just(1i64), 1 => 2i64..400, 1 => 400i64..9_000];
    let value = prop_oneof![20 => 20.0..40.0, 1 => -1e3..1e3, 1 => Just(30.0)];
    let one = (distance, value, prop::bool::weighted(0.1));
    prop::collection::vec(one, 1..400).prop_map(|steps| {
        let mut time = 86_400_000;
        let sample = |(distance, value, masked): (i64, f64, bool)| {
            time += distance * 15_000;
            let time = Timestamp::from_millis(time);
            (Sample { time, value }, masked)
        };
        steps.into_iter().map(sample).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_restart_at_any_place_changes_not_a_bit(
        series in any_series(), place: prop::sample::Index, which in 0usize..3,
    ) {
        let (direction, learnt) = &DIRECTIONS[which];
        let spec = spec(*direction, 1.0);
        let place = place.index(series.len());
        let mut state = learnt.state.clone();
        let mut restarted = learnt.state.clone();
        for (index, (sample, masked)) in series.into_iter().enumerate() {
            if index == place {
                restarted = SeriesState::decode(&restarted.encode()).unwrap();
            }
            let said = judge(&mut state, Some(&learnt.model), sample, &spec, masked);
            let again = judge(&mut restarted, Some(&learnt.model), sample, &spec, masked);
            prop_assert_eq!(bits(&said), bits(&again));
        }
        prop_assert!(state.encode() == restarted.encode());
    }

    #[test]
    fn features_and_components_go_on_from_their_encoding(
        series in any_series(), place: prop::sample::Index, which in 0usize..3,
    ) {
        let (direction, learnt) = &DIRECTIONS[which];
        let season = Season::utc();
        let place = place.index(series.len());
        let (mut featuriser, mut components) = (Featuriser::default(), Components::default());
        let (mut featuriser_again, mut components_again) = (featuriser.clone(), components.clone());
        for (index, (sample, masked)) in series.into_iter().enumerate() {
            if index == place {
                featuriser_again = again(&featuriser_again);
                components_again = again(&components_again);
            }
            let how = How { season: &season, step: QUARTER, direction: *direction, masked };
            prop_assert_eq!(featuriser.push(sample, QUARTER), featuriser_again.push(sample, QUARTER));
            let said = components.step(sample, &learnt.model.fitted, how);
            prop_assert_eq!(said, components_again.step(sample, &learnt.model.fitted, how));
        }
        prop_assert_eq!(postcard::to_stdvec(&components).unwrap(), postcard::to_stdvec(&components_again).unwrap());
    }
}

/// All that was said, floats to the last bit.
fn bits(judged: &detect::Judgement) -> String {
    format!("{judged:?} {:?}", judged.score.map(f64::to_bits))
}

fn again<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    postcard::from_bytes(&postcard::to_stdvec(value).unwrap()).unwrap()
}
