//! Every knob of training turns what it says, and what is learnt is what it is learnt from.

use detect::featurise::Featuriser;
use detect::{Outcome, Settings};
use domain::Sample;

use crate::series::*;

/// The rows and the oldest sample of a model trained on 4,000 samples.
fn check_window(settings: Settings, samples_in_window: usize) {
    let samples = stationary(1, 0, 4000);
    let header = trained(train(&samples, &[], &settings, None)).model.header;
    assert_eq!(header.rows as usize, samples_in_window - WARM_UP);
    assert_eq!(header.window_from, at(4000 - samples_in_window));
    assert_eq!(header.window_to, at(3999));
    assert_eq!(header.trained_at, at(3999));
}

#[test]
fn the_window_decides_which_samples_are_learnt() {
    for hours_ in [5, 6, 8, 16] {
        let settings = Settings {
            window: hours(hours_),
            ..settings()
        };
        check_window(settings, hours_ as usize * 240 + 1);
    }
    check_window(settings(), 4000);
}

#[test]
fn a_window_with_too_few_samples_grows_back() {
    for (window_min_samples, expected) in [(100, 241), (242, 242), (3000, 3000), (9000, 4000)] {
        let settings = Settings {
            window: hours(1),
            window_min_samples,
            min_samples: 10,
            ..settings()
        };
        check_window(settings, expected);
    }
}

#[test]
fn min_samples_counts_rows() {
    for (count, enough) in [(124, false), (125, true)] {
        match train(&stationary(1, 0, count), &[], &settings(), None) {
            Outcome::NotEnoughSamples { have, need } => {
                assert!(!enough);
                assert_eq!((have, need), (count - WARM_UP, 120));
            }
            outcome => assert!(enough, "{outcome:?}"),
        }
    }
}

#[test]
fn nothing_is_learnt_from_nothing_whatever_the_knobs_say() {
    let settings = Settings {
        min_samples: 0,
        ..settings()
    };
    for count in 0..=WARM_UP + 1 {
        let outcome = train(&stationary(1, 0, count), &[], &settings, None);
        assert!(
            matches!(outcome, Outcome::NotEnoughSamples { .. }),
            "{count}: {outcome:?}"
        );
    }
    trained(train(&stationary(1, 0, WARM_UP + 2), &[], &settings, None));
}

#[test]
fn contamination_is_the_share_of_rows_that_is_flagged() {
    let samples = stationary(1, 0, DAY);
    for contamination in [0.01, 0.05, 0.2] {
        let settings = Settings {
            contamination,
            ..settings()
        };
        let model = trained(train(&samples, &[], &settings, None)).model;
        let share = model.header.raw_share;
        assert!(
            (share - contamination).abs() < contamination / 4.0,
            "{contamination}: {share}"
        );
        let mut featuriser = Featuriser::default();
        let rows = samples.iter().filter_map(|s| featuriser.push(*s, STEP));
        let flagged =
            rows.filter(|row| model.forest.score(&row.as_array()) > model.forest_threshold);
        let counted = flagged.count() as f64 / model.header.rows as f64;
        assert_eq!(counted, share, "the header says what is so");
    }
}

#[test]
fn a_gap_costs_one_row() {
    let mut samples = stationary(1, 0, 2000);
    samples.drain(1000..1004);
    let header = trained(train(&samples, &[], &settings(), None))
        .model
        .header;
    assert_eq!(header.rows as usize, samples.len() - WARM_UP - 1);
}

/// A stationary series with an episode of +50 that lasts so many samples.
fn with_episode(length: usize) -> Vec<Sample> {
    let mut samples = stationary(1, 0, 3000);
    for sample in &mut samples[1500..1500 + length] {
        sample.value += 50.0;
    }
    samples
}

#[test]
fn masked_rows_are_counted_and_shape_nothing() {
    let samples = with_episode(100);
    let masks = [(at(1500), at(1599))];
    let masked = trained(train(&samples, &masks, &settings(), None)).model;
    assert_eq!(masked.header.masked_rows, 100);
    assert_eq!(masked.header.rows as usize, 3000 - WARM_UP - 100);
    let naive = trained(train(&samples, &[], &settings(), None)).model;
    assert_eq!(naive.header.masked_rows, 0);
    assert!(
        masked.extremes.1 < 50.0 && naive.extremes.1 > 70.0,
        "the mask does it"
    );
    let without: Vec<Sample> = [&samples[WARM_UP..1500], &samples[1600..]].concat();
    let season = detect::Season::utc();
    let band = detect::SeasonalBand::fit(&without, &season, 10.0);
    assert_eq!(masked.band, band);
}

#[test]
fn the_calibrators_do_not_learn_what_is_masked() {
    let samples = with_episode(400);
    let masks = [(at(1500), at(1899))];
    let spike = |trained: Learnt| {
        let mut state = trained.state;
        let sample = samples_of_one(3000, 80.0);
        judge(&mut state, Some(&trained.model), sample, &cpu(), false).score
    };
    let masked = spike(trained(train(&samples, &masks, &settings(), None)));
    let naive = spike(trained(train(&samples, &[], &settings(), None)));
    assert!(masked > naive, "{masked:?} {naive:?}");
}

fn samples_of_one(index: usize, value: f64) -> Sample {
    Sample {
        time: at(index),
        value,
    }
}

#[test]
fn a_window_masked_whole_is_not_enough() {
    let samples = stationary(1, 0, 2000);
    let outcome = train(&samples, &[(at(0), at(5000))], &settings(), None);
    assert!(
        matches!(outcome, Outcome::NotEnoughSamples { have: 0, .. }),
        "{outcome:?}"
    );
}

#[test]
fn a_constant_series_is_ordinary() {
    let constant = samples(0, [7.0; 2000]);
    let mut trained = trained(train(&constant, &[], &settings(), None));
    let header = &trained.model.header;
    assert!(header.constant);
    assert_eq!(
        (header.raw_share, trained.model.extremes),
        (0.0, (7.0, 7.0))
    );
    let mut says = |index, value| {
        let sample = samples_of_one(index, value);
        judge(
            &mut trained.state,
            Some(&trained.model),
            sample,
            &cpu(),
            false,
        )
        .prediction
    };
    assert_eq!(says(2000, 7.0), domain::Prediction::Normal);
    assert_eq!(says(2001, 10.0), domain::Prediction::Normal, "a trifle");
    assert_eq!(says(2002, 40.0), domain::Prediction::Anomaly);
}

#[test]
fn the_old_model_is_kept_where_it_describes_the_recent_values_better() {
    let usual = stationary(1, 0, 2000);
    let old = trained(train(&usual, &[], &settings(), None)).model;
    let mut samples = stationary(2, 2000, 2000);
    for sample in &mut samples[..1700] {
        sample.value += 60.0;
    }
    match train(&samples, &[], &settings(), Some(&old)) {
        Outcome::KeptOld { new_loss, old_loss } => {
            assert!((new_loss - 60.0).abs() < 3.0, "{new_loss}");
            assert!(old_loss < 5.0, "{old_loss}");
        }
        outcome => panic!("{outcome:?}"),
    }
    let max_age = at(3999).since(old.header.trained_at);
    let settings = Settings {
        max_age,
        ..settings()
    };
    trained(train(&samples, &[], &settings, Some(&old)));
}

#[test]
fn the_memory_outlives_a_model() {
    let old = trained(train(&stationary(1, 0, 2000), &[], &settings(), None)).model;
    let outcome = train(&stationary(2, 2000, 2000), &[], &settings(), Some(&old));
    assert!(matches!(outcome, Outcome::Trained(trained) if trained.state.is_none()));
}

#[test]
fn a_real_shift_is_learnt() {
    let old = trained(train(&stationary(1, 0, 2000), &[], &settings(), None)).model;
    let shifted = samples(2000, (0..2000).map(|i| 70.0 + f64::from(i % 7)));
    let new = trained(train(&shifted, &[], &settings(), Some(&old))).model;
    assert!(new.extremes.0 >= 70.0);
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let samples = with_episode(100);
    let bytes = |settings: &Settings| {
        let trained = trained(train(&samples, &[], settings, None));
        (trained.model.encode(), trained.state.encode())
    };
    assert!(bytes(&settings()) == bytes(&settings()));
    let seed = Settings {
        seed: 1,
        ..settings()
    };
    assert!(bytes(&seed) != bytes(&settings()));
}

#[test]
fn every_series_has_a_forest_of_its_own() {
    let samples = stationary(1, 0, 1000);
    let forest = |service: &str| {
        let set = detect::TrainingSet {
            series: &id(service),
            samples: &samples,
            masks: &[],
            step: STEP,
        };
        let season = detect::Season::utc();
        trained(detect::train(
            set,
            &cpu(),
            &settings(),
            &season,
            at(999),
            None,
        ))
        .model
        .forest
    };
    assert!(forest("pay") != forest("cart"));
}
