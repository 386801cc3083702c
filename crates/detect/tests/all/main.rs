//! What the crate promises, by subject.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod budget;
mod encoding;
mod figure;
mod judge;
mod seasons;
mod series;
mod train;
mod walk;
