//! Fitting a forest: what may be asked for, and why it may be refused.

use thiserror::Error;

use crate::axis::Axis;
use crate::grow::{Grower, Sampler};
use crate::random::Random;
use crate::{FEATURES_MAX, Forest, SAMPLE_SIZE_MAX, TREES_MAX};

/// How a forest is grown. The defaults are the paper's: 100 trees of 256 rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Number of trees, 1 to [`TREES_MAX`].
    pub trees: usize,
    /// Rows drawn for each tree, without replacement, 2 to [`SAMPLE_SIZE_MAX`]. With fewer rows
    /// than that, every tree sees all of them.
    pub sample_size: usize,
    /// Where the random sequence begins.
    pub seed: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            trees: 100,
            sample_size: 256,
            seed: 0,
        }
    }
}

/// Why no forest was grown.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum FitError {
    #[error("fit a forest of {trees} trees: 1 to {TREES_MAX} are possible")]
    Trees { trees: usize },
    #[error("fit trees of {sample_size} rows: 2 to {SAMPLE_SIZE_MAX} are possible")]
    SampleSize { sample_size: usize },
    #[error("fit rows of {features} features: 1 to {FEATURES_MAX} are possible")]
    Features { features: usize },
    #[error("split {values} values into rows of {features}")]
    Ragged { values: usize, features: usize },
    #[error("fit a forest on {rows} rows: at least 2 are needed")]
    TooFewRows { rows: usize },
    #[error("use {value} in row {row}, feature {feature}: only finite numbers can be fitted")]
    NonFinite {
        row: usize,
        feature: usize,
        value: f64,
    },
}

impl Forest {
    /// Grows a forest from row-major `rows` of `features` values each.
    ///
    /// Each tree splits a random sub-sample until a row is alone, all rows of a node are equal, or
    /// ⌈log₂ ψ⌉ splits are passed. A split takes one of the features that differ within the node,
    /// and a value between its smallest and largest there, both uniformly.
    ///
    /// # Errors
    ///
    /// A parameter out of range, fewer than two rows, a length that is no multiple of `features`,
    /// or a value that isn't finite (the first one is named).
    pub fn fit(rows: &[f64], features: usize, parameters: &Parameters) -> Result<Forest, FitError> {
        let Parameters {
            trees,
            sample_size,
            seed,
        } = *parameters;
        if !(1..=TREES_MAX).contains(&trees) {
            return Err(FitError::Trees { trees });
        }
        if !(2..=SAMPLE_SIZE_MAX).contains(&sample_size) {
            return Err(FitError::SampleSize { sample_size });
        }
        let axes = axes(rows, features)?;

        let row_count = rows.len() / features;
        let sample_size = sample_size.min(row_count);
        let mut random = Random::new(seed);
        let mut sampler = Sampler::new(row_count, sample_size);
        let mut grower = Grower::new(features, sample_size);
        let mut starts = vec![0];
        let mut nodes = Vec::new();
        for _ in 0..trees {
            grower.load(rows, &axes, sampler.draw(&mut random));
            grower.grow(&mut random, &mut nodes);
            starts.push(nodes.len() as u32);
        }
        Ok(Forest {
            axes,
            sample_size,
            starts: starts.into(),
            nodes: nodes.into(),
        })
    }
}

/// Checks the rows and finds the range of each feature.
fn axes(rows: &[f64], features: usize) -> Result<Box<[Axis]>, FitError> {
    if !(1..=FEATURES_MAX).contains(&features) {
        return Err(FitError::Features { features });
    }
    if !rows.len().is_multiple_of(features) {
        let values = rows.len();
        return Err(FitError::Ragged { values, features });
    }
    if rows.len() < 2 * features {
        let rows = rows.len() / features;
        return Err(FitError::TooFewRows { rows });
    }
    if let Some(at) = rows.iter().position(|value| !value.is_finite()) {
        return Err(FitError::NonFinite {
            row: at / features,
            feature: at % features,
            value: rows[at],
        });
    }
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); features];
    for row in rows.chunks_exact(features) {
        for ((min, max), value) in ranges.iter_mut().zip(row) {
            *min = if *value < *min { *value } else { *min };
            *max = if *value > *max { *value } else { *max };
        }
    }
    Ok(ranges
        .into_iter()
        .map(|(min, max)| Axis::spanning(min, max))
        .collect())
}
