//! Stories of services in trouble, told tick by tick, and what is decided of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod story;

mod availability;
mod episodes;
mod operators;
mod properties;
mod rule;
