//! Published facts about scores.

use forest::{Forest, Parameters, average_path_length};
use proptest::prelude::*;

use crate::series::{self, Random};

/// A cloud: the sum of four uniform draws on each axis, centred on 0 and within ±2.
fn cloud(features: usize, rows: usize) -> Vec<f64> {
    let mut random = Random(3);
    (0..rows * features)
        .map(|_| (0..4).map(|_| random.between(-0.5, 0.5)).sum())
        .collect()
}

fn cloud_forest(features: usize) -> Forest {
    Forest::fit(&cloud(features, 2000), features, &Parameters::default())
        .expect("a cloud can be fitted")
}

fn scores(forest: &Forest, rows: &[f64]) -> Vec<f64> {
    let mut scores = Vec::new();
    forest.score_batch(rows, &mut scores);
    scores
}

#[test]
fn average_path_lengths_are_the_published_ones() {
    // From scikit-learn's `_average_path_length`.
    for (n, length) in [
        (0, 0.0),
        (1, 0.0),
        (2, 1.0),
        (3, 1.207_392_357_589_623),
        (5, 2.327_020_052_042_847),
        (16, 4.695_531_732_007_486),
        (256, 10.244_770_920_119_917),
        (999, 12.967_939_884_427_995),
        (4096, 15.789_963_603_627_406),
    ] {
        let computed = average_path_length(n);
        assert!((computed - length).abs() < 1e-12, "c({n}) = {computed}");
    }
}

#[test]
fn training_rows_score_below_one_half_on_average() {
    for features in [1, 3, 5] {
        let rows = cloud(features, 2000);
        let scores = scores(&cloud_forest(features), &rows);
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        assert!((0.4..0.5).contains(&mean), "{features} features: {mean}");
    }
}

#[test]
fn rows_without_structure_score_about_one_half() {
    // Two rows: every tree isolates both at depth 1 = c(2).
    let forest = Forest::fit(&[0.0, 1.0], 1, &Parameters::default()).unwrap();
    assert_eq!(forest.score(&[0.0]), 0.5);
    assert_eq!(forest.score(&[1.0]), 0.5);
}

#[test]
fn clear_outliers_score_above_six_tenths() {
    let forest = cloud_forest(2);
    for row in [[5.0, 5.0], [-5.0, 5.0], [0.0, 6.0], [6.0, 0.0]] {
        assert!(forest.score(&row) > 0.6, "{row:?}: {}", forest.score(&row));
    }
    assert!(forest.score(&[0.0, 0.0]) < 0.45);
}

#[test]
fn farther_out_scores_no_less() {
    let forest = cloud_forest(1);
    let edge = cloud(1, 2000).into_iter().fold(0.0, f64::max);
    let scores: Vec<f64> = (0..100)
        .map(|step| forest.score(&[edge * (0.8 + 0.01 * f64::from(step))]))
        .collect();
    assert!(scores.is_sorted(), "{scores:?}");
    // Beyond all training rows nothing changes any more: why a range guard stands beside a forest.
    assert_eq!(forest.score(&[edge]), forest.score(&[1e300]));
}

#[test]
fn unusable_rows_score_nan() {
    let forest = cloud_forest(2);
    for row in [
        &[][..],
        &[0.0],
        &[0.0; 3],
        &[0.0, f64::NAN],
        &[f64::INFINITY, 0.0],
    ] {
        assert!(forest.score(row).is_nan(), "{row:?}");
        assert!(forest.contributions(row).score.is_nan());
        assert_eq!(forest.contributions(row).per_feature.len(), 2);
    }
    let scores = scores(&forest, &[0.0, 0.0, f64::NAN, 0.0, 0.0, 0.0, 0.0]);
    let usable: Vec<bool> = scores.iter().map(|score| score.is_finite()).collect();
    assert_eq!(usable, [true, false, true, false]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn batch_equals_single_to_the_last_bit(
        trees in 1_usize..40,
        sample_size in 2_usize..300,
        seed: u64,
        count in prop_oneof![0_usize..200, 500..530_usize, 1000..1500_usize],
        unusable: prop::sample::Index,
    ) {
        // Trees of up to 256 rows are laid out in full for many rows, higher ones aren't.
        let training = series::labelled(1500);
        let parameters = Parameters { trees, sample_size, seed };
        let forest = Forest::fit(&training.rows, series::FEATURES, &parameters).unwrap();
        let mut rows = training.rows[..count * series::FEATURES].to_vec();
        if count > 0 {
            let at = unusable.index(rows.len());
            rows[at] = f64::NAN;
        }
        let mut batch = vec![-1.0];
        forest.score_batch(&rows, &mut batch);
        prop_assert_eq!(batch.len(), count + 1);
        for (row, score) in rows.chunks(series::FEATURES).zip(&batch[1..]) {
            prop_assert_eq!(forest.score(row).to_bits(), score.to_bits());
        }
    }
}

#[test]
fn a_large_batch_equals_single_for_any_number_of_features() {
    for features in 1..12 {
        let forest = cloud_forest(features);
        let mut rows = cloud(features, 5000);
        rows.pop();
        let batch = scores(&forest, &rows);
        assert_eq!(batch.len(), rows.len().div_ceil(features));
        for (row, score) in rows.chunks(features).zip(&batch) {
            assert_eq!(forest.score(row).to_bits(), score.to_bits(), "{features}");
        }
    }
}
