//! Why a message was not delivered.

use std::error::Error;
use std::time::Duration;

use super::address::Forbidden;

/// Why a message was not delivered. The texts say what to do where it isn't plain, and hold neither
/// secrets nor the path of the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// 4xx but 408, 425 and 429: it will hardly be taken unless somebody mends something.
    #[error("refused with status {status}{}: {said}", advice(*.status))]
    Refused {
        status: u16,
        /// The beginning of the body.
        said: String,
    },
    /// 429 or 503.
    #[error("the receiver is busy (status {status})")]
    Busy {
        status: u16,
        /// How long it asks us to wait; at most [`SendError::RETRY_AFTER_MAX`].
        retry_after: Option<Duration>,
    },
    #[error("the receiver failed with status {status}: {said}")]
    Server { status: u16, said: String },
    #[error(
        "redirected (status {status}), which is not followed; give the final address as the url"
    )]
    Redirect { status: u16 },
    #[error("no answer within {after:?}")]
    Timeout { after: Duration },
    #[error("can't connect to {address}: {why}")]
    Connect { address: String, why: String },
    #[error("no secure connection to {address}: {why}; the certificate is checked, always")]
    Tls { address: String, why: String },
    /// It may have arrived.
    #[error("the connection broke off: {why}")]
    Interrupted { why: String },
    #[error("the answer isn't HTTP: {why}")]
    Malformed { why: String },
    #[error("{why}")]
    Address { why: String },
    #[error("can't read the bearer token file: {why}")]
    Credentials { why: String },
}

impl SendError {
    /// A longer `Retry-After` is taken as this.
    pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

    /// A word of a small fixed set, for metric labels.
    pub fn kind(&self) -> &'static str {
        match self {
            SendError::Refused { .. } => "refused",
            SendError::Busy { .. } => "busy",
            SendError::Server { .. } => "server",
            SendError::Redirect { .. } => "redirect",
            SendError::Timeout { .. } => "timeout",
            SendError::Connect { .. } => "connect",
            SendError::Tls { .. } => "tls",
            SendError::Interrupted { .. } => "interrupted",
            SendError::Malformed { .. } => "malformed",
            SendError::Address { .. } => "address",
            SendError::Credentials { .. } => "credentials",
        }
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            SendError::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => " (check the credentials)",
        404 | 405 => " (check the url and its path)",
        413 => " (it takes no message of this size; lower notify.notices_per_message)",
        _ => "",
    }
}

/// Names the failure by its causes; the error's own text would repeat the URL.
pub(super) fn failure(error: &reqwest::Error, address: &str, timeout: Duration) -> SendError {
    let causes = causes(error);
    if let Some(forbidden) = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<Forbidden>())
    {
        return SendError::Address {
            why: forbidden.to_string(),
        };
    }
    let texts: Vec<String> = causes.iter().map(|cause| cause.to_string()).collect();
    let says = |word: &str| texts.iter().any(|text| text.contains(word));
    let why = texts.last().cloned().unwrap_or_else(|| "no reason".into());
    let address = address.to_owned();
    if error.is_timeout() {
        SendError::Timeout { after: timeout }
    } else if says("certificate")
        || says("TLS")
        || says("InvalidContentType")
        || says("corrupt message")
    {
        SendError::Tls { address, why }
    } else if error.is_connect() {
        SendError::Connect { address, why }
    } else if says("invalid HTTP") || says("message head is too large") {
        SendError::Malformed { why }
    } else {
        SendError::Interrupted { why }
    }
}

/// The causes beneath an error, outermost first.
pub(super) fn causes(error: &dyn Error) -> Vec<&(dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    causes
}
