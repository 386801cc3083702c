//! What the crate promises, by subject.

mod contributions;
mod determinism;
mod encoding;
mod fit;
mod harm;
mod hashes;
mod reference;
mod score;
mod series;
mod trees;
