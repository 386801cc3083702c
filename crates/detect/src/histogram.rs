//! A histogram that forgets: each sample weighs more than the one before it, which is as if all
//! older ones weighed less. Sums of 16 bins are kept beside the bins, so that a tail or a median is
//! found in a few dozen additions; they are a function of the bins, so nothing drifts.

use serde::{Deserialize, Serialize};

const BLOCK: usize = 16;
/// Weights are rescaled by a power of two, which changes no digit of them.
const RESCALE_ABOVE: f64 = (1u64 << 30) as f64;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Histogram {
    bins: Vec<f32>,
    blocks: Vec<f32>,
    /// The weight of the next sample.
    weight: f64,
}

impl Histogram {
    /// An empty one; `bins` is a multiple of 16.
    pub(crate) fn new(bins: usize) -> Histogram {
        debug_assert!(bins.is_multiple_of(BLOCK), "blocks are whole");
        Histogram {
            bins: vec![0.0; bins],
            blocks: vec![0.0; bins / BLOCK],
            weight: 1.0,
        }
    }

    /// Adds a sample of the given share of full weight; `keep` is the share of weight that it has
    /// after one more sample.
    pub(crate) fn add(&mut self, bin: usize, share: f64, keep: f64) {
        self.bins[bin] += (share * self.weight) as f32;
        self.sum_up(bin / BLOCK);
        self.weight /= keep;
        if self.weight > RESCALE_ABOVE {
            self.rescale();
        }
    }

    /// The weight of one sample added now.
    pub(crate) fn weight(&self) -> f64 {
        self.weight
    }

    pub(crate) fn bin(&self, bin: usize) -> f64 {
        f64::from(self.bins[bin])
    }

    pub(crate) fn total(&self) -> f64 {
        sum(&self.blocks)
    }

    /// The weight of all bins above `bin`.
    pub(crate) fn above(&self, bin: usize) -> f64 {
        let block = bin / BLOCK;
        sum(&self.blocks[block + 1..]) + sum(&self.bins[bin + 1..(block + 1) * BLOCK])
    }

    /// The bins from `bin` upwards, each with its weight.
    pub(crate) fn from(&self, bin: usize) -> impl Iterator<Item = (usize, f64)> {
        let weights = self.bins.iter().map(|weight| f64::from(*weight));
        weights.enumerate().skip(bin)
    }

    /// The highest bin at and above which lies `share` of the weight, and the weight above it.
    pub(crate) fn highest_with(&self, share: f64) -> (usize, f64) {
        let target = share * self.total();
        let mut above = 0.0;
        for block in (0..self.blocks.len()).rev() {
            let with_block = above + f64::from(self.blocks[block]);
            if with_block < target {
                above = with_block;
                continue;
            }
            for bin in (block * BLOCK..(block + 1) * BLOCK).rev() {
                let with_bin = above + self.bin(bin);
                if with_bin >= target {
                    return (bin, above);
                }
                above = with_bin;
            }
        }
        (0, above)
    }

    /// Moves all weight by so many bins; what would leave stays in the last bin.
    pub(crate) fn shift(&mut self, by: i64) {
        let last = self.bins.len() as i64 - 1;
        let mut shifted = vec![0.0; self.bins.len()];
        for (bin, weight) in self.bins.iter().enumerate() {
            shifted[(bin as i64).saturating_add(by).clamp(0, last) as usize] += weight;
        }
        self.bins = shifted;
        self.sum_up_all();
    }

    fn rescale(&mut self) {
        let factor = 1.0 / RESCALE_ABOVE;
        for bin in &mut self.bins {
            *bin *= factor as f32;
        }
        self.weight *= factor;
        self.sum_up_all();
    }

    fn sum_up(&mut self, block: usize) {
        self.blocks[block] = self.bins[block * BLOCK..(block + 1) * BLOCK].iter().sum();
    }

    fn sum_up_all(&mut self) {
        for block in 0..self.blocks.len() {
            self.sum_up(block);
        }
    }

    pub(crate) fn is_sound(&self, bins: usize) -> bool {
        self.bins.len() == bins
            && self.bins.iter().all(|x| x.is_finite() && *x >= 0.0)
            && self.weight.is_finite()
            && self.weight > 0.0
            && self.blocks.len() == bins / BLOCK
            && self
                .bins
                .chunks(BLOCK)
                .zip(&self.blocks)
                .all(|(bins, block)| bins.iter().sum::<f32>() == *block)
    }
}

fn sum(weights: &[f32]) -> f64 {
    weights.iter().map(|weight| f64::from(*weight)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rescaling_changes_no_share() {
        let mut histogram = Histogram::new(32);
        for i in 0..500 {
            histogram.add(i % 32, 1.0, 0.95);
        }
        assert!(histogram.weight() < RESCALE_ABOVE, "it was rescaled");
        let share = histogram.bin(499 % 32) / histogram.weight();
        let expected = 0.95 / (1.0 - libm::pow(0.95, 32.0));
        assert!((share / expected - 1.0).abs() < 1e-5, "{share} {expected}");
        assert!(histogram.is_sound(32));
    }

    #[test]
    fn the_median_and_what_is_above_it_are_found_through_blocks() {
        let mut histogram = Histogram::new(64);
        for bin in 0..64 {
            histogram.add(bin, 1.0, 1.0);
        }
        assert_eq!(histogram.total(), 64.0);
        assert_eq!(histogram.highest_with(0.5), (32, 31.0));
        assert_eq!(histogram.above(32), 31.0);
        assert_eq!(histogram.highest_with(0.02), (62, 1.0));
    }

    #[test]
    fn shifting_loses_no_weight() {
        let mut histogram = Histogram::new(32);
        histogram.add(3, 1.0, 1.0);
        histogram.add(30, 1.0, 1.0);
        histogram.shift(5);
        assert_eq!((histogram.bin(8), histogram.bin(31)), (1.0, 1.0));
        assert!(histogram.is_sound(32));
    }
}
