//! Growing trees: drawing a sub-sample and splitting it until its rows are isolated.

use crate::axis::Axis;
use crate::random::Random;
use crate::tree::{Link, Node, Seat, height_limit};

/// Draws row numbers without replacement (Floyd's algorithm, CACM 30(9), 1987).
pub(crate) struct Sampler {
    rows: usize,
    sample: Vec<usize>,
    sample_size: usize,
    /// One bit a row: whether it is in the sample.
    drawn: Vec<u64>,
}

impl Sampler {
    pub(crate) fn new(rows: usize, sample_size: usize) -> Self {
        Self {
            rows,
            sample: Vec::with_capacity(sample_size),
            sample_size,
            drawn: vec![0; rows.div_ceil(64)],
        }
    }

    pub(crate) fn draw(&mut self, random: &mut Random) -> &[usize] {
        for row in self.sample.drain(..) {
            self.drawn[row / 64] = 0;
        }
        for last in self.rows - self.sample_size..self.rows {
            let drawn = random.below(last + 1);
            let taken = self.drawn[drawn / 64] >> (drawn % 64) & 1 == 1;
            let row = if taken { last } else { drawn };
            self.drawn[row / 64] |= 1 << (row % 64);
            self.sample.push(row);
        }
        &self.sample
    }
}

/// Grows one tree after the other in the same memory.
pub(crate) struct Grower {
    features: usize,
    sample_size: usize,
    /// The scaled sub-sample, feature by feature.
    columns: Vec<f32>,
    /// Numbers of the sampled rows; those of a node lie side by side.
    order: Vec<u16>,
    /// One feature of the node in hand, in `order`.
    values: Vec<f32>,
    /// Where a node's part of `order` is put in its new order.
    spare: Vec<u16>,
    branches: Vec<Branch>,
}

/// A part of the sub-sample that waits for its node.
struct Branch {
    seat: Seat,
    depth: u32,
    start: usize,
    end: usize,
    /// One bit a feature: whether it may differ within the node.
    varying: u32,
}

/// A way to divide a node's rows so that neither side is empty.
struct Split {
    feature: usize,
    threshold: f32,
}

impl Grower {
    pub(crate) fn new(features: usize, sample_size: usize) -> Self {
        Self {
            features,
            sample_size,
            columns: vec![0.0; features * sample_size],
            order: vec![0; sample_size],
            values: vec![0.0; sample_size],
            spare: vec![0; sample_size],
            branches: Vec::new(),
        }
    }

    pub(crate) fn load(&mut self, rows: &[f64], axes: &[Axis], sample: &[usize]) {
        for (place, row) in sample.iter().enumerate() {
            let row = &rows[row * self.features..][..self.features];
            for (feature, (axis, value)) in axes.iter().zip(row).enumerate() {
                self.columns[feature * self.sample_size + place] = axis.scaled(*value);
            }
        }
    }

    /// Appends the tree's splits to `nodes`, in preorder.
    pub(crate) fn grow(&mut self, random: &mut Random, nodes: &mut Vec<Node>) {
        let first = nodes.len();
        let limit = height_limit(self.sample_size);
        for (row, place) in self.order.iter_mut().enumerate() {
            *place = row as u16;
        }
        self.branches.push(Branch {
            seat: Seat::Root,
            depth: 0,
            start: 0,
            end: self.sample_size,
            varying: u32::MAX >> (32 - self.features),
        });
        while let Some(mut branch) = self.branches.pop() {
            let size = branch.end - branch.start;
            let split = if size == 1 || branch.depth == limit {
                None
            } else {
                self.choose(random, &mut branch)
            };
            let Some(split) = split else {
                branch.seat.fill(&mut nodes[first..], Link::leaf(size));
                continue;
            };
            let index = nodes.len() - first;
            branch.seat.fill(&mut nodes[first..], Link::inner(index));
            nodes.push(Node::new(split.feature, split.threshold));

            let middle = self.divide(&branch, split.threshold);
            let depth = branch.depth + 1;
            // The left branch is pushed last, to be grown first.
            self.branches.push(Branch {
                seat: Seat::Right(index),
                depth,
                start: middle,
                ..branch
            });
            self.branches.push(Branch {
                seat: Seat::Left(index),
                depth,
                end: middle,
                ..branch
            });
        }
    }

    /// Chooses a split, or none if all rows of the branch are equal. Leaves the split feature's
    /// values in `values`.
    ///
    /// The first varying feature of a random order is uniform among the varying ones; features
    /// found constant here are constant further down as well.
    fn choose(&mut self, random: &mut Random, branch: &mut Branch) -> Option<Split> {
        while branch.varying != 0 {
            let mut candidates = branch.varying;
            for _ in 0..random.below(candidates.count_ones() as usize) {
                candidates &= candidates - 1;
            }
            let feature = candidates.trailing_zeros() as usize;

            let order = &self.order[branch.start..branch.end];
            let column = &self.columns[feature * self.sample_size..][..self.sample_size];
            let values = &mut self.values[..order.len()];
            for (value, row) in values.iter_mut().zip(order) {
                *value = column[usize::from(*row)];
            }
            let (min, max) = range(values);
            if min < max {
                let threshold = threshold_between(min, max, random.unit());
                return Some(Split { feature, threshold });
            }
            branch.varying &= !(1 << feature);
        }
        None
    }

    /// Brings the branch's rows below `threshold` before the others; where the others start.
    /// Every row is written to both ends of what is free, and stays at one: no branch to mispredict.
    fn divide(&mut self, branch: &Branch, threshold: f32) -> usize {
        let order = &mut self.order[branch.start..branch.end];
        let spare = &mut self.spare[..order.len()];
        let (mut below, mut above) = (0, order.len() - 1);
        for (row, value) in order.iter().zip(&self.values) {
            spare[below] = *row;
            spare[above] = *row;
            let is_below = usize::from(*value < threshold);
            below += is_below;
            above -= 1 - is_below;
        }
        order.copy_from_slice(spare);
        branch.start + below
    }
}

/// Uniform in `(min, max]`, so that both sides of the split get a row.
fn threshold_between(min: f32, max: f32, unit: f64) -> f32 {
    let (low, high) = (f64::from(min), f64::from(max));
    let threshold = (low + unit * (high - low)) as f32;
    threshold.clamp(min.next_up(), max)
}

/// Smallest and largest of some numbers, in lanes for the sake of vector instructions.
fn range(values: &[f32]) -> (f32, f32) {
    let (chunks, rest) = values.as_chunks::<4>();
    let mut mins = [f32::INFINITY; 4];
    let mut maxs = [f32::NEG_INFINITY; 4];
    for chunk in chunks {
        mins = std::array::from_fn(|lane| lesser(chunk[lane], mins[lane]));
        maxs = std::array::from_fn(|lane| greater(chunk[lane], maxs[lane]));
    }
    let all_mins = mins.iter().chain(rest).copied();
    let all_maxs = maxs.iter().chain(rest).copied();
    (
        all_mins.fold(f32::INFINITY, lesser),
        all_maxs.fold(f32::NEG_INFINITY, greater),
    )
}

fn lesser(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}
