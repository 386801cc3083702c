//! When a busy receiver wants to hear from us again.

use std::time::Duration;

use domain::Timestamp;
use reqwest::Response;
use reqwest::header::{self, HeaderValue};

use super::SendError;

/// Seconds, or a date, which is held against the receiver's own clock where it tells it.
pub(super) fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let headers = response.headers();
    let value = headers.get(header::RETRY_AFTER)?;
    let wait = match value.to_str().ok()?.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let clock = headers.get(header::DATE).and_then(http_time);
            http_time(value)?.since(clock.unwrap_or(now))
        }
    };
    Some(wait.min(SendError::RETRY_AFTER_MAX))
}

fn http_time(value: &HeaderValue) -> Option<Timestamp> {
    let time = jiff::fmt::rfc2822::parse(value.to_str().ok()?).ok()?;
    Some(Timestamp::from_millis(time.timestamp().as_millisecond()))
}
