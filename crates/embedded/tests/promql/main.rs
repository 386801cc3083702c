//! The PromQL subset: by its rules, by properties, and beside a real Prometheus.

mod expressions;
mod memory;
mod properties;
mod real_prometheus;
mod samples;
mod semantics;
