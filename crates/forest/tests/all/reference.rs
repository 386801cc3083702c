//! Scores against those of scikit-learn on the same rows.
//!
//! The fixture holds scikit-learn's score of each test row. To make it anew, run the example
//! `export_rows` and then `fixtures/sklearn_scores.py` on the same folder.

use forest::{Forest, Parameters};

use crate::series;

fn sklearn_scores() -> Vec<f64> {
    include_str!("../fixtures/sklearn_scores.csv")
        .lines()
        .skip(1)
        .map(|line| line.parse().expect("a score a line"))
        .collect()
}

fn own_scores(seed: u64) -> Vec<f64> {
    let parameters = Parameters {
        seed,
        ..Parameters::default()
    };
    let forest = Forest::fit(&series::training().rows, series::FEATURES, &parameters)
        .expect("a series can be fitted");
    let mut scores = Vec::new();
    forest.score_batch(&series::labelled(series::TEST_ROWS).rows, &mut scores);
    scores
}

#[test]
fn scores_rank_as_scikit_learn_ranks() {
    let reference = sklearn_scores();
    for seed in 0..5 {
        let correlation = correlation(&ranks(&own_scores(seed)), &ranks(&reference));
        assert!(correlation >= 0.9, "seed {seed}: Spearman {correlation}");
    }
}

#[test]
fn scores_are_near_scikit_learns() {
    let reference = sklearn_scores();
    for seed in 0..5 {
        let own = own_scores(seed);
        let differences = own.iter().zip(&reference).map(|(own, other)| own - other);
        let mean = differences.sum::<f64>() / own.len() as f64;
        assert!(mean.abs() < 0.02, "seed {seed}: {mean} on average");
    }
}

#[test]
fn anomalies_are_told_apart_as_by_scikit_learn() {
    let anomalous = series::labelled(series::TEST_ROWS).anomalous;
    let reference = area_under_curve(&sklearn_scores(), &anomalous);
    for seed in 0..5 {
        let own = area_under_curve(&own_scores(seed), &anomalous);
        assert!(
            own >= 0.9 && (own - reference).abs() <= 0.01,
            "seed {seed}: {own}, scikit-learn {reference}"
        );
    }
}

/// Mean rank among equals, from 1.
fn ranks(values: &[f64]) -> Vec<f64> {
    values
        .iter()
        .map(|value| {
            let below = values.iter().filter(|other| *other < value).count();
            let equal = values.iter().filter(|other| *other == value).count();
            below as f64 + (equal as f64 + 1.0) / 2.0
        })
        .collect()
}

/// Pearson's.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |term: fn(f64, f64) -> f64| {
        let pairs = a.iter().zip(b);
        pairs
            .map(|(a, b)| term(a - mean_a, b - mean_b))
            .sum::<f64>()
    };
    sum(|a, b| a * b) / (sum(|a, _| a * a) * sum(|_, b| b * b)).sqrt()
}

/// Under the receiver operating characteristic, by the rank sum.
fn area_under_curve(scores: &[f64], anomalous: &[bool]) -> f64 {
    let ranks = ranks(scores);
    let positive = anomalous.iter().filter(|anomalous| **anomalous).count() as f64;
    let negative = anomalous.len() as f64 - positive;
    let sum: f64 = ranks
        .iter()
        .zip(anomalous)
        .filter_map(|(rank, anomalous)| anomalous.then_some(rank))
        .sum();
    (sum - positive * (positive + 1.0) / 2.0) / (positive * negative)
}
