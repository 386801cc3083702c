//! What the crate promises, by subject.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod bad_direction;
mod budget;
mod cold;
mod encoding;
mod figure;
mod judge;
mod polluted;
mod quiet;
mod seasons;
mod series;
mod train;
mod walk;
