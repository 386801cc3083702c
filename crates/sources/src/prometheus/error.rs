//! Why a query brought nothing.

use std::time::Duration;

/// Why a query brought nothing. The texts name what came and what to do, and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error(
        "no whole answer within {after:?}; look at the load of Prometheus, or raise prometheus.timeout and tick"
    )]
    Timeout { after: Duration },
    #[error(
        "can't connect to {address}: {why}; is Prometheus running, and is prometheus.url right?"
    )]
    Connect { address: String, why: String },
    #[error("no secure connection to {address}: {why}; the certificate is checked, always")]
    Tls { address: String, why: String },
    #[error("the connection broke off before the answer was whole: {why}")]
    Interrupted { why: String },
    #[error(
        "redirected (status {status}) to {host}, which is not followed; give the final address as the url"
    )]
    Redirect { status: u16, host: String },
    #[error("status {status}{}: {said}{}", advice(*.status), retry(.retry_after))]
    Status {
        status: u16,
        /// How long the server asks us to wait; at most [`QueryError::RETRY_AFTER_MAX`].
        retry_after: Option<Duration>,
        /// The beginning of the body.
        said: String,
    },
    #[error("the query was refused ({error_type}): {message}{}", retry(.retry_after))]
    BadQuery {
        error_type: String,
        message: String,
        retry_after: Option<Duration>,
    },
    #[error("the query failed in the server ({error_type}): {message}{}; the log of Prometheus should say more", retry(.retry_after))]
    Server {
        status: u16,
        error_type: String,
        message: String,
        retry_after: Option<Duration>,
    },
    #[error(
        "the answer is larger than {bytes_max} bytes; ask for fewer series, or raise prometheus.answer_bytes_max"
    )]
    TooLarge { bytes_max: usize },
    #[error("the answer makes no sense: {why}{}", beginning(.began))]
    Malformed { why: String, began: String },
    #[error("can't read the bearer token file: {why}")]
    Credentials { why: String },
}

impl QueryError {
    /// A longer `Retry-After` is taken as this.
    pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

    /// A word of a small fixed set, for metric labels.
    pub fn kind(&self) -> &'static str {
        match self {
            QueryError::Timeout { .. } => "timeout",
            QueryError::Connect { .. } => "connect",
            QueryError::Tls { .. } => "tls",
            QueryError::Interrupted { .. } => "interrupted",
            QueryError::Redirect { .. } => "redirect",
            QueryError::Status { status, .. } => match status {
                401 | 403 => "unauthorized",
                429 => "rate_limited",
                400..500 => "status_4xx",
                500..600 => "status_5xx",
                _ => "status_other",
            },
            QueryError::BadQuery { .. } => "bad_query",
            QueryError::Server { error_type, .. } if error_type == "timeout" => "timeout",
            QueryError::Server { .. } => "status_5xx",
            QueryError::TooLarge { .. } => "too_large",
            QueryError::Malformed { .. } => "malformed",
            QueryError::Credentials { .. } => "credentials",
        }
    }

    /// How long the server asked us to wait before the next query.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            QueryError::Status { retry_after, .. }
            | QueryError::BadQuery { retry_after, .. }
            | QueryError::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => " (check the credentials)",
        404 => " (check the url and its path; /api/v1/query is looked for beneath it)",
        405 => " (the server takes neither POST nor GET)",
        429 => " (too many queries)",
        500.. => " (Prometheus, or a proxy before it, is in trouble; look at its log)",
        _ => "",
    }
}

fn beginning(began: &str) -> String {
    if began.is_empty() {
        String::new()
    } else {
        format!("; it begins with \"{began}\"")
    }
}

fn retry(after: &Option<Duration>) -> String {
    match after {
        Some(after) => format!("; it asks to be left alone for {} s", after.as_secs()),
        None => String::new(),
    }
}
