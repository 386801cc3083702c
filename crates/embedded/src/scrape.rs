//! Asking targets for their metrics: which targets there are, what is asked and kept of them, and
//! what came of it.

mod config;
mod files;
mod secret;
mod targets;
mod units;

mod asking;
mod failure;

mod digest;
mod families;
mod keep;

mod scraper;

/// The most bytes of a page, unpacked, whatever a job allows.
pub const PAGE_BYTES_MAX: u64 = 32 << 20;

pub use asking::ScraperError;
pub use config::{
    Authorization, Job, ScrapeConfig, ScrapeConfigError, SecretSource, TargetGroup, Tls,
};
pub use failure::ScrapeFailure;
pub use families::Metadata;
pub use keep::Keep;
pub use scraper::{Clock, ScrapeView, Scraper, TargetStatus};
pub use secret::Secret;
pub use targets::{TARGETS_MAX, Target, Targets};
