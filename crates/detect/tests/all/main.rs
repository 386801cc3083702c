//! What the crate promises, by subject.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod encoding;
mod judge;
mod series;
mod train;
