//! What can be fitted and what is refused.

use forest::{FitError, Forest, Parameters};

use crate::series;

fn check_refused(rows: &[f64], features: usize, parameters: Parameters, expected: FitError) {
    let error = Forest::fit(rows, features, &parameters).expect_err("must be refused");
    // Compared as text: an error that names a NaN doesn't equal itself.
    assert_eq!(error.to_string(), expected.to_string());
}

#[test]
fn parameters_out_of_range_are_refused() {
    let rows = [0.0; 20];
    let usual = Parameters::default();
    for trees in [0, 1001, usize::MAX] {
        let parameters = Parameters { trees, ..usual };
        check_refused(&rows, 2, parameters, FitError::Trees { trees });
    }
    for sample_size in [0, 1, 4097, usize::MAX] {
        let parameters = Parameters {
            sample_size,
            ..usual
        };
        check_refused(&rows, 2, parameters, FitError::SampleSize { sample_size });
    }
    for features in [0, 33, usize::MAX] {
        check_refused(&rows, features, usual, FitError::Features { features });
    }
}

#[test]
fn unusable_rows_are_refused() {
    let usual = Parameters::default();
    check_refused(&[], 3, usual, FitError::TooFewRows { rows: 0 });
    check_refused(&[1.0; 3], 3, usual, FitError::TooFewRows { rows: 1 });
    let ragged = FitError::Ragged {
        values: 7,
        features: 3,
    };
    check_refused(&[1.0; 7], 3, usual, ragged);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut rows = [1.0; 12];
        rows[10] = value;
        let named = FitError::NonFinite {
            row: 3,
            feature: 1,
            value,
        };
        check_refused(&rows, 3, usual, named);
    }
}

#[test]
fn messages_name_the_value() {
    let error = FitError::NonFinite {
        row: 3,
        feature: 1,
        value: f64::NAN,
    };
    assert_eq!(
        error.to_string(),
        "use NaN in row 3, feature 1: only finite numbers can be fitted"
    );
}

#[test]
fn every_extreme_of_size_can_be_fitted() {
    for features in [1, 2, 31, 32] {
        for rows in [2, 3, 255, 256, 257, 5000] {
            for sample_size in [2, 3, 256, 4096] {
                let values: Vec<f64> = (0..rows * features)
                    .map(|i| (i * 7919 % 1013) as f64)
                    .collect();
                let parameters = Parameters {
                    trees: 3,
                    sample_size,
                    seed: 1,
                };
                let forest = Forest::fit(&values, features, &parameters).unwrap();
                assert_eq!(forest.sample_size(), sample_size.min(rows));
                assert_eq!((forest.features(), forest.trees()), (features, 3));
                let score = forest.score(&values[..features]);
                assert!(score > 0.0 && score < 1.0);
            }
        }
    }
}

#[test]
fn constant_rows_are_ordinary_and_cost_nothing() {
    let forest = Forest::fit(&[5.0; 600], 2, &Parameters::default()).unwrap();
    for row in [[5.0, 5.0], [9.0, -9.0]] {
        assert!((forest.score(&row) - 0.5).abs() < 1e-12);
    }
    assert!(forest.size_bytes() < 1000);
    assert_eq!(Forest::decode(&forest.encode()).unwrap(), forest);
}

#[test]
fn mostly_constant_rows_mix_trees_with_and_without_splits() {
    let mut rows = vec![5.0; 2000];
    rows[700] = 6.0;
    for seed in 0..20 {
        let parameters = Parameters {
            sample_size: 64,
            trees: 30,
            seed,
        };
        let forest = Forest::fit(&rows, 1, &parameters).unwrap();
        let score = forest.score(&[6.0]);
        assert!(score >= forest.score(&[5.0]));
        let mut batch = Vec::new();
        forest.score_batch(&[6.0], &mut batch);
        assert_eq!(batch, [score]);
        assert_eq!(Forest::decode(&forest.encode()).unwrap(), forest);
    }
}

#[test]
fn small_changes_of_large_values_are_told_apart() {
    // Bytes: eight billion and some, which an f32 can't tell apart.
    let rows: Vec<f64> = (0..1000).map(|i| 8e9 + f64::from(i * 37 % 101)).collect();
    let forest = Forest::fit(&rows, 1, &Parameters::default()).unwrap();
    assert!(forest.score(&[8e9 + 50.0]) < 0.5);
    assert!(forest.score(&[8e9 + 150.0]) > 0.6);
}

#[test]
fn extreme_values_can_be_fitted_and_scored() {
    let rows = [f64::MIN, f64::MAX, 0.0, 1.0, f64::MIN_POSITIVE, -1.0];
    let forest = Forest::fit(&rows, 1, &Parameters::default()).unwrap();
    for value in rows {
        assert!(forest.score(&[value]).is_finite());
        assert!(forest.contributions(&[value]).score.is_finite());
    }
}

#[test]
fn a_usual_forest_is_small() {
    let series = series::training();
    let forest = Forest::fit(&series.rows, series::FEATURES, &Parameters::default()).unwrap();
    assert!(
        forest.size_bytes() <= 75_000,
        "{} bytes",
        forest.size_bytes()
    );
    assert!(forest.encode().len() <= 60_000);
}
