//! Why a target said nothing that counts.

use std::time::Duration;

use super::units;
use crate::exposition::ExpositionError;

/// Why a scrape failed. Texts from the target are cut short, secrets are not among them.
#[derive(Debug, thiserror::Error)]
pub enum ScrapeFailure {
    #[error("can't connect to {address}: {why}")]
    Connect { address: String, why: String },
    #[error("can't speak TLS with {address}: {why}")]
    Tls { address: String, why: String },
    #[error("it didn't answer in full within the timeout of {}", units::shown(*.0))]
    Timeout(Duration),
    #[error("its answer broke off: {0}")]
    Interrupted(String),
    #[error(
        "it answered {status} and would redirect to {place:?}; scrape the address that answers itself"
    )]
    Redirect { status: u16, place: String },
    #[error("it answered {status}{}", advice(*.status))]
    Status { status: u16 },
    #[error(
        "its answer has more than {bytes_max} bytes, unpacked; raise body_size_limit (at most {} bytes) or let it say less",
        super::PAGE_BYTES_MAX
    )]
    TooLarge { bytes_max: u64 },
    #[error("it answered {found}, which is no page of metrics: are metrics_path and port right?")]
    NoMetrics { found: String },
    #[error("its page can't be read: {0}")]
    Page(#[from] ExpositionError),
    #[error(
        "its page has {samples} samples, and {limit} are allowed; raise sample_limit or let it say less"
    )]
    Samples { samples: usize, limit: u64 },
    #[error("the credentials for it can't be used: {0}")]
    Credentials(String),
}

fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => "; give it basic_auth or authorization",
        404 => "; is metrics_path right?",
        406 => "; it offers no text format of Prometheus",
        _ => "",
    }
}

/// The beginning of a text that came from outside, on one line.
pub(super) fn excerpt(text: &str) -> String {
    const CHARS: usize = 80;
    let shown = text.chars().take(CHARS);
    shown
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
