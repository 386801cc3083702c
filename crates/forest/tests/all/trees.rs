//! Trees laid open agree with what is scored.

use forest::{Forest, Parameters, TreeNode, TreeSummary, average_path_length};

use crate::series;

fn forest() -> Forest {
    Forest::fit(
        &series::training().rows,
        series::FEATURES,
        &Parameters::default(),
    )
    .expect("a series can be fitted")
}

/// The row's path through the nodes, with the leaf correction.
fn path_length(tree: &[TreeNode], row: &[f64]) -> f64 {
    let mut at = 0;
    loop {
        match tree[at] {
            TreeNode::Leaf { depth, rows } => return depth as f64 + average_path_length(rows),
            TreeNode::Split {
                depth,
                feature,
                threshold,
            } => {
                at += 1;
                if row[feature] >= threshold {
                    // Past the left side: the next node as deep as its first.
                    let right = tree[at + 1..].iter().position(|node| {
                        let (TreeNode::Split { depth: its, .. }
                        | TreeNode::Leaf { depth: its, .. }) = *node;
                        its == depth + 1
                    });
                    at += 1 + right.expect("a split has two sides");
                }
            }
        }
    }
}

#[test]
fn rows_walked_down_the_nodes_score_as_the_forest_does() {
    let forest = forest();
    let trees: Vec<Vec<TreeNode>> = forest.tree_nodes().collect();
    assert_eq!(trees.len(), forest.trees());
    for row in series::labelled(300).rows.chunks(series::FEATURES) {
        let lengths = trees.iter().map(|tree| path_length(tree, row));
        let mean = lengths.sum::<f64>() / trees.len() as f64;
        let score = (-mean / average_path_length(forest.sample_size())).exp2();
        assert!((score - forest.score(row)).abs() < 1e-9, "{row:?}");
    }
}

#[test]
fn summaries_hold_all_rows_and_splits() {
    let forest = forest();
    let trees: Vec<TreeSummary> = forest
        .tree_nodes()
        .map(|tree| TreeSummary::of(&tree))
        .collect();
    for tree in &trees {
        assert_eq!(tree.leaves, tree.splits + 1);
        assert!(tree.depth_max <= 8, "the height limit of 256 rows");
        assert!(tree.depth_mean > 5.0 && tree.depth_mean <= tree.depth_max as f64);
        assert!(tree.isolated <= tree.leaves && tree.leaf_rows_max > 1);
    }
    let splits: usize = trees.iter().map(|tree| tree.splits).sum();
    let by_feature = forest.splits_by_feature();
    assert_eq!(by_feature.iter().sum::<usize>(), splits);
    assert!(
        by_feature.iter().all(|count| *count > splits / 20),
        "{by_feature:?}"
    );
}

#[test]
fn a_forest_that_splits_nothing_is_leaves() {
    let forest = Forest::fit(&[3.0; 10], 1, &Parameters::default()).unwrap();
    for tree in forest.tree_nodes() {
        assert_eq!(tree, [TreeNode::Leaf { depth: 0, rows: 10 }]);
    }
    assert_eq!(forest.splits_by_feature(), [0]);
}
