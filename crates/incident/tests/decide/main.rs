//! Stories of services in trouble, told tick by tick, and what is decided of them.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod story;

mod availability;
mod episodes;
mod evidence;
mod hysteresis;
mod ledger;
mod operators;
mod properties;
mod rule;
mod rules;
