//! Samples in compressed blocks.
