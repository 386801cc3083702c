//! A forest laid open, for people who want to look: its trees node by node, and what they come to.

use crate::Forest;
use crate::tree::Target;

/// A node of a tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TreeNode {
    /// Rows whose `feature` lies below `threshold`, in the feature's own unit, go to the node that
    /// follows; the others to the one that follows all of that side.
    ///
    /// Rows are compared as scaled to the training range and rounded to `f32`, so that a value
    /// within that rounding of the threshold may go to either side.
    Split {
        depth: usize,
        feature: usize,
        threshold: f64,
    },
    /// Where so many training rows ended.
    Leaf { depth: usize, rows: usize },
}

/// What a tree comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TreeSummary {
    pub splits: usize,
    pub leaves: usize,
    /// Splits on the longest way.
    pub depth_max: usize,
    /// Splits that a training row passes on average.
    pub depth_mean: f64,
    /// Leaves that hold one row: isolated before the height limit.
    pub isolated: usize,
    /// Rows in the largest leaf.
    pub leaf_rows_max: usize,
}

impl Forest {
    /// The nodes of each tree in preorder, tree by tree.
    ///
    /// ```
    /// use forest::{Forest, Parameters, TreeNode};
    ///
    /// let forest = Forest::fit(&[1.0, 2.0], 1, &Parameters::default())?;
    /// let tree = forest.tree_nodes().next().expect("a hundred of them");
    /// assert!(matches!(tree[0], TreeNode::Split { depth: 0, feature: 0, .. }));
    /// assert_eq!(tree[1], TreeNode::Leaf { depth: 1, rows: 1 });
    /// # Ok::<(), forest::FitError>(())
    /// ```
    pub fn tree_nodes(&self) -> impl Iterator<Item = Vec<TreeNode>> {
        self.each_tree().map(|(root, nodes)| {
            let mut tree = Vec::with_capacity(2 * nodes.len() + 1);
            let mut pending = vec![(root, 0)];
            while let Some((link, depth)) = pending.pop() {
                match link.target() {
                    Target::Leaf(rows) => tree.push(TreeNode::Leaf { depth, rows }),
                    Target::Inner(index) => {
                        let node = nodes[index];
                        let feature = node.feature();
                        tree.push(TreeNode::Split {
                            depth,
                            feature,
                            threshold: self.axes[feature].value(node.threshold()),
                        });
                        pending.extend([(node.right(), depth + 1), (node.left(), depth + 1)]);
                    }
                }
            }
            tree
        })
    }

    /// How many splits ask for each feature, by feature.
    pub fn splits_by_feature(&self) -> Vec<usize> {
        let mut splits = vec![0; self.features()];
        for node in &self.nodes {
            splits[node.feature()] += 1;
        }
        splits
    }
}

impl TreeSummary {
    /// Of the nodes of one tree, as [`Forest::tree_nodes`] gives them.
    pub fn of(tree: &[TreeNode]) -> TreeSummary {
        let mut summary = TreeSummary {
            splits: 0,
            leaves: 0,
            depth_max: 0,
            depth_mean: 0.0,
            isolated: 0,
            leaf_rows_max: 0,
        };
        let (mut depths, mut all_rows) = (0, 0);
        for node in tree {
            match *node {
                TreeNode::Split { .. } => summary.splits += 1,
                TreeNode::Leaf { depth, rows } => {
                    summary.leaves += 1;
                    summary.depth_max = summary.depth_max.max(depth);
                    summary.isolated += usize::from(rows == 1);
                    summary.leaf_rows_max = summary.leaf_rows_max.max(rows);
                    depths += depth * rows;
                    all_rows += rows;
                }
            }
        }
        summary.depth_mean = depths as f64 / all_rows.max(1) as f64;
        summary
    }
}
