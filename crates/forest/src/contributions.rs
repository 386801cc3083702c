//! Why a row scores as it does: the score's distance from normal, divided among the features.

use std::f64::consts::LN_2;

use crate::Forest;
use crate::axis::ScaledRow;
use crate::path_length::{average_path_length, average_path_lengths};
use crate::tree::{Link, Node, Target};

/// A row's score and what each feature adds to it.
///
/// At every split on the row's way the expected path length changes from that of the training rows
/// in the node to that of those in the child taken; the change is booked to the split's feature.
/// Averaged over the trees, the changes `d_j` sum to `E(h) − E₀`: the row's mean path length less
/// that of the training rows. In score units the contribution of feature `j` is
///
/// ```text
/// k · d_j,   k = (score − baseline) / Σ d_j,   baseline = 2^(−E₀ / c(ψ))
/// ```
///
/// (and the limit of `k`, `−baseline · ln 2 / c(ψ)`, where the sum is zero), so that
/// `baseline + Σ per_feature = score` up to rounding. `k` is negative: shortening the path makes a
/// row more anomalous.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// What [`Forest::score`] gives for the row.
    pub score: f64,
    /// Score of a row isolated as late as the training rows are on average, in (0, 1); the same
    /// for all rows.
    pub baseline: f64,
    /// In score units, by feature: positive where a feature makes the row more anomalous than
    /// normal, negative where it makes it less so, zero where no split on the way asks for it.
    pub per_feature: Vec<f64>,
}

impl Forest {
    /// Scores a row and divides the score's distance from normal among the features.
    ///
    /// Much slower than [`score`](Forest::score), as the whole forest is read: meant for findings,
    /// not for every row. For a row that isn't [`features`](Forest::features) finite values long,
    /// score and contributions are `NaN`.
    pub fn contributions(&self, row: &[f64]) -> Contributions {
        let scaled: Option<ScaledRow> = self.scaled(row);
        let trees = self.trees() as f64;
        let mut changes = vec![0.0; self.features()];
        let mut expected = 0.0;
        let mut rests = Vec::new();
        for (root, nodes) in self.each_tree() {
            let rests = Rests::of(nodes, &mut rests);
            expected += rests.at(root).length;
            if let Some(row) = &scaled {
                rests.book(root, nodes, row, &mut changes);
            }
        }
        expected /= trees;
        let baseline = self.score_of(expected);
        let Some(row) = scaled else {
            return Contributions {
                score: f64::NAN,
                baseline,
                per_feature: vec![f64::NAN; self.features()],
            };
        };

        let length = self.path_length(&row);
        let rate = LN_2 / average_path_length(self.sample_size);
        let change = length - expected;
        // (score − baseline) / change, without the cancellation.
        let factor = if change == 0.0 {
            -baseline * rate
        } else {
            baseline * libm::expm1(-change * rate) / change
        };
        Contributions {
            score: self.score_of(length),
            baseline,
            per_feature: changes
                .into_iter()
                .map(|change| factor * change / trees)
                .collect(),
        }
    }
}

/// The expected rest of the way below a node, over the training rows in it.
#[derive(Clone, Copy)]
struct Rest {
    rows: f64,
    /// In splits, with the leaf correction.
    length: f64,
}

/// The rests below all splits of a tree, by index.
struct Rests<'a>(&'a [Rest]);

impl<'a> Rests<'a> {
    /// In preorder every split comes before those below it, so one pass from the back will do.
    fn of(nodes: &[Node], memory: &'a mut Vec<Rest>) -> Self {
        memory.clear();
        memory.resize(
            nodes.len(),
            Rest {
                rows: 0.0,
                length: 0.0,
            },
        );
        for (index, node) in nodes.iter().enumerate().rev() {
            let (left, right) = (
                Rests(memory).at(node.left()),
                Rests(memory).at(node.right()),
            );
            let rows = left.rows + right.rows;
            let below = left.rows * left.length + right.rows * right.length;
            memory[index] = Rest {
                rows,
                length: 1.0 + below / rows,
            };
        }
        Rests(memory)
    }

    fn at(&self, link: Link) -> Rest {
        match link.target() {
            Target::Inner(index) => self.0[index],
            Target::Leaf(size) => Rest {
                rows: size as f64,
                length: average_path_lengths()[size],
            },
        }
    }

    /// Walks a row down the tree and books each split's change of the expected path length.
    fn book(&self, root: Link, nodes: &[Node], row: &ScaledRow, changes: &mut [f64]) {
        let mut link = root;
        while let Target::Inner(index) = link.target() {
            let node = nodes[index];
            let next = node.follow(row);
            changes[node.feature()] += 1.0 + self.at(next).length - self.at(link).length;
            link = next;
        }
    }
}
