//! The time of day in the configured time zone, DST included.

use std::time::Duration;

use domain::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Where seasonal memory looks the time of day up. The zone data are compiled in, so that the same
/// inputs give the same outputs on every machine.
#[derive(Clone, Debug)]
pub struct Season {
    zone: TimeZone,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a known time zone: use a name such as UTC or Europe/Berlin")]
pub struct UnknownTimezone(pub String);

impl Season {
    pub fn utc() -> Season {
        Season {
            zone: TimeZone::UTC,
        }
    }

    /// # Errors
    /// The IANA database has no such zone.
    pub fn new(timezone: &str) -> Result<Season, UnknownTimezone> {
        if timezone.eq_ignore_ascii_case("utc") {
            return Ok(Season::utc());
        }
        let zone = TimeZoneDatabase::bundled()
            .get(timezone)
            .map_err(|_| UnknownTimezone(timezone.chars().take(80).collect()))?;
        Ok(Season { zone })
    }

    /// The time since local midnight, by the wall clock: 0 to 24 hours.
    pub fn time_of_day(&self, time: Timestamp) -> Duration {
        let offset = jiff::Timestamp::from_millisecond(time.as_millis())
            .map(|instant| i64::from(self.zone.to_offset(instant).seconds()))
            .unwrap_or(0);
        let millis = (time.as_millis() + offset * 1000).rem_euclid(86_400_000);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_wall_clock_time_is_the_same_season_on_both_sides_of_dst() {
        let berlin = Season::new("Europe/Berlin").unwrap();
        let of = |text: &str| berlin.time_of_day(text.parse().unwrap());
        assert_eq!(of("2026-10-24T07:00:00Z"), of("2026-10-26T08:00:00Z"));
        assert_eq!(of("2026-10-24T07:00:00Z"), Duration::from_secs(9 * 3600));
    }

    #[test]
    fn an_unknown_zone_is_named() {
        let error = Season::new("Europe/Atlantis").unwrap_err();
        assert!(error.to_string().contains("Atlantis"), "{error}");
    }
}
