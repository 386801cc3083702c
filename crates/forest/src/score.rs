//! Scoring rows: how quickly the trees isolate them.

use std::hint::select_unpredictable;

use crate::axis::ScaledRow;
use crate::path_length::{average_path_length, average_path_lengths};
use crate::tree::{Link, height_limit};
use crate::{FEATURES_MAX, Forest};

/// Walks that go on side by side, so that one waits for memory while others compute.
const LANES: usize = 8;
/// Rows scored together by [`Forest::score_batch`]: few enough to stay in the first-level cache
/// beside a tree.
const BLOCK_ROWS: usize = 64;

impl Forest {
    /// Anomaly score of one row, in (0, 1): `2^(−E(h) / c(ψ))`, where `E(h)` is the mean over the
    /// trees of the row's depth plus `c(size)` of the leaf it ends in (equation 2 of the papers).
    ///
    /// About 0.5 and below is ordinary; above 0.6 is suspicious; the highest possible value
    /// depends on the data, as a forest sees only on which side of its splits a row lies.
    ///
    /// `NaN` for a row that isn't [`features`](Forest::features) finite values long.
    pub fn score(&self, row: &[f64]) -> f64 {
        self.scaled(row)
            .map_or(f64::NAN, |row| self.score_of(self.path_length(&row)))
    }

    /// Appends the score of each of the row-major `rows` to `out`: bit for bit what
    /// [`score`](Forest::score) gives, only faster for many rows. `NaN` for a last row cut short.
    pub fn score_batch(&self, rows: &[f64], out: &mut Vec<f64>) {
        let count = rows.len().div_ceil(self.features());
        out.reserve(count);
        if self.suits_full_trees(count) {
            return self.score_full(rows, out);
        }
        let mut scaled = [[0.0; FEATURES_MAX]; BLOCK_ROWS];
        for block in rows.chunks(BLOCK_ROWS * self.features()) {
            let mut usable = [false; BLOCK_ROWS];
            let mut count = 0;
            for row in block.chunks(self.features()) {
                if let Some(row) = self.scaled(row) {
                    scaled[count] = row;
                    usable[count] = true;
                }
                count += 1;
            }
            let mut sums = [PathSum::default(); BLOCK_ROWS];
            self.add_paths(&scaled[..count], &mut sums[..count]);
            for (sum, usable) in sums.iter().zip(usable).take(count) {
                let score = self.score_of(sum.mean(self.trees()));
                out.push(if usable { score } else { f64::NAN });
            }
        }
    }

    /// `2^(−length / c(ψ))`.
    pub(crate) fn score_of(&self, length: f64) -> f64 {
        libm::exp2(-length / average_path_length(self.sample_size))
    }

    /// Mean path length of a row over all trees, in splits.
    pub(crate) fn path_length(&self, row: &ScaledRow) -> f64 {
        let mut sum = [PathSum::default()];
        self.add_paths(std::slice::from_ref(row), &mut sum);
        sum[0].mean(self.trees())
    }

    /// Adds the paths of each row through all trees to its sum.
    #[inline(always)]
    fn add_paths(&self, rows: &[ScaledRow], sums: &mut [PathSum]) {
        let (groups, rest) = self.starts[..self.trees()].as_chunks::<LANES>();
        for (group, starts) in groups.iter().enumerate() {
            let ends = &self.starts[group * LANES + 1..];
            let trees = std::array::from_fn::<_, LANES, _>(|lane| (starts[lane], ends[lane]));
            for (row, sum) in rows.iter().zip(&mut *sums) {
                self.walk(trees, row, sum);
            }
        }
        let ends = &self.starts[groups.len() * LANES + 1..];
        for (start, end) in rest.iter().zip(ends) {
            for (row, sum) in rows.iter().zip(&mut *sums) {
                self.walk([(*start, *end)], row, sum);
            }
        }
    }

    /// Adds a row's paths through the trees with these bounds in `nodes`.
    ///
    /// All lanes take as many steps as a tree may be high; in a leaf a step changes nothing. That
    /// is cheaper than a branch that can't be foreseen.
    #[inline(always)]
    fn walk<const N: usize>(&self, trees: [(u32, u32); N], row: &ScaledRow, sum: &mut PathSum) {
        let nodes = &*self.nodes;
        let mut links =
            trees.map(|(start, end)| Link::root((end - start) as usize, self.sample_size));
        for _ in 0..height_limit(self.sample_size) {
            for (link, (start, _)) in links.iter_mut().zip(trees) {
                let inner = link.is_inner();
                // In a leaf this is any node or none: what is found there isn't used.
                if let Some(node) = nodes.get((start + link.low_bits()) as usize) {
                    *link = select_unpredictable(inner, node.follow(row), *link);
                }
                sum.depths += u32::from(inner);
            }
        }
        let lengths = average_path_lengths();
        for link in links {
            sum.below_leaves += lengths[link.leaf_size()];
        }
    }
}

/// Lengths of a row's paths, summed up in the order of the trees whether rows are scored alone or
/// together: the scores agree to the last bit.
#[derive(Clone, Copy, Default)]
pub(crate) struct PathSum {
    /// Splits passed.
    depths: u32,
    /// Leaf corrections.
    below_leaves: f64,
}

impl PathSum {
    #[inline(always)]
    pub(crate) fn add(&mut self, depth: u32, below_leaf: f64) {
        self.depths += depth;
        self.below_leaves += below_leaf;
    }

    pub(crate) fn mean(self, trees: usize) -> f64 {
        (f64::from(self.depths) + self.below_leaves) / trees as f64
    }
}
