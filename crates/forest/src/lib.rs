//! Isolation Forest (Liu, Ting, Zhou: *Isolation Forest*, ICDM 2008; *Isolation-Based Anomaly
//! Detection*, TKDD 2012) on rows of `f64`: fit, score, contributions, stable encoding.
//!
//! The crate is pure: no clock, disk, network or thread, and no platform arithmetic. The same rows,
//! parameters and seed give the same forest and the same scores, bit for bit, in every build.
//! Choosing thresholds, calibrating scores and deciding what is an incident is left to others.
//!
//! ```
//! use forest::{Forest, Parameters};
//!
//! // 600 rows of two features, row-major.
//! let rows: Vec<f64> = (0..600)
//!     .flat_map(|i| [f64::from(i % 20), f64::from(i * 7 % 31)])
//!     .collect();
//! let forest = Forest::fit(&rows, 2, &Parameters::default())?;
//!
//! assert!(forest.score(&[10.0, 15.0]) < 0.5);
//! assert!(forest.score(&[90.0, 90.0]) > 0.6);
//!
//! let why = forest.contributions(&[90.0, 15.0]);
//! assert!(why.per_feature[0] > why.per_feature[1]);
//!
//! let stored = forest.encode();
//! assert_eq!(Forest::decode(&stored)?, forest);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fit;
mod grow;
mod tree;

mod batch;
mod contributions;
mod score;
mod trees;

mod axis;
mod encoding;
mod path_length;
mod random;

pub use contributions::Contributions;
pub use encoding::DecodeError;
pub use fit::{FitError, Parameters};
pub use path_length::average_path_length;
pub use trees::{TreeNode, TreeSummary};

use axis::Axis;
use tree::{Link, Node};

/// Most features a row may have.
pub const FEATURES_MAX: usize = 32;
/// Most trees a forest may have.
pub const TREES_MAX: usize = 1000;
/// Most rows a tree may be grown from.
pub const SAMPLE_SIZE_MAX: usize = 4096;

/// A fitted isolation forest.
///
/// Made by [`Forest::fit`] or [`Forest::decode`], never changed afterwards. A hundred trees of 256
/// rows take about 60 KB: eight bytes a split, nothing for leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    axes: Box<[Axis]>,
    /// Rows each tree was grown from: ψ in the papers.
    sample_size: usize,
    /// Where each tree begins in `nodes`, and where the last one ends.
    starts: Box<[u32]>,
    /// All trees, one after the other, each in preorder.
    nodes: Box<[Node]>,
}

impl Forest {
    /// Number of features in a row, 1 to [`FEATURES_MAX`].
    pub fn features(&self) -> usize {
        self.axes.len()
    }

    /// Number of trees, 1 to [`TREES_MAX`].
    pub fn trees(&self) -> usize {
        self.starts.len() - 1
    }

    /// Rows each tree was grown from, ψ in the papers: the smaller of
    /// [`Parameters::sample_size`] and the number of rows fitted on.
    pub fn sample_size(&self) -> usize {
        self.sample_size
    }

    /// Resident memory of this forest in bytes.
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.axes)
            + size_of_val(&*self.starts)
            + size_of_val(&*self.nodes)
    }

    /// Root and nodes of each tree, in order.
    fn each_tree(&self) -> impl Iterator<Item = (Link, &[Node])> {
        self.starts.windows(2).map(|bounds| {
            let nodes = &self.nodes[bounds[0] as usize..bounds[1] as usize];
            (Link::root(nodes.len(), self.sample_size), nodes)
        })
    }
}
