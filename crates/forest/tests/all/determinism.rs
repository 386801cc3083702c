//! One data set, one seed, one forest, whatever the build: run in debug, in release and for the
//! native processor, these constants must hold (`scripts/check_builds.sh` runs all three).

use forest::{Forest, Parameters};

use crate::hashes::hashes;
use crate::series;

#[test]
fn the_forest_and_its_scores_are_the_same_everywhere() {
    assert_eq!(
        hashes(),
        [
            ("data", 12_309_605_467_444_373_866),
            ("forest", 15_412_362_842_141_418_086),
            ("scores", 5_598_562_826_361_512_676),
            ("contributions", 2_128_883_257_325_546_526),
        ]
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
