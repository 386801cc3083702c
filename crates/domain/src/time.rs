//! Instants. One type for all of them: milliseconds since the epoch, UTC.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in milliseconds since 1970-01-01T00:00:00Z, within the years 0000 to 9999.
///
/// Shown and stored in text as RFC 3339 in UTC with milliseconds; read from RFC 3339 with any
/// offset or from epoch seconds with an optional fraction.
///
/// ```
/// use domain::Timestamp;
/// let time: Timestamp = "2026-11-22T12:00:00.250Z".parse().unwrap();
/// assert_eq!(time.to_string(), "2026-11-22T12:00:00.250Z");
/// assert_eq!("1795348800.25".parse::<Timestamp>().unwrap(), time);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const MIN_MILLIS: i64 = -62_167_219_200_000;
const MAX_MILLIS: i64 = 253_402_207_199_999;

/// Why a text is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time: use RFC 3339 such as 2026-11-22T12:00:00Z, or epoch seconds")]
pub struct ParseTimeError {
    text: String,
}

impl Timestamp {
    pub const EPOCH: Timestamp = Timestamp(0);

    /// Clamped to the years 0000 to 9999.
    pub const fn from_millis(millis: i64) -> Timestamp {
        if millis < MIN_MILLIS {
            Timestamp(MIN_MILLIS)
        } else if millis > MAX_MILLIS {
            Timestamp(MAX_MILLIS)
        } else {
            Timestamp(millis)
        }
    }

    /// From epoch seconds, rounded to milliseconds; none if not finite or outside the range.
    pub fn from_seconds(seconds: f64) -> Option<Timestamp> {
        let millis = (seconds * 1000.0).round();
        (millis >= MIN_MILLIS as f64 && millis <= MAX_MILLIS as f64)
            .then_some(Timestamp(millis as i64))
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The time that has passed since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// The latest multiple of `step` since the epoch that is not after this instant.
    pub fn floor_to(self, step: Duration) -> Timestamp {
        let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
        Timestamp::from_millis(self.0.div_euclid(step) * step)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, duration: Duration) -> Timestamp {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.0.saturating_add(millis))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;
    fn sub(self, duration: Duration) -> Timestamp {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.0.saturating_sub(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Timestamp, ParseTimeError> {
        let refused = || ParseTimeError {
            text: text.chars().take(64).collect(),
        };
        let looks_numeric = text
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.' || b == b'-' || b == b'+');
        if looks_numeric && let Ok(seconds) = text.parse::<f64>() {
            return Timestamp::from_seconds(seconds).ok_or_else(refused);
        }
        let time: jiff::Timestamp = text.parse().map_err(|_| refused())?;
        Ok(Timestamp::from_millis(time.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            Ok(Timestamp::from_millis(i64::deserialize(deserializer)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_to_the_millisecond() {
        for millis in [0, 1, 999, 1_795_348_800_250, -1, MAX_MILLIS] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(time.to_string().parse::<Timestamp>(), Ok(time));
        }
    }

    #[test]
    fn a_plus_offset_is_understood() {
        let time: Timestamp = "2026-11-22T13:00:00+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-22T12:00:00.000Z");
    }

    #[test]
    fn nonsense_is_refused_with_the_text() {
        for text in ["", "soon", "-9e18", "1e400", "99999999999999999999", "-"] {
            let error = text.parse::<Timestamp>().unwrap_err();
            assert!(error.to_string().contains("RFC 3339"), "{text}: {error}");
        }
    }

    #[test]
    fn the_grid_is_the_epochs() {
        let step = Duration::from_secs(15);
        let time = Timestamp::from_millis(44_999).floor_to(step);
        assert_eq!(time.as_millis(), 30_000);
        assert_eq!(
            Timestamp::from_millis(-1).floor_to(step).as_millis(),
            -15_000
        );
    }
}
