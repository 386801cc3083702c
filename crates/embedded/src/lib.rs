//! The metric store for those without a Prometheus: it scrapes targets itself, keeps what is asked
//! of it in compressed blocks, and answers a declared subset of PromQL.
//!
//! Time is passed in. Names and values from targets are data: bounded, never pasted into anything.

pub mod exposition;
pub mod promql;
pub mod scrape;
pub mod store;

mod labels;
mod matcher;
mod sample;

pub use labels::Labels;
pub use matcher::{MatchOperator, Matcher, MatcherError};
pub use sample::{Sample, SeriesSource, is_stale, stale_marker};
