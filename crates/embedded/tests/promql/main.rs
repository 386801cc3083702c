//! The PromQL subset: by its rules, by properties, and beside a real Prometheus.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod corpus;
mod expressions;
mod harm;
mod memory;
mod properties;
mod real_prometheus;
mod samples;
mod semantics;
