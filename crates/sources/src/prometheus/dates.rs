//! The times that an answer's headers tell: the server's clock, and when to come again.

use std::time::Duration;

use domain::Timestamp;
use jiff::SignedDuration;
use reqwest::Response;
use reqwest::header::{self, HeaderValue};

use super::QueryError;

pub(super) fn date(response: &Response) -> Option<Timestamp> {
    http_time(response.headers().get(header::DATE)?)
}

fn http_time(value: &HeaderValue) -> Option<Timestamp> {
    let time = jiff::fmt::rfc2822::parse(value.to_str().ok()?).ok()?;
    Some(Timestamp::from_millis(time.timestamp().as_millisecond()))
}

/// The server wrote its date between our sending and receiving, cut to a whole second: within
/// that, the clocks may agree.
pub(super) fn skew(date: Timestamp, sent: Timestamp, received: Timestamp) -> SignedDuration {
    let (date, sent, received) = (date.as_millis(), sent.as_millis(), received.as_millis());
    let millis = if date + 999 < sent {
        date + 999 - sent
    } else if date > received {
        date - received
    } else {
        0
    };
    SignedDuration::from_millis(millis)
}

/// Seconds, or a date (against our clock).
pub(super) fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?;
    let wait = match value.to_str().ok()?.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => http_time(value)?.since(date(response).unwrap_or(now)),
    };
    Some(wait.min(QueryError::RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_is_what_can_not_be_explained() {
        let at = Timestamp::from_millis;
        for (date, sent, received, millis) in [
            (10_000, 10_900, 10_950, 0),
            (12_000, 10_000, 15_000, 0),
            (3_610_000, 10_000, 10_100, 3_599_900),
            (10_000, 3_610_000, 3_610_100, -3_599_001),
        ] {
            assert_eq!(
                skew(at(date), at(sent), at(received)),
                SignedDuration::from_millis(millis)
            );
        }
    }
}
