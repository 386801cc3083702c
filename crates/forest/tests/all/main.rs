//! What the crate promises, by subject.

mod contributions;
mod determinism;
mod encoding;
mod fit;
mod reference;
mod score;
mod series;
