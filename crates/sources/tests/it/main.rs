//! The sources against a mock that misbehaves by script, and against a real Prometheus.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod client;
mod collector;
mod evidence;
mod log_formats;
mod logs;
mod mock;
mod real_evidence;
mod real_prometheus;
mod spring_pack;
mod tls;
