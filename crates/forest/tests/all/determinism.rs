//! One data set, one seed, one forest, whatever the build: run in debug, in release and for the
//! native processor, these constants must hold.

use forest::{Forest, Parameters};

use crate::series;

/// FNV-1a, 64 bits.
fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn the_data_is_the_same_everywhere() {
    let rows = series::training().rows;
    assert_eq!(
        hash(rows.iter().flat_map(|value| value.to_le_bytes())),
        12_309_605_467_444_373_866
    );
}

#[test]
fn the_forest_and_its_scores_are_the_same_everywhere() {
    let parameters = Parameters {
        seed: 42,
        ..Parameters::default()
    };
    let forest = Forest::fit(&series::training().rows, series::FEATURES, &parameters).unwrap();
    assert_eq!(hash(forest.encode()), 8_435_736_011_203_869_641, "forest");

    let rows = series::labelled(2000).rows;
    let mut scores = Vec::new();
    forest.score_batch(&rows, &mut scores);
    let bits = scores.iter().flat_map(|score| score.to_le_bytes());
    assert_eq!(hash(bits), 5_598_562_826_361_512_676, "scores");

    let contributions = rows
        .chunks(series::FEATURES)
        .take(100)
        .flat_map(|row| forest.contributions(row).per_feature)
        .flat_map(f64::to_le_bytes);
    assert_eq!(
        hash(contributions),
        2_128_883_257_325_546_526,
        "contributions"
    );
}

#[test]
fn another_seed_gives_another_forest() {
    let rows = series::labelled(500).rows;
    let fit = |seed| {
        let parameters = Parameters {
            seed,
            ..Parameters::default()
        };
        Forest::fit(&rows, series::FEATURES, &parameters).unwrap()
    };
    assert_eq!(fit(1), fit(1));
    assert_ne!(fit(1), fit(2));
}
