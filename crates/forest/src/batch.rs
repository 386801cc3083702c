//! Many rows through usual trees: each tree is laid out as a full one of eight levels, whose node `i`
//! has its sides at `2i` and `2i + 1`. A step then asks for nothing but a value and a threshold, and
//! eight rows take it side by side.
//!
//! Below a leaf that lies higher, all ways lead to what is known of that leaf.

use crate::Forest;
use crate::path_length::average_path_lengths;
use crate::score::PathSum;
use crate::tree::{Link, Node, Target, height_limit};

/// Splits on each way: those of trees of 256 rows.
const HEIGHT: u32 = 8;
const PLACES: usize = 1 << HEIGHT;
/// Most features that rows are held for.
const WIDTH: usize = 8;
/// Rows that step side by side, so that one waits for memory while others compute.
const LANES: usize = 8;
/// Laying a tree out costs as much as some hundred rows take through it.
const ROWS_MIN: usize = 512;
/// Rows that go through a tree before the next one is laid out: few enough for the second-level cache.
const BLOCK_ROWS: usize = 4096;

/// A scaled row of at most [`WIDTH`] features.
type NarrowRow = [f32; WIDTH];

/// A tree as a full one; place 0 is not used.
struct FullTree {
    splits: [FullSplit; PLACES],
    leaves: [FullLeaf; PLACES],
}

#[derive(Clone, Copy, Default)]
struct FullSplit {
    threshold: f32,
    feature: u32,
}

/// What a row that ends here adds to its [`PathSum`].
#[derive(Clone, Copy, Default)]
struct FullLeaf {
    below: f64,
    depth: u32,
}

impl Forest {
    /// Whether [`score_full`](Forest::score_full) takes so many rows, and is the faster way.
    pub(crate) fn suits_full_trees(&self, rows: usize) -> bool {
        rows >= ROWS_MIN && self.features() <= WIDTH && height_limit(self.sample_size) <= HEIGHT
    }

    /// Appends the score of each of the row-major `rows` to `out`.
    pub(crate) fn score_full(&self, rows: &[f64], out: &mut Vec<f64>) {
        let mut tree = Box::new(FullTree {
            splits: [FullSplit::default(); PLACES],
            leaves: [FullLeaf::default(); PLACES],
        });
        let mut scaled = Vec::with_capacity(BLOCK_ROWS);
        let mut usable = Vec::with_capacity(BLOCK_ROWS);
        for block in rows.chunks(BLOCK_ROWS * self.features()) {
            scaled.clear();
            usable.clear();
            for row in block.chunks(self.features()) {
                let row = self.scaled::<WIDTH>(row);
                usable.push(row.is_some());
                scaled.push(row.unwrap_or_default());
            }
            let mut sums = vec![PathSum::default(); scaled.len()];
            for (root, nodes) in self.each_tree() {
                tree.lay_out(root, nodes);
                tree.add_paths(&scaled, &mut sums);
            }
            for (sum, usable) in sums.iter().zip(&usable) {
                let score = self.score_of(sum.mean(self.trees()));
                out.push(if *usable { score } else { f64::NAN });
            }
        }
    }
}

impl FullTree {
    fn lay_out(&mut self, root: Link, nodes: &[Node]) {
        let mut pending = vec![(root, 1_usize, 0)];
        while let Some((link, place, depth)) = pending.pop() {
            match link.target() {
                Target::Inner(index) => {
                    let node = nodes[index];
                    self.splits[place] = FullSplit {
                        threshold: node.threshold(),
                        feature: node.feature() as u32,
                    };
                    pending.extend([
                        (node.left(), 2 * place, depth + 1),
                        (node.right(), 2 * place + 1, depth + 1),
                    ]);
                }
                Target::Leaf(size) => {
                    // The splits below may be those of the tree before: all lead here.
                    let left = HEIGHT - depth;
                    let first = (place << left) - PLACES;
                    self.leaves[first..first + (1 << left)].fill(FullLeaf {
                        below: average_path_lengths()[size],
                        depth,
                    });
                }
            }
        }
    }

    /// Adds the path of each row to its sum.
    fn add_paths(&self, rows: &[NarrowRow], sums: &mut [PathSum]) {
        let (groups, rest) = rows.as_chunks::<LANES>();
        let (group_sums, rest_sums) = sums.as_chunks_mut::<LANES>();
        for (group, sums) in groups.iter().zip(group_sums) {
            self.walk(group, sums);
        }
        for (row, sum) in rest.iter().zip(rest_sums) {
            self.walk(&[*row], std::array::from_mut(sum));
        }
    }

    #[inline(always)]
    fn walk<const N: usize>(&self, rows: &[NarrowRow; N], sums: &mut [PathSum; N]) {
        let mut places = [1_usize; N];
        for _ in 0..HEIGHT {
            for (place, row) in places.iter_mut().zip(rows) {
                let split = self.splits[*place % PLACES];
                let right = row[split.feature as usize % WIDTH] >= split.threshold;
                *place = 2 * *place + usize::from(right);
            }
        }
        for (place, sum) in places.iter().zip(sums) {
            let leaf = self.leaves[*place % PLACES];
            sum.add(leaf.depth, leaf.below);
        }
    }
}
