//! What is an anomaly, in which direction, and how often one is allowed to be wrong.

use detect::{RARITY_MAX, SeriesState};
use domain::{Direction, MetricSpec, Prediction, Reason, Sample, Silence};

use crate::series::*;

const DIRECTIONS: [Direction; 3] = [Direction::Up, Direction::Down, Direction::Both];

/// The judgements of single samples `k` deviations away, each right after the same day.
fn excursions(spec: &MetricSpec, sign: f64) -> Vec<detect::Judgement> {
    let day = a_day(3, spec);
    (0..=20)
        .map(|k| {
            let sample = Sample {
                time: at(DAY),
                value: 30.0 + sign * 3.0 * f64::from(k),
            };
            let mut state = day.state.clone();
            judge(&mut state, Some(&day.model), sample, spec, false)
        })
        .collect()
}

fn is_bad(direction: Direction, sign: f64) -> bool {
    match direction {
        Direction::Up => sign > 0.0,
        Direction::Down => sign < 0.0,
        Direction::Both => true,
    }
}

#[test]
fn larger_excursions_never_score_lower() {
    for direction in DIRECTIONS {
        for sign in [1.0, -1.0] {
            if !is_bad(direction, sign) {
                continue;
            }
            let judged = excursions(&spec(direction, 1.0), sign);
            let scores: Vec<f64> = judged.iter().map(|j| j.score.unwrap()).collect();
            for pair in scores.windows(2) {
                assert!(
                    pair[1] >= pair[0] - 0.05,
                    "{direction:?} {sign}: {scores:?}"
                );
            }
            let (middle, end) = (scores[0], scores[20]);
            assert!(
                middle < 1.0 && end > 3.0 && end <= RARITY_MAX,
                "{direction:?} {sign}: {scores:?}"
            );
        }
    }
}

#[test]
fn only_the_bad_direction_is_an_anomaly() {
    for direction in DIRECTIONS {
        for sign in [1.0, -1.0] {
            let judged = excursions(&spec(direction, 1.0), sign);
            let anomalous: Vec<bool> = judged
                .iter()
                .map(|j| j.prediction == Prediction::Anomaly)
                .collect();
            let expected = is_bad(direction, sign);
            assert!(!anomalous[0] && !anomalous[1], "within a deviation");
            assert!(
                anomalous[8..].iter().all(|a| *a == expected),
                "{direction:?} {sign}: {anomalous:?}"
            );
            if !expected {
                assert!(!anomalous.contains(&true), "{direction:?} {sign}");
            }
        }
    }
}

/// Pearson's, between the scores of a day and a function of its values.
fn correlation(direction: Direction, of: fn(f64) -> f64) -> f64 {
    let spec = spec(direction, 1.0);
    let mut day = a_day(3, &spec);
    let pairs: Vec<(f64, f64)> = stationary(4, DAY, 2000)
        .into_iter()
        .map(|sample| {
            let judged = judge(&mut day.state, Some(&day.model), sample, &spec, false);
            (of(sample.value), judged.score.unwrap())
        })
        .collect();
    let mean = |part: fn(&(f64, f64)) -> f64| pairs.iter().map(part).sum::<f64>() / 2000.0;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
        pairs.iter().map(|p| term(p.0 - x, p.1 - y)).sum()
    };
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

#[test]
fn the_score_runs_with_the_value_in_the_bad_direction() {
    let up = correlation(Direction::Up, |value| value);
    let down = correlation(Direction::Down, |value| value);
    let both = correlation(Direction::Both, |value| (value - 30.0).abs());
    assert!(up > 0.4, "{up}");
    assert!(down < -0.4, "{down}");
    assert!(both > 0.6, "{both}");
}

#[test]
fn a_quiet_day_keeps_the_alarm_budget() {
    for minimum_deviation in [10.0, 1.0] {
        let spec = spec(Direction::Up, minimum_deviation);
        let mut alarms = 0;
        for seed in 10..14 {
            let mut day = a_day(seed, &spec);
            let fresh = stationary(seed + 100, DAY, DAY);
            alarms += fresh
                .into_iter()
                .filter(|sample| {
                    let judged = judge(&mut day.state, Some(&day.model), *sample, &spec, false);
                    judged.prediction == Prediction::Anomaly
                })
                .count();
        }
        assert!(alarms <= 4, "{minimum_deviation}: {alarms} in four days");
    }
}

#[test]
fn a_step_is_an_anomaly_at_its_first_sample_and_stays_one() {
    for seed in 0..5 {
        let mut day = a_day(seed, &cpu());
        for mut sample in stationary(seed + 50, DAY, 40) {
            sample.value += 60.0;
            let judged = judge(&mut day.state, Some(&day.model), sample, &cpu(), false);
            assert_eq!(
                judged.prediction,
                Prediction::Anomaly,
                "{:?}",
                judged.reason
            );
            if sample.time < at(DAY + 10) {
                assert!(judged.score.unwrap() > 4.0, "{:?}", judged.score);
            }
        }
    }
}

#[test]
fn an_anomaly_says_by_which_features() {
    let mut day = a_day(1, &cpu());
    let sample = Sample {
        time: at(DAY),
        value: 90.0,
    };
    let judged = judge(&mut day.state, Some(&day.model), sample, &cpu(), false);
    assert!(matches!(judged.reason, Some(Reason::OutOfRange { .. })));
    let contributions = judged.contributions.unwrap();
    let largest = contributions.iter().copied().fold(0.0, f64::max);
    assert!(largest > 0.0);
    let [_, _, rolling_mean, rolling_std, _] = contributions;
    assert!(
        rolling_mean < largest && rolling_std < largest,
        "{contributions:?}"
    );
}

#[test]
fn what_is_rare_but_small_is_no_anomaly() {
    let spec = spec(Direction::Up, 40.0);
    let mut day = a_day(1, &spec);
    let sample = Sample {
        time: at(DAY),
        value: 65.0,
    };
    let judged = judge(&mut day.state, Some(&day.model), sample, &spec, false);
    assert_eq!(judged.prediction, Prediction::Normal, "{:?}", judged.reason);
}

#[test]
fn the_harmless_side_is_no_anomaly_however_odd() {
    let spec = spec(Direction::Up, 1.0);
    let mut day = a_day(1, &spec);
    let mut says = |index, value| {
        let sample = Sample {
            time: at(DAY + index),
            value,
        };
        judge(&mut day.state, Some(&day.model), sample, &spec, true)
    };
    for index in 0..60 {
        let value = [-30.0, 0.0, 15.0, -60.0, -15.0][index % 5];
        assert_eq!(says(index, value).prediction, Prediction::Normal);
    }
    for index in 60..90 {
        says(index, 90.0);
    }
    let judged = says(90, -60.0);
    assert_eq!(judged.reason, Some(Reason::HarmlessDirection));
    assert_eq!(judged.prediction, Prediction::Normal);
}

#[test]
fn without_a_model_or_a_window_it_is_silent() {
    let mut state = SeriesState::default();
    let sample = |index| Sample {
        time: at(index),
        value: 1.0,
    };
    let judged = judge(&mut state, None, sample(0), &cpu(), false);
    assert_eq!(judged.prediction, Prediction::Unknown);
    assert_eq!(judged.silence, Some(Silence::NoModel));
    let model = a_day(1, &cpu()).model;
    for index in 1..WARM_UP {
        let judged = judge(&mut state, Some(&model), sample(index), &cpu(), false);
        assert_eq!(judged.silence, Some(Silence::WarmingUp));
        assert!(judged.band.is_some(), "the band is known all the same");
    }
    let judged = judge(&mut state, Some(&model), sample(WARM_UP), &cpu(), false);
    assert_eq!(judged.silence, None);
}

/// What the calibrators hold.
fn calibrators(state: &SeriesState) -> Vec<serde_json::Value> {
    let state = serde_json::to_value(state).unwrap();
    state["calibrators"].as_array().unwrap().clone()
}

#[test]
fn masked_samples_teach_nothing() {
    let day = a_day(1, &cpu());
    for masked in [true, false] {
        let mut state = day.state.clone();
        for sample in stationary(9, DAY, 200) {
            judge(&mut state, Some(&day.model), sample, &cpu(), masked);
        }
        let same = calibrators(&state) == calibrators(&day.state);
        assert_eq!(same, masked);
        assert_eq!(state.newest().unwrap().time, at(DAY + 199));
    }
}

#[test]
fn masked_or_not_a_sample_is_judged_the_same() {
    let day = a_day(1, &cpu());
    for value in [30.0, 50.0, 90.0] {
        let sample = Sample {
            time: at(DAY),
            value,
        };
        let says = |masked| {
            judge(
                &mut day.state.clone(),
                Some(&day.model),
                sample,
                &cpu(),
                masked,
            )
        };
        let masked = says(true);
        assert!(masked.held);
        let held = masked.held;
        assert_eq!(
            masked,
            detect::Judgement {
                held,
                ..says(false)
            }
        );
    }
}

#[test]
fn the_state_is_bounded() {
    let mut state = SeriesState::default();
    let model = a_day(1, &cpu()).model;
    for sample in stationary(1, 0, 3 * DAY) {
        judge(&mut state, Some(&model), sample, &cpu(), false);
    }
    assert!(state.encode().len() < 64_000, "{}", state.encode().len());
}

#[test]
fn a_shift_stays_an_anomaly_for_an_hour_and_is_then_adopted() {
    let mut day = a_day(7, &cpu());
    let mut shifted = stationary(8, DAY, 2 * DAY);
    for sample in &mut shifted {
        sample.value += 17.0;
    }
    let judged: Vec<detect::Judgement> = shifted
        .into_iter()
        .map(|sample| judge(&mut day.state, Some(&day.model), sample, &cpu(), false))
        .collect();
    let share = |judged: &[detect::Judgement], counts: fn(&detect::Judgement) -> bool| {
        judged.iter().filter(|j| counts(j)).count() as f64 / judged.len() as f64
    };
    let an_hour = 240;
    let first = share(&judged[4..an_hour], |j| j.prediction == Prediction::Anomaly);
    assert!(first > 0.9, "{first} of the first hour");
    // The out-of-range guard goes with the model, which the next training replaces.
    let adopted = share(&judged[DAY..], |j| {
        j.prediction == Prediction::Anomaly && !matches!(j.reason, Some(Reason::OutOfRange { .. }))
    });
    assert!(adopted < 0.01, "{adopted} of the second day");
}

#[test]
fn what_grows_for_hours_stays_an_anomaly() {
    let mut day = a_day(7, &cpu());
    let an_hour = 240;
    let mut growing = stationary(8, DAY, 5 * an_hour);
    for (index, sample) in growing.iter_mut().enumerate() {
        sample.value += 12.0 * index as f64 / an_hour as f64;
    }
    let predictions: Vec<Prediction> = growing
        .into_iter()
        .map(|sample| judge(&mut day.state, Some(&day.model), sample, &cpu(), false).prediction)
        .collect();
    let anomalies =
        |hour: &[Prediction]| hour.iter().filter(|p| **p == Prediction::Anomaly).count();
    for hour in predictions.chunks(an_hour).skip(2) {
        assert!(anomalies(hour) > an_hour * 9 / 10, "{}", anomalies(hour));
    }
}
