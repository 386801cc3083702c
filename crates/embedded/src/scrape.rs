//! Asking targets for their metrics: which targets there are, what is asked and kept of them, and
//! what came of it.

mod config;
mod files;
mod secret;
mod targets;
mod units;

pub use config::{
    Authorization, Job, ScrapeConfig, ScrapeConfigError, SecretSource, TargetGroup, Tls,
};
pub use secret::Secret;
pub use targets::{TARGETS_MAX, Target, Targets};
