//! The average length of an unsuccessful search in a binary search tree: what a leaf adds to the
//! depth, and what scores are normalised by.

use std::sync::LazyLock;

use crate::SAMPLE_SIZE_MAX;

const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// `c(n) = 2 H(n − 1) − 2 (n − 1) / n` with `H(i) ≈ ln i + γ`, in splits (equation 1 of the papers).
///
/// By the 2012 paper's convention `c(2) = 1` and `c(n) = 0` for `n < 2`; scikit-learn does the same.
///
/// ```
/// assert_eq!(forest::average_path_length(2), 1.0);
/// assert!((forest::average_path_length(256) - 10.244_770_920_120).abs() < 1e-11);
/// ```
pub fn average_path_length(n: usize) -> f64 {
    match n {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let n = n as f64;
            2.0 * (libm::log(n - 1.0) + EULER_GAMMA) - 2.0 * (n - 1.0) / n
        }
    }
}

/// [`average_path_length`] of every size a leaf may have, by size. One table for all forests, so
/// that it stays in the cache when forests don't.
pub(crate) fn average_path_lengths() -> &'static [f64; SAMPLE_SIZE_MAX + 1] {
    static TABLE: LazyLock<Box<[f64; SAMPLE_SIZE_MAX + 1]>> =
        LazyLock::new(|| Box::new(std::array::from_fn(average_path_length)));
    &TABLE
}
