//! How a tree lies in memory: splits of eight bytes in preorder; leaves live in the links to them.

use std::hint::select_unpredictable;

/// Levels below which a tree of `sample_size` rows isn't grown: ⌈log₂ ψ⌉, the paper's height limit.
/// At most 12, so a tree has at most 4,095 splits.
pub(crate) fn height_limit(sample_size: usize) -> u32 {
    sample_size.max(1).next_power_of_two().trailing_zeros()
}

/// What a split points at: another split of the same tree, or a leaf holding some training rows.
///
/// Thirteen bits: the leaf flag, then the split's index or the leaf's size less one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link(u32);

impl Link {
    const LEAF: u32 = 1 << 12;
    const BITS: u32 = 13;
    const MASK: u32 = (1 << Self::BITS) - 1;

    pub(crate) fn inner(index: usize) -> Self {
        debug_assert!(index < Self::LEAF as usize);
        Self(index as u32)
    }

    pub(crate) fn leaf(size: usize) -> Self {
        debug_assert!((1..=Self::LEAF as usize).contains(&size));
        Self(Self::LEAF | (size as u32 - 1))
    }

    /// Root of a tree with `nodes` splits: its first split, or one leaf with all rows.
    pub(crate) fn root(nodes: usize, sample_size: usize) -> Self {
        if nodes == 0 {
            Self::leaf(sample_size)
        } else {
            Self::inner(0)
        }
    }

    pub(crate) fn target(self) -> Target {
        if self.is_inner() {
            Target::Inner(self.low_bits() as usize)
        } else {
            Target::Leaf(self.leaf_size())
        }
    }

    #[inline(always)]
    pub(crate) fn is_inner(self) -> bool {
        self.0 & Self::LEAF == 0
    }

    /// The split's index, or the leaf's size less one.
    #[inline(always)]
    pub(crate) fn low_bits(self) -> u32 {
        self.0 & (Self::LEAF - 1)
    }

    /// Training rows in the leaf; meaningless for a link to a split.
    #[inline(always)]
    pub(crate) fn leaf_size(self) -> usize {
        self.low_bits() as usize + 1
    }
}

/// A [`Link`] read out.
pub(crate) enum Target {
    /// Index of a split within its tree.
    Inner(usize),
    /// Number of training rows in a leaf.
    Leaf(usize),
}

/// A split: rows whose `feature` lies below `threshold` go left, the others right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    threshold: f32,
    /// Left link in bits 0–12, right link in bits 13–25, feature in bits 26–30.
    packed: u32,
}

/// Thresholds are compared as stored bits, so that equal forests are the same forest.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        (self.threshold.to_bits(), self.packed) == (other.threshold.to_bits(), other.packed)
    }
}

impl Node {
    /// A split whose links are still to come, see [`Seat`].
    pub(crate) fn new(feature: usize, threshold: f32) -> Self {
        Self {
            threshold,
            packed: (feature as u32 & 31) << (2 * Link::BITS),
        }
    }

    #[inline(always)]
    pub(crate) fn feature(self) -> usize {
        (self.packed >> (2 * Link::BITS)) as usize & 31
    }

    pub(crate) fn threshold(self) -> f32 {
        self.threshold
    }

    pub(crate) fn left(self) -> Link {
        Link(self.packed & Link::MASK)
    }

    pub(crate) fn right(self) -> Link {
        Link((self.packed >> Link::BITS) & Link::MASK)
    }

    /// The link a scaled row follows.
    #[inline(always)]
    pub(crate) fn follow(self, row: &[f32; crate::FEATURES_MAX]) -> Link {
        let right = row[self.feature()] >= self.threshold;
        select_unpredictable(right, self.right(), self.left())
    }
}

/// Where the next subtree is to be hung while a tree is built in preorder.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seat {
    Root,
    Left(usize),
    Right(usize),
}

impl Seat {
    /// Puts `link` here. `tree` holds the splits of the tree so far; no seat is filled twice.
    pub(crate) fn fill(self, tree: &mut [Node], link: Link) {
        match self {
            Seat::Root => {}
            Seat::Left(parent) => tree[parent].packed |= link.0,
            Seat::Right(parent) => tree[parent].packed |= link.0 << Link::BITS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_takes_eight_bytes() {
        assert_eq!(size_of::<Node>(), 8);
    }

    #[test]
    fn packed_fields_do_not_touch_each_other() {
        let mut tree = [Node::new(31, -0.5)];
        Seat::Left(0).fill(&mut tree, Link::inner(4094));
        Seat::Right(0).fill(&mut tree, Link::leaf(4096));
        let [node] = tree;
        assert_eq!(node.feature(), 31);
        assert_eq!(node.left(), Link::inner(4094));
        assert_eq!(node.right(), Link::leaf(4096));
        assert_eq!(node.right().leaf_size(), 4096);
    }

    #[test]
    fn height_limit_is_the_rounded_up_logarithm() {
        for (sample_size, limit) in [
            (2, 1),
            (3, 2),
            (4, 2),
            (5, 3),
            (256, 8),
            (257, 9),
            (4096, 12),
        ] {
            assert_eq!(height_limit(sample_size), limit, "{sample_size} rows");
        }
    }
}
