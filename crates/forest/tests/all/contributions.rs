//! Contributions sum to the score's distance from normal and point at the right feature.

use forest::{Forest, Parameters};
use proptest::prelude::*;

use crate::series::{self, Random};

#[test]
fn the_odd_feature_contributes_most() {
    let mut random = Random(5);
    let rows: Vec<f64> = (0..4000).map(|_| random.between(-1.0, 1.0)).collect();
    let forest = Forest::fit(&rows, 4, &Parameters::default()).unwrap();
    for odd in 0..4 {
        let mut row = [0.0; 4];
        row[odd] = 5.0;
        let why = forest.contributions(&row);
        for (feature, contribution) in why.per_feature.iter().enumerate() {
            assert!(
                feature == odd || *contribution < why.per_feature[odd] / 2.0,
                "{odd}: {:?}",
                why.per_feature
            );
        }
    }
}

#[test]
fn a_constant_feature_contributes_nothing() {
    let rows: Vec<f64> = (0..500).flat_map(|i| [f64::from(i % 17), 3.0]).collect();
    let forest = Forest::fit(&rows, 2, &Parameters::default()).unwrap();
    let why = forest.contributions(&[40.0, 90.0]);
    assert_eq!(why.per_feature[1], 0.0);
    assert!(why.per_feature[0] > 0.0);
}

#[test]
fn baseline_is_the_score_of_the_mean_training_path() {
    // With all rows in every tree, E₀ is the mean path length of the training rows.
    let rows = &series::labelled(200).rows;
    let parameters = Parameters {
        sample_size: 256,
        ..Parameters::default()
    };
    let forest = Forest::fit(rows, series::FEATURES, &parameters).unwrap();
    let normaliser = forest::average_path_length(forest.sample_size());
    let lengths: Vec<f64> = rows
        .chunks(series::FEATURES)
        .map(|row| -forest.score(row).log2() * normaliser)
        .collect();
    let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
    let baseline = forest.contributions(&rows[..series::FEATURES]).baseline;
    assert!((baseline - (-mean / normaliser).exp2()).abs() < 1e-9);
}

#[test]
fn constant_training_rows_give_zero_contributions() {
    let forest = Forest::fit(&[1.0; 100], 2, &Parameters::default()).unwrap();
    let why = forest.contributions(&[1.0, 7.0]);
    assert_eq!(why.score, why.baseline);
    assert!((why.score - 0.5).abs() < 1e-12);
    assert_eq!(why.per_feature, [0.0, 0.0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn contributions_sum_to_the_distance_from_normal(
        features in 1_usize..8,
        values in prop::collection::vec(-1e3_f64..1e3, 16..400),
        trees in 1_usize..50,
        sample_size in 2_usize..100,
        seed: u64,
        row in prop::array::uniform8(-2e3_f64..2e3),
    ) {
        let rows = &values[..values.len() / features * features];
        let parameters = Parameters { trees, sample_size, seed };
        let forest = Forest::fit(rows, features, &parameters).unwrap();
        for row in rows.chunks(features).take(10).chain([&row[..features]]) {
            let why = forest.contributions(row);
            prop_assert_eq!(why.score.to_bits(), forest.score(row).to_bits());
            let sum: f64 = why.per_feature.iter().sum();
            prop_assert!((why.baseline + sum - why.score).abs() < 1e-9);
        }
    }
}
