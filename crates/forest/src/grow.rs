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
    /// Numbers of the sampled rows; those of a node lie side by side, at even depths in the first
    /// list and at odd ones in the second.
    order: [Vec<u16>; 2],
    /// One feature of the node in hand, in its order.
    values: Vec<f32>,
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

impl Branch {
    fn size(&self) -> usize {
        self.end - self.start
    }
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
            order: [vec![0; sample_size], vec![0; sample_size]],
            values: vec![0.0; sample_size],
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
        for (row, place) in self.order[0].iter_mut().enumerate() {
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
            let Some(split) = self.choose(random, &mut branch) else {
                branch
                    .seat
                    .fill(&mut nodes[first..], Link::leaf(branch.size()));
                continue;
            };
            let index = nodes.len() - first;
            branch.seat.fill(&mut nodes[first..], Link::inner(index));
            nodes.push(Node::new(split.feature, split.threshold));

            let depth = branch.depth + 1;
            let middle = if depth == limit || branch.size() == 2 {
                // Both sides are leaves: only their sizes matter.
                self.count_below(&branch, split.threshold)
            } else {
                self.divide(&branch, split.threshold)
            };
            // The left branch is pushed last, to be grown first.
            for (seat, start, end) in [
                (Seat::Right(index), middle, branch.end),
                (Seat::Left(index), branch.start, middle),
            ] {
                if end - start == 1 || depth == limit {
                    seat.fill(&mut nodes[first..], Link::leaf(end - start));
                } else {
                    self.branches.push(Branch {
                        seat,
                        depth,
                        start,
                        end,
                        varying: branch.varying,
                    });
                }
            }
        }
    }

    /// Chooses a split, or none if all rows of the branch are equal. Leaves the split feature's
    /// values in `values`.
    ///
    /// The first varying feature of a random order is uniform among the varying ones; features
    /// found constant here are constant further down as well.
    fn choose(&mut self, random: &mut Random, branch: &mut Branch) -> Option<Split> {
        while branch.varying != 0 {
            let nth = random.below(branch.varying.count_ones() as usize);
            let feature = nth_one(branch.varying, nth);

            let order = &self.order[branch.depth as usize % 2][branch.start..branch.end];
            let column = &self.columns[feature * self.sample_size..][..self.sample_size];
            let (min, max) = gather(column, order, &mut self.values[..order.len()]);
            if min < max {
                let threshold = threshold_between(min, max, random.unit());
                return Some(Split { feature, threshold });
            }
            branch.varying &= !(1 << feature);
        }
        None
    }

    /// Where the rows not below `threshold` would start.
    fn count_below(&self, branch: &Branch, threshold: f32) -> usize {
        let values = &self.values[..branch.size()];
        let below = values.iter().map(|value| u32::from(*value < threshold));
        branch.start + below.sum::<u32>() as usize
    }

    /// Brings the branch's rows below `threshold` before the others; where the others start.
    /// Every row is written to both ends of what is free, and stays at one: no branch to mispredict.
    fn divide(&mut self, branch: &Branch, threshold: f32) -> usize {
        let [even, odd] = &mut self.order;
        let (from, to) = match branch.depth % 2 {
            0 => (even, odd),
            _ => (odd, even),
        };
        let from = &from[branch.start..branch.end];
        let to = &mut to[branch.start..branch.end];
        let mut below = 0;
        let mut last = to.len();
        for (row, value) in from.iter().zip(&self.values) {
            last -= 1;
            to[below] = *row;
            to[below + last] = *row;
            below += usize::from(*value < threshold);
        }
        branch.start + below
    }
}

/// The place of a bit that is one, counted from the lowest such.
fn nth_one(bits: u32, nth: usize) -> usize {
    // All features vary, mostly.
    if bits & bits.wrapping_add(1) == 0 {
        return nth;
    }
    let rest = (0..nth).fold(bits, |rest, _| rest & (rest - 1));
    rest.trailing_zeros() as usize
}

/// Uniform in `(min, max]`, so that both sides of the split get a row.
fn threshold_between(min: f32, max: f32, unit: f64) -> f32 {
    let (low, high) = (f64::from(min), f64::from(max));
    let threshold = (low + unit * (high - low)) as f32;
    threshold.clamp(min.next_up(), max)
}

/// Brings the rows' values of a column to `values`; the smallest and the largest, found in lanes for
/// the sake of vector instructions.
fn gather(column: &[f32], rows: &[u16], values: &mut [f32]) -> (f32, f32) {
    let mut mins = [f32::INFINITY; 4];
    let mut maxs = [f32::NEG_INFINITY; 4];
    let (row_chunks, row_rest) = rows.as_chunks::<4>();
    let (value_chunks, value_rest) = values.as_chunks_mut::<4>();
    for (values, rows) in value_chunks.iter_mut().zip(row_chunks) {
        *values = rows.map(|row| column[usize::from(row)]);
        for lane in 0..4 {
            mins[lane] = lesser(values[lane], mins[lane]);
            maxs[lane] = greater(values[lane], maxs[lane]);
        }
    }
    for (lane, (value, row)) in value_rest.iter_mut().zip(row_rest).enumerate() {
        *value = column[usize::from(*row)];
        mins[lane] = lesser(*value, mins[lane]);
        maxs[lane] = greater(*value, maxs[lane]);
    }
    (
        lesser(lesser(mins[0], mins[1]), lesser(mins[2], mins[3])),
        greater(greater(maxs[0], maxs[1]), greater(maxs[2], maxs[3])),
    )
}

fn lesser(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}
