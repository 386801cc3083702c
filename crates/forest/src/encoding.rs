//! The stored form of a forest. Version 2, all numbers little-endian:
//!
//! ```text
//! magic     4 bytes   "BWIF"
//! version   u8        2
//! features  u8        1 to 32
//! trees     u16       1 to 1000
//! rows      u16       ψ, 2 to 4096
//! axes      features × (centre f64, scale f64)
//! trees     each in preorder:
//!   split   u8 feature (below 32), f32 threshold
//!   leaf    u8 31 + size, for sizes to 223; or u8 255, u16 size
//! checksum  u64       FNV-1a of all before it
//! ```
//!
//! Preorder needs no links, so there is no cycle to guard against, and no lengths are claimed that
//! memory could be taken for. A forest has exactly one encoding of a version. Version 1 is the same
//! without the checksum, and is still read.

use thiserror::Error;

use crate::axis::Axis;
use crate::tree::{Link, Node, Seat, Target, height_limit};
use crate::{FEATURES_MAX, Forest, SAMPLE_SIZE_MAX, TREES_MAX};

const MAGIC: &[u8; 4] = b"BWIF";
const VERSION: u8 = 2;
/// The last version without a checksum.
const VERSION_UNCHECKED: u8 = 1;
const CHECKSUM_BYTES: usize = 8;
const HEADER_BYTES: usize = 10;
const AXIS_BYTES: usize = 16;
const SPLIT_BYTES: usize = 5;
/// First byte of a leaf is this plus its size…
const LEAF: u8 = 31;
/// …unless the size doesn't fit and follows.
const LARGE_LEAF: u8 = 255;
const LARGE_LEAF_SIZE: usize = (LARGE_LEAF - LEAF) as usize;

/// Why some bytes aren't a stored forest. Offsets are in bytes from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    #[error("read a forest: the data doesn't start like one")]
    Magic,
    #[error("read a forest of format version {version}: only versions to {VERSION} are known")]
    Version { version: u8 },
    #[error("read a forest: its checksum does not match")]
    Checksum,
    #[error("read a forest: the data ends within a value at byte {offset}")]
    Truncated { offset: usize },
    #[error("read a forest of {features} features")]
    Features { features: usize },
    #[error("read a forest of {trees} trees")]
    Trees { trees: usize },
    #[error("read a forest with trees of {sample_size} rows")]
    SampleSize { sample_size: usize },
    #[error("read a forest: centre or scale of feature {feature} is out of range")]
    Axis { feature: usize },
    #[error("read a forest: unknown feature {feature} in tree {tree}, byte {offset}")]
    UnknownFeature {
        tree: usize,
        feature: usize,
        offset: usize,
    },
    #[error("read a forest: a threshold that isn't finite in tree {tree}, byte {offset}")]
    Threshold { tree: usize, offset: usize },
    #[error("read a forest: tree {tree} is higher than {limit} splits at byte {offset}")]
    TooHigh {
        tree: usize,
        limit: u32,
        offset: usize,
    },
    #[error("read a forest: a malformed leaf in tree {tree}, byte {offset}")]
    Leaf { tree: usize, offset: usize },
    #[error("read a forest: leaves of tree {tree} hold {rows} rows instead of {sample_size}")]
    LeafRows {
        tree: usize,
        rows: usize,
        sample_size: usize,
    },
    #[error("read a forest: {bytes} bytes follow its end")]
    Trailing { bytes: usize },
}

impl Forest {
    /// The forest as bytes, about 40 KB for a hundred trees of 256 rows. The format is stable:
    /// what this version writes, later ones read.
    pub fn encode(&self) -> Vec<u8> {
        let axes_bytes = self.features() * AXIS_BYTES;
        let tree_bytes = self.nodes.len() * (SPLIT_BYTES + 1) + self.trees();
        let mut bytes = Vec::with_capacity(HEADER_BYTES + axes_bytes + tree_bytes + CHECKSUM_BYTES);
        bytes.extend(MAGIC);
        bytes.push(VERSION);
        bytes.push(self.features() as u8);
        bytes.extend((self.trees() as u16).to_le_bytes());
        bytes.extend((self.sample_size as u16).to_le_bytes());
        for axis in &self.axes {
            bytes.extend(axis.center.to_le_bytes());
            bytes.extend(axis.scale.to_le_bytes());
        }
        let mut pending = Vec::new();
        for (root, nodes) in self.each_tree() {
            pending.push(root);
            while let Some(link) = pending.pop() {
                match link.target() {
                    Target::Inner(index) => {
                        let node = nodes[index];
                        bytes.push(node.feature() as u8);
                        bytes.extend(node.threshold().to_le_bytes());
                        pending.extend([node.right(), node.left()]);
                    }
                    Target::Leaf(size) if size < LARGE_LEAF_SIZE => {
                        bytes.push(LEAF + size as u8);
                    }
                    Target::Leaf(size) => {
                        bytes.push(LARGE_LEAF);
                        bytes.extend((size as u16).to_le_bytes());
                    }
                }
            }
        }
        let checksum = fnv_1a(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes
    }

    /// Reads what [`encode`](Forest::encode) wrote, and refuses everything else: whatever is
    /// accepted encodes to the same bytes again (but for the version) and can be scored safely.
    ///
    /// Memory taken stays within a small multiple of `bytes`, whatever they claim.
    ///
    /// # Errors
    ///
    /// The first thing found wrong, with its place.
    pub fn decode(bytes: &[u8]) -> Result<Forest, DecodeError> {
        let mut reader = Reader { bytes, offset: 0 };
        if reader.take()? != *MAGIC {
            return Err(DecodeError::Magic);
        }
        match reader.byte()? {
            VERSION => reader.bytes = checked(bytes)?,
            VERSION_UNCHECKED => {}
            version => return Err(DecodeError::Version { version }),
        }
        reader.forest()
    }
}

/// What a checksum at the end vouches for.
fn checked(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let offset = bytes.len();
    let (content, checksum) = bytes
        .split_last_chunk::<CHECKSUM_BYTES>()
        .filter(|(content, _)| content.len() >= HEADER_BYTES)
        .ok_or(DecodeError::Truncated { offset })?;
    if u64::from_le_bytes(*checksum) != fnv_1a(content) {
        return Err(DecodeError::Checksum);
    }
    Ok(content)
}

/// FNV-1a with 64 bits (Fowler, Noll, Vo). No single changed byte leaves it as it is.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Reader<'_> {
    /// What follows the version.
    fn forest(mut self) -> Result<Forest, DecodeError> {
        let features = usize::from(self.byte()?);
        if !(1..=FEATURES_MAX).contains(&features) {
            return Err(DecodeError::Features { features });
        }
        let trees = usize::from(u16::from_le_bytes(self.take()?));
        if !(1..=TREES_MAX).contains(&trees) {
            return Err(DecodeError::Trees { trees });
        }
        let sample_size = usize::from(u16::from_le_bytes(self.take()?));
        if !(2..=SAMPLE_SIZE_MAX).contains(&sample_size) {
            return Err(DecodeError::SampleSize { sample_size });
        }
        let axes = (0..features)
            .map(|feature| self.axis(feature))
            .collect::<Result<_, _>>()?;
        let mut starts = vec![0];
        let mut nodes = Vec::with_capacity(self.left() / (SPLIT_BYTES + 1));
        for tree in 0..trees {
            self.tree(tree, features, sample_size, &mut nodes)?;
            starts.push(nodes.len() as u32);
        }
        if self.left() > 0 {
            let bytes = self.left();
            return Err(DecodeError::Trailing { bytes });
        }
        Ok(Forest {
            axes,
            sample_size,
            starts: starts.into(),
            nodes: nodes.into(),
        })
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let offset = self.offset;
        let taken = self.bytes[offset..]
            .first_chunk()
            .ok_or(DecodeError::Truncated { offset })?;
        self.offset += N;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.take().map(|[byte]| byte)
    }

    fn axis(&mut self, feature: usize) -> Result<Axis, DecodeError> {
        let center = f64::from_le_bytes(self.take()?);
        let scale = f64::from_le_bytes(self.take()?);
        if center.is_finite() && scale.is_finite() && scale > 0.0 {
            Ok(Axis { center, scale })
        } else {
            Err(DecodeError::Axis { feature })
        }
    }

    /// Appends one tree to `nodes`. No deeper than its rows allow, it has at most 4,095 splits,
    /// which links can hold.
    fn tree(
        &mut self,
        tree: usize,
        features: usize,
        sample_size: usize,
        nodes: &mut Vec<Node>,
    ) -> Result<(), DecodeError> {
        let first = nodes.len();
        let limit = height_limit(sample_size);
        let mut rows = 0;
        let mut seats = vec![(Seat::Root, 0)];
        while let Some((seat, depth)) = seats.pop() {
            let offset = self.offset;
            let tag = self.byte()?;
            if tag > LEAF {
                let size = self.leaf_size(tag, tree)?;
                rows += size;
                if rows > sample_size {
                    break;
                }
                seat.fill(&mut nodes[first..], Link::leaf(size));
                continue;
            }
            let feature = usize::from(tag);
            if feature >= features {
                return Err(DecodeError::UnknownFeature {
                    tree,
                    feature,
                    offset,
                });
            }
            if depth == limit {
                return Err(DecodeError::TooHigh {
                    tree,
                    limit,
                    offset,
                });
            }
            let threshold = f32::from_le_bytes(self.take()?);
            if !threshold.is_finite() {
                return Err(DecodeError::Threshold { tree, offset });
            }
            let index = nodes.len() - first;
            seat.fill(&mut nodes[first..], Link::inner(index));
            nodes.push(Node::new(feature, threshold));
            seats.extend([
                (Seat::Right(index), depth + 1),
                (Seat::Left(index), depth + 1),
            ]);
        }
        if rows != sample_size {
            return Err(DecodeError::LeafRows {
                tree,
                rows,
                sample_size,
            });
        }
        Ok(())
    }

    fn leaf_size(&mut self, tag: u8, tree: usize) -> Result<usize, DecodeError> {
        if tag != LARGE_LEAF {
            return Ok(usize::from(tag - LEAF));
        }
        let offset = self.offset;
        let size = usize::from(u16::from_le_bytes(self.take()?));
        if (LARGE_LEAF_SIZE..=SAMPLE_SIZE_MAX).contains(&size) {
            Ok(size)
        } else {
            Err(DecodeError::Leaf { tree, offset })
        }
    }
}
