//! What the crate promises, by subject.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod encoding;
mod judge;
mod series;
mod train;
