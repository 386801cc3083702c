//! What must be the same in every build, as hashes: the tests hold them to constants, the example
//! `hashes` prints them.

use forest::{Forest, Parameters};

use crate::series;

/// Names with the hashes of the data, of a forest, and of what it says.
pub fn hashes() -> [(&'static str, u64); 4] {
    let training = series::training().rows;
    let parameters = Parameters {
        seed: 42,
        ..Parameters::default()
    };
    let forest =
        Forest::fit(&training, series::FEATURES, &parameters).expect("a series can be fitted");
    let rows = series::labelled(2000).rows;
    let mut scores = Vec::new();
    forest.score_batch(&rows, &mut scores);
    let contributions = rows
        .chunks(series::FEATURES)
        .take(100)
        .flat_map(|row| forest.contributions(row).per_feature);
    [
        ("data", of_values(training)),
        ("forest", hash(forest.encode())),
        ("scores", of_values(scores)),
        ("contributions", of_values(contributions)),
    ]
}

fn of_values(values: impl IntoIterator<Item = f64>) -> u64 {
    hash(values.into_iter().flat_map(f64::to_le_bytes))
}

/// FNV-1a, 64 bits.
fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
